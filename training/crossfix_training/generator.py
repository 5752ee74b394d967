"""Weights, feature maps and images of counter-based numbers that C++ makes too, so that golden files need to
hold outputs alone. The C++ side of the same rules is tests/support.
"""

from __future__ import annotations

import numpy as np
import torch

from crossfix_training.counter import bits, uniform


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
