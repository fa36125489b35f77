"""The laws that deviations of resizing, adaptive pooling, layers, activations and losses break."""

from __future__ import annotations

BROKEN_BY: dict[str, tuple[str, ...]] = {
    "test_adaptive.py::test_every_window_is_a_slice": (
        "adaptive window ends at the floor",
        "adaptive window starts at the ceiling",
        "remainder left out of even windows",
        "windows of ceil(n / o) at a stride of floor(n / o)",
        "adaptive maximum started from zero",
    ),
    "test_adaptive.py::test_as_many_outputs_as_positions_change_nothing": (
        "output sizes in reverse order of the axes",
        "output size of the first axis asked for on every axis",
    ),
    "test_adaptive.py::test_a_pyramid_is_its_levels_end_to_end": (
        "levels of a pyramid in reverse order",
        "pyramid listed window by window",
        "pyramid listed channel by channel",
        "pyramid of maxima whatever its kind",
    ),
    "test_gradients.py::test_the_gradient_of_a_pyramid_is_the_sum_of_its_levels": (
        "gradient of the last level alone",
    ),
    "test_gradients.py::test_a_maximum_hands_its_cotangent_to_its_maxima": (
        "gradient of adaptive windows assigned, not added",
    ),
    "test_gradients.py::test_differences_of_a_linear_map_are_its_gradient": (
        "gradient of an adaptive average divided by n / o",
        "gradient of an adaptive average not divided",
        "gradient of unpooling cropped, not gathered",
        "gradient of an enlarged image assigned, not added",
        "gradient of an enlarged image averaged",
        "weight gradient against the small image",
        "gradient of a factor without the others",
        "weight gradient summed over positions",
        "dropout forgotten in the gradient",
    ),
    "test_backpropagation.py::test_a_maximum_hands_its_sensitivity_to_the_recorded_index": (
        "indices taken over the whole batch",
        "places read in column-major order",
        "values placed at the corners of their windows",
        "negative values lost to the zeros",
        "output size taken for twice the values'",
    ),
    "test_norm_pooling.py::test_the_norm_to_its_power_is_a_sum_over_the_window": (
        "absolute value left out of the norm",
        "root of the norm left out",
        "norm of the average power",
        "p taken for 2",
    ),
    "test_norm_pooling.py::test_the_distance_weighted_average_is_a_quotient_of_correlations": (
        "distance left out of the weights",
        "distances along the axes added",
        "weights by the squared distance",
        "centre of an even window one half later",
        "weights of the padding counted",
        "weighted sum not divided",
    ),
    "test_upsampling.py::test_interpolation_is_ndimages": (
        "asymmetric coordinates for half-pixel ones",
        "half-pixel coordinates for asymmetric ones",
        "corners not aligned",
        "corners aligned by the ratio of sizes",
        "aligned corner of a single pixel divided by zero",
        "zeros beyond the border when interpolating",
        "weights of two neighbours swapped",
        "nearest in place of linear interpolation",
    ),
    "test_upsampling.py::test_nearest_is_the_kronecker_product_with_ones": (
        "nearest neighbour rounded",
        "nearest neighbour rounded up",
        "scale of the first axis on every axis",
        "scales in reverse order of the axes",
    ),
    "test_upsampling.py::test_a_resize_convolution_is_upsampling_then_convolution": (
        "convolution before the enlarging",
        "enlarged image padded by its edge",
        "asymmetric coordinates before a convolution",
    ),
    "test_upsampling.py::test_inserted_zeros_are_a_transposed_convolution_with_one_tap": (
        "zeros after the last element",
        "zeros before the first element",
        "count taken for the stride",
        "count of the first axis on every axis",
        "elements repeated in place of zeros",
    ),
    "test_upsampling.py::test_subpixel_convolution_is_a_deconvolution_"
    "whose_stride_divides_its_kernel": (
        "channels of a block outermost",
        "blocks filled in column-major order",
        "channels reshaped into pixels without a move",
        "images of a block side by side",
    ),
    "test_upsampling.py::test_a_pixel_shuffle_only_moves": (
        "factors in reverse order of the axes",
    ),
    "test_pointwise.py::test_it_is_the_same_linear_map_at_every_pixel": (
        "weight of a dense layer transposed",
    ),
    "test_separable.py::test_a_window_over_everything_is_a_dense_layer": (
        "channels flattened last",
        "flattened in column-major order",
    ),
    "test_separable.py::test_depthwise_is_grouped_with_one_group_a_channel": (
        "kernel of a layer flipped",
        "outputs listed multiplier by multiplier",
        "kernel of the first channel on every channel",
    ),
    "test_separable.py::test_spatially_separable_is_a_convolution_with_an_outer_product": (
        "factors packed once for each shape",
        "factors flipped",
        "factors in reverse order",
        "factors added, not multiplied",
    ),
    "test_separable.py::test_depthwise_separable_is_depthwise_then_pointwise": (
        "pointwise weight read multiplier by multiplier",
        "pointwise before depthwise",
        "activation between depthwise and pointwise",
        "pointwise stage left out",
    ),
    "test_separable.py::test_each_position_has_a_convolution_of_its_own": (
        "kernel of the first position everywhere",
        "bias of the first position everywhere",
        "positions of the kernels in column-major order",
    ),
    "test_normalization.py::test_batch_norm_does_not_see_an_affine_map_of_its_input": (
        "epsilon outside the root",
        "epsilon left out",
        "variance taken for the standard deviation",
        "statistics of the batch in place of the given ones",
        "channels of the statistics taken for the last axis",
    ),
    "test_normalization.py::test_batch_norm_is_an_affine_map_of_each_channel": (
        "scale and shift swapped",
        "shift added before the scale",
    ),
    "test_normalization.py::test_more_energy_nearby_means_less_response": (
        "response window along space",
        "size taken for a radius",
        "neighbouring channels left out of the response",
    ),
    "test_normalization.py::test_without_alpha_or_beta_it_is_a_factor": (
        "cache key lacks the k",
        "k taken for 1",
        "beta taken for a half",
    ),
    "test_activation.py::test_relu_is_homogeneous_and_idempotent": (
        "negative numbers leak through relu",
        "relu stops at 6",
    ),
    "test_backpropagation.py::test_sigmoids_weaken_a_sensitivity_and_relus_do_not": (
        "gradient of relu passed everywhere",
        "gradient of relu passed at 0",
        "gradient of relu by the sign of the cotangent",
    ),
    "test_table.py::test_cotangents_have_the_shapes_of_their_operands_and_are_linear": (
        "gradient of relu cut where the cotangent is negative",
        "cotangent of a loss taken for one",
        "gradient of a zero norm is NaN",
    ),
    "test_activation.py::test_softmax_of_two_is_a_sigmoid": (
        "sigmoid by straight lines",
        "tanh of half the argument",
    ),
    "test_second_derivatives.py::test_the_curvature_of_an_activation": (
        "gradient of sigmoid from the input",
        "gradient of sigmoid taken for its value",
        "gradient of tanh from the input",
        "square left out of the gradient of tanh",
    ),
    "test_activation.py::test_softmax_sums_to_one": (
        "softmax over the last axis",
        "softmax over everything",
    ),
    "test_activation.py::test_dropout_is_its_mask_scaled": (
        "survivors of dropout not scaled",
        "survivors of dropout scaled down",
        "rate taken for the share that survives",
        "mask of dropout inverted",
    ),
    "test_activation.py::test_cross_entropy_is_the_mean_negative_log_likelihood": (
        "loss summed over the batch",
        "loss averaged over the classes, too",
        "labels counted from one",
        "softmax taken twice",
        "cross-entropy overflows",
    ),
    "test_activation.py::test_the_gradient_of_cross_entropy_is_softmax_minus_one_hot": (
        "label left out of the gradient",
    ),
    "test_activation.py::test_weight_decay_is_the_gradient_of_the_penalty": (
        "cache key lacks the strength",
        "half of the penalty left out",
        "half kept in the gradient of the penalty",
        "penalty by the norm, not by its square",
        "penalty averaged over the weights",
        "strength left out of the gradient of the penalty",
    ),
    "test_deconvolution.py::test_a_switch_holds_what_was_put_there": ("repeated values added",),
    "test_norm_pooling.py::test_padding_of_a_norm_is_zeros": (
        "norm of the average times the full kernel",
    ),
    "test_norm_pooling.py::test_the_gradient_of_a_norm_along_its_input_is_the_norm": (
        "sign left out of the gradient of the norm",
        "gradient of the norm not divided by its power",
    ),
    "test_normalization.py::test_batch_norm_is_linear_in_scale_and_shift_together": (
        "mean folded once for each shape",
        "variance folded once for each shape",
        "scale folded once for each shape",
        "shift folded once for each shape",
        "gradients of scale and shift swapped",
        "gradient of the scale not centred",
    ),
    "test_normalization.py::test_the_gradient_of_batch_norm_does_not_see_a_factor_either": (
        "gradient of the variance without its half",
    ),
    "test_normalization.py::test_the_gradient_of_batch_norm_does_not_see_a_shift_either": (
        "gradient of the mean with the wrong sign",
        "statistics taken for constants",
        "gradient of the input without the scale",
    ),
    "test_normalization.py::test_among_silent_channels_it_is_a_function_of_one_number": (
        "alpha not divided by the size",
        "alpha divided by the channels that exist",
    ),
    "test_normalization.py::test_a_channel_is_heard_as_far_as_the_window_reaches": (
        "even response window one channel down",
    ),
    "test_normalization.py::test_the_gradient_of_a_response_along_its_input": (
        "response taken for a constant factor",
        "gradient of the response from the element itself alone",
    ),
    "test_activation.py::test_relu_hands_on_what_is_no_number": ("NaN taken for zero by relu",),
    "test_activation.py::test_sigmoid_and_tanh_keep_to_their_limits": (
        "sigmoid overflows",
        "tanh overflows",
    ),
    "test_activation.py::test_softmax_does_not_see_a_shift": ("softmax overflows",),
    "test_activation.py::test_the_gradient_of_softmax_does_not_see_a_shift_either": (
        "gradient of softmax without its mean",
        "gradient of softmax from its diagonal alone",
    ),
    "test_separable.py::test_depthwise_separable_is_a_convolution_with_a_weight_of_low_rank": (
        "depthwise weights packed once for each shape",
        "pointwise weights packed once for each shape",
    ),
    "test_normalization.py::test_scaling_the_input_is_scaling_alpha": (
        "cache key lacks the alpha",
    ),
    "test_normalization.py::test_one_channel_bounds_itself": ("cache key lacks the size",),
}
