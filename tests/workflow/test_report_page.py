"""The report in headless Chromium: no errors, what a reader does, and hostile names."""

import os
import re
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
from repalign.analysis.layer_scores import readouts
from repalign.analysis.object_matching import object_matches
from repalign.report.citations import citations
from repalign.report.leaderboard import leaderboard
from repalign.report.made_by import runtimes
from repalign.report.page import render_page
from repalign.report.payload import packed, payload, study_facts
from study_tables import HUMANS, made_up_concepts, made_up_models, made_up_plan, made_up_scores

HOSTILE = "<script>window.hacked = 1</script> & Söhne, “{}” </script>"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
UNNAMED = """[...document.querySelectorAll("select, input, button, img, summary, [role=region]")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.labels?.length || e.ariaLabel || e.hasAttribute("alt") || e.textContent.trim()))
  .map((e) => e.outerHTML)"""
needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here; install chromium (CI does)"
)


def build(n_models, n_objects, object_name="object {}"):
    """The page of a made-up study."""
    models = made_up_models(n_models)
    models["model_0"]["architecture"] = HOSTILE.format("arch")
    scores = made_up_scores(models)
    concepts = made_up_concepts(n_objects, object_name)
    plans = {seed: object_matches(made_up_plan(n_objects, 0.2 * seed, seed), concepts) for seed in range(3)}
    matches = pd.concat(
        [
            plans[i % 3].assign(human=human, model=model, layer="last")
            for human in HUMANS
            for i, model in enumerate(models)
        ],
        ignore_index=True,
    )
    trials = pd.DataFrame(
        {"human": "people", "model": "model_3", "layer": "last", "start": "random", "epsilon": [0.01, 0.02],
         "loss": [0.2, 0.3], "status": ["complete", "pruned"], "best": [True, False], "top1": [0.4, None],
         "seconds": 1.0}
    )  # fmt: skip
    runs = pd.DataFrame(
        {"human": "people", "model": "model_3", "layer": "last", "epsilon": [0.01, 0.02], "seed": "random 0",
         "loss": 0.2, "top1": 0.4}
    )  # fmt: skip
    shown = readouts(scores, models)
    columns, rows = leaderboard(shown, models)
    document = payload(scores, models, matches, trials, runs, {})
    times = runtimes(Path("nowhere"), Path("nowhere"))
    found, uncited = citations([{"always": True, "reference": HOSTILE}], models, {}, set())
    table = {
        "title": HOSTILE,
        "columns": [HOSTILE],
        "rows": [[HOSTILE]],
        "left_out": 0,
        "files": ["../tables/a.tsv"],
    }
    return render_page(
        **{
            "study": HOSTILE,
            "confidence": "95%",
            "config": HOSTILE,
            "versions": [("Python", "3")],
            "hashes": [],
        },
        **study_facts(shown, matches, models, times),
        **{"columns": columns, "rows": rows, "described": ["architecture", "train_data"], "figures": []},
        **{"sheet_columns": ["model"], "sheet": [[HOSTILE]], "tables": [table], "runtimes": []},
        **{"citations": found, "uncited": uncited, "payload": packed(document)},
        paradigms=[p["id"] for p in document["paradigms"]],
        colours={p["id"]: p["colour"] for p in document["paradigms"]},
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a hostile study, open in a browser; everything it complains of or asks the network for is kept."""
    assert CHROMIUM, "CI needs Chromium"
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(build(8, 40, HOSTILE), encoding="utf-8")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # A container has no user namespaces, which the sandbox of Chromium needs.
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.complaints = []
        tab.on("console", lambda m: tab.complaints.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.on(
            "request",
            lambda r: (
                tab.complaints.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None
            ),
        )
        tab.goto(path.as_uri())
        tab.wait_for_function("document.documentElement.dataset.ready === 'yes'", timeout=60_000)
        yield tab
        browser.close()


@needs_browser
def test_hostile_names_are_text(page):
    assert page.evaluate("window.hacked") is None
    assert page.inner_text("h1") == HOSTILE
    assert HOSTILE.format("arch") in page.inner_text("#leaderboard")
    page.select_option("#colour-by", "architecture")
    page.wait_for_function(
        "document.querySelector('#compare-chart svg').textContent.includes('window.hacked')"
    )
    assert HOSTILE.format(3) in page.locator("#object-names option").nth(3).get_attribute("value")
    page.fill("#plan-object", HOSTILE.format(5))
    assert HOSTILE.format(5) in page.inner_text("#plan-card strong")
    assert page.evaluate("window.hacked") is None


@needs_browser
def test_the_leaderboard_sorts_by_keyboard_and_filters(page):
    heading = page.locator("#leaderboard thead th").nth(4)
    assert "object matching" in heading.inner_text()
    heading.locator("[tabindex]").focus()
    for expected in ("ascending", "descending"):
        page.keyboard.press("Enter")
        page.wait_for_function(
            f"document.querySelectorAll('#leaderboard thead th')[4].ariaSort === '{expected}'"
        )
    values = [float(v) for v in page.locator("#leaderboard tbody td:nth-child(5) span").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    assert len(values) == 10
    page.select_option("#paradigm-filter", "CLIP")
    assert page.locator("#leaderboard tbody tr").count() == 2
    page.select_option("#paradigm-filter", "")
    page.get_by_label("Search").fill("other people")
    assert page.locator("#leaderboard tbody tr").count() == 1
    page.get_by_label("Search").fill("")


@needs_browser
def test_charts_follow_their_menus(page):
    assert page.locator("#compare-chart path[aria-label]").count() >= 10
    page.select_option("#x-measure", "odd_one_out||triplets")
    page.wait_for_function("document.querySelector('#compare-says').textContent.includes('odd-one-out')")
    page.select_option("#depth-measure", "gwot|top1|people")
    page.wait_for_function(
        "document.querySelector('#depth-chart svg').textContent.includes('object matching')"
    )
    assert page.inner_text("#depth-says").startswith("10 of 10 models")
    assert "matches 40.0% of the objects" in page.inner_text("#trial-says")
    assert page.locator("#sensitivity-chart svg.marks").count() == 1


@needs_browser
def test_the_explorer_shows_partners_in_both_directions(page):
    page.select_option("#plan-human", HUMANS[1])
    page.select_option("#plan-model", "model_1")
    page.fill("#plan-object", HOSTILE.format(7))
    tables = page.locator("#plan-card table")
    assert tables.count() == 2
    assert [tables.nth(i).locator("tbody tr").count() for i in (0, 1)] == [5, 5]
    assert "the object itself" in tables.nth(0).inner_text()
    partner = tables.nth(0).locator("tbody button").nth(1)
    name = partner.inner_text()
    partner.click()
    assert page.inner_text("#plan-card strong") == name
    page.fill("#plan-object", "no such thing")
    assert "No object of that name" in page.inner_text("#plan-card")


@needs_browser
def test_every_control_has_a_name_and_the_page_a_structure(page):
    unnamed = page.evaluate(UNNAMED)
    assert unnamed == []
    assert page.locator("main").count() == page.locator("h1").count() == 1
    assert page.get_attribute("html", "lang") == "en"
    first = page.locator("a, button, input, select, [tabindex='0']").first
    assert first.get_attribute("class") == "skip"
    first.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#leaderboard-section")


@needs_browser
def test_nothing_was_complained_of_and_no_server_was_asked(page):
    assert page.complaints == []


def test_markup_of_names_never_reaches_the_page():
    text = build(4, 40, HOSTILE)
    assert "<script>window.hacked" not in text
    # Every script element is one that the template opens: payload, two libraries, the page's own.
    assert (
        len(re.findall(r"<script\b", re.sub(r"(?s)(<script type=\"module\">).*?</script>", r"\1", text))) == 4
    )


@pytest.mark.slow
def test_forty_models_of_1854_objects_stay_below_15_mb(tmp_path):
    start = time.monotonic()
    text = build(40, 1854)
    assert len(text.encode()) < 12e6, "3 MB of the 15 are for the figures"
    assert time.monotonic() - start < 300
