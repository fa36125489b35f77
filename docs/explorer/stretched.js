"use strict";
// A transposed convolution as what it equals: a convolution with stride 1 and the kernel turned round
// over the input stretched by zeros.  A picture only; its numbers are changed in the arrays above.
(() => {
  const { planOf, shapesOf } = configuration;
  const { format } = explanation;
  const { extent, flat, range } = arithmetic;
  const { element, byId } = dom;

  // For each axis: positions from `from` up to `to` of the stretched input, element i at i s.  The
  // window of output a starts at a + from.
  const spansOf = (chosen, sliding) =>
    sliding.map((window, axis) => {
      const reach = extent(window) - 1;
      const last = (chosen.size[axis] - 1) * window.stride;
      const to = last + 1 + reach - window.high + chosen.output_padding[axis];
      return { from: window.low - reach, to, last, stride: window.stride };
    });

  const twoAxes = (values, missing) => (values.length === 1 ? [missing, values[0]] : values);
  const ALONE = { from: 0, to: 1, last: 0, stride: 1 };

  function gridOf(kind, rows, columns, cellOf) {
    const line = (row) =>
      element(
        "div",
        { class: "line" },
        columns.map((column) => cellOf(row, column)),
      );
    const style = `--columns: ${columns.length}`;
    return element(
      "div",
      { class: `grid small ${kind}`, style, "aria-hidden": "true" },
      rows.map(line),
    );
  }

  const between = ({ from, to }) => range(Math.max(0, to - from)).map((step) => from + step);

  function plane(chosen, spans, taps, channel) {
    const ends = twoAxes(spans, ALONE);
    const { x: shape } = shapesOf(chosen);
    const kindOf = (at) => {
      if (at.some((a, axis) => a < 0 || a > ends[axis].last)) return "padding";
      return at.some((a, axis) => a % ends[axis].stride) ? "zero" : "element";
    };
    const textOf = (at) => {
      const place = at.map((a, axis) => a / ends[axis].stride).slice(2 - chosen.size.length);
      return format(chosen.x[flat([0, channel, ...place], shape)]);
    };
    const grid = gridOf("x", between(ends[0]), between(ends[1]), (...at) => {
      const kind = kindOf(at);
      const tap = at.every((a, axis) => taps[axis].includes(a)) ? "read" : "";
      const text = { padding: "", zero: "0" }[kind] ?? textOf(at);
      return element("div", { class: `cell ${kind} ${tap}` }, text);
    });
    grid.append(element("div", { class: "window" }));
    return grid;
  }

  function turned(chosen, weight) {
    const { w: shape } = shapesOf(chosen);
    const [rows, columns] = twoAxes(chosen.kernel, 1).map((size) => range(size).reverse());
    return gridOf("w", rows, columns, (row, column) => {
      const tap = [row, column].slice(2 - chosen.kernel.length);
      return element("div", { class: "cell" }, format(chosen.w[flat([...weight, ...tap], shape)]));
    });
  }

  function told(chosen, sliding) {
    const amounts = sliding.map((window, axis) => {
      const reach = extent(window) - 1;
      const after = reach - window.high + chosen.output_padding[axis];
      return `${window.stride - 1} between, ${reach - window.low} before and ${after} after`;
    });
    const axes = amounts.length === 1 || amounts[0] === amounts[1] ? [amounts[0]] : amounts;
    const zeros = axes.length === 1 ? axes[0] : `in rows ${axes[0]}, in columns ${axes[1]}`;
    return (
      "The same outputs by a convolution with stride 1: the kernel turned round, over the input with " +
      `zeros put in, s − 1 between its elements, d(k − 1) − p before and after, and q more after ` +
      `(here ${zeros.replaceAll("-", "\u2212")}${zeros.includes("-") ? "; below zero crops" : ""}).`
    );
  }

  // Shows it for the selected output; hidden for the other operations.
  function paint(chosen) {
    const place = byId("stretched");
    place.hidden = chosen.operation !== "conv_transpose";
    if (place.hidden) return;
    const { sliding, channelPairs } = planOf(chosen);
    const spans = spansOf(chosen, sliding);
    const [channel, ...position] = chosen.at;
    const read = spans.map(({ from }, axis) =>
      range(chosen.kernel[axis]).map((tap) => position[axis] + from + tap * chosen.dilation[axis]),
    );
    const taps = twoAxes(read, [0]);
    const pairs = channelPairs(channel).map(([c, weight]) =>
      element("div", { class: "pair" }, plane(chosen, spans, taps, c), "⋆", turned(chosen, weight)),
    );
    place.replaceChildren(element("p", { class: "aside" }, told(chosen, sliding)), ...pairs);
    const starts = twoAxes(position, 0);
    const extents = twoAxes(sliding.map(extent), 1);
    for (const window of place.querySelectorAll(".window")) {
      ["--row", "--column"].forEach((name, axis) => window.style.setProperty(name, starts[axis]));
      ["--rows", "--width"].forEach((name, axis) => window.style.setProperty(name, extents[axis]));
    }
  }

  globalThis.stretched = { paint };
})();
