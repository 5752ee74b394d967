"""Reading and writing safetensors files: a little-endian count, a JSON header of that many bytes, and the tensors' bytes.

The format is https://github.com/huggingface/safetensors#format. It is read and written here, rather than by its own
package, because Debian 12 has PyTorch and not that package.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
NAMES = {dtype: name for name, dtype in TYPES.items()}
ALIGNMENT = 8  # bytes; the header is padded to it with spaces
METADATA = "__metadata__"


class TensorsFileError(ValueError):
    """A file is not a complete safetensors file; the message says why."""


def size_of(dtype: torch.dtype) -> int:
    """Bytes of an element."""
    return torch.empty(0, dtype=dtype).element_size()


def encode(tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file. Wide types come first, so that every tensor is aligned to its element."""
    header: dict[str, object] = {METADATA: metadata} if metadata else {}
    parts, offset = [], 0
    for key, tensor in sorted(tensors.items(), key=lambda item: (-size_of(item[1].dtype), item[0])):
        data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        span = [offset, offset + len(data)]
        header[key] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": span}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def decode(data: bytes) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """(tensors, metadata) of the bytes of a file. Raises TensorsFileError unless the tensors' bytes are the whole rest."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 + length:
        raise TensorsFileError(f"{len(data)} bytes where the header alone ends at {8 + length}")
    try:
        header = json.loads(data[8 : 8 + length])
    except ValueError as error:
        raise TensorsFileError(f"the header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise TensorsFileError("the header is no JSON object")
    metadata = header.pop(METADATA, {})
    body, tensors, end = bytearray(data[8 + length :]), {}, 0
    try:
        for key, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, shape, (first, last) = TYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
            if first != end or last - first != math.prod(shape) * size_of(dtype):
                raise TensorsFileError(f"{key}: bytes {first} to {last} do not fit its shape or the tensor before it")
            if last > len(body):
                raise TensorsFileError(f"{key}: ends at byte {last} of {len(body)}")
            flat = torch.tensor([], dtype=torch.uint8)
            if last > first:
                flat = torch.frombuffer(body, dtype=torch.uint8, count=last - first, offset=first).clone()
            tensors[key] = flat.view(dtype).reshape(shape)
            end = last
    except (KeyError, TypeError) as error:
        raise TensorsFileError(f"a tensor's entry is not understood: {error!r}") from error
    if end != len(body):
        raise TensorsFileError(f"{len(body) - end} bytes after the last tensor")
    return tensors, metadata


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """(tensors, metadata) of a file. Raises TensorsFileError if it is not a complete one."""
    try:
        return decode(path.read_bytes())
    except TensorsFileError as error:
        raise TensorsFileError(f"{path}: not a safetensors file ({error})") from error


def write(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    path.write_bytes(encode(tensors, metadata))
