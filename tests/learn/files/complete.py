from itertools import product

import numpy as np


def places(shape):
    return product(*map(range, shape))


def taps(place, kernel, stride, padding, dilation, size):
    """Pairs of a tap and the position it reads, where that is inside."""
    for j in places(kernel):
        a = [i * s + t * d - p[0] for i, t, s, p, d in zip(place, j, stride, padding, dilation)]
        if all(0 <= x < n for x, n in zip(a, size)):
            yield j, tuple(a)


def sizes(size, kernel, stride, padding, dilation):
    return [
        (n + sum(p) - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation)
    ]


def spread(value, rank, default):
    return tuple(value) if isinstance(value, (tuple, list)) else (default,) * rank


def attributes(rank, stride, padding, dilation):
    return spread(stride, rank, 1), spread(padding, rank, (0, 0)), spread(dilation, rank, 1)


def conv(input, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    size, kernel = input.shape[2:], weight.shape[2:]
    stride, padding, dilation = attributes(len(size), stride, padding, dilation)
    share = weight.shape[1]
    y = np.zeros(
        (len(input), len(weight), *sizes(size, kernel, stride, padding, dilation)), input.dtype
    )
    for n, o, *i in places(y.shape):
        group = o // (len(weight) // groups)
        x = input[n, group * share : (group + 1) * share]
        total = 0 if bias is None else bias[o]
        for j, a in taps(i, kernel, stride, padding, dilation, size):
            total += (x[(slice(None), *a)] * weight[(o, slice(None), *j)]).sum()
        y[(n, o, *i)] = total
    return y


def same_padding(size, kernel, stride):
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def property_stride(conv, input, weight, stride, padding):
    dense = conv(input, weight, padding=padding)
    keep = (..., *(slice(None, None, s) for s in stride))
    return np.array_equal(conv(input, weight, stride=stride, padding=padding), dense[keep])


def property_shift(conv, input, weight, stride, shift):
    moved = conv(np.roll(input, stride * shift, axis=2), weight, stride=stride)
    assert np.array_equal(moved, np.roll(conv(input, weight, stride=stride), shift, axis=2))


def depthwise_separable_conv(input, depthwise, pointwise, *, stride=1, padding=0, dilation=1):
    z = conv(
        input, depthwise, stride=stride, padding=padding, dilation=dilation, groups=input.shape[1]
    )
    return np.einsum("oc,nc...->no...", pointwise, z)


def conv_vjp(cotangent, input, weight, *, stride=1, padding=0, dilation=1, groups=1):
    size, kernel = input.shape[2:], weight.shape[2:]
    stride, padding, dilation = attributes(len(size), stride, padding, dilation)
    share = weight.shape[1]
    d_input, d_weight = np.zeros(input.shape), np.zeros(weight.shape)
    for n, o, *i in places(cotangent.shape):
        first = o // (len(weight) // groups) * share
        for j, a in taps(i, kernel, stride, padding, dilation, size):
            for c in range(share):
                g = cotangent[(n, o, *i)]
                d_input[(n, first + c, *a)] += g * weight[(o, c, *j)]
                d_weight[(o, c, *j)] += g * input[(n, first + c, *a)]
    return d_input, d_weight


def conv_transpose(input, weight, *, stride=1, padding=0, output_padding=0, dilation=1):
    rank = input.ndim - 2
    stride, padding, dilation = attributes(rank, stride, padding, dilation)
    more = spread(output_padding, rank, 0)
    axes = zip(input.shape[2:], weight.shape[2:], stride, padding, dilation, more)
    size = [(n - 1) * s - sum(p) + d * (k - 1) + 1 + m for n, k, s, p, d, m in axes]
    y = np.zeros((len(input), weight.shape[1], *size))
    for n, c, *i in places(input.shape):
        for j, a in taps(i, weight.shape[2:], stride, padding, dilation, size):
            y[(n, slice(None), *a)] += input[(n, c, *i)] * weight[(c, slice(None), *j)]
    return y


def property_transposed(conv, conv_transpose, x, y, weight, stride, padding):
    left = conv(x, weight, stride=stride, padding=padding) * y
    return left.sum() == (x * conv_transpose(y, weight, stride=stride, padding=padding)).sum()


def property_gradients(conv, conv_vjp, cotangent, input, weight, stride, padding):
    d_input, d_weight = conv_vjp(cotangent, input, weight, stride=stride, padding=padding)
    assert d_input.shape == input.shape
    assert d_weight.shape == weight.shape
    total = (cotangent * conv(input, weight, stride=stride, padding=padding)).sum()
    return total == (d_input * input).sum() and total == (d_weight * weight).sum()


def max_pool(input, *, kernel_size, stride=None, padding=0, dilation=1):
    size = input.shape[2:]
    stride, padding, dilation = attributes(len(size), stride, padding, dilation)
    y = np.empty((*input.shape[:2], *sizes(size, kernel_size, stride, padding, dilation)))
    for n, c, *i in places(y.shape):
        read = taps(i, kernel_size, stride, padding, dilation, size)
        y[(n, c, *i)] = max(input[(n, c, *a)] for _, a in read)
    return y


def max_pool_vjp(cotangent, input, *, kernel_size, stride=None, padding=0, dilation=1):
    size = input.shape[2:]
    stride, padding, dilation = attributes(len(size), stride, padding, dilation)
    d_input = np.zeros(input.shape)
    for n, c, *i in places(cotangent.shape):
        read = [a for _, a in taps(i, kernel_size, stride, padding, dilation, size)]
        best = max(read, key=lambda a: input[(n, c, *a)])
        d_input[(n, c, *best)] += cotangent[(n, c, *i)]
    return (d_input,)


def average_pool(
    input, *, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=False
):
    size = input.shape[2:]
    stride, padding, ones = attributes(len(size), stride, padding, 1)
    counts = []
    for n, k, s, p in zip(size, kernel_size, stride, padding):
        q = n + sum(p) - k
        count = (-(-q // s) if ceil_mode else q // s) + 1
        if ceil_mode and (count - 1) * s >= n + p[0]:
            count -= 1
        counts.append(count)
    y = np.zeros((*input.shape[:2], *counts))
    for n, c, *i in places(y.shape):
        read = [a for _, a in taps(i, kernel_size, stride, padding, ones, size)]
        divisor = len(read)
        if count_include_pad:
            divisor = 1
            for place, m, k, s, p in zip(i, size, kernel_size, stride, padding):
                first = place * s - p[0]
                divisor *= min(first + k, m + p[1]) - first
        y[(n, c, *i)] = sum(input[(n, c, *a)] for a in read) / divisor
    return y


def receptive_field(layers, index):
    first = last = index
    for k, s, p in reversed(layers):
        first, last = first * s - p, last * s - p + k - 1
    return first, last
