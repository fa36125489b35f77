"use strict";
// A configuration in PyTorch: { code, notes }.
(() => {
  const { attributesOf, planOf, shapesOf, isPool } = configuration;
  const { call, fitted, isSymmetric, keywords, lines, operandsOf, perAxis, some, tuple } = snippets;

  const zeros = (values) => values.map(() => 0);
  // `pad` begins with the last axis.
  const padAmounts = (sides) => tuple(sides.toReversed().flat());

  function conv(chosen, rank) {
    const { stride, low, high, dilation, groups } = chosen;
    const symmetric = isSymmetric(chosen);
    const before = symmetric
      ? []
      : [`x = F.pad(x, ${padAmounts(low.map((amount, axis) => [amount, high[axis]]))})`];
    const given = keywords([
      ["stride", perAxis(stride), 1],
      ["padding", perAxis(symmetric ? low : zeros(low)), 0],
      ["dilation", perAxis(dilation), 1],
      ["groups", groups, 1],
    ]);
    return [...before, call("y", `F.conv${rank}d`, ["x", "w", "b", ...given])];
  }

  function conv_transpose(chosen, rank) {
    const { stride, low, dilation, groups, output_padding } = chosen;
    const symmetric = isSymmetric(chosen);
    const given = keywords([
      ["stride", perAxis(stride), 1],
      ["padding", perAxis(symmetric ? low : zeros(low)), 0],
      ["output_padding", perAxis(output_padding), 0],
      ["groups", groups, 1],
      ["dilation", perAxis(dilation), 1],
    ]);
    const made = call("y", `F.conv_transpose${rank}d`, ["x", "w", "b", ...given]);
    if (symmetric) return [made];
    const { sizes } = planOf(chosen);
    const cut = low.map((amount, axis) => `${amount}:${amount + sizes[axis]}`).join(", ");
    return [made, `y = y[:, :, ${cut}]`];
  }

  // Whether PyTorch's own pools take the padding: the same on both sides, at most half a kernel.
  const isOwnPadding = (chosen) =>
    isSymmetric(chosen) && chosen.low.every((amount, axis) => 2 * amount <= chosen.kernel[axis]);

  function poolKeywords({ stride, low, dilation, ceil_mode }) {
    return [
      ["stride", perAxis(stride), ""],
      ["padding", perAxis(low), 0],
      ["dilation", perAxis(dilation), 1],
      ["ceil_mode", ceil_mode ? "True" : "False", "False"],
    ];
  }

  function max_pool(chosen, rank) {
    const kernel = perAxis(chosen.kernel);
    const pool = `F.max_pool${rank}d`;
    if (isOwnPadding(chosen))
      return [call("y", pool, ["x", kernel, ...keywords(poolKeywords(chosen))])];
    const sides = fitted(chosen).map(({ low, high }) => [low, high]);
    const bare = { ...chosen, low: zeros(chosen.low), ceil_mode: false };
    return [
      `x = F.pad(x, ${padAmounts(sides)}, value=-torch.inf)`,
      call("y", pool, ["x", kernel, ...keywords(poolKeywords(bare))]),
    ];
  }

  function average_pool(chosen, rank) {
    const { kernel, stride, dilation, count_include_pad } = chosen;
    if (isOwnPadding(chosen) && !some(dilation, 1)) {
      const include = ["count_include_pad", count_include_pad ? "True" : "False", ""];
      const given = keywords([...poolKeywords(chosen), include]);
      return [call("y", `F.avg_pool${rank}d`, ["x", perAxis(kernel), ...given])];
    }
    const channels = shapesOf(chosen).x[1];
    const sides = fitted(chosen);
    const whole = padAmounts(sides.map(({ low, high }) => [low, high]));
    const counted = count_include_pad
      ? [
          `counted = F.pad(torch.ones_like(x), ${padAmounts(sides.map((s) => [s.low, s.counted]))}, value=1.0)`,
          `counted = F.pad(counted, ${padAmounts(sides.map(({ overhang }) => [0, overhang]))})`,
        ]
      : [`counted = F.pad(torch.ones_like(x), ${whole})`];
    const given = keywords([
      ["stride", perAxis(stride), 1],
      ["dilation", perAxis(dilation), 1],
      ["groups", channels, 1],
    ]);
    return [
      `ones = torch.ones(${channels}, 1, ${kernel.join(", ")})`,
      ...counted,
      call("sums", `F.conv${rank}d`, [`F.pad(x, ${whole})`, "ones", ...given]),
      `y = sums / ${`F.conv${rank}d`}(${["counted", "ones", ...given].join(", ")})`,
    ];
  }

  const BODIES = { conv, conv_transpose, max_pool, average_pool };

  function notesOf(chosen) {
    const { operation, low, high, dilation, output_padding, kernel } = chosen;
    const notes = [];
    const say = (condition, note) => condition && notes.push(note);
    const unequal = !isSymmetric(chosen);
    say(
      operation === "conv",
      "`conv2d` does not flip the kernel: it is a cross-correlation, as everywhere on this page.",
    );
    say(
      operation === "conv" && unequal,
      "`padding` is one amount for both sides of an axis. Unequal sides go through `F.pad`, which " +
        "takes the last axis first.",
    );
    say(
      operation === "conv",
      '`padding="same"` exists for stride 1 alone; where the total is odd, the additional one is on ' +
        "the high side.",
    );
    say(
      operation === "conv_transpose",
      "The weight is (input channels, output channels / groups, kernel); `padding` crops the output.",
    );
    say(operation === "conv_transpose" && unequal, "Unequal crops are cut off afterwards.");
    say(
      operation === "conv_transpose" && some(output_padding, 0),
      "`output_padding` extends the range of the output. It does not append zeros: where products " +
        "reach the new positions, they are summed.",
    );
    say(
      isPool(chosen) && !isOwnPadding(chosen),
      "A pool pads both sides alike and by at most half of its kernel: this one is padded first" +
        (operation === "max_pool" ? ", by −∞, which no maximum selects." : "."),
    );
    say(
      operation === "average_pool" && isOwnPadding(chosen),
      "`count_include_pad` is **on** unless it is switched off; ONNX has it off, and TensorFlow's SAME " +
        "never counts padding.",
    );
    say(
      operation === "average_pool" && some(dilation, 1),
      "`avg_pool2d` has no dilation: a convolution with ones sums, another one counts.",
    );
    say(
      isPool(chosen) && chosen.ceil_mode,
      "`ceil_mode` drops a last window that would start beyond the input, as on this page.",
    );
    say(
      isPool(chosen),
      "The stride of a pool is its kernel size unless another is given" +
        (String(kernel) === String(chosen.stride) ? ": here they agree." : "."),
    );
    return notes;
  }

  snippets.writers.pytorch = (chosen) => {
    const rank = chosen.size.length;
    const operands = operandsOf(chosen).map(({ name, shape, data }) => {
      const reshape = shape.length > 1 ? `.reshape${tuple(shape)}` : "";
      return `${name} = torch.tensor([${lines({ shape, data })}])${reshape}`;
    });
    const body = BODIES[chosen.operation](chosen, rank);
    const imports = ["import torch", "from torch.nn import functional as F", ""];
    return {
      code: [...imports, ...operands, "", ...body, "print(y)"].join("\n"),
      notes: notesOf(chosen),
    };
  };
})();
