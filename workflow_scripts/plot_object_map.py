"""Objects on the map of people, and where the plans of two models put them."""

from repalign.aggregate import readouts
from repalign.artefacts import read_arrays, read_table
from repalign.figures.object_map import plot_object_map
from repalign.figures.style import save_figure
from repalign.figures.transport_plans import choose_pair
from repalign.job import job
from repalign.maps import transported
from repalign.object_matching import outcomes

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    place = read_table(files.objects).set_index("object")
    human = place["human"].iloc[0]
    plans = {tuple(key): path for key, path in zip(params.alignments, files.plans, strict=True)}
    scores = readouts(read_table(files.scores), params.models)
    if params.pair is not None and params.pair[0] == human:
        models = params.pair[1:]
    else:
        models = [model for _, model, _ in choose_pair(scores[scores["human"] == human])]
    entries = []
    for model in models:
        arrays, metadata = read_arrays(plans[human, model, params.models[model]["readout"]], ["plan"])
        own = place.loc[metadata["objects"]]
        positions = own[["x", "y"]].to_numpy()
        entries.append(
            {
                **{"human": human, "model": model, "object": own.index.to_numpy(), "place": positions},
                **{"category": own["category"].to_numpy(), "landing": transported(arrays["plan"], positions)},
                "outcome": outcomes(arrays["plan"], own["category"]),
            }
        )
    figure, data = plot_object_map(entries, params.style)
    save_figure(figure, snakemake.output, data, params.style, human=human)
