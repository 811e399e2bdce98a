"""The documentation shows what there is."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = (ROOT / "rules/common_outputs.smk").read_text()
FIGURES = set(re.findall(r'^    "(\w+)": "[^"]+",$', OUTPUTS, re.MULTILINE))


def test_every_figure_has_a_caption_and_a_rule():
    assert len(FIGURES) >= 18
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    for name in FIGURES:
        assert (ROOT / f"config/captions/{name}.j2").is_file(), name
        assert f"rule plot_{name}:" in rules


def test_the_gallery_shows_every_figure_and_pictures_are_small():
    gallery = (ROOT / "docs/gallery.md").read_text()
    for name in FIGURES:
        assert f"images/{name}.png" in gallery, name
    for path in (ROOT / "docs/images").iterdir():
        assert path.stat().st_size < 300_000, path


def test_links_of_the_documentation_lead_somewhere():
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
