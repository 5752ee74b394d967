"""The machine that the measurements were taken on."""

from __future__ import annotations

import platform
import shutil
import subprocess
from typing import Any

QUERY = {
    "gpu": "name",
    "driver": "driver_version",
    "sm_clock_mhz": "clocks.sm",
    "memory_clock_mhz": "clocks.mem",
    "power_w": "power.draw",
    "temperature_c": "temperature.gpu",
}


class Unavailable(Exception):
    """Nothing here can be measured on; the message says what is missing."""


def parse_query(line: str) -> dict[str, Any]:
    """Parses a line of nvidia-smi's CSV for the fields of QUERY; numbers become floats."""
    values = [value.strip() for value in line.split(",")]
    if len(values) != len(QUERY):
        return {}
    state: dict[str, Any] = {}
    for key, value in zip(QUERY, values):
        try:
            state[key] = value if key in ("gpu", "driver") else float(value)
        except ValueError:  # "[N/A]" and similar
            state[key] = None
    return state


def state(index: int = 0) -> dict[str, Any]:
    """Name, driver, clocks, power and temperature of a GPU now; empty if nvidia-smi is missing."""
    if shutil.which("nvidia-smi") is None:
        return {}
    command = [
        "nvidia-smi",
        f"--id={index}",
        f"--query-gpu={','.join(QUERY.values())}",
        "--format=csv,noheader,nounits",
    ]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:  # a GPU that was lost
        return {}
    return parse_query(run.stdout.strip()) if run.returncode == 0 else {}


def require() -> dict[str, Any]:
    """The machine and its versions. Raises Unavailable without PyTorch or without a CUDA device."""
    try:
        import torch
    except ImportError as error:
        raise Unavailable("no PyTorch here (bench/peers/requirements.txt)") from error
    if not torch.cuda.is_available():
        raise Unavailable("no CUDA device that PyTorch can use")
    properties = torch.cuda.get_device_properties(0)
    return {
        **state(),
        "multiprocessors": properties.multi_processor_count,
        "l2_bytes": properties.L2_cache_size,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }
