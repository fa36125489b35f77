"use strict";
// Elements of the page, and of formulas in MathML, made in one line each.
(() => {
  const MATHML = "http://www.w3.org/1998/Math/MathML";
  const SVG = "http://www.w3.org/2000/svg";

  function made(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes))
      if (value !== undefined && value !== false) element.setAttribute(name, String(value));
    element.append(...children.flat(2));
    return element;
  }

  const element = (tag, attributes = {}, ...children) =>
    made(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    made(document.createElementNS(SVG, tag), attributes, children);
  const math = (tag, attributes = {}, ...children) =>
    made(document.createElementNS(MATHML, tag), attributes, children);

  const minus = (value) => String(value).replace("-", "\u2212");
  const number = (value, kind) => math("mn", { class: kind }, minus(value));
  // `mathvariant` and the style sheet's italics keep letters in the font of the numbers.
  const letter = (value, kind) => math("mi", { class: kind, mathvariant: "normal" }, value);
  const sign = (value) => math("mo", {}, value);
  const row = (...children) => math("mrow", {}, ...children);
  const below = (base, index) => math("msub", {}, base, index);
  const fraction = (above, under) => math("mfrac", {}, above, under);
  const formula = (...children) => math("math", { displaystyle: "true" }, row(...children));
  const word = (value) => math("mtext", {}, value);

  // Text in which `code` and **strong** are marked.
  const marked = (text) =>
    text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
      if (part.startsWith("`")) return element("code", {}, part.slice(1, -1));
      return part.startsWith("**") ? element("strong", {}, part.slice(2, -2)) : part;
    });

  const byId = (id) => document.getElementById(id);

  globalThis.dom = {
    ...{ element, svg, math, number, letter, sign, word, row, below, fraction, formula },
    ...{ minus, marked },
    byId,
  };
})();
