"""How long it takes to restyle every figure of a finished study."""

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
        start = time.monotonic()
        run = snakemake(small_study, "figures", "--configfile", "small.yaml", cores=CORES)
        seconds = time.monotonic() - start
    finally:
        config.write_text(text)
    jobs = run.output.count("\nrule plot_") + run.output.count("localrule plot_")
    print(f"\n{jobs} figures redrawn on {CORES} cores in {seconds:.1f} s")
    assert jobs >= 18
