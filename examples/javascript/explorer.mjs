// The arithmetic of the explorer, docs/explorer/arithmetic.js, offered to
// `convspec check "exec:node explorer.mjs"`.

import "../../docs/explorer/arithmetic.js";
import { serve } from "./wire.mjs";

const { conv, conv_transpose, max_pool, average_pool } = globalThis.arithmetic;

const weighted =
  (operation) =>
  ({ input, weight, bias }, attributes) => [operation(input, weight, bias, attributes)];
const pool =
  (operation) =>
  ({ input }, attributes) => [operation(input, attributes)];

const SLIDING = ["stride", "padding", "dilation"];
const POOL = [...SLIDING, "kernel_size", "ceil_mode"];

serve({
  name: "explorer",
  operations: {
    conv: weighted(conv),
    conv_transpose: weighted(conv_transpose),
    max_pool: pool(max_pool),
    average_pool: pool(average_pool),
  },
  attributes: {
    conv: [...SLIDING, "groups"],
    conv_transpose: [...SLIDING, "groups", "output_padding"],
    max_pool: POOL,
    average_pool: [...POOL, "count_include_pad"],
  },
});
