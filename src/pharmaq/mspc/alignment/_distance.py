"""Local distances between samples and points of the reference, as one matrix product."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Reference(NamedTuple):
    """A reference trajectory (points, variables) without gaps, scaled, and weights."""

    points: Array
    weights: Array


def point_features(reference: Reference, *, complete: bool) -> Array:
    """Return the factor of the points, (points, features)."""
    points = reference.points
    if complete:
        norm = points**2 @ reference.weights
        return np.column_stack([points, np.ones(len(points)), norm])
    return np.column_stack([points, np.ones(len(points)), points**2])


def sample_features(samples: Array, reference: Reference, *, complete: bool) -> Array:
    """Return the factor of the samples, (features, samples), for samples of any shape.

    The distance is the sum of w (x - r)^2 over the variables that were observed, times the sum
    of all weights over the sum of theirs. A sample without any value has no distance.
    """
    weights = reference.weights
    J = len(weights)
    if complete:
        out = np.empty((J + 2, *samples.shape[:-1]))
        moved = np.moveaxis(samples, -1, 0)
        np.multiply(moved, (-2 * weights).reshape(-1, *[1] * (samples.ndim - 1)), out=out[:J])
        np.matmul(samples**2, weights, out=out[J])
        out[J + 1] = 1.0
        return out
    seen = ~np.isnan(samples)
    share = seen @ weights
    scale = np.divide(weights.sum(), share, out=np.zeros_like(share), where=share > 0)
    known = np.where(seen, samples, 0.0)
    weighted = scale[..., None] * weights * seen
    parts = [-2 * weighted * known, (weighted * known**2).sum(axis=-1)[..., None], weighted]
    return np.ascontiguousarray(np.moveaxis(np.concatenate(parts, axis=-1), -1, 0))


def local_distances(samples: Array, reference: Reference) -> Array:
    """Return all distances, (samples, points)."""
    complete = not np.isnan(samples).any()
    factor = sample_features(samples, reference, complete=complete)
    found = factor.T @ point_features(reference, complete=complete).T
    # rounding may leave a distance of 0 slightly below it
    return np.maximum(found, 0.0, out=found)
