"""Exercises: a ladder of steps from the first convolution to gradients, tried with the oracle."""
