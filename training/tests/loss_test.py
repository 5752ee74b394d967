"""The loss against its formula, written out cell by cell in NumPy."""

import numpy as np
import pytest
import torch

from crossfix_training.config import Config
from crossfix_training.loss import cell_entropy, cell_targets, location_loss

GRID = 4
CONFIG = Config(grid=GRID, satellite_size=32)
TRUTHS = np.array([[0.30, 0.85], [0.51, 0.02], [0.99, 0.60]])  # (row, col) in [0, 1]
# Not 1, where a deviation, its square and their double would pass for each other.
SIGMAS = [0.0, 0.5, 1.7]
BOUND = 1e-12  # float64, sums of 16 terms


def expected_targets(sigma: float) -> np.ndarray:
    found = np.zeros((len(TRUTHS), GRID, GRID))
    for b, (row, col) in enumerate(TRUTHS * GRID):
        if sigma == 0:
            found[b, int(row), int(col)] = 1
            continue
        for i in range(GRID):
            for j in range(GRID):
                found[b, i, j] = np.exp(-((i + 0.5 - row) ** 2 + (j + 0.5 - col) ** 2) / (2 * sigma**2))
        found[b] /= found[b].sum()
    return found


def expected_losses(logits: np.ndarray, offsets: np.ndarray, sigma: float) -> tuple[float, float]:
    targets = expected_targets(sigma)
    entropy = offset = 0.0
    for b, (row, col) in enumerate(TRUTHS * GRID):
        log_probability = logits[b] - np.log(np.exp(logits[b]).sum())
        for i in range(GRID):
            for j in range(GRID):
                entropy -= targets[b, i, j] * log_probability[i * GRID + j]
                wanted = min(max(row - i, 0), 1), min(max(col - j, 0), 1)
                off = offsets[b, i * GRID + j] - wanted
                offset += targets[b, i, j] * (off[0] ** 2 + off[1] ** 2) / 2
    return entropy / len(TRUTHS), offset / len(TRUTHS)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_targets_are_a_gaussian_about_the_truth(sigma):
    found = cell_targets(torch.from_numpy(TRUTHS), CONFIG, sigma).numpy().reshape(-1, GRID, GRID)
    assert np.abs(found - expected_targets(sigma)).max() <= BOUND


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_loss_is_its_formula(sigma):
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (len(TRUTHS), GRID**2))
    offsets = random.uniform(0, 1, (len(TRUTHS), GRID**2, 2))
    arguments = [torch.from_numpy(values) for values in (logits, offsets, TRUTHS)]
    entropy, offset = expected_losses(logits, offsets, sigma)
    found = location_loss(*arguments, CONFIG, sigma)
    assert abs(found[0].item() - entropy) <= BOUND * 10 and abs(found[1].item() - offset) <= BOUND
    assert cell_entropy(arguments[0], arguments[2], CONFIG, sigma).item() == found[0].item()


def test_half_precision_is_summed_in_single():
    logits = torch.zeros(1, GRID**2, dtype=torch.bfloat16)
    loss = cell_entropy(logits, torch.tensor([[0.3, 0.85]]), CONFIG, 1.0)
    assert loss.dtype == torch.float32 and abs(loss.item() - np.log(GRID**2)) <= 1e-6
