"""Write results once, atomically and with their provenance; read them back.

Arrays are safetensors, tables parquet or TSV. Metadata is one sorted JSON document under the key `repalign`, so
equal content gives equal bytes.
"""

import errno
import json
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from repalign.errors import InputError, listed
from repalign.storage.checksums import sha256_of

KEY = "repalign"
# The size and sha256 of what was written lie in an extended attribute of the file, so that later damage shows. File
# systems without attributes (and some copies) have none; then the formats' own marks of an end must do.
SEAL = "user.repalign"
# Above this only the size is compared: truncation is what happens to files, and large ones are read often.
HASHED = 2**26
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic(path):
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
        # The Rust side of safetensors reports the number in words only.
        if getattr(error, "errno", None) in NO_SPACE or any(f"os error {n})" in str(error) for n in NO_SPACE):
            raise InputError(
                f"{path} cannot be written, since its disk or your quota is full; make room, then type the same "
                "command again."
            ) from error
        raise


@contextmanager
def _atomic(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        # On the disk before it has its name: a node that loses power leaves no empty file behind.
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        _seal(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _seal(path):
    if hasattr(os, "setxattr"):
        size = path.stat().st_size
        with suppress(OSError):
            os.setxattr(path, SEAL, f"{size} {sha256_of(path) if size <= HASHED else '-'}".encode())


def check_seal(path):
    """Raise `InputError` where a file is missing or is not as it was written."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The file {path} is not there; type the same command again, which makes it.")
    try:
        size, digest = os.getxattr(path, SEAL).decode().split()
    except (OSError, AttributeError, ValueError):
        return
    found = path.stat().st_size
    if found != int(size):
        raise InputError(_changed(path, f"it has {found} bytes of {size}"))
    if digest not in ("-", sha256_of(path)):
        raise InputError(_changed(path, "its bytes are others"))


def _changed(path, how):
    return f"{path} is not as it was written ({how}); delete it and type the same command again."


def write_arrays(path, arrays, metadata):
    """Write named arrays and a JSON-serialisable metadata dictionary as safetensors."""
    document = {KEY: json.dumps(metadata, sort_keys=True)}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic(path) as temporary:
        save_file(contiguous, temporary, metadata=document)


def read_arrays(path, names=None):
    """Read arrays (all, or those named) and the metadata of a safetensors file.

    Returns `(dict of arrays, metadata dict)`; metadata is empty where another program wrote the file. Raises
    `InputError` where the file is not safetensors or lacks a name.
    """
    check_seal(path)
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


def _metadata(file, path):
    try:
        metadata = json.loads((file.metadata() or {}).get(KEY, "{}"))
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise InputError(
            f"{path} has metadata that repalign did not write; save it anew without the key {KEY}."
        )
    return metadata


def write_table(path, frame):
    """Write a data frame as TSV or parquet, by the ending of `path`."""
    with atomic(path) as temporary:
        if Path(path).suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, sep="\t", index=False, lineterminator="\n")


def read_table(path):
    """Read a TSV or parquet table that `write_table` wrote; `InputError` where it is not whole."""
    check_seal(path)
    try:
        if Path(path).suffix == ".parquet":
            return pd.read_parquet(path)
        with open(path, "rb") as file:
            file.seek(max(0, Path(path).stat().st_size - 1))
            if file.read() != b"\n":
                raise InputError(_changed(path, "its last line is not whole"))
        return pd.read_csv(path, sep="\t", keep_default_na=True)
    except InputError:
        raise
    except (ValueError, OSError) as error:
        # pandas and pyarrow derive what they say of a damaged file from these two.
        raise InputError(_changed(path, f"{type(error).__name__}")) from error


def write_text(path, text):
    """Write a text file."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
