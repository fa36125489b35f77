"""Worked examples, error messages, and the tests of the oracle itself."""
