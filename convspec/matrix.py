r"""Linear operations as matrices: with every other operand held fixed, $\operatorname{vec}(y) = M
\operatorname{vec}(x)$ in C order, so that $M$ has a row for each output element and a column for
each element of $x$.

The matrix is read off the definition.  A definition runs on any scalar; given the coordinates
$x_k$ as linear forms, it returns each output as the form $\sum_k M_{i,k}\, x_k$, which is row $i$.
An entry is stored wherever the definition reads an element, also where the weight is 0 there.

*Toeplitz*: constant along each diagonal.  *Circulant*: square, and constant along each diagonal
that leaves at one side and comes back at the other.  On $r$ axes $M$ is Toeplitz (or circulant) at
$r$ levels where $M_{i,a}$ depends on the differences $a_1 - i_1, \dots, a_r - i_r$ alone; two
levels are blocks that are Toeplitz, in a Toeplitz arrangement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import prod
from typing import Any, NamedTuple

import numpy
import scipy.sparse

from convspec.arguments import (
    Array,
    Padding,
    Shape,
    check_layout,
    described,
    listed,
    per_axis,
    windows,
    word,
)
from convspec.operations import OPERATIONS
from convspec.window import periodic_positions, positions


@dataclass(frozen=True)
class Form:
    r"""The linear form $\sum_k m_k x_k$: a scalar on which a definition writes its own matrix.

    Forms add to one another and are multiplied and divided by numbers; a product of two forms, or
    a form plus a number other than 0, is no linear form, and a `TypeError`.

    >>> 2 * Form({0: 1, 1: 3}) + Form({1: 1})
    Form(entries={0: 2, 1: 7})
    """

    entries: dict[int, Any]

    def __add__(self, other: Any) -> Form:
        if not isinstance(other, Form):
            return self._plus_number(other)
        total = dict(self.entries)
        for k, m in other.entries.items():
            total[k] = total[k] + m if k in total else m
        return Form(total)

    def __radd__(self, number: Any) -> Form:
        return self._plus_number(number)

    def _plus_number(self, number: Any) -> Form:
        if number != 0:
            raise TypeError(f"a form plus {number!r} is affine, not linear")
        return self

    def __mul__(self, factor: Any) -> Form:
        if isinstance(factor, Form):
            raise TypeError("a product of two forms is not linear")
        return Form({k: m * factor for k, m in self.entries.items()})

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Form:
        # Averages of integers stay exact: 1 / 3 is a Fraction here, not a float.
        whole = Fraction(divisor) if isinstance(divisor, int) else divisor
        return Form({k: m / whole for k, m in self.entries.items()})


def exact_matrix_of(operation: str, operand: str, shape: Shape, **call: Any) -> Array:
    r"""`matrix_of` as a dense object array, whose entries are as exact as the other operands:
    ints, Fractions, or symbols of SymPy.

    >>> exact_matrix_of("average_pool", "input", (1, 1, 4), kernel_size=3, stride=1)
    array([[Fraction(1, 3), Fraction(1, 3), Fraction(1, 3), 0],
           [0, Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)]], dtype=object)
    """
    rows = _rows(operation, operand, shape, call)
    matrix = numpy.zeros((len(rows), prod(shape)), dtype=object)
    for i, row in enumerate(rows):
        for k, m in row.entries.items():
            matrix[i, k] = m
    return matrix


def matrix_of(operation: str, operand: str, shape: Shape, **call: Any) -> Any:
    r"""The matrix of an operation as a function of one operand it is linear in,

    $$ M_{i,k} = \frac{\partial y_i}{\partial x_k}, \qquad \operatorname{vec}(y) = M
       \operatorname{vec}(x), $$

    with the other operands and the attributes held fixed.  Its transpose is the operation's
    `_vjp` for that operand; for the input of `conv` it is the matrix of `conv_transpose` with the
    same weight and attributes.

    `operand` is one of `OPERATIONS[operation].linear_in` and `shape` its shape; the other operands
    and the attributes are given by name.  A bias is refused: with it the operation is affine.
    Returns a SciPy CSR array with one row for each output element and one column for each element
    of the operand, in C order; int64 where every entry is an int, else float64.  Raises
    `ValueError` or `TypeError` naming the argument, and `TypeError` for entries that neither type
    holds: those are for `exact_matrix_of`.
    Source: section 4.1 of Dumoulin and Visin, arXiv:1603.07285.

    >>> print(matrix_of("conv", "input", (1, 1, 4), weight=[[[1, 2, 3]]]).toarray())
    [[1 2 3 0]
     [0 1 2 3]]
    >>> print(matrix_of("conv_transpose", "input", (1, 1, 2), weight=[[[1, 2, 3]]]).toarray())
    [[1 0]
     [2 1]
     [3 2]
     [0 3]]
    """
    rows = _rows(operation, operand, shape, call)
    row = [i for i, form in enumerate(rows) for _ in form.entries]
    column = [k for form in rows for k in form.entries]
    entries = _numbers([m for form in rows for m in form.entries.values()])
    size = (len(rows), prod(shape))
    return scipy.sparse.coo_array((entries, (row, column)), shape=size).tocsr()


def _rows(operation: str, operand: str, shape: Shape, call: dict[str, Any]) -> list[Form]:
    """The outputs, in C order, as forms in the elements of the operand."""
    shapes = described(**{operand: shape})
    linear = tuple(name for name, row in OPERATIONS.items() if row.linear_in)
    row = OPERATIONS[word("operation", operation, linear, shapes=shapes)]
    word("operand", operand, row.linear_in, shapes=shapes)
    if not listed(shape):
        raise TypeError(f"shape={shape!r}: must be the shape of {operand}, one integer per axis")
    sizes = per_axis("shape", shape, len(shape), least=0, shapes=shapes)
    if operand in call:
        raise TypeError(f"{operand} is the operand that varies: give its shape alone; {shapes}")
    if call.get("bias") is not None:
        raise ValueError(f"bias must be left out: with it {operation} is affine; {shapes}")
    x = numpy.empty(sizes, dtype=object)
    for k, position in enumerate(positions(sizes)):
        x[position] = Form({k: 1})
    # An output whose window holds no element is the number 0, the form without entries.
    outputs = row.definition(**{operand: x}, **call).flat
    return [y if isinstance(y, Form) else Form({}) for y in outputs]


def _numbers(entries: list[Any]) -> Array:
    """The entries as int64 where all are ints, as float64 otherwise."""
    dtype = numpy.int64 if all(isinstance(m, int) for m in entries) else numpy.float64
    try:
        return numpy.array(entries, dtype=dtype)
    except (TypeError, OverflowError) as error:
        raise TypeError(
            f"the matrix has entries that {numpy.dtype(dtype)} cannot hold ({error}): "
            "exact_matrix_of holds them"
        ) from None


class Counts(NamedTuple):
    """How large a matrix is and how little it takes to write it down: `elements` = `rows` ×
    `columns`, of which `entries` are stored, with `weights` different values.
    """

    rows: int
    columns: int
    elements: int
    entries: int
    weights: int


def counts(matrix: Any) -> Counts:
    """Elements, stored entries and different values of a sparse matrix.

    A dense layer learns as many weights as there are elements, a locally connected one as many as
    entries, a convolution as many as different values: so count with a kernel whose elements
    differ.  From 4 by 4 to 2 by 2 with a 3 by 3 kernel, as in the documents:

    >>> kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    >>> counts(matrix_of("conv", "input", (1, 1, 4, 4), weight=[[kernel]]))
    Counts(rows=4, columns=16, elements=64, entries=36, weights=9)
    """
    stored = scipy.sparse.coo_array(matrix)
    rows, columns = stored.shape
    return Counts(rows, columns, rows * columns, stored.nnz, len(numpy.unique(stored.data)))


def blocks(matrix: Any, rows: int, columns: int) -> list[list[Any]]:
    """The matrix cut into `rows` by `columns` blocks of one size.

    Of a convolution with O output and C input channels, block `[o][c]` of O by C is what channel c
    adds to channel o; with groups, the blocks between groups are empty.

    >>> weight = [[[1, 2]], [[3, 4]]]
    >>> halves = blocks(matrix_of("conv", "input", (1, 1, 3), weight=weight), 2, 1)
    >>> print(halves[1][0].toarray())
    [[3 4 0]
     [0 3 4]]
    """
    whole = scipy.sparse.csr_array(matrix)
    if min(rows, columns) < 1 or whole.shape[0] % rows or whole.shape[1] % columns:
        raise ValueError(
            f"rows={rows}, columns={columns}: must divide the matrix, of shape {whole.shape}"
        )
    height, width = whole.shape[0] // rows, whole.shape[1] // columns
    return [
        [whole[i * height : (i + 1) * height, j * width : (j + 1) * width] for j in range(columns)]
        for i in range(rows)
    ]


def is_toeplitz(matrix: Any, outputs: Sequence[int], inputs: Sequence[int]) -> bool:
    r"""Whether $M_{i,a}$ depends on $a - i$ alone, axis by axis, for outputs of the one and inputs
    of the other spatial shape.

    So it is for every convolution from one channel to one channel at stride 1, whatever its padding
    and dilation; a stride keeps some rows of such a matrix and leaves out the rest.

    >>> weight = [[[1, 2]]]
    >>> is_toeplitz(matrix_of("conv", "input", (1, 1, 4), weight=weight), (3,), (4,))
    True
    >>> is_toeplitz(matrix_of("conv", "input", (1, 1, 4), weight=weight, stride=2), (2,), (4,))
    False
    """
    differences, values = _differences(matrix, outputs, inputs)
    lengths = [
        numpy.minimum(o, n - d) - numpy.maximum(0, -d)
        for o, n, d in zip(outputs, inputs, differences, strict=True)
    ]
    return _constant(differences, values, numpy.prod(lengths, axis=0, dtype=numpy.int64))


def is_circulant(matrix: Any, sizes: Sequence[int]) -> bool:
    r"""Whether $M_{i,a}$ depends on $(a - i) \bmod n$ alone, axis by axis, for outputs and inputs
    of one spatial shape.

    So it is for every convolution of one period of a periodic image: see `periodic_padding`.

    >>> is_circulant([[1, 2, 0], [0, 1, 2], [2, 0, 1]], (3,))
    True
    """
    differences, values = _differences(matrix, sizes, sizes)
    around = [d % n for d, n in zip(differences, sizes, strict=True)]
    return _constant(around, values, numpy.full(len(values), prod(sizes)))


def structure(matrix: Any, outputs: Sequence[int], inputs: Sequence[int]) -> str:
    """What is constant along the diagonals of a matrix between these spatial shapes, in words.

    >>> square = [[1, 2], [3, 4]]
    >>> structure(matrix_of("conv", "input", (1, 1, 3, 3), weight=[[square]]), (2, 2), (3, 3))
    'block-Toeplitz with Toeplitz blocks'
    """
    levels = len(inputs)
    if tuple(outputs) == tuple(inputs) and is_circulant(matrix, inputs):
        name = "circulant"
    elif is_toeplitz(matrix, outputs, inputs):
        name = "Toeplitz"
    else:
        return "neither circulant nor Toeplitz"
    if levels == 1:
        return name
    return f"block-{name} with {name} blocks" if levels == 2 else f"{name} at {levels} levels"


def _differences(
    matrix: Any, outputs: Sequence[int], inputs: Sequence[int]
) -> tuple[list[Array], Array]:
    """For each element that is not 0, its difference $a - i$ on every axis, and its value."""
    stored = scipy.sparse.coo_array(matrix)
    if len(outputs) != len(inputs) or stored.shape != (prod(outputs), prod(inputs)):
        raise ValueError(
            f"outputs={tuple(outputs)}, inputs={tuple(inputs)}: must have the same number of axes, "
            f"and as many elements as the matrix, of shape {stored.shape}, has rows and columns"
        )
    stored.sum_duplicates()
    stored.eliminate_zeros()
    rows = numpy.unravel_index(stored.coords[0], tuple(outputs))
    columns = numpy.unravel_index(stored.coords[1], tuple(inputs))
    differences = [
        a.astype(numpy.int64) - i.astype(numpy.int64) for i, a in zip(rows, columns, strict=True)
    ]
    return differences, stored.data


def _constant(diagonals: list[Array], values: Array, lengths: Array) -> bool:
    """Whether every diagonal that holds an element not 0 is full, and full of one value."""
    if not len(values):
        return True
    _, first, group, found = numpy.unique(
        numpy.stack(diagonals), axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    group = group.ravel()
    return bool((values == values[first][group]).all() and (lengths == found[group]).all())


def periodic_padding(shape: Shape, padding: Padding) -> Any:
    r"""The matrix that continues every channel of an input `(N, C, *spatial)` periodically.

    Row $a$ of an axis holds a 1 in column $(a - p_\text{low}) \bmod n$.  A convolution of a
    periodic image pads with what comes round, where `conv` pads with nothing: its matrix is that of
    `conv` on the padded shape times this one.  With extent - 1 positions of padding in all, stride
    1 and one channel it is circulant.  The transpose folds the padding back, and adds.

    `padding` is an int, one per axis or one `(low, high)` pair per axis.  Returns a SciPy CSR array
    of int64.  Raises `ValueError` or `TypeError` naming the argument.

    >>> around = periodic_padding((1, 1, 3), ((0, 1),))
    >>> print(around.toarray())
    [[1 0 0]
     [0 1 0]
     [0 0 1]
     [1 0 0]]
    >>> print((matrix_of("conv", "input", (1, 1, 4), weight=[[[1, 2]]]) @ around).toarray())
    [[1 2 0]
     [0 1 2]
     [2 0 1]]
    """
    shapes = described(shape=shape)
    check_layout("shape", shape, "(N, C, *spatial)")
    spatial = shape[2:]
    ones = (1,) * len(spatial)
    sliding = windows(spatial, ones, stride=1, padding=padding, dilation=1, shapes=shapes)
    axes = [
        _selection(periodic_positions(n, window), n)
        for n, window in zip(spatial, sliding, strict=True)
    ]
    channels = scipy.sparse.eye_array(prod(shape[:2]), dtype=numpy.int64)
    return scipy.sparse.csr_array(reduce(scipy.sparse.kron, axes, channels))


def _selection(read: Sequence[int], n: int) -> Any:
    """The matrix whose row $i$ reads position `read[i]` of an axis of size $n$."""
    ones = numpy.ones(len(read), dtype=numpy.int64)
    return scipy.sparse.coo_array((ones, (range(len(read)), read)), shape=(len(read), n))
