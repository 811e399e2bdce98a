"""The report: one self-contained page."""

from pathlib import Path

import yaml
from repalign.analysis.layer_scores import readouts
from repalign.figures.convergence import sensitivity_runs
from repalign.jobs.job import job
from repalign.report.citations import citations
from repalign.report.content import figure_entries, table_entries, thumbnails
from repalign.report.leaderboard import leaderboard
from repalign.report.made_by import hashes, runtimes, versions
from repalign.report.page import render_page
from repalign.report.payload import packed, payload, study_facts
from repalign.storage.artefacts import read_table, write_text

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.input
    scores, matches = read_table(files.scores), read_table(files.matches)
    trials = read_table(files.trials)
    runs = sensitivity_runs(read_table(files.sensitivity)) if files.sensitivity else trials.head(0)
    shown = readouts(scores, params.models)
    columns, rows = leaderboard(shown, params.models)
    images = thumbnails(params.thumbnails, list(dict.fromkeys(matches["object"])))
    found, uncited = citations(
        yaml.safe_load(Path(files.citations).read_text()), params.models, params.humans, params.used
    )
    times = runtimes(params.benchmarks, params.logs)
    document = payload(scores, params.models, matches, trials, runs, images)
    sheet_columns = list(dict.fromkeys(field for row in params.models.values() for field in row))
    page = render_page(
        study=params.study,
        confidence=f"{100 * params.confidence:g}%",
        **study_facts(shown, matches, params.models, times),
        paradigms=[p["id"] for p in document["paradigms"]],
        colours={p["id"]: p["colour"] for p in document["paradigms"]},
        described=[field for field in ("architecture", "objective", "train_data") if field in sheet_columns],
        columns=columns,
        rows=rows,
        figures=figure_entries(params.figures, Path(files.figures[0]).parent),
        tables=table_entries(params.tables, Path(files.tables[0]).parent),
        runtimes=times.to_dict("records"),
        sheet_columns=["model", *sheet_columns],
        sheet=[
            [name, *(row.get(field, "") for field in sheet_columns)]
            for name, row in document["models"].items()
        ],
        versions=versions(),
        hashes=hashes([files.scores, files.concepts, *files.humans]),
        config=params.config,
        citations=found,
        uncited=uncited,
        payload=packed(document),
    )
    write_text(snakemake.output[0], page)
    log.info("%.1f MB; models without a reference: %s", len(page) / 1e6, uncited or "none")
