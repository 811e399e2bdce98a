"""A transport plan that finds the objects beside one that does not."""

from repalign.aggregate import readouts
from repalign.artefacts import read_arrays, read_table
from repalign.figures.style import save_figure
from repalign.figures.transport_plans import choose_pair, plot_transport_plans
from repalign.job import job

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    scores, concepts = (
        readouts(read_table(files.scores), params.models),
        read_table(files.concepts).set_index("object"),
    )
    plans = {tuple(key): path for key, path in zip(params.alignments, files.plans, strict=True)}
    if params.pair is None:
        chosen = choose_pair(scores)
    else:
        human, *models = params.pair
        chosen = [(human, model, params.models[model]["readout"]) for model in models]
    entries = []
    for human, model, layer in chosen:
        arrays, metadata = read_arrays(plans[human, model, layer])
        own = scores[(scores["human"] == human) & (scores["model"] == model) & (scores["layer"] == layer)]
        rates = own.set_index("metric")["value"]
        entry = {"human": human, "model": model, "plan": arrays["plan"]}
        entry["category"] = concepts.loc[metadata["objects"], "category"].to_numpy()
        entries.append(entry | {"top1": rates["gwot_top1"], "category_rate": rates["gwot_category_top1"]})
    figure, data = plot_transport_plans(entries, params.style)
    save_figure(figure, snakemake.output, data, params.style, entries=entries)
    log.info("drew %s", chosen)
