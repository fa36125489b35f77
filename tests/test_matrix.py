"""Matrices of linear operations against the definitions, their derivatives and SciPy's matrices."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy
import pytest
import scipy.linalg
import scipy.sparse
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convspec.case import call_windows
from convspec.convolution import conv, convolve
from convspec.matrix import (
    Form,
    blocks,
    counts,
    exact_matrix_of,
    is_circulant,
    is_toeplitz,
    matrix_of,
    periodic_padding,
    structure,
)
from convspec.operations import OPERATIONS
from convspec.strategies import arrays, calls
from convspec.window import extent, output_sizes, positions, window_taps
from tests.valid_calls import shape_of

LINEAR = [(name, operand) for name, row in OPERATIONS.items() for operand in row.linear_in]
BY_OPERAND = pytest.mark.parametrize(("name", "operand"), LINEAR)
# Every pair of an operation and an operand gets as many; together they are many.
FEW = settings(max_examples=25)
KERNEL = numpy.arange(1, 10).reshape(1, 1, 3, 3)


def fractions(value):
    """An array of Fractions, or a list of them."""
    if isinstance(value, list):
        return list(map(fractions, value))
    return numpy.vectorize(Fraction, otypes=[object])(value).reshape(value.shape)


def exact_call(data, name):
    """A call without bias in Fractions, its attributes rational, its discrete operands integers."""
    case = data.draw(calls(name, dtype="int64"))
    operands = {
        operand: value if operand in OPERATIONS[name].discrete else fractions(value)
        for operand, value in case.operands.items()
        if operand != "bias"
    }
    rate = {"rate": Fraction(case.attributes["rate"])} if "rate" in case.attributes else {}
    return operands, {**case.attributes, **rate}


def repeats(operands):
    """Whether a channel of a `max_unpool` names one place twice."""
    indices = operands.get("indices")
    return indices is not None and any(
        len(set(channel.ravel())) < channel.size for item in indices for channel in item
    )


def matrix_of_call(name, operand, operands, attributes):
    others = {key: value for key, value in operands.items() if key != operand}
    return exact_matrix_of(name, operand, operands[operand].shape, **others, **attributes)


def units(shape):
    """Every array of this shape that is 1 at one place and 0 elsewhere."""
    for k in range(numpy.prod(shape, dtype=int)):
        unit = numpy.zeros(shape, dtype=int)
        unit.flat[k] = 1
        yield fractions(unit)


def vectors(name, given):
    """What to multiply by: any array where arithmetic is exact.  Distances are irrational; there
    unit vectors pick the entries one by one, which rounds nothing.
    """
    return list(units(given.shape)) if name == "distance_weighted_pool" else [given]


@BY_OPERAND
@FEW
@given(data=st.data())
def test_the_matrix_times_the_operand_is_the_definition(name, operand, data):
    """vec(y) = M vec(x), exactly, for every geometry that the strategies draw."""
    operands, attributes = exact_call(data, name)
    if repeats(operands):
        with pytest.raises(ValueError, match="a repeated index must carry equal values"):
            matrix_of_call(name, operand, operands, attributes)
        return
    m = matrix_of_call(name, operand, operands, attributes)
    for x in vectors(name, operands[operand]):
        y = OPERATIONS[name].definition(**{**operands, operand: x}, **attributes)
        assert m.shape == (y.size, x.size)
        # A sum over no elements is 0 of whatever type.
        assert [sum(row * x.ravel(), start=0) for row in m] == list(y.flat)


@BY_OPERAND
@FEW
@given(data=st.data())
def test_the_transposed_matrix_is_the_vjp(name, operand, data):
    """vec(d_x) = M^T vec(g), exactly."""
    row = OPERATIONS[name]
    operands, attributes = exact_call(data, name)
    assume(not repeats(operands))
    m = matrix_of_call(name, operand, operands, attributes)
    shape = row.shape(*map(shape_of, operands.values()), **attributes)
    g = fractions(data.draw(arrays(shape, "int64")))
    floating = [key for key in row.operands if key in operands and key not in row.discrete]
    for cotangent in vectors(name, g):
        gradients = row.vjp(cotangent, **operands, **attributes)
        pulled = [sum(column * cotangent.ravel(), start=0) for column in m.T]
        assert pulled == list(gradients[floating.index(operand)].flat)


@BY_OPERAND
@FEW
@given(data=st.data())
def test_the_sparse_matrix_holds_the_exact_one(name, operand, data):
    """int64 and equal where every entry is an int; otherwise every entry rounded to float64."""
    case = data.draw(calls(name, dtype="int64"))
    others = {key: value for key, value in case.operands.items() if key not in ("bias", operand)}
    shape = case.operands[operand].shape
    assume(not repeats(case.operands))
    exact = exact_matrix_of(name, operand, shape, **others, **case.attributes)
    m = matrix_of(name, operand, shape, **others, **case.attributes)
    assert scipy.sparse.issparse(m)
    whole = all(isinstance(entry, int) for entry in exact.flat)
    assert m.dtype == (numpy.int64 if whole else numpy.float64)
    numpy.testing.assert_array_equal(m.toarray(), exact.astype(m.dtype))
    if whole:
        x = case.operands[operand]
        y = OPERATIONS[name].definition(**{operand: x}, **others, **case.attributes)
        numpy.testing.assert_array_equal(m @ x.ravel(), y.ravel())


@given(case=calls("conv", dtype="int64"))
def test_row_o_i_of_a_convolution_holds_weight_o_c_j_in_column_c_a(case):
    """Wherever output i reads input a through tap j: the taps of `window.py` as triplets."""
    x, w, groups = case.operands["input"], case.operands["weight"], case.attributes["groups"]
    spatial = x.shape[2:]
    sliding = call_windows("conv", {"input": x.shape, "weight": w.shape}, case.attributes)
    outputs = output_sizes(spatial, sliding)
    rows, columns, entries = [], [], []
    for i in positions(outputs):
        for j, a in window_taps(spatial, sliding, i):
            for o, c in numpy.ndindex(w.shape[:2]):
                source = o * groups // len(w) * w.shape[1] + c
                rows.append(numpy.ravel_multi_index((o, *i), (len(w), *outputs)))
                columns.append(numpy.ravel_multi_index((source, *a), x.shape[1:]))
                entries.append(w[(o, c, *j)])
    m = matrix_of("conv", "input", (1, *x.shape[1:]), weight=w, **case.attributes)
    expected = scipy.sparse.coo_array((entries, (rows, columns)), shape=m.shape)
    numpy.testing.assert_array_equal(m.toarray(), expected.toarray())
    assert m.nnz == expected.nnz


@given(case=calls("conv", dtype="int64"))
def test_conv_transpose_is_the_transposed_matrix(case):
    """With the output padding that restores what the stride left over."""
    x, w = case.operands["input"], case.operands["weight"]
    shapes = {"input": x.shape, "weight": w.shape}
    sliding = call_windows("conv", shapes, case.attributes)
    left_over = tuple(
        (n + window.low + window.high - extent(window)) % window.stride
        for n, window in zip(x.shape[2:], sliding, strict=True)
    )
    m = matrix_of("conv", "input", x.shape, weight=w, **case.attributes)
    shape = (len(x), len(w), *output_sizes(x.shape[2:], sliding))
    transposed = matrix_of(
        "conv_transpose", "input", shape, weight=w, **case.attributes, output_padding=left_over
    )
    assert transposed.shape == m.shape[::-1]
    numpy.testing.assert_array_equal(transposed.toarray(), m.T.toarray())


def test_four_by_four_to_two_by_two():
    """The documents' and Dumoulin and Visin's example, with its weights as symbols."""
    w = [[sympy.Symbol(f"w{i}{j}") for j in range(3)] for i in range(3)]
    m = exact_matrix_of("conv", "input", (1, 1, 4, 4), weight=[[w]])
    (a, b, c), (d, e, f), (g, h, i) = w
    assert m.tolist() == [
        [a, b, c, 0, d, e, f, 0, g, h, i, 0, 0, 0, 0, 0],
        [0, a, b, c, 0, d, e, f, 0, g, h, i, 0, 0, 0, 0],
        [0, 0, 0, 0, a, b, c, 0, d, e, f, 0, g, h, i, 0],
        [0, 0, 0, 0, 0, a, b, c, 0, d, e, f, 0, g, h, i],
    ]


def test_dense_local_and_shared_connections_between_the_same_layers():
    """64 weights, 36, 9: all to all; windows only; the same weights in every window."""
    dense = matrix_of("linear", "input", (1, 16), weight=numpy.arange(1, 65).reshape(4, 16))
    local = matrix_of(
        "locally_connected",
        "input",
        (1, 1, 4, 4),
        weight=numpy.arange(1, 37).reshape(1, 1, 2, 2, 3, 3),
    )
    shared = matrix_of("conv", "input", (1, 1, 4, 4), weight=KERNEL)
    assert counts(dense) == (4, 16, 64, 64, 64)
    assert counts(local) == (4, 16, 64, 36, 36)
    assert counts(shared) == (4, 16, 64, 36, 9)
    assert structure(local, (2, 2), (4, 4)) == "neither circulant nor Toeplitz"
    assert structure(shared, (2, 2), (4, 4)) == "block-Toeplitz with Toeplitz blocks"


def test_an_entry_is_stored_where_an_element_is_read_even_by_a_weight_of_zero():
    m = matrix_of("conv", "input", (1, 1, 3), weight=[[[5, 0]]])
    assert counts(m) == (2, 3, 6, 4, 2)
    assert is_toeplitz(m, (2,), (3,))


def test_channels_are_blocks_and_groups_leave_blocks_empty():
    weight = numpy.arange(1, 4 * 2 * 3 + 1).reshape(4, 2, 3)
    cut = blocks(matrix_of("conv", "input", (1, 4, 5), weight=weight, groups=2), 4, 4)
    for o, c in product(range(4), range(4)):
        if c // 2 == o // 2:
            alone = matrix_of("conv", "input", (1, 1, 5), weight=weight[o : o + 1, c % 2][None])
            numpy.testing.assert_array_equal(cut[o][c].toarray(), alone.toarray())
        else:
            assert cut[o][c].nnz == 0


def test_items_of_a_batch_are_equal_blocks_on_the_diagonal():
    one = matrix_of("conv", "input", (1, 1, 4, 4), weight=KERNEL)
    three = matrix_of("conv", "input", (3, 1, 4, 4), weight=KERNEL)
    numpy.testing.assert_array_equal(three.toarray(), scipy.linalg.block_diag(*[one.toarray()] * 3))
    assert matrix_of("conv", "input", (0, 1, 4, 4), weight=KERNEL).shape == (0, 0)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolve_on_one_axis_is_scipys_convolution_matrix(mode):
    """SciPy's `same` has the size of the longer operand, so the fixed operand is the longer."""
    f = [3, -1, 4, 1, -5]
    m = matrix_of("convolve", "g", (3,), f=f, mode=mode)
    numpy.testing.assert_array_equal(m.toarray(), scipy.linalg.convolution_matrix(f, 3, mode))
    assert is_toeplitz(m, m.shape[:1], (3,))


def one_channel(case):
    """A convolution of one item from channel to channel: its shape, weight, attributes, outputs."""
    x, w = case.operands["input"], case.operands["weight"][:1, :1]
    shape, attributes = (1, 1, *x.shape[2:]), {**case.attributes, "groups": 1}
    sliding = call_windows("conv", {"input": shape, "weight": w.shape}, attributes)
    return shape, w, attributes, output_sizes(shape[2:], sliding)


@given(case=calls("conv", dtype="int64"))
def test_a_convolution_is_toeplitz_and_a_stride_keeps_some_of_its_rows(case):
    shape, w, attributes, kept = one_channel(case)
    m = matrix_of("conv", "input", shape, weight=w, **attributes)
    _, _, dense, sizes = one_channel(case._replace(attributes={**attributes, "stride": 1}))
    every = matrix_of("conv", "input", shape, weight=w, **dense)
    assert is_toeplitz(every, sizes, shape[2:])
    rows = numpy.arange(every.shape[0]).reshape(sizes)
    chosen = rows[tuple(slice(None, None, s) for s in attributes["stride"])]
    assert chosen.shape == kept
    numpy.testing.assert_array_equal(m.toarray(), every.toarray()[chosen.ravel()])


def test_a_strided_convolution_is_not_toeplitz():
    """The smallest: three pixels, two outputs, a stride of 2."""
    m = matrix_of("conv", "input", (1, 1, 3), weight=[[[1]]], stride=2)
    numpy.testing.assert_array_equal(m.toarray(), [[1, 0, 0], [0, 0, 1]])
    assert not is_toeplitz(m, (2,), (3,))


def constant(matrix, outputs, inputs, *, periodic):
    """The definition: elements with the same differences a - i (mod n) are equal."""
    seen = {}
    elements = zip(
        product(numpy.ndindex(*outputs), numpy.ndindex(*inputs)), matrix.flat, strict=True
    )
    for (i, a), element in elements:
        difference = tuple(
            (x - y) % n if periodic else x - y for x, y, n in zip(a, i, inputs, strict=True)
        )
        if seen.setdefault(difference, element) != element:
            return False
    return True


SHAPES = [
    ((2,), (2,)),
    ((2,), (3,)),
    ((3,), (2,)),
    ((3,), (3,)),
    ((2, 2), (2, 2)),
    ((1, 2), (2, 2)),
]


@pytest.mark.parametrize(("outputs", "inputs"), SHAPES)
def test_the_predicates_are_the_definitions_over_small_matrices(outputs, inputs):
    """Every matrix of 0 and 1, up to 2^9 of them, and every circulant and Toeplitz one beyond."""
    rows, columns = numpy.prod(outputs), numpy.prod(inputs)
    size = rows * columns
    rng = numpy.random.default_rng(0)
    if size <= 9:
        candidates = [numpy.array(bits) for bits in product((0, 1), repeat=size)]
    else:
        candidates = [rng.integers(0, 2, size) for _ in range(100)]
        candidates += [
            diagonals(outputs, inputs, rng, periodic=flag) for flag in (False, True) * 50
        ]
    found = set()
    for candidate in candidates:
        m = candidate.reshape(rows, columns)
        toeplitz = constant(m, outputs, inputs, periodic=False)
        assert is_toeplitz(m, outputs, inputs) == toeplitz
        if outputs == inputs:
            circulant = constant(m, outputs, inputs, periodic=True)
            assert is_circulant(m, inputs) == circulant
            assert toeplitz or not circulant
            found.add((toeplitz, circulant))
    if outputs == inputs:
        assert found == {(True, True), (True, False), (False, False)}


def diagonals(outputs, inputs, rng, *, periodic):
    """A matrix with a random bit for each difference of positions."""
    bits = {}
    elements = []
    for i, a in product(numpy.ndindex(*outputs), numpy.ndindex(*inputs)):
        d = tuple((x - y) % n if periodic else x - y for x, y, n in zip(a, i, inputs, strict=True))
        elements.append(bits.setdefault(d, rng.integers(0, 2)))
    return numpy.array(elements)


def test_scipys_toeplitz_and_circulant_matrices():
    toeplitz = scipy.linalg.toeplitz([1, 2, 3], [1, 4, 5, 6])
    assert structure(toeplitz, (3,), (4,)) == "Toeplitz"
    # SciPy's is built by columns: each is the one before, rotated down.
    assert structure(scipy.linalg.circulant([1, 2, 3]), (3,), (3,)) == "circulant"
    both = scipy.sparse.kron(
        scipy.sparse.coo_array(scipy.linalg.circulant([1, 2])), scipy.linalg.circulant([3, 4, 5])
    )
    assert structure(both, (2, 3), (2, 3)) == "block-circulant with circulant blocks"
    assert not is_circulant(both, (6,))
    cube = scipy.sparse.kron(both, [[1, 2], [3, 1]])
    assert structure(cube, (2, 3, 2), (2, 3, 2)) == "Toeplitz at 3 levels"
    assert structure(scipy.sparse.csr_array((2, 2)), (2,), (2,)) == "circulant"


@given(case=calls("conv", dtype="int64"))
def test_a_periodic_convolution_is_circulant(case):
    """Pad with what comes round, by extent - 1 positions in all: as many outputs as inputs, each a
    sum over rolled images.
    """
    shape, w, _, _ = one_channel(case)
    dilation = case.attributes["dilation"]
    room = [d * (k - 1) for d, k in zip(dilation, w.shape[2:], strict=True)]
    padding = tuple((r // 2, r - r // 2) for r in room)
    around = periodic_padding(shape, padding)
    padded = (1, 1, *(n + r for n, r in zip(shape[2:], room, strict=True)))
    m = matrix_of("conv", "input", padded, weight=w, dilation=dilation) @ around
    assert is_circulant(m, shape[2:])
    x = numpy.arange(m.shape[1]).reshape(shape[2:])
    rolled = sum(
        w[(0, 0, *j)]
        * numpy.roll(
            x,
            [low - d * l for (low, _), d, l in zip(padding, dilation, j, strict=True)],
            axis=tuple(range(x.ndim)),
        )
        for j in numpy.ndindex(*w.shape[2:])
    )
    numpy.testing.assert_array_equal((m @ x.ravel()).reshape(x.shape), rolled)


def test_padding_with_zeros_is_not_circulant():
    m = matrix_of("conv", "input", (1, 1, 3), weight=[[[1, 2, 3]]], padding=1)
    assert structure(m, (3,), (3,)) == "Toeplitz"


def test_a_period_folds_a_full_convolution():
    """Circular convolution two ways: of the continued image, and the full one folded back."""
    f, g = numpy.array([1, 2, 3, 4]), numpy.array([5, 6, 7])
    around = periodic_padding((1, 1, 4), ((2, 0),))
    circular = conv((around @ f)[None, None], numpy.flip(g)[None, None])[0, 0]
    folded = periodic_padding((1, 1, 4), ((0, 2),)).T @ convolve(f, g)
    numpy.testing.assert_array_equal(circular, folded)
    numpy.testing.assert_array_equal(circular, scipy.linalg.circulant([5, 6, 7, 0]) @ f)


def test_periodic_padding_is_numpys_wrap_on_every_channel():
    x = numpy.arange(2 * 3 * 2 * 3).reshape(2, 3, 2, 3)
    padding = ((3, 1), (0, 5))
    wrapped = numpy.pad(x, ((0, 0), (0, 0), *padding), mode="wrap")
    m = periodic_padding(x.shape, padding)
    numpy.testing.assert_array_equal((m @ x.ravel()).reshape(wrapped.shape), wrapped)


def test_only_forms_without_a_constant_come_out():
    x = Form({0: 2})
    with pytest.raises(TypeError, match="a form plus 3 is affine"):
        _ = x + 3
    with pytest.raises(TypeError, match="a product of two forms is not linear"):
        _ = x * x
    assert 0 + x == x
    assert x / 4 == Form({0: Fraction(1, 2)})
    assert x / 4.0 == Form({0: 0.5})


@pytest.mark.parametrize(
    ("arguments", "call", "error", "message"),
    [
        (("relu", "input", (2,)), {}, ValueError, "operation='relu': must be one of convolve"),
        (("conv", "bias", (2,)), {}, ValueError, "operand='bias': must be one of input, weight"),
        (("flatten", "input", 4), {}, TypeError, "shape=4: must be the shape of input"),
        (("flatten", "input", (1, -4)), {}, ValueError, r"shape=\(1, -4\): every entry must be"),
        (("flatten", "input", (1, 2.0)), {}, TypeError, "every entry must be an integer"),
        (("flatten", "input", (1, 2)), {"input": [[1, 2]]}, TypeError, "give its shape alone"),
        (
            ("linear", "input", (1, 2)),
            {"weight": [[1, 2]], "bias": [0]},
            ValueError,
            "bias must be left out: with it linear is affine; input has shape",
        ),
        (("linear", "input", (1, 2)), {"weight": [[1, 2, 3]]}, ValueError, "weight has shape"),
        (("linear", "input", (1, 1)), {"weight": [[2**63]]}, TypeError, "exact_matrix_of holds"),
        (
            ("linear", "input", (1, 1)),
            {"weight": [[sympy.Symbol("w")]]},
            TypeError,
            "exact_matrix_of holds",
        ),
    ],
)
def test_what_has_no_matrix_is_refused(arguments, call, error, message):
    with pytest.raises(error, match=message):
        matrix_of(*arguments, **call)


def test_sizes_that_do_not_fit_the_matrix_are_refused():
    m = numpy.eye(4, dtype=int)
    for rows, columns in ((3, 1), (1, 3), (0, 1), (1, -1)):
        with pytest.raises(ValueError, match=r"must divide the matrix, of shape \(4, 4\)"):
            blocks(m, rows, columns)
    for outputs, inputs in (((3,), (4,)), ((4,), (3,)), ((2, 2), (4,))):
        with pytest.raises(ValueError, match=r"the matrix, of shape \(4, 4\)"):
            is_toeplitz(m, outputs, inputs)
    with pytest.raises(ValueError, match=r"padding=-1"):
        periodic_padding((1, 1, 3), -1)
    with pytest.raises(ValueError, match=r"shape has shape \(3,\)"):
        periodic_padding((3,), 1)


def test_what_counts_is_the_value_and_not_how_it_is_stored():
    """An explicit zero is a zero, and entries at one place add up, as SciPy has it."""
    stored = ([0, 1, 1, 2], ([0, 0, 0, 1], [1, 0, 0, 1]))
    m = scipy.sparse.coo_array(stored, shape=(2, 2))
    assert structure(m, (2,), (2,)) == "circulant"
    assert m.nnz == 4
