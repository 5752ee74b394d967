import os
import stat

import pytest

from crossfix_training.atomic_file import whole_file


def kind_of(descriptor):
    return "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"


def test_bytes_reach_the_disk_before_the_name_does(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")
    calls = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append((kind_of(descriptor), path.read_text())))
    with whole_file(path) as file:
        file.write_text("new")
    assert calls == [("file", "old"), ("folder", "new")]
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_that_does_not_reach_the_disk_replaces_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fails(descriptor):
        raise OSError("no such luck")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError), whole_file(path) as file:
        file.write_text("new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_what_stands_beside_it_stays(tmp_path):
    for name in ("a.txt.partial", "a.partial", "a.txt.tmp"):
        (tmp_path / name).write_text("a user's")
    with whole_file(tmp_path / "a.txt") as file:
        file.write_text("new")
    assert {path.read_text() for path in tmp_path.iterdir()} == {"a user's", "new"}
    assert len(os.listdir(tmp_path)) == 4


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to("target.txt")
    with whole_file(tmp_path / "link") as file:
        file.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target.txt").read_text() == "new"


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match="no regular file"), whole_file(tmp_path / name):
            pass
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
