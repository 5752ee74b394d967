"""Files that appear under their name whole, or not at all; as include/crossfix/io/atomic_file.hpp."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A new, empty file beside `path` to write into. It takes that name where the block ends, and is removed where the
    block raises. After a loss of power there is the old file or the new one: the bytes are on the disk before the name
    is. A link is followed. Raises OSError where `path` is a device, a pipe or a folder: it would be replaced.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OSError(f"{path}: is no regular file; name a file to write")
    unfinished = target.with_name(f"{target.name[:200]}.{os.getpid()}.tmp")
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield unfinished
        synchronize(unfinished)
        os.replace(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    synchronize(target.parent)


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both names lead to one file that is there."""
    return one.exists() and other.exists() and one.samefile(other)


def synchronize(path: Path) -> None:
    """Returns when a file's bytes, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
