"""The law of `properties/laws` that a deviation breaks, as pytest names it.

Those that break none are in `without_laws`, with the reason.
"""

from __future__ import annotations

from convspec.oracle.deviations import layer_laws

_BROKEN_BY: dict[str, tuple[str, ...]] = {
    "test_flip.py::test_the_smallest_kernel_that_shows_the_flip": (
        "kernel flipped",
        "kernel flipped along the last axis only",
    ),
    "test_transposed.py::test_it_is_the_adjoint_of_conv": (
        "kernel flipped in the transposed convolution",
        "output padding on the low side",
        "crop shifted by one",
        "crop up to minus zero",
        "padding added to the input",
        "input repeated instead of spread with zeros",
        "overlapping kernels overwrite each other",
        "1x1 path of the transposed convolution ignores the stride",
        "output padding dropped",
    ),
    "test_transposed.py::test_output_padding_is_not_zero_filling": (
        "output padding filled with zeros",
    ),
    "test_transposed.py::test_it_is_scipys_true_convolution_of_spread_arrays": (
        "output padding bound by the stride alone",
    ),
    "test_convolution.py::test_convolution_commutes": ("second operand not flipped",),
    "test_flip.py::test_correlation_is_convolution_with_the_flipped_kernel": (
        "second operand flipped",
        "operands of the correlation swapped",
        "lags reversed for a longer second operand",
    ),
    "test_convolution.py::test_sums_multiply": ("transform one too short",),
    "test_convolution.py::test_modes_are_parts_of_the_full_one": (
        "same has the longer operand's size",
        "even kernel centred one later",
        "same cut from the start of full",
        "same cut from the end of full",
        "longer second operand refused",
        "mode ignored",
    ),
    "test_convolution.py::test_convolution_is_scipys": (
        "signal wraps around",
        "only the last axis convolved",
    ),
    "test_geometry.py::test_a_stride_keeps_one_dense_output_in_s": (
        "stride of the first axis on every axis",
        "strides in reverse order of the axes",
        "stride ignored",
        "output size rounded up",
        "windows counted from the far end",
        "output size of the first axis on every axis",
        "1x1 path ignores the stride",
        "window shifted by one under stride",
        "window of one taken for the identity",
        "ceil_mode always on",
        "depthwise path swaps height and width",
        "stride taken from the kernel size",
        "cache key lacks the stride",
    ),
    "test_geometry.py::test_dilation_is_a_kernel_with_zeros_between_its_taps": (
        "dilation of the first axis on every axis",
        "dilations in reverse order of the axes",
        "dilation ignored",
        "stride and dilation swapped",
        "dilation in the size rule only",
        "dilation left out of the size rule",
        "rows of a dilated kernel drift apart",
        "bias added at every tap",
        "depthwise path ignores the dilation",
        "dilation taken for the gap between taps",
        "extent taken for dilation times kernel",
    ),
    "test_geometry.py::test_padding_is_zeros_around_the_input": (
        "padding of the first axis on every axis",
        "padding in reverse order of the axes",
        "padding ignored",
        "low and high padding swapped",
        "low padding on both sides",
        "asymmetric padding made symmetric",
        "padding limited to the kernel",
        "padding repeats the edge",
        "padding wraps around",
        "1x1 path ignores the padding",
        "kernel as large as the input taken for a product",
    ),
    "test_geometry.py::test_conv_is_scipys_correlation_of_the_rewritten_call": (
        "kernel read in column-major order",
        "channels flipped with the kernel",
        "last column of the kernel skipped",
        "Winograd tile left out at an odd end",
        "strides past 3 taken for 3",
        "weights packed once for each shape",
        "tail of the input channels left out",
        "column buffer added once for each tap",
    ),
    "test_geometry.py::test_a_bias_is_added_last": (
        "bias ignored",
        "bias of the first group on every group",
        "bias dropped for a batch of one",
        "depthwise path ignores the bias",
    ),
    "test_channels.py::test_groups_are_convolutions_side_by_side": (
        "channel axes of the weight swapped",
        "every group reads the first group's channels",
        "group offset counted in output channels",
        "groups take turns over the input channels",
        "groups take turns over the output channels",
        "group of an output channel by remainder",
        "kernel applied to every group",
        "1x1 path ignores the groups",
        "depthwise path ignores the multiplier",
        "depthwise outputs multiplier-major",
        "bias sized by the weight's first axis",
    ),
    "test_batch.py::test_the_items_of_a_batch_never_meet": (
        "cache key lacks the kernel_size",
        "cache key lacks the output_size",
        "cache key lacks the levels",
        "cache key lacks the scale",
        "cache key lacks the count",
        "cache key lacks the factor",
        "cache key lacks the axis",
        "cache key lacks the epsilon",
        "cache key lacks the beta",
        "last item of an odd batch left at zero",
        "indices count the whole batch",
    ),
    "test_batch.py::test_an_empty_batch_gives_an_empty_batch": (
        "empty batch refused",
        "stale output for an empty batch",
    ),
    "test_batch.py::test_every_channel_is_treated_alone": ("tail of the channels left at zero",),
    "test_geometry.py::test_padding_of_a_maximum_is_minus_infinity": (
        "disjoint windows pooled without dilation",
        "disjoint windows pooled without padding",
        "dilated window clipped at the border",
        "maximum over zero padding",
    ),
    "test_geometry.py::test_zero_is_not_neutral_for_a_maximum": ("maximum started from zero",),
    "test_pooling.py::test_max_pooling_is_a_maximum_filter_sampled_at_the_stride": (
        "kernel size of the first axis on every axis",
        "ceil_mode ignored",
    ),
    "test_pooling.py::test_a_constant_stays_a_constant": (
        "divided by the full kernel",
        "padding always counted in the divisor",
        "holes of a dilated window counted in the divisor",
    ),
    "test_pooling.py::test_counting_padding_only_changes_the_divisor": (
        "overhang counted in the divisor",
        "cache key lacks the divisor",
    ),
    "test_geometry.py::test_an_average_that_counts_padding_averages_zeros": (
        "padding never counted in the divisor",
        "count_include_pad inverted",
        "only the low padding counted in the divisor",
    ),
    "test_pooling.py::test_a_maximum_over_nan_is_nan": (
        "NaN ignored in a maximum",
        "NaN ignored in the tail of the channels",
        "NaN kept only at the start of a window",
        "NaN ignored in an adaptive maximum",
    ),
    "test_pooling.py::test_an_index_points_at_its_maximum": (
        "indices count the padded width",
        "indices count inside the window",
        "indices in column-major order",
        "index unset in a window of -inf",
    ),
    "test_gradients.py::test_a_maximum_hands_its_cotangent_to_its_maxima": (
        "gradient to every maximum on ties",
        "gradient to the first element of the window",
        "gradient to the whole window",
        "gradient lost on ties",
    ),
    "test_gradients.py::test_central_differences_of_a_maximum_without_ties_are_its_gradient": (
        "gradient of the maximum assigned, not added",
    ),
    "test_gradients.py::test_weights_that_sum_to_1_hand_on_the_whole_cotangent": (
        "gradient of the average assigned, not added",
        "gradient of the average not divided",
        "padding counted in the gradient of the average",
    ),
    "test_gradients.py::test_the_gradient_of_the_input_is_a_transposed_convolution": (
        "stride and dilation swapped in the gradient",
        "stride of the first axis on every axis of the gradient",
        "dilation of the first axis on every axis of the gradient",
        "padding ignored in the gradient",
        "low and high padding swapped in the gradient",
        "dilation ignored in the gradient",
        "kernel flipped in the input gradient",
        "input gradient without the remainder",
        "padding beyond the kernel refused in the gradient",
        "1x1 path of the gradient ignores the stride",
        "cotangent cleared after use",
    ),
    "test_gradients.py::test_the_gradient_of_the_weight_is_a_convolution_"
    "with_stride_and_dilation_exchanged": (
        "weight gradient flipped",
        "weight gradient of the last batch item only",
        "weight gradient averaged over the batch",
        "weight gradient averaged over batch and positions",
        "weight gradient too large by the remainder",
    ),
    "test_gradients.py::test_the_gradient_of_a_bias_is_the_sum_of_the_cotangent": (
        "bias gradient of the first batch item only",
        "bias gradient kept per batch item",
        "bias gradient missing",
    ),
    "test_gradients.py::test_differences_of_a_linear_map_are_its_gradient": (
        "gradients in the wrong order",
        "weight gradient reads the first group's channels",
        "depthwise weight gradient wrong when strided and padded",
        "cotangent taken for ones",
        "second operand flipped in the gradient of the first",
        "gradient of the second operand flipped",
        "cotangent of a mode placed at the start of full",
    ),
    "test_table.py::test_a_call_repeats_and_leaves_its_arguments_alone": (
        "input divided in place",
        "kernel flipped in place",
        "last element lost now and then",
        "output written over the input",
        "input cleared after use",
        "weight cleared after use",
        "depthwise weight cleared after use",
        "pointwise weight cleared after use",
        "factors cleared after use",
        "values cleared after use",
        "indices cleared after use",
        "mask cleared after use",
        "logits cleared after use",
        "labels cleared after use",
        "mean cleared after use",
        "variance cleared after use",
        "scale cleared after use",
        "shift cleared after use",
    ),
    "test_table.py::test_cotangents_have_the_shapes_of_their_operands_and_are_linear": (
        "gradient written over the cotangent",
        "gradient added to the previous call's",
    ),
    "test_transposed.py::test_it_is_conv_over_a_spread_input_with_the_flipped_kernel": (
        "Winograd path ignores the padding",
        "Winograd path ignores the dilation",
    ),
    "test_channels.py::test_a_pointwise_convolution_is_a_matrix_product": (
        "last window missing where it fits exactly",
    ),
    "test_pooling.py::test_a_maximum_commutes_with_monotone_maps": (
        "ceil-mode window in the high padding kept",
        "ceil-mode window beyond the input kept",
    ),
    "test_pooling.py::test_a_maximum_of_minus_infinities_is_minus_infinity": (
        "maximum started from the lowest finite number",
    ),
    "test_locality.py::test_what_is_not_finite_reaches_the_outputs_that_read_it": (
        "NaN spread by the FFT",
        "NaN taken for zero",
        "infinities clipped to the largest number",
        "products with a zero weight left out",
    ),
    "test_table.py::test_an_output_has_the_shape_of_the_table_and_the_dtype_of_its_input": (
        "always float64",
    ),
    "test_pooling.py::test_maxima_of_maxima": ("output overwritten by the next call",),
    "test_equivariance.py::test_mirroring_everything_mirrors_the_output": (
        "cache key lacks the padding",
        "earlier result returned again",
    ),
}
LAWS_BROKEN: dict[str, str] = {
    name: law
    for laws in (_BROKEN_BY, layer_laws.BROKEN_BY)
    for law, names in laws.items()
    for name in names
}
