"""Backbones that start from a pretrained classifier: ResNet-50 up to layer3, or the convolutions of VGG-16.

The file has the key names of torchvision and timm, under any prefix. Tensors are taken to the bit, except the first
convolution of a VGG-16 that has seen RGB: it is rewritten for the network's input, BGR grey levels minus their mean.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch
from torch import Tensor, nn

from crossfix_training.baselines import VGG_MEAN_BGR, Vgg16
from crossfix_training.checkpoint import InputError, flattened, prefixes, read_file
from crossfix_training.compatible import without_memory
from crossfix_training.config import IMAGENET_MEAN, IMAGENET_STD, PRESETS
from crossfix_training.model import TrunkNetwork
from crossfix_training.systems import BASELINES, RECIPES

# The backbones in a network, and their views. The first one serves both where there is no second.
BACKBONES = {"sat_extractor": "satellite", "grd_extractor": "ground"}
# What a VGG-16 has seen: normalised RGB, as torchvision's; or grey levels minus VGG's means, as the first VGG-16.
INPUTS = ("rgb", "rgb-levels", "bgr-levels")
COUNTER = "num_batches_tracked"  # old files lack it, and nothing uses it


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a .safetensors or PyTorch file. Runs no code from the file."""
    tensors = flattened(read_file(path)[0])
    if not tensors:
        raise InputError(f"{path}: holds no tensors")
    return tensors


def file_names(backbone: nn.Module) -> dict[str, str]:
    """For each key of the backbone the key that torchvision and timm give it."""
    if isinstance(backbone, TrunkNetwork):
        return {key: key for key in backbone.state_dict()}
    names: dict[str, str] = {}
    number = 0
    for s, norms in enumerate(backbone.norms):
        for i, norm in enumerate(norms):
            names |= {f"stages.{s}.{i}.{part}": f"features.{number}.{part}" for part in ("weight", "bias")}
            names |= {f"norms.{s}.{i}.{part}": f"features.{number + 1}.{part}" for part in norm.state_dict()}
            number += 3 if norm.state_dict() else 2  # convolution, BatchNorm, ReLU
        number += 1  # the pool
    return names


def longest_prefix(path: Path, tensors: dict[str, Tensor], wanted: list[str]) -> str:
    """The longest prefix under which all the wanted keys lie; if there is none, the one with most of them."""
    found = prefixes(tensors, wanted)
    if not found:
        return ""
    most = max(found.values())
    longest = sorted((prefix for prefix, count in found.items() if count == most), key=len, reverse=True)
    if most == len(wanted) and len(longest) > 1 and len(longest[0]) == len(longest[1]):
        both = f"`{longest[0]}` and `{longest[1]}`"
        raise InputError(f"{path}: a backbone lies under {both}; --trunk takes one (--start takes a whole network)")
    return longest[0]


def misfit(tensors: dict[str, Tensor], prefix: str, backbone: nn.Module) -> str | None:
    """What is wrong with the first key that does not fit the backbone."""
    names, shapes = file_names(backbone), {key: list(value.shape) for key, value in backbone.state_dict().items()}
    hint = ""
    if isinstance(backbone, Vgg16):
        in_file, in_network = (f"{prefix}features.1.weight" in tensors, "features.1.weight" in names.values())
        hint = " (the file has BatchNorm, the network has none)" if in_file and not in_network else hint
        hint = " (the network has BatchNorm, the file has none)" if in_network and not in_file else hint
    for key, name in names.items():
        value = tensors.get(prefix + name)
        if value is None and key.endswith(COUNTER):
            continue
        if value is None:
            return f"`{prefix}{name}` of shape {shapes[key]} is missing{hint}"
        if list(value.shape) != shapes[key]:
            return f"`{prefix}{name}` has shape {list(value.shape)} where the network has {shapes[key]}"
        if not key.endswith(COUNTER) and not value.is_floating_point():
            return f"`{prefix}{name}` holds {value.dtype}, not floating-point numbers"
    taken, parts = set(names.values()), {name.split(".")[0] for name in names.values()}
    for key in tensors:
        name = key.removeprefix(prefix)
        if key.startswith(prefix) and name.split(".")[0] in parts and name not in taken:
            return f"`{key}` of shape {list(tensors[key].shape)} is of another or a deeper network"
    return None


def fitting_presets(tensors: dict[str, Tensor]) -> list[str]:
    """The presets whose backbones the file fits."""
    with without_memory():
        backbones = {preset: TrunkNetwork(config.trunk) for preset, config in PRESETS.items()}
        backbones |= {preset: Vgg16(size.planes, size.batch_norm) for preset, (_, size) in BASELINES.items()}
    backbones |= {preset: backbones[recipe.network] for preset, recipe in RECIPES.items()}
    fitting = []
    for preset, backbone in backbones.items():
        wanted = [name for name in file_names(backbone).values() if not name.endswith(COUNTER)]
        try:
            prefix = longest_prefix(Path(), tensors, wanted)
        except InputError:  # two backbones fit
            continue
        if misfit(tensors, prefix, backbone) is None:
            fitting.append(preset)
    return sorted(fitting)


@torch.no_grad()
def see_bgr_levels(first: nn.Conv2d, seen: str) -> None:
    """Rewrites a convolution of what it has `seen`, one of `INPUTS`, for BGR grey levels minus VGG's means.

    The outputs are the same, except at the border: there the padding is a grey that differs by at most 0.5 levels.
    """
    if seen == "bgr-levels":
        return
    if seen == "rgb-levels":
        first.weight.copy_(first.weight.flip(1))
        return
    weight = first.weight.double() / (255 * torch.tensor(IMAGENET_STD, dtype=torch.float64).view(1, 3, 1, 1))
    imagenet_mean = 255 * torch.tensor(IMAGENET_MEAN, dtype=torch.float64)
    shift = torch.tensor(VGG_MEAN_BGR[::-1], dtype=torch.float64) - imagenet_mean
    first.bias.add_((weight.sum(dim=(2, 3)) @ shift).to(first.bias))
    first.weight.copy_(weight.flip(1))


def start_backbones(model: nn.Module, path: Path, seen: str | None = None) -> list[str]:
    """Copies the tensors of a file to the backbones of both views; returns lines that say what was taken.

    `seen` is what a VGG-16 has seen, one of `INPUTS` (None: the first). Raises ValueError, in one line, if the file
    does not fit; then no backbone has changed.
    """
    backbones = {name: getattr(model, name) for name in BACKBONES if hasattr(model, name)}
    backbone = next(iter(backbones.values()))
    if seen and not isinstance(backbone, Vgg16):
        raise InputError(f"--trunk-input {seen}: is for VGG-16; this preset has ResNet backbones, which see RGB")
    tensors, names = read_tensors(path), file_names(backbone)
    prefix = longest_prefix(path, tensors, [name for name in names.values() if not name.endswith(COUNTER)])
    if fault := misfit(tensors, prefix, backbone):
        fitting = ", ".join(fitting_presets(tensors))
        raise InputError(f"{path}: {fault}; " + (f"presets that fit: {fitting}" if fitting else "no preset fits"))
    chosen = {key: tensors[prefix + name] for key, name in names.items() if prefix + name in tensors}
    for key, value in chosen.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise InputError(f"{path}: `{prefix}{names[key]}` holds NaN or infinity")
    seen = (seen or INPUTS[0]) if isinstance(backbone, Vgg16) else None
    for module in backbones.values():
        with torch.no_grad():
            state = module.state_dict()
            for key, value in chosen.items():
                state[key].copy_(value)
        if seen:
            see_bgr_levels(module.stages[0][0], seen)
    parameters = sum(chosen[key].numel() for key, _ in backbone.named_parameters())
    under = f" under `{prefix}`" if prefix else ""
    lines = []
    for name in backbones:
        views = BACKBONES[name] if len(backbones) > 1 else "both views"
        lines.append(f"{path}{under}: {len(chosen)} tensors, {parameters:,} parameters for {name} ({views})")
    if seen and seen != "bgr-levels":
        lines.append(f"`{prefix}features.0` is rewritten from {seen} to bgr-levels, which this network sees")
    used = {prefix + names[key] for key in chosen}
    rest = Counter(prefix + key.removeprefix(prefix).split(".")[0] if key.startswith(prefix) else key.split(".")[0]
                   for key in tensors if key not in used)  # fmt: skip
    unused = ", ".join(f"{part} ({count} tensors)" for part, count in rest.items())
    lines.append(f"left unused: {unused or 'nothing'}")
    return lines
