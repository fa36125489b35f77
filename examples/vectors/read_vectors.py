"""Call the functions of a module on recorded vectors: python read_vectors.py DIRECTORY MODULE.

All that it takes to read what `convspec vectors DIRECTORY` wrote: JSON, safetensors and NumPy.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy
from safetensors.numpy import load_file

directory, module = Path(sys.argv[1]), import_module(sys.argv[2])
numpy.seterr(invalid="ignore")  # infinities and NaN are among the data
index = json.loads((directory / "index.json").read_text(encoding="utf-8"))
results = []
for operation, entry in index["operations"].items():
    arrays = load_file(directory / entry["file"])
    for case in entry["cases"]:
        operands = [
            arrays[str(number)].astype(entry["operands"][name])
            for name, number in case["operands"].items()
        ]
        try:
            found = getattr(module, operation)(*operands, **case["attributes"])
        except (TypeError, ValueError):
            results.append("refused" in case)
            continue
        outputs = found if isinstance(found, tuple) else (found,)
        expected = [arrays[str(number)] for number in case.get("expected", [])]
        bounds = [arrays[str(number)] for number in case.get("bounds", [])] or [0] * len(outputs)
        right = [
            o.shape == e.shape
            and ((numpy.isnan(o) & numpy.isnan(e)) | (o == e) | (abs(o - e) <= b)).all()
            for o, e, b in zip(outputs, expected, bounds, strict=False)
        ]
        results.append(len(outputs) == len(expected) and all(right))
print(f"{sum(results)} of {len(results)} right")
sys.exit(not all(results))
