"""Two steps of the published recipe equal a second implementation of it in NumPy, in float64.

The second implementation shares no code with the first: network, loss, sharpness-aware step and AdamW are written here
from the published description, and gradients are central differences. Each check must find the errors planted below.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

import train
from crossfix_training import config, systems
from crossfix_training import loss as loss_module
from crossfix_training import model as model_module
from crossfix_training.config import Config, Trunk

# Every kind of tensor of the reference network; two bottlenecks in layer1, so that one has no downsampling; a tile
# whose features are pooled from 8x8 to the grid.
TINY = Config(Trunk((2, 1, 1), planes=2), model_width=16, heads=2, encoder_layers=1, ffn_width=24, grid=4,
              satellite_size=64, ground_size=(16, 32))  # fmt: skip
DILATION = 2  # of the first 3x3 convolution in layer3
RECIPE = {"rate": 1e-4, "trunk_rate": 1e-5, "decay": 1e-4, "rho": 0.05}

Weights = dict[str, np.ndarray]


def convolution(x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0, dilation: int = 1) -> np.ndarray:
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    side = dilation * (weight.shape[-1] - 1) + 1
    windows = sliding_window_view(x, (side, side), axis=(2, 3))[:, :, ::stride, ::stride, ::dilation, ::dilation]
    return np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


def batch_norm(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    """By the statistics of the batch, as in training."""
    x = (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-5)
    return x * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None]


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def backbone(image: np.ndarray, w: Weights, view: str) -> np.ndarray:
    """ResNet up to layer3 at stride 8."""
    x = relu(batch_norm(convolution(image, w[f"{view}.conv1.weight"], 2, 3), w, f"{view}.bn1"))
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    x = sliding_window_view(x, (3, 3), axis=(2, 3))[:, :, ::2, ::2].max((4, 5))
    for layer, blocks in enumerate(TINY.trunk.blocks, 1):
        for block in range(blocks):
            name = f"{view}.layer{layer}.{block}"
            stride = 2 if layer == 2 and block == 0 else 1
            dilation = DILATION if layer == 3 and block == 0 else 1
            y = relu(batch_norm(convolution(x, w[f"{name}.conv1.weight"]), w, f"{name}.bn1"))
            y = convolution(y, w[f"{name}.conv2.weight"], stride, dilation, dilation)
            y = relu(batch_norm(y, w, f"{name}.bn2"))
            y = batch_norm(convolution(y, w[f"{name}.conv3.weight"]), w, f"{name}.bn3")
            if block == 0:
                x = batch_norm(convolution(x, w[f"{name}.downsample.0.weight"], stride), w, f"{name}.downsample.1")
            x = relu(x + y)
    return x


def linear(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def layer_norm(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return x * w[f"{name}.weight"] + w[f"{name}.bias"]


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, w: Weights, name: str) -> np.ndarray:
    d, parts = q.shape[-1], []
    for i, x in enumerate((q, k, v)):
        rows = slice(i * d, (i + 1) * d)
        parts.append(x @ w[f"{name}.in_proj_weight"][rows].T + w[f"{name}.in_proj_bias"][rows])
    mixed, size = [], d // TINY.heads
    for head in range(TINY.heads):
        q, k, v = (part[..., head * size : (head + 1) * size] for part in parts)
        scores = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(size))
        mixed.append(scores / scores.sum(-1, keepdims=True) @ v)
    return linear(np.concatenate(mixed, -1), w, f"{name}.out_proj")


def encoding(rows: int, columns: int) -> np.ndarray:
    """sin(x w), cos(x w), sin(y w), cos(y w) for each frequency; column x and row y count from 1."""
    table, d = np.zeros((rows * columns, TINY.model_width)), TINY.model_width
    for y in range(rows):
        for x in range(columns):
            for k in range(d // 4):
                a = np.exp(-2 * k * np.log(10000) / (d / 2)) * np.array([x + 1, y + 1])
                table[y * columns + x, 4 * k : 4 * k + 4] = np.sin(a[0]), np.cos(a[0]), np.sin(a[1]), np.cos(a[1])
    return table


ENCODINGS = encoding(TINY.grid, TINY.grid), encoding(*(side // 8 for side in TINY.ground_size))


def ffn(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    return linear(relu(linear(x, w, f"{name}.0")), w, f"{name}.3")


def head(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    x = relu(linear(relu(linear(x, w, f"{name}.layers.0")), w, f"{name}.layers.1"))
    return linear(x, w, f"{name}.layers.2")


def located(s: np.ndarray, g: np.ndarray, w: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Features of the views -> logits [B, cells] and (ty, tx) [B, cells, 2]."""
    side = s.shape[-1] // TINY.grid
    s = s.reshape(*s.shape[:2], TINY.grid, side, TINY.grid, side).max((3, 5))
    project = {name: w[f"{name}.weight"][:, :, 0, 0] for name in ("sat_proj", "grd_proj")}
    s = np.einsum("bchw,dc->bhwd", s, project["sat_proj"]).reshape(len(s), -1, TINY.model_width) + w["sat_proj.bias"]
    g = np.einsum("bchw,dc->bhwd", g, project["grd_proj"]).reshape(len(g), -1, TINY.model_width) + w["grd_proj.bias"]

    def ps(x: np.ndarray) -> np.ndarray:
        return x + ENCODINGS[0]

    def pg(x: np.ndarray) -> np.ndarray:
        return x + ENCODINGS[1]

    net = "feature_fusion_network"
    for i in range(TINY.encoder_layers):
        n = f"{net}.encoder.layers.{i}"
        s = layer_norm(s + attention(ps(s), ps(s), s, w, f"{n}.self_attn_source1"), w, f"{n}.sa_norm1")
        g = layer_norm(g + attention(pg(g), pg(g), g, w, f"{n}.self_attn_source2"), w, f"{n}.sa_norm2")
        s = layer_norm(s + attention(ps(s), pg(g), g, w, f"{n}.cros_attn_source1"), w, f"{n}.ca_norm1_1")
        s = layer_norm(s + ffn(s, w, f"{n}.source_1_FFN"), w, f"{n}.ca_norm1_2")
        g = layer_norm(g + attention(pg(g), ps(s), s, w, f"{n}.cros_attn_source2"), w, f"{n}.ca_norm2_1")
        g = layer_norm(g + ffn(g, w, f"{n}.source_2_FFN"), w, f"{n}.ca_norm2_2")
    n = f"{net}.decoder.layers.0"
    s = layer_norm(s + attention(ps(s), pg(g), g, w, f"{n}.cross_attn"), w, f"{n}.norm1")
    s = layer_norm(s + ffn(s, w, f"{n}.FFN"), w, f"{n}.norm2")
    s = layer_norm(s, w, f"{net}.decoder.norm")
    return head(s, w, "location_head")[..., 0], 1 / (1 + np.exp(-head(s, w, "coordinator_head")))


class Objective:
    """The loss of a batch as a function of the weights; features of a view are kept while its backbone is."""

    def __init__(self, satellite: np.ndarray, ground: np.ndarray, truth: np.ndarray, weights: Weights) -> None:
        mean, deviation = (np.array(v).reshape(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        images = (satellite - mean) / deviation, (ground - mean) / deviation
        self.images = dict(zip(("sat_extractor", "grd_extractor"), images))
        self.truth, self.weights = truth * TINY.grid, weights
        self.features = {view: backbone(image, weights, view) for view, image in self.images.items()}

    def __call__(self, key: str = "", change: np.ndarray | float = 0.0) -> float:
        """The loss, with `change` added to one tensor: cross-entropy over the cells and the mean squared error of
        (ty, tx) at the true cell, weights 1 and 1."""
        w, features = self.weights, self.features
        if key:
            w = {**w, key: w[key] + change}
        view = key.split(".")[0]
        if view in self.images:
            features = {**features, view: backbone(self.images[view], w, view)}
        logits, offsets = located(features["sat_extractor"], features["grd_extractor"], w)
        entropies, squares = [], []
        for scores, found, (row, col) in zip(logits, offsets, self.truth):
            cell = int(row) * TINY.grid + int(col)
            entropies.append(np.log(np.exp(scores - scores[cell]).sum()))
            squares.append((found[cell] - (row % 1, col % 1)) ** 2)
        return float(np.mean(entropies) + np.mean(squares))

    def slope(self, key: str, direction: np.ndarray) -> float:
        """The derivative along a direction of length 1. The step keeps both errors, of curvature and of rounding,
        and the chance that a ReLU changes sides, below the bound."""
        step = 1e-6 * direction
        return (self(key, step) - self(key, -step)) / 2e-6


@dataclass
class Pass:
    """What a backward pass of the trainer began with and found."""

    weights: Weights
    loss: float = 0.0
    gradients: Weights = field(default_factory=dict)


@dataclass
class Record:
    """Batches of the steps; two passes a step; the weights after each step."""

    batches: list[tuple[np.ndarray, ...]]
    passes: list[Pass]
    after: list[Weights]


def recorded(world, out, monkeypatch, plant: str = "") -> Record:
    """Two steps of the trainer with the options of the preset, a tiny network and fixed batches, in float64."""
    monkeypatch.setitem(config.PRESETS, "vigor", TINY)
    command = ["train", "--preset", "vigor-published", "--data", str(world), "--out", str(out), "--steps", "100"]
    monkeypatch.setattr("sys.argv", [*command, "--validation", "0.5"])
    options = train.arguments()
    plant_before(plant, options, monkeypatch)
    trainer = train.Trainer(options)
    for module in (trainer.model, trainer.helper, trainer.average.model):
        module.double()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():  # no zero biases, no gains of 1
        for p in trainer.model.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    plant_after(plant, trainer)

    def images(*size: int) -> torch.Tensor:
        return torch.rand((4, 3, *size), generator=generator, dtype=torch.float64)

    side = TINY.satellite_size
    batches = []
    for _ in range(2):
        truth = torch.rand((4, 2), generator=generator, dtype=torch.float64)
        batches.append((images(side, side), images(*TINY.ground_size), truth))
    record = Record([tuple(part.numpy() for part in batch) for batch in batches], [], [])

    def weights() -> Weights:
        return {key: p.detach().numpy().copy() for key, p in trainer.model.named_parameters()}

    system_loss, trainer_backward = trainer.system.loss, trainer.backward

    def loss(*inputs):
        value, parts = system_loss(*inputs)
        record.passes.append(Pass(weights(), value.item()))
        return value, parts

    def backward(batch):
        parts = trainer_backward(batch)
        record.passes[-1].gradients = {key: p.grad.numpy().copy() for key, p in trainer.model.named_parameters()}
        return parts

    monkeypatch.setattr(trainer.system, "loss", loss)
    monkeypatch.setattr(trainer, "backward", backward)
    for batch in batches:
        monkeypatch.setattr(trainer, "draw", lambda batch=batch: batch)
        trainer.step()
        record.after.append(weights())
    return record


def check_pass(one: Pass, batch: tuple[np.ndarray, ...], keys: list[str], name: str) -> None:
    """Loss and gradients. A tensor's gradient is compared along itself, along a random direction and at its largest
    element, relative to its length, or to a millionth of the whole gradient's where it is 0 but for rounding: a bias
    before a softmax or BatchNorm."""
    objective = Objective(*batch, one.weights)
    expected = objective()
    assert abs(one.loss - expected) <= 1e-9 * abs(expected), f"{name}: loss {one.loss}, expected {expected}"
    whole = np.sqrt(sum((g**2).sum() for g in one.gradients.values()))
    rng = np.random.default_rng(0)
    for key in keys:
        gradient = one.gradients[key]
        length = max(np.linalg.norm(gradient), 1e-6 * whole)
        largest = np.zeros_like(gradient)
        largest.flat[np.abs(gradient).argmax()] = 1.0
        for direction in (gradient, rng.normal(size=gradient.shape), largest):
            if not direction.any():
                continue
            unit = direction / np.linalg.norm(direction)
            slope, found = objective.slope(key, unit), (gradient * unit).sum()
            assert abs(slope - found) <= 1e-4 * length, f"{name}: gradient of {key}: {found}, expected {slope}"


def check(record: Record, keys: list[str] | None = None) -> None:
    """Raises AssertionError at the first thing that differs; `keys` are the tensors whose gradients are checked."""
    first, ascended, *later = record.passes
    keys = keys or list(first.weights)
    assert len(later) == 2
    check_pass(first, record.batches[0], keys, "first pass")
    whole = np.sqrt(sum((g**2).sum() for g in first.gradients.values()))
    for key, weight in first.weights.items():
        expected = weight + RECIPE["rho"] * first.gradients[key] / whole
        assert np.abs(ascended.weights[key] - expected).max() <= 1e-12, f"ascent of {key}"
    check_pass(ascended, record.batches[0], keys, "second pass")
    before, moment, square = first.weights, dict.fromkeys(first.weights, 0.0), dict.fromkeys(first.weights, 0.0)
    for step, (descent, after) in enumerate(zip((ascended, later[1]), record.after, strict=True), 1):
        for key, gradient in descent.gradients.items():
            rate = RECIPE["trunk_rate"] if key.startswith(("sat_extractor", "grd_extractor")) else RECIPE["rate"]
            moment[key] = 0.9 * moment[key] + 0.1 * gradient
            square[key] = 0.999 * square[key] + 0.001 * gradient**2
            moved = moment[key] / (1 - 0.9**step) / (np.sqrt(square[key] / (1 - 0.999**step)) + 1e-8)
            expected = before[key] * (1 - rate * RECIPE["decay"]) - rate * moved
            # Rounding: of weights of about 1, and of the update.
            bound = 1e-15 * (1 + np.abs(expected)) + 1e-9 * rate
            assert (np.abs(after[key] - expected) <= bound).all(), f"step {step}: update of {key}"
        before = after


def test_two_steps_of_the_recipe(world, tmp_path, monkeypatch):
    check(recorded(world, tmp_path, monkeypatch))


@contextlib.contextmanager
def unscaled_ascent(model, rho):
    """Moves by rho times the gradient, whatever its length."""
    kept = [p.detach().clone() for p in model.parameters()]
    with torch.no_grad():
        for p in model.parameters():
            p.add_(rho * p.grad)
    yield
    with torch.no_grad():
        for p, before in zip(model.parameters(), kept):
            p.copy_(before)


# Each planted error, and the check that must find it.
PLANTED = {
    "offset of the wrong sign": "first pass: loss",
    "offset summed over its axes": "first pass: loss",
    "row and column swapped": "first pass: loss",
    "a soft target": "first pass: loss",
    "running statistics": "first pass: loss",
    "positions shifted": "first pass: loss",
    "tokens cut from the gradient": "first pass: gradient of sat_extractor",
    "ascent without the norm": "ascent",
    "no ascent": "ascent",
    "a clipped gradient": "update of sat_extractor",
    "no decay of the backbones": "update of sat_extractor",
    "no decay of the rest": "update of sat_proj",
    "rates swapped": "update of sat_extractor",
    "decay in the gradient": "update of sat_extractor",
    "a decaying rate": "step 2: update of sat_extractor",
}


def plant_before(plant: str, options, monkeypatch) -> None:
    location_loss = loss_module.location_loss

    def patched_loss(change):
        monkeypatch.setattr(systems, "location_loss", lambda *inputs: change(*location_loss(*inputs)))

    if plant == "offset of the wrong sign":
        patched_loss(lambda entropy, offset: (entropy, -offset))
    elif plant == "offset summed over its axes":
        patched_loss(lambda entropy, offset: (entropy, 2 * offset))
    elif plant == "row and column swapped":
        monkeypatch.setattr(systems, "location_loss", lambda a, b, truth, *c: location_loss(a, b, truth.flip(1), *c))
    elif plant == "a soft target":
        options.sigma = (0.5, 0.5)
    elif plant == "positions shifted":
        right = model_module.position_encoding
        monkeypatch.setattr(model_module, "position_encoding", lambda *sizes: right(*sizes).roll(1, 0))
    elif plant == "tokens cut from the gradient":
        tokens = model_module.CrossFix.tokens

        def cut(model, satellite, ground):
            s, g = tokens(model, satellite, ground)
            return s * 0.5 + s.detach() * 0.5, g

        monkeypatch.setattr(model_module.CrossFix, "tokens", cut)
    elif plant == "ascent without the norm":
        monkeypatch.setattr(train, "ascended", unscaled_ascent)
    elif plant == "no ascent":
        monkeypatch.setattr(train, "ascended", lambda *_: contextlib.nullcontext())
    elif plant == "a clipped gradient":
        options.clip = 1e-9  # AdamW forgives a scale unless it is near its epsilon
    elif plant == "a decaying rate":
        options.last_rate = 0.01


def plant_after(plant: str, trainer) -> None:
    rest, backbones = trainer.optimizer.param_groups
    if plant == "running statistics":
        trainer.model.eval()
    elif plant == "no decay of the backbones":
        backbones["weight_decay"] = 0.0
    elif plant == "no decay of the rest":
        rest["weight_decay"] = 0.0
    elif plant == "rates swapped":
        trainer.peaks.reverse()
    elif plant == "decay in the gradient":
        groups = [{"params": group["params"]} for group in (rest, backbones)]
        trainer.optimizer = torch.optim.Adam(groups, weight_decay=1e-4)


@pytest.mark.parametrize("plant, found", PLANTED.items())
def test_planted_errors_are_found(plant, found, world, tmp_path, monkeypatch):
    record = recorded(world, tmp_path, monkeypatch, plant)
    with pytest.raises(AssertionError) as caught:
        check(record, ["sat_extractor.conv1.weight", "location_head.layers.0.weight"])
    assert found in str(caught.value).splitlines()[0]
