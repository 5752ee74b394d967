"""Safetensors files: read back, refused where they are broken, and the bytes that the format's own package writes."""

import json

import pytest
import torch

from crossfix_training import tensors_file
from crossfix_training.tensors_file import TYPES, TensorsFileError, decode, encode


def tensors_of_every_type():
    tensors = {name: torch.arange(6).reshape(2, 3).to(dtype) for name, dtype in TYPES.items()}
    return {**tensors, "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4)}


def edited(data: bytes, edit) -> bytes:
    """The file with its header changed by `edit`."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    text = json.dumps(edit(header) or header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def test_what_is_written_is_read():
    tensors = tensors_of_every_type()
    read, metadata = decode(encode(tensors, {"about": "größe"}))
    assert metadata == {"about": "größe"} and read.keys() == tensors.keys()
    for key, value in tensors.items():
        assert read[key].dtype == value.dtype and torch.equal(read[key], value), key


def test_views_are_written_as_they_look():
    tensor = torch.arange(12.0).reshape(3, 4).t()[1:]
    assert torch.equal(decode(encode({"view": tensor}))[0]["view"], tensor)


@pytest.mark.parametrize("kept", [0, 7, 40, -1])
def test_a_file_that_was_cut_is_refused(kept, tmp_path):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(encode({"a": torch.ones(5)})[:kept])
    with pytest.raises(TensorsFileError, match="not a safetensors file"):
        tensors_file.read(path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda header: header["a"].update(dtype="F128"),
        lambda header: header["a"].update(shape=[6]),
        lambda header: header["a"].update(data_offsets=[4, 24]),
        lambda header: header["a"].pop("shape"),
        lambda header: [header],
    ],
)
def test_a_wrong_header_is_refused(edit):
    with pytest.raises(TensorsFileError):
        decode(edited(encode({"a": torch.ones(5)}), edit))


def test_bytes_after_the_last_tensor_are_refused():
    with pytest.raises(TensorsFileError, match="3 bytes after"):
        decode(encode({"a": torch.ones(5)}) + b"abc")


def test_the_formats_own_package_agrees():
    package = pytest.importorskip("safetensors.torch")
    tensors = tensors_of_every_type()
    read = package.load(encode(tensors, {"format": "pt"}))
    assert read.keys() == tensors.keys() and all(torch.equal(read[key], tensors[key]) for key in tensors)
    read, metadata = decode(package.save(tensors, {"format": "pt"}))
    assert metadata == {"format": "pt"} and all(torch.equal(read[key], tensors[key]) for key in tensors)
