"""Snakemake's own report of a finished study holds the figures with their generated captions."""

import zipfile

import pytest
from conftest import snakemake


@pytest.mark.slow
def test_the_report_holds_figures_tables_captions_and_categories(small_study, tmp_path):
    target = tmp_path / "report.zip"
    snakemake(small_study, "--report", target, "--configfile", "small.yaml")
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        text = "".join(
            archive.read(name).decode(errors="replace") for name in names if name.endswith((".html", ".js"))
        )
    caption = (small_study / "results/demo/figures/matching.rst").read_text().strip()
    assert caption[:60] in text
    for category in ("Alignment study", "Convexity study", "Tables", "Report"):
        assert category in text
    assert sum(name.endswith(".pdf") for name in names) >= 14
