"""The golden batch: centre and envelope of batches that went well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.chemometrics._base import require_fitted
from pharmaq.errors import InputError, UnitsError
from pharmaq.mspc.golden._data import Aligned, read_aligned
from pharmaq.mspc.golden.similarity import Similarity, score_batches

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["GoldenBatch"]

METHODS = ("quantile", "prediction")


class GoldenBatch(BaseEstimator):
    """Centre and envelope of aligned batches that went well.

    Parameters
    ----------
    method : {"quantile", "prediction"}, default "quantile"
        ``"quantile"``: median and quantiles at each time. ``"prediction"``: mean and prediction
        interval of one more batch from a normal distribution, see Notes.
    coverage : float, default 0.95
        Share of good batches inside the envelope, at each time by itself.
    least : int, default 5
        Batches with a value that a time needs; with fewer the envelope is NaN there, counted
        in `n_short_`.

    Attributes
    ----------
    center_, lower_, upper_, spread_ : ndarray of shape (K, J)
        Centre, envelope, and standard deviation (``"prediction"``) or half width of the
        envelope in normal standard deviations (``"quantile"``), by time and variable.
    n_ : ndarray of shape (K, J)
        Batches with a value.
    least_inside_ : ndarray of shape (J,)
        Share of points inside the envelope of the fitted batch that has fewest, by variable.
    n_short_ : int
        Times and variables with fewer than `least` values.
    time_, variables_, units_, batch_
        Labels of the fitted batches.

    Notes
    -----
    With mean m, standard deviation s and n batches at a time, the prediction interval is

        m +- t(1 - alpha / 2; n - 1) s sqrt(1 + 1 / n)

    and holds for the next batch at one time; a batch crosses an envelope of 95 % somewhere much
    more often than in one case of twenty. `score` counts the share of points inside, and
    `score` of the fitted batches themselves shows what is usual. Quantiles are those of type 7
    of [1]_, as numpy has them; from few batches they are near the extremes.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan, Am. Stat. 50 (1996) 361-365.
    .. [2] G. J. Hahn, W. Q. Meeker, Statistical Intervals, Wiley, 1991, sec. 4.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> values = np.random.default_rng(1).normal(size=(20, 50)) + np.arange(50)
    >>> batches = xr.Dataset(
    ...     {"mass": (("batch", "time"), values)},
    ...     coords={"batch": np.arange(20), "time": np.arange(50.0)},
    ... )
    >>> golden = GoldenBatch("prediction").fit(batches)
    >>> bool(golden.score(batches + 3.0).inside.max() < 0.5)
    True
    """

    def __init__(
        self,
        method: Literal["quantile", "prediction"] = "quantile",
        *,
        coverage: float = 0.95,
        least: int = 5,
    ) -> None:
        self.method = method
        self.coverage = coverage
        self.least = least

    def fit(self, batches: xr.Dataset, y: Any = None) -> Self:  # noqa: ARG002
        """Learn centre and envelope.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time")
            Aligned batches that went well; NaN is a value that was not measured.
        y : object
            Not used.

        Returns
        -------
        GoldenBatch
            Fitted.

        Raises
        ------
        InputTypeError
            If `batches` is no aligned Dataset.
        InputError
            If there are fewer batches than `least`.
        """
        check_choice("method", self.method, METHODS)
        coverage = check_real("coverage", self.coverage, above=0, below=1)
        least = check_integer("least", self.least, least=3)
        data = read_aligned(batches)
        if len(data.batch) < least:
            got = len(data.batch)
            msg = f"batches must be at least {least}, got {got}; give more, or lower least"
            raise InputError(msg)
        n = np.sum(~np.isnan(data.values), axis=0)
        values = np.where(n >= least, data.values, np.nan)
        known = n >= least
        filled = np.where(known, values, 0.0)
        build = _quantiles if self.method == "quantile" else _prediction
        found = build(filled, n, coverage)
        self.center_, self.lower_, self.upper_, self.spread_ = (
            np.where(known, part, np.nan) for part in found
        )
        self.n_, self.n_short_ = n, int((~known).sum())
        self.time_, self.time_units_ = data.time, data.time_units
        self.variables_, self.units_ = data.variables, data.units
        self.batch_ = data.batch
        self.least_inside_ = np.zeros(len(data.variables))
        own = score_batches(self, data).inside_by_variable
        self.least_inside_ = np.min(np.where(np.isnan(own), 1.0, own), axis=0)
        return self

    def score(self, batches: xr.Dataset) -> Similarity:
        """Hold batches against the envelope.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time")
            Aligned to the times of the fitted ones; NaN is left out and counted.

        Returns
        -------
        Similarity
            Share of points inside, distance by variable, findings.

        Raises
        ------
        InputError
            If variables or times are not those fitted.
        UnitsError
            If units are not.
        """
        require_fitted(self)
        data = self._same(read_aligned(batches))
        return score_batches(self, data)

    def to_frame(self) -> pd.DataFrame:
        """Return the envelope, a row a time and variable."""
        import pandas as pd

        require_fitted(self)
        K, J = self.center_.shape
        return pd.DataFrame(
            {
                "time": np.repeat(self.time_, J),
                "variable": np.tile(self.variables_, K),
                "units": np.tile(self.units_, K),
                "center": self.center_.ravel(),
                "lower": self.lower_.ravel(),
                "upper": self.upper_.ravel(),
                "n": self.n_.ravel(),
            }
        )

    def plot(self, *, variable: str | None = None, ax: Any = None) -> Any:
        """Draw centre and envelope of one variable.

        Parameters
        ----------
        variable : str, optional
            Which; the first by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.golden import plots

        require_fitted(self)
        return plots.plot_envelope(self, variable=variable, ax=ax)

    def to_state(self) -> dict[str, Any]:
        """Return all that scoring needs, as plain values and arrays for a model file."""
        require_fitted(self)
        fitted = {name: value for name, value in vars(self).items() if name.endswith("_")}
        return {"params": self.get_params(), "fitted": fitted}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the fitted golden batch that `to_state` described."""
        golden = cls(**state["params"])
        for name, value in state["fitted"].items():
            setattr(golden, name, value)
        return golden

    def _same(self, data: Aligned) -> Aligned:
        if set(data.variables) != set(self.variables_):
            msg = f"batches hold {data.variables}, but the envelope is of {self.variables_}"
            raise InputError(msg)
        order = [data.variables.index(name) for name in self.variables_]
        units = [data.units[j] for j in order]
        if units != list(self.units_):
            msg = (
                f"units are {units}, but the envelope is in {list(self.units_)}; convert first"
            )
            raise UnitsError(msg)
        step = np.diff(self.time_).min() if len(self.time_) > 1 else 1.0
        if data.time.shape != self.time_.shape or not np.allclose(
            data.time, self.time_, rtol=0, atol=1e-6 * step
        ):
            msg = (
                f"batches have {len(data.time)} times, the envelope has {len(self.time_)} "
                "others; align new batches with the aligner of the fitted ones"
            )
            raise InputError(msg)
        return data._replace(values=data.values[:, :, order], variables=list(self.variables_))


def _quantiles(values: Array, _: NDArray[np.intp], coverage: float) -> tuple[Array, ...]:
    tail = (1 - coverage) / 2
    center, lower, upper = np.nanquantile(values, [0.5, tail, 1 - tail], axis=0)
    return center, lower, upper, (upper - lower) / (2 * stats.norm.isf(tail))


def _prediction(values: Array, n: NDArray[np.intp], coverage: float) -> tuple[Array, ...]:
    center = np.nanmean(values, axis=0)
    spread = np.nanstd(values, axis=0, ddof=1)
    number = np.maximum(n, 2)
    reach = stats.t.isf((1 - coverage) / 2, number - 1) * spread * np.sqrt(1 + 1 / number)
    return center, center - reach, center + reach, spread
