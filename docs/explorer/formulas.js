"use strict";
// The sum behind the selected output and the formula of the output size, numbers filled in.
(() => {
  const { isPool, planOf } = configuration;
  const { bracketed, divisorOf, format, name, selectedOf, sizeOf, termsOf, valueOf } = explanation;
  const { below, byId, element, formula, fraction, letter, math, number, row, sign, word } = dom;

  const inputLetter = () => below(letter("x", "x"), row(letter("c"), sign(","), ...place()));
  const place = () => [
    ...[letter("i"), letter("s"), sign("−"), letter("p"), sign("+"), letter("j"), letter("d")],
  ];
  const sumOver = (...under) => math("munder", {}, sign("∑"), row(...under));

  const GENERAL = {
    conv: () => [
      below(letter("y", "y"), row(letter("o"), sign(","), letter("i"))),
      sign("="),
      below(letter("b", "w"), letter("o")),
      sign("+"),
      sumOver(letter("c")),
      sumOver(letter("j")),
      inputLetter(),
      below(letter("w", "w"), row(letter("o"), sign(","), letter("c"), sign(","), letter("j"))),
    ],
    conv_transpose: () => [
      below(letter("y", "y"), row(letter("o"), sign(","), letter("a"))),
      sign("="),
      below(letter("b", "w"), letter("o")),
      sign("+"),
      sumOver(letter("c")),
      sumOver(letter("a"), sign("="), ...place()),
      below(letter("x", "x"), row(letter("c"), sign(","), letter("i"))),
      below(letter("w", "w"), row(letter("c"), sign(","), letter("o"), sign(","), letter("j"))),
    ],
    max_pool: () => [
      below(letter("y", "y"), row(letter("c"), sign(","), letter("i"))),
      sign("="),
      math("munder", {}, sign("max"), letter("j")),
      inputLetter(),
    ],
    average_pool: () => [
      below(letter("y", "y"), row(letter("c"), sign(","), letter("i"))),
      sign("="),
      fraction(number(1), below(letter("m"), letter("i"))),
      sumOver(letter("j")),
      inputLetter(),
    ],
  };

  // The line of numbers, each in the colour of its array; its text is `sumText`.
  function worked(chosen) {
    const terms = termsOf(chosen, chosen.at).filter(({ inside }) => inside);
    const say = (kind, value) => element("span", { class: kind }, bracketed(value));
    const result = element("span", { class: "y result" }, format(valueOf(chosen, chosen.at)));
    const joined = (parts, between) =>
      parts.flatMap((part, at) => (at ? [between, ...part] : part));
    if (chosen.operation === "max_pool") {
      const best = selectedOf(terms);
      const values = terms.map((term) => [
        element("span", { class: term === best ? "x best" : "x" }, format(term.x)),
      ]);
      return ["max(", ...joined(values, ", "), ") = ", result];
    }
    if (isPool(chosen)) {
      const values = terms.map(({ x }) => [say("x", x)]);
      return ["(", ...joined(values, " + "), `) / ${divisorOf(chosen, chosen.at)} = `, result];
    }
    const bias = chosen.b[chosen.at[0]];
    const products = terms.map(({ x, w }) => [
      element("span", { class: "product" }, say("x", x), "·", say("w", w)),
    ]);
    const parts = bias === 0 && products.length ? products : [[say("w", bias)], ...products];
    return [...joined(parts, " + "), " = ", result];
  }

  const ORIENTATION =
    "The kernel is not flipped: the convolution of deep learning is a cross-correlation.";

  function outside(chosen) {
    const terms = termsOf(chosen, chosen.at);
    const count = terms.filter(({ inside }) => !inside).length;
    if (!count) return [];
    const does = chosen.operation === "max_pool" ? "take no part" : "add nothing";
    return [`Of ${terms.length} taps, ${count} outside the input do not exist and ${does}. `];
  }

  function termTable(chosen) {
    const terms = termsOf(chosen, chosen.at);
    const head = isPool(chosen)
      ? ["element", "value"]
      : ["product", "numbers", "value", "sum so far"];
    let sum = chosen.b[chosen.at[0]] ?? 0;
    const rows = terms.map(({ input, weight, inside, x, w }) => {
      const what = weight ? `${name("x", input)} · ${name("w", weight)}` : name("x", input);
      const cells = () => {
        if (!inside) return ["outside", ...(weight ? ["", ""] : [])];
        if (!weight) return [format(x)];
        sum += x * w;
        return [`${bracketed(x)} · ${bracketed(w)}`, format(x * w), format(sum)];
      };
      const texts = [what, ...cells()];
      return element(
        "tr",
        { class: inside ? undefined : "outside" },
        texts.map((text) => element("td", {}, text)),
      );
    });
    return element(
      "table",
      { class: "terms" },
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          head.map((text) => element("th", { scope: "col" }, text)),
        ),
      ),
      element("tbody", {}, rows),
    );
  }

  function paintSum(chosen) {
    const open = byId("terms")?.open ?? false;
    byId("sum").replaceChildren(
      element("div", { class: "formula" }, formula(...GENERAL[chosen.operation]())),
      element(
        "p",
        { class: "worked", id: "worked" },
        element("span", { class: "y" }, name("y", chosen.at)),
        " = ",
        worked(chosen),
      ),
      element(
        "p",
        { class: "aside", id: "aside" },
        outside(chosen),
        chosen.operation === "conv" ? ORIENTATION : [],
      ),
      element(
        "details",
        { id: "terms", ...(open ? { open: "" } : {}) },
        element("summary", {}, "Term by term"),
        termTable(chosen),
      ),
    );
  }

  // The style sheet draws the brackets: not every system has a font that stretches them.
  const edged = (kind, left, right) => (inner) =>
    math("mrow", { class: kind }, math("mo", {}, left), inner, math("mo", {}, right));
  const floored = edged("floor", "⌊", "⌋");
  const ceiled = edged("ceil", "⌈", "⌉");

  const low = () => below(letter("p"), word("low"));
  const high = () => below(letter("p"), word("high"));

  // Two formulas, the symbols and the numbers, that stand on one line where there is room.
  function slidingSize({ n, kernel, dilation, stride, ceil, size, dropped, ...sides }) {
    const rounded = ceil ? ceiled : floored;
    const room = (inputs, before, after, spread, taps) => [
      ...[inputs, sign("+"), before, sign("+"), after, sign("−"), spread, sign("("), taps],
      ...[sign("−"), number(1), sign(")"), sign("−"), number(1)],
    ];
    const symbols = room(letter("n", "x"), low(), high(), letter("d"), letter("k", "w"));
    const numbers = room(
      ...[number(n, "x"), number(sides.low), number(sides.high)],
      ...[times(number(dilation)), number(kernel, "w")],
    );
    return [
      formula(rounded(fraction(row(...symbols), letter("s"))), sign("+"), number(1)),
      formula(
        ...[sign("="), rounded(fraction(row(...numbers), number(stride))), sign("+"), number(1)],
        ...(dropped ? [sign("−"), number(1)] : []),
        ...[sign("="), number(size, "y")],
      ),
    ];
  }

  function transposedSize({ n, kernel, dilation, stride, extra, size, ...sides }) {
    const shape = (first, steps, before, after, spread, taps, more) => [
      ...[
        sign("("),
        first,
        sign("−"),
        number(1),
        sign(")"),
        steps,
        sign("−"),
        before,
        sign("−"),
        after,
      ],
      ...[
        sign("+"),
        spread,
        sign("("),
        taps,
        sign("−"),
        number(1),
        sign(")"),
        sign("+"),
        number(1),
      ],
      ...[sign("+"), more],
    ];
    const letters = [letter("n", "x"), letter("s"), low(), high(), letter("d"), letter("k", "w")];
    const numbers = [
      ...[number(n, "x"), row(sign("·"), number(stride)), number(sides.low), number(sides.high)],
      ...[times(number(dilation)), number(kernel, "w"), number(extra)],
    ];
    return [
      formula(...shape(...letters, letter("q"))),
      formula(sign("="), ...shape(...numbers), sign("="), number(size, "y")),
    ];
  }

  const times = (factor) => row(factor, sign("·"));

  // What is told of each axis, with a title; of two axes about which the same is told, once.
  function toldApart(axes) {
    if (axes.length === 1) return [[axes[0], null]];
    if (JSON.stringify(axes[0]) === JSON.stringify(axes[1])) return [[axes[0], "Rows and columns"]];
    return [
      [axes[0], "Rows"],
      [axes[1], "Columns"],
    ];
  }

  function paintSize(chosen) {
    const plan = planOf(chosen);
    const transposed = chosen.operation === "conv_transpose";
    const axes = toldApart(plan.sizes.map((_, axis) => sizeOf(chosen, axis))).map(
      ([told, title], axis) => {
        const aside = [];
        if (told.dropped)
          aside.push("One less: the last window would start beyond the input, so it is dropped.");
        if (told.overhang) aside.push("The last window reaches beyond the padding.");
        if (!transposed && !told.ceil && told.room % told.stride)
          aside.push(
            `Rounded down: ${told.room % told.stride} of the padded input ` +
              "at the far end is read by no window.",
          );
        return element(
          "div",
          {},
          title ? element("h3", {}, title) : [],
          element(
            "div",
            { class: "formula", id: `size-formula-${axis}` },
            transposed ? transposedSize(told) : slidingSize(told),
          ),
          aside.length ? element("p", { class: "aside" }, aside.join(" ")) : [],
        );
      },
    );
    const shape = `(1, ${plan.outputs}, ${plan.sizes.join(", ")})`;
    byId("size").replaceChildren(
      ...axes,
      element("p", {}, "Output shape ", element("code", { id: "shape" }, shape), "."),
    );
  }

  globalThis.formulas = { paintSum, paintSize, toldApart };
})();
