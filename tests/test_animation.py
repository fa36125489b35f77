"""Pictures that move: every frame says what the definition returns and marks what it reads."""

import re
from xml.etree import ElementTree

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convspec
from convspec.case import Case, normalised
from convspec.cli.calls import case_of
from convspec.draw.animation import animation
from convspec.draw.marks import marks
from convspec.draw.stack import stack
from convspec.draw.svg import GAP, SIDE
from convspec.matrix import exact_matrix_of
from convspec.operations import OPERATIONS
from convspec.window import Window, output_size, receptive_field

SPACE = "{http://www.w3.org/2000/svg}"


def texts_at(root):
    """The text of every cell by its upper left corner; what stands outside cells is left out."""
    corners = {(int(r.get("x")), int(r.get("y"))) for r in root.findall(f"{SPACE}rect")}
    found = dict.fromkeys(corners, "")
    for text in root.findall(f"{SPACE}text"):
        corner = (int(text.get("x")) - SIDE // 2, int(text.get("y")) - SIDE // 2 - 5)
        if text.get("class") is None:
            found[corner] = text.text or ""
    return found


def frames_of(picture):
    """What every frame marks, as the texts of its cells in order, and its line."""
    root = ElementTree.fromstring(picture)  # noqa: S314 - it is our own
    cells = texts_at(root)
    for group in root.findall(f"{SPACE}g"):
        corners = re.findall(r"M(\d+) (\d+)h", group.find(f"{SPACE}path").get("d"))
        yield [cells[int(x), int(y)] for x, y in corners], group.find(f"{SPACE}text").text


@st.composite
def small_calls(draw):
    """A call of one channel, its operands all different, and what the reference makes of it."""
    operation = draw(st.sampled_from(["conv", "conv_transpose", "average_pool"]))
    rank = draw(st.integers(1, 2))
    sizes = st.tuples(*[st.integers(2, 4)] * rank)
    stride, low = draw(st.integers(1, 2)), draw(st.integers(0, 1))
    operands = {"input": (1, 1, *draw(sizes))}
    attributes = {"stride": stride, "padding": low}
    if operation == "average_pool":
        attributes["kernel_size"] = 2
    else:
        operands["weight"] = (1, 1, *(2,) * rank)
    first = 1
    arrays = {}
    for name, shape in operands.items():
        size = int(numpy.prod(shape))
        arrays[name] = numpy.arange(first, first + size).reshape(shape)
        first += size
    return Case(operation, arrays, normalised(operation, operands, attributes))


@given(small_calls())
@settings(max_examples=40)
def test_frames_tell_the_output_and_mark_what_it_is_computed_from(case):
    """A frame shows the definition's output, and marks what the output's cotangent reaches."""
    output = getattr(convspec, case.operation)(*case.operands.values(), **case.attributes)
    told = list(frames_of(animation(case)))
    assert len(told) == output.size
    vjp = getattr(convspec, f"{case.operation}_vjp")
    for (texts, line), index in zip(told, numpy.ndindex(output.shape), strict=True):
        value = output[index]
        shown = str(int(value)) if float(value).is_integer() else f"{value:.6g}"
        assert line == f"output[{', '.join(map(str, index))}] = {shown}"
        cotangent = numpy.zeros(output.shape)
        cotangent[index] = 1
        gradients = vjp(cotangent, *case.operands.values(), **case.attributes)
        reached = set()
        for array, gradient in zip(case.operands.values(), gradients, strict=True):
            reached |= {str(number) for number in array[gradient != 0]}
        marked = {text for text in texts[:-1] if text}
        # conv marks the whole kernel, also where it lies over padding.
        kernel = {str(w) for w in case.operands.get("weight", numpy.array([])).flat}
        assert marked - kernel == reached - kernel
        assert marked >= reached
        assert texts[-1] == shown


@given(small_calls())
@settings(max_examples=20)
def test_inputs_in_turn_are_the_outputs_in_turn_the_other_way_round(case):
    output = getattr(convspec, case.operation)(*case.operands.values(), **case.attributes)
    read = {index: marks(case, index)["input"] for index in numpy.ndindex(output.shape)}
    for _, line in frames_of(animation(case, turns="inputs")):
        index = tuple(map(int, re.search(r"\[(.*?)\]", line).group(1).split(", ")))
        readers = sum(index in inside for inside in read.values())
        value = case.operands["input"][index]
        assert line == f"input[{', '.join(map(str, index))}] = {value}, in {readers} outputs"


def test_the_matrix_is_the_one_of_the_operation():
    case = case_of("conv", ("input=1,1,2,3", "weight=1,1,2,2", "padding=0:1,0:1"))
    picture = animation(case, matrix=True)
    matrix = exact_matrix_of(
        "conv", "input", (1, 1, 2, 3), weight=case.operands["weight"], **case.attributes
    )
    assert matrix.shape == (6, 6)
    cells = texts_at(ElementTree.fromstring(picture))  # noqa: S314 - it is our own
    rows = {}
    for (x, y), text in sorted(cells.items(), key=lambda cell: cell[0][::-1]):
        rows.setdefault(y, []).append((x, text))
    drawn = [[text for _, text in row] for row in rows.values() if len(row) == 6]
    assert drawn == [[str(int(m)) if m else "" for m in row] for row in matrix.tolist()]
    for number, (texts, _) in enumerate(frames_of(picture)):
        entries = [str(int(m)) for m in matrix[number] if m]
        # Input, kernel, row of the matrix, output.
        assert texts[-1 - len(entries) : -1] == entries


@pytest.mark.parametrize(
    "words",
    [
        "adaptive_max_pool input=1,1,7 output_size=3",
        "spatial_pyramid_pool input=1,1,4,4 levels=1,2",
        "upsample input=1,1,3 scale=2 kind=linear",
        "depthwise_conv input=1,2,4 weight=2,1,3",
        "depthwise_separable_conv input=1,2,4 depthwise=2,1,3 pointwise=2,2",
        "spatially_separable_conv input=1,1,4,4 factors=3/3",
        "locally_connected input=1,1,4 weight=1,1,2,3",
        "insert_zeros input=1,1,3 count=1",
        "pixel_shuffle input=1,2,3 factor=2",
        "linear input=2,3 weight=2,3",
        "softmax input=1,3,2",
        "batch_norm input=1,2,3 mean=2 variance=2 scale=2 shift=2 epsilon=0.1",
        "local_response_normalization input=1,5,2 size=3 alpha=1 beta=0.5 k=1",
        "max_unpool values=1,1,1 indices=1,1,1 output_size=4",
        "convolve f=4 g=3",
    ],
)
def test_operations_without_a_window_are_drawn_by_what_changes_them(words):
    """An element is marked exactly when another value of it alone changes the output."""
    name, *given_words = words.split()
    case = case_of(name, tuple(given_words))
    attributes = dict(case.attributes)
    if "levels" in attributes:
        attributes["kind"] = "average"
    definition = OPERATIONS[name.replace("adaptive_max", "adaptive_average")].definition
    index = (0,) * numpy.ndim(definition(*case.operands.values(), **attributes))
    found = marks(case, index)
    random = numpy.random.default_rng(1)
    drawn = {
        operand: value
        if operand in OPERATIONS[name].discrete
        else [random.uniform(1, 2, each.shape) for each in value]
        if isinstance(value, list)
        else random.uniform(1, 2, value.shape)
        for operand, value in case.operands.items()
    }
    before = definition(*drawn.values(), **attributes)[index]
    for operand, value in drawn.items():
        if operand in OPERATIONS[name].discrete:
            continue
        parts = value if isinstance(value, list) else [value]
        for number, part in enumerate(parts):
            title = f"{operand}[{number}]" if isinstance(value, list) else operand
            changing = set()
            for place in numpy.ndindex(part.shape):
                changed = [each.copy() for each in parts]
                changed[number][place] += 0.5
                operands = {**drawn, operand: changed if title != operand else changed[0]}
                if definition(*operands.values(), **attributes)[index] != before:
                    changing.add(place)
            assert found[title] == changing, title


@given(st.integers(5, 9), st.lists(st.tuples(*[st.integers(1, 2)] * 2), min_size=1, max_size=2))
@settings(max_examples=25)
def test_a_stack_shows_the_receptive_field(n, layers):
    windows = [Window(kernel=1 + k, stride=s, low=1, high=1) for k, s in layers]
    sizes = [n]
    for window in windows:
        sizes.append(output_size(sizes[-1], window))
    field = receptive_field(windows)
    told = [line for _, line in frames_of(stack(n, windows))]
    assert len(told) == sizes[-1]
    for i, line in enumerate(told):
        first = field.start + i * field.jump
        inside = [a for a in range(first, first + field.size) if 0 <= a < n]
        if inside and all(w.kernel >= w.stride for w in windows):
            assert line.endswith(f"sees input {inside[0]} to {inside[-1]}")


def test_pictures_move_only_where_nobody_asked_for_less():
    picture = animation(case_of("conv", ("input=1,1,3", "weight=1,1,2")))
    moving = picture.index("animation:")
    assert picture.rindex("prefers-reduced-motion: no-preference", 0, moving) >= 0
    assert picture.count("animation:") == 1
    # What does not move shows one frame.
    assert picture.count('class="frame of-2 still"') == 1
    assert picture.count('class="frame of-2"') == 1


def test_pictures_need_nothing_else():
    picture = animation(case_of("conv", ("input=1,1,3", "weight=1,1,2")))
    for forbidden in ("<script", "href", "url(", "@import", "<animate"):
        assert forbidden not in picture
    assert len(picture) < 4000


def test_everything_lies_inside_the_picture():
    picture = animation(case_of("conv", ("input=1,1,5,5", "weight=1,1,3,3", "padding=1")))
    root = ElementTree.fromstring(picture)  # noqa: S314 - it is our own
    width, height = (int(root.get(side)) for side in ("width", "height"))
    for rect in root.findall(f"{SPACE}rect"):
        assert GAP <= int(rect.get("x")) <= width - GAP - SIDE
        assert int(rect.get("y")) + SIDE < height


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("conv input=1,1,101 weight=1,1,1", "101 elements would take turns: must be 1 to 100"),
        (
            "linear input=1,25 weight=2,25",
            "3 planes with axes of up to 25 would be drawn: at most 12 and 24 are",
        ),
        ("max_pool_with_indices input=1,1,40 kernel_size=20", "2 planes with axes of up to 40"),
    ],
)
def test_what_would_be_too_large_is_refused(words, said):
    name, *rest = words.split()
    with pytest.raises(ValueError, match=said):
        animation(case_of(name, tuple(rest)))


def test_a_gradient_has_no_marks():
    case = Case("relu_vjp", {"cotangent": numpy.ones(3), "input": numpy.ones(3)}, {})
    assert marks(case, (0,)) == {}
