"""Loss of all trials against epsilon and against matching, and the sensitivity map."""

from repalign.figures.convergence import plot_convergence
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.input
    trials = read_table(files.trials)
    runs = read_table(files.sensitivity) if files.sensitivity else None
    figure, data = plot_convergence(trials, runs, params.style)
    facts = {"trials": trials, "runs": [] if runs is None else runs}
    save_figure(figure, snakemake.output.convergence, data, params.style, **facts)
