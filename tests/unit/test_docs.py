"""The documentation shows what there is."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from repalign.figures import registry

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {figure.name for figure in registry.FIGURES}
RULES = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))


def test_every_figure_has_a_caption_and_a_rule():
    assert len(FIGURES) >= 18
    for rule in {figure.drawn_by for figure in registry.FIGURES}:
        assert f'**figure_outputs("{rule}")' in RULES, rule
    for name in FIGURES:
        assert (ROOT / f"config/captions/{name}.j2").is_file(), name


def test_the_page_on_extending_names_what_there_is():
    page = (ROOT / "docs/extending.md").read_text()
    for name in re.findall(r"`(plot_\w+|score_\w+|aggregate_\w+)`", page):
        assert f"rule {name}:" in RULES, name
    library = "".join(path.read_text() for path in (ROOT / "workflow_scripts/repalign").rglob("*.py"))
    for name in ("panel_grid", "paradigm_colours", "save_figure", "styled", "score_table"):
        assert f"`{name}" in page or f"{name}(" in page
        assert re.search(rf"^def {name}\(", library, re.MULTILINE), name


def test_every_measure_has_a_section_with_its_limits():
    sections = (ROOT / "docs/measures.md").read_text().split("\n## ")[1:]
    assert len(sections) >= 8
    for section in sections:
        assert "*Limits.*" in section, section.splitlines()[0]


def test_the_gallery_shows_every_figure_and_pictures_are_small():
    gallery = (ROOT / "docs/gallery.md").read_text()
    for name in FIGURES:
        assert f"images/{name}.png" in gallery, name
    for path in (ROOT / "docs/images").iterdir():
        assert path.stat().st_size < 300_000, path


def test_links_of_the_documentation_lead_somewhere():
    for page in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_picture_of_the_architecture_shows_what_the_code_imports():
    spec = importlib.util.spec_from_file_location("draw_architecture", ROOT / "docs/draw_architecture.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    pairs = script.imports_between_rooms(ROOT / "workflow_scripts")
    assert ("figures", "analysis") in pairs
    drawn = script.TABLE.read_text()
    assert drawn == script.table(pairs), "run `python docs/draw_architecture.py` and look at the picture"
    drawn_rooms = {name for pair in pairs for name in pair} - {*script.BASE}
    assert drawn_rooms == {*script.ROOMS}, "give every room its place and words in docs/draw_architecture.py"
    page = (ROOT / "docs/architecture.md").read_text()
    assert {room for room in drawn_rooms if f"| `{room}` |" not in page} == {"__main__"}


def test_the_example_without_snakemake_runs():
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    command = [sys.executable, "-c", example]
    environment = {"PYTHONPATH": str(ROOT / "workflow_scripts"), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.stdout == "100% of the objects are matched\n", run.stderr
