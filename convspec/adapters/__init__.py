"""Implementations that nobody here wrote, under the names and layouts of the spec.

Each file translates names and layouts and nothing else.  What a package cannot express raises
`NotImplementedError` with the reason, and what it computes differently stays different.
"""
