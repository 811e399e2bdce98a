"""Four objects and good files of them, to be damaged by tests."""

import io

import numpy as np
from safetensors.numpy import save

OBJECTS = ["ant", "bee", "cat", "dog"]
X = np.arange(12.0).reshape(4, 3)
TABLE_OF_NUMBERS = "ant,1,2\nbee,1,3\ncat,1,4\ndog,4,5\n"
CATEGORIES = "name,a,b\nant,1,0\nbee,1,0\ncat,0,1\ndog,0,1\n"
ORDER = "\n".join(OBJECTS) + "\n"


def saved(function, *arguments, **options):
    buffer = io.BytesIO()
    function(buffer, *arguments, **options)
    return buffer.getvalue()


def npy(array):
    return saved(np.save, array, allow_pickle=True)


def npz(**arrays):
    return saved(np.savez, **arrays)


def tensors(metadata=None):
    return save({"f": X}, metadata=metadata)


NPY, NPZ, TENSORS = npy(X), npz(f=X), tensors()
