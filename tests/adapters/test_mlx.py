"""MLX: signals."""

import pytest

import convspec
from tests.adapters.compiled import adapter, agree, integers


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_mlx_convolves_on_one_axis(mode, dtype):
    f, g = integers(6, dtype=dtype), integers(3, dtype=dtype)
    agree(adapter("mlx").convolve(f, g, mode=mode), convspec.convolve(f, g, mode))
    with pytest.raises(NotImplementedError, match="one axis"):
        adapter("mlx").convolve(f[None], g[None], mode=mode)
