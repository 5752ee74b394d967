"""What PyTorch has had since 2.0 and Debian 12's 1.13 lacks. Everything else here runs on both."""

from __future__ import annotations

import contextlib
import io
import math
import pickle
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

HAS_SAFE_GLOBALS = hasattr(torch.serialization, "safe_globals")
HAS_META_CONTEXT = hasattr(torch.device, "__enter__")
StandIn = tuple[Any, str]  # what is made, in place of the class of this name


def load(path: Path, map_location: Any = None, stand_ins: Sequence[StandIn] = ()) -> Any:
    """What a PyTorch file holds. Runs no code from the file: tensors and plain containers are made, and for other
    objects their stand-ins. Raises pickle.UnpicklingError, which names `GLOBAL module.name`, if there are more."""
    if HAS_SAFE_GLOBALS:
        with torch.serialization.safe_globals(list(stand_ins)):
            return torch.load(path, map_location=map_location, weights_only=True)
    with mock.patch.object(torch.serialization, "_weights_only_unpickler", restricted(stand_ins)):
        return torch.load(path, map_location=map_location, weights_only=True)


def restricted(stand_ins: Sequence[StandIn]) -> Any:
    """The module pickle with an Unpickler that makes what `weights_only` of PyTorch 1.13 allows, and the stand-ins. Its
    own refuses floats, and its torch.load takes no pickle_module."""
    import torch._weights_only_unpickler as weights_only

    known = {**weights_only._get_allowed_globals(), **{name: made for made, name in stand_ins}}
    known |= {"builtins.set": set, "__builtin__.set": set, "torch.bfloat16": torch.bfloat16, "torch.bool": torch.bool}
    known |= {"torch.uint8": torch.uint8, "_codecs.encode": lambda *_: b""}

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (wanted := f"{module}.{name}") not in known:
                raise pickle.UnpicklingError(f"GLOBAL {wanted} is not allowed")
            return known[wanted]

    def load(file: BinaryIO, **options: Any) -> Any:
        return Unpickler(file, **options).load()

    def loads(data: bytes, **options: Any) -> Any:
        return load(io.BytesIO(data), **options)

    return SimpleNamespace(__name__="pickle", Unpickler=Unpickler, load=load, loads=loads)


def without_memory() -> AbstractContextManager:
    """Modules made within it have shapes but no numbers, where PyTorch can do so: they cost no time and memory."""
    return torch.device("meta") if HAS_META_CONTEXT else contextlib.nullcontext()


def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(query key^T / sqrt(d)) value over [..., N, d]."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(query, key, value)
    return (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(-1) @ value
