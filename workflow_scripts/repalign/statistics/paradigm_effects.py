"""Effects of the paradigm, adjusted for architecture, training set and objective by a mixed model."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repalign.labels import paradigm_order

FACTORS = ("architecture", "train_data", "objective")
EXCLUDED = ("human", "random")
# With one residual degree of freedom an interval is 25 standard errors wide.
FEWEST_RESIDUAL = 2
# A variance below this share of the residual variance counts as 0.
NO_VARIANCE = 1e-4
COLUMNS = [
    *("metric", "variant", "reference", "paradigm", "baseline", "model", "estimate", "ci_low", "ci_high"),
    *("n_models", "random_effects", "status"),
]


def paradigm_effects(table: pd.DataFrame, models: dict[str, dict], confidence: float = 0.95) -> pd.DataFrame:
    """Difference of every paradigm from the first one, for every metric, variant and reference, with intervals.

    Two models are fitted: `unadjusted` is least squares on the paradigm alone (errors consistent under
    heteroscedasticity, HC3, where every paradigm has two models); `mixed` adds crossed random intercepts for
    architecture, training set and objective, so that their effects are not attributed to the paradigm. Intervals use
    Student's t; its degrees of freedom are the number of models minus the numbers of paradigms and of factors.

    What cannot be estimated is not shown, and the status says why. A factor is used where `usable_factors` can
    separate it from the paradigm. Where no mixed model can be fitted (no such factor, fewer models than parameters, not
    converged), only least squares remains; with fewer than two residual degrees of freedom it has no interval.

    Parameters
    ----------
    table : tidy table, one layer per model (`repalign.analysis.layer_scores.readouts`)
    models : dict of model to its descriptive fields
    confidence : float

    Returns
    -------
    data frame with the columns of `COLUMNS`; `estimate` is the mean value itself for the baseline, the paradigm
    that all others are compared with.

    References
    ----------
    Laird & Ware (1982), Random-effects models for longitudinal data, Biometrics 38, 963-974.
    """
    table = table[(table["status"] == "ok") & ~table["paradigm"].isin(EXCLUDED)]
    rows = []
    keys = ["metric", "variant", "reference"]
    for key, own in table.groupby(keys, sort=False):
        frame = own[["model", "paradigm", "value"]].reset_index(drop=True)
        for factor in FACTORS:
            frame[factor] = [models[name].get(factor) or f"unknown {name}" for name in frame["model"]]
        if frame["paradigm"].nunique() < 2 or frame["value"].std() < 1e-12:
            continue
        rows += [dict(zip(keys, key, strict=True)) | row for row in _fits(frame, confidence)]
    return pd.DataFrame(rows, columns=COLUMNS)


def usable_factors(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The factors whose variance can be estimated beside the paradigm, and those whose variance cannot.

    A factor that is nested in the paradigm is confounded with it: at least one of its levels must occur in two
    paradigms. Its variance is identified if Q' Z Z' Q (Z its indicator columns, Q a basis of the residual space of the
    paradigm) is linearly independent of those of the factors before it and of the identity (the residual variance).
    """
    basis = _residual_basis(_paradigm_columns(frame))
    parts = [np.eye(basis.shape[1]).ravel()]
    kept: list[str] = []
    left_out: list[str] = []
    for factor in FACTORS:
        part = basis.T @ _levels(frame, factor)
        stacked = [*parts, (part @ part.T).ravel()]
        crossing = frame.groupby(factor)["paradigm"].nunique().max() > 1
        if crossing and np.linalg.matrix_rank(np.array(stacked), tol=1e-6) == len(stacked):
            kept, parts = [*kept, factor], stacked
        else:
            left_out.append(factor)
    return kept, left_out


def _fits(frame: pd.DataFrame, confidence: float) -> list[dict]:
    design = _paradigm_columns(frame)
    shared = {"baseline": paradigm_order(frame["paradigm"])[0], "n_models": len(frame)}
    plain = shared | {"model": "unadjusted", "random_effects": ""}
    if len(frame) - design.shape[1] < FEWEST_RESIDUAL:
        status = f"too few models for an interval: {len(frame)} in {design.shape[1]} paradigms"
        estimate = np.linalg.lstsq(design, frame["value"], rcond=None)[0]
        return _rows(design, estimate, np.full(len(estimate), np.nan), plain | {"status": status})
    mixed, status = _mixed(frame, design, confidence)
    estimate, width = _least_squares(frame, design, confidence)
    rows = _rows(design, estimate, width, plain | {"status": status if mixed is None else "ok"})
    if mixed is not None:
        estimate, width = mixed
        rows += _rows(design, estimate, width, shared | {"model": "mixed", **status})
    return rows


def _least_squares(frame: pd.DataFrame, design: pd.DataFrame, confidence: float) -> tuple[NDArray, NDArray]:
    """(estimates, half widths) of least squares on the paradigm alone."""
    import statsmodels.api as sm

    # HC3 divides by 1 - leverage, which is 0 for a paradigm of one model.
    kind = "HC3" if frame["paradigm"].value_counts().min() > 1 else "nonrobust"
    fitted = sm.OLS(frame["value"].to_numpy(), design.to_numpy()).fit(cov_type=kind, use_t=True)
    return fitted.params, fitted.bse * _quantile(fitted.df_resid, confidence)


def _mixed(frame: pd.DataFrame, design: pd.DataFrame, confidence: float) -> tuple:
    """((estimates, half widths), random effects and status) of the mixed model, or (None, why there is none)."""
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    factors, left_out = usable_factors(frame)
    if not factors:
        return (
            None,
            "no mixed model: no architecture, training set or objective can be told apart from the paradigm",
        )
    parameters = design.shape[1] + len(factors) + 1
    if len(frame) <= parameters:
        return None, f"no mixed model: {len(frame)} models are too few for its {parameters} parameters"
    levels = [_levels(frame, factor) for factor in factors]
    names = [[[f"{i}" for i in range(part.shape[1])]] for part in levels]
    components = VCSpec(factors, names, [[part] for part in levels])
    model = MixedLM(frame["value"].to_numpy(), design.to_numpy(), np.ones(len(frame)), exog_vc=components)
    try:
        with warnings.catch_warnings():
            # Variances of zero are reported below; standard errors do not come from its Hessian.
            warnings.simplefilter("ignore")
            fitted = model.fit(reml=True, method=["lbfgs", "powell"])
    except (ValueError, np.linalg.LinAlgError):
        return None, "no mixed model: its fit failed"
    shares = fitted.vcomp / fitted.scale
    if not (fitted.converged and np.isfinite(shares).all() and fitted.scale > 0):
        return None, "no mixed model: its fit did not converge"
    covariance = np.eye(len(frame)) + sum(
        share * part @ part.T for share, part in zip(shares, levels, strict=True)
    )
    # Generalised least squares at these variances: the Hessian is singular where one of them is zero.
    weighted = np.linalg.solve(covariance, design.to_numpy())
    inverse = np.linalg.inv(design.to_numpy().T @ weighted)
    estimate = inverse @ weighted.T @ frame["value"].to_numpy()
    freedom = len(frame) - design.shape[1] - len(factors)
    width = np.sqrt(fitted.scale * np.diag(inverse)) * _quantile(freedom, confidence)
    none = [factor for factor, share in zip(factors, shares, strict=True) if share < NO_VARIANCE]
    notes = [f"cannot be told apart from the paradigm: {', '.join(left_out)}"] if left_out else []
    notes += [f"no variance found between levels of {', '.join(none)}"] if none else []
    return (estimate, width), {"random_effects": ", ".join(factors), "status": "; ".join(notes) or "ok"}


def _quantile(freedom: float, confidence: float) -> float:
    from scipy.stats import t

    return t.ppf((1 + confidence) / 2, freedom)


def _paradigm_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The intercept and a column for every paradigm but the first, (models, paradigms)."""
    reference, *others = paradigm_order(frame["paradigm"])
    columns = {reference: 1.0} | {name: (frame["paradigm"] == name).astype(float) for name in others}
    return pd.DataFrame(columns, index=frame.index)


def _levels(frame: pd.DataFrame, factor: str) -> NDArray:
    """A column for every level of a factor, (models, levels)."""
    return pd.get_dummies(frame[factor], dtype=float).to_numpy()


def _residual_basis(design: pd.DataFrame) -> NDArray:
    """Orthonormal basis of the residual space of a design, (models, models - rank)."""
    basis, _ = np.linalg.qr(design.to_numpy(), mode="complete")
    return basis[:, design.shape[1] :]


def _rows(design: pd.DataFrame, estimate: NDArray, width: NDArray, shared: dict) -> list[dict]:
    return [
        shared | {"paradigm": name, "estimate": value, "ci_low": value - half, "ci_high": value + half}
        for name, value, half in zip(design.columns, estimate, width, strict=True)
    ]
