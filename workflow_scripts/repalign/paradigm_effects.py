"""Does the paradigm matter, or what goes with it? A mixed model over architecture, training set and objective."""

import warnings

import numpy as np
import pandas as pd

from repalign.labels import paradigm_order

FACTORS = ("architecture", "train_data", "objective")
EXCLUDED = ("human", "random")
COLUMNS = [
    *("metric", "human", "paradigm", "reference", "model", "estimate", "ci_low", "ci_high"),
    *("n_models", "random_effects", "status"),
]


def paradigm_effects(table, models, confidence=0.95):
    """Difference of every paradigm from the first one, for every metric and human, with intervals.

    Two models stand beside each other: `unadjusted` is least squares on the paradigm alone (intervals with
    heteroscedasticity-consistent errors, HC3); `mixed` adds crossed random intercepts for architecture, training
    set and objective, so that what these share across paradigms is not counted as an effect of the paradigm. A factor
    enters only where it could be told apart: two levels or more, fewer levels than models, and at least one level in
    two paradigms (a factor that is nested in the paradigm is the confound itself, and no model can take it apart). The
    status says which factors were left out.

    Parameters
    ----------
    table : tidy table, one layer a model (`repalign.aggregate.readouts`)
    models : dict of model to its descriptive fields
    confidence : float

    Returns
    -------
    data frame with the columns of `COLUMNS`; `estimate` is the mean value itself for the reference paradigm.

    References
    ----------
    Laird & Ware (1982), Random-effects models for longitudinal data, Biometrics 38, 963-974.
    """
    table = table[(table["status"] == "ok") & ~table["paradigm"].isin(EXCLUDED)]
    rows = []
    for (metric, human), own in table.groupby(["metric", "human"], sort=False):
        frame = own[["model", "paradigm", "value"]].reset_index(drop=True)
        for factor in FACTORS:
            frame[factor] = [models[name].get(factor) or f"unknown {name}" for name in frame["model"]]
        if frame["paradigm"].nunique() < 2 or frame["value"].std() < 1e-12:
            continue
        rows += [{"metric": metric, "human": human} | row for row in _fits(frame, confidence)]
    return pd.DataFrame(rows, columns=COLUMNS)


def usable_factors(frame):
    """The factors whose levels cross the paradigms, so that a random intercept can be told apart from them."""
    kept, left_out = [], []
    for factor in FACTORS:
        levels = frame[factor].nunique()
        crossing = frame.groupby(factor)["paradigm"].nunique().max()
        (kept if 2 <= levels < len(frame) and crossing > 1 else left_out).append(factor)
    return kept, left_out


def _fits(frame, confidence):
    import statsmodels.formula.api as smf

    paradigms = paradigm_order(frame["paradigm"])
    reference = paradigms[0]
    formula = f"value ~ C(paradigm, Treatment('{reference}'))"
    shared = {"reference": reference, "n_models": len(frame)}
    per_paradigm = frame["paradigm"].value_counts()
    enough = len(frame) > len(paradigms) and per_paradigm.min() > 0
    if not enough:
        means = frame.groupby("paradigm", sort=False)["value"].mean()
        for name in paradigms:
            value = means[name] - (0 if name == reference else means[reference])
            yield shared | {
                **{"paradigm": name, "model": "unadjusted", "estimate": value},
                **{"random_effects": "", "status": "one model a paradigm: no interval"},
            }
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # HC3 divides by 1 - leverage, which is 0 for a paradigm of one model.
        kind = "HC3" if per_paradigm.min() > 1 else "nonrobust"
        plain = smf.ols(formula, frame).fit(cov_type=kind)
        yield from _rows(
            plain,
            paradigms,
            confidence,
            shared | {"model": "unadjusted", "random_effects": "", "status": "ok"},
        )
        factors, left_out = usable_factors(frame)
        status = f"cannot be told apart from the paradigm: {', '.join(left_out)}" if left_out else "ok"
        if not factors:
            return
        components = {factor: f"0 + C({factor})" for factor in factors}
        try:
            mixed = smf.mixedlm(
                formula, frame, groups=np.ones(len(frame)), vc_formula=components, re_formula="0"
            )
            fitted = mixed.fit(reml=True, method=["lbfgs", "powell"])
        except (ValueError, np.linalg.LinAlgError) as error:
            yield shared | {"paradigm": reference, "model": "mixed", "status": f"failed: {error}"}
            return
        if not fitted.converged:
            status = "; ".join(["did not converge", *([status] if left_out else [])])
        yield from _rows(
            fitted,
            paradigms,
            confidence,
            shared | {"model": "mixed", "random_effects": ", ".join(factors), "status": status},
        )


def _rows(fitted, paradigms, confidence, shared):
    bounds = fitted.conf_int(alpha=1 - confidence)
    for name in paradigms:
        term = (
            "Intercept"
            if name == shared["reference"]
            else f"C(paradigm, Treatment('{shared['reference']}'))[T.{name}]"
        )
        low, high = bounds.loc[term]
        yield shared | {"paradigm": name, "estimate": fitted.params[term], "ci_low": low, "ci_high": high}
