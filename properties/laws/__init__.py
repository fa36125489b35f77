"""Laws: what every correct implementation of an operation satisfies, one theme a file.

To be read as a course: `test_convolution`, `test_flip`, `test_products`, `test_equivariance`,
`test_separability`, `test_geometry`, `test_channels`, `test_matrix`, `test_transposed`,
`test_gradients`, `test_pooling`, `test_sizes`.  A law says what must hold, and under which
conditions; where a condition is dropped, the smallest counterexample stands beside it.  The
witnesses, SciPy and SymPy, know nothing of convspec.
"""
