"""Where a check keeps what it has finished, so that another can go on after it was killed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from convspec.oracle.target import ArgumentError


@contextmanager
def run_directory(identity: Mapping[str, Any], *, resume: bool | None) -> Iterator[Path]:
    """A directory for the reports of a check.

    With `resume` None it is a temporary one.  Otherwise it belongs to all checks of the same
    `identity`, in the user's cache directory: False empties it, True keeps what an earlier check
    left there.  A check that comes to its end removes it; one that is killed leaves it.
    Where that directory cannot be had, because another check of this identity is under way, say,
    a temporary one takes its place, or with `resume` True a `ValueError` is raised.
    """
    if resume is None:
        with TemporaryDirectory(prefix="convspec-") as temporary:
            yield Path(temporary)
        return
    digest = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    with ExitStack() as stack:
        try:
            place = _cache() / digest
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = stack.enter_context((place.parent / f"{digest}.lock").open("wb"))
            _lock(lock)
        except OSError as error:
            if resume:
                raise ArgumentError(f"resume=True: {error}") from None
            yield stack.enter_context(run_directory(identity, resume=None))
            return
        if not resume:
            shutil.rmtree(place)
            place.mkdir(mode=0o700)
        yield place
        shutil.rmtree(place)
        Path(lock.name).unlink(missing_ok=True)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "convspec")


def _lock(file: IO[bytes]) -> None:
    """Take a lock that ends with this process; raise `BlockingIOError` where it is taken."""
    try:
        import fcntl
    except ImportError:  # a system without such locks
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError("another check of the same is under way") from None


def files_fingerprint(target: str) -> dict[str, str]:
    """The digest of every file that a target names, so that a changed one is checked anew.

    >>> files_fingerprint("no_such_file.py:object")
    {}
    """
    words = {*target.split(), target.partition(":")[0], target.rpartition(":")[0]}
    files = [word for word in sorted(words) if word and Path(word).is_file()]
    return {word: sha256(Path(word).read_bytes()).hexdigest() for word in files}
