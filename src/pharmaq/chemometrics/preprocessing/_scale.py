"""Centring and scaling of the columns of a table of spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from pharmaq._checks import check_choice
from pharmaq.chemometrics._base import fit_matrix, like_points, new_matrix
from pharmaq.errors import InputError
from pharmaq.spectra import range_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_METHODS = ("center", "auto", "pareto", "block")


class Scale(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Centre every column and, if wanted, scale it.

    Parameters
    ----------
    method : {"center", "auto", "pareto", "block"}, default "center"
        ``"center"``: subtract the mean. ``"auto"``: then divide by the standard deviation.
        ``"pareto"``: divide by its square root [1]_. ``"block"``: divide every block of
        columns by one number, so that all blocks have a total variance of 1 [2]_.
    blocks : sequence of (float, float), optional
        For ``"block"`` only: the ends of each block in axis units, in any order, both
        included; column numbers from 0 where the spectra have no axis. Every point belongs
        to exactly one block.

    Attributes
    ----------
    mean_ : ndarray of shape (n_points,)
        Mean of each column.
    scale_ : ndarray of shape (n_points,)
        What each column is divided by; 1 for ``"center"``.
    axis_, axis_kind_, n_features_in_
        As in `SNV`.

    Notes
    -----
    (x - mean) / scale, with the standard deviation s of divisor n - 1: scale = s for "auto",
    sqrt(s) for "pareto", sqrt(sum of s^2 over the block) for "block". To give the blocks
    equal weight whatever the units of their columns, scale by "auto" first. NaN raises.

    `PCA` and `PLS` centre by themselves; "auto" equals their ``scale=True``.

    References
    ----------
    .. [1] R. A. van den Berg, H. C. J. Hoefsloot, J. A. Westerhuis, A. K. Smilde, M. J. van der
       Werf, BMC Genomics 7 (2006) 142.
    .. [2] J. A. Westerhuis, T. Kourti, J. F. MacGregor, J. Chemom. 12 (1998) 301-321.

    Examples
    --------
    >>> Scale("pareto").fit_transform([[4.0, 1.0], [8.0, 2.0], [12.0, 3.0]])
    array([[-2., -1.],
           [ 0.,  0.],
           [ 2.,  1.]])
    """

    learns_from_samples: ClassVar[bool] = True

    def __init__(
        self,
        method: Literal["center", "auto", "pareto", "block"] = "center",
        *,
        blocks: Sequence[tuple[float, float]] | None = None,
    ) -> None:
        self.method = method
        self.blocks = blocks

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the means and scales of the columns.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Calibration spectra; at least two, unless `method` is "center".
        y : object
            Not used.

        Returns
        -------
        Scale
            The fitted transformer.

        Raises
        ------
        InputError
            If a column that is to be scaled, or a whole block, is constant; if blocks
            overlap, leave points out, or do not go with `method`.
        AxisError
            If a block holds no point.
        """
        method = check_choice("method", self.method, _METHODS)
        if (self.blocks is not None) != (method == "block"):
            rule = "needs blocks" if method == "block" else "takes no blocks"
            msg = f"method {method!r} {rule}, got blocks = {self.blocks!r}"
            raise InputError(msg)
        values = fit_matrix(self, X, least=1 if method == "center" else 2)
        self.mean_ = values.mean(axis=0)
        if method == "center":
            self.scale_ = np.ones(values.shape[1])
        elif method == "block":
            self.scale_ = self._block_scale(values)
        else:
            spread = self._spread(values)
            self.scale_ = spread if method == "auto" else np.sqrt(spread)
        return self

    def transform(self, X: Any) -> Any:
        """Return the centred and scaled spectra, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape and labels as `X`; its quantity is "unknown".
        """
        values = new_matrix(self, X)
        return like_points(X, (values - self.mean_) / self.scale_, same_quantity=False)

    def inverse_transform(self, X: Any) -> Any:
        """Return spectra from centred and scaled ones, in the container of `X`.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            As `transform` returns them; NaN raises.

        Returns
        -------
        array, DataFrame or DataArray
            Same shape and labels as `X`, in the units of the fitted spectra.
        """
        values = new_matrix(self, X)
        return like_points(X, values * self.scale_ + self.mean_)

    def _spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        constant = np.flatnonzero(np.ptp(values, axis=0) == 0)
        if constant.size:
            msg = (
                f"column {self._name(int(constant[0]))} is constant and cannot be scaled "
                f"({constant.size} such columns); remove it, or use method='center'"
            )
            raise InputError(msg)
        return values.std(axis=0, ddof=1)

    def _block_scale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        n_points = values.shape[1]
        axis = np.arange(float(n_points)) if self.axis_ is None else self.axis_
        scale = np.zeros(n_points)
        owners = np.zeros(n_points, dtype=int)
        for block in self.blocks or ():
            inside = range_mask(axis, [block])
            if not np.ptp(values[:, inside], axis=0).any():
                msg = f"all columns of block {block!r} are constant; leave it out of the data"
                raise InputError(msg)
            owners += inside
            scale[inside] = np.sqrt(values[:, inside].var(axis=0, ddof=1).sum())
        wrong = np.flatnonzero(owners != 1)
        if wrong.size:
            msg = (
                f"column {self._name(int(wrong[0]))} is in {owners[wrong[0]]} blocks "
                f"({wrong.size} columns are not in exactly one); correct blocks, or select "
                "ranges first"
            )
            raise InputError(msg)
        return scale

    def _name(self, column: int) -> str:
        """Return the number of a column and, where known, its place on the axis or its name."""
        if self.axis_ is not None:
            return f"{column} (at {self.axis_[column]:.8g})"
        names = getattr(self, "feature_names_in_", None)
        return str(column) if names is None else f"{column} ({names[column]})"
