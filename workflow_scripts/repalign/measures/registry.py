"""Every measure, declared once: figures, tables, the report and the tests follow from what stands here."""

from dataclasses import dataclass, replace

from repalign.errors import InputError


@dataclass(frozen=True)
class Measure:
    """What is known of a measure before anything is measured.

    Attributes
    ----------
    metric : str
        Its name in the column `metric` of the tidy table.
    name : str
        Its name in words, for axes, menus and headings.
    bounds : (float, float)
        Lowest and highest value; infinite where there is none.
    chance : str
        What it is without any correspondence between both sides, in words; '' where that is not defined.
    needs_correspondence : bool
        Whether the measurement itself is told which object of the model is which object of people.
    resampling : str
        What its interval resamples: `objects`, `points` (of the convexity study), `triplets`, or '' for no interval.
    higher_is_better : bool
    is_rate : bool
        A fraction that people read as a percentage.
    noise_ceiling : bool
        Its ceiling is the agreement of people on repeated triplets; that of all others is people against people.
    headline : tuple of str
        The variants that stand for the measure where one number is shown; a study has one of them.
    role : str
        `main` (in every comparison of measures), `detail` (a closer look at a main one) or `diagnostic` (in the tidy
        table alone).
    leaderboard : int or None
        Its place in the leaderboard of the report, from the left; None leaves it out.
    """

    metric: str
    name: str
    bounds: tuple[float, float]
    chance: str
    needs_correspondence: bool
    resampling: str
    higher_is_better: bool = True
    is_rate: bool = False
    noise_ceiling: bool = False
    headline: tuple[str, ...] = ("",)
    role: str = "main"
    leaderboard: int | None = None


RATE, CORRELATION, UNBOUNDED = (0.0, 1.0), (-1.0, 1.0), (0.0, float("inf"))

MATCHING = Measure(
    "gwot", "object matching", RATE, "k / n", False, "objects", is_rate=True, headline=("top1",),
    leaderboard=1,
)  # fmt: skip
CATEGORY_MATCHING = replace(
    MATCHING, metric="gwot_category", name="category matching", chance="mean over objects", leaderboard=2
)
_OTHERS = replace(
    CATEGORY_MATCHING, metric="gwot_category_others", name="category matching, with “others”", role="detail",
    leaderboard=None,
)  # fmt: skip
_ANY = replace(_OTHERS, metric="gwot_category_any", name="category matching, any of its categories")
PLAN_MEASURES = (MATCHING, CATEGORY_MATCHING, _OTHERS, _ANY)


def from_model_to_human(measure):
    """A matching rate in the other direction: the model's objects look for their counterparts."""
    return replace(
        measure, metric=f"{measure.metric}_columns", name=f"{measure.name}, from model to human", role="diagnostic",
        leaderboard=None,
    )  # fmt: skip


# In the order in which figures show them.
DECLARED = (
    Measure("convexity", "convexity", RATE, "permuted labels", True, "points", is_rate=True, leaderboard=6),
    Measure(
        "odd_one_out", "odd-one-out accuracy", RATE, "1 / 3", True, "objects", is_rate=True, noise_ceiling=True,
        leaderboard=4,
    ),
    Measure(
        "rsa", "RSA", CORRELATION, "0", True, "objects", headline=("spearman", "pearson", "kendall"), leaderboard=3,
    ),
    # Debiased CKA can be negative.
    Measure("cka", "CKA", CORRELATION, "0", True, "objects"),
    Measure(
        "mutual_neighbours", "mutual neighbours", RATE, "k / (n - 1)", True, "objects", is_rate=True,
    ),
    # Adjusted for chance: below 0 where clusters agree less than random ones.
    Measure(
        "clustering", "clustering (AMI)", CORRELATION, "permuted labels", True, "objects", headline=("ami",),
        leaderboard=5,
    ),
    *PLAN_MEASURES,
    Measure(
        "euclidean_convexity", "Euclidean convexity", RATE, "permuted labels", True, "points", is_rate=True,
        role="detail",
    ),
    *(from_model_to_human(measure) for measure in PLAN_MEASURES),
    Measure(
        "gwot_loss", "Gromov-Wasserstein loss", UNBOUNDED, "", False, "", higher_is_better=False, role="diagnostic",
    ),
    Measure(
        "odd_one_out_ties", "tied triplets", RATE, "", True, "", higher_is_better=False, is_rate=True,
        role="diagnostic",
    ),
)  # fmt: skip
MEASURES = {measure.metric: measure for measure in DECLARED}


def measure_of(metric):
    """The declaration of a metric."""
    if metric not in MEASURES:
        raise InputError(
            f"The metric '{metric}' is not declared; write what it is into repalign/measures/registry.py."
        )
    return MEASURES[metric]


def in_role(*roles):
    """The measures of some roles, in the order of the declarations."""
    return [measure for measure in DECLARED if measure.role in roles]


def in_leaderboard():
    """The measures of the leaderboard, from the left."""
    return sorted((m for m in DECLARED if m.leaderboard is not None), key=lambda measure: measure.leaderboard)


def is_headline(metric, variant):
    """Whether a variant stands for its measure."""
    return variant in measure_of(metric).headline


def headline_rows(table, measures):
    """The rows of a table with `metric` and `variant` that stand for one of these measures."""
    wanted = {(measure.metric, variant) for measure in measures for variant in measure.headline}
    keep = [key in wanted for key in zip(table["metric"], table["variant"], strict=True)]
    return table[keep]
