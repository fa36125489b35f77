"""The reference evaluator of LRN sums over as many channels as there are items in the batch."""

import sys

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

x = np.arange(1, 4, dtype=np.float32).reshape(1, 3, 1, 1)
node = helper.make_node("LRN", ["x"], ["y"], size=1, alpha=1.0, beta=1.0, bias=1.0)
graph = helper.make_graph(
    [node],
    "lrn",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, x.shape)],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])

expected = [round(float(value / (1 + value**2)), 4) for value in x.ravel()]
(y,) = ReferenceEvaluator(model).run(None, {"x": x})
actual = [round(float(value), 4) for value in y.ravel()]

print(f"expected: {expected}")
print(f"actual:   {actual}")
if actual == expected:
    sys.exit("stale: every channel is normalized")
