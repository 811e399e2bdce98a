"""The device that computes is there, or the sentence says which are."""

import numpy as np
import pytest
from repalign.devices import choose_device
from repalign.errors import InputError
from repalign.gwot.alignment import align

HAS_CUDA = choose_device("auto", ("cuda", "cpu")) == "cuda"


def test_devices():
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "cuda", "mps")
    assert choose_device("auto", ("cpu",)) == "cpu"
    with pytest.raises(InputError, match=r"'tpu' is not on this machine; use auto or one of .*cpu\."):
        choose_device("tpu")


@pytest.mark.skipif(HAS_CUDA, reason="this machine has CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_alignment_on_a_gpu_that_is_not_there_is_refused(device):
    x = np.random.default_rng(0).random((6, 3))
    with pytest.raises(InputError, match=f"'{device}' is not on this machine; use auto or one of cpu"):
        align(x, x, device=device)
