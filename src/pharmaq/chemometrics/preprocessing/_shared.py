"""What the steps of preprocessing have in common."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import check_finite
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class DegenerateSpectrumWarning(UserWarning):
    """A spectrum carries nothing that a scatter correction could scale by."""


def learns_from_samples(transformer: Any) -> bool:
    """Tell whether fitting this transformer depends on which samples it sees.

    Parameters
    ----------
    transformer : estimator
        Any scikit-learn transformer.

    Returns
    -------
    bool
        False for steps that treat every spectrum by itself (`SNV`, `SavitzkyGolay`,
        `SelectRange`): they may be applied once, before cross-validation. True for all others.
    """
    if transformer is None or transformer == "passthrough":
        return False
    return bool(getattr(transformer, "learns_from_samples", True))


def require_points(values: NDArray[np.float64], least: int) -> None:
    if values.shape[1] < least:
        msg = f"spectra must have at least {least} points, got n_features = {values.shape[1]}"
        raise InputError(msg)


def require_finite(values: NDArray[np.float64], computed: NDArray[np.float64]) -> None:
    """Raise if spectra hold NaN or infinity, which the number computed of each row shows."""
    if not np.isfinite(computed).all():
        check_finite("X", values)


def warn_of_spectra(
    degenerate: NDArray[np.bool_],
    problem: str,
    category: type[Warning] = DegenerateSpectrumWarning,
) -> None:
    """Warn of spectra that could not be treated like the others, naming the first."""
    if degenerate.any():
        rows = np.flatnonzero(degenerate)
        msg = f"spectrum {rows[0]} {problem} ({len(rows)} of {len(degenerate)} spectra)"
        warnings.warn(msg, category, stacklevel=4)
