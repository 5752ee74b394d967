"""Counter-based numbers that C++ makes too, so that golden files only need to hold outputs.

Value i of the stream named by a key is splitmix64 of (FNV-1a of the key, i). Its top 24 bits are taken as a number in
[-1, 1), which is exact in float32. Weights, feature maps and images are built from such values here. The C++ side of
the same rules is in tests/support.
"""

from __future__ import annotations

import numpy as np
import torch

_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def stream(key: str) -> int:
    """FNV-1a, 64 bit, of the key's UTF-8 bytes."""
    state = _FNV_OFFSET
    for byte in key.encode():
        state = ((state ^ byte) * _FNV_PRIME) & _MASK
    return state


def bits(key: str, count: int) -> np.ndarray:
    """The first `count` 64-bit values of a stream, uint64 [count]."""
    with np.errstate(over="ignore"):
        z = np.uint64(stream(key)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values in [-1, 1), float64 of the given shape (row-major counter), each exact in float32."""
    top = (bits(key, int(np.prod(shape))) >> np.uint64(40)).astype(np.float64)
    return (top / 2**23 - 1.0).reshape(shape)


def weight(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """One tensor of a state_dict, float32 (int64 zero for `num_batches_tracked`).

    The scales keep activations near one: He for convolutions, unit gain for linear maps, and a small last map in each
    residual branch, so that sums grow slowly and tokens stay different from each other.
    """
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    r = uniform(key, shape)
    if len(shape) == 4:
        r *= np.sqrt(6.0 / (shape[1] * shape[2] * shape[3]))
    elif len(shape) == 2:
        branch_end = key.endswith(("out_proj.weight", "FFN.3.weight"))
        r *= (0.4 if branch_end else 1.0) * np.sqrt(3.0 / shape[1])
    elif key.endswith("running_var"):
        r = 1.0 + 0.5 * r
    elif key.endswith("bn3.weight"):
        r = 0.3 + 0.06 * r
    elif key.endswith("weight"):
        r = 1.0 + 0.2 * r
    else:
        r = 0.1 * r
    return torch.from_numpy(r.astype(np.float32))


def fill(model: torch.nn.Module) -> torch.nn.Module:
    """Replaces every tensor of the model's state_dict by the generated one."""
    state = model.state_dict()
    model.load_state_dict({key: weight(key, tuple(value.shape)) for key, value in state.items()})
    return model


def features(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Varied features of unit variance, float32."""
    return torch.from_numpy((uniform(key, shape) * np.sqrt(3.0)).astype(np.float32))


def image(key: str, height: int, width: int) -> np.ndarray:
    """An 8-bit RGB image [height, width, 3]: coloured 16-pixel squares under a quarter of noise."""
    rows, columns = -(-height // 16), -(-width // 16)
    coarse = (bits(key + "/coarse", rows * columns * 3) >> np.uint64(56)).reshape(rows, columns, 3)
    fine = (bits(key + "/fine", height * width * 3) >> np.uint64(56)).reshape(height, width, 3)
    coarse = coarse.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    return ((3 * coarse + fine) // 4).astype(np.uint8)
