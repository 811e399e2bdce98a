"""Digests of files."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def files_digest(paths: Iterable[str | Path]) -> str:
    """Digest of the names and contents of files, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in map(Path, paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def sha256_of(path: str | Path) -> str:
    """sha256 of a file's bytes, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
