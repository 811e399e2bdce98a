"""Write results once, atomically and with their provenance; read them back.

Arrays are safetensors, tables parquet or TSV. Metadata is one sorted JSON document under the key `repalign`, so
equal content gives equal bytes.
"""

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from repalign.errors import InputError, listed
from repalign.storage.checksums import sha256_of

KEY = "repalign"
# An extended attribute of every file that is written: its size and sha256, compared when the file is read. Some file
# systems and ways of copying drop attributes; then only the reader of the format notices a damaged file.
CHECKSUM_ATTRIBUTE = "user.repalign"
# Of larger files only the size is compared: they are read often, and the usual damage is a file that was cut short.
MOST_HASHED_BYTES = 2**26
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` on success, remove it on failure.

    Raises
    ------
    InputError
        The disk or the quota is full.
    """
    try:
        with _atomic(Path(path)) as temporary:
            yield temporary
    except (OSError, SafetensorError) as error:
        # safetensors gives the error number only in its message.
        if getattr(error, "errno", None) in NO_SPACE or any(f"os error {n})" in str(error) for n in NO_SPACE):
            raise InputError(
                f"{path} cannot be written, since its disk or your quota is full; make room, then type the same "
                "command again."
            ) from error
        raise


@contextmanager
def _atomic(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        # Written to the disk before the rename, so that a power cut leaves no empty file under the final name.
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        _record_checksum(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _record_checksum(path: Path) -> None:
    if hasattr(os, "setxattr"):
        size = path.stat().st_size
        with suppress(OSError):
            digest = sha256_of(path) if size <= MOST_HASHED_BYTES else "-"
            os.setxattr(path, CHECKSUM_ATTRIBUTE, f"{size} {digest}".encode())


def check_unchanged(path: str | Path) -> None:
    """Raise `InputError` if a file is missing or differs from what was written."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The file {path} is missing; type the same command again to make it.")
    try:
        size, digest = os.getxattr(path, CHECKSUM_ATTRIBUTE).decode().split()
    except (OSError, AttributeError, ValueError):
        return
    found = path.stat().st_size
    if found != int(size):
        raise InputError(_changed(path, f"it has {found} of {size} bytes"))
    if digest not in ("-", sha256_of(path)):
        raise InputError(_changed(path, "its sha256 is another"))


def _changed(path: str | Path, how: str) -> str:
    return f"{path} has changed since it was written ({how}); delete it and type the same command again."


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Write named arrays and a JSON-serialisable metadata dictionary as safetensors."""
    document = {KEY: json.dumps(metadata, sort_keys=True)}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic(path) as temporary:
        save_file(contiguous, temporary, metadata=document)


def read_arrays(
    path: str | Path, names: Iterable[str] | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read arrays (all, or those named) and the metadata of a safetensors file.

    Returns `(dict of arrays, metadata dict)`; the metadata is empty if another program wrote the file. Raises
    `InputError` if the file is not safetensors or lacks one of the names.
    """
    check_unchanged(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = _metadata(file, path)
            present = list(file.keys())
            wanted = present if names is None else list(names)
            if missing := [name for name in wanted if name not in present]:
                raise InputError(f"{path} has no array {listed(missing)}; it holds {listed(present, 20)}.")
            return {name: file.get_tensor(name) for name in wanted}, metadata
    except SafetensorError as error:
        raise InputError(
            f"{path} is not a readable safetensors file ({error}); delete it and type the same command again."
        ) from error


def _metadata(file: Any, path: str | Path) -> dict[str, Any]:
    try:
        metadata = json.loads((file.metadata() or {}).get(KEY, "{}"))
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise InputError(
            f"{path} has metadata that repalign did not write; save it anew without the key {KEY}."
        )
    return metadata


def write_table(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a data frame as TSV or parquet, by the ending of `path`."""
    with atomic(path) as temporary:
        if Path(path).suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, sep="\t", index=False, lineterminator="\n")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a TSV or parquet table that `write_table` wrote; `InputError` if it is damaged or incomplete."""
    check_unchanged(path)
    try:
        if Path(path).suffix == ".parquet":
            return pd.read_parquet(path)
        with open(path, "rb") as file:
            file.seek(max(0, Path(path).stat().st_size - 1))
            if file.read() != b"\n":
                raise InputError(_changed(path, "its last line is incomplete"))
        return pd.read_csv(path, sep="\t", keep_default_na=True)
    except InputError:
        raise
    except (ValueError, OSError) as error:
        # The errors of pandas and pyarrow about damaged files are subclasses of these two.
        raise InputError(_changed(path, f"{type(error).__name__}")) from error


def write_text(path: str | Path, text: str) -> None:
    """Write a text file."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
