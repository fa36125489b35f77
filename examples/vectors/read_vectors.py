"""Call the functions of a module on recorded vectors: python read_vectors.py DIRECTORY MODULE.

JSON, safetensors and NumPy are all that it takes to read what `convspec vectors` wrote.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy
from safetensors.numpy import load_file

directory, module = Path(sys.argv[1]), import_module(sys.argv[2])
numpy.seterr(all="ignore")  # infinities and NaN are among the data
index = json.loads((directory / "index.json").read_text(encoding="utf-8"))


def array(n, dtype="float64"):
    return [array(m, dtype) for m in n] if type(n) is list else arrays[str(n)].astype(dtype)


results = []
for operation, entry in index["operations"].items():
    arrays = load_file(directory / entry["file"])
    for case in entry["cases"]:
        operands = [array(n, entry["operands"][name]) for name, n in case["operands"].items()]
        try:
            found = getattr(module, operation)(*operands, **case["attributes"])
        except (TypeError, ValueError):
            found = ()  # a refusal is right where nothing is expected
        outputs = found if isinstance(found, tuple) else (found,)
        expected, bounds = (array(case.get(key, [])) for key in ("expected", "bounds"))
        right = [
            o.shape == e.shape and ((o == e) | ((o != o) & (e != e)) | (abs(o - e) <= b)).all()
            for o, e, b in zip(outputs, expected, bounds or [0] * len(outputs), strict=False)
        ]
        results.append(len(outputs) == len(expected) and all(right))
print(f"{sum(results)} of {len(results)} right")
sys.exit(not all(results))
