"""JAX: signals, and what it keeps of what it compiled."""

import pytest

import convspec
from tests.adapters.compiled import adapter, agree, integers


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("operation", ["convolve", "correlate"])
def test_jax_covers_signals_and_their_gradients(operation, mode, rank, dtype):
    implementation = adapter("jax")
    f, g = integers(*(6, 5)[:rank], dtype=dtype), integers(*(3, 2)[:rank], dtype=dtype)
    expected = getattr(convspec, operation)(f, g, mode)
    agree(getattr(implementation, operation)(f, g, mode=mode), expected)
    name = f"{operation}_vjp"
    actual = getattr(implementation, name)(expected, f, g, mode=mode)
    agree(actual, getattr(convspec, name)(expected, f, g, mode))


def test_jax_keeps_few_of_what_it_compiled():
    """Each takes several of the mappings that a process may have, at whose end it is ended."""
    implementation = adapter("jax")
    from jax.extend import backend

    def compiled():
        return len(backend.get_backend().live_executables())

    def call(size):
        f, g = integers(size), integers(2)
        agree(implementation.convolve(f, g), convspec.convolve(f, g))

    most = implementation.GEOMETRIES
    for size in range(2, 2 + most):
        call(size)
    before = compiled()
    for size in range(2 + most, 2 + 2 * most):
        call(size)
    assert compiled() <= before
