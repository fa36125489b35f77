"""Laws: what every correct implementation of an operation satisfies, one theme a file.

To be read as a course: `test_convolution`, `test_flip`, `test_products`, `test_equivariance`,
`test_separability`, `test_geometry`, `test_channels`, `test_matrix`, `test_transposed`,
`test_gradients`, `test_pooling`, `test_sizes`; then, on what is built from these, `test_wide`,
`test_stacking`, `test_receptive_field`, `test_locality`, `test_invariance`, `test_pointwise`,
`test_separable`, `test_parameters`, `test_deconvolution`, `test_checkerboard`, `test_upsampling`,
`test_norm_pooling`, `test_adaptive`, `test_text_and_volume`, `test_activation`,
`test_normalization`; last the laws of every row of the table, `test_table`, `test_linearity`,
`test_batch`.  A law says what must hold, and under which
conditions; where a condition is dropped, the smallest counterexample stands beside it.  The
witnesses, SciPy and SymPy, know nothing of convspec.
"""
