"""The product of 1 and infinity is NaN in bfloat16 with one channel, and infinity with two."""

import sys
from pathlib import Path

import torch
from torch.nn.functional import conv1d

if "avx512_bf16" not in Path("/proc/cpuinfo").read_text(encoding="ascii"):
    print("this processor has no instructions for bfloat16")
    sys.exit(77)

x = torch.tensor([[[0, float("inf")]]], dtype=torch.bfloat16)
w = torch.tensor([[[0, 1]]], dtype=torch.bfloat16)
expected = conv1d(x.float(), w.float()).flatten().tolist()
two = conv1d(torch.cat([x, 0 * w], 1), torch.cat([w, 0 * w], 1)).flatten().tolist()
assert two == expected, two
actual = conv1d(x, w).flatten().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
