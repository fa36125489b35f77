"""Networks as plain data: layers in sequence, branches and residual connections over the spec's
own operations.

A network is a tuple of parts.  `plan` turns it into steps with their shapes, counts and receptive
fields, for which it needs no arrays; `forward` and `backward` run the steps on any implementation
of the operations, the fast twins unless told otherwise.
"""

from __future__ import annotations

from convspec.network.layers import Block, Branches, Layer, Network
from convspec.network.parameters import initial, parameter_shapes
from convspec.network.plan import Step, plan
from convspec.network.run import activations, backward, forward
from convspec.network.summary import Totals, totals

__all__ = [
    "Block",
    "Branches",
    "Layer",
    "Network",
    "Step",
    "Totals",
    "activations",
    "backward",
    "forward",
    "initial",
    "parameter_shapes",
    "plan",
    "totals",
]
