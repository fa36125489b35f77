"""Isolation: a crash, a hang, or too much memory costs one case, and a killed check goes on."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest

from convspec import fast
from convspec.cli.check import exit_code
from convspec.oracle import check
from convspec.oracle.processes.isolation import Limits, _read_ended, default_limits
from convspec.oracle.processes.journal import SIZE, fingerprint, open_journal
from convspec.oracle.processes.process import end, said, start
from convspec.oracle.processes.resumption import run_directory
from convspec.oracle.record import pack, unpack
from convspec.oracle.target import load

FAULTY = str(Path(__file__).with_name("faulty.py"))
LIMITS = Limits(seconds=3, memory=2**30)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "convspec"


@pytest.fixture
def faulty(monkeypatch):
    """Check the faulty implementation, isolated, with its faults from the environment."""

    def checked(fault, operations=("conv",), limits=LIMITS, **told):
        monkeypatch.setenv("FAULTY", fault)
        for name, value in told.items():
            monkeypatch.setenv(f"FAULTY_{name.upper()}", str(value))
        return check(load(FAULTY), operations, level="quick", isolate=limits)

    return checked


def same(first, second):
    """Reports that are equal but for the time they took."""
    forget = {"seconds": 0.0, "seconds_inside": 0.0}
    plain = [json.loads(report.to_json()) for report in (first, second)]
    for told in plain:
        told.update(forget)
        for operation in told["operations"].values():
            operation.update(forget)
    return plain[0] == plain[1]


def test_an_isolated_check_finds_what_one_in_this_process_finds():
    here = check(load("numpy"), ["conv", "convolve"], level="quick", isolate=False)
    there = check(load("numpy"), ["conv", "convolve"], level="quick", isolate=True)
    assert same(here, there)


@pytest.mark.slow
def test_differences_come_back_whole(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from convspec import fast\n"
        "def conv(input, weight, bias=None, **attributes):\n"
        "    return fast.conv(input, weight[..., ::-1].copy(), bias, **attributes)\n",
        encoding="utf-8",
    )
    here = check(load(str(path)), ["conv"], level="quick")
    there = check(load(str(path)), ["conv"], level="quick", isolate=True)
    assert here.status == "differs"
    assert here["conv"].differences
    assert same(here, there)


@pytest.fixture(scope="module")
def whole():
    """The report where nothing goes wrong."""
    return check(load(FAULTY), ["conv"], level="quick", isolate=False)


def test_an_operation_does_not_suffer_for_bad_calls_of_another(faulty):
    report = faulty("poison", ("conv", "max_pool"), stride=0)
    assert [d.kind for d in report["conv"].differences] == ["accepts"]
    assert report["max_pool"].status == "conforms"


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ("abort", "crash", "was ended by SIGABRT; it said: assertion failed: kernel != 0"),
        ("segfault", "crash", "was ended by SIGSEGV"),
        ("exit", "crash", "ended with status 0"),
        ("hang", "hang", "did not return within 3 s"),
    ],
)
def test_a_call_that_does_not_come_back_costs_one_case(faulty, whole, tmp_path, fault, kind, says):
    report = faulty(fault, ["conv", "max_pool"], call=200, file=tmp_path / "happened")
    assert report.status == report["conv"].status == "crashed"
    assert exit_code(report) == 3
    (found,) = report["conv"].differences
    assert (found.kind, found.cases, found.dtype) == (kind, 1, "float32")
    assert says in found.message
    right = fast.conv(*found.case.operands.values(), **found.case.attributes)
    numpy.testing.assert_array_equal(found.expected[0], right)
    assert report["max_pool"].status == "conforms"
    # The rest was judged all the same; with one case less, bad arguments are tried on others.
    assert report["conv"].judged > 0.98 * whole["conv"].judged


CHECK_FAILED = """ready
F1126 12:24:28.889281    5112 simplifier.cc:586] Check failed: it is OK (INVALID_ARGUMENT:
\tshape: f64[1,2,3,3])
*** Check failure stack trace: ***
    @     0x7fcfca240634  absl::log_internal::LogMessage::SendToLog()
#1 0x00007fcfd78a71f5 in start_thread ()
"""
FATAL = """*** Begin stack trace ***
\t
*** End stack trace ***
Fatal: no such window

Suspected location:
  mine.py:5 [<module>]
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("", ()),
        ("ready\n\n  I have\thad enough\n", ("ready", "I have had enough")),
        (
            CHECK_FAILED,
            (
                "simplifier.cc:586] Check failed: it is OK (INVALID_ARGUMENT:",
                "shape: f64[1,2,3,3])",
            ),
        ),
        (FATAL, ("Fatal: no such window",)),
    ],
)
def test_of_a_log_the_reason_is_told_or_the_end_without_a_stack(log, told):
    child = start([sys.executable, "-c", f"import sys; sys.stderr.write({log!r})"])
    end(child)
    assert said(child) == (f"; it said: {' | '.join(told)}" if told else "")


def test_crashes_of_one_kind_of_case_are_one_difference(faulty):
    report = faulty("segfault", stride=3)
    (found,) = report["conv"].differences
    assert (found.kind, found.cases) == ("crash", 8)
    assert found.case.attributes["stride"] == (3,) * (found.case.operands["input"].ndim - 2)
    assert "called no more after 8 calls ended in a crash" in report["conv"].unsupported_rule


def test_a_bad_argument_that_ends_the_process_does_so_once(faulty):
    report = faulty("segfault", stride=0)
    (found,) = report["conv"].differences
    assert (found.kind, found.cases) == ("crash", 1)
    assert found.expected == "a ValueError or a TypeError"
    assert report["conv"].unsupported_rule is None


def test_what_is_called_no_more_is_not_right_when_called_again(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import os, signal\n"
        "from convspec import fast\n"
        "dtypes = ('float32',)\n"
        "def conv(input, weight, bias=None, **attributes):\n"
        "    if max(attributes['stride']) == 3:\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    right = fast.conv(input, weight, bias, **attributes)\n"
        "    return right + 1 if max(attributes['stride']) == 2 else right\n",
        encoding="utf-8",
    )
    report = check(load(str(path)), ["conv"], level="quick", isolate=LIMITS)
    assert {found.kind for found in report["conv"].differences} == {"value", "crash"}


@pytest.mark.parametrize(
    ("fault", "says"),
    [("bomb", "MemoryError"), ("giant", "MemoryError"), ("leave", "SystemExit")],
)
def test_too_much_memory_or_leaving_costs_one_case(faulty, tmp_path, fault, says):
    # Time enough to fill the memory on a busy machine.
    limits = LIMITS._replace(seconds=60)
    report = faulty(fault, limits=limits, call=200, file=tmp_path / "happened")
    assert report.status == "differs"
    (found,) = report["conv"].differences
    # It is raised once only, for that is how the fault is made.
    assert (found.kind, found.cases) == ("unstable", 1)
    assert says in found.message
    assert report["conv"].judged > 1000


def test_an_error_of_the_check_that_does_not_come_again_costs_nothing(faulty, whole, tmp_path):
    report = faulty("meddle", call=200, file=tmp_path / "happened")
    assert report.status == "conforms"
    assert report["conv"].judged == whole["conv"].judged
    *others, note = report["conv"].notes
    assert tuple(others) == whole["conv"].notes
    assert note.startswith("the check itself raised BufferError: the shape is no shape, and did")


def test_an_error_of_the_check_that_comes_again_is_raised(faulty):
    with pytest.raises(RuntimeError, match="BufferError: the shape is no shape"):
        faulty("meddle", call=200)


@pytest.mark.slow
def test_a_difference_outweighs_a_crash(faulty, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import os\n"
        "from convspec import fast\n"
        "dtypes = ('float32',)\n"
        "def conv(input, weight, bias=None, **attributes):\n"
        "    if attributes['groups'] == 2 and attributes['dilation'][0] > 1:\n"
        "        os.abort()\n"
        "    return fast.conv(input, weight, bias, **attributes)\n"
        "def max_pool(input, **attributes):\n"
        "    return fast.max_pool(input, **attributes) + 1\n",
        encoding="utf-8",
    )
    report = check(load(str(path)), ["conv", "max_pool"], level="quick", isolate=True)
    assert (report["conv"].status, report["max_pool"].status) == ("crashed", "differs")
    assert exit_code(report) == 1


def test_whether_to_isolate_is_what_the_implementation_says(monkeypatch):
    seen = []
    module = sys.modules["convspec.oracle.check"]
    monkeypatch.setattr(module, "examine_isolated", lambda target, *_: seen.append(target) or {})
    check(load(FAULTY), ["conv"], level="quick")
    assert seen == [FAULTY]
    assert check(load(FAULTY), ["max_pool"], level="quick", isolate=False)["max_pool"].judged
    assert check(load("fast"), ["max_pool"], level="quick")["max_pool"].judged
    assert seen == [FAULTY]


def test_what_has_no_name_cannot_be_isolated():
    with pytest.raises(ValueError, match="isolate: needs an implementation made by load"):
        check(object(), ["conv"], isolate=True)


def test_the_limits_are_a_minute_and_half_of_the_memory():
    assert default_limits().seconds == 60
    assert default_limits().memory > 2**27


def started(tmp_path, *options, **told):
    """A check on the command line, in a process of its own."""
    environment = {**os.environ, **{f"FAULTY_{k.upper()}": str(v) for k, v in told.items()}}
    words = ["check", FAULTY, "--level", "quick", "--operation", "max_pool", "--operation", "conv"]
    return subprocess.Popen(
        [sys.executable, "-c", "from convspec.cli import main; main()", *words, *options],
        env={**environment, "FAULTY": "hang", "FAULTY_CALL": "30"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_killed_check_goes_on_where_it_was(tmp_path, cache):
    count = tmp_path / "count"
    first = started(tmp_path, count=count)
    wait_for(lambda: count.exists() and count.stat().st_size > 20)
    first.send_signal(signal.SIGKILL)
    first.wait()
    (finished,) = cache.glob("*/max_pool.safetensors")
    stamp = finished.stat().st_mtime_ns
    # The worker ends with its parent.
    wait_for(lambda: _unlocked(count), seconds=20)
    second = started(tmp_path, "--resume", count=count)
    wait_for(lambda: _operations(cache) == ["conv"])
    assert finished.stat().st_mtime_ns == stamp
    second.send_signal(signal.SIGKILL)
    second.wait()
    third = started(tmp_path)
    wait_for(lambda: _operations(cache) == ["max_pool", "conv"])
    third.send_signal(signal.SIGKILL)
    third.wait()


def _operations(cache):
    """What is left to do; None while no check has said it yet."""
    jobs = list(cache.glob("*/*/job.json"))
    return json.loads(jobs[0].read_text(encoding="utf-8"))["operations"] if jobs else None


def _unlocked(count):
    with count.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_check_in_this_process_goes_on_as_well(monkeypatch, cache):
    class InterruptedHereError(Exception):
        pass

    def progress(operation, step, done, total):
        if operation == "conv":
            raise InterruptedHereError

    implementation = load("fast")
    with pytest.raises(InterruptedHereError):
        check(implementation, ["max_pool", "conv"], level="quick", resume=False, progress=progress)
    (kept,) = cache.glob("*/*.safetensors")
    assert kept.name == "max_pool.safetensors"
    told = []
    report = check(
        implementation,
        ["max_pool", "conv"],
        level="quick",
        resume=True,
        progress=lambda operation, *_: told.append(operation),
    )
    assert set(told) == {"conv"}
    assert report.status == "conforms"
    assert report["max_pool"].judged > 400
    assert not list(cache.iterdir())


@pytest.mark.parametrize("damage", [b"", b"[", b"\x05\0\0\0\0\0\0\0[]   ", 20])
def test_what_a_killed_check_left_damaged_is_done_once_more(tmp_path, cache, damage):
    """A file of a report, of the calls that ended a worker, or of the journal, cut or garbled."""
    count = tmp_path / "count"
    first = started(tmp_path, count=count)
    wait_for(lambda: count.exists() and count.stat().st_size > 20)
    first.send_signal(signal.SIGKILL)
    first.wait()
    wait_for(lambda: _unlocked(count), seconds=20)
    (place,) = (path for path in cache.iterdir() if path.is_dir())
    (kept,) = place.glob("max_pool.safetensors")
    (place / "ended.json").write_bytes(b'{"conv": [[1, 2, "crash", "it ended"]]}')
    for path in (kept, place / "ended.json", *place.glob("*/position"), *place.glob("*/job.json")):
        path.write_bytes(path.read_bytes()[:damage] if isinstance(damage, int) else damage)
    second = started(tmp_path, "--resume", count=count)
    wait_for(lambda: kept.exists() and kept.stat().st_size > 1000)
    second.send_signal(signal.SIGKILL)
    second.wait()
    wait_for(lambda: _unlocked(count), seconds=20)


@pytest.mark.parametrize("text", ["[]", "{", '{"conv": 1}', '{"conv": [[1]]}', "[" * 5000, "NaN"])
def test_a_list_of_ended_calls_that_is_damaged_is_empty(tmp_path, text):
    (tmp_path / "ended.json").write_text(text, encoding="utf-8")
    assert _read_ended(tmp_path) == {}


def test_a_journal_of_another_length_is_begun_anew(tmp_path):
    (tmp_path / "position").write_bytes(b"cut")
    journal = open_journal(tmp_path / "position")
    assert journal.read().operation == ""
    journal.memory.close()


def test_another_check_is_not_resumed(cache):
    with run_directory({"seed": 0}, resume=False) as place:
        (place / "kept").touch()
        with (
            pytest.raises(ValueError, match="under way"),
            run_directory({"seed": 0}, resume=True),
        ):
            pass
        with run_directory({"seed": 0}, resume=False) as other:
            assert other != place
        with run_directory({"seed": 1}, resume=True) as other:
            assert not list(other.iterdir())


def test_a_report_is_stored_and_read_back():
    found = check(load("fast"), ["conv"], level="quick", conventions={})["conv"]
    assert unpack(pack(found)) == found


def test_a_journal_outlives_its_writer(tmp_path):
    write = (
        "import os, sys; from pathlib import Path; "
        "from convspec.oracle.processes.journal import open_journal; "
        "journal = open_journal(Path(sys.argv[1])); journal.begin('conv'); "
        "journal.say('conv', 'x' * 5000, 1, 2); journal.enter(7, 9); os.abort()"
    )
    subprocess.run([sys.executable, "-c", write, str(tmp_path / "position")], check=False)
    journal = open_journal(tmp_path / "position")
    position = journal.read()
    journal.memory.close()
    assert position[:4] == (7, True, 9, "conv")
    assert (tmp_path / "position").stat().st_size == SIZE


def test_fingerprints_tell_geometries_apart():
    x = numpy.ones((1, 1, 3))
    marks = {
        fingerprint((x, x), {"stride": (1,)}),
        fingerprint((x, x), {"stride": (2,)}),
        fingerprint((x, x[..., 1:]), {"stride": (1,)}),
        fingerprint((x, x.astype("float32")), {"stride": (1,)}),
        fingerprint((x, [x, x]), {"stride": (1,)}),
    }
    assert len(marks) == 5
