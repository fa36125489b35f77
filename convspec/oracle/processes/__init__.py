"""Implementations in other processes, and examinations shared among several."""
