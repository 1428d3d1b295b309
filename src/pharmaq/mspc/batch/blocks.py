"""Quality from initial conditions and trajectories, block by block."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pharmaq._checks import as_float, check_choice, check_finite, check_integer, check_real
from pharmaq.chemometrics import MultiBlockPLS
from pharmaq.chemometrics.limits import spe_limit_from_values
from pharmaq.errors import InputError
from pharmaq.mspc.batch._data import Batches, read_batches, same_grid, same_variables
from pharmaq.mspc.batch._demands import check_quality, check_variables
from pharmaq.mspc.batch._fitting import find_places
from pharmaq.mspc.batch._model import SCALINGS, center_and_scale
from pharmaq.mspc.batch.block_scores import BlockScores, block_findings

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["BatchBlocks"]

INITIAL = "initial"


class BatchBlocks(BaseEstimator):
    """Multi-block PLS of quality on initial conditions and trajectories [1]_ [2]_.

    Parameters
    ----------
    n_components : int, default 2
        Number of components.
    blocks : {"variable", "phase", "whole"}, default "variable"
        How trajectories are shared out: a block for each variable with all its times, for each
        phase with all its variables, or one block ``"trajectories"``. Initial conditions are a
        block of their own, ``"initial"``.
    scaling : {"column", "variable", "center"}, default "column"
        As in `BatchMonitor`, for trajectories; initial conditions are divided by their standard
        deviation.
    block_scaling : {"variance", "size", "none"}, default "variance"
        As in `pharmaq.chemometrics.MultiBlockPLS`: by default every block weighs the same,
        three raw material properties as much as three thousand columns of trajectories.

    Attributes
    ----------
    model_ : MultiBlockPLS
        The model of the scaled blocks.
    block_names_ : list of str
        Names of the blocks.
    rmsecv_ : ndarray of shape (M,)
        Root mean square error of quality for batches left out of the model, one at a time.
    variables_, units_, time_, batch_
        As in `BatchMonitor`.
    initial_names_ : list of str
        Names of the initial conditions; empty without them.

    Notes
    -----
    The T2 limits are those for new batches by F; SPE limits are scaled chi2 with mean and
    variance of the SPE of batches left out of the model. Batches have to be complete.

    References
    ----------
    .. [1] J. A. Westerhuis, T. Kourti, J. F. MacGregor, J. Chemom. 12 (1998) 301-321.
    .. [2] T. Kourti, P. Nomikos, J. F. MacGregor, J. Process Control 5 (1995) 277-284.

    Examples
    --------
    >>> import xarray as xr
    >>> rng = np.random.default_rng(0)
    >>> purity = rng.normal(size=(20, 1))
    >>> rate = rng.normal(size=(20, 1))
    >>> noise = 0.1 * rng.normal(size=(20, 10))
    >>> batches = xr.Dataset(
    ...     {"temperature": (("batch", "time"), rate * np.linspace(1, 2, 10) + noise)},
    ...     coords={"batch": range(20), "time": np.arange(10.0)},
    ... )
    >>> model = BatchBlocks(2).fit(batches, purity + rate, initial={"purity": purity[:, 0]})
    >>> model.model_.block_frame()[["block", "importance"]].round(1)
             block  importance
    0      initial         1.1
    1  temperature         0.9
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        blocks: Literal["variable", "phase", "whole"] = "variable",
        scaling: Literal["column", "variable", "center"] = "column",
        block_scaling: Literal["variance", "size", "none"] = "variance",
    ) -> None:
        self.n_components = n_components
        self.blocks = blocks
        self.scaling = scaling
        self.block_scaling = block_scaling

    def fit(self, batches: xr.Dataset, y: ArrayLike, initial: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time")
            Aligned batches as for `BatchMonitor`, complete: NaN raises.
        y : array-like, shape (N,) or (N, M)
            Quality of each batch; NaN raises.
        initial : DataFrame or dict of str to array-like, optional
            Initial conditions, such as raw material properties: a column each, a row a batch. A
            frame whose index names the batches is put into their order. NaN raises.

        Returns
        -------
        BatchBlocks
            The fitted model.

        Raises
        ------
        InputError
            If values are missing or constant, or blocks do not go together.
        """
        check_integer("n_components", self.n_components, least=1)
        check_choice("blocks", self.blocks, ("variable", "phase", "whole"))
        check_choice("scaling", self.scaling, SCALINGS)
        data = read_batches(batches)
        check_variables(data)
        _require_complete(data)
        quality = check_quality(y, len(data.batch))
        if quality is None:
            msg = "y is missing: give the quality of each batch"
            raise InputError(msg)
        table = None if initial is None else _initial(initial, data.batch)
        self.variables_, self.units_ = data.variables, data.units
        self.time_, self.batch_ = data.time, data.batch
        self.initial_names_ = [] if table is None else [str(c) for c in table.columns]
        self._places = find_places(data, "each" if self.blocks == "phase" else "whole")
        self._fit_model(data.values, table, quality)
        self._leave_one_out(data.values, table, quality)
        return self

    def predict(self, batches: xr.Dataset, initial: Any = None) -> pd.DataFrame:
        """Predict quality.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time")
            Complete batches with the fitted variables, units and times.
        initial : DataFrame or dict of str to array-like, optional
            Initial conditions, where the model has them.

        Returns
        -------
        DataFrame, shape (n, M)
            Quality, a row a batch.
        """
        data, blocks = self._blocks_of_new(batches, initial)
        return pd.DataFrame(
            self._predicted(blocks), index=pd.Index(data.batch, name="batch")
        ).rename(columns=lambda m: f"quality_{m + 1}")

    def score(
        self, batches: xr.Dataset, initial: Any = None, *, alpha: float = 0.01
    ) -> BlockScores:
        """Judge batches, as a whole and block by block.

        Parameters
        ----------
        batches : Dataset, dims ("batch", "time")
            Complete batches with the fitted variables, units and times.
        initial : DataFrame or dict of str to array-like, optional
            Initial conditions, where the model has them.
        alpha : float, default 0.01
            Share of good batches allowed above each limit.

        Returns
        -------
        BlockScores
            T2, SPE, their parts by block, limits and findings.
        """
        check_real("alpha", alpha, above=0, below=1)
        data, blocks = self._blocks_of_new(batches, initial)
        model = self.model_
        limit = [spe_limit_from_values(v, alpha=alpha) for v in self._spe_left_out.T]
        total = spe_limit_from_values(self._spe_left_out.sum(axis=1), alpha=alpha)
        result = BlockScores(
            batch=data.batch,
            block=tuple(self.block_names_),
            quality=self._predicted(blocks),
            t2=np.asarray(model.t2(blocks)),
            spe=np.asarray(model.spe(blocks)),
            t2_limit=model.t2_limit(alpha=alpha),
            spe_limit=total,
            t2_by_block=np.asarray(model.t2_by_block(blocks)),
            block_t2=np.asarray(model.block_t2(blocks)),
            block_spe=np.asarray(model.block_spe(blocks)),
            block_t2_limit=model.block_t2_limit(alpha=alpha),
            block_spe_limit=np.array(limit),
            alpha=alpha,
            n_reference=len(self.batch_),
            findings=(),
        )
        return dataclasses.replace(result, findings=block_findings(result))

    def _fit_model(self, values: Array, table: pd.DataFrame | None, quality: Array) -> None:
        self._mean, self._scale, _ = center_and_scale(values, self.scaling)
        if table is not None:
            self._initial_mean = table.to_numpy().mean(axis=0)
            self._initial_scale = table.to_numpy().std(axis=0, ddof=1)
        blocks = self._shared_out(values, table)
        self._y_scale = quality.std(axis=0, ddof=1)
        model = MultiBlockPLS(self.n_components, scale=False, block_scaling=self.block_scaling)
        self.model_ = model.fit(blocks, quality / self._y_scale)
        self.block_names_ = list(blocks)

    def _leave_one_out(self, values: Array, table: pd.DataFrame | None, quality: Array) -> None:
        """Keep SPE by block and errors of quality of batches left out of the model."""
        n = len(values)
        spe, errors = np.empty((n, len(self.block_names_))), np.empty(quality.shape)
        for i in range(n):
            others = np.arange(n) != i
            part = BatchBlocks(**self.get_params())
            part._places, part.variables_ = self._places, self.variables_
            rest = None if table is None else table[others]
            part._fit_model(values[others], rest, quality[others])
            own = None if table is None else table.iloc[[i]]
            blocks = part._shared_out(values[i : i + 1], own)
            spe[i] = part.model_.block_spe(blocks)
            errors[i] = part._predicted(blocks)[0] - quality[i]
        self._spe_left_out = spe
        self.rmsecv_ = np.sqrt(np.mean(errors**2, axis=0))

    def _predicted(self, blocks: dict[str, Array]) -> Array:
        found = np.asarray(self.model_.predict(blocks)).reshape(-1, len(self._y_scale))
        return np.asarray(found * self._y_scale)

    def _shared_out(self, values: Array, table: pd.DataFrame | None) -> dict[str, Array]:
        """Return the scaled blocks."""
        scaled = (values - self._mean) / self._scale
        n = len(scaled)
        blocks: dict[str, Array] = {}
        if table is not None:
            blocks[INITIAL] = (table.to_numpy() - self._initial_mean) / self._initial_scale
        if self.blocks == "variable":
            return blocks | {v: scaled[:, :, j] for j, v in enumerate(self.variables_)}
        names = ["trajectories"] if self.blocks == "whole" else [p[0] for p in self._places]
        spans = [slice(start, stop) for _, start, stop in self._places]
        return blocks | {
            name: scaled[:, span].reshape(n, -1)
            for name, span in zip(names, spans, strict=True)
        }

    def _blocks_of_new(
        self, batches: xr.Dataset, initial: Any
    ) -> tuple[Batches, dict[str, Array]]:
        if not hasattr(self, "model_"):
            msg = "this BatchBlocks is not fitted yet; call fit before using it"
            raise InputError(msg)
        data = same_variables(read_batches(batches), self.variables_, self.units_)
        same_grid(data, self.time_)
        _require_complete(data)
        if (initial is not None) != bool(self.initial_names_):
            known = self.initial_names_ or "none"
            msg = f"initial must be given as in fit, where initial conditions were: {known}"
            raise InputError(msg)
        table = None
        if initial is not None:
            table = _initial(initial, data.batch, fitted=self.initial_names_)
        return data, self._shared_out(data.values, table)


def _require_complete(data: Batches) -> None:
    missing = np.argwhere(np.isnan(data.values))
    if len(missing):
        i, k, j = missing[0]
        msg = (
            f"{data.variables[j]!r} of batch {str(data.batch[i])!r} is missing at time "
            f"{data.time[k]} ({len(missing)} missing values); blocks have to be complete: "
            "leave the batch out, or use BatchMonitor with y, which takes missing values"
        )
        raise InputError(msg)


def _initial(
    initial: Any, batch: NDArray[Any], fitted: list[str] | None = None
) -> pd.DataFrame:
    """Return initial conditions as a frame of numbers in the order of the batches."""
    named = isinstance(initial, pd.DataFrame) and not isinstance(initial.index, pd.RangeIndex)
    table = pd.DataFrame(initial)
    if named:
        absent = [str(b) for b in batch if b not in table.index]
        if absent:
            msg = f"initial has no row for batches {absent[:3]} ({len(absent)} such batches)"
            raise InputError(msg)
        table = table.loc[list(batch)]
    if len(table) != len(batch):
        msg = f"initial has {len(table)} rows, but there are {len(batch)} batches"
        raise InputError(msg)
    if fitted is not None:
        if {str(c) for c in table.columns} != set(fitted):
            msg = f"initial has columns {list(table.columns)}, but was fitted on {fitted}"
            raise InputError(msg)
        table = table[[c for name in fitted for c in table.columns if str(c) == name]]
    values = as_float("initial", table.to_numpy())
    check_finite("initial", values)
    still = np.flatnonzero(np.ptp(values, axis=0) == 0) if fitted is None else np.empty(0, int)
    if still.size:
        msg = f"initial condition {table.columns[still[0]]!r} is constant; leave it out"
        raise InputError(msg)
    return pd.DataFrame(values, index=table.index, columns=table.columns)
