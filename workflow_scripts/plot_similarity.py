"""Dissimilarity matrices of people and of one model of every paradigm, and how alike all of them are."""

from repalign.analysis.layer_scores import readouts
from repalign.figures.model_map import plot_model_map
from repalign.figures.rdms import plot_rdms
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_arrays, read_table

with job(snakemake) as log:
    params, style, files = snakemake.params, snakemake.params.style, snakemake.input
    arrays, metadata = read_arrays(files.rdms)
    human, *models = metadata["order"]
    scores = readouts(read_table(files.scores), params.models)
    scores = scores[(scores["metric"] == "rsa") & (scores["variant"] == params.method)]
    scores = scores[scores["reference"] == human]
    rho = scores.set_index("model")["value"].loc[models].to_dict()
    facts = {"human": human, "models": models, "n": len(metadata["objects"]), "rsa": rho}
    matrices = {name: arrays[name] for name in metadata["order"]}
    figure, data = plot_rdms(matrices, metadata["category"], rho, style)
    save_figure(figure, snakemake.output.rdms, data, style, metric=params.metric, **facts)

    similarity = read_table(files.similarity)
    alignments = read_table(files.alignments) if files.alignments else None
    figure, data = plot_model_map(similarity, params.paradigms, style, alignments)
    facts = {"metric": params.metric, "paradigms": params.paradigms}
    save_figure(figure, snakemake.output.model_map, data, style, **facts)
