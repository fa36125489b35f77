r"""Unpooling: each value back at the place that a maximum remembered, zeros everywhere else.

$$ y_{n,c,a} = \begin{cases} v_{n,c,i} & \text{if } a_{n,c,i} = a \text{ for some } i \\
   0 & \text{otherwise} \end{cases} $$
"""

from __future__ import annotations

import numpy
from numpy.typing import ArrayLike

from convspec.arguments import (
    Array,
    PerAxis,
    Shape,
    array,
    check_cotangent,
    check_layout,
    described,
    per_axis,
)
from convspec.scalars import result, scalars
from convspec.window import positions


def max_unpool_shape(values: Shape, indices: Shape, *, output_size: PerAxis) -> Shape:
    """Output shape of `max_unpool`: `(N, C, *output_size)`.

    >>> max_unpool_shape((1, 3, 2, 2), (1, 3, 2, 2), output_size=(4, 5))
    (1, 3, 4, 5)
    """
    shapes = described(values=values, indices=indices)
    check_layout("values", values, "(N, C, *spatial)", shapes=shapes)
    if indices != values:
        raise ValueError(f"indices has shape {indices}: must be that of values; {shapes}")
    sizes = per_axis("output_size", output_size, len(values) - 2, least=1, shapes=shapes)
    return (*values[:2], *sizes)


def switches(values: Array, indices: Array, shape: Shape) -> dict[Shape, Shape]:
    """The first pooled position that fills each output position, after checking every index.

    >>> switches(numpy.array([[[5, 7, 5]]]), numpy.array([[[1, 3, 1]]]), (1, 1, 4))
    {(0, 0, 1): (0, 0, 0), (0, 0, 3): (0, 0, 1)}
    """
    shapes = described(values=values, indices=indices)
    if not numpy.issubdtype(indices.dtype, numpy.integer):
        raise TypeError(f"indices has dtype {indices.dtype}: must hold integers; {shapes}")
    volume = shape[2:]
    filled: dict[Shape, Shape] = {}
    for n, c, *i in positions(values.shape):
        index = int(indices[(n, c, *i)])
        if not 0 <= index < numpy.prod(volume):
            raise ValueError(
                f"indices holds {index} at {(n, c, *i)}: must be flat in output_size={volume}, "
                f"at least 0 and less than {numpy.prod(volume)}; {shapes}"
            )
        target = (n, c, *(int(a) for a in numpy.unravel_index(index, volume)))
        first = filled.setdefault(target, (n, c, *i))
        one, other = values[first], values[(n, c, *i)]
        if not (one == other or (one != one and other != other)):
            raise ValueError(
                f"indices holds {index} at {first} and at {(n, c, *i)}, where values holds {one} "
                f"and {other}: a repeated index must carry equal values; {shapes}"
            )
    return filled


def max_unpool(values: ArrayLike, indices: ArrayLike, *, output_size: PerAxis) -> Array:
    r"""The values at the places that their indices name, zeros elsewhere,

    $$ y_{n,c,a} = v_{n,c,i} \text{ where } a_{n,c,i} = a, \qquad 0 \text{ where no index is } a. $$

    With the outputs of `max_pool_with_indices` it keeps the maxima and clears everything else.

    Shapes: values and indices `(N, C, *spatial)`, output `(N, C, *output_size)`; an index is flat
    in `output_size`, C order, and the same in every channel's own volume.  Dtypes: that of values.
    Raises `ValueError` for an index outside `output_size`, or one that is repeated in its channel
    with another value; `TypeError` for indices that are no integers.
    Source: the documents' second deconvolution, which records the pooling index and widens.

    >>> max_unpool([[[5, 4]]], [[[1, 3]]], output_size=4)
    array([[[0, 5, 0, 4]]])
    """
    values, indices = array("values", values), array("indices", indices)
    shape = max_unpool_shape(values.shape, indices.shape, output_size=output_size)
    v = scalars(values)
    y = numpy.zeros(shape, dtype=object)
    for target, source in switches(values, indices, shape).items():
        y[target] = v[source]
    return result(y, values)


def max_unpool_vjp(
    cotangent: ArrayLike, values: ArrayLike, indices: ArrayLike, *, output_size: PerAxis
) -> tuple[Array]:
    r"""Cotangent of the values: each reads the place it filled,

    $$ \bar v_{n,c,i} = \bar y_{n,c,\,a_{n,c,i}}, $$

    where several fill one place, the first alone, so that $\langle \bar y, y \rangle = \langle
    \bar v, v \rangle$ still holds.  Indices have no cotangent.

    >>> max_unpool_vjp([[[1, 2, 3, 4]]], [[[5, 4, 5]]], [[[1, 3, 1]]], output_size=4)
    (array([[[2, 4, 0]]]),)
    """
    cotangent, values, indices = (
        array("cotangent", cotangent),
        array("values", values),
        array("indices", indices),
    )
    shape = max_unpool_shape(values.shape, indices.shape, output_size=output_size)
    check_cotangent(cotangent, shape, values=values, indices=indices)
    g = scalars(cotangent)
    d_v = numpy.zeros(values.shape, dtype=object)
    for target, source in switches(values, indices, shape).items():
        d_v[source] = g[target]
    return (result(d_v, cotangent, values),)
