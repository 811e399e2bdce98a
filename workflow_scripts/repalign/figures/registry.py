"""Every figure, declared once: the rules, the report and the documentation follow from what stands here.

The rules read this whenever Snakemake starts, so it imports nothing that takes long to load.
"""

from dataclasses import dataclass

ALIGNMENT, CONVEXITY = "Alignment study", "Convexity study"


@dataclass(frozen=True)
class Figure:
    """A figure by its name, which is that of its files and of its caption.

    Attributes
    ----------
    name, title : str
    drawn_by : str
        The rule that draws it: to start a job takes longer than to draw a figure, so one rule draws all figures of the
        same data.
    study : str
        The section of `snakemake --report`.
    """

    name: str
    title: str
    drawn_by: str
    study: str = ALIGNMENT


# In the order in which the report shows them.
FIGURES = (
    Figure("method", "Method", "plot_method"),
    Figure("rdms", "Dissimilarity matrices", "plot_similarity"),
    Figure("agreement", "Agreement with people", "plot_scores"),
    Figure("transport_plans", "Transport plans", "plot_plans"),
    Figure("matching", "Object matching", "plot_scores"),
    Figure("category_matching", "Category matching", "plot_scores"),
    Figure("fine_coarse", "Fine against coarse", "plot_scores"),
    Figure("clustering", "Clustering", "plot_scores"),
    Figure("object_matching", "Matching by category and object", "plot_object_matching"),
    Figure("convergence", "Convergence and sensitivity", "plot_convergence"),
    Figure("layers", "Layer ablation", "plot_scores"),
    Figure("object_map", "Objects after alignment", "plot_plans"),
    Figure("model_map", "Model-model map", "plot_similarity"),
    Figure("paradigm_effects", "Paradigm effects", "plot_paradigm_effects"),
    Figure("convexity_depth", "Convexity and accuracy by depth", "plot_convexity", CONVEXITY),
    Figure("convexity_alignment", "Convexity against odd-one-out accuracy", "plot_convexity", CONVEXITY),
    Figure("convexity_neighbours", "Convexity and number of neighbours", "plot_convexity", CONVEXITY),
    Figure("convexity_correlations", "Correlations of all measures", "plot_convexity", CONVEXITY),
    Figure("convexity_measures", "All measures by depth", "plot_convexity", CONVEXITY),
    Figure("convexity_matching", "Convexity and category matching", "plot_convexity", CONVEXITY),
)
