"""Counter-based numbers that C++ makes too (include/crossfix/detail/counter_generator.hpp).

Value i of the stream named by a key is splitmix64 of (FNV-1a of the key, i); its top 24 bits are a number
in [-1, 1), exact in float32.
"""

from __future__ import annotations

import numpy as np

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
