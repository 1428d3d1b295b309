"""Which variables make a sample unusual."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer
from pharmaq.chemometrics.diagnostics._model import seen, variables_of
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

__all__ = ["Contributions", "contributions"]

Statistic = Literal["t2", "spe", "scores"]

_FORMULAS = {
    "t2": "d_k sum_a (t_a / s_a^2) r_ka, which sum to T2",
    "spe": "sign(e_k) e_k^2, whose sizes sum to SPE",
    "scores": "d_k r_ka, which sum to the score",
}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Contributions(Result):
    """What each variable contributes to a statistic of each sample.

    Parameters
    ----------
    sample : ndarray of shape (n,)
        Label of each sample, or of the group.
    variable : ndarray of shape (K,)
        Position on the axis, name or number of each variable.
    variable_kind : str
        ``"wavelength"``, ``"wavenumber"``, ``"raman_shift"``, ``"name"`` or ``"point"``.
    statistic : str
        ``"t2"``, ``"spe"`` or ``"scores"``.
    component : int or None
        Number of the component, from 1, for ``"scores"``.
    values : ndarray of shape (n, K)
        Contributions.
    total : ndarray of shape (n,)
        The statistic: what contributions, or for ``"spe"`` their sizes, sum to.
    formula : str
        How contributions were computed.
    origin : str
        Where differences are taken from: the calibration's mean or a reference group.
    """

    sample: NDArray[Any]
    variable: NDArray[Any]
    variable_kind: str
    statistic: str
    component: int | None
    values: NDArray[np.float64]
    total: NDArray[np.float64]
    formula: str
    origin: str

    def to_frame(self, top: int | None = 10) -> pd.DataFrame:
        """Return the largest contributions of each sample, in order of size.

        Parameters
        ----------
        top : int or None, default 10
            How many variables of each sample; None for all of them.

        Returns
        -------
        pandas.DataFrame
            Columns ``sample, rank, variable, contribution``; rank 1 has the largest size.
        """
        n, K = self.values.shape
        count = K if top is None else min(check_integer("top", top, least=1), K)
        # stable: equal sizes stay in the order of the variables
        order = np.argsort(-np.abs(self.values), axis=1, kind="stable")[:, :count]
        return pd.DataFrame(
            {
                "sample": np.repeat(self.sample, count),
                "rank": np.tile(np.arange(1, count + 1), n),
                "variable": self.variable[order].ravel(),
                "contribution": np.take_along_axis(self.values, order, axis=1).ravel(),
            }
        )

    def plot(self, *, sample: Any = None, top: int = 15, ax: Any = None) -> Any:
        """Draw the contributions of one sample: along the axis, or as bars for named variables.

        Parameters
        ----------
        sample : label, optional
            Which sample; by default the one with the largest total.
        top : int, default 15
            Largest number of bars, those of the largest contributions.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics.diagnostics import plots

        row = int(np.argmax(np.abs(self.total)))
        if sample is not None:
            rows = np.flatnonzero(self.sample == sample)
            if not rows.size:
                known = ", ".join(map(repr, self.sample[:5].tolist()))
                msg = f"sample = {sample!r} is not in this result, which starts with {known}"
                raise InputError(msg)
            row = int(rows[0])
        check_integer("top", top, least=1)
        return plots.plot_contributions(self, row, top=top, ax=ax)


def contributions(
    model: Any,
    X: Any,
    *,
    statistic: Statistic = "t2",
    component: int | None = None,
    reference: Any = None,
    of: Literal["each", "mean"] = "each",
) -> Contributions:
    """Split a statistic of samples into the shares of single variables.

    Parameters
    ----------
    model : PCA, PLS, PCR, Calibration or Pipeline that ends in one
        Fitted.
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Samples as they were given to `fit`, before preprocessing; NaN raises.
    statistic : {"t2", "spe", "scores"}, default "t2"
        What to split.
    component : int, optional
        Number of the component, from 1; needed for ``"scores"`` and for nothing else.
    reference : array-like, DataFrame or DataArray, shape (n_reference, n_points), optional
        A group of samples to take differences from: its mean replaces that of the calibration.
    of : {"each", "mean"}, default "each"
        Samples one by one, or the mean of all of them as one group.

    Returns
    -------
    Contributions
        For each sample (or the group) and variable.

    Raises
    ------
    InputError
        If the samples do not fit the model, or `component` and `statistic` do not go together.

    Notes
    -----
    With d the sample minus the mean of calibration or reference, in the scaled units of the
    model, r the rotations (the loadings of a PCA), t = d r, s^2 the variances of the
    calibration scores and e = d - t p' the residuals:

    - ``"t2"``: c_k = d_k sum_a (t_a / s_a^2) r_ka; they sum to T2 [1]_, or to the squared
      Mahalanobis distance of the scores from those of the reference. A contribution can be
      negative, where a variable pulls the sample back.
    - ``"spe"``: c_k = sign(e_k) e_k^2; their sizes sum to SPE, or to that of the difference.
    - ``"scores"``: c_k = d_k r_ka; they sum to t_a, or to the difference of scores [2]_.

    A deviation of one variable smears over others that the model ties to it: contributions
    show where to look, not what is the cause [1]_.

    References
    ----------
    .. [1] J. A. Westerhuis, S. P. Gurden, A. K. Smilde, Chemom. Intell. Lab. Syst. 51 (2000)
           95-114.
    .. [2] P. Miller, R. E. Swanson, C. E. Heckler, Appl. Math. Comput. Sci. 8 (1998) 775-792.

    Examples
    --------
    >>> from pharmaq.chemometrics import PCA
    >>> X = pd.DataFrame(
    ...     {
    ...         "flow": [1.0, 2.0, 3.0, 4.0],
    ...         "power": [2.0, 4.1, 5.9, 8.0],
    ...         "pH": [7, 7.1, 6.9, 7],
    ...     }
    ... )
    >>> model = PCA(n_components=1).fit(X)
    >>> new = pd.DataFrame({"flow": [2.5], "power": [5.0], "pH": [7.6]}, index=["lot 9"])
    >>> contributions(model, new, statistic="spe").to_frame(top=1)
      sample  rank variable  contribution
    0  lot 9     1       pH      0.359...
    """
    check_choice("statistic", statistic, _FORMULAS)
    check_choice("of", of, ("each", "mean"))
    data = seen(model, X)
    fitted = data.model
    number = _component(component, statistic, fitted.n_components_)
    deviation, sample, origin = data.scaled, data.sample, "mean of the calibration"
    if reference is not None:
        group = seen(model, reference)
        deviation = deviation - group.scaled.mean(axis=0)
        origin = f"mean of {len(group.values)} reference samples"
    if of == "mean":
        sample = np.array([f"mean of {len(deviation)} samples"])
        deviation = deviation.mean(axis=0, keepdims=True)
    variable, kind = variables_of(fitted)
    values, total = _split(fitted, deviation, statistic, number)
    return Contributions(
        sample=sample,
        variable=variable,
        variable_kind=kind,
        statistic=statistic,
        component=number,
        values=values,
        total=total,
        formula=_FORMULAS[statistic],
        origin=origin,
    )


def _component(component: int | None, statistic: str, most: int) -> int | None:
    if statistic == "scores":
        if component is None:
            msg = f"statistic = 'scores' needs component, a number from 1 to {most}"
            raise InputError(msg)
        return check_integer("component", component, least=1, most=most)
    if component is not None:
        msg = f"component = {component!r} goes with statistic='scores' only, got {statistic!r}"
        raise InputError(msg)
    return None


def _split(
    model: Any, deviation: Matrix, statistic: str, component: int | None
) -> tuple[Matrix, NDArray[np.float64]]:
    """Return the contributions and what they sum to."""
    R = model.x_rotations_
    if component is not None:
        values = deviation * R[:, component - 1]
        return values, values.sum(axis=1)
    # sums in one order for each row: the same bits for a sample alone and among others
    scores = np.einsum("nk,ka->na", deviation, R)
    if statistic == "t2":
        weighted = scores / model.score_variances_
        values = deviation * np.einsum("na,ka->nk", weighted, R)
        return values, np.sum(scores * weighted, axis=1)
    residuals = deviation - np.einsum("na,ka->nk", scores, model.x_loadings_)
    return np.sign(residuals) * residuals**2, np.sum(residuals**2, axis=1)
