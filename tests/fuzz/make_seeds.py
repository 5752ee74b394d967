"""Makes the seeds that are no text: python tests/fuzz/make_seeds.py (needs Pillow). The others are
written by hand."""

import io
import json
import struct
import zlib
from pathlib import Path

from PIL import Image

SEEDS = Path(__file__).parent / "seeds"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:G="http://ns.google.com/photos/1.0/panorama/" G:PoseHeadingDegrees="90.5" '
    b'G:PosePitchDegrees="-2" G:FullPanoWidthPixels="32" G:FullPanoHeightPixels="16" '
    b'G:CroppedAreaLeftPixels="8" G:CroppedAreaTopPixels="4" G:CroppedAreaImageWidthPixels="16">'
    b"<G:PoseRollDegrees>1</G:PoseRollDegrees><G:CroppedAreaImageHeightPixels>8</G:CroppedAreaImageHeightPixels>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
# One entry, the orientation.
EXIF = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)


def picture() -> Image.Image:
    return Image.frombytes("RGB", (16, 8), bytes(i * 7 % 251 for i in range(16 * 8 * 3)))


def jpeg(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(depth: int, colour: int, row_bytes: int, *extra: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", 4, 4, depth, colour, 0, 0, 0)
    rows = b"".join(bytes([y % 5]) + bytes((x * 37 + y) % 251 for x in range(row_bytes)) for y in range(4))
    chunks = [chunk(b"IHDR", head), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def safetensors(tensors: dict[str, tuple[str, list[int], bytes]], metadata: dict[str, str]) -> bytes:
    header: dict = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main() -> None:
    seeds = {
        "image/baseline.jpg": jpeg(picture(), exif=b"Exif\0\0" + EXIF, xmp=XMP),
        "image/progressive.jpg": jpeg(picture(), progressive=True),
        "image/cmyk.jpg": jpeg(picture().convert("CMYK")),
        "image/grey.jpg": jpeg(picture().convert("L")),
        "image/rgb.png": png(8, 2, 12, chunk(b"eXIf", EXIF), chunk(b"iTXt", b"XML:com.adobe.xmp" + b"\0" * 5 + XMP)),
        "image/palette.png": png(2, 3, 1, chunk(b"PLTE", bytes(range(12))), chunk(b"tRNS", b"\0\x80\xff")),
        "image/grey_alpha_16.png": png(16, 4, 16),
        "safetensors/three": safetensors(
            {"a.weight": ("F32", [2, 3], bytes(24)), "a.bias": ("F16", [3], bytes(6)), "n": ("U8", [], b"\1")},
            {"crossfix": '{"heads":4}', "made_by": "hand"},
        ),
        "safetensors/empty_tensor": safetensors({"a": ("BF16", [0, 4], b""), "b": ("I64", [1], bytes(8))}, {}),
    }
    for name, content in seeds.items():
        path = SEEDS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
