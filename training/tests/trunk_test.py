"""Backbones from files of random numbers with the names of torchvision and timm."""

import re
import subprocess
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import train
from convert import InputError
from crossfix_training import compatible, tensors_file
from crossfix_training.baselines import Mcc, Vgg16, prepare
from crossfix_training.compatible import without_memory
from crossfix_training.config import PRESETS, SMALL, Config, Trunk
from crossfix_training.model import CrossFix
from crossfix_training.systems import BASELINES
from crossfix_training.trunk import file_names, start_backbones

PROGRAM = Path(__file__).resolve().parents[2] / "build/bin/crossfix"
TINY = Config(Trunk((2, 1, 3), planes=4), model_width=16, heads=2, encoder_layers=1, ffn_width=16, grid=4,
              satellite_size=32, ground_size=(16, 32))  # fmt: skip
TINY_SHARED = Config(Trunk((2, 1, 3), planes=4, shared=True), model_width=16, heads=2, encoder_layers=1, ffn_width=16,
                     grid=4, satellite_size=32, ground_size=(16, 32))  # fmt: skip


def numbers(*shape: int) -> torch.Tensor:
    return torch.rand(shape) + 0.1  # variances are positive


def norm(state: dict, name: str, channels: int) -> None:
    for part in ("weight", "bias", "running_mean", "running_var"):
        state[f"{name}.{part}"] = numbers(channels)
    state[f"{name}.num_batches_tracked"] = torch.tensor(7)


def resnet(planes: int = 4, blocks: tuple[int, ...] = (2, 1, 3, 2), classifier: str = "fc") -> dict[str, torch.Tensor]:
    """A whole ResNet of bottlenecks, by torchvision's definition."""
    state = {"conv1.weight": numbers(planes, 3, 7, 7)}
    norm(state, "bn1", planes)
    channels = planes
    for layer, count in enumerate(blocks, 1):
        inner = planes << (layer - 1)
        for block in range(count):
            name = f"layer{layer}.{block}"
            shapes = ((inner, channels, 1), (inner, inner, 3), (4 * inner, inner, 1))
            for i, (out, into, side) in enumerate(shapes, 1):
                state[f"{name}.conv{i}.weight"] = numbers(out, into, side, side)
                norm(state, f"{name}.bn{i}", out)
            if block == 0:
                state[f"{name}.downsample.0.weight"] = numbers(4 * inner, channels, 1, 1)
                norm(state, f"{name}.downsample.1", 4 * inner)
            channels = 4 * inner
    return {**state, f"{classifier}.weight": numbers(5, channels), f"{classifier}.bias": numbers(5)}


# The layers of torchvision's vgg16 and vgg16_bn: convolutions by number, with their widths in planes.
WIDTHS = (1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8)
VGG = dict(zip((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), WIDTHS))
VGG_BN = dict(zip((0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40), WIDTHS))


def vgg(planes: int, batch_norm: bool) -> dict[str, torch.Tensor]:
    state, channels = {}, 3
    for number, width in (VGG_BN if batch_norm else VGG).items():
        state[f"features.{number}.weight"] = numbers(width * planes, channels, 3, 3)
        state[f"features.{number}.bias"] = numbers(width * planes)
        if batch_norm:
            norm(state, f"features.{number + 1}", width * planes)
        channels = width * planes
    return {**state, "classifier.0.weight": numbers(3, 3), "classifier.6.bias": numbers(3)}


def nested(state: dict, wrapper: str) -> dict:
    """`state` as a file may hold it: {x} is a dictionary in the file, the rest is a prefix of its keys."""
    dictionary, prefix = re.fullmatch(r"(?:\{(\w+)\})?(.*)", wrapper).groups()
    keys = {prefix + key: value for key, value in state.items()}
    return {"epoch": 3, "optimizer": {0: {"exp_avg": torch.zeros(2)}}, dictionary: keys} if dictionary else keys


WRAPPERS = ["", "module.", "module.pre.", "backbone.", "encoder."]
WRAPPERS += ["{state_dict}", "{model}", "{state_dict}module.encoder."]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("config", [TINY, TINY_SHARED], ids=["two views", "shared"])
def test_a_resnet_under_any_wrapper(wrapper, config, tmp_path):
    state, path = resnet(), tmp_path / "resnet.pth"
    torch.save(nested(state, wrapper), path)
    model = CrossFix(config)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    lines = start_backbones(model, path)
    extractors = ["sat_extractor"] + ([] if config.trunk.shared else ["grd_extractor"])
    after = model.state_dict()
    for extractor in extractors:
        backbone = getattr(model, extractor).state_dict()
        assert all(torch.equal(value, state[key]) for key, value in backbone.items())
    others = [key for key in after if key.split(".")[0] not in extractors]
    assert others and all(torch.equal(before[key], after[key]) for key in others)
    taken = [key for key in state if key.split(".")[0] in ("conv1", "bn1", "layer1", "layer2", "layer3")]
    parameters = sum(state[key].numel() for key in taken if "running" not in key and "tracked" not in key)
    for line, extractor in zip(lines, extractors, strict=False):
        assert f"{len(taken)} tensors, {parameters:,} parameters for {extractor}" in line
    assert re.fullmatch(r"left unused: .*layer4 \(\d+ tensors\), \S*fc \(2 tensors\)", lines[-1])


def test_the_longest_prefix_is_taken(tmp_path):
    inner, outer = resnet(), resnet()
    tensors_file.write(tmp_path / "two.safetensors", {**outer, **{f"module.{key}": value for key, value in inner.items()}})
    model = CrossFix(TINY)
    start_backbones(model, tmp_path / "two.safetensors")
    assert torch.equal(model.sat_extractor.conv1.weight, inner["conv1.weight"])


def test_files_without_counters_and_of_half_precision(tmp_path):
    state = {key: value.half() for key, value in resnet(classifier="head").items() if "tracked" not in key}
    tensors_file.write(tmp_path / "old.safetensors", state)
    model = CrossFix(TINY)
    start_backbones(model, tmp_path / "old.safetensors")
    assert torch.equal(model.grd_extractor.bn1.running_var, state["bn1.running_var"].float())
    assert model.grd_extractor.bn1.num_batches_tracked == 0


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("wrapper", ["", "{state_dict}module."])
def test_a_vgg(batch_norm, wrapper, tmp_path):
    state, path = vgg(2, batch_norm), tmp_path / "vgg.pth"
    torch.save(nested(state, wrapper), path)
    both = nn.ModuleDict({"sat_extractor": Vgg16(2, batch_norm), "grd_extractor": Vgg16(2, batch_norm)})
    lines = start_backbones(both, path, "bgr-levels")
    assert "classifier (2 tensors)" in lines[-1]
    convolutions = list(VGG_BN if batch_norm else VGG)
    for backbone in both.values():
        own, count = backbone.state_dict(), 0
        for convolution, (stage, index) in zip(
            convolutions, [(s, i) for s, n in enumerate((2, 2, 3, 3, 3)) for i in range(n)], strict=True
        ):
            keys = {f"stages.{stage}.{index}": convolution, f"norms.{stage}.{index}": convolution + 1}
            for key in own:
                for name, number in keys.items():
                    if key.startswith(name + "."):
                        assert torch.equal(own[key], state[f"features.{number}.{key.removeprefix(name + '.')}"])
                        count += 1
        assert count == len(own) == (13 * 7 if batch_norm else 13 * 2)


@pytest.mark.parametrize("seen, mean, deviation", [
    (None, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ("rgb", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ("rgb-levels", (123.6 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3),
])  # fmt: skip
def test_a_vgg_that_has_seen_rgb_sees_the_same_in_grey_levels(seen, mean, deviation, tmp_path):
    state = vgg(2, False)
    torch.save(state, tmp_path / "vgg.pth")
    both = nn.ModuleDict({"sat_extractor": Vgg16(2)})
    lines = start_backbones(both, tmp_path / "vgg.pth", seen)
    assert any("features.0" in line and "bgr-levels" in line for line in lines)
    images = torch.rand(1, 3, 8, 8)
    normalised = (images - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(deviation).view(1, 3, 1, 1)
    wanted = F.conv2d(normalised, state["features.0.weight"], state["features.0.bias"])
    found = both["sat_extractor"].stages[0][0](prepare(images))[:, :, 1:-1, 1:-1]
    assert torch.allclose(found, wanted, rtol=1e-5, atol=1e-5 / min(deviation))  # sums of 27 products in float32
    assert torch.equal(both["sat_extractor"].stages[0][1].weight, state["features.2.weight"])


def refusal(model: nn.Module, state: dict, path: Path, seen: str | None = None) -> str:
    """The message; the model must not have changed."""
    torch.save(state, path)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(InputError) as caught:
        start_backbones(model, path, seen)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_does_not_fit_is_refused(tmp_path):
    path, model = tmp_path / "file.pth", CrossFix(TINY)
    broken = {f"module.{key}": value for key, value in resnet().items()}
    del broken["module.layer2.0.bn3.weight"]
    assert "`module.layer2.0.bn3.weight` of shape [32] is missing" in refusal(model, broken, path)
    narrow = {**resnet(), "layer3.1.conv2.weight": numbers(16, 15, 3, 3)}
    message = refusal(model, narrow, path)
    assert "`layer3.1.conv2.weight` has shape [16, 15, 3, 3] where the network has [16, 16, 3, 3]" in message
    assert "`layer3.3.conv1.weight` of shape [16, 64, 1, 1] is of another or a deeper network" in refusal(
        model, resnet(blocks=(2, 1, 4, 2)), path
    )
    spoilt = {**resnet(), "bn1.running_mean": torch.full((4,), torch.nan)}
    assert "`bn1.running_mean` holds NaN" in refusal(model, spoilt, path)
    integers = {**resnet(), "bn1.bias": torch.ones(4, dtype=torch.int32)}
    assert "`bn1.bias` holds torch.int32" in refusal(model, integers, path)
    own = CrossFix(TINY).state_dict()
    assert "`sat_extractor.` and `grd_extractor.`" in refusal(model, own, path)
    assert "--trunk-input bgr-levels" in refusal(model, resnet(), path, "bgr-levels")
    assert "holds no tensors" in refusal(model, {"epoch": 3}, path)


def test_a_misfit_names_the_presets_that_fit(tmp_path):
    path = tmp_path / "file.pth"
    message = refusal(CrossFix(SMALL), resnet(planes=64, blocks=(3, 4, 6)), path)
    assert "`conv1.weight` has shape [64, 3, 7, 7] where the network has [32, 3, 7, 7]" in message
    assert message.endswith("presets that fit: robotcar, small-256-resnet, vigor, vigor-published")
    small_mcc = Mcc(BASELINES["mcc-small"][1])
    message = refusal(small_mcc, vgg(16, False), path)
    assert "(the network has BatchNorm, the file has none)" in message and message.endswith("no preset fits")
    message = refusal(CrossFix(SMALL), vgg(16, True), path)
    assert message.endswith("presets that fit: mcc-small, mcc-small-256, vigor-baseline-small")


def test_the_shapes_of_the_published_networks():
    with without_memory():
        backbone, shapes = CrossFix(PRESETS["vigor"]).sat_extractor, resnet(64, (3, 4, 6, 3))
        vggs = [(Vgg16(64, batch_norm), vgg(64, batch_norm)) for batch_norm in (False, True)]
    for network, state in [(backbone, shapes), *vggs]:
        own = network.state_dict()
        assert all(own[key].shape == state[name].shape for key, name in file_names(network).items())


@pytest.fixture
def run(world, tmp_path, monkeypatch, capsys):
    """Trains a step: (exit code, standard output, standard error)."""

    def call(preset, out, *more) -> tuple[int, str, str]:
        command = ["train", "--data", world, "--out", tmp_path / out, "--preset", preset, "--batch", "2"]
        command += ["--validation", "0.5", "--precision", "f32", "--threads", "1", "--cache", tmp_path / "cache"]
        monkeypatch.setattr("sys.argv", [str(word) for word in [*command, *more]])
        try:
            code = train.main()
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("preset, state", [("small", resnet(32, (2, 2, 2))), ("mcc-small", vgg(16, True))])
def test_a_run_from_a_trunk(preset, state, run, tmp_path):
    trunk = tmp_path / "trunk.pth"
    torch.save(state, trunk)
    code, out, _ = run(preset, "run", "--trunk", trunk, "--trunk-rate", "0", "--steps", "1")
    assert code == 0 and "for sat_extractor (satellite)" in out and "left unused" in out
    saved = compatible.load(tmp_path / "run/last.pt")["model"]
    key, name = ("layer3.1.conv2.weight",) * 2 if preset == "small" else ("stages.4.2.weight", "features.40.weight")
    for extractor in ("sat_extractor", "grd_extractor"):
        assert torch.equal(saved[f"{extractor}.{key}"], state[name])  # the rate is 0
    # The same command goes on; another trunk or other groups of parameters are contradictions.
    assert run(preset, "run", "--trunk", trunk, "--trunk-rate", "0", "--steps", "2", "--resume")[0] == 0
    assert run(preset, "run", "--trunk-rate", "0", "--steps", "3", "--resume")[0] == 0
    code, _, err = run(preset, "run", "--trunk", trunk, "--steps", "4", "--resume")
    assert code == 3 and "this run began with --trunk-rate" in err and err.count("\n") == 1
    torch.save({"other": torch.zeros(1)}, trunk)
    code, _, err = run(preset, "run", "--trunk", trunk, "--trunk-rate", "0", "--steps", "4", "--resume")
    assert code == 3 and "backbones started from another file" in err and err.count("\n") == 1
    code, _, err = run(preset, "other", "--trunk", trunk, "--steps", "1")
    assert code == 3 and "is missing" in err and err.count("\n") == 1


@pytest.mark.skipif(not PROGRAM.is_file(), reason=f"{PROGRAM} is not built")
@pytest.mark.parametrize("preset, state", [("small", resnet(32, (2, 2, 2))), ("mcc-small", vgg(16, True))])
def test_the_program_reads_the_weights(preset, state, run, tmp_path):
    tensors_file.write(tmp_path / "trunk.safetensors", state)
    assert run(preset, "run", "--trunk", tmp_path / "trunk.safetensors", "--steps", "1")[0] == 0
    done = subprocess.run([PROGRAM, "info", tmp_path / "run/best.safetensors"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_options_that_contradict_are_refused(run, tmp_path):
    for words in (("--trunk", "a.pth", "--start", "b.pt"), ("--trunk-input", "rgb"), ("--trunk-rate", "-1")):
        code, _, err = run("small", "run", "--steps", "1", *words)
        assert code == 2 and words[0] in err
    code, _, err = run("small", "run", "--steps", "1", "--trunk", tmp_path / "none.pth")
    assert code == 3 and "none.pth" in err


def test_the_recipe_sets_what_is_not_given(monkeypatch):
    words = ["train", "--data", "x", "--out", "y", "--steps", "1", "--preset", "vigor-published", "--batch", "8"]
    monkeypatch.setattr("sys.argv", words)
    options = train.arguments()
    assert (options.rate, options.trunk_rate, options.decay, options.sam, options.batch) == (1e-4, 1e-5, 1e-4, 0.05, 8)
