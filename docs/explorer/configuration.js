"use strict";
// What the reader has chosen, as one plain record, and the same as the fragment of an address.
//
// { operation, size, kernel, stride, low, high, dilation, output_padding: one entry for each axis,
//   groups, inputs, outputs: channels of each group, ceil_mode, count_include_pad,
//   layers: of the stack whose receptive field is shown,
//   x, w, b: the numbers, flat, at: the output element looked at, (channel, *position) }
//
// A record is never changed: `changed` makes the next one.
(() => {
  const { convPlan, conv_transposePlan, poolPlan, flat, positions, product, range } = arithmetic;

  const OPERATIONS = ["conv", "conv_transpose", "max_pool", "average_pool"];
  const PER_AXIS = ["size", "kernel", "stride", "low", "high", "dilation", "output_padding"];
  const CHANNELS = ["groups", "inputs", "outputs"];
  const FLAGS = ["ceil_mode", "count_include_pad"];
  const NUMBERS = ["x", "w", "b"];

  // The least and the largest value that the page offers.
  const LIMITS = {
    size: [1, 10],
    kernel: [1, 5],
    stride: [1, 4],
    low: [0, 5],
    high: [0, 5],
    dilation: [1, 3],
    output_padding: [0, 3],
    groups: [1, 3],
    inputs: [1, 3],
    outputs: [1, 3],
    layers: [1, 5],
  };

  const isPool = ({ operation }) => operation.endsWith("_pool");

  function shapesOf(configuration) {
    const { operation, size, kernel, groups, inputs, outputs } = configuration;
    if (isPool(configuration)) return { x: [1, inputs, ...size], w: [0], b: [0] };
    const input = [1, groups * inputs, ...size];
    const channels = operation === "conv" ? [groups * outputs, inputs] : [groups * inputs, outputs];
    return { x: input, w: [...channels, ...kernel], b: [groups * outputs] };
  }

  // Numbers for places that have none yet: small and varied.
  const FILL = {
    x: (index) => index.reduce((sum, i, axis) => sum + i * [0, 4, 7, 3][axis], 3) % 10,
    w: (index) => (index.reduce((sum, i, axis) => sum + i * (axis + 1), 1) % 5) - 2,
    b: () => 0,
  };

  const filled = (name, shape) => positions(shape).map(FILL[name]);

  // The numbers of an array in a new shape: what has a place in both stays.
  const carried = (name, data, from, to) =>
    positions(to).map((index) =>
      index.length === from.length && index.every((i, axis) => i < from[axis])
        ? data[flat(index, from)]
        : FILL[name](index),
    );

  function attributesOf(configuration) {
    const { stride, low, high, dilation, kernel, groups } = configuration;
    const padding = low.map((amount, axis) => [amount, high[axis]]);
    const sliding = { stride, padding, dilation };
    if (configuration.operation === "conv") return { ...sliding, groups };
    if (configuration.operation === "conv_transpose")
      return { ...sliding, groups, output_padding: configuration.output_padding };
    const pool = { ...sliding, kernel_size: kernel, ceil_mode: configuration.ceil_mode };
    return configuration.operation === "max_pool"
      ? pool
      : { ...pool, count_include_pad: configuration.count_include_pad };
  }

  // Raises a RangeError, with the reason, where the spec has no such call.
  function planOf(configuration) {
    const { x, w, b } = shapesOf(configuration);
    const attributes = attributesOf(configuration);
    if (configuration.operation === "conv") return convPlan(x, w, b, attributes);
    if (configuration.operation === "conv_transpose")
      return conv_transposePlan(x, w, b, attributes);
    return poolPlan(x, attributes);
  }

  function outputOf(configuration) {
    const shapes = shapesOf(configuration);
    const [x, w, b] = NUMBERS.map((name) => ({ shape: shapes[name], data: configuration[name] }));
    const operands = isPool(configuration) ? [x] : [x, w, b];
    return arithmetic[configuration.operation](...operands, attributesOf(configuration));
  }

  // The same output element where there still is one, the nearest otherwise.
  function nearest(configuration, at) {
    try {
      const { outputs, sizes } = planOf(configuration);
      const shape = [outputs, ...sizes];
      return shape.map((size, axis) => Math.min(at[axis] ?? 0, size - 1));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return [0, ...configuration.size.map(() => 0)];
    }
  }

  function changed(configuration, changes) {
    const next = { ...configuration, ...changes };
    const [from, to] = [shapesOf(configuration), shapesOf(next)];
    for (const name of NUMBERS)
      if (!(name in changes)) next[name] = carried(name, configuration[name], from[name], to[name]);
    next.at = nearest(next, next.at);
    return next;
  }

  // The same with one or two axes: the last axis stays, a new first one takes after it.
  function withRank(configuration, rank) {
    const axes = Object.fromEntries(
      PER_AXIS.map((name) => {
        const last = configuration[name].at(-1);
        return [name, range(rank).map((axis) => configuration[name].at(axis - rank) ?? last)];
      }),
    );
    const [channel, ...position] = configuration.at;
    const at = [channel, ...range(rank).map((axis) => position.at(axis - rank) ?? 0)];
    return changed(configuration, { ...axes, at });
  }

  const START = {
    operation: "conv",
    size: [5, 5],
    kernel: [3, 3],
    stride: [1, 1],
    low: [1, 1],
    high: [1, 1],
    dilation: [1, 1],
    output_padding: [0, 0],
    groups: 1,
    inputs: 1,
    outputs: 1,
    ceil_mode: false,
    count_include_pad: false,
    layers: 3,
    x: filled("x", [1, 1, 5, 5]),
    w: [1, 0, -1, 2, 0, -2, 1, 0, -1],
    b: [0],
    at: [0, 1, 2],
  };

  // From here on: the fragment of an address, `#conv&size=5,5&kernel=3,3&...`.

  function fragmentOf(configuration) {
    const words = [configuration.operation];
    const say = (name, value) => words.push(`${name}=${value}`);
    PER_AXIS.forEach((name) => say(name, configuration[name].join(",")));
    CHANNELS.forEach((name) => say(name, configuration[name]));
    FLAGS.forEach((name) => say(name, Number(configuration[name])));
    say("layers", configuration.layers);
    NUMBERS.forEach((name) => say(name, configuration[name].join(",")));
    say("at", configuration.at.join(","));
    return words.join("&");
  }

  function numbers(name, text, { count, whole, limits = [-Infinity, Infinity] }) {
    const values = text === "" ? [] : text.split(",").map((word) => (word ? Number(word) : NaN));
    const fits = (value) =>
      (whole ? Number.isInteger(value) : Number.isFinite(value)) &&
      value >= limits[0] &&
      value <= limits[1];
    if (values.length !== count || !values.every(fits)) {
      const kind = whole ? `whole numbers from ${limits.join(" to ")}` : "numbers";
      throw new SyntaxError(`${name}=${text}: must be ${count} ${kind}, with commas between them`);
    }
    return values;
  }

  // Raises a SyntaxError that names what it does not understand.
  function fromFragment(text) {
    const [operation, ...words] = decodeURIComponent(text).split("&");
    if (!OPERATIONS.includes(operation))
      throw new SyntaxError(`${operation}: must be one of ${OPERATIONS.join(", ")}`);
    const said = new Map(words.map((word) => word.split(/=(.*)/s, 2)));
    const known = [...PER_AXIS, ...CHANNELS, ...FLAGS, "layers", ...NUMBERS, "at"];
    for (const name of said.keys())
      if (!known.includes(name)) throw new SyntaxError(`${name}: nothing here has this name`);
    const rank = (said.get("size") ?? "5,5").split(",").length;
    if (rank > 2) throw new SyntaxError(`size=${said.get("size")}: one or two axes can be shown`);
    const next = withRank({ ...START, operation }, rank);
    const read = (name, count) => {
      if (!said.has(name)) return next[name];
      return numbers(name, said.get(name), { count, whole: true, limits: LIMITS[name] ?? [0, 1] });
    };
    for (const name of PER_AXIS) next[name] = read(name, rank);
    for (const name of [...CHANNELS, "layers"]) [next[name]] = [read(name, 1)].flat();
    for (const name of FLAGS) next[name] = Boolean([read(name, 1)].flat()[0]);
    const shapes = shapesOf(next);
    for (const name of NUMBERS)
      next[name] = said.has(name)
        ? numbers(name, said.get(name), { count: product(shapes[name]), whole: false })
        : carried(name, START[name], shapesOf(START)[name], shapes[name]);
    const at = said.has("at")
      ? numbers("at", said.get("at"), { count: 1 + rank, whole: true, limits: [0, 1e6] })
      : next.at;
    return { ...next, at: nearest(next, at) };
  }

  globalThis.configuration = {
    ...{ START, OPERATIONS, PER_AXIS, LIMITS, FILL },
    ...{ isPool, shapesOf, attributesOf, planOf, outputOf },
    ...{ changed, withRank, fragmentOf, fromFragment },
  };
})();
