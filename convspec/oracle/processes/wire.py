"""The wire format: frames of safetensors, for programs in other languages and for stored arrays.

A *frame* is an 8-byte little-endian length and that many bytes of a safetensors file.  Such a
file is an 8-byte little-endian length `h`, then `h` bytes of JSON, then the arrays' bytes,
little-endian and C-contiguous:

    {"__metadata__": {name: text, …},
     name: {"dtype": "F32", "shape": […], "data_offsets": [begin, end]}, …}

Reader and writer are our own because the `safetensors` package's NumPy side stores arrays that
are not contiguous wrongly, and can read neither metadata nor bfloat16 from bytes.  The reader
trusts nothing: whatever is wrong is a `WireError`, and a length that is only claimed is never
allocated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import IO, Any, NamedTuple

import numpy

from convspec.arguments import Array

# Longer than any case of the oracle; a claim beyond it is not waited for.
MOST_FRAME = 2**30
MOST_HEADER = 2**20
MOST_AXES = 32
# What is read at once, so that memory follows what has arrived, not what was announced.
PIECE = 2**16

# Names of dtypes in a safetensors file.
DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
_NAMES = {short: name for name, short in DTYPES.items()}
_NON_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class WireError(ValueError):
    """Bytes that are no frame or no safetensors file; the message says where and why."""


class _Entry(NamedTuple):
    """One array as the header describes it; `bytes[begin:end]` of the data are its numbers."""

    name: str
    dtype: numpy.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def encode(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file as bytes.

    The header is padded to a multiple of 8 bytes and wider dtypes come first, so that every
    array is aligned to its item size.  Raises `WireError` for a dtype that the format lacks.

    >>> decode(encode({"output": numpy.arange(3)}, {"id": "1"}))
    ({'output': array([0, 1, 2])}, {'id': '1'})
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    pieces, begin = [], 0
    for name, array in sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize):
        if array.dtype.name not in DTYPES:
            raise WireError(f"{name}: dtype {array.dtype}: must be one of {', '.join(DTYPES)}")
        piece = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes("C")
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [begin, begin + len(piece)],
        }
        pieces.append(piece)
        begin += len(piece)
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *pieces])


def decode(data: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata of a safetensors file.

    Raises `WireError` unless the arrays fill the data, without gap or overlap.

    >>> decode(b"12345")
    Traceback (most recent call last):
    ...
    convspec.oracle.processes.wire.WireError: 5 bytes are no safetensors file: ...
    """
    if len(data) < 8:
        raise WireError(f"{len(data)} bytes are no safetensors file: it begins with a length of 8")
    length = int.from_bytes(data[:8], "little")
    if length > min(len(data) - 8, MOST_HEADER):
        raise WireError(
            f"a header of {length} bytes: {len(data) - 8} are there, and {MOST_HEADER} allowed"
        )
    header = json_object(data[8 : 8 + length], "the header")
    metadata = _metadata(header.pop("__metadata__", {}))
    entries = [_entry(name, value) for name, value in header.items()]
    numbers = memoryview(data)[8 + length :]
    _check_filled(entries, len(numbers))
    return {entry.name: _array(entry, numbers) for entry in entries}, metadata


def json_object(data: bytes, what: str) -> dict[str, Any]:
    """The object in a JSON text; raises `WireError` where it is none, or says something twice.

    >>> json_object(b'{"a": 1, "a": 2}', "the index")
    Traceback (most recent call last):
    ...
    convspec.oracle.processes.wire.WireError: the index is no JSON object: 'a' is there twice
    """
    try:
        header = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        # What an error quotes may be long.
        raise WireError(f"{what} is no JSON object: {str(error)[:200]}") from None
    if not isinstance(header, dict):
        raise WireError(f"{what} is no JSON object but a {type(header).__name__}")
    return header


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise WireError("__metadata__: must be an object of texts")
    return value


def _entry(name: str, value: Any) -> _Entry:
    shown = repr(name)[:60]
    keys = {"dtype", "shape", "data_offsets"}
    if not isinstance(value, dict) or value.keys() != keys:
        raise WireError(f"{shown}: must be an object of dtype, shape and data_offsets")
    short, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(short, str) or short not in _NAMES:
        raise WireError(f"{shown}: dtype {repr(short)[:60]}: must be one of {', '.join(_NAMES)}")
    if not _counts(shape) or len(shape) > MOST_AXES:
        raise WireError(f"{shown}: shape: must be a list of at most {MOST_AXES} sizes")
    if not _counts(offsets) or len(offsets) != 2:
        raise WireError(f"{shown}: data_offsets: must be a list of a begin and an end")
    dtype = array_dtype(_NAMES[short])
    # NumPy refuses a shape whose other axes are beyond its range even where one of them is 0.
    if math.prod(size for size in shape if size) * dtype.itemsize >= 2**63:
        raise WireError(f"{shown}: shape {shape}: no array is so large")
    needed = math.prod(shape) * dtype.itemsize
    begin, end = offsets
    if end - begin != needed:
        raise WireError(f"{shown}: data_offsets {offsets}: {short} {shape} takes {needed} bytes")
    return _Entry(name, dtype, tuple(shape), begin, end)


def _counts(value: Any) -> bool:
    """Whether a value is a list of integers from 0 to 2^63 - 1."""
    return isinstance(value, list) and all(
        type(entry) is int and 0 <= entry < 2**63 for entry in value
    )


def array_dtype(name: str) -> numpy.dtype[Any]:
    """The little-endian dtype of a name; raises `WireError` for bfloat16 without `ml_dtypes`."""
    if name == "bfloat16":
        try:
            import ml_dtypes
        except ModuleNotFoundError:
            raise WireError(
                "dtype BF16 needs the package ml_dtypes: pip install 'convspec[bfloat16]'"
            ) from None
        brain: numpy.dtype[Any] = numpy.dtype(ml_dtypes.bfloat16)
        return brain
    return numpy.dtype(name).newbyteorder("<")


def _check_filled(entries: Iterable[_Entry], length: int) -> None:
    """Each array begins where the one before it ends, and the last one ends the file."""
    ordered = sorted(entries, key=lambda entry: (entry.begin, entry.end))
    for before, after in pairwise(ordered):
        if after.begin != before.end:
            raise WireError(
                f"an array begins at byte {after.begin}, the one before it ends at "
                f"{before.end}: the arrays must follow each other"
            )
    begin, end = (ordered[0].begin, ordered[-1].end) if ordered else (0, 0)
    if (begin, end) != (0, length):
        raise WireError(f"the arrays take bytes {begin} to {end} of data of {length} bytes")


def _array(entry: _Entry, numbers: memoryview) -> Array:
    """A copy: aligned, writeable and in the machine's byte order."""
    piece = numbers[entry.begin : entry.end]
    if entry.dtype == bool and not set(bytes(piece)) <= {0, 1}:
        raise WireError(f"{repr(entry.name)[:60]}: BOOL bytes must be 0 or 1")
    flat: Array = numpy.frombuffer(piece, entry.dtype)
    return flat.astype(entry.dtype.newbyteorder("=")).reshape(entry.shape)


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """Write one frame and flush it."""
    stream.write(len(content).to_bytes(8, "little"))
    stream.write(content)
    stream.flush()


def read_frame(stream: IO[bytes], most: int = MOST_FRAME) -> bytes | None:
    """The content of the next frame; None at the end of the input.

    Raises `WireError` where the input ends inside a frame, or the frame is longer than `most`.

    >>> from io import BytesIO
    >>> read_frame(BytesIO(b""))
    >>> read_frame(BytesIO((2**60).to_bytes(8, "little")))
    Traceback (most recent call last):
    ...
    convspec.oracle.processes.wire.WireError: a frame of 1152921504606846976 bytes: ...
    """
    prefix = _read(stream, 8)
    if not prefix:
        return None
    if len(prefix) < 8:
        raise WireError(f"the input ends after {len(prefix)} of the 8 bytes of a frame's length")
    length = int.from_bytes(prefix, "little")
    if length > most:
        raise WireError(f"a frame of {length} bytes: the most is {most}")
    content = _read(stream, length)
    if len(content) < length:
        raise WireError(f"the input ends after {len(content)} of a frame's {length} bytes")
    return content


def _read(stream: IO[bytes], count: int) -> bytes:
    """`count` bytes, or as many as there are."""
    pieces, left = [], count
    while left and (piece := stream.read(min(left, PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def attributes_text(attributes: Mapping[str, Any]) -> str:
    """Attributes as JSON text: tuples become lists, non-finite numbers the texts inf, -inf, nan.

    >>> attributes_text({"padding": ((0, 1),), "p": math.inf})
    '{"padding":[[0,1]],"p":"inf"}'
    """
    return json.dumps(_plain(dict(attributes)), separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, numpy.generic):
        return _plain(value.item())
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def attributes_of(text: str) -> dict[str, Any]:
    """The attributes in a JSON text, as `attributes_text` wrote them.

    Raises `WireError` where the text is no JSON object.

    >>> attributes_of('{"padding":[[0,1]],"p":"inf"}')
    {'padding': ((0, 1),), 'p': inf}
    """
    attributes = json_object(text.encode("utf-8", "surrogatepass"), "the text of attributes")
    return {name: normalised_value(value) for name, value in attributes.items()}


def normalised_value(value: Any) -> Any:
    """A value of JSON as attributes hold it: lists become tuples, inf, -inf and nan numbers.

    >>> normalised_value([[0, 1], "inf"])
    ((0, 1), inf)
    """
    if isinstance(value, list):
        return tuple(map(normalised_value, value))
    return _NON_FINITE.get(value, value) if isinstance(value, str) else value
