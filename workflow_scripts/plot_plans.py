"""A transport plan that finds the objects beside one that does not, and where both put the objects."""

from repalign.analysis.layer_scores import readouts
from repalign.figures.object_map import object_map_entry, plot_object_map
from repalign.figures.style import save_figure
from repalign.figures.transport_plans import choose_plans, plan_entry, plot_transport_plans
from repalign.jobs.job import job
from repalign.storage.artefacts import read_arrays, read_table

with job(snakemake) as log:
    params, style, files = snakemake.params, snakemake.params.style, snakemake.input
    scores = readouts(read_table(files.scores), params.models)
    concepts = read_table(files.concepts).set_index("object")
    paths = {tuple(key): path for key, path in zip(params.alignments, files.plans, strict=True)}

    chosen = choose_plans(scores, params.models, params.pair)
    entries = [plan_entry(key, *read_arrays(paths[key]), scores, concepts) for key in chosen]
    figure, data = plot_transport_plans(entries, style)
    save_figure(figure, snakemake.output.transport_plans, data, style, entries=entries)
    log.info("drew %s", chosen)

    # The map is that of one human, who need not be the one of the pair.
    place = read_table(files.objects).set_index("object")
    human = place["human"].iloc[0]
    pair = params.pair if params.pair and params.pair[0] == human else None
    chosen = choose_plans(scores[scores["reference"] == human], params.models, pair)
    entries = [object_map_entry(key, *read_arrays(paths[key], ["plan"]), place) for key in chosen]
    figure, data = plot_object_map(entries, style)
    save_figure(figure, snakemake.output.object_map, data, style, human=human)
