"use strict";
// The arithmetic of the explorer: the operations of the spec, with the spec's names and attributes.
//
// An array is { shape, data }, its data flat and in C order: input (N, C, *spatial), conv weight
// (O, C / groups, *kernel), conv_transpose weight (C, O / groups, *kernel), bias (O).  Attributes
// have one entry for each spatial axis, `padding` one [low, high] pair.
//
// What an output is made of is said once, by `reads` and `channelPairs`: the operations sum over it
// and the page shows it.  The file is a classic script, because a page opened from a disk may not
// load modules; Node imports it as well.
(() => {
  const product = (sizes) => sizes.reduce((a, b) => a * b, 1);
  const range = (count) => Array.from({ length: count }, (_, index) => index);
  const shown = (value) => JSON.stringify(value) ?? String(value);

  function must(condition, message) {
    if (!condition) throw new RangeError(message);
  }

  const areWhole = (value, count, least) =>
    Array.isArray(value) &&
    value.length === count &&
    value.every((entry) => Number.isInteger(entry) && entry >= least);

  // Every index of an array of this shape, in C order.
  const positions = (shape) =>
    shape.reduce(
      (found, size) => found.flatMap((index) => range(size).map((last) => [...index, last])),
      [[]],
    );

  // The place of an index in flat data.
  const flat = (index, shape) => index.reduce((place, i, axis) => place * shape[axis] + i, 0);

  // One axis of a sliding window is { kernel, stride, low, high, dilation, ceil }.

  const extent = ({ kernel, dilation }) => dilation * (kernel - 1) + 1;

  // (n + low + high - d (k - 1) - 1) / s + 1, rounded down, or up under ceil unless the last
  // window would then start beyond the input.
  function outputSize(n, window) {
    const { stride, low, high, ceil } = window;
    const room = n + low + high - extent(window);
    must(
      room >= 0,
      `the kernel spans ${extent(window)} positions, but the padded input has only ${n + low + high}`,
    );
    if (!ceil) return Math.floor(room / stride) + 1;
    const size = Math.ceil(room / stride) + 1;
    return (size - 1) * stride >= n + low ? size - 1 : size;
  }

  const transposedSize = (n, window, extra) =>
    (n - 1) * window.stride - window.low - window.high + extent(window) + extra;

  // The pairs [tap, input position] behind output position i, those outside the input included.
  const reads = ({ kernel, stride, low, dilation }, i) =>
    range(kernel).map((j) => [j, i * stride - low + j * dilation]);

  // The same for output position a of a transposed convolution: a = i s - p + j d.
  const transposedReads = ({ kernel, stride, low, dilation }, a) =>
    range(kernel)
      .map((j) => [j, (a + low - j * dilation) / stride])
      .filter(([, i]) => Number.isInteger(i));

  // What an average divides by on one axis: the taps that exist, and with `include` those on
  // padding too, up to n + high.
  const divisor = (n, window, i, include) =>
    reads(window, i).filter(([, a]) => (include ? a < n + window.high : a >= 0 && a < n)).length;

  // The joint pairs of several axes, { tap, at, inside }, both of them indices.
  function joined(spatial, sliding, position, read) {
    let found = [{ tap: [], at: [], inside: true }];
    sliding.forEach((window, axis) => {
      const pairs = read(window, position[axis]);
      found = found.flatMap(({ tap, at, inside }) =>
        pairs.map(([j, a]) => ({
          tap: [...tap, j],
          at: [...at, a],
          inside: inside && a >= 0 && a < spatial[axis],
        })),
      );
    });
    return found;
  }

  function windowsOf(spatial, kernel, { stride, padding, dilation, ceil_mode = false }) {
    const rank = spatial.length;
    must(rank > 0, "the input must have spatial axes");
    must(areWhole(spatial, rank, 1), `the input's sizes ${shown(spatial)} must be at least 1`);
    for (const [name, steps] of Object.entries({ kernel, stride, dilation }))
      must(areWhole(steps, rank, 1), `${name} ${shown(steps)} must be ${rank} positive integers`);
    must(
      Array.isArray(padding) && padding.length === rank && padding.every((p) => areWhole(p, 2, 0)),
      `padding ${shown(padding)} must be ${rank} pairs of integers that are not negative`,
    );
    must(typeof ceil_mode === "boolean", `ceil_mode ${shown(ceil_mode)} must be true or false`);
    return spatial.map((_, axis) => ({
      kernel: kernel[axis],
      stride: stride[axis],
      low: padding[axis][0],
      high: padding[axis][1],
      dilation: dilation[axis],
      ceil: ceil_mode,
    }));
  }

  function checkGroups(groups, channels, outputs, bias) {
    must(areWhole([groups], 1, 1), `groups ${shown(groups)} must be a positive integer`);
    must(
      channels % groups === 0 && outputs % groups === 0,
      `groups ${groups} must divide ${channels} input channels and ${outputs} output channels`,
    );
    must(
      !bias || shown(bias) === shown([outputs]),
      `bias has shape ${shown(bias)}, (${outputs}) is due`,
    );
  }

  // A plan says what a call computes from what: { sliding, sizes, read, channelPairs }, where
  // channelPairs(o) lists the [input channel, weight plane] pairs of output channel o.
  function convPlan(input, weight, bias, attributes) {
    const [, C, ...spatial] = input;
    const [O, share, ...kernel] = weight;
    const { groups } = attributes;
    checkGroups(groups, C, O, bias);
    must(share === C / groups, `weight has ${share} channels, ${C / groups} are due`);
    const sliding = windowsOf(spatial, kernel, attributes);
    const first = (o) => Math.floor(o / (O / groups)) * share;
    return {
      sliding,
      sizes: sliding.map((window, axis) => outputSize(spatial[axis], window)),
      outputs: O,
      read: reads,
      channelPairs: (o) => range(share).map((c) => [first(o) + c, [o, c]]),
    };
  }

  function conv_transposePlan(input, weight, bias, attributes) {
    const [, C, ...spatial] = input;
    const [rows, share, ...kernel] = weight;
    const { groups, output_padding } = attributes;
    checkGroups(groups, C, share * groups, bias);
    must(rows === C, `weight has ${rows} input channels, ${C} are due`);
    const sliding = windowsOf(spatial, kernel, attributes);
    must(
      areWhole(output_padding, spatial.length, 0),
      `output_padding ${shown(output_padding)} must be ${spatial.length} integers that are not negative`,
    );
    const sizes = sliding.map((window, axis) => {
      const extra = output_padding[axis];
      must(
        extra < Math.max(window.stride, window.dilation),
        `output padding ${extra} must be smaller than the stride ${window.stride} ` +
          `or the dilation ${window.dilation}`,
      );
      const size = transposedSize(spatial[axis], window, extra);
      must(size >= 1, `the padding crops the output to ${size} positions, 1 is the least`);
      return size;
    });
    const members = C / groups;
    const first = (o) => Math.floor(o / share) * members;
    return {
      sliding,
      sizes,
      outputs: share * groups,
      read: transposedReads,
      channelPairs: (o) => range(members).map((c) => [first(o) + c, [first(o) + c, o % share]]),
    };
  }

  function poolPlan(input, attributes) {
    const [, C, ...spatial] = input;
    const sliding = windowsOf(spatial, attributes.kernel_size, attributes);
    const sizes = sliding.map((window, axis) => outputSize(spatial[axis], window));
    sliding.forEach((window, axis) => {
      const empty = range(sizes[axis]).find((i) => divisor(spatial[axis], window, i, false) === 0);
      must(empty === undefined, `window ${empty} of axis ${axis} holds no element of the input`);
    });
    return { sliding, sizes, outputs: C, read: reads, channelPairs: (o) => [[o, null]] };
  }

  // Calls visit(y, position, pairs) for every output element of every batch item: its place in the
  // output, its position, and its taps inside the input as flat [tap, input] offsets.
  function eachOutput(input, kernel, plan, visit) {
    const [N, , ...spatial] = input.shape;
    const plane = product(plan.sizes);
    positions(plan.sizes).forEach((position, place) => {
      const pairs = joined(spatial, plan.sliding, position, plan.read)
        .filter(({ inside }) => inside)
        .map(({ tap, at }) => [flat(tap, kernel), flat(at, spatial)]);
      for (let n = 0; n < N; n++)
        for (let o = 0; o < plan.outputs; o++)
          visit({ y: (n * plan.outputs + o) * plane + place, n, o, position, pairs });
    });
  }

  const outputOf = (input, plan) => {
    const shape = [input.shape[0], plan.outputs, ...plan.sizes];
    return { shape, data: new Float64Array(product(shape)) };
  };

  function weightedSums(input, weight, bias, plan) {
    const [, C, ...spatial] = input.shape;
    const kernel = weight.shape.slice(2);
    const output = outputOf(input, plan);
    const [xs, ws] = [product(spatial), product(kernel)];
    const planes = range(plan.outputs).map((o) =>
      plan.channelPairs(o).map(([c, plane]) => [c, flat(plane, weight.shape) * ws]),
    );
    eachOutput(input, kernel, plan, ({ y, n, o, pairs }) => {
      let sum = bias ? bias.data[o] : 0;
      for (const [c, w0] of planes[o]) {
        const x0 = (n * C + c) * xs;
        for (const [w, x] of pairs) sum += input.data[x0 + x] * weight.data[w0 + w];
      }
      output.data[y] = sum;
    });
    return output;
  }

  const conv = (input, weight, bias, attributes) =>
    weightedSums(
      input,
      weight,
      bias,
      convPlan(input.shape, weight.shape, bias && bias.shape, attributes),
    );

  const conv_transpose = (input, weight, bias, attributes) =>
    weightedSums(
      input,
      weight,
      bias,
      conv_transposePlan(input.shape, weight.shape, bias && bias.shape, attributes),
    );

  // Pools `combine` the elements of each window, in order.
  function pooled(input, attributes, combine) {
    const [, C, ...spatial] = input.shape;
    const plan = poolPlan(input.shape, attributes);
    const output = outputOf(input, plan);
    const xs = product(spatial);
    eachOutput(input, attributes.kernel_size, plan, ({ y, n, o, position, pairs }) => {
      const x0 = (n * C + o) * xs;
      output.data[y] = combine(
        pairs.map(([, x]) => input.data[x0 + x]),
        position,
        plan,
      );
    });
    return output;
  }

  // Math.max passes NaN on, as the spec does.
  const max_pool = (input, attributes) =>
    pooled(input, attributes, (elements) => elements.reduce((a, b) => Math.max(a, b)));

  function average_pool(input, attributes) {
    const { count_include_pad } = attributes;
    must(
      typeof count_include_pad === "boolean",
      `count_include_pad ${shown(count_include_pad)} must be true or false`,
    );
    const spatial = input.shape.slice(2);
    return pooled(input, attributes, (elements, position, { sliding }) => {
      const sum = elements.reduce((a, b) => a + b);
      return sum / windowDivisor(spatial, sliding, position, count_include_pad);
    });
  }

  const windowDivisor = (spatial, sliding, position, include) =>
    product(sliding.map((window, axis) => divisor(spatial[axis], window, position[axis], include)));

  globalThis.arithmetic = {
    ...{ conv, conv_transpose, max_pool, average_pool },
    ...{ convPlan, conv_transposePlan, poolPlan },
    ...{ extent, outputSize, transposedSize, joined, windowDivisor, reads },
    ...{ flat, positions, product, range },
  };
})();
