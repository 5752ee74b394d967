"""Saving and loading crossfix weights files (safetensors with our configuration in the metadata)."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from atomic_file import put_in_place
from config import METADATA_KEY, Config

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
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(stored, metadata=metadata))
    put_in_place(partial, path)


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """(tensors, metadata) of a safetensors file. Raises ValueError if it is not a complete one."""
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file ({error})") from error


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], Config]:
    """(state_dict in float32, configuration) of a weights file; no metadata means the reference.

    Raises ValueError if it is not a complete safetensors file.
    """
    state, metadata = load_tensors(path)
    state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    text = metadata.get(METADATA_KEY)
    return state, Config.from_json(text) if text else Config()
