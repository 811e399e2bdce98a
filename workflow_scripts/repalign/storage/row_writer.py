"""Write a safetensors file row by row, so that memory does not grow with the number of rows."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np

from repalign.errors import InputError
from repalign.storage.artefacts import KEY, atomic


class RowWriter:
    """Collect float32 rows of named tensors on disk and join them to one safetensors file at the end.

    Each tensor grows in a temporary file beside `path`; `finish` joins them, atomically. If the context ends without
    `finish`, the temporary files are deleted and nothing is written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.files: dict[str, BinaryIO] = {}
        self.widths: dict[str, int] = {}
        self.rows = 0

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f".{self.path.stem}.", dir=self.path.parent))
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.files.values():
            file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def append(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Add the same number of rows to every tensor: dict of name to (rows, features) array."""
        for name, array in arrays.items():
            if name not in self.files:
                self.files[name] = open(self.folder / str(len(self.files)), "wb")  # noqa: SIM115
                self.widths[name] = array.shape[1]
            if array.shape[1] != self.widths[name]:
                raise InputError(
                    f"The layer {name} has {self.widths[name]} features in one batch and {array.shape[1]} in another; "
                    "choose another pooling."
                )
            self.files[name].write(np.ascontiguousarray(array, dtype="<f4").data)
        self.rows += len(next(iter(arrays.values())))

    def finish(self, metadata: Mapping[str, Any]) -> None:
        """Write the file, with its metadata."""
        header: dict[str, Any] = {"__metadata__": {KEY: json.dumps(metadata, sort_keys=True)}}
        offset = 0
        for name, width in self.widths.items():
            size = 4 * self.rows * width
            header[name] = {
                "dtype": "F32",
                "shape": [self.rows, width],
                "data_offsets": [offset, offset + size],
            }
            offset += size
        text = json.dumps(header).encode()
        # The tensors begin at a multiple of eight bytes, as the format asks.
        text += b" " * (-len(text) % 8)
        with atomic(self.path) as temporary, open(temporary, "wb") as sink:
            sink.write(len(text).to_bytes(8, "little") + text)
            for file in self.files.values():
                file.close()
                with open(file.name, "rb") as source:
                    shutil.copyfileobj(source, sink, 1 << 22)
                os.unlink(file.name)
            sink.flush()
            os.fsync(sink.fileno())
