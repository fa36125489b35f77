"""`exec:` targets: programs that behave, and every way in which one may not."""

import gc
import inspect
import shlex
import sys
import time
from pathlib import Path

import numpy
import pytest

from convspec import fast
from convspec.oracle import check
from convspec.oracle.processes import program as programs
from convspec.oracle.processes import wire
from convspec.oracle.processes.program import Program, ProgramError, load_program
from convspec.oracle.target import TargetError, load, operations_offered

PROGRAM = Path(__file__).with_name("exec_program.py")
X = numpy.arange(12, dtype="float32").reshape(1, 1, 3, 4)
W = numpy.ones((1, 1, 2, 2), "float32")


def words(*arguments):
    return [sys.executable, str(PROGRAM), *map(str, arguments)]


def target(*arguments):
    return f"exec:{shlex.join(words(*arguments))}"


@pytest.fixture(scope="module")
def program():
    return Program(words())


def test_it_says_what_it_is(program):
    assert (program.name, program.version, program.dtypes) == ("exec_program", "3", ("float32",))
    assert operations_offered(program) == ["conv", "conv_vjp", "max_pool", "average_pool"]


def test_it_computes(program):
    numpy.testing.assert_array_equal(program.conv(X, W, stride=1), fast.conv(X, W))
    assert program.conv(X, W).dtype == "float32"


def test_operands_and_gradients_go_by_name(program):
    bias = numpy.array([1], "float32")
    output = program.conv(X, W, bias=bias, padding=((1, 1), (1, 1)))
    numpy.testing.assert_array_equal(output, fast.conv(X, W, bias, padding=1))
    gradients = program.conv_vjp(output, X, W, bias, padding=((1, 1), (1, 1)))
    due = fast.conv_vjp(output, X, W, bias, padding=1)
    assert len(gradients) == 3
    for seen, right in zip(gradients, due, strict=True):
        numpy.testing.assert_array_equal(seen, right)


def test_views_are_sent_as_they_read(program):
    numpy.testing.assert_array_equal(program.conv(X[..., ::-1], W), fast.conv(X[..., ::-1], W))


def test_functions_have_the_signatures_of_the_spec(program):
    parameters = inspect.signature(program.conv).parameters
    assert list(parameters) == [
        "input",
        "weight",
        "bias",
        "stride",
        "padding",
        "dilation",
        "groups",
    ]
    with pytest.raises(TypeError, match="sideways"):
        program.conv(X, W, sideways=1)


def test_unsupported_and_error_are_exceptions():
    with pytest.raises(NotImplementedError, match="not today"):
        Program(words("unsupported")).conv(X, W)
    refusing = Program(words("error"))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="out of order"):
            refusing.conv(X, W)


ENDS = {
    "abort": "ended by SIGABRT",
    "segfault": "ended by SIGSEGV; it said: ready",
    "exit": "ended with status 0; it said: ready | I have had enough",
    "closed-output": "closed its output; it said: ready",
    "giant-frame": "a frame of 1152921504606846976 bytes",
    "truncated-frame": "after 9 of a frame's 100 bytes",
    "garbage": "6 bytes are no safetensors file",
    "print": "a frame of",
    "other-id": "id '0': must be '2'",
    "no-output": "arrays none: must be output, output_1",
    "no-status": "status 'None': must be ok",
}


@pytest.mark.parametrize(("fault", "says"), ENDS.items(), ids=ENDS)
def test_a_program_that_breaks_off_is_told_and_started_again(tmp_path, fault, says):
    faulty = Program(words(fault, 1, tmp_path / "done"))
    with pytest.raises(ProgramError, match="the program") as error:
        faulty.conv(X, W)
    assert error.value.kind == "crash"
    assert says in str(error.value)
    numpy.testing.assert_array_equal(faulty.conv(X, W), fast.conv(X, W))


def test_a_program_that_hangs_is_ended_in_time(tmp_path):
    faulty = Program(words("hang", 1, tmp_path / "done"), seconds=5)
    begun = time.monotonic()
    with pytest.raises(ProgramError, match=r"did not answer within 5 s; it said: ready") as error:
        faulty.conv(X, W)
    assert error.value.kind == "hang"
    assert time.monotonic() - begun < 30
    numpy.testing.assert_array_equal(faulty.conv(X, W), fast.conv(X, W))


def test_a_request_that_nobody_reads_is_a_hang():
    deaf = Program(words("deaf"), seconds=5)
    with pytest.raises(ProgramError, match="within 5 s") as error:
        deaf.conv(numpy.ones((1, 1, 2**20)), numpy.ones((1, 1, 1)))
    assert error.value.kind == "hang"


def test_a_long_log_makes_nobody_wait():
    chatty = (
        "import sys; sys.argv = ['p', 'none']; "
        "sys.stderr.write('x' * 10**6); sys.stderr.flush(); "
        f"exec(open({str(PROGRAM)!r}).read())"
    )
    assert Program([sys.executable, "-c", chatty]).conv(X, W).shape == (1, 1, 2, 3)


def test_the_program_ends_when_nobody_holds_it():
    held = Program(words())
    child = held._running[0].child
    del held
    gc.collect()
    assert child.process.wait(10) == 0


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("", "must be followed by a command"),
        ("'unfinished", "No closing quotation"),
        ("/no/such/program", "cannot be started"),
        (shlex.join([sys.executable, "-c", "print('Hello, World!')"]), "a frame of"),
        (shlex.join([sys.executable, "-c", "import sys; sys.exit('no')"]), "it said: no"),
        (shlex.join(words("no-description")), "dtypes: None: must be a JSON list"),
        (shlex.join(words("unknown-operation")), "operations: 'sing' is none of convolve"),
    ],
)
def test_what_is_no_such_program_is_refused_in_one_line(command, says):
    with pytest.raises(TargetError) as refused:
        load(f"exec:{command}")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.fixture
def asked_late(monkeypatch):
    """As on a busy machine, where a program may have ended before it is asked."""

    def late(stream, request):
        time.sleep(1)
        wire.write_frame(stream, request)

    monkeypatch.setattr(programs, "write_frame", late)


@pytest.mark.usefixtures("asked_late")
def test_a_program_that_reads_no_more_has_closed_its_input():
    with pytest.raises(ProgramError, match="closed its input") as refused:
        Program(["sh", "-c", "exec 0<&-; sleep 300"])
    assert refused.value.kind == "crash"


@pytest.mark.usefixtures("asked_late")
def test_what_a_program_said_before_it_ended_is_read():
    with pytest.raises(ProgramError, match="no valid response: a frame of"):
        Program([sys.executable, "-c", "print('Hello, World!')"])


def test_a_program_that_ended_and_left_its_pipes_to_another_is_late():
    with pytest.raises(ProgramError, match="did not answer within 1 s") as refused:
        Program(["sh", "-c", "exec 3<&0; sleep 300 <&3 & exit 0"], seconds=1)
    assert refused.value.kind == "hang"


def test_no_shell_reads_the_command(tmp_path):
    with pytest.raises(ProgramError):
        load_program(f"true; touch {tmp_path / 'made'}")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_correct_program_conforms():
    report = check(load(target()), ["conv", "average_pool"], level="quick")
    assert report.status == "conforms"
    assert (report.target, report.version) == (target(), "3")
    assert report["conv"].judged > 400


@pytest.mark.slow
def test_a_crash_costs_one_case(tmp_path):
    faulty = load(target("segfault", 100, tmp_path / "done"))
    report = check(faulty, ["conv"], level="quick")
    whole = check(load(target()), ["conv"], level="quick")
    assert report.status == report["conv"].status == "crashed"
    (found,) = report["conv"].differences
    assert (found.kind, found.cases, found.dtype) == ("crash", 1, "float32")
    assert "ended by SIGSEGV" in found.message
    assert isinstance(found.expected, tuple)
    # The rest was judged all the same.  Bad arguments are tried on a spread of the cases that went
    # well: with one case less it is another spread, and not every argument fits every case.
    assert report["conv"].judged > 0.98 * whole["conv"].judged


@pytest.mark.slow
def test_a_crash_at_a_bad_argument_is_one_as_well():
    report = check(load(target("dies-of-errors")), ["conv"], level="quick")
    (found,) = report["conv"].differences
    assert (report.status, found.kind) == ("crashed", "crash")
    assert found.expected == "a ValueError or a TypeError"
    assert "ValueError" in found.message


@pytest.mark.slow
def test_a_program_that_crashes_at_every_call_is_left_alone_after_a_while():
    report = check(load(target("abort")), ["conv", "max_pool"], level="quick")
    for operation in report.operations.values():
        assert operation.status == "crashed"
        assert [(d.kind, d.cases) for d in operation.differences] == [("crash", 8)]
        assert "called no more after 8 calls ended in a crash" in operation.unsupported_rule
