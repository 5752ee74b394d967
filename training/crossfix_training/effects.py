"""What another camera, season or light does to an image: colours, blur, smooth noise."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F


def smooth_noise(shape: tuple[int, int], cells: int, random: np.random.Generator) -> np.ndarray:
    """Noise [h, w] of mean 0 and deviation about 1, that changes over about side / cells pixels."""
    grid = torch.from_numpy(random.standard_normal((1, 1, cells, cells)).astype(np.float32))
    return F.interpolate(grid, size=shape, mode="bicubic", align_corners=True)[0, 0].numpy()


def recoloured(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Another camera and season: float32 levels."""
    x = image.astype(np.float32) / 255
    matrix = np.eye(3, dtype=np.float32) + random.normal(0, 0.07 * strength, (3, 3)).astype(np.float32)
    grey = x.mean(-1, keepdims=True)
    x = grey + (x - grey) * random.uniform(1 - 0.8 * min(strength, 1), 1 + 0.5 * strength)
    x = x @ matrix.T
    x = np.clip(x, 1e-3, None) ** np.exp(random.normal(0, 0.3 * strength) + random.normal(0, 0.08 * strength, 3)).astype(np.float32)
    x = x * np.exp(random.normal(0, 0.12 * strength, 3)).astype(np.float32) * math.exp(random.normal(0, 0.25 * strength))
    x = x + random.normal(0, 0.03 * strength, 3).astype(np.float32)
    return np.clip(x * 255, 0, 255)


def softened(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of float levels."""
    if sigma < 0.2:
        return image
    reach = math.ceil(2.5 * sigma)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).repeat(3, 1)
    x = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="replicate"), kernel[:, None, None], groups=3)
    x = F.conv2d(F.pad(x, (0, 0, reach, reach), mode="replicate"), kernel[:, None, :, None], groups=3)
    return x[0].permute(1, 2, 0).numpy()
