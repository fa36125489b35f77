"""How configurations are written in each framework, for whoever moves from one to another."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.adapters.words import words
from convspec.cli.calls import case_of

# Each with what one has to know of it.
CONFIGURATIONS = (
    (
        "A convolution with stride and padding",
        "conv input=1,3,8,8 weight=4,3,3,3 stride=2 padding=1",
    ),
    ("Padding that differs between the sides", "conv input=1,1,8 weight=1,1,3 padding=1:0"),
    ("Groups and a bias", "conv input=1,4,8 weight=4,2,3 bias=4 groups=2"),
    (
        "A transposed convolution",
        "conv_transpose input=1,4,8 weight=4,2,3 stride=2 padding=1 output_padding=1",
    ),
    ("A maximum, the last window clipped", "max_pool input=1,1,7 kernel_size=2 ceil_mode=true"),
    ("Indices of maxima", "max_pool_with_indices input=1,1,8,8 kernel_size=2"),
    (
        "An average that leaves padding out",
        "average_pool input=1,1,8 kernel_size=3 stride=2 padding=1",
    ),
    (
        "An average that counts padding",
        "average_pool input=1,1,8 kernel_size=3 stride=2 padding=1 count_include_pad=true",
    ),
    ("A convolution that flips, its middle kept", "convolve f=8 g=4 mode=same"),
)


def settings() -> Iterator[str]:
    """A table for each configuration."""
    yield "\n## Settings\n"
    yield (
        "The same call in each framework's words, for operands in the layout of the spec: (N, C, "
        "spatial), weights (O, C / groups, kernel), of transposed convolutions (C, O / groups, "
        "kernel).  The words are run in the tests, and give what the spec does.  ONNX Runtime and "
        "OpenCV read those of ONNX."
    )
    for title, line in CONFIGURATIONS:
        operation, *given = line.split()
        yield f"\n### {title}\n"
        yield f"`convspec explain {line}`\n"
        yield "| framework | call |"
        yield "|---|---|"
        for framework, call in words(case_of(operation, tuple(given))).items():
            shown = call if call.startswith("not offered") else f"`{call}`"
            yield f"| {framework} | {shown} |"
