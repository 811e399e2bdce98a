"""Write a safetensors file row by row, so that memory does not grow with the number of rows."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from repalign.errors import InputError
from repalign.storage.artefacts import KEY, atomic


class RowWriter:
    """Collect float32 rows of named tensors on disk and make one safetensors file of them in the end.

    Each tensor grows in a temporary file beside `path`; `finish` joins them, atomically. Leaving the context without
    `finish` leaves nothing behind.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.files, self.widths, self.rows = {}, {}, 0

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f".{self.path.stem}.", dir=self.path.parent))
        return self

    def __exit__(self, *_):
        for file in self.files.values():
            file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def append(self, arrays):
        """Add the same number of rows to every tensor: dict of name to (rows, features) array."""
        for name, array in arrays.items():
            if name not in self.files:
                self.files[name] = open(self.folder / str(len(self.files)), "wb")  # noqa: SIM115
                self.widths[name] = array.shape[1]
            if array.shape[1] != self.widths[name]:
                raise InputError(
                    f"The layer {name} changes its width from {self.widths[name]} to {array.shape[1]} features between "
                    "batches; choose another pooling."
                )
            self.files[name].write(np.ascontiguousarray(array, dtype="<f4").data)
        self.rows += len(next(iter(arrays.values())))

    def finish(self, metadata):
        """Write the file, with its metadata."""
        header, offset = {"__metadata__": {KEY: json.dumps(metadata, sort_keys=True)}}, 0
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
