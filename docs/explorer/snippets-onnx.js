"use strict";
// A configuration as a node of ONNX, run by ONNX Runtime: { code, notes }.
(() => {
  const { isPool, shapesOf } = configuration;
  const { sizeOf, wordsOf } = explanation;
  const { isSymmetric, lines, list, operandsOf, some, tuple } = snippets;

  const NODES = {
    conv: "Conv",
    conv_transpose: "ConvTranspose",
    max_pool: "MaxPool",
    average_pool: "AveragePool",
  };

  function attributesOf(chosen) {
    const { operation, kernel, stride, low, high, dilation } = chosen;
    const given = [
      ["kernel_shape", list(kernel)],
      ["strides", list(stride)],
      ["pads", list([...low, ...high])],
      ["dilations", list(dilation)],
    ];
    if (!isPool(chosen)) given.push(["group", chosen.groups]);
    if (operation === "conv_transpose") given.push(["output_padding", list(chosen.output_padding)]);
    if (isPool(chosen)) given.push(["ceil_mode", Number(chosen.ceil_mode)]);
    if (operation === "average_pool")
      given.push(["count_include_pad", Number(chosen.count_include_pad)]);
    return given.map(([name, value]) => `    ${name}=${value},`);
  }

  function notesOf(chosen) {
    const { operation, kernel, stride, low, high, output_padding } = chosen;
    const notes = [];
    const say = (condition, note) => condition && notes.push(note);
    say(
      chosen.size.length > 1 || !isSymmetric(chosen),
      "`pads` names all low sides first, then all high sides: top, left, bottom, right. `F.pad` of " +
        "PyTorch goes axis by axis, from the last.",
    );
    const words = wordsOf(chosen).filter((word) => word.startsWith("same"));
    say(
      operation !== "conv_transpose" && words.length > 0 && !chosen.ceil_mode,
      `\`auto_pad="${(words[0] ?? "").toUpperCase()}"\` comes to the same pads here. SAME_UPPER puts ` +
        "an odd one on the high side, SAME_LOWER on the low side.",
    );
    say(operation === "conv", "`Conv` does not flip the kernel.");
    say(
      operation === "conv_transpose",
      "The weight is (input channels, output channels / group, kernel), as in PyTorch; `pads` crops " +
        "the output and may differ on the two sides.",
    );
    say(
      operation === "conv_transpose" &&
        output_padding.some((amount, axis) => amount > 0 && amount >= stride[axis]),
      "ONNX bounds `output_padding` by the stride or the dilation, but ONNX Runtime refuses what is " +
        "not below the stride.",
    );
    say(
      isPool(chosen) && chosen.ceil_mode,
      "`ceil_mode` drops a last window that would start beyond the input, in the high padding too.",
    );
    say(
      chosen.size.some((_, axis) => sizeOf(chosen, axis).dropped),
      "Before operator set 22, shape inference of the onnx package counts the window that is dropped " +
        "here; ONNX Runtime and the reference implementation drop it.",
    );
    say(
      isPool(chosen) && kernel.some((taps, axis) => Math.max(low[axis], high[axis]) >= taps),
      "ONNX Runtime refuses padding of a pool that is not below its kernel size; ONNX does not.",
    );
    say(
      isPool(chosen),
      "Strides are 1 unless they are given; PyTorch takes the kernel size for them.",
    );
    say(operation === "average_pool", "`count_include_pad` is off unless it is switched on.");
    say(operation === "average_pool", "`AveragePool` has dilations from operator set 19 on.");
    return notes;
  }

  snippets.writers.onnx = (chosen) => {
    const operands = operandsOf(chosen);
    const names = operands.map(({ name }) => name);
    const quoted = list(names.map((name) => `"${name}"`));
    const rank = shapesOf(chosen).x.length;
    const code = [
      "import numpy",
      "import onnxruntime",
      "from onnx import TensorProto, helper",
      "",
      ...operands.map(
        ({ name, shape, data }) =>
          `${name} = numpy.array([${lines({ shape, data })}], "float32").reshape${tuple(shape)}`,
      ),
      "",
      "node = helper.make_node(",
      `    "${NODES[chosen.operation]}",`,
      `    ${quoted},`,
      '    ["y"],',
      ...attributesOf(chosen),
      ")",
      "",
      "",
      "def value(name, shape):",
      "    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)",
      "",
      "",
      `inputs = {${names.map((name) => `"${name}": ${name}`).join(", ")}}`,
      "graph = helper.make_graph(",
      "    [node],",
      '    "explorer",',
      "    [value(name, array.shape) for name, array in inputs.items()],",
      `    [value("y", [None] * ${rank})],`,
      ")",
      "model = helper.make_model(",
      '    graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9',
      ")",
      "session = onnxruntime.InferenceSession(",
      '    model.SerializeToString(), providers=["CPUExecutionProvider"]',
      ")",
      "(y,) = session.run(None, inputs)",
      "print(y)",
    ];
    return { code: code.join("\n"), notes: notesOf(chosen) };
  };
})();
