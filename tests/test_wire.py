"""Frames and safetensors files: what is written is read back, and hostile bytes are refused."""

import contextlib
import json
import math
import sys
import tracemalloc
from io import BytesIO

import numpy
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convspec.oracle.processes.wire import (
    DTYPES,
    MOST_FRAME,
    WireError,
    attributes_of,
    attributes_text,
    decode,
    encode,
    read_frame,
    write_frame,
)

ELEMENTS = [numpy.dtype(name) for name in DTYPES if name != "bfloat16"]
TENSORS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: name != "__metadata__"),
    st.sampled_from(ELEMENTS).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))
    ),
    max_size=3,
)


def file(header, data=b""):
    """A safetensors file with any header, an object or bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def same(first, second):
    """Equal to the bit."""
    return (first.dtype, first.shape, first.tobytes()) == (
        second.dtype,
        second.shape,
        second.tobytes(),
    )


@given(TENSORS, st.dictionaries(st.text(), st.text(), max_size=3))
def test_what_is_written_is_read_back(tensors, metadata):
    read, said = decode(encode(tensors, metadata))
    assert read.keys() == tensors.keys()
    assert all(same(read[name], array) for name, array in tensors.items())
    assert said == metadata


@given(TENSORS)
def test_the_package_reads_what_is_written(tensors):
    read = safetensors.numpy.load(encode(tensors, {}))
    assert read.keys() == tensors.keys()
    assert all(same(read[name], array) for name, array in tensors.items())


def test_bfloat16_is_two_bytes_a_number():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes")
    array = numpy.array([1.5, -2.0], ml_dtypes.bfloat16)
    data = encode({"a": array}, {})
    assert data.endswith(b"\xc0\x3f\x00\xc0")
    assert same(decode(data)[0]["a"], array)


def test_without_ml_dtypes_bfloat16_is_refused_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(WireError, match="pip install 'convspec"):
        decode(file({"a": entry("BF16", (1,), (0, 2))}, b"\0\0"))


def test_what_the_package_writes_is_read():
    written = {"a": numpy.arange(6.0).reshape(2, 3), "b": numpy.ones(3, numpy.int8)}
    read, said = decode(safetensors.numpy.save(written, {"id": "7"}))
    assert all(same(read[name], array) for name, array in written.items())
    assert said == {"id": "7"}


def test_layout_and_byte_order_do_not_matter():
    array = numpy.arange(24.0).reshape(2, 3, 4)
    views = {
        "fortran": numpy.asfortranarray(array),
        "swapped": array.astype(">f8"),
        "reversed": array[:, ::-1],
        "broadcast": numpy.broadcast_to(array, (2, 2, 3, 4)),
    }
    read, _ = decode(encode(views, {}))
    for name, view in views.items():
        numpy.testing.assert_array_equal(read[name], view)
        assert read[name].dtype == numpy.float64
        assert read[name].flags.c_contiguous
        assert read[name].flags.writeable


def test_arrays_are_aligned_to_their_item_size():
    data = encode({"a": numpy.ones(3, numpy.int8), "b": numpy.ones(1)}, {"id": "12345"})
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert (8 + length + header["b"]["data_offsets"][0]) % 8 == 0


def test_a_dtype_that_the_format_lacks_is_refused():
    with pytest.raises(WireError, match="complex128: must be one of float64"):
        encode({"a": numpy.ones(1, complex)}, {})


HOSTILE = {
    "empty": (b"", "0 bytes"),
    "shorter than a length": (b"\1\0\0", "3 bytes"),
    "a header beyond the end": ((2**60).to_bytes(8, "little") + b"{}", "1152921504606846976"),
    "no JSON": (file(b"{"), "no JSON object"),
    "no UTF-8": (file(b"\xff\xfe"), "no JSON object"),
    "nested too deeply": (file(b"[" * 100_000), "no JSON object"),
    "a number of a million digits": (file(b"1" * 1_000_000), "no JSON object"),
    "a list": (file([1, 2]), "but a list"),
    "NaN": (file(b'{"a":NaN}'), "NaN is no JSON"),
    "a name twice": (
        file(b'{"a":' + json.dumps(entry()).encode() + b',"a":1}', b"\0" * 8),
        "'a' is there twice",
    ),
    "a shape twice": (
        file(b'{"a":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,8]}}', b"\0" * 8),
        "'shape' is there twice",
    ),
    "metadata of numbers": (file({"__metadata__": {"id": 1}}), "object of texts"),
    "metadata as text": (file({"__metadata__": "id"}), "object of texts"),
    "an array as a number": (file({"a": 3}), "object of dtype, shape"),
    "a key too many": (file({"a": {**entry(), "more": 1}}, b"\0" * 8), "object of dtype, shape"),
    "a key too few": (file({"a": {"dtype": "F32"}}), "object of dtype, shape"),
    "an unknown dtype": (file({"a": entry("F8")}, b"\0" * 8), "'F8': must be one of"),
    "a dtype of a megabyte": (file({"a": entry("F" * 900_000)}, b"\0" * 8), "must be one of"),
    "a name of a megabyte": (file({"a" * 900_000: 1}), "object of dtype, shape"),
    "a dtype that is no text": (file({"a": entry(["F32"])}, b"\0" * 8), "must be one of"),
    "a negative size": (file({"a": entry(shape=(-2,))}, b"\0" * 8), "list of at most 32 sizes"),
    "a size that is true": (file({"a": entry(shape=(True, 2))}, b"\0" * 8), "at most 32 sizes"),
    "a size that is no integer": (file({"a": entry(shape=(2.0,))}, b"\0" * 8), "32 sizes"),
    "too many axes": (file({"a": entry(shape=(1,) * 33, offsets=(0, 4))}, b"\0" * 4), "32 sizes"),
    "a giant shape": (file({"a": entry(shape=(2**40,))}, b"\0" * 8), "takes 4398046511104 bytes"),
    "a giant shape that overflows": (
        file({"a": entry(shape=(2**62, 2**62, 4), offsets=(0, 0))}),
        "no array is so large",
    ),
    "a giant shape beside a zero": (
        file({"a": entry(shape=(0, 2**62, 2**62), offsets=(0, 0))}),
        "no array is so large",
    ),
    "offsets out of range": (file({"a": entry(offsets=(8, 16))}, b"\0" * 8), "bytes 8 to 16"),
    "offsets backwards": (file({"a": entry(offsets=(8, 0))}, b"\0" * 8), "takes 8 bytes"),
    "negative offsets": (file({"a": entry(offsets=(-8, 0))}, b"\0" * 8), "a begin and an end"),
    "one offset": (file({"a": entry(offsets=(0,))}, b"\0" * 8), "a begin and an end"),
    "overlapping": (
        file({"a": entry(), "b": entry(offsets=(4, 12))}, b"\0" * 12),
        "must follow each other",
    ),
    "the same bytes twice": (file({"a": entry(), "b": entry()}, b"\0" * 8), "must follow"),
    "a gap": (file({"a": entry(), "b": entry(offsets=(9, 17))}, b"\0" * 17), "must follow"),
    "bytes left over": (file({"a": entry()}, b"\0" * 9), "of data of 9 bytes"),
    "bytes without arrays": (file({}, b"\0"), "of data of 1 bytes"),
    "truncated": (file({"a": entry()}, b"\0" * 7), "of data of 7 bytes"),
    "a bool of 2": (file({"a": entry("BOOL", (1,), (0, 1))}, b"\2"), "must be 0 or 1"),
}


@pytest.mark.parametrize(("data", "says"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_without_allocating_what_they_claim(data, says):
    tracemalloc.start()
    try:
        with pytest.raises(WireError) as refused:
            decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert says in str(refused.value)
    assert len(str(refused.value)) < 1000
    assert peak < 30 * len(data) + 1e5


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    for candidate in (data, file(data)):
        with contextlib.suppress(WireError):
            decode(candidate)


@given(TENSORS, st.data())
def test_any_damaged_file_is_read_or_refused(tensors, data):
    whole = encode(tensors, {"id": "1"})
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + data.draw(st.binary(max_size=2)) + whole[place + 1 :]
    with contextlib.suppress(WireError):
        decode(damaged)


def test_frames_follow_each_other():
    stream = BytesIO()
    for content in (b"one", b"", b"three" * 100_000):
        write_frame(stream, content)
    stream.seek(0)
    assert [read_frame(stream) for _ in range(4)] == [b"one", b"", b"three" * 100_000, None]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\1\0", "after 2 of the 8 bytes"),
        ((5).to_bytes(8, "little") + b"abc", "after 3 of a frame's 5 bytes"),
        ((2**60).to_bytes(8, "little"), "a frame of 1152921504606846976 bytes"),
        (MOST_FRAME.to_bytes(8, "little") + b"abc", f"after 3 of a frame's {MOST_FRAME} bytes"),
    ],
)
def test_a_frame_that_lies_is_refused_without_allocating_what_it_claims(data, says):
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match=says):
            read_frame(BytesIO(data))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1e6


def test_a_stream_that_gives_little_at_a_time_is_read_in_full():
    class Slow(BytesIO):
        def read(self, count=-1):
            return super().read(min(count, 3))

    stream = BytesIO()
    write_frame(stream, b"0123456789")
    assert read_frame(Slow(stream.getvalue())) == b"0123456789"


VALUES = st.recursive(
    st.integers() | st.floats(allow_nan=False) | st.booleans() | st.sampled_from(["full", "same"]),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), VALUES, max_size=3))
def test_attributes_are_read_back(attributes):
    assert attributes_of(attributes_text(attributes)) == attributes


def test_nan_is_a_text_and_read_back():
    assert attributes_text({"p": math.nan}) == '{"p":"nan"}'
    assert math.isnan(attributes_of('{"p":"nan"}')["p"])


def test_numbers_of_numpy_are_numbers():
    assert attributes_text({"p": numpy.float32(0.5), "n": (numpy.int64(3),)}) == '{"p":0.5,"n":[3]}'


@pytest.mark.parametrize("text", ["", "[1]", '{"a":1,"a":2}', '{"a":Infinity}', "\ud800"])
def test_texts_that_are_no_attributes_are_refused(text):
    with pytest.raises(WireError, match="no JSON object"):
        attributes_of(text)
