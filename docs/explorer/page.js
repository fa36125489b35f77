"use strict";
// The page: the configuration it shows, what changes it, and the parts that are painted from it.
(() => {
  const { START, changed, fragmentOf, fromFragment, outputOf, planOf } = configuration;
  const { format, name, sumText } = explanation;
  const { positions } = arithmetic;
  const { byId, element, marked } = dom;

  const FRAMEWORKS = { pytorch: "PyTorch", tensorflow: "TensorFlow", jax: "JAX", onnx: "ONNX" };
  // More outputs than this are too many to be shown, or to be computed at every step.
  const MOST = 4000;
  // Milliseconds that a window rests while playing.
  const REST = 900;

  let chosen = START;
  let built = null;
  let framework = "pytorch";
  let playing = null;

  const outputs = () => {
    const plan = planOf(chosen);
    return positions([plan.outputs, ...plan.sizes]);
  };

  function refused(message) {
    byId("refusal").hidden = message === null;
    byId("refusal").textContent = message ?? "";
  }

  function set(next) {
    chosen = next;
    history.replaceState(null, "", `#${fragmentOf(chosen)}`);
    show();
  }

  const select = (at) => set({ ...chosen, at });

  // Why the configuration cannot be shown; null where it can.
  function refusal() {
    try {
      const count = outputs().length;
      return count > MOST ? `This call has ${count} outputs; at most ${MOST} are shown.` : null;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return `There is no such call: ${error.message}.`;
    }
  }

  // Paints everything from the configuration; what the spec has no such call for is said instead.
  function show() {
    controls.paint(chosen);
    const reason = refusal();
    refused(reason);
    document.body.classList.toggle("refused", reason !== null);
    if (reason !== null) {
      stop();
      built = null;
      return;
    }
    const output = outputOf(chosen);
    const key = grids.keyOf(chosen);
    if (key !== built) grids.build(chosen);
    built = key;
    grids.paint(chosen, output);
    stretched.paint(chosen);
    byId("where").textContent = `${name("y", chosen.at)} of ${output.data.length} outputs`;
    formulas.paintSum(chosen);
    formulas.paintSize(chosen);
    pictures.paintMatrix(chosen, select);
    pictures.paintField(chosen, (layers) => {
      set({ ...chosen, layers });
      byId("layers").focus();
    });
    paintCode();
  }

  const announce = (text) => (byId("live").textContent = text);
  const announceSum = () => announce(`${name("y", chosen.at)} = ${sumText(chosen, chosen.at)}`);

  function buildCode() {
    const tabs = Object.entries(FRAMEWORKS).map(([key, label]) => {
      const tab = element(
        "button",
        { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "snippet" },
        label,
      );
      tab.addEventListener("click", () => showFramework(key));
      return tab;
    });
    const copy = element("button", { type: "button", id: "copy" }, "Copy");
    copy.addEventListener("click", () => copied(byId("source").textContent, "The code is copied."));
    byId("code").replaceChildren(
      element("div", { role: "tablist", "aria-label": "Framework", class: "tabs" }, tabs),
      element(
        "div",
        { role: "tabpanel", id: "snippet" },
        element("ul", { id: "notes" }),
        copy,
        element("pre", { tabindex: 0 }, element("code", { id: "source" })),
      ),
    );
    byId("code").addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || event.target.getAttribute("role") !== "tab") return;
      const keys = Object.keys(FRAMEWORKS);
      showFramework(keys.at((keys.indexOf(framework) + step) % keys.length));
      byId(`tab-${framework}`).focus();
    });
  }

  function showFramework(key) {
    framework = key;
    paintCode();
  }

  function paintCode() {
    for (const key of Object.keys(FRAMEWORKS)) {
      const tab = byId(`tab-${key}`);
      tab.setAttribute("aria-selected", String(key === framework));
      tab.tabIndex = key === framework ? 0 : -1;
    }
    byId("snippet").setAttribute("aria-labelledby", `tab-${framework}`);
    const { code, notes } = snippets.writers[framework](chosen);
    byId("source").textContent = code;
    byId("notes").replaceChildren(...notes.map((note) => element("li", {}, marked(note))));
  }

  async function copied(text, said) {
    try {
      await navigator.clipboard.writeText(text);
      announce(said);
    } catch {
      announce("The browser does not let this page copy; select the text instead.");
    }
  }

  function step(by) {
    const all = outputs();
    const here = all.findIndex((at) => String(at) === String(chosen.at));
    select(all.at((here + by) % all.length));
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    byId("play").textContent = "Play";
    byId("play").setAttribute("aria-pressed", "false");
  }

  function play() {
    if (playing !== null) {
      stop();
      announceSum();
      return;
    }
    byId("play").textContent = "Pause";
    byId("play").setAttribute("aria-pressed", "true");
    step(1);
    playing = setInterval(() => step(1), REST);
  }

  function focusSelected() {
    byId("arrays").querySelector('[aria-selected="true"]').focus();
  }

  function pressed(event) {
    const cell = event.target.closest(".cell");
    if (!cell || event.altKey || event.metaKey) return;
    const isOutput = "at" in cell.dataset;
    if (!isOutput && ["Home", "End"].includes(event.key)) return;
    if (event.key === "Escape" && !isOutput) show();
    const next = grids.neighbour(cell, event.key);
    if (!next) return;
    event.preventDefault();
    if (isOutput) {
      stop();
      select(next.dataset.at.split(",").map(Number));
      focusSelected();
      announceSum();
    } else {
      next.querySelector("input").focus();
    }
  }

  // A number typed into a cell.  What is no number leaves the cell marked and changes nothing.
  function typed(event) {
    const field = event.target;
    const { array, place } = field.dataset;
    const text = field.value.trim().replace("\u2212", "-");
    const value = text === "" ? NaN : Number(text);
    field.setAttribute("aria-invalid", String(!Number.isFinite(value)));
    if (!Number.isFinite(value)) return;
    const values = [...chosen[array]];
    values[place] = value;
    set(changed(chosen, { [array]: values }));
  }

  function focused(event) {
    const field = event.target;
    if (field.tagName !== "INPUT") return;
    field.select();
    for (const other of field.closest(".grid").querySelectorAll("input")) other.tabIndex = -1;
    field.tabIndex = 0;
    grids.markReaders(chosen, field.dataset.array === "x" ? Number(field.dataset.place) : null);
  }

  function left(event) {
    const field = event.target;
    if (field.tagName !== "INPUT") return;
    field.removeAttribute("aria-invalid");
    field.value = format(chosen[field.dataset.array][field.dataset.place]);
    grids.markReaders(chosen, null);
  }

  function listen() {
    const arrays = byId("arrays");
    arrays.addEventListener("click", (event) => {
      const cell = event.target.closest("[data-at]");
      if (!cell) return;
      stop();
      select(cell.dataset.at.split(",").map(Number));
      focusSelected();
      announceSum();
    });
    arrays.addEventListener("keydown", pressed);
    arrays.addEventListener("input", typed);
    arrays.addEventListener("focusin", focused);
    arrays.addEventListener("focusout", left);
    const move = (by) => () => {
      stop();
      step(by);
      announceSum();
    };
    byId("previous").addEventListener("click", move(-1));
    byId("next").addEventListener("click", move(1));
    byId("play").addEventListener("click", play);
    window.addEventListener("hashchange", read);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  }

  // Takes the configuration from the address, which then says all of it.
  function read() {
    stop();
    const fragment = location.hash.slice(1);
    try {
      if (fragment) set(fromFragment(fragment));
      else show();
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof URIError)) throw error;
      chosen = START;
      show();
      refused(`The address was not understood (${error.message}); this is where the page begins.`);
    }
  }

  const page = {
    get: () => chosen,
    set: (next) => {
      set(next);
      if (byId("refusal").hidden) announce(`Output shape ${byId("shape").textContent}`);
    },
    copyAddress: () => copied(location.href, "The address is copied."),
  };
  controls.build(page);
  buildCode();
  listen();
  read();
})();
