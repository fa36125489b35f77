"""Shape inference has another size than the reference evaluator, below operator set 22."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import infer_shapes

model = parse_model("""
<ir_version: 10, opset_import: ["": 21]>
graph (float[1, 1, 2] x) => (float[a, b, n] y) {
    y = MaxPool <kernel_shape = [1], strides = [2], ceil_mode = 1> (x)
}
""")
y = ReferenceEvaluator(model).run(None, {"x": np.array([[[1, 2]]], np.float32)})[0]
inferred = infer_shapes(model).graph.output[0].type.tensor_type.shape.dim[2]

expected = y.shape[2]
actual = inferred.dim_value

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: what is inferred is what is computed")
