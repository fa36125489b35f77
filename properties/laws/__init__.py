"""Laws: what every correct implementation of an operation satisfies, one theme a file.

To be read as a course, in the order of `COURSE`, in which they also run: first convolution and
correlation and what makes them one subject, then what is built from them, last the laws of every
row of the table.  A law says what must hold, and under which conditions; where a condition is
dropped, the smallest counterexample stands beside it.  The witnesses, SciPy and SymPy, know nothing
of convspec.
"""

COURSE = (
    # A product of signals, with a flip or without, alone and among channels.
    *("test_convolution", "test_flip", "test_products", "test_equivariance", "test_separability"),
    *("test_geometry", "test_channels", "test_matrix", "test_transposed", "test_gradients"),
    # Windows of any kind.
    *("test_pooling", "test_sizes", "test_wide"),
    # Layers upon layers, and what they can see.
    *("test_stacking", "test_receptive_field", "test_locality", "test_invariance"),
    # Convolutions with fewer weights.
    *("test_pointwise", "test_separable", "test_parameters"),
    # The way back to a larger image.
    *("test_deconvolution", "test_checkerboard", "test_upsampling"),
    # Other statistics of a window, any number of windows, any number of axes.
    *("test_norm_pooling", "test_adaptive", "test_text_and_volume"),
    # What stands between the layers.
    *("test_activation", "test_normalization"),
    # The way back through the layers, and back again.
    *("test_backpropagation", "test_second_derivatives"),
    # Every row of the table.
    *("test_table", "test_linearity", "test_batch"),
)
