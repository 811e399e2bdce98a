"""Fit affine transforms to human odd-one-out choices, and select their regularisation."""

import numpy as np
import torch

from repalign.errors import InputError
from repalign.measures.odd_one_out import check_triplets, correct_triplets
from repalign.naive_transform.apply import HeldOut, HeldOutAnswers, NaiveTransform
from repalign.naive_transform.solve import solve_global, solve_naive
from repalign.naive_transform.triplets import (
    TripletCrossEntropy,
    object_folds,
    split_triplets,
    training_objects,
)

VARIANTS = ("naive", "global", "glocal")


def fit(embedding, triplets, regularisation, folds=3, seed=0, **options):
    """Fit one transform [1] and measure it on held-out objects.

    Parameters
    ----------
    embedding : (n, d) array
        One row per object; standardised by one scalar mean and standard deviation.
    triplets : (m, 3) integer array
        0-based; columns 0 and 1 are the pair people kept.
    regularisation : float
        lambda > 0.
    folds : int
        Of objects: those of one fold are held out while the others train.
    seed : int
        Of the folds.
    **options
        variant : `naive` (lambda ||W||_F^2), `global` (towards a scaled identity) or `glocal` (global with a
        locality term); norm : `frobenius_squared` or, as the authors' code has it, `frobenius` (naive only);
        alpha, temperature : of the locality term (gLocal only); tolerance, max_iterations, device : see
        `repalign.naive_transform.solve.solve_naive`.

    Returns
    -------
    NaiveTransform

    Raises
    ------
    InputError
        Triplets that do not fit, a fold without training or held-out triplets, unknown options.

    References
    ----------
    [1] Muttenthaler, Linhardt, Dippel, Vandermeulen, Hermann, Lampinen & Kornblith (2023), Improving neural network
        representations using human similarity judgments, NeurIPS.
    """
    return select(embedding, triplets, [regularisation], folds, seed, **options)[0]


def select(embedding, triplets, grid, folds=3, seed=0, **options):
    """Fit the transform whose regularisation has the lowest cross-entropy on held-out objects.

    Parameters
    ----------
    grid : sequence of floats
    others
        As in `fit`.

    Returns
    -------
    NaiveTransform, list of HeldOut (one per value of the grid, in its order)
    """
    x = np.asarray(embedding, dtype=np.float64)
    triplets = check_triplets(triplets, len(x))
    solve, variant, device = _solver(dict(options))
    if not len(grid) or min(grid) <= 0:
        raise InputError(f"The regularisations must be positive, not {list(grid)}.")
    fold_of_object = object_folds(len(x), folds, seed)
    tried = [_cross_validate(x, triplets, value, fold_of_object, solve, device) for value in grid]
    best = min(tried, key=lambda held_out: held_out.cross_entropy)
    mean, sd = _scale(x)
    solution = solve((x - mean) / sd, triplets, best.regularisation)
    transformed = (x - mean) / sd @ solution.weights.T + solution.bias
    transform = NaiveTransform(
        weights=solution.weights,
        bias=solution.bias,
        mean=mean,
        sd=sd,
        regularisation=best.regularisation,
        variant=variant,
        accuracy=float(correct_triplets(transformed, triplets, "dot").mean()),
        accuracy_cosine=float(correct_triplets(transformed, triplets).mean()),
        held_out=best,
        loss=solution.loss,
        gradient_norm=solution.gradient_norm,
        relative_gradient_norm=solution.relative_gradient_norm,
        iterations=solution.iterations,
        converged=solution.converged,
    )
    return transform, tried


def _solver(options):
    """Function of (x, triplets, regularisation), the name of its variant and its device."""
    variant = options.pop("variant", "naive")
    if variant not in VARIANTS:
        raise InputError(f"Unknown transform '{variant}'; choose one of {', '.join(VARIANTS)}.")
    if variant == "naive":
        allowed, solver = {"norm"}, solve_naive
    elif variant == "global":
        allowed, solver = set(), solve_global
    else:
        allowed, solver = {"alpha", "temperature"}, solve_global
        options.setdefault("alpha", 0.1)
    allowed |= {"tolerance", "max_iterations", "device"}
    if unknown := sorted(set(options) - allowed):
        raise InputError(
            f"The {variant} transform has no option {', '.join(unknown)}; it has {', '.join(sorted(allowed))}."
        )

    def solve(x, triplets, regularisation):
        return solver(x, triplets, regularisation, **options)

    return solve, variant, options.get("device", "cpu")


def _scale(x):
    mean, sd = float(x.mean()), float(x.std())
    if not np.isfinite(sd) or sd == 0:
        raise InputError(
            "The embedding is constant or not finite, so it cannot be standardised; check the layer."
        )
    return mean, sd


def _cross_validate(x, triplets, regularisation, fold_of_object, solve, device):
    """Held-out scores of one regularisation, pooled over folds."""
    losses, hits, converged, answers = 0.0, 0, True, []
    for fold in range(fold_of_object.max() + 1):
        training, held_out = split_triplets(triplets, fold_of_object, fold)
        if not training.any() or not held_out.any():
            raise InputError(
                f"Fold {fold} has {training.sum()} training and {held_out.sum()} held-out triplets; use fewer folds or "
                "more triplets."
            )
        objects = training_objects(fold_of_object, fold)
        # Scale and axes come from training objects alone.
        mean, sd = _scale(x[objects])
        solution = solve(
            (x[objects] - mean) / sd, np.searchsorted(objects, triplets[training]), regularisation
        )
        others = np.flatnonzero(fold_of_object == fold)
        tests = np.searchsorted(others, triplets[held_out])
        z = (x[others] - mean) / sd @ solution.weights.T + solution.bias
        similarity = torch.from_numpy(z @ z.T).to(device)
        losses += TripletCrossEntropy(tests, len(others), device)(similarity)[0] * len(tests)
        hits += correct_triplets(z, tests, "dot").sum()
        # The baseline has learnt nothing, so it may be centred over all objects.
        own = triplets[held_out]
        answers.append((own, correct_triplets(x, own), correct_triplets(z, tests)))
        converged &= solution.converged
    answers = HeldOutAnswers(*map(np.concatenate, zip(*answers, strict=True)))
    n = len(answers.triplets)
    return HeldOut(
        regularisation=float(regularisation),
        cross_entropy=float(losses / n),
        accuracy=float(hits / n),
        accuracy_cosine=float(answers.transformed.mean()),
        baseline=float(answers.original.mean()),
        n=n,
        converged=bool(converged),
        answers=answers,
    )
