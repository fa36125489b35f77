"use strict";
// A configuration in JAX: { code, notes }.
(() => {
  const { isPool } = configuration;
  const { extent } = arithmetic;
  const { call, fitted, isPadded, keywords, lines, operandsOf, pairs, some, tuple } = snippets;

  const LETTERS = ["W", "HW"];
  const sidesOf = ({ low, high }) => low.map((amount, axis) => [amount, high[axis]]);

  function layout(rank, weight) {
    const letters = LETTERS[rank - 1];
    return `("NC${letters}", "${weight}${letters}", "NC${letters}")`;
  }

  function conv(chosen, rank) {
    const given = [
      "x",
      "w",
      `window_strides=${tuple(chosen.stride)}`,
      `padding=${pairs(sidesOf(chosen))}`,
      ...keywords([["rhs_dilation", tuple(chosen.dilation), tuple(chosen.dilation.map(() => 1))]]),
      `dimension_numbers=${layout(rank, "OI")}`,
      ...keywords([["feature_group_count", chosen.groups, 1]]),
    ];
    return [call("y", "lax.conv_general_dilated", given), bias(rank)];
  }

  const bias = (rank) => `y = y + b.reshape${tuple([1, -1, ...new Array(rank).fill(1)])}`;

  // Padding of the convolution over the stretched input: the extent less one, less the crop.
  const margins = ({ kernel, dilation, low, high, output_padding }) =>
    kernel.map((taps, axis) => {
      const reach = extent({ kernel: taps, dilation: dilation[axis] }) - 1;
      return [reach - low[axis], reach - high[axis] + output_padding[axis]];
    });

  function conv_transpose(chosen, rank) {
    const { stride, dilation, groups, kernel, inputs, outputs } = chosen;
    const ones = tuple(stride.map(() => 1));
    const spread = keywords([["rhs_dilation", tuple(dilation), ones]]);
    if (groups === 1) {
      const given = [
        "x",
        "w",
        `strides=${tuple(stride)}`,
        `padding=${pairs(margins(chosen))}`,
        ...spread,
        `dimension_numbers=${layout(rank, "OI")}`,
        "transpose_kernel=True",
      ];
      return [call("y", "lax.conv_transpose", given), bias(rank)];
    }
    const axes = tuple(kernel.map((_, axis) => axis + 2));
    const given = [
      "x",
      "w",
      `window_strides=${ones}`,
      `padding=${pairs(margins(chosen))}`,
      `lhs_dilation=${tuple(stride)}`,
      ...spread,
      `dimension_numbers=${layout(rank, "OI")}`,
      `feature_group_count=${groups}`,
    ];
    return [
      `w = jnp.flip(w, ${axes}).reshape${tuple([groups, inputs, outputs, ...kernel])}`,
      `w = jnp.swapaxes(w, 1, 2).reshape${tuple([groups * outputs, inputs, ...kernel])}`,
      call("y", "lax.conv_general_dilated", given),
      bias(rank),
    ];
  }

  function windowKeywords({ kernel, stride, dilation }) {
    const whole = (values) => tuple([1, 1, ...values]);
    return [
      `window_dimensions=${whole(kernel)}`,
      `window_strides=${whole(stride)}`,
      ...keywords([["window_dilation", whole(dilation), whole(dilation.map(() => 1))]]),
    ];
  }

  const unpadded = [
    [0, 0],
    [0, 0],
  ];

  function max_pool(chosen) {
    const sides = [...unpadded, ...fitted(chosen).map(({ low, high }) => [low, high])];
    const given = [
      "x",
      "-jnp.inf",
      "lax.max",
      ...windowKeywords(chosen),
      `padding=${pairs(sides)}`,
    ];
    return [call("y", "lax.reduce_window", given)];
  }

  function average_pool(chosen) {
    const sides = fitted(chosen);
    const whole = [...unpadded, ...sides.map(({ low, high }) => [low, high])];
    const sums = (array, padding) =>
      call(array === "x" ? "sums" : "counts", "lax.reduce_window", [
        array,
        "0.0",
        "lax.add",
        ...windowKeywords(chosen),
        `padding=${pairs(padding)}`,
      ]);
    if (!chosen.count_include_pad || !isPadded(chosen))
      return [sums("x", whole), sums("jnp.ones_like(x)", whole), "y = sums / counts"];
    const counted = [...unpadded, ...sides.map((side) => [side.low, side.counted])];
    const rest = [...unpadded, ...sides.map(({ overhang }) => [0, overhang])];
    return [
      sums("x", whole),
      `counted = jnp.pad(jnp.ones_like(x), ${pairs(counted)}, constant_values=1.0)`,
      sums("counted", rest),
      "y = sums / counts",
    ];
  }

  const BODIES = { conv, conv_transpose, max_pool, average_pool };

  function notesOf(chosen) {
    const { operation, groups } = chosen;
    const notes = [];
    const say = (condition, note) => condition && notes.push(note);
    say(
      operation === "conv",
      "`padding` takes a pair for each axis, or the words VALID, SAME and SAME_LOWER. Negative " +
        "amounts crop, where PyTorch and this page refuse them.",
    );
    say(operation === "conv", "A window that does not fit gives an empty array, not an error.");
    say(
      operation === "conv_transpose",
      "`padding` is that of the convolution over the stretched input: d(k − 1) less the crop, where " +
        "PyTorch and ONNX name the crop. There is no `output_padding`: it is added to the high side.",
    );
    say(
      operation === "conv_transpose" && groups === 1,
      "`transpose_kernel=True` makes it the transpose of a convolution; without it the kernel is " +
        "not flipped, and the result is another one.",
    );
    say(
      operation === "conv_transpose" && groups > 1,
      "`lax.conv_transpose` has no groups: this is the convolution that it stands for, with a " +
        "flipped kernel over an input stretched by `lhs_dilation`.",
    );
    say(
      isPool(chosen) && chosen.ceil_mode,
      "There is no ceil mode: the high side is padded until the last window fits.",
    );
    say(
      operation === "average_pool",
      "There is no average: sums are divided by counts. Dividing by the size of the kernel would be " +
        "`count_include_pad`.",
    );
    return notes;
  }

  snippets.writers.jax = (chosen) => {
    const operands = operandsOf(chosen).map(
      ({ name, shape, data }) =>
        `${name} = jnp.array([${lines({ shape, data })}]).reshape${tuple(shape)}`,
    );
    const body = BODIES[chosen.operation](chosen, chosen.size.length);
    const imports = ["from jax import lax", "from jax import numpy as jnp", ""];
    return {
      code: [...imports, ...operands, "", ...body, "print(y)"].join("\n"),
      notes: notesOf(chosen),
    };
  };
})();
