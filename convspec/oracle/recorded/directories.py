"""Writing a directory so that nobody ever sees half of one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp


def write_directory(directory: Path, produced: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
    """Write files by name and content beside a directory, which must be absent or empty, and put
    them in its place; how many they are, and their bytes.  Raises `OSError`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as parent:
    ...     write_directory(Path(parent, "new"), [("a/b", b"12"), ("c", b"3")])
    (2, 3)
    """
    if directory.exists() and any(directory.iterdir()):
        raise OSError("is not empty: what is recorded is written to a directory of its own")
    target = directory.resolve()
    partial = Path(mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    count = size = 0
    try:
        for name, content in produced:
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            count, size = count + 1, size + len(content)
        partial.chmod(0o777 & ~_umask())
        partial.replace(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return count, size


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
