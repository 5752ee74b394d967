"""Checkpoints as trainers write them: read without running code, and searched for a network's tensors."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from crossfix_training import compatible
from crossfix_training.weights import load_tensors


class InputError(ValueError):
    """A file cannot be used; the message is one line."""


class Inert:
    """Stands for an object beside the tensors whose content is not needed. Takes anything and does nothing."""

    def __new__(cls, *args: Any, **options: Any) -> Inert:
        return super().__new__(cls)

    def __init__(self, *args: Any, **options: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def empty_dictionary(*_: Any) -> dict:
    return {}


# What trainers keep beside the tensors, and holds data alone. None of it is called: something else is, in its place.
NUMPY = [f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")]
PATHS = [
    f"{module}.{kind}Path"
    for module in ("pathlib", "pathlib._local")
    for kind in ("Posix", "Windows", "PurePosix", "PureWindows")
]
BUILTINS = [
    f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("int", "float", "str", "bool", "list", "dict")
]
OMEGACONF = ["dictconfig.DictConfig", "listconfig.ListConfig", "base.ContainerMetadata", "base.Metadata"]
OMEGACONF += [f"nodes.{kind}Node" for kind in ("Any", "String", "Integer", "Float", "Boolean")]
INERT = [*NUMPY, *PATHS, *BUILTINS, *(f"omegaconf.{name}" for name in OMEGACONF)]
INERT += ["numpy.dtype", "numpy.ndarray", "argparse.Namespace", "types.SimpleNamespace", "typing.Any"]
INERT += ["datetime.datetime", "datetime.date", "datetime.timedelta", "torch.torch_version.TorchVersion"]
ATTRIBUTES = ["pytorch_lightning.utilities.parsing", "lightning.pytorch.utilities.parsing"]
ATTRIBUTES += ["lightning.fabric.utilities.data", "lightning_fabric.utilities.data"]
STAND_INS: list[compatible.StandIn] = [(Inert, name) for name in INERT]
STAND_INS += [(dict, f"{module}.AttributeDict") for module in ATTRIBUTES]
STAND_INS += [(empty_dictionary, "collections.defaultdict")]


def load_checkpoint(path: Path) -> dict | list | tuple:
    """What a PyTorch file holds. Runs no code from the file."""
    try:
        loaded = compatible.load(path, "cpu", STAND_INS)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except pickle.UnpicklingError as error:
        if named := re.search(r"GLOBAL ([\w.]+)", str(error)):
            reason = f"holds `{named[1]}`, and making such an object could run code"
            raise InputError(f"{path}: {reason}; refused: save the state_dict alone") from error
        raise InputError(f"{path}: is no checkpoint, or one that could run code; refused") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not a readable PyTorch checkpoint ({first_line})") from error
    if not isinstance(loaded, (dict, list, tuple)):
        raise InputError(f"{path}: holds a {type(loaded).__name__}, not a dictionary of tensors")
    return loaded


def is_safetensors(path: Path) -> bool:
    """By its first bytes: the length of the header, and the header."""
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
    except OSError:
        return False
    return beginning[4:8] == bytes(4) and beginning[8:].lstrip()[:1] == b"{"


def read_file(path: Path) -> tuple[dict | list | tuple, dict[str, str]]:
    """What a safetensors or PyTorch file holds, and the metadata of a safetensors file. Runs no code from the file."""
    if path.suffix != ".safetensors" and not is_safetensors(path):
        return load_checkpoint(path), {}
    try:
        return load_tensors(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from error


def levels(tree: dict | list | tuple, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, dict]]:
    """Each dictionary or list at any depth, once: the keys that lead to it, each with a dot, and its own tensors."""
    seen = seen if seen is not None else set()
    seen.add(id(tree))
    inner, own = [], {}
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, Tensor):
            own[str(key)] = value
        elif isinstance(value, (dict, list, tuple)):
            inner.append((f"{path}{key}.", value))
    yield path, own
    for inner_path, value in inner:
        if id(value) not in seen:
            yield from levels(value, inner_path, seen)


def flattened(tree: dict | list | tuple) -> dict[str, Tensor]:
    """The tensors of nested dictionaries, with their keys joined by dots. Everything else is left out."""
    return {path + key: value for path, own in levels(tree) for key, value in own.items()}


def prefixes(tensors: Collection[str], wanted: Collection[str]) -> Counter[str]:
    """Under which prefixes wanted keys lie, and how many; a prefix is empty or ends with a dot."""
    names = set(wanted)
    found: Counter[str] = Counter()
    for key in tensors:
        for begin in [0, *(dot.end() for dot in re.finditer(r"\.", key))]:
            if key[begin:] in names:
                found[key[:begin]] += 1
    return found
