"""What each convention is about, and what the spec says of it."""

from __future__ import annotations

from convspec.oracle.steps.variants import RULED

MEANINGS = {
    "kernel_orientation": "Whether a kernel is flipped before it is laid on the input.",
    "ceil_last_window": "Whether ceil mode keeps a last window that starts beyond the input and "
    "its low padding.",
    "average_divisor": "What an average without counted padding is divided by: the elements "
    "there are, or the whole kernel.",
    "nan_in_maximum": "The maximum of a window that holds NaN, and where its gradient goes.",
    "output_padding": "Whether output_padding computes more positions, or appends zeros.",
    "output_padding_bound": "What output_padding must be smaller than.",
    "same_size": "Which operand has the size of mode same.",
    "even_kernel_centre": "Which of its two middle elements a kernel of even size is centred on.",
    "empty_window": "What a window without any element gives.",
    "index_on_ties": "Which of two equal maxima an index points to.",
    "gradient_on_ties": "How a cotangent is shared between two equal maxima.",
    "integer_overflow": "What becomes of 2^30 times 4 in int32.",
    "non_finite_weight_on_padding": "Whether an infinite weight that falls on padding is skipped, "
    "or multiplied by zero, which gives NaN.",
    "subnormals": "Whether half of the smallest normal number is kept, or flushed to zero.",
    "sign_of_zero": "The sign of a sum whose only term is -0.",
    "empty_batch": "Whether a batch of no items is accepted.",
    "kernel_beyond_input_under_ceil": "What ceil mode makes of a kernel one larger than its input.",
}


def ruling(convention: str) -> str:
    """What the spec says, in a sentence.

    >>> ruling("index_on_ties")
    'The spec leaves it open.'
    """
    if convention in RULED:
        return f"The spec rules: *{RULED[convention]}*."
    return "The spec leaves it open."
