"""What dynamic time warping learns from batches: the reference and weights of variables."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.mspc.alignment._distance import Reference
from pharmaq.mspc.alignment._patterns import SLOPES, steepest
from pharmaq.mspc.alignment._warp import Steps, warp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pharmaq.mspc.alignment._warp import Path

    Array = NDArray[np.float64]

__all__ = ["DTW"]

WEIGHTS = ("kassidas", "ramaker", "equal")
# the average takes the place of the batch as reference after so many rounds
_ROUNDS_WITH_BATCH = 3
# change of weights below which they have settled: Kassidas, and relative Ramaker
_CHANGE, _RELATIVE_CHANGE = 0.01, 0.002
# a variable that is the same in all batches would have endless weight
_LEAST_SHARE = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class DTW:
    """How dynamic time warping goes about its work.

    Parameters
    ----------
    weights : {"kassidas", "ramaker", "equal"} or mapping, default "kassidas"
        Weights of the variables in the local distance, see Notes; or a weight for each, 0 for
        variables that shall not steer.
    reference : object, optional
        Name of the batch that the others are warped onto; by default the one whose number of
        rows is nearest to the mean.
    target : {"batch", "average"}, default "batch"
        Warp onto the reference batch, or onto the average of batches warped onto it.
    band : float, optional
        Half width of the band about the diagonal that a path may use, a share of the batch
        [1]_; it does not hold for batches that have not ended.
    slope : {0.5, 1, 2}, optional
        Slope constraint P [1]_: P diagonal steps after each other one, so that a batch runs at
        most 1 + 1/P times as fast or slow as the reference; 3, 2 or 1.5 times.
    diagonal : {2, 1}, default 2
        Weight of a diagonal step: with 2 the sum of weights of any path is the same (the
        symmetric form of [1]_), with 1 paths along the diagonal are favoured.
    max_iterations : int, default 20
        Rounds for the weights at most.

    Notes
    -----
    Variables are divided by the mean of their ranges in the batches. ``"kassidas"`` [2]_ weighs
    a variable by the reciprocal of its sum of squared deviations of the warped batches from
    their average: consistent variables steer. The average of the warped batches replaces the
    reference batch after three rounds. ``"ramaker"`` [3]_ weighs it by the mean local distance
    off the path over that on the path, averaged over the batches: variables steer that tell
    times apart. Both are repeated until weights, whose sum is the number of variables, change
    by less than 0.01, or by 0.2 %.

    References
    ----------
    .. [1] H. Sakoe, S. Chiba, IEEE Trans. Acoust. Speech Signal Process. 26 (1978) 43-49.
    .. [2] A. Kassidas, J. F. MacGregor, P. A. Taylor, AIChE J. 44 (1998) 864-875.
    .. [3] H.-J. Ramaker, E. N. M. van Sprang, J. A. Westerhuis, A. K. Smilde, Anal. Chim. Acta
           498 (2003) 133-153.
    """

    weights: Literal["kassidas", "ramaker", "equal"] | Mapping[str, float] = "kassidas"
    reference: Any = None
    target: Literal["batch", "average"] = "batch"
    band: float | None = None
    slope: float | None = None
    diagonal: float = 2
    max_iterations: int = 20

    def __post_init__(self) -> None:
        if not isinstance(self.weights, Mapping):
            check_choice("weights", self.weights, WEIGHTS)
        check_choice("target", self.target, ("batch", "average"))
        if self.band is not None:
            check_real("band", self.band, above=0, below=1)
        if self.slope is not None and self.slope not in SLOPES:
            msg = f"slope must be one of {SLOPES} or None, got {self.slope!r}"
            raise InputError(msg)
        if self.diagonal not in {1, 2}:
            msg = f"diagonal must be 1 or 2, got {self.diagonal!r}"
            raise InputError(msg)
        check_integer("max_iterations", self.max_iterations, least=1)

    @property
    def steps(self) -> Steps:
        """What a path may do."""
        return Steps(float(self.diagonal), self.slope, self.band)


class Learned(NamedTuple):
    """A reference in units of the data, weights, and the weights of each round."""

    points: Array
    weights: Array
    history: Array


class Warped(NamedTuple):
    """A batch on the points of the reference; NaN after its end."""

    values: Array
    time: Array
    repeated: NDArray[np.bool_]


def telling(samples: Array, weights: Array) -> NDArray[np.intp]:
    """Return the rows that have a value of a variable that steers.

    The others have no distance from anything, and a path would rest on them for free.
    """
    missing = np.isnan(samples)
    if not missing.any():
        return np.arange(len(samples))
    return np.flatnonzero(~missing[:, weights > 0].all(axis=1))


def learn(
    batches: Sequence[Array], start: Array, scale: Array, variables: list[str], options: DTW
) -> Learned:
    """Return the reference and the weights; `start` is the reference batch, without gaps."""
    usable = (scale > 0).astype(float)
    divisor = np.where(scale > 0, scale, 1.0)
    scaled = [batch[telling(batch, usable)] / divisor for batch in batches]
    scaled = [batch for batch in scaled if len(batch)]
    points = start / divisor
    weights = _first_weights(usable, variables, options)
    history = [weights]
    if isinstance(options.weights, str) and options.weights != "equal":
        history = _settle(scaled, points, weights, options)
    if options.target == "average":
        paths = _paths(scaled, Reference(points, history[-1]), options.steps)
        points = average_of(scaled, paths, len(points))
    return Learned(points * divisor, history[-1], np.array(history))


def _settle(scaled: list[Array], points: Array, first: Array, options: DTW) -> list[Array]:
    """Return the weights of each round until they settle."""
    kassidas = options.weights == "kassidas"
    new_weights = _consistency if kassidas else _contrast
    average, history = points, [first]
    for turn in range(options.max_iterations):
        late = turn >= _ROUNDS_WITH_BATCH
        reference = Reference(average if kassidas and late else points, history[-1])
        paths = _paths(scaled, reference, options.steps)
        average = average_of(scaled, paths, len(points))
        history.append(new_weights(scaled, paths, reference, average))
        change = np.abs(history[-1] - history[-2])
        if kassidas:
            settled = late and change.max() <= _CHANGE
        else:
            settled = bool((change <= _RELATIVE_CHANGE * history[-2]).all())
        if settled:
            return history
    msg = (
        f"weights still change after {options.max_iterations} rounds; allow more max_iterations"
    )
    warnings.warn(msg, ConvergenceWarning, stacklevel=6)
    return history


def _first_weights(usable: Array, variables: list[str], options: DTW) -> Array:
    if not isinstance(options.weights, Mapping):
        return usable * (len(usable) / max(usable.sum(), 1.0))
    unknown = [name for name in options.weights if name not in variables]
    lacking = [name for name in variables if name not in options.weights]
    if unknown or lacking:
        msg = f"weights must name each of {variables}, got {list(options.weights)}"
        raise InputError(msg)
    given = np.array([check_real(f"weight of {v}", options.weights[v]) for v in variables])
    if (given < 0).any() or not (given * usable).sum() > 0:
        msg = f"weights must not be negative, and one above 0, got {dict(options.weights)}"
        raise InputError(msg)
    given = given * usable
    return given * (len(given) / given.sum())


def _paths(batches: Sequence[Array], reference: Reference, steps: Steps) -> list[Path]:
    found = warp(batches, reference, steps, opened=[False] * len(batches))
    paths = [path for path in found if path is not None]
    if len(paths) < len(found):
        place = next(i for i, path in enumerate(found) if path is None)
        msg = (
            f"no path leads from batch number {place}, {len(batches[place])} rows, to the "
            f"reference, {len(reference.points)} points, within slope {steps.slope} "
            f"({steepest(steps.slope):g} times); allow more, or leave the batch out"
        )
        raise InputError(msg)
    return paths


def on_points(values: Array, time: Array, path: Path, K: int) -> Warped:
    """Return the mean of the samples that meet each point, of those that were observed."""
    from pharmaq.mspc.alignment._kernels import means

    out = np.full((K, values.shape[1]), np.nan)
    when = np.full((K, 1), np.nan)
    means(values, path.points, path.samples, out)
    means(time[:, None], path.points, path.samples, when)
    repeated = np.zeros(K, dtype=bool)
    again = (np.diff(path.points) > 0) & (np.diff(path.samples) == 0)
    repeated[path.points[1:][again]] = True
    return Warped(out, when[:, 0], repeated)


def average_of(batches: Sequence[Array], paths: Sequence[Path], K: int) -> Array:
    """Return the average of batches on the points of the reference."""
    total, number = np.zeros((K, batches[0].shape[1])), np.zeros((K, batches[0].shape[1]))
    for batch, path in zip(batches, paths, strict=True):
        values = on_points(batch, np.zeros(len(batch)), path, K).values
        number += ~np.isnan(values)
        total += np.nan_to_num(values)
    mean = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return without_gaps(mean)[0]


def without_gaps(points: Array) -> tuple[Array, int]:
    """Return a trajectory with gaps bridged by lines, and how many values that were."""
    missing = np.isnan(points)
    if not missing.any():
        return points, 0
    out, rows = points.copy(), np.arange(len(points))
    for j in np.flatnonzero(missing.any(axis=0)):
        seen = ~missing[:, j]
        out[:, j] = np.interp(rows, rows[seen], points[seen, j]) if seen.any() else 0.0
    return out, int(missing.sum())


def _consistency(
    batches: Sequence[Array], paths: Sequence[Path], reference: Reference, average: Array
) -> Array:
    """Return the weights of Kassidas, MacGregor and Taylor."""
    K, usable = len(average), reference.weights > 0
    squares = np.zeros(average.shape[1])
    for batch, path in zip(batches, paths, strict=True):
        values = on_points(batch, np.zeros(len(batch)), path, K).values
        squares += np.nansum((values - average) ** 2, axis=0)
    least = _LEAST_SHARE * squares[usable].max()
    if least == 0:
        return reference.weights
    weights = np.where(usable, 1.0 / np.maximum(squares, least), 0.0)
    return weights * (len(weights) / weights.sum())


def _contrast(
    batches: Sequence[Array], paths: Sequence[Path], reference: Reference, _: Array
) -> Array:
    """Return the weights of Ramaker, van Sprang, Westerhuis and Smilde."""
    points, usable = reference.points, reference.weights > 0
    ratios = np.full((len(batches), len(usable)), np.nan)
    for b, (batch, path) in enumerate(zip(batches, paths, strict=True)):
        seen = ~np.isnan(batch)
        # around the mean, so that sums of squares keep their digits
        middle = points.mean(axis=0)
        x, r = np.where(seen, batch - middle, 0.0), points - middle
        n = seen.sum(axis=0)
        every = (x**2).sum(axis=0) * len(r) - 2 * x.sum(axis=0) * r.sum(axis=0)
        every += n * (r**2).sum(axis=0)
        met = seen[path.samples]
        along = np.where(met, (batch[path.samples] - points[path.points]) ** 2, 0.0)
        on, n_on = along.sum(axis=0), met.sum(axis=0)
        known = usable & (on > 0) & (n * len(r) > n_on)
        off = (every - on)[known] / (n * len(r) - n_on)[known]
        ratios[b, known] = off / (on / np.maximum(n_on, 1))[known]
    told = ~np.isnan(ratios)
    if not told.any():
        return reference.weights
    mean = np.where(told, ratios, 0.0).sum(axis=0) / np.maximum(told.sum(axis=0), 1)
    return mean * (len(mean) / mean.sum())
