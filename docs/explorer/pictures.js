"use strict";
// The matrix of the operation with the row of the selected output, and the receptive field of a stack.
(() => {
  const { isPool, planOf, shapesOf } = configuration;
  const { brief, fieldOf, fieldsOf, format, matrixOf, rowOf, name } = explanation;
  const { extent, positions, range } = arithmetic;
  const { byId, element, formula, letter, math, minus, number, row, sign, svg } = dom;

  // A larger matrix is not drawn: its cells would be smaller than can be seen.
  const LARGEST = 60000;

  const colour = (kind) => getComputedStyle(document.body).getPropertyValue(kind);

  // Draws the matrix, one square for each entry, and a frame around the selected row.
  function draw(canvas, matrix, selected) {
    const [rows, columns] = [matrix.length, matrix[0].length];
    const side = Math.max(2, Math.min(14, Math.floor(640 / columns), Math.floor(480 / rows)));
    canvas.width = columns * side;
    canvas.height = rows * side;
    const context = canvas.getContext("2d");
    const largest = Math.max(...matrix.flat().map(Math.abs), Number.MIN_VALUE);
    const [positive, negative, line] = ["--w", "--x", "--line"].map(colour);
    context.fillStyle = line;
    for (let r = 1; side > 5 && r < rows; r++) context.fillRect(0, r * side, canvas.width, 0.5);
    for (let c = 1; side > 5 && c < columns; c++) context.fillRect(c * side, 0, 0.5, canvas.height);
    matrix.forEach((entries, r) =>
      entries.forEach((entry, c) => {
        if (entry === 0) return;
        context.globalAlpha = 0.3 + (0.7 * Math.abs(entry)) / largest;
        context.fillStyle = entry > 0 ? positive : negative;
        context.fillRect(c * side, r * side, side - (side > 5), side - (side > 5));
      }),
    );
    context.globalAlpha = 1;
    context.strokeStyle = colour("--y");
    context.lineWidth = 2;
    context.strokeRect(1, selected * side, canvas.width - 2, side);
    return side;
  }

  function paintMatrix(chosen, select) {
    const plan = planOf(chosen);
    const outputs = positions([plan.outputs, ...plan.sizes]);
    const inputs = positions(shapesOf(chosen).x.slice(1));
    const selected = outputs.findIndex((at) => String(at) === String(chosen.at));
    const entries = rowOf(chosen, chosen.at);
    const nonzero = entries.filter((entry) => entry !== 0).length;
    const cells = entries.map((entry, place) =>
      element(
        "td",
        { class: entry ? "taken" : undefined, title: name("x", inputs[place]) },
        brief(entry),
      ),
    );
    const strip = element(
      "div",
      {
        class: "scroll",
        tabindex: 0,
        role: "region",
        "aria-label": `Row ${selected} of the matrix`,
      },
      element(
        "table",
        { class: "strip", id: "row" },
        element("tbody", {}, element("tr", {}, cells)),
      ),
    );
    const size = `${outputs.length} × ${inputs.length}`;
    const about = isPool(chosen)
      ? chosen.operation === "max_pool"
        ? "A maximum is not linear and has no matrix. For the input at hand it selects: each row has one 1."
        : "An average is linear: each row holds the reciprocal of its divisor."
      : "The output is this matrix times the flat input, plus the bias" +
        (chosen.operation === "conv_transpose"
          ? ": the transpose of a convolution's matrix, not its inverse."
          : ".");
    const parts = [
      element("p", {}, about),
      element("p", {}, `Row ${selected} of ${size}; entries that are not 0: ${nonzero}.`),
      strip,
    ];
    if (outputs.length * inputs.length > LARGEST) {
      parts.push(
        element("p", { class: "aside" }, `All ${size} entries would be too small to see.`),
      );
    } else {
      const label = `The matrix, ${size}; row ${selected} is framed.`;
      const canvas = element("canvas", { role: "img", "aria-label": label, id: "whole" });
      const side = draw(canvas, matrixOf(chosen), selected);
      canvas.addEventListener("click", (event) => {
        const shrunk = canvas.height / canvas.getBoundingClientRect().height;
        const line = Math.floor((event.offsetY * shrunk) / side);
        if (outputs[line]) select(outputs[line]);
      });
      parts.push(element("div", { class: "scroll" }, canvas));
    }
    byId("matrix").replaceChildren(...parts);
    // A long row begins where it is not 0.
    const first = byId("row").querySelector(".taken");
    strip.scrollLeft = first ? first.offsetLeft - strip.clientWidth / 3 : 0;
  }

  // r = 1 + (e - 1)(1 + s + ... ), the numbers filled in.
  function fieldFormula(window, layers, size) {
    const reach = extent(window) - 1;
    const powers = range(layers).flatMap((layer) => [
      ...(layer ? [sign("+")] : []),
      ...[number(reach), sign("·"), number(window.stride ** layer)],
    ]);
    const sum = math(
      "munderover",
      {},
      sign("∑"),
      row(letter("l"), sign("="), number(1)),
      letter("L"),
    );
    const jump = math("msup", {}, letter("s"), row(letter("l"), sign("−"), number(1)));
    const general = [sign("("), letter("e"), sign("−"), number(1), sign(")"), jump];
    return [
      formula(letter("r"), sign("="), number(1), sign("+"), sum, ...general),
      formula(sign("="), number(1), sign("+"), ...powers, sign("="), number(size, "x")),
    ];
  }

  // One axis, a line of dots for each layer, and the cone under output 0 of the last.  Positions of
  // the input are numbered, and hollow outside its n positions.
  function cone(window, layers, n) {
    const fields = fieldsOf(window, layers);
    const { size, start } = fields.at(-1);
    const [wide, high] = [22, 46];
    const x = (place) => (place - start + 0.5) * wide;
    const y = (layer) => (layers - layer) * high + 14;
    const centre = (layer, place) => {
      const { jump, start: from, size: reach } = fields[layer];
      return x(from + place * jump + (reach - 1) / 2);
    };
    // Which positions of every layer output 0 of the last one sees, from the last down.
    const seen = [[0]];
    for (let layer = layers; layer > 0; layer--) {
      const below = seen[0].flatMap((i) =>
        range(window.kernel).map((j) => i * window.stride - window.low + j * window.dilation),
      );
      seen.unshift([...new Set(below)].sort((a, b) => a - b));
    }
    const lines = range(layers).flatMap((layer) =>
      seen[layer + 1].flatMap((i) =>
        range(window.kernel).map((j) =>
          svg("line", {
            ...{ x1: centre(layer + 1, i), y1: y(layer + 1) },
            x2: centre(layer, i * window.stride - window.low + j * window.dilation),
            y2: y(layer),
          }),
        ),
      ),
    );
    const kindOf = (layer, place) => {
      if (layer === 0) return place < 0 || place >= n ? "x outside" : "x";
      return layer === layers ? "y" : "middle";
    };
    const dots = seen.flatMap((places, layer) =>
      places.map((place) =>
        svg("circle", {
          cx: centre(layer, place),
          cy: y(layer),
          r: 5,
          class: kindOf(layer, place),
        }),
      ),
    );
    const labels = seen[0].map((place) =>
      svg("text", { x: centre(0, place), y: y(0) + 20 }, minus(place)),
    );
    const width = size * wide;
    return svg(
      "svg",
      {
        ...{ viewBox: `0 0 ${width} ${layers * high + 40}`, width, role: "img", class: "cone" },
        "aria-label": `Output 0 of ${layers} layers sees ${size} input positions, from ${start} on.`,
      },
      lines,
      dots,
      labels,
    );
  }

  function paintField(chosen, setLayers) {
    const plan = planOf(chosen);
    const names = plan.sizes.length === 1 ? ["position"] : ["row", "column"];
    const seen = fieldOf(chosen, chosen.at).map((ends, axis) => {
      if (!ends) return `no ${names[axis]}`;
      const [first, last] = ends;
      return first === last ? `${names[axis]} ${first}` : `${names[axis]}s ${first} to ${last}`;
    });
    const parts = [
      element("p", { id: "seen" }, `The selected output reads ${seen.join(" and ")} of the input.`),
    ];
    if (chosen.operation === "conv_transpose")
      parts.push(
        element(
          "p",
          { class: "aside" },
          "Each input adds to as many outputs as the kernel spans, less what is cropped: focus a cell " +
            "of the input to see which.",
        ),
      );
    else parts.push(...stack(chosen, plan, setLayers));
    byId("field").replaceChildren(...parts);
  }

  function stack(chosen, plan, setLayers) {
    const { layers } = chosen;
    const [least, most] = configuration.LIMITS.layers;
    const slider = element("input", {
      ...{ type: "range", id: "layers", min: least, max: most, value: layers },
    });
    slider.addEventListener("input", () => setLayers(slider.valueAsNumber));
    const told = plan.sliding.map((window, axis) => ({ window, n: chosen.size[axis] }));
    const axes = formulas.toldApart(told).flatMap(([{ window, n }, title], axis) => {
      const { size, jump, start } = fieldsOf(window, layers).at(-1);
      return [
        title ? element("h3", {}, title) : [],
        element(
          "div",
          { class: "formula", id: `field-${axis}` },
          fieldFormula(window, layers, size),
        ),
        element(
          "p",
          { class: "aside" },
          `Neighbouring outputs are ${jump} apart in the input; output 0 sees from position ` +
            `${format(start)} on${start < 0 ? ", that is, from the padding" : ""}.`,
        ),
        element("div", { class: "scroll" }, cone(window, layers, n)),
      ];
    });
    return [
      element(
        "p",
        {},
        element(
          "label",
          { for: "layers" },
          `Of a stack of ${layers} such ${layers > 1 ? "layers" : "layer"}: `,
        ),
        slider,
      ),
      ...axes,
    ];
  }

  globalThis.pictures = { paintMatrix, paintField };
})();
