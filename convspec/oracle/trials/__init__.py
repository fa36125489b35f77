"""Exact trials, family by family: arrays, attributes and the value the spec gives."""
