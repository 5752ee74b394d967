"""Writes the golden outputs that the C++ tests compare with: `tests/golden/*.safetensors`.

Weights and inputs come from generator.py and are not stored. Outputs are computed in float64 and stored as float32.
`name@k` holds every k-th element of the row-major output, from the first.

Example:
    python training/golden.py tests/golden
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from crossfix_training.baselines import BaselineConfig, Mcc, VigorBaseline
from crossfix_training.config import ROBOTCAR, VIGOR, Config, Trunk
from crossfix_training.generator import features, fill, image
from crossfix_training.model import CrossFix, position_encoding
from crossfix_training.tensors_file import encode

# A small network with what the presets do not use: a shared backbone, another width, a pooled grid.
TINY = Config(
    trunk=Trunk(blocks=(1, 2, 1), planes=8, shared=True),
    model_width=64,
    heads=2,
    encoder_layers=1,
    ffn_width=96,
    grid=8,
    satellite_size=128,
    ground_size=(64, 128),
)


# Small baselines, with sides that leave a remainder when a pool halves them.
TINY_BASELINES: dict[str, Mcc | VigorBaseline] = {
    "tiny_mcc": Mcc(BaselineConfig(satellite_size=128, ground_size=(48, 80), planes=8)),
    "tiny_vigor_baseline": VigorBaseline(BaselineConfig(satellite_size=96, ground_size=(48, 80), planes=8)),
}


def every(step: int, name: str, value: Tensor) -> dict[str, Tensor]:
    """The sampled entry `name@step`."""
    return {f"{name}@{step}": value.flatten()[::step].float().contiguous()}


def network(config: Config) -> CrossFix:
    return fill(CrossFix(config)).double().eval()


def network_input(key: str, height: int, width: int, config: Config) -> Tensor:
    """The generated image, normalised: [1, 3, height, width] in float64."""
    pixels = torch.from_numpy(image(key, height, width)).permute(2, 0, 1)[None].double() / 255
    mean = torch.tensor(config.normalization.mean, dtype=torch.float64).view(1, 3, 1, 1)
    std = torch.tensor(config.normalization.std, dtype=torch.float64).view(1, 3, 1, 1)
    return (pixels - mean) / std


def operators(model: CrossFix) -> dict[str, Tensor]:
    """Single operators of the reference network on generated features."""

    def given(key: str, *shape: int) -> Tensor:
        return features(key, shape).double()

    trunk = model.sat_extractor
    layer = model.feature_fusion_network.encoder.layers[0]
    tokens = given("operators/tokens", 1, 29, 256)
    stem = F.relu(trunk.bn1(trunk.conv1(given("operators/image", 1, 3, 40, 56))))
    attention = layer.cros_attn_source1(
        given("operators/query", 1, 37, 256),
        given("operators/key", 1, 53, 256),
        given("operators/value", 1, 53, 256),
    )
    return {
        "stem": F.max_pool2d(stem, 3, stride=2, padding=1).float(),
        "layer2.0": trunk.layer2[0](given("operators/layer2.0", 1, 256, 12, 10)).float(),
        **every(7, "layer3.0", trunk.layer3[0](given("operators/layer3.0", 1, 512, 7, 9))),
        "attention": attention.float(),
        "layer_norm": layer.sa_norm1(tokens).float(),
        "ffn": layer.source_1_FFN(tokens).float(),
        "location_head": model.location_head(tokens).float(),
        "coordinator_head": torch.sigmoid(model.coordinator_head(tokens)).float(),
        **every(131, "position_encoding.32x64x256", position_encoding(32, 64, 256)),
        **every(13, "position_encoding.16x16x128", position_encoding(16, 16, 128)),
    }


def fusion(model: CrossFix) -> dict[str, Tensor]:
    """The first fusion layer and the whole fusion network on varied tokens."""
    config = model.config
    ground_tokens = config.ground_size[0] * config.ground_size[1] // 64
    s = features("fusion/satellite", (1, config.cells, config.model_width)).double()
    g = features("fusion/ground", (1, ground_tokens, config.model_width)).double()
    layer = model.feature_fusion_network.encoder.layers[0]
    layer_s, layer_g = layer(s, g, model.satellite_encoding, model.ground_encoding)
    step = 3 if config is TINY else 61
    return {
        **every(step, "layer0.satellite", layer_s),
        **every(step, "layer0.ground", layer_g),
        **every(step, "fused", model.fuse(s, g)),
    }


def pair(config: Config, suffix: str = "") -> tuple[Tensor, Tensor]:
    """A generated satellite and ground image at the configuration's sizes."""
    side = config.satellite_size
    satellite = network_input(f"image/satellite{suffix}", side, side, config)
    return satellite, network_input(f"image/ground{suffix}", *config.ground_size, config)


def more_pairs(model: CrossFix) -> dict[str, Tensor]:
    """The network's outputs for further pairs, so that the pairs of a batch can be told apart."""
    entries: dict[str, Tensor] = {}
    for suffix in ("/1", "/2"):
        logits, offsets = model(*pair(model.config, suffix))
        entries |= {f"logits{suffix}": logits.float(), f"offsets{suffix}": offsets.float()}
    return entries


def whole(model: CrossFix) -> dict[str, Tensor]:
    """The whole network on generated images, with samples along the way."""
    config = model.config
    satellite, ground = pair(config)
    ground_trunk = model.sat_extractor if config.trunk.shared else model.grd_extractor
    s, g = model.tokens(satellite, ground)
    logits, offsets = model(satellite, ground)
    trunk_step, step = (13, 3) if config is TINY else (1009, 61)
    return {
        **every(trunk_step, "trunk.satellite", model.sat_extractor(satellite)),
        **every(trunk_step, "trunk.ground", ground_trunk(ground)),
        **every(step, "tokens.satellite", s),
        **every(step, "tokens.ground", g),
        **every(step, "fused", model.fuse(s, g)),
        "logits": logits.float(),
        "offsets": offsets.float(),
        **more_pairs(model),
    }


def baseline(model: Mcc | VigorBaseline) -> dict[str, Tensor]:
    """A baseline's outputs for each pair: a sample of MCC's heat map, or the VIGOR baseline's position in tiles."""
    model = fill(model).double().eval()
    entries: dict[str, Tensor] = {}
    for suffix in ("", "/1", "/2"):
        sides = {"satellite": (model.config.satellite_size,) * 2, "ground": model.config.ground_size}
        pixels = [image(f"image/{view}{suffix}", *size) for view, size in sides.items()]
        outputs = model(*(torch.from_numpy(view).permute(2, 0, 1)[None].double() / 255 for view in pixels))
        if isinstance(model, Mcc):
            entries |= every(13, f"logits{suffix}", outputs[0])
        else:
            entries[f"offsets{suffix}"] = model.fix(outputs).float()
    return entries


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, config in {"vigor": VIGOR, "robotcar": ROBOTCAR, "tiny": TINY}.items():
        model = network(config)
        (folder / f"{name}.safetensors").write_bytes(encode(whole(model)))
        (folder / f"{name}_fusion.safetensors").write_bytes(encode(fusion(model)))
        if config is VIGOR:
            (folder / "operators.safetensors").write_bytes(encode(operators(model)))
    for name, peer in TINY_BASELINES.items():
        (folder / f"{name}.safetensors").write_bytes(encode(baseline(peer)))


if __name__ == "__main__":
    main()
