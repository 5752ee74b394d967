"""Saving and loading crossfix weights files (safetensors with our configuration in the metadata)."""

from __future__ import annotations

from pathlib import Path

import torch

from crossfix_training import tensors_file
from crossfix_training.atomic_file import whole_file
from crossfix_training.config import METADATA_KEY, Config

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def save_weights(
    state: dict[str, torch.Tensor], config: Config, path: Path, dtype: torch.dtype | None = None
) -> None:
    """Writes a weights file, whole or not at all; floating tensors are stored as `dtype` if given."""
    save_tensors(state, {METADATA_KEY: config.to_json()}, path, dtype)


def save_tensors(
    state: dict[str, torch.Tensor], metadata: dict[str, str], path: Path, dtype: torch.dtype | None = None
) -> None:
    """The same with any metadata."""
    stored = {
        key: (value.to(dtype) if dtype and value.is_floating_point() else value).contiguous()
        for key, value in state.items()
    }
    for key, value in stored.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise ValueError(f"{path}: '{key}' holds values that {value.dtype} cannot hold, or none at all")
    with whole_file(path) as file:
        tensors_file.write(file, stored, metadata)


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """(tensors, metadata) of a safetensors file. Raises ValueError if it is not a complete one."""
    return tensors_file.read(path)


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], Config]:
    """(state_dict in float32, configuration) of a weights file; no metadata means the reference.

    Raises ValueError if it is not a complete safetensors file.
    """
    state, metadata = load_tensors(path)
    state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    text = metadata.get(METADATA_KEY)
    return state, Config.from_json(text) if text else Config()
