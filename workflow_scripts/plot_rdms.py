"""Dissimilarity matrices of people and of one model of every paradigm, sorted by category."""

from repalign.aggregate import readouts
from repalign.artefacts import read_arrays, read_table
from repalign.figures.rdms import plot_rdms
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    arrays, metadata = read_arrays(files.rdms)
    human, *models = metadata["order"]
    scores = readouts(read_table(files.scores), params.models)
    scores = scores[(scores["metric"] == f"rsa_{params.method}") & (scores["human"] == human)]
    values = scores.set_index("model")["value"]
    matrices = {name: arrays[name] for name in metadata["order"]}
    rho = {name: values[name] for name in models}
    figure, data = plot_rdms(matrices, metadata["category"], rho, params.style)
    facts = {
        "human": human,
        "models": models,
        "n": len(metadata["objects"]),
        "rsa": rho,
        "metric": params.metric,
    }
    save_figure(figure, snakemake.output, data, params.style, **facts)
