"""Johnson's distributions by four quantiles: which family, its parameters, scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from pharmaq.errors import InputError
from pharmaq.spc.inference import anderson_darling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["fit_johnson", "johnson_by_quantiles", "johnson_inverse", "johnson_scores"]

_SPACINGS = np.arange(25, 126) / 100
# Slifker and Shapiro: SU above, SB below, lognormal at 1
_NEAR_ONE = 1e-3


def fit_johnson(x: Vector) -> tuple[dict[str, Any], float]:
    """Return the parameters whose scores have the smallest A^2, and their spacing.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Values.

    Returns
    -------
    parameters : dict
        ``family``, ``gamma``, ``eta``, ``epsilon``, ``lambda``.
    spacing : float
        z of the quantiles -3 z, -z, z, 3 z.
    """
    ordered = np.sort(x)
    best: tuple[float, dict[str, Any], float] | None = None
    for spacing in _SPACINGS:
        found = johnson_by_quantiles(ordered, float(spacing))
        if found is None:
            continue
        scores = johnson_scores(found, ordered)
        if not np.isfinite(scores).all() or not np.ptp(scores) > 0:
            continue
        a2 = anderson_darling(scores).statistic
        if best is None or a2 < best[0]:
            best = a2, found, float(spacing)
    if best is None:
        msg = (
            f"values: no Johnson distribution by quantiles holds all {x.size}; they are too "
            "few or have too many ties; use another distribution"
        )
        raise InputError(msg)
    return best[1], best[2]


def johnson_by_quantiles(ordered: Vector, z: float) -> dict[str, Any] | None:
    """Return family and parameters by the quantiles at -3 z, -z, z, 3 z of sorted values.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Sorted values; the i-th is the quantile (i - 1/2) / n.
    z : float
        Spacing, as a normal score.

    Returns
    -------
    dict or None
        None where the quantiles lie outside the sample, or are tied.
    """
    n = ordered.size
    share = (np.arange(n) + 0.5) / n
    levels = special.ndtr(z * np.array([-3.0, -1.0, 1.0, 3.0]))
    a, b, c, d = np.interp(levels, share, ordered)
    m, low, p = float(d - c), float(b - a), float(c - b)
    if levels[0] < share[0] or not min(m, low, p) > 0:
        return None
    middle, ratio = float(b + c) / 2, m * low / p**2
    if abs(ratio - 1) <= _NEAR_ONE:
        return _lognormal(z, m / p, p, middle)
    unbounded = ratio > 1
    family = _unbounded if unbounded else _bounded
    m, low = (m / p, low / p) if unbounded else (p / m, p / low)
    return family(z, m, low, p, middle)


def johnson_scores(p: dict[str, Any], x: Vector) -> Vector:
    """Return standard normal scores; -inf and inf outside the bounds.

    Parameters
    ----------
    p : dict
        Parameters.
    x : ndarray
        Values.

    Returns
    -------
    ndarray
        Scores.
    """
    u = (x - p["epsilon"]) / p["lambda"]
    if p["family"] == "SU":
        return np.asarray(p["gamma"] + p["eta"] * np.arcsinh(u))
    with np.errstate(divide="ignore"):
        inner = np.log(np.maximum(u, 0.0))
        if p["family"] == "SB":
            inner = inner - np.log(np.maximum(1 - u, 0.0))
    return np.asarray(p["gamma"] + p["eta"] * inner)


def johnson_inverse(p: dict[str, Any], z: Vector) -> Vector:
    """Return values of standard normal scores.

    Parameters
    ----------
    p : dict
        Parameters.
    z : ndarray
        Scores.

    Returns
    -------
    ndarray
        Values.
    """
    inner = (z - p["gamma"]) / p["eta"]
    u = {"SU": np.sinh, "SB": special.expit, "SL": np.exp}[p["family"]](inner)
    return np.asarray(p["epsilon"] + p["lambda"] * u)


def _unbounded(z: float, m: float, n: float, p: float, middle: float) -> dict[str, Any]:
    eta = 2 * z / math.acosh((m + n) / 2)
    root = math.sqrt(m * n - 1)
    return {
        "family": "SU",
        "gamma": eta * math.asinh((n - m) / (2 * root)),
        "eta": eta,
        "epsilon": middle + p * (n - m) / (2 * (m + n - 2)),
        "lambda": 2 * p * root / ((m + n - 2) * math.sqrt(m + n + 2)),
    }


def _bounded(z: float, m: float, n: float, p: float, middle: float) -> dict[str, Any]:
    """Return the parameters of SB; m and n are p over the outer distances here."""
    product = (1 + m) * (1 + n)
    eta = z / math.acosh(math.sqrt(product) / 2)
    scale = p * math.sqrt((product - 2) ** 2 - 4) / (m * n - 1)
    return {
        "family": "SB",
        "gamma": eta * math.asinh((n - m) * math.sqrt(product - 4) / (2 * (m * n - 1))),
        "eta": eta,
        "epsilon": middle - scale / 2 + p * (n - m) / (2 * (m * n - 1)),
        "lambda": scale,
    }


def _lognormal(z: float, m: float, p: float, middle: float) -> dict[str, Any] | None:
    """Return the parameters of SL with a scale of 1; None where it is symmetric or mirrored."""
    if m <= 1 + _NEAR_ONE:
        return None
    eta = 2 * z / math.log(m)
    return {
        "family": "SL",
        "gamma": eta * math.log((m - 1) / (p * math.sqrt(m))),
        "eta": eta,
        "epsilon": middle - p / 2 * (m + 1) / (m - 1),
        "lambda": 1.0,
    }
