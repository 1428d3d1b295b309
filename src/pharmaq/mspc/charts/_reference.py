"""Mean and covariance of several variables in phase 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pharmaq._checks import as_float, check_finite
from pharmaq.errors import InputError
from pharmaq.spc.charts import Vectors, read_options, read_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts import ChartOptions

    Array = NDArray[np.float64]

# a variable that the others determine to this share of its variance is none of its own
_LEAST_OWN_SHARE = 1e-10


class Reference(NamedTuple):
    """Mean and covariance in control, and what they were estimated from."""

    center: Array
    covariance: Array
    center_known: bool
    covariance_known: bool
    n_points: int
    subgroup_size: int

    @property
    def parameters(self) -> dict[str, Any]:
        """What a chart keeps of it."""
        return self._asdict()


def read_chart_data(
    values: Any, subgroups: ArrayLike | None, options: ChartOptions
) -> tuple[Vectors, Any]:
    """Return the measurements, and the options of the chart with the names of its points."""
    data = read_vectors(values, subgroups=subgroups)
    frame = read_options(options)
    if frame.labels is None and data.labels is not None:
        frame = frame._replace(labels=data.labels)
    return data, frame


def estimate(
    values: Array,
    names: tuple[str, ...],
    center: ArrayLike | None,
    covariance: ArrayLike | None,
) -> Reference:
    """Return the reference of a chart: what is known, and the rest from measurements."""
    p = len(names)
    size = values.shape[1] if values.ndim == 3 else 1
    mean = values.reshape(-1, p).mean(axis=0)
    if center is not None:
        mean = _known("center", center, (p,))
    if covariance is not None:
        spread = _known("covariance", covariance, (p, p))
    else:
        # single rows vary about what is known; subgroups about their own means
        spread = _sample_covariance(values, None if center is None or size > 1 else mean)
    _check_covariance(spread, names)
    return Reference(
        mean, spread, center is not None, covariance is not None, len(values), size
    )


def _sample_covariance(values: Array, center: Array | None) -> Array:
    """Return the covariance of single rows, or pooled within subgroups."""
    p = values.shape[-1]
    groups = values if values.ndim == 3 else values[None]
    freedom = groups.shape[0] * (groups.shape[1] - 1) + (center is not None)
    if freedom < p + 1:
        msg = (
            f"values have too few rows for the covariance of {p} variables: {freedom} degrees "
            f"of freedom, at least {p + 1} are needed; give a known covariance"
        )
        raise InputError(msg)
    middle = groups.mean(axis=1, keepdims=True) if center is None else center
    deviations = (groups - middle).reshape(-1, p)
    return np.asarray(deviations.T @ deviations / freedom)


def _known(name: str, given: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = as_float(name, given)
    if array.shape != shape:
        msg = f"{name} must have shape {shape}, got {array.shape}"
        raise InputError(msg)
    check_finite(name, array)
    if array.ndim == 2 and not np.allclose(array, array.T, rtol=1e-9, atol=0):
        msg = f"{name} must be symmetric"
        raise InputError(msg)
    return array


def _check_covariance(covariance: Array, names: tuple[str, ...]) -> None:
    """Raise if a variable does not vary, or follows from the others."""
    variances = np.diag(covariance)
    constant = np.flatnonzero(variances <= 0)
    if constant.size:
        name = names[constant[0]]
        msg = f"variable {name!r} does not vary within phase 1; leave it out of the chart"
        raise InputError(msg)
    scale = np.sqrt(variances)
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    if values[0] < _LEAST_OWN_SHARE:
        tied = [names[k] for k in np.argsort(-np.abs(vectors[:, 0]))[:3]]
        msg = (
            f"the variables are not independent: {', '.join(map(repr, tied))} determine each "
            "other; leave one out, or monitor components with ProcessMonitor"
        )
        raise InputError(msg)
