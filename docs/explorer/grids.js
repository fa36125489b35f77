"use strict";
// The input, the kernel and the output as grids of cells, and the window over the input.
(() => {
  const { isPool, planOf, shapesOf } = configuration;
  const { termsOf, selectedOf, brief, format } = explanation;
  const { extent, flat, range } = arithmetic;
  const { element, byId } = dom;

  // A grid has two axes; with one axis it has one row.
  const twoAxes = (values, missing) => (values.length === 1 ? [missing, values[0]] : values);

  // Which positions of an axis of the input are drawn: its padding, and what the last window
  // reaches beyond that under ceil.  Of a transposed convolution, the input alone.
  function spanOf(chosen, plan, axis) {
    const n = chosen.size[axis];
    if (chosen.operation === "conv_transpose") return [0, n];
    const window = plan.sliding[axis];
    const reached = (plan.sizes[axis] - 1) * window.stride - window.low + extent(window);
    return [-window.low, Math.max(n + window.high, reached)];
  }

  function gridOf(label, spans, kind, cellOf) {
    const [rows, columns] = spans;
    const lines = range(rows[1] - rows[0]).map((row) => {
      const cells = range(columns[1] - columns[0]).map((column) =>
        cellOf(rows[0] + row, columns[0] + column),
      );
      // A row of padding alone is no row of the array.
      const isRow = cells.some((cell) => cell.getAttribute("role") === "gridcell");
      return element(
        "div",
        isRow ? { role: "row", class: "line" } : { "aria-hidden": "true", class: "line" },
        cells,
      );
    });
    const size = `--columns: ${columns[1] - columns[0]}`;
    return element(
      "div",
      { role: "grid", class: `grid ${kind}`, "aria-label": label, style: size },
      lines,
    );
  }

  // A cell that holds a number to be changed; its place is kept in data attributes.
  function entry(letter, place, label) {
    const field = element("input", {
      ...{ type: "text", inputmode: "text", tabindex: -1, "aria-label": label },
      ...{ "data-array": letter, "data-place": place, spellcheck: "false" },
    });
    return element("div", { role: "gridcell", class: "cell" }, field);
  }

  const beyond = (kind, text = "") =>
    element("div", { class: `cell ${kind}`, "aria-hidden": "true" }, text);

  function inputPlane(chosen, plan, shape, channel) {
    const spans = twoAxes(
      chosen.size.map((_, axis) => spanOf(chosen, plan, axis)),
      [0, 1],
    );
    const ends = twoAxes(
      chosen.size.map((n, axis) => [n, n + chosen.high[axis]]),
      [1, 1],
    );
    const rank = chosen.size.length;
    return gridOf(`Input, channel ${channel}`, spans, "x", (row, column) => {
      const at = [row, column];
      if (at.some((a, axis) => a >= ends[axis][1])) return beyond("overhang");
      if (at.some((a, axis) => a < 0 || a >= ends[axis][0])) return beyond("padding");
      const index = [channel, ...at.slice(2 - rank)];
      return entry("x", flat([0, ...index], shape), `input ${index.join(", ")}`);
    });
  }

  function kernelPlane(chosen, shape, plane) {
    const spans = twoAxes(
      chosen.kernel.map((k) => [0, k]),
      [0, 1],
    );
    const rank = chosen.kernel.length;
    return gridOf(`Kernel ${plane.join(", ")}`, spans, "w", (row, column) => {
      const index = [...plane, ...[row, column].slice(2 - rank)];
      return entry("w", flat(index, shape), `kernel ${index.join(", ")}`);
    });
  }

  // The output of a transposed convolution is drawn with what is cropped from it.
  function outputPlane(chosen, plan, channel) {
    const crop = chosen.operation === "conv_transpose";
    const spans = plan.sizes.map((size, axis) =>
      crop ? [-chosen.low[axis], size + chosen.high[axis]] : [0, size],
    );
    const rank = chosen.size.length;
    const sizes = twoAxes(plan.sizes, 1);
    return gridOf(`Output, channel ${channel}`, twoAxes(spans, [0, 1]), "y", (row, column) => {
      const at = [row, column];
      if (at.some((a, axis) => a < 0 || a >= sizes[axis])) return beyond("cropped");
      const index = [channel, ...at.slice(2 - rank)];
      return element("div", {
        ...{ role: "gridcell", class: "cell", tabindex: -1, "data-at": index.join(",") },
        "aria-selected": "false",
      });
    });
  }

  const figure = (caption, ...content) =>
    element("figure", {}, element("figcaption", {}, caption), ...content);

  const titled = (letter, kind, rest) => [element("i", { class: kind }, letter), rest];

  // Builds the grids of a configuration for one output channel.
  function build(chosen) {
    const plan = planOf(chosen);
    const shapes = shapesOf(chosen);
    const [channel] = chosen.at;
    const pairs = plan.channelPairs(channel);
    const inputs = range(shapes.x[1]).map((c) => {
      const grid = inputPlane(chosen, plan, shapes.x, c);
      grid.dataset.channel = c;
      grid.append(element("div", { class: "window", "aria-hidden": "true" }));
      return figure(titled("x", "x", shapes.x[1] > 1 ? `[${c}]` : ""), grid);
    });
    const kernels = isPool(chosen)
      ? []
      : pairs.map(([, plane]) =>
          figure(
            titled("w", "w", pairs.length > 1 || plan.outputs > 1 ? `[${plane.join(", ")}]` : ""),
            kernelPlane(chosen, shapes.w, plane),
          ),
        );
    const bias = isPool(chosen)
      ? []
      : [
          figure(
            titled("b", "w", plan.outputs > 1 ? `[${channel}]` : ""),
            gridOf(
              "Bias",
              [
                [0, 1],
                [0, 1],
              ],
              "w",
              () => entry("b", channel, `bias ${channel}`),
            ),
          ),
        ];
    const outputs = range(plan.outputs).map((o) =>
      figure(titled("y", "y", plan.outputs > 1 ? `[${o}]` : ""), outputPlane(chosen, plan, o)),
    );
    const group = (label, kind, members) =>
      element("div", { class: `planes ${kind}`, role: "group", "aria-label": label }, members);
    const between = (text) => element("span", { class: "between", "aria-hidden": "true" }, text);
    const sign = { conv: "⋆", conv_transpose: "⋆ᵀ", max_pool: "max", average_pool: "mean" };
    // The more channels, the smaller the cells.
    const planes = Math.max(shapes.x[1], plan.outputs);
    const largest = planes > 3 ? "1.75rem" : planes > 1 ? "2.1rem" : "2.6rem";
    byId("arrays").style.setProperty("--largest", largest);
    byId("arrays").replaceChildren(
      group("Input", "inputs", inputs),
      between(sign[chosen.operation]),
      ...(isPool(chosen) ? [] : [group("Kernel", "kernels", [...kernels, ...bias])]),
      between("="),
      group("Output", "outputs", outputs),
    );
  }

  // What decides which cells there are; where it stays, `paint` is enough.
  const keyOf = ({ x, w, b, at, count_include_pad, layers, ...geometry }) =>
    JSON.stringify([geometry, at[0]]);

  const toggle = (cell, kinds) => {
    for (const [kind, on] of Object.entries(kinds)) cell.classList.toggle(kind, on);
  };

  // Shows the numbers and marks what the selected output is made of.
  function paint(chosen, output) {
    const plan = planOf(chosen);
    const shapes = shapesOf(chosen);
    const terms = termsOf(chosen, chosen.at);
    const inside = terms.filter((term) => term.inside);
    const read = new Set(inside.map(({ input }) => flat([0, ...input], shapes.x)));
    const used = new Set(inside.map(({ weight }) => weight && flat(weight, shapes.w)));
    const chosenTerm = chosen.operation === "max_pool" ? selectedOf(terms) : null;
    const best = chosenTerm && flat([0, ...chosenTerm.input], shapes.x);
    for (const field of byId("arrays").querySelectorAll("input")) {
      const { array, place } = field.dataset;
      const text = format(chosen[array][place]);
      if (field !== document.activeElement) field.value = text;
      toggle(field.parentElement, {
        read: array === "x" && read.has(Number(place)),
        best: array === "x" && Number(place) === best,
        used: array === "w" && used.has(Number(place)),
        long: text.length > 3,
      });
    }
    const here = chosen.at.join(",");
    for (const cell of byId("arrays").querySelectorAll("[data-at]")) {
      const index = cell.dataset.at.split(",").map(Number);
      const value = output.data[flat([0, ...index], output.shape)];
      const text = brief(value);
      cell.textContent = text;
      cell.title = format(value);
      cell.setAttribute("aria-label", `output ${index.join(", ")}: ${text}`);
      cell.setAttribute("aria-selected", String(cell.dataset.at === here));
      cell.tabIndex = cell.dataset.at === here ? 0 : -1;
      toggle(cell, { long: text.length > 3, longer: text.length > 5 });
    }
    placeWindows(chosen, plan);
    keepOneStop();
  }

  function placeWindows(chosen, plan) {
    const [channel, ...position] = chosen.at;
    const channels = plan.channelPairs(channel).map(([c]) => c);
    const starts = twoAxes(
      position.map((i, axis) => i * plan.sliding[axis].stride),
      0,
    );
    const extents = twoAxes(plan.sliding.map(extent), 1);
    for (const grid of byId("arrays").querySelectorAll(".grid.x")) {
      const window = grid.querySelector(".window");
      window.hidden =
        chosen.operation === "conv_transpose" || !channels.includes(Number(grid.dataset.channel));
      window.style.setProperty("--row", starts[0]);
      window.style.setProperty("--column", starts[1]);
      window.style.setProperty("--rows", extents[0]);
      window.style.setProperty("--width", extents[1]);
    }
  }

  // Of each grid of fields one is reached by the tab key; the arrow keys go on from there.
  function keepOneStop() {
    for (const grid of byId("arrays").querySelectorAll(".grid:not(.y)")) {
      const fields = [...grid.querySelectorAll("input")];
      if (fields.length && !fields.some((field) => field.tabIndex === 0)) fields[0].tabIndex = 0;
    }
  }

  // Marks the outputs that read an input, given by its place; none where the place is null.
  function markReaders(chosen, place) {
    const shapes = shapesOf(chosen);
    for (const cell of byId("arrays").querySelectorAll("[data-at]")) {
      const at = cell.dataset.at.split(",").map(Number);
      const reads = () =>
        termsOf(chosen, at).some(
          ({ input, inside }) => inside && flat([0, ...input], shapes.x) === place,
        );
      cell.classList.toggle("reader", place !== null && reads());
    }
  }

  // The cell in a direction from another one within its grid, or null at the border.
  function neighbour(cell, key) {
    const line = cell.parentElement;
    const column = [...line.children].indexOf(cell);
    const isUsable = (found) => found && !found.matches(".padding, .overhang, .cropped, .window");
    const steps = {
      ArrowLeft: () => cell.previousElementSibling,
      ArrowRight: () => cell.nextElementSibling,
      ArrowUp: () => line.previousElementSibling?.children[column],
      ArrowDown: () => line.nextElementSibling?.children[column],
      Home: () => [...line.children].find(isUsable),
      End: () => [...line.children].findLast(isUsable),
    };
    const found = steps[key]?.();
    return isUsable(found) ? found : null;
  }

  globalThis.grids = { build, keyOf, paint, markReaders, neighbour };
})();
