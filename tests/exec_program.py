"""A program for `exec:` targets with faults to order: `exec_program.py [FAULT [CALL [FILE]]]`.

It computes with `convspec.fast`; from the given call on (the first unless told) it does what the
fault says; where a file is named, only until that file is there, and it makes it.  With the fault
`all` it has none, and offers every operation there is.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy

from convspec import fast
from convspec.case import attribute_defaults, grouped
from convspec.operations import OPERATIONS as TABLE
from convspec.oracle.processes.wire import attributes_of, decode, encode, read_frame, write_frame

OPERATIONS = ["conv", "conv_vjp", "max_pool", "average_pool"]


def described(fault):
    if fault == "no-description":
        return {}
    operations = ["conv", "sing"] if fault == "unknown-operation" else OPERATIONS
    dtypes = ["float32"]
    if fault == "all":
        operations = [name for row in TABLE for name in (row, f"{row}_vjp")]
        dtypes = ["float32", "bfloat16"]
    return {
        "name": "exec_program",
        "version": "3",
        "operations": json.dumps(operations),
        "dtypes": json.dumps(dtypes),
    }


def misbehave(fault, identity):
    """Do what a fault says; the bytes to send instead of a response, where there are any."""
    answer = {"id": identity, "status": "ok"}
    if fault == "abort":
        os.abort()
    elif fault == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif fault == "exit":
        print("I have had enough", file=sys.stderr)
        os._exit(0)
    elif fault == "hang":
        time.sleep(600)
    elif fault == "closed-output":
        os.close(1)
        time.sleep(600)
    elif fault == "giant-frame":
        return (2**60).to_bytes(8, "little") + b"x"
    elif fault == "truncated-frame":
        os.write(1, (100).to_bytes(8, "little") + b"only this")
        os._exit(1)
    elif fault == "garbage":
        return b"\6\0\0\0\0\0\0\0Hello!"
    elif fault == "print":
        return b"Debugging is fun, is it not?\n"
    elif fault == "other-id":
        return framed(encode({}, {**answer, "id": "0"}))
    elif fault == "no-output":
        return framed(encode({}, answer))
    elif fault == "no-status":
        return framed(encode({}, {"id": identity}))
    elif fault == "unsupported":
        return framed(encode({}, {**answer, "status": "unsupported", "message": "not today"}))
    elif fault == "error":
        return framed(encode({}, {**answer, "status": "error", "message": "out of order"}))
    return None


def framed(content):
    return len(content).to_bytes(8, "little") + content


def respond(request):
    """The response of a program that has no fault."""
    arrays, metadata = decode(request)
    attributes = attributes_of(metadata["attributes"])
    operation = metadata["operation"]
    function = getattr(fast, operation)
    # Arrays go by name: those of a list come numbered, and an absent one does not come.
    operands = grouped(operation, arrays)
    unknown = attributes.keys() - attribute_defaults(operation).keys()
    if unknown:
        message = f"{', '.join(sorted(unknown))}: no such attribute"
        return encode({}, {"id": metadata["id"], "status": "unsupported", "message": message})
    result = function(**operands, **attributes)
    outputs = result if isinstance(result, tuple) else (result,)
    outputs = tuple(map(numpy.asarray, outputs))
    named = {f"output_{n}" if n else "output": output for n, output in enumerate(outputs)}
    return encode(named, {"id": metadata["id"], "status": "ok"})


def main(fault="none", first="1", done=None):
    calls = 0
    print("ready", file=sys.stderr, flush=True)
    while (request := read_frame(sys.stdin.buffer)) is not None:
        metadata = decode(request)[1]
        if metadata["operation"] == "describe":
            answer = {"id": metadata["id"], **described(fault)}
            write_frame(sys.stdout.buffer, encode({}, answer))
            if fault == "deaf":
                time.sleep(600)
            continue
        calls += 1
        if calls >= int(first) and not (done and Path(done).exists()):
            if done:
                Path(done).touch()
            instead = misbehave(fault, metadata["id"])
            if instead is not None:
                sys.stdout.buffer.write(instead)
                sys.stdout.buffer.flush()
                continue
        try:
            answer = respond(request)
        except (TypeError, ValueError) as error:
            if fault == "dies-of-errors":
                raise
            answer = encode({}, {"id": metadata["id"], "status": "error", "message": str(error)})
        write_frame(sys.stdout.buffer, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
