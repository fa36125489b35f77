"""Tests of the oracle: every check is seen to pass what is right and to fail what is wrong."""
