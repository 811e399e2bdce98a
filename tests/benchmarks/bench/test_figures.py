"""How long it takes to restyle every figure of a finished study."""

import resource
import time

import pytest
from conftest import snakemake

pytestmark = pytest.mark.benchmark
CORES = 2


def test_restyling_every_figure(small_study):
    config = small_study / "config/config.yaml"
    text = config.read_text()
    restyled = text.replace(
        "two_columns: {width_mm: 180, font_size: 7}", "two_columns: {width_mm: 180, font_size: 8}"
    )
    assert restyled != text
    config.write_text(restyled)
    try:
        started = time.time()
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        snakemake(small_study, "figures", "--configfile", "small.yaml", cores=CORES)
        seconds = time.monotonic() - start
    finally:
        config.write_text(text)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    drawn = [
        path
        for path in (small_study / "results/demo/figures").glob("*.png")
        if path.stat().st_mtime > started
    ]
    print(f"\n{len(drawn)} figures redrawn on {CORES} cores in {seconds:.1f} s, {cpu:.1f} CPU s")
    assert len(drawn) >= 18
