"""Files that appear under their name whole, or not at all; as include/crossfix/io/atomic_file.hpp."""

import os
from pathlib import Path


def put_in_place(partial: Path, path: Path) -> None:
    """Gives a file that was written beside `path` its name. After a loss of power there is the old
    file or the new one: the bytes are on the disk before the name is."""
    synchronize(partial)
    os.replace(partial, path)
    synchronize(path.parent)


def synchronize(path: Path) -> None:
    """Returns when a file's bytes, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
