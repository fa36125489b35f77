"""`check` from outside: statuses, counts, the report, and what it refuses to be asked."""

from __future__ import annotations

import builtins
import json
from types import SimpleNamespace

import numpy
import pytest

from convspec import fast
from convspec.draw.text import draw
from convspec.operations import OPERATIONS
from convspec.oracle import Difference, OperationReport, Report, check
from convspec.oracle.check import checkable_operations, element
from convspec.oracle.report import plain
from tests.oracle.implementations import everything, inside, offering, with_operands_of


def quick(implementation, *operations, **options):
    return check(
        implementation, operations or None, level="quick", **{"dtypes": ["float32"], **options}
    )


def conv(input, weight):
    """A learner's: no bias, no attributes, one product of matrices a tap."""
    if input.shape[1] != weight.shape[1]:
        raise ValueError("channels do not match")
    y = numpy.zeros(
        (
            len(input),
            len(weight),
            *(n - k + 1 for n, k in zip(input.shape[2:], weight.shape[2:], strict=True)),
        ),
        input.dtype,
    )
    for tap in numpy.ndindex(weight.shape[2:]):
        window = input[(..., *(slice(t, t + o) for t, o in zip(tap, y.shape[2:], strict=True)))]
        y += numpy.einsum("nc...,oc->no...", window, weight[(slice(None), slice(None), *tap)])
    return y


def flipped(input, weight):
    return conv(input, numpy.flip(weight, tuple(range(2, weight.ndim))))


def test_the_operations_that_are_checked():
    """Every operation of the table, and its derivative."""
    assert checkable_operations() == tuple(
        name for row in OPERATIONS for name in (row, f"{row}_vjp")
    )


def test_a_learners_function_is_judged_for_what_it_offers():
    report = quick(offering(conv=conv), "conv", "conv_vjp", "max_pool")
    assert report.status == report["conv"].status == "conforms"
    assert report["conv"].judged > 100
    assert report["conv"].unsupported > report["conv"].judged
    assert "is not taken" in report["conv"].unsupported_rule
    assert report["conv"].accuracy == "float32"
    for name in ("conv_vjp", "max_pool"):
        assert report[name].status == "unsupported"
        assert report[name].judged == report[name].unsupported == 0
        assert report[name].unsupported_rule == "the implementation has no such function"


def test_a_learners_mistake_has_a_name():
    report = quick(offering(conv=flipped), "conv")
    assert report.status == "differs"
    (difference,) = report["conv"].differences
    assert difference.diagnosis is not None
    assert "flip" in difference.diagnosis
    assert report["conv"].conventions["kernel_orientation"] == "flipped"
    assert difference.case.operands["weight"].size == 2


def test_bad_arguments_that_are_accepted_are_told_apart_and_small():
    """Each by its own name, in the smallest call that is accepted, which shows what is bad."""

    def lenient(input, weight, bias=None, *, stride=1, **attributes):
        if isinstance(stride, tuple):
            stride = stride[: input.ndim - 2]
        if bias is not None and bias.shape == (1,):
            bias = numpy.repeat(bias, len(weight))
        return fast.conv(input, weight, bias, stride=stride, **attributes)

    found = {d.diagnosis: d for d in quick(offering(conv=lenient), "conv")["conv"].differences}
    assert found.keys() == {
        "superfluous attribute entries accepted",
        "bias of one element repeated",
    }
    assert all(difference.ties == () for difference in found.values())
    assert all(array.size <= 2 for d in found.values() for array in d.case.operands.values())
    superfluous = found["superfluous attribute entries accepted"]
    assert "stride=(1, 1)" in draw(superfluous.case, superfluous.expected, superfluous.actual)


def test_a_bad_argument_has_no_name_by_coincidence():
    """One channel taken for each of the weight's is not superfluous channels ignored."""

    def broadcast(input, weight, bias=None, *, groups=1, **attributes):
        if input.shape[1] == groups == 1:
            input = numpy.repeat(input, weight.shape[1], axis=1)
        return fast.conv(input, weight, bias, groups=groups, **attributes)

    (found,) = quick(offering(conv=broadcast), "conv")["conv"].differences
    assert (found.kind, found.diagnosis) == ("accepts", None)
    assert all(array.any() for array in found.case.operands.values())


def test_bad_arguments_without_a_name_do_not_stand_for_each_other():
    """As in JAX: whoever knows one of them must still be told of the other."""

    def conv(input, weight, bias=None, **attributes):
        if all(side < 0 for pair in attributes["padding"] for side in pair):
            inner = input[(..., *(slice(-low, high) for low, high in attributes["padding"]))]
            attributes["padding"] = tuple((0, 0) for _ in attributes["padding"])
            return fast.conv(inner, weight, bias, **attributes)
        try:
            return fast.conv(input, weight, bias, **attributes)
        except ValueError as error:
            if "spans" not in str(error):
                raise
            return numpy.zeros((len(input), len(weight), *(0,) * (input.ndim - 2)), input.dtype)

    found = quick(offering(conv=conv), "conv")["conv"].differences
    assert {(d.diagnosis, d.message) for d in found} == {
        (None, "negative padding was accepted"),
        (None, "a kernel beyond the padded input was accepted"),
    }


def in_bfloat16(array):
    """Rounded to eight bits, ties to even, in the array's own dtype."""
    fraction, exponent = numpy.frexp(array)
    return numpy.ldexp(numpy.rint(numpy.ldexp(fraction, 8)), exponent - 8).astype(array.dtype)


def narrow(function):
    """Operands, the sum and what a bias makes of it each rounded to bfloat16, as OpenVINO does."""

    def conv(input, weight, bias=None, **attributes):
        sums = in_bfloat16(function(in_bfloat16(input), in_bfloat16(weight), **attributes))
        if bias is None:
            return sums
        return in_bfloat16(sums + in_bfloat16(bias).reshape(-1, *(1,) * (input.ndim - 2)))

    return conv


def strict(function):
    """Bad arguments refused first, as the function itself does."""

    def conv(input, weight, bias=None, **attributes):
        fast.conv(input, weight, bias, **attributes)
        return function(input, weight, bias, **attributes)

    return conv


def test_bfloat16_inside_a_wider_dtype_is_an_accuracy_class_and_hides_no_mistake():
    report = quick(offering(conv=strict(narrow(fast.conv))), "conv")
    assert (report.status, report["conv"].accuracy) == ("conforms", "bfloat16")
    assert report["conv"].accuracies == {"float32": "bfloat16"}
    assert any("|S| >= 3 integers" in note for note in report["conv"].notes)
    held = quick(offering(conv=strict(narrow(fast.conv))), "conv", require_accuracy="float32")
    assert {d.kind for d in held["conv"].differences} == {"accuracy"}

    def shifted(input, weight, **attributes):
        right = fast.conv(input, weight, **attributes)
        return numpy.roll(right, 1, axis=-1) if min(attributes["stride"]) > 1 else right

    assert quick(offering(conv=strict(narrow(shifted))), "conv").status == "differs"


def test_an_accepted_convention_is_no_difference():
    report = quick(offering(conv=flipped), "conv", conventions={"kernel_orientation": "flipped"})
    assert report.status == "conforms"
    assert [difference.accepted for difference in report["conv"].differences] == [True]


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (lambda input, weight: None, {"dtype"}),
        (lambda input, weight: "text", {"dtype"}),
        (lambda input, weight: conv(input, weight).astype(object), {"dtype"}),
        (lambda input, weight: conv(input, weight).astype("float64"), {"dtype"}),
        (lambda input, weight: (conv(input, weight), 1), {"shape"}),
        (lambda input, weight: conv(input, weight)[0], {"shape"}),
        (lambda input, weight: conv(input, weight) * numpy.float32("nan"), {"value", "special"}),
        (lambda input, weight: 1 / 0, {"raises"}),
        (lambda input, weight: exit(1), {"raises"}),
    ],
)
def test_kinds(function, kinds):
    report = quick(offering(conv=function), "conv")
    assert report["conv"].status == "differs"
    assert {difference.kind for difference in report["conv"].differences} <= kinds
    assert report["conv"].differences[0].kind in kinds


def test_what_is_never_offered_is_unsupported():
    def conv(input, weight, bias=None, **attributes):
        raise NotImplementedError("not yet")

    report = quick(offering(conv=conv), "conv")
    assert report.status == report["conv"].status == "unsupported"
    assert report["conv"].judged == 0
    assert "not yet" in report["conv"].unsupported_rule


@pytest.mark.slow
def test_a_flaky_implementation_differs():
    turn = iter(range(10**9))

    def sometimes(input, weight):
        y = conv(input, weight)
        return y if next(turn) % 7 else y + 1

    assert quick(offering(conv=sometimes), "conv").status == "differs"


@pytest.mark.slow
def test_an_implementation_that_depends_on_the_call_before_differs():
    before = []

    def stale(input, weight):
        kernel = before[-1] if before and before[-1].shape == weight.shape else weight
        before[:] = [weight.copy()]
        return conv(input, kernel)

    assert quick(offering(conv=stale), "conv").status == "differs"


def test_an_implementation_that_changes_its_arguments():
    def conv_in_place(input, weight):
        y = conv(input, weight)
        input *= 2
        return y

    report = quick(offering(conv=conv_in_place), "conv")
    assert [difference.kind for difference in report["conv"].differences] == ["mutates"]
    difference = report["conv"].differences[0]
    operands = {name: array.copy() for name, array in difference.case.operands.items()}
    conv_in_place(**operands)
    assert (operands["input"] != difference.case.operands["input"]).any()


def test_a_gradient_is_a_kind_of_its_own():
    def conv_vjp(*operands, **attributes):
        d_input, *others = fast.conv_vjp(*operands, **attributes)
        return (2 * d_input, *others)

    report = quick(offering(conv_vjp=conv_vjp), "conv_vjp")
    assert {difference.kind for difference in report["conv_vjp"].differences} == {"gradient"}


def test_the_report_as_python():
    report = quick(offering(conv=flipped, version="1.2"), "conv", "conv_vjp", seed=3)
    assert isinstance(report, Report)
    assert (report.target, report.version, report.level, report.seed) == (
        "planted",
        "1.2",
        "quick",
        3,
    )
    assert isinstance(report["conv"], OperationReport)
    assert isinstance(report["conv"].differences[0], Difference)
    with pytest.raises(KeyError, match="'max_pool' was not checked; checked: conv, conv_vjp"):
        report["max_pool"]
    assert report[0] == "planted"
    nothing = Report("x", None, "3", "quick", 0, 0.0, {})
    assert nothing.status == "unsupported"


def test_the_gravest_status_counts():
    def operation(status):
        judged, crashed = int(status != "unsupported"), status == "crashed"
        same = numpy.zeros(1)
        case = SimpleNamespace(operation="conv", operands={}, attributes={})
        different = Difference("id", "value", case, (same,), (same,), "")
        differences = (different,) if status == "differs" else ()
        return OperationReport("conv", judged, 0, None, None, {}, differences, (), crashed)

    order = ("differs", "crashed", "conforms", "unsupported")
    for i, first in enumerate(order):
        assert operation(first).status == first
        for second in order[i:]:
            operations = {"a": operation(second), "b": operation(first)}
            assert Report("x", None, "3", "quick", 0, 0.0, operations).status == first


def test_the_report_as_json():
    def special(input, weight):
        return conv(numpy.nan_to_num(input, posinf=9, neginf=-9), weight)

    report = quick(offering(conv=special), "conv", "max_pool")
    text = report.to_json()
    json.loads(text, parse_constant=pytest.fail)
    data = json.loads(text)
    assert data["format"] == 1
    assert data["status"] == "differs"
    told = data["operations"]["conv"]
    assert told["status"] == "differs"
    assert told["judged"] == report["conv"].judged
    difference = told["differences"][0]
    assert difference["kind"] == "special"
    assert {"nan", "inf", "-inf"} & set(difference["case"]["operands"]["input"]["values"])
    assert difference["case"]["attributes"]["stride"]
    assert difference["case"]["operation"] == "conv"
    assert difference["reproducer"].startswith("import numpy")
    assert data["operations"]["max_pool"]["status"] == "unsupported"


def test_plain_values():
    assert plain(float("nan")) == "nan"
    assert plain((1, [2.5, float("-inf")])) == [1, [2.5, "-inf"]]
    assert plain({1: numpy.array([[1, 2]], "int8")}) == {
        "1": {"dtype": "int8", "shape": [1, 2], "values": [1, 2]}
    }


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report():
    def wrong(*operands, **attributes):
        y = fast.conv(*operands, **attributes)
        return y + (attributes["groups"] > 1)

    def told(seed):
        functions = offering(conv=inside("float32", wrong), max_pool=fast.max_pool)
        return quick(functions, "conv", "max_pool", seed=seed).to_json()

    def without_times(text):
        return [line for line in text.splitlines() if '"seconds' not in line]

    first = told(0)
    assert without_times(first) == without_times(told(0))
    assert without_times(first) != without_times(told(1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_twins_conform(seed):
    report = quick(
        fast,
        "convolve",
        "correlate_vjp",
        "conv",
        "max_pool_with_indices",
        "average_pool",
        seed=seed,
        dtypes=["float64"],
    )
    assert {n: o.status for n, o in report.operations.items()} == dict.fromkeys(
        report.operations, "conforms"
    )


@pytest.mark.slow
def test_float64_inside_conforms_everywhere():
    functions = {name: inside("float64", function) for name, function in everything().items()}
    for name in ("max_pool_with_indices",):
        functions[name] = everything()[name]
    report = quick(offering(**functions), *functions)
    wrong = {n: o.differences for n, o in report.operations.items() if o.status != "conforms"}
    assert wrong == {}
    assert all(o.unsupported == 0 for o in report.operations.values())


def test_einsum_conforms():
    assert (
        quick(offering(conv=conv), "conv", dtypes=["float64", "float32", "int32"]).status
        == "conforms"
    )


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float16", "int8", "int32", "uint8"])
def test_the_twins_conform_in_other_dtypes(dtype):
    report = quick(
        fast,
        "conv",
        "conv_vjp",
        "conv_transpose_vjp",
        "convolve_vjp",
        "max_pool_with_indices",
        "max_pool_vjp",
        "average_pool",
        "average_pool_vjp",
        dtypes=[dtype],
    )
    wrong = {n: o.differences for n, o in report.operations.items() if o.status != "conforms"}
    assert wrong == {}


def test_the_last_of_several_maxima_conforms():
    def max_pool_with_indices(input, **attributes):
        """The first maximum of everything reversed is the last."""
        axes = tuple(range(2, input.ndim))
        values, index = fast.max_pool_with_indices(
            numpy.flip(input, axes),
            **{**attributes, "padding": tuple((h, l) for l, h in attributes["padding"])},
        )
        return numpy.flip(values, axes), numpy.prod(input.shape[2:]) - 1 - numpy.flip(index, axes)

    def offered(input, **attributes):
        exact = all(
            (n + l + h - d * (k - 1) - 1) % s == 0
            for n, (l, h), d, k, s in zip(
                input.shape[2:],
                *(attributes[a] for a in ("padding", "dilation", "kernel_size", "stride")),
                strict=True,
            )
        )
        if not exact or attributes["ceil_mode"]:
            raise NotImplementedError("windows that do not end where the input does")
        return max_pool_with_indices(input, **attributes)

    report = quick(offering(max_pool_with_indices=offered), "max_pool_with_indices")
    assert report["max_pool_with_indices"].differences == ()
    assert report["max_pool_with_indices"].conventions["index_on_ties"] == "last"
    assert report["max_pool_with_indices"].judged > 100


def test_a_gradient_split_among_ties_conforms():
    def max_pool_vjp(cotangent, input, **attributes):
        """The mean over orders of the elements in which any tie may come first."""
        d, count = numpy.zeros(input.shape), 4
        for turn in range(count):
            nudge = numpy.random.default_rng(turn).random(input.shape) * 2.0**-20
            (part,) = fast.max_pool_vjp(cotangent.astype(float), input + nudge, **attributes)
            d += part / count
        return (d.astype(input.dtype),)

    report = quick(offering(max_pool_vjp=max_pool_vjp), "max_pool_vjp")
    assert report["max_pool_vjp"].differences == ()


def test_progress_is_told():
    told = []
    quick(offering(conv=conv), "conv", progress=lambda *step: told.append(step))
    assert {operation for operation, *_ in told} == {"conv"}
    assert told[0][1:] == ("exact sweep, float32", 0, 1)


def test_an_operation_by_name_and_dtypes_by_name():
    assert list(check(fast, "max_pool", level="quick", dtypes="int32").operations) == ["max_pool"]


def test_dtypes_are_those_the_implementation_names():
    report = check(SimpleNamespace(conv=conv, dtypes=("float64",)), ["conv"], level="quick")
    assert report["conv"].accuracy == "float64"
    whole = check(SimpleNamespace(conv=conv, dtypes=numpy.dtypes), ["conv"], level="quick")
    assert whole["conv"].accuracy == "float32"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"operations": ["convolution"]}, "operations: 'convolution' is none of convolve"),
        ({"operations": ["embedding"]}, "operations: 'embedding' is none of"),
        ({"level": "thorough"}, "level='thorough': must be one of quick"),
        ({"require_accuracy": "float128"}, "require_accuracy='float128': must be one of float64"),
        ({"dtypes": []}, "dtypes: must name at least one"),
        ({"dtypes": ["floaty"]}, "dtypes: 'floaty' is no dtype"),
        ({"dtypes": ["complex64"]}, "dtypes: 'complex64' must be an integer dtype or one of"),
        ({"conventions": {"kernel": "flipped"}}, "conventions: 'kernel' is none of"),
        ({"conventions": {"kernel_orientation": "up"}}, "kernel_orientation: 'up' is none of"),
    ],
)
def test_what_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        check(fast, **{"level": "quick", "operations": ["max_pool"], **options})


def test_bfloat16_without_its_package(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "ml_dtypes":
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match="needs the package ml_dtypes"):
        element("bfloat16")


def test_an_interrupt_from_the_keyboard_ends_the_check():
    def stopped(input, weight):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(offering(conv=stopped), "conv")


def test_narrow_operands_do_not_disturb_the_exact_sweep():
    narrow = offering(conv=with_operands_of(8, fast.conv))
    report = quick(narrow, "conv")
    assert report.status == "conforms"
    assert report["conv"].accuracy == "bfloat16"
