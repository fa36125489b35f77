"""Mutation testing of the spec: does a test fail for every small change of a definition?

`python -m tests.mutation`, in a tox environment of its own.  The mutants are mutmut's.  How mutmut
runs them was tried, and does not fit: it writes the mutants of a module into one file, each with
the docstring of its function, so that most tests it collects for a mutant are copies of doctests
(493 of 604 for `window.py`); and each mutant meets every test that ever enters its function, which
for `window.py` is nearly every test there is.  cosmic-ray starts a Python for each of its mutants,
of which `window.py` has 1306, most of them sums made into shifts and the like.  So `patch.py`
and `fork.py` run them.
"""
