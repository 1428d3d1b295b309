"""What curve resolution gives: profiles with their labels."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmaq.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ResolvedProfiles"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ResolvedProfiles(Result):
    """Spectra and concentrations of the components of mixtures.

    Parameters
    ----------
    spectra : ndarray of shape (n_components, n_points)
        Resolved spectra.
    concentrations : ndarray of shape (n_samples, n_components)
        Resolved concentrations.
    axis : ndarray of shape (n_points,)
        Positions of the points; numbers from 0 for data without an axis.
    axis_kind : str
        Kind of the axis; ``"point"`` for data without one.
    labels : ndarray of shape (n_samples,)
        Label of each sample; times where the samples have them.
    label_name : str
        What the labels are, such as ``"sample"`` or ``"time"``.
    scaled_by : ndarray of str, shape (n_components,)
        What sets the scale of each component.
    lack_of_fit, lack_of_fit_pca : float
        Percent of the data, and of their principal part, that is not explained.
    explained_variance : float
        Percent of the sum of squares of the data.
    converged : bool
        Whether the iterations ended by their tolerance.
    n_iter : int
        Number of iterations.
    """

    spectra: NDArray[np.float64]
    concentrations: NDArray[np.float64]
    axis: NDArray[np.float64]
    axis_kind: str
    labels: NDArray[Any]
    label_name: str
    scaled_by: NDArray[np.str_]
    lack_of_fit: float
    lack_of_fit_pca: float
    explained_variance: float
    converged: bool
    n_iter: int

    def to_frame(self) -> pd.DataFrame:
        """Return the concentrations: one row a sample, one column a component."""
        index = pd.Index(self.labels, name=self.label_name)
        return pd.DataFrame(self.concentrations, index=index, columns=self.names())

    def spectra_frame(self) -> pd.DataFrame:
        """Return the spectra: one row a point of the axis, one column a component."""
        index = pd.Index(self.axis, name=self.axis_kind)
        return pd.DataFrame(self.spectra.T, index=index, columns=self.names())

    def names(self) -> list[str]:
        """Return the names of the components: ``component0``, ``component1``, ..."""
        return [f"component{j}" for j in range(len(self.spectra))]

    def plot(self, *, axes: Any = None) -> Any:
        """Draw spectra above concentrations; see `plots.plot_profiles`."""
        from pharmaq.chemometrics.mcr.plots import plot_profiles

        return plot_profiles(self, axes=axes)
