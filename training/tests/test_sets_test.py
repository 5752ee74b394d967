import hashlib
import json

import pytest

import test_sets
from crossfix_training.labels import DataError


def test_a_checksum_depends_on_names_and_bytes_alone(tmp_path):
    for name, text in (("b", "2"), ("a", "1")):
        (tmp_path / name).write_text(text)
    files = [tmp_path / "b", tmp_path / "a"]
    lines = "".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in (("a", b"1"), ("b", b"2")))
    assert test_sets.checksum(tmp_path, files) == hashlib.sha256(lines.encode()).hexdigest()
    (tmp_path / "a").write_text("3")
    assert test_sets.checksum(tmp_path, files) != hashlib.sha256(lines.encode()).hexdigest()


@pytest.fixture
def set_on_disk(world, tmp_path):
    """The tiny world as a set, and a description that does not have its checksums yet."""
    (world / "world.json").write_text(json.dumps({"generator_version": 2}))
    options = {"split": "same_area_balanced_test"}
    frozen = {"generator_version": 2, "sets": {world.name: options}}
    return world, frozen


def test_a_set_is_the_frozen_one_or_refused(set_on_disk):
    world, frozen = set_on_disk

    def make(freeze: bool) -> object:
        return test_sets.make(world.name, frozen, "unused", world.parent, freeze)

    with pytest.raises(DataError, match=r"frozen was None"):
        make(False)
    make(True)
    assert frozen["sets"][world.name]["panoramas_in_split"] == 8
    make(False)
    image = next((world / "Town" / "satellite").iterdir())
    image.write_bytes(image.read_bytes() + b" ")
    with pytest.raises(DataError, match=r"images_sha256"):
        make(False)


def test_another_version_of_the_world_is_refused(set_on_disk):
    world, frozen = set_on_disk
    frozen["generator_version"] = 3
    with pytest.raises(DataError, match=r"version 2"):
        test_sets.make(world.name, frozen, "unused", world.parent, True)


def test_the_frozen_sets_are_large_and_reserved():
    frozen = json.loads(test_sets.FROZEN.read_text())
    for name, options in frozen["sets"].items():
        assert options["panoramas_in_split"] >= (400 if "views" in options else 2000), name
        assert len(options["images_sha256"]) == 64, name
    for name in ("cross-area", "photo"):
        assert 9500 <= frozen["sets"][name]["seed"] <= 9999
    assert frozen["sets"]["same-area"]["held_out_only"]


def test_the_views_of_a_set_are_the_frozen_ones_or_refused(set_on_disk):
    world, frozen = set_on_disk
    views = {"seed": 5, "heading_noise": 180, "cameras": {"views/90-pinhole.yaml": ""}, "tilts": {"0": "", "2": ""}}
    frozen["sets"][world.name]["views"] = views

    def make(freeze: bool) -> object:
        return test_sets.make(world.name, frozen, "unused", world.parent, freeze)

    make(True)
    assert len({*views["tilts"].values()}) == 2 and len(views["cameras"]["views/90-pinhole.yaml"]) == 64
    make(False)
    views["seed"] = 6
    with pytest.raises(DataError, match=r"0 is .* not the frozen set"):
        make(False)
    views["seed"] = 5
    views["cameras"]["views/90-pinhole.yaml"] = "0"
    with pytest.raises(DataError, match=r"90-pinhole"):
        make(False)


def test_a_set_may_have_sizes_of_its_own():
    frozen = json.loads(test_sets.FROZEN.read_text())
    sizes = {
        name: " ".join(test_sets.command("crossfix", frozen, options, "out")[4:8])
        for name, options in frozen["sets"].items()
    }
    assert sizes["photo"] == "--tile-size 640 --panorama-size 2048x1024"
    assert sizes["same-area"] == sizes["cross-area"] == "--tile-size 256 --panorama-size 512x256"


def test_the_frozen_cameras_are_those_that_stand_there():
    views = json.loads(test_sets.FROZEN.read_text())["sets"]["photo"]["views"]
    for name, frozen in views["cameras"].items():
        assert hashlib.sha256((test_sets.FROZEN.parent / name).read_bytes()).hexdigest() == frozen, name
