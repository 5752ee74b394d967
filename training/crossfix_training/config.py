"""The configuration of a crossfix network, and how a weights file holds it.

A weights file is a safetensors file whose `__metadata__` holds one key, `crossfix`: a JSON object with the fields
below. A file without it is the reference network at VIGOR size; every default here is that network's.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

METADATA_KEY = "crossfix"
FORMAT = 1

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Trunk:
    """Bottlenecks in layer1..layer3, planes of layer1, and whether both views use `sat_extractor`."""

    blocks: tuple[int, int, int] = (3, 4, 6)
    planes: int = 64
    shared: bool = False

    @property
    def out_channels(self) -> int:
        """Channels of layer3: 4 x planes, expanded 4 times."""
        return 16 * self.planes


@dataclass(frozen=True)
class Normalization:
    """Per-channel mean and standard deviation of RGB pixels divided by 255."""

    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD


@dataclass(frozen=True)
class GroundProjection:
    """How the ground image projects: `equirectangular`, or `pinhole` with a field of view in degrees."""

    kind: str = "equirectangular"
    horizontal_fov_degrees: float | None = None


@dataclass(frozen=True)
class Nowhere:
    """The logistic function that says how likely it is that the camera does not stand in the tile (`nowhere.py`): its
    bias, the weights of an answer's evidence, the share of wrong pairs that it assumes, and its area under the curve.
    """

    bias: float = 0.0
    peak: float = 0.0
    standout: float = 0.0
    deviation: float = 0.0
    share: float = 0.0
    seen: float = 0.0
    wrong_share: float = 0.1
    area: float = 0.5


@dataclass(frozen=True)
class Config:
    """Everything needed to run a weights file. Defaults: the reference network at VIGOR size."""

    trunk: Trunk = field(default_factory=Trunk)
    model_width: int = 256
    heads: int = 8
    encoder_layers: int = 4
    ffn_width: int = 1024
    grid: int = 32
    satellite_size: int = 256  # pixels, square
    ground_size: tuple[int, int] = (256, 512)  # (height, width), pixels
    normalization: Normalization = field(default_factory=Normalization)
    ground_projection: GroundProjection = field(default_factory=GroundProjection)
    metres_per_network_pixel: float | None = 0.285
    trained_on: str = "unknown"
    temperature: float = 1.0
    radius_scale: float = 1.0  # factor from the radius of the posterior to radius68
    nowhere: Nowhere | None = None  # None: not calibrated
    fix: str = "best_cell"  # where the fix lies: `best_cell`, or `neighbourhood` (`model.decode`)

    def __post_init__(self) -> None:
        if self.model_width % self.heads or self.model_width % 4:
            raise ValueError(
                f"model_width {self.model_width} must be a multiple of 4 and of heads ({self.heads})"
            )
        if self.satellite_size % 8 or (self.satellite_size // 8) % self.grid:
            raise ValueError(
                f"satellite_size {self.satellite_size} must be 8 x a multiple of grid ({self.grid})"
            )
        if self.fix not in ("best_cell", "neighbourhood"):
            raise ValueError(f"fix {self.fix!r} must be best_cell or neighbourhood")
        if any(side % 8 for side in self.ground_size):
            raise ValueError(f"ground_size {self.ground_size} must hold multiples of 8")

    @property
    def cells(self) -> int:
        return self.grid * self.grid

    @property
    def cell_pixels(self) -> float:
        """Side of a grid cell in satellite network pixels."""
        return self.satellite_size / self.grid

    def to_json(self) -> str:
        """One line of JSON, for the metadata."""
        fields = asdict(self)
        if self.ground_projection.kind != "pinhole":
            del fields["ground_projection"]["horizontal_fov_degrees"]
        if self.nowhere is None:
            del fields["nowhere"]
        return json.dumps({"format": FORMAT, **fields}, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Config:
        """Parses the output of `to_json`. Missing fields get their defaults, unknown ones are ignored.

        Raises ValueError if the format is not ours.
        """
        fields = json.loads(text)
        if fields.get("format", FORMAT) != FORMAT:
            raise ValueError(f"configuration format {fields['format']}: this code reads {FORMAT}")

        def build(kind: Any, values: dict) -> Any:
            known = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
            return kind(**{k: v for k, v in known.items() if k in kind.__dataclass_fields__})

        nested = {
            "trunk": Trunk,
            "normalization": Normalization,
            "ground_projection": GroundProjection,
            "nowhere": Nowhere,
        }
        return build(
            Config, {k: build(nested[k], v) if k in nested else v for k, v in fields.items()}
        )


VIGOR = Config()
ROBOTCAR = replace(
    VIGOR,
    satellite_size=512,
    ground_size=(160, 240),
    ground_projection=GroundProjection("pinhole"),
    metres_per_network_pixel=0.144375,
)
# The reference network, shrunk: 72 m tiles at 128 px (0.5625 m a pixel), cells of 4.5 m.
SMALL = Config(
    trunk=Trunk(blocks=(2, 2, 2), planes=32),
    model_width=128,
    heads=4,
    encoder_layers=1,
    ffn_width=512,
    grid=16,
    satellite_size=128,
    ground_size=(80, 160),
    metres_per_network_pixel=0.5625,
)
# With the cells of the reference, 2.25 m: the same tiles at 256 px.
SMALL_256 = replace(SMALL, grid=32, satellite_size=256, metres_per_network_pixel=0.28125)
# Its backbones are those of the reference, which start from ResNet-50 (`train.py --trunk`).
SMALL_256_RESNET = replace(SMALL_256, trunk=Trunk())
# The bundled network. models/crossfix-s.md has measurements of where it differs from the reference.
CROSSFIX_S = replace(SMALL, fix="neighbourhood")
PRESETS = {
    "vigor": VIGOR,
    "robotcar": ROBOTCAR,
    "small": SMALL,
    "small-256": SMALL_256,
    "small-256-resnet": SMALL_256_RESNET,
    "crossfix-s": CROSSFIX_S,
}
