import re
from pathlib import Path

import pytest

from lock import lock_of

TRAINING = Path(__file__).resolve().parents[1]


def packages_of(text):
    return {
        re.sub("[-_.]+", "-", name).lower(): version
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    }


@pytest.mark.parametrize("name", ["requirements", "lint"])
def test_the_lock_holds_every_pin_and_a_hash_of_each_package(name):
    lock = (TRAINING / f"{name}.lock").read_text()
    pins = packages_of((TRAINING / f"{name}.txt").read_text())
    assert pins.items() <= packages_of(lock).items()
    packages = [line for line in lock.splitlines() if not line.startswith("#")]
    assert len(packages) > len(pins)
    for line in packages:
        assert re.fullmatch(r"[\w.-]+==\S+ --hash=sha256:[0-9a-f]{64}", line), line


def test_a_lock_is_made_from_a_report():
    def package(name, digest):
        return {
            "metadata": {"name": name, "version": "1.5"},
            "download_info": {"archive_info": {"hashes": {"sha256": digest}}},
        }

    environment = {"python_version": "3.11", "sys_platform": "linux", "platform_machine": "x86_64"}
    lock = lock_of({"environment": environment, "install": [package("b", "12"), package("A", "34")]})
    assert lock.splitlines()[1:] == ["A==1.5 --hash=sha256:34", "b==1.5 --hash=sha256:12"]
