// What a program needs to offer operations to `convspec check "exec:node ..."`: frames of safetensors.

import { readSync, writeSync } from "node:fs";

const ARRAYS = { F32: Float32Array, F64: Float64Array };

// `count` bytes of standard input; null where it ends.
function read(count) {
  const bytes = Buffer.alloc(count);
  for (let done = 0; done < count;) {
    const got = readSync(0, bytes, done, count - done);
    if (got === 0) return null;
    done += got;
  }
  return bytes;
}

// A safetensors file: the length of a JSON header, the header, the arrays' bytes.
function decode(bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  const arrays = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const [begin, end] = data_offsets.map((offset) => 8 + length + offset);
    // A copy, because a view must be aligned; the arrays of other dtypes are not looked at.
    const piece = Uint8Array.prototype.slice.call(bytes, begin, end).buffer;
    arrays[name] = { dtype, shape, data: dtype in ARRAYS ? new ARRAYS[dtype](piece) : null };
  }
  return { metadata, arrays };
}

function encode(metadata, arrays) {
  const header = { __metadata__: metadata };
  const pieces = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(arrays)) {
    const piece = Buffer.from(new ARRAYS[dtype](data).buffer);
    header[name] = { dtype, shape, data_offsets: [offset, offset + piece.length] };
    pieces.push(piece);
    offset += piece.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...pieces]);
}

function write(content) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(content.length));
  const frame = Buffer.concat([length, content]);
  for (let done = 0; done < frame.length;) done += writeSync(1, frame, done);
}

function respond({ metadata, arrays }, { name, operations, attributes: known }) {
  const { id, operation } = metadata;
  if (operation === "describe") {
    const offered = JSON.stringify(Object.keys(operations));
    const dtypes = JSON.stringify(["float32", "float64"]);
    return encode({ id, status: "ok", name, version: "1", operations: offered, dtypes }, {});
  }
  const unsupported = (message) => encode({ id, status: "unsupported", message }, {});
  if (!(operation in operations)) return unsupported(operation);
  const attributes = JSON.parse(metadata.attributes);
  for (const attribute of Object.keys(attributes))
    if (!known[operation].includes(attribute)) return unsupported(`attribute ${attribute}`);
  const dtypes = Object.values(arrays).map(({ dtype }) => dtype);
  if (dtypes.some((dtype) => !(dtype in ARRAYS) || dtype !== dtypes[0]))
    return unsupported(`dtypes ${dtypes}`);
  try {
    const outputs = {};
    operations[operation](arrays, attributes).forEach((output, index) => {
      outputs[index ? `output_${index}` : "output"] = { ...output, dtype: dtypes[0] };
    });
    return encode({ id, status: "ok" }, outputs);
  } catch (error) {
    return encode({ id, status: "error", message: String(error) }, {});
  }
}

// Answers requests until there are no more.  A program is { name, operations, attributes }: a function
// of (arrays by name, attributes) for each operation, returning a list of arrays, and the names of
// the attributes that it knows.
export function serve(program) {
  for (let length; (length = read(8));) {
    write(respond(decode(read(Number(length.readBigUInt64LE(0)))), program));
  }
}
