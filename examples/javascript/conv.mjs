// conv, its gradients and max_pool in JavaScript, offered to `convspec check "exec:node conv.mjs"`.
// Node 20 or later, no dependencies.

import { serve } from "./wire.mjs";

const product = (sizes) => sizes.reduce((a, b) => a * b, 1);

function must(condition, message) {
  if (!condition) throw new RangeError(message);
}

const shown = JSON.stringify;

// Whether a value is a list of `count` integers, none below `least`.
const areWhole = (value, count, least) =>
  Array.isArray(value) &&
  value.length === count &&
  value.every((entry) => Number.isInteger(entry) && entry >= least);

// Every (output position, tap, input position) that a sliding window joins, each of the three
// as a flat index, and the output's sizes.  Padding is never stored: a tap outside the input
// is not in the list.
function windows(spatial, kernel, { stride, padding, dilation, ceil_mode = false }) {
  const rank = spatial.length;
  must(rank > 0, "input must have spatial axes");
  for (const [name, steps] of Object.entries({ kernel, stride, dilation }))
    must(areWhole(steps, rank, 1), `${name} ${shown(steps)} must be ${rank} positive integers`);
  must(
    Array.isArray(padding) && padding.length === rank && padding.every((p) => areWhole(p, 2, 0)),
    `padding ${shown(padding)} must be ${rank} pairs of integers that are not negative`,
  );
  const sizes = spatial.map((n, a) => {
    const [low, high] = padding[a];
    const room = n + low + high - dilation[a] * (kernel[a] - 1) - 1;
    must(room >= 0, `a kernel of ${kernel[a]} exceeds the padded input of ${n + low + high}`);
    if (!ceil_mode) return Math.floor(room / stride[a]) + 1;
    const size = Math.ceil(room / stride[a]) + 1;
    return (size - 1) * stride[a] >= n + low ? size - 1 : size;
  });
  const joined = [];
  const visit = (axis, output, tap, input) => {
    if (axis === rank) {
      joined.push([output, tap, input]);
      return;
    }
    for (let i = 0; i < sizes[axis]; i++) {
      for (let j = 0; j < kernel[axis]; j++) {
        const a = i * stride[axis] - padding[axis][0] + j * dilation[axis];
        if (a >= 0 && a < spatial[axis]) {
          const next = [output * sizes[axis] + i, tap * kernel[axis] + j];
          visit(axis + 1, ...next, input * spatial[axis] + a);
        }
      }
    }
  };
  visit(0, 0, 0, 0);
  return { sizes, joined };
}

// Calls `visit(y, w, x)` with the flat indices of every product y += w x of a convolution.
function products(input, weight, bias, attributes, visit) {
  const [N, C, ...spatial] = input.shape;
  const [O, share, ...kernel] = weight.shape;
  const { groups } = attributes;
  must(areWhole([groups], 1, 1), `groups ${shown(groups)} must be a positive integer`);
  must(C % groups === 0 && O % groups === 0, `groups ${groups} must divide ${C} and ${O}`);
  must(share === C / groups, `weight has ${share} channels, ${C / groups} are due`);
  must(!bias || (bias.shape.length === 1 && bias.shape[0] === O), `bias must have ${O} elements`);
  const { sizes, joined } = windows(spatial, kernel, attributes);
  const [xs, ws, ys] = [spatial, kernel, sizes].map(product);
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let c = 0; c < share; c++) {
        const y0 = (n * O + o) * ys;
        const w0 = (o * share + c) * ws;
        const x0 = (n * C + Math.floor(o / (O / groups)) * share + c) * xs;
        for (const [y, w, x] of joined) visit(y0 + y, w0 + w, x0 + x);
      }
  return [N, O, ...sizes];
}

const zeros = (shape) => ({ shape, data: new Float64Array(product(shape)) });

// The shape of a convolution's output, which also checks its arguments.
const convShape = (input, weight, bias, attributes) =>
  products({ shape: [0, ...input.shape.slice(1)] }, weight, bias, attributes, () => {}).with(
    0,
    input.shape[0],
  );

function conv({ input, weight, bias }, attributes) {
  const output = zeros(convShape(input, weight, bias, attributes));
  products(input, weight, bias, attributes, (y, w, x) => {
    output.data[y] += weight.data[w] * input.data[x];
  });
  if (bias) {
    const plane = product(output.shape.slice(2));
    const outputs = weight.shape[0];
    output.data.forEach((_, y) => {
      output.data[y] += bias.data[Math.floor(y / plane) % outputs];
    });
  }
  return [output];
}

function conv_vjp({ cotangent, input, weight, bias }, attributes) {
  const due = convShape(input, weight, bias, attributes);
  must(String(cotangent.shape) === String(due), `cotangent [${cotangent.shape}], [${due}] is due`);
  const [dInput, dWeight] = [zeros(input.shape), zeros(weight.shape)];
  products(input, weight, bias, attributes, (y, w, x) => {
    dInput.data[x] += cotangent.data[y] * weight.data[w];
    dWeight.data[w] += cotangent.data[y] * input.data[x];
  });
  if (!bias) return [dInput, dWeight];
  const dBias = zeros(bias.shape);
  const plane = product(due.slice(2));
  cotangent.data.forEach((g, y) => {
    dBias.data[Math.floor(y / plane) % due[1]] += g;
  });
  return [dInput, dWeight, dBias];
}

function max_pool({ input }, attributes) {
  const [N, C, ...spatial] = input.shape;
  const { sizes, joined } = windows(spatial, attributes.kernel_size, attributes);
  const output = zeros([N, C, ...sizes]);
  output.data.fill(-Infinity);
  for (let plane = 0; plane < N * C; plane++)
    for (const [y, , x] of joined) {
      const index = plane * product(sizes) + y;
      // Math.max passes NaN on, as the spec does.
      output.data[index] = Math.max(output.data[index], input.data[plane * product(spatial) + x]);
    }
  return [output];
}

const SLIDING = ["stride", "padding", "dilation"];
const attributes = {
  conv: [...SLIDING, "groups"],
  conv_vjp: [...SLIDING, "groups"],
  max_pool: [...SLIDING, "kernel_size", "ceil_mode"],
};

serve({ name: "javascript", operations: { conv, conv_vjp, max_pool }, attributes });
