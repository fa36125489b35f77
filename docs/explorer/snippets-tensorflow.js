"use strict";
// A configuration in TensorFlow, channels last: { code, notes }.
(() => {
  const { isPool, planOf } = configuration;
  const { extent, flat, positions, range } = arithmetic;
  const { wordsOf } = explanation;
  const { call, channelsLast, fitted, isPadded, lines, list, operandsOf, pairs, some, tuple } =
    snippets;

  const sidesOf = (chosen) => chosen.low.map((amount, axis) => [amount, chosen.high[axis]]);
  const padded = (sides) => pairs([[0, 0], ...sides, [0, 0]]);
  const isSame = (chosen) =>
    isPadded(chosen) && !chosen.ceil_mode && wordsOf(chosen).includes("same_upper");
  // Strides and dilations exclude each other: every position is computed, and some are taken.
  const isThinned = ({ stride, dilation }) => some(stride, 1) && some(dilation, 1);
  const thinned = ({ stride }) => `[:, ${stride.map((step) => `::${step}`).join(", ")}]`;

  function conv(chosen) {
    const { stride, dilation } = chosen;
    const same = isSame(chosen) && !isThinned(chosen);
    const before = isPadded(chosen) && !same ? [`x = tf.pad(x, ${padded(sidesOf(chosen))})`] : [];
    const given = ["x", "w"];
    if (some(stride, 1) && !isThinned(chosen)) given.push(`strides=${list(stride)}`);
    if (some(dilation, 1)) given.push(`dilations=${list(dilation)}`);
    given.push(`padding="${same ? "SAME" : "VALID"}"`);
    const after = isThinned(chosen) ? [`y = y${thinned(chosen)}`] : [];
    return [...before, call("y", "tf.nn.convolution", given), ...after, "y = tf.nn.bias_add(y, b)"];
  }

  // The kernel with zeros between its taps, so that it has no dilation.
  function spread({ shape, data, ...rest }, dilation) {
    const rank = dilation.length;
    const wide = shape.map((size, axis) =>
      axis < rank ? extent({ kernel: size, dilation: dilation[axis] }) : size,
    );
    const numbers = positions(wide).map((index) => {
      const tap = index.map((i, axis) => (axis < rank ? i / dilation[axis] : i));
      return tap.every(Number.isInteger) ? data[flat(tap, shape)] : 0;
    });
    return { ...rest, shape: wide, data: numbers };
  }

  function conv_transpose(chosen, rank) {
    const { size, stride, low, kernel, dilation, groups, outputs } = chosen;
    const { sizes } = planOf(chosen);
    const whole = size.map(
      (n, axis) =>
        (n - 1) * stride[axis] + extent({ kernel: kernel[axis], dilation: dilation[axis] }),
    );
    const given = [
      `output_shape=${list([1, ...whole, outputs])}`,
      `strides=${list(stride)}`,
      'padding="VALID"',
    ];
    const transposed = `tf.nn.conv${rank}d_transpose`;
    const made =
      groups === 1
        ? [call("y", transposed, ["x", "w", ...given])]
        : [
            "parts = [",
            `    ${transposed}(`,
            `        part, kernel, ${given.join(", ")}`,
            "    )",
            `    for part, kernel in zip(tf.split(x, ${groups}, -1), tf.split(w, ${groups}, -1))`,
            "]",
            "y = tf.concat(parts, -1)",
          ];
    const missing = whole.map((n, axis) => [0, Math.max(0, low[axis] + sizes[axis] - n)]);
    if (some(missing.flat(), 0)) made.push(`y = tf.pad(y, ${padded(missing)})`);
    const cut = low.map((amount, axis) => `${amount}:${amount + sizes[axis]}`).join(", ");
    if (whole.some((n, axis) => n + missing[axis][1] !== sizes[axis]))
      made.push(`y = y[:, ${cut}]`);
    return [...made, "y = tf.nn.bias_add(y, b)"];
  }

  function pooled(chosen, { kind, array, target, padding }) {
    const { kernel, stride, dilation } = chosen;
    if (!some(dilation, 1)) {
      const name = `tf.nn.${kind === "MAX" ? "max" : "avg"}_pool${kernel.length}d`;
      return [call(target, name, [array, list(kernel), list(stride), `padding="${padding}"`])];
    }
    const given = [array, list(kernel), `"${kind}"`, `dilations=${list(dilation)}`];
    const made = call(target, "tf.nn.pool", [...given, `padding="${padding}"`]);
    return isThinned(chosen) ? [made, `${target} = ${target}${thinned(chosen)}`] : [made];
  }

  function max_pool(chosen) {
    if (isSame(chosen) && !some(chosen.dilation, 1))
      return pooled(chosen, { kind: "MAX", array: "x", target: "y", padding: "SAME" });
    const sides = fitted(chosen).map(({ low, high }) => [low, high]);
    const before = some(sides.flat(), 0)
      ? [`x = tf.pad(x, ${padded(sides)}, constant_values=float("-inf"))`]
      : [];
    return [
      ...before,
      ...pooled(chosen, { kind: "MAX", array: "x", target: "y", padding: "VALID" }),
    ];
  }

  function average_pool(chosen) {
    const plain = { kind: "AVG", array: "x", target: "y" };
    if (isSame(chosen) && !chosen.count_include_pad && !some(chosen.dilation, 1))
      return pooled(chosen, { ...plain, padding: "SAME" });
    const sides = fitted(chosen);
    const whole = sides.map(({ low, high }) => [low, high]);
    if (!some(whole.flat(), 0)) return pooled(chosen, { ...plain, padding: "VALID" });
    const overhangs = sides.some(({ overhang }) => overhang > 0);
    const pad = `x = tf.pad(x, ${padded(whole)})`;
    if (chosen.count_include_pad && !overhangs)
      return [pad, ...pooled(chosen, { ...plain, padding: "VALID" })];
    const counted = chosen.count_include_pad
      ? [
          `counted = tf.pad(tf.ones_like(x), ${padded(sides.map((s) => [s.low, s.counted]))}, constant_values=1.0)`,
          `counted = tf.pad(counted, ${padded(sides.map(({ overhang }) => [0, overhang]))})`,
        ]
      : [`counted = tf.pad(tf.ones_like(x), ${padded(whole)})`];
    return [
      ...counted,
      pad,
      ...pooled(chosen, { kind: "AVG", array: "x", target: "sums", padding: "VALID" }),
      ...pooled(chosen, { kind: "AVG", array: "counted", target: "counts", padding: "VALID" }),
      "y = sums / counts",
    ];
  }

  const BODIES = { conv, conv_transpose, max_pool, average_pool };

  function notesOf(chosen) {
    const { operation, groups, dilation, ceil_mode } = chosen;
    const notes = [];
    const say = (condition, note) => condition && notes.push(note);
    say(
      true,
      "Channels last: the numbers are in the order (N, *space, C)" +
        (isPool(chosen)
          ? "."
          : `, the weight in (*kernel, ${
              operation === "conv" ? "C / groups, O" : "O / groups, C"
            }).`),
    );
    say(
      operation !== "conv_transpose" && isSame(chosen),
      "These amounts are what SAME comes to at this size and stride; at another size it may be " +
        "others, the odd one on the high side.",
    );
    say(
      operation !== "conv_transpose" && isPadded(chosen) && !isSame(chosen),
      "There are two words, VALID and SAME, and SAME is not symmetric in general: other amounts go " +
        "through `tf.pad`.",
    );
    say(
      operation !== "conv_transpose" && isThinned(chosen),
      "Strides and dilations exclude each other: every window is computed, and some are kept.",
    );
    say(
      operation === "conv" && groups > 1,
      "The groups follow from the channels of the input and of the weight.",
    );
    say(
      operation === "conv_transpose",
      "`output_shape` says what PyTorch derives from `output_padding`. Here the whole output is " +
        "made and cropped.",
    );
    say(operation === "conv_transpose" && groups > 1, "There are no groups: one call for each.");
    say(
      operation === "conv_transpose" && some(dilation, 1),
      "On the CPU there is no dilation: the kernel has zeros between its taps instead.",
    );
    say(
      isPool(chosen) && ceil_mode,
      "There is no ceil mode: the high side is padded until the last window fits.",
    );
    say(
      operation === "average_pool",
      "An average under SAME leaves padding out of the count, and one of what `tf.pad` made counts it.",
    );
    return notes;
  }

  snippets.writers.tensorflow = (chosen) => {
    const rank = chosen.size.length;
    const isTransposed = chosen.operation === "conv_transpose";
    const orders = channelsLast(chosen);
    const operands = operandsOf(chosen, orders).map((operand) => {
      const { name, shape, data } =
        isTransposed && operand.name === "w" ? spread(operand, chosen.dilation) : operand;
      return `${name} = tf.reshape(tf.constant([${lines({ shape, data })}]), ${tuple(shape)})`;
    });
    const body = BODIES[chosen.operation](chosen, rank);
    return {
      code: ["import tensorflow as tf", "", ...operands, "", ...body, "print(y)"].join("\n"),
      notes: notesOf(chosen),
    };
  };
})();
