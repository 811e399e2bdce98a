# What a study makes: figures, tables and report. Included after common.smk, whose config and sheets these helpers read.
from repalign.figures.registry import CONVEXITY, FIGURES

# Ours, then those of the published study with our numbers in them.
CONVEXITY_TABLES = (
    "transform",
    "correlations",
    "matching",
    "published",
    *(f"table{n}" for n in range(1, 10)),
)


def convexity_study_outputs():
    """Every figure and table of the convexity study."""
    return [
        *[path for name in study_figures(CONVEXITY) for path in figure_files(name)],
        *[path for name in CONVEXITY_TABLES for path in table_files(f"convexity_{name}")],
        "<results>/aggregate/joined_layers.tsv",
    ]


def figure_style():
    """The look of every figure; what a figure shows is not part of it."""
    settings = config["figures"]
    # The digest reruns figures when a caption changes.
    return {
        **settings["sizes"][settings["size"]],
        "fonts": settings["fonts"],
        "titles": settings["titles"],
        "confidence": config["statistics"]["confidence"],
        "captions": "config/captions",
        "captions_digest": files_digest(sorted(BASE.glob("config/captions/*.j2"))),
    }


def figure_files(name):
    """The files of a figure: one per format, its data and its caption; the page needs the png."""
    formats = (f".{suffix}" for suffix in dict.fromkeys([*config["figures"]["formats"], "png"]))
    return multiext(f"<results>/figures/{name}", *formats, ".tsv", ".rst")


def figure_outputs(rule_name):
    """The files of the figures that a rule draws and the study allows, by figure."""
    allowed = study_figures()
    return {
        figure.name: listed_figure(figure)
        for figure in FIGURES
        if figure.drawn_by == rule_name and figure.name in allowed
    }


def listed_figure(figure):
    """`figure_files`, with the first picture listed in `snakemake --report` under its caption."""
    # The caption is generated beside the figure; Snakemake reads it when it writes the report.
    caption = str(Path.cwd() / STUDY / f"figures/{figure.name}.rst")
    picture, *rest = figure_files(figure.name)
    listed = report(picture, caption=caption, category=figure.study, labels={"figure": figure.title})
    return [listed, *rest]


def table_files(name):
    """The files of a table: TSV, and LaTeX."""
    return multiext(f"<results>/tables/{name}", ".tsv", ".tex")


def table_outputs(name):
    """The TSV of a table, listed in `snakemake --report`, and its LaTeX."""
    tsv, tex = table_files(name)
    return {"tsv": report(tsv, category="Tables", labels={"table": name.replace("_", " ")}), "tex": tex}


def study_figures(study=None):
    """Titles of the figures that the models of the study allow, by name; of one of the two studies where it is named."""
    compared = {row["paradigm"] for row in MODELS.values()} - {"human", "random"}
    models = convexity_models()
    layers = sum(len(MODELS[name]["layers"]) for name in models)
    aligned = {name for _, name, _ in gwot_keys()} & {*models}
    impossible = {
        *({"paradigm_effects"} if len(compared) < 2 else ()),
        *(() if models else {figure.name for figure in FIGURES if figure.study == CONVEXITY}),
        # Three layers are the fewest that a correlation over layers needs.
        *({"convexity_correlations"} if layers < 3 else ()),
        *(() if aligned else {"convexity_matching"}),
    }
    return {
        figure.name: figure.title
        for figure in FIGURES
        if figure.name not in impossible and study in (None, figure.study)
    }


def study_tables():
    """The tables of the study, by name."""
    convexity = CONVEXITY_TABLES if convexity_models() else ()
    return ["models", *(f"convexity_{name}" for name in convexity)]


def all_figures():
    """Every figure of the study."""
    return [path for name in study_figures() for path in figure_files(name)]


def all_tables():
    """Every table of the study."""
    return [path for name in study_tables() for path in table_files(name)]


def paradigms():
    """Paradigm of every model; people's representations count as people."""
    return {name: row["paradigm"] for name, row in MODELS.items()} | {name: "human" for name in HUMANS}


def readout_layers():
    """The layer that stands for each model."""
    return {name: row["readout"] for name, row in MODELS.items()}


def mapped_humans():
    """The human representations that are both aligned and compared by RSA; the first one is drawn."""
    compared = selected_humans("rsa")
    return [name for name in selected_humans("gwot") if name in compared] or compared


def sensitivity_table():
    """The sensitivity maps of all alignments, where the study makes them."""
    return "<results>/aggregate/gwot_sensitivity.parquet" if config["gwot"]["robustness"] else []


def thumbnail_folder(made_here=False):
    """The folder of images that the report may show; with `made_here` only where this study renders them."""
    folder = config["figures"]["thumbnails"]
    if folder is None:
        return []
    path = f"{config['things_dir']}/{folder}"
    return [] if made_here and path != made_images() else path


def used_methods():
    """Words for what the study computed, which the references name."""
    words = ["gwot", "rsa"] + (["things"] if config["world"] is None else [])
    return words + (["convexity", "naive_transform"] if convexity_models() else [])


def report_page():
    """The page, listed in `snakemake --report` too."""
    return report("<results>/report/index.html", category="Report", labels={"page": "explore"})


def final_outputs():
    """What a bare `snakemake` makes."""
    return [
        "<results>/report/index.html",
        *all_figures(),
        *all_tables(),
        *(["<results>/aggregate/joined_layers.tsv"] if convexity_models() else []),
        *(GWOT_ROBUSTNESS if config["gwot"]["robustness"] else []),
        *(["<results>/aggregate/gwot_map.parquet"] if map_pairs() else []),
    ]
