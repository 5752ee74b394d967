import os
import stat

import pytest

from crossfix_training.atomic_file import put_in_place


def kind_of(descriptor):
    return "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"


def test_bytes_reach_the_disk_before_the_name_does(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")
    calls = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append((kind_of(descriptor), path.read_text())))
    partial = tmp_path / "a.txt.partial"
    partial.write_text("new")
    put_in_place(partial, path)
    assert calls == [("file", "old"), ("folder", "new")]
    assert not partial.exists()


def test_a_file_that_does_not_reach_the_disk_replaces_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")
    partial = tmp_path / "a.txt.partial"
    partial.write_text("new")

    def fails(descriptor):
        raise OSError("no such luck")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError):
        put_in_place(partial, path)
    assert path.read_text() == "old"
