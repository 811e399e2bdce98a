"""Write results once, atomically and with their provenance; read them back.

Arrays are safetensors, tables parquet or TSV. Metadata is one sorted JSON document under the key `repalign`, so
equal content gives equal bytes.
"""

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from repalign.errors import InputError, listed

KEY = "repalign"


@contextmanager
def atomic(path):
    """Yield a temporary path in the folder of `path`; rename it to `path` on success, remove it on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = json.loads((file.metadata() or {}).get(KEY, "{}"))
            present = list(file.keys())
            wanted = present if names is None else list(names)
            if missing := [name for name in wanted if name not in present]:
                raise InputError(f"{path} has no array {listed(missing)}; it holds {listed(present, 20)}.")
            return {name: file.get_tensor(name) for name in wanted}, metadata
    except SafetensorError as error:
        raise InputError(
            f"{path} is not a readable safetensors file ({error}); delete it and rerun."
        ) from error


def write_table(path, frame):
    """Write a data frame as TSV or parquet, by the ending of `path`."""
    with atomic(path) as temporary:
        if Path(path).suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, sep="\t", index=False, lineterminator="\n")


def read_table(path):
    """Read a TSV or parquet table that `write_table` wrote."""
    if Path(path).suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t", keep_default_na=True)


def write_text(path, text):
    """Write a text file."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
