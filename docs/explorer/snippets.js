"use strict";
// What the snippets for the frameworks share: numbers as Python writes them, and how far a pool must
// be padded for a framework that has no ceil mode.
(() => {
  const { isPool, planOf, shapesOf } = configuration;
  const { extent, positions, flat, range } = arithmetic;

  const tuple = (values) => `(${values.join(", ")}${values.length === 1 ? "," : ""})`;
  const list = (values) => `[${values.join(", ")}]`;

  // One number where all axes agree.
  const perAxis = (values) =>
    values.every((value) => value === values[0]) ? String(values[0]) : tuple(values);

  const pairs = (values) => `(${values.map(tuple).join(", ")}${values.length === 1 ? "," : ""})`;

  // A number that Python reads as a float.
  const float = (value) => (Number.isInteger(value) ? `${value}.0` : String(value));

  // Keyword arguments, those at their defaults left out.
  const keywords = (given) =>
    given
      .filter(([, value, ordinary]) => String(value) !== String(ordinary))
      .map(([name, value]) => `${name}=${value}`);

  // A call, on one line where it fits.
  function call(target, callee, given) {
    const line = `${target} = ${callee}(${given.join(", ")})`;
    if (line.length <= 78) return line;
    return `${target} = ${callee}(\n${given.map((word) => `    ${word},`).join("\n")}\n)`;
  }

  // The numbers of an array with its axes in another order: axis k of the result is axis order[k].
  function reordered(data, shape, order) {
    const turned = order.map((axis) => shape[axis]);
    const at = (index) => order.reduce((back, axis, k) => ((back[axis] = index[k]), back), []);
    return { shape: turned, data: positions(turned).map((index) => data[flat(at(index), shape)]) };
  }

  // The numbers as lines of Python, one line for each run along the last axis that has several.
  function lines({ shape, data }) {
    const width = shape.findLast((size) => size > 1) ?? 1;
    const rows = range(Math.ceil(data.length / width)).map((row) =>
      data
        .slice(row * width, (row + 1) * width)
        .map(float)
        .join(", "),
    );
    return rows.length === 1 ? rows[0] : `\n${rows.map((row) => `    ${row},`).join("\n")}\n`;
  }

  // The operands of a configuration, their axes in the order given for each.
  function operandsOf(chosen, orders = {}) {
    const shapes = shapesOf(chosen);
    const names = isPool(chosen) ? ["x"] : ["x", "w", "b"];
    return names.map((name) => {
      const order = orders[name] ?? shapes[name].map((_, axis) => axis);
      return { name, ...reordered(chosen[name], shapes[name], order) };
    });
  }

  // Channels last: the input, and the weight with its two channel axes behind and swapped.
  function channelsLast(chosen) {
    const axes = range(chosen.size.length).map((axis) => axis + 2);
    return { x: [0, ...axes, 1], w: [...axes, 1, 0] };
  }

  // For each axis the [low, high] padding after which whole windows fit and none is left over, and
  // of that high side how much counts as padding and how much is overhang under ceil.
  function fitted(chosen) {
    const { sliding, sizes } = planOf(chosen);
    return sliding.map((window, axis) => {
      const reach = (sizes[axis] - 1) * window.stride + extent(window);
      const needed = Math.max(0, reach - chosen.size[axis] - window.low);
      const high = window.ceil ? needed : window.high;
      const counted = Math.min(high, window.high);
      return { low: window.low, high, counted, overhang: high - counted };
    });
  }

  const isSymmetric = ({ low, high }) => low.every((amount, axis) => amount === high[axis]);
  const isPadded = ({ low, high }) => [...low, ...high].some((amount) => amount > 0);
  const some = (values, least) => values.some((value) => value > least);

  globalThis.snippets = {
    ...{ tuple, list, perAxis, pairs, keywords, call, lines, operandsOf, channelsLast },
    ...{ fitted, isSymmetric, isPadded, some },
    writers: {},
  };
})();
