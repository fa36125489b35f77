"use strict";
// The form: operation, axes, geometry, channels, numbers.
(() => {
  const { FILL, LIMITS, changed, isPool, shapesOf, withRank } = configuration;
  const { amountsOf } = explanation;
  const { positions } = arithmetic;
  const { element, byId } = dom;

  const OPERATIONS = {
    conv: "Convolution",
    conv_transpose: "Transposed",
    max_pool: "Max pooling",
    average_pool: "Average pooling",
  };

  // Name, letter of the formulas, label.
  const ROWS = [
    ["size", "n", "Input size"],
    ["kernel", "k", "Kernel"],
    ["stride", "s", "Stride"],
    ["low", ["p", "low"], "Low padding"],
    ["high", ["p", "high"], "High padding"],
    ["dilation", "d", "Dilation"],
    ["output_padding", "q", "Output padding"],
  ];
  const CHANNELS = [
    ["groups", "G", "Groups"],
    ["inputs", "C/G", "Input channels of a group"],
    ["outputs", "O/G", "Output channels of a group"],
  ];
  const WORDS = {
    valid: "Valid",
    same_upper: "Same upper",
    same_lower: "Same lower",
    full: "Full",
  };

  const axisNames = (rank) => (rank === 1 ? ["positions"] : ["rows", "columns"]);

  // A number with a button on each side.  The buttons are for touch and mouse; the keyboard has the
  // arrow keys of the field itself.
  function stepper(id, label, [least, most], change) {
    const field = element("input", {
      ...{ id, type: "number", min: least, max: most, step: 1, required: true },
      ...{ inputmode: "numeric", "aria-label": label },
    });
    const set = (value) => change(Math.min(most, Math.max(least, value)));
    field.addEventListener("change", () => {
      const value = field.valueAsNumber;
      if (Number.isInteger(value) && value >= least && value <= most) change(value);
      else field.reportValidity();
    });
    const button = (text, by) => {
      const made = element("button", { type: "button", tabindex: -1, "aria-hidden": "true" }, text);
      made.dataset.by = by;
      made.addEventListener("click", () => set(Number(field.value) + by));
      return made;
    };
    return element("span", { class: "stepper" }, button("−", -1), field, button("+", 1));
  }

  const written = (letter) => {
    const [base, index] = [letter].flat();
    return [element("i", {}, base), ...(index ? [element("sub", {}, index)] : [])];
  };

  function radios(name, choices, change) {
    return Object.entries(choices).map(([value, label]) => {
      const input = element("input", { type: "radio", name, value, id: `${name}-${value}` });
      input.addEventListener("change", () => change(value));
      return element("label", {}, input, element("span", {}, label));
    });
  }

  function checkbox(id, label, change) {
    const input = element("input", { type: "checkbox", id });
    input.addEventListener("change", () => change(input.checked));
    return element("label", { class: "check", id: `${id}-label` }, input, label);
  }

  function button(label, press, attributes = {}) {
    const made = element("button", { type: "button", ...attributes }, label);
    made.addEventListener("click", press);
    return made;
  }

  // Builds the form.  `page` is { get, set }: the configuration, and a new one.
  function build(page) {
    const set = (changes) => page.set(changed(page.get(), changes));
    const together = () => byId("together").checked;
    const setAxis = (name, axis, value) => {
      const values = page.get()[name].map((old, at) => (at === axis || together() ? value : old));
      set({ [name]: values });
    };
    const heads = element(
      "tr",
      {},
      element("td"),
      axisNames(2).map((name, axis) =>
        element("th", { scope: "col", class: `axis-${axis}`, id: `axis-${axis}` }, name),
      ),
    );
    const rows = ROWS.map(([name, letter, label]) =>
      element(
        "tr",
        { id: `${name}-row` },
        element("th", { scope: "row" }, label, " ", written(letter)),
        [0, 1].map((axis) =>
          element(
            "td",
            { class: `axis-${axis}` },
            stepper(`${name}-${axis}`, `${label}, axis ${axis}`, LIMITS[name], (value) =>
              setAxis(name, axis, value),
            ),
          ),
        ),
      ),
    );
    const channels = CHANNELS.map(([name, letter, label]) =>
      element(
        "tr",
        { id: `${name}-row` },
        element(
          "th",
          { scope: "row" },
          element("span", { id: `${name}-name` }, label),
          " ",
          element("i", { id: `${name}-letter` }, letter),
        ),
        element(
          "td",
          {},
          stepper(name, label, LIMITS[name], (value) => set({ [name]: value })),
        ),
      ),
    );
    const words = Object.entries(WORDS).map(([word, label]) =>
      button(label, () => set(padding(page.get(), word)), { id: `word-${word}` }),
    );
    const fill = (label, name, rule, id) =>
      button(label, () => set({ [name]: positions(shapesOf(page.get())[name]).map(rule) }), { id });
    byId("controls").replaceChildren(
      element(
        "fieldset",
        { class: "choice" },
        element("legend", {}, "Operation"),
        radios("operation", OPERATIONS, (operation) => set({ operation })),
      ),
      element(
        "fieldset",
        { class: "choice" },
        element("legend", {}, "Axes"),
        radios("rank", { 1: "One", 2: "Two" }, (rank) =>
          page.set(withRank(page.get(), Number(rank))),
        ),
      ),
      element(
        "fieldset",
        {},
        element("legend", {}, "Geometry"),
        element(
          "table",
          { class: "geometry" },
          element("thead", {}, heads),
          element("tbody", {}, rows),
        ),
        checkbox("together", "Change both axes together", () => {}),
        checkbox("ceil_mode", "Round the output size up (ceil)", (on) => set({ ceil_mode: on })),
        checkbox("count_include_pad", "Count padding in the average", (on) =>
          set({ count_include_pad: on }),
        ),
        element(
          "div",
          { class: "words", role: "group", "aria-label": "Padding by a word", id: "words" },
          element("span", {}, "Padding by a word"),
          words,
        ),
      ),
      element(
        "fieldset",
        {},
        element("legend", {}, "Channels"),
        element("table", {}, element("tbody", {}, channels)),
      ),
      element(
        "fieldset",
        {},
        element("legend", {}, "Numbers"),
        element(
          "div",
          { class: "words", role: "group", "aria-label": "Input" },
          element("span", {}, "Input"),
          fill("0, 1, 2, …", "x", (_, place) => place, "fill-x-count"),
          fill("Digits", "x", () => Math.floor(Math.random() * 10), "fill-x-random"),
          fill("A single 1", "x", single(page, "x"), "fill-x-single"),
        ),
        element(
          "div",
          { class: "words", role: "group", "aria-label": "Kernel", id: "fill-w" },
          element("span", {}, "Kernel"),
          fill("0, 1, 2, …", "w", (_, place) => place, "fill-w-count"),
          fill("Digits", "w", () => Math.floor(Math.random() * 7) - 3, "fill-w-random"),
          fill("All 1", "w", () => 1, "fill-w-ones"),
          fill("A single 1", "w", single(page, "w"), "fill-w-single"),
        ),
        element(
          "div",
          { class: "words" },
          button("Start again", () => page.set(configuration.START), { id: "reset" }),
          button("Copy the address", () => page.copyAddress(), { id: "share" }),
        ),
      ),
    );
    byId("together").checked = true;
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
  }

  // A 1 in the middle of every plane.
  const single = (page, name) => (index) =>
    Number(
      index.slice(2).every((i, axis) => i === Math.floor(shapesOf(page.get())[name][2 + axis] / 2)),
    );

  function padding(chosen, word) {
    const { size, kernel, stride, dilation } = chosen;
    const amounts = size.map((n, axis) =>
      amountsOf(word, { n, kernel: kernel[axis], stride: stride[axis], dilation: dilation[axis] }),
    );
    return { low: amounts.map(([low]) => low), high: amounts.map(([, high]) => high) };
  }

  // Shows a configuration in the form.
  function paint(chosen) {
    const { operation, size } = chosen;
    const pool = isPool(chosen);
    byId(`operation-${operation}`).checked = true;
    byId(`rank-${size.length}`).checked = true;
    for (const [name] of ROWS)
      chosen[name].forEach((value, axis) => {
        byId(`${name}-${axis}`).value = value;
      });
    for (const [name] of CHANNELS) byId(name).value = chosen[name];
    byId("ceil_mode").checked = chosen.ceil_mode;
    byId("count_include_pad").checked = chosen.count_include_pad;
    for (const cell of byId("controls").querySelectorAll(".axis-1"))
      cell.hidden = size.length === 1;
    axisNames(size.length).forEach((name, axis) => (byId(`axis-${axis}`).textContent = name));
    const hide = (id, hidden) => (byId(id).hidden = hidden);
    hide("together-label", size.length === 1);
    hide("output_padding-row", operation !== "conv_transpose");
    hide("ceil_mode-label", !pool);
    hide("count_include_pad-label", operation !== "average_pool");
    hide("words", operation === "conv_transpose");
    hide("word-full", pool);
    hide("outputs-row", pool);
    hide("groups-row", pool);
    hide("fill-w", pool);
    byId("inputs-name").textContent = pool ? "Channels" : "Input channels of a group";
    byId("inputs-letter").textContent = pool ? "C" : "C/G";
    for (const element of byId("controls").querySelectorAll(".stepper")) {
      const field = element.querySelector("input");
      for (const press of element.querySelectorAll("button")) {
        const next = Number(field.value) + Number(press.dataset.by);
        press.disabled = next < Number(field.min) || next > Number(field.max);
      }
    }
  }

  globalThis.controls = { build, paint };
})();
