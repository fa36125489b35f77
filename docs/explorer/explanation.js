"use strict";
// What the page says about a configuration, as data: the terms of an output element, the sizes with
// their numbers, the rows of the matrix, the receptive field of a stack.
(() => {
  const { attributesOf, isPool, outputOf, planOf, shapesOf } = configuration;
  const { extent, flat, joined, positions, product, range, windowDivisor } = arithmetic;

  // What output element (channel, *position) is made of, in the order of the sum: for each term
  // { input, weight, inside, x, w }, the first two as indices (without the batch).  Terms outside
  // the input have neither x nor w.
  function termsOf(chosen, at) {
    const plan = planOf(chosen);
    const shapes = shapesOf(chosen);
    const [channel, ...position] = at;
    const pairs = joined(chosen.size, plan.sliding, position, plan.read);
    return plan.channelPairs(channel).flatMap(([c, plane]) =>
      pairs.map(({ tap, at: place, inside }) => {
        const input = [c, ...place];
        const weight = plane && [...plane, ...tap];
        if (!inside) return { input, weight, inside };
        const x = chosen.x[flat([0, ...input], shapes.x)];
        return { input, weight, inside, x, w: plane ? chosen.w[flat(weight, shapes.w)] : null };
      }),
    );
  }

  // The number that an average divides by; 1 for the other operations.
  function divisorOf(chosen, at) {
    if (chosen.operation !== "average_pool") return 1;
    const { sliding } = planOf(chosen);
    return windowDivisor(chosen.size, sliding, at.slice(1), chosen.count_include_pad);
  }

  // The first of the largest terms: what a maximum selects.
  const selectedOf = (terms) =>
    terms.reduce((best, term) => (term.inside && (!best || term.x > best.x) ? term : best), null);

  // The row of the matrix that belongs to output element `at`: its output is the row times the
  // flat input, plus the bias.  A maximum has a row only for the input at hand.
  function rowOf(chosen, at) {
    const { x: shape } = shapesOf(chosen);
    const row = new Array(product(shape)).fill(0);
    const terms = termsOf(chosen, at).filter(({ inside }) => inside);
    const counted = chosen.operation === "max_pool" ? [selectedOf(terms)] : terms;
    const divisor = divisorOf(chosen, at);
    for (const { input, w } of counted) row[flat([0, ...input], shape)] += (w ?? 1) / divisor;
    return row;
  }

  function matrixOf(chosen) {
    const { outputs, sizes } = planOf(chosen);
    return positions([outputs, ...sizes]).map((at) => rowOf(chosen, at));
  }

  // The numbers of the size formula of an axis.
  function sizeOf(chosen, axis) {
    const { sliding, sizes } = planOf(chosen);
    const window = sliding[axis];
    const n = chosen.size[axis];
    const extra = chosen.output_padding[axis];
    const room = n + window.low + window.high - extent(window);
    const rounded = Math.ceil(room / window.stride) + 1;
    return {
      ...window,
      ...{ n, extra, room, size: sizes[axis] },
      dropped: window.ceil && rounded > sizes[axis],
      overhang: window.ceil && room % window.stride !== 0 && rounded === sizes[axis],
    };
  }

  // The field of a stack of `layers` times this window, layer by layer:
  // r = 1 + sum (e - 1) s^(l-1), the positions of output 0 from `start` on, neighbours `jump` apart.
  function fieldsOf(window, layers) {
    return range(layers + 1).map((layer) => {
      const reach = range(layer).reduce((sum, l) => sum + window.stride ** l, 0);
      return {
        size: 1 + (extent(window) - 1) * reach,
        jump: window.stride ** layer,
        start: 0 - window.low * reach,
      };
    });
  }

  // The input positions that output element `at` reads, on each axis, from first to last.
  function fieldOf(chosen, at) {
    const inside = termsOf(chosen, at).filter((term) => term.inside);
    return chosen.size.map((_, axis) => {
      const read = inside.map(({ input }) => input[1 + axis]);
      return read.length ? [Math.min(...read), Math.max(...read)] : null;
    });
  }

  // The padding words that come to the amounts chosen: every one of valid, same_upper, same_lower and
  // full for which each axis has these amounts.
  function wordsOf({ size, kernel, stride, low, high, dilation }) {
    return ["valid", "same_upper", "same_lower", "full"].filter((word) =>
      size.every((_, axis) => {
        const [before, after] = amountsOf(word, {
          n: size[axis],
          kernel: kernel[axis],
          stride: stride[axis],
          dilation: dilation[axis],
        });
        return before === low[axis] && after === high[axis];
      }),
    );
  }

  function amountsOf(word, { n, stride, ...window }) {
    if (word === "valid") return [0, 0];
    if (word === "full") return [extent(window) - 1, extent(window) - 1];
    const total = Math.max(0, (Math.ceil(n / stride) - 1) * stride + extent(window) - n);
    const less = Math.floor(total / 2);
    return word === "same_upper" ? [less, total - less] : [total - less, less];
  }

  const format = (number) => {
    const text = Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(5)));
    return text.replace("-", "\u2212");
  };

  // The same in the little room of a cell.
  const brief = (number) =>
    format(Number.isInteger(number) ? number : Number(number.toPrecision(3)));

  // A factor or term inside a formula: in brackets where it is negative.
  const bracketed = (number) => (number < 0 ? `(${format(number)})` : format(number));

  const name = (letter, index) => `${letter}[${index.join(", ")}]`;

  // The selected output as one line of numbers, such as `1·3 + 2·(−1) = 1`.
  function sumText(chosen, at) {
    const terms = termsOf(chosen, at).filter(({ inside }) => inside);
    const value = format(valueOf(chosen, at));
    if (chosen.operation === "max_pool")
      return `max(${terms.map(({ x }) => format(x)).join(", ")}) = ${value}`;
    if (isPool(chosen)) {
      const sum = terms.map(({ x }) => bracketed(x)).join(" + ");
      return `(${sum}) / ${divisorOf(chosen, at)} = ${value}`;
    }
    const bias = chosen.b[at[0]];
    const products = terms.map(({ x, w }) => `${bracketed(x)}·${bracketed(w)}`);
    const summands = bias === 0 && products.length ? products : [bracketed(bias), ...products];
    return `${summands.join(" + ")} = ${value}`;
  }

  function valueOf(chosen, at) {
    const output = outputOf(chosen);
    return output.data[flat([0, ...at], output.shape)];
  }

  globalThis.explanation = {
    ...{ termsOf, divisorOf, selectedOf, rowOf, matrixOf, sizeOf, fieldsOf, fieldOf },
    ...{ wordsOf, amountsOf, format, brief, bracketed, name, sumText, valueOf, attributesOf },
  };
})();
