"""What a PLS model relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from pharmaq._checks import check_choice
from pharmaq.chemometrics._base import require_fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.chemometrics.pls import PLS

__all__ = ["vip"]


def vip(
    model: PLS, *, weights: Literal["weights", "rotations"] = "weights"
) -> NDArray[np.float64]:
    """Return the variable importance in projection of each point [1]_.

    Parameters
    ----------
    model : PLS
        A fitted model with J points and A components.
    weights : {"weights", "rotations"}, default "weights"
        ``"weights"`` uses W of NIPALS; ``"rotations"`` uses R = W (P'W)^-1, as programs built
        on SIMPLS do. The two differ in the third digit or more, so reports have to say which.

    Returns
    -------
    ndarray of shape (n_points,)
        VIP; the mean of its squares over all points is 1.

    Notes
    -----
    VIP_j = sqrt(J sum_a SS_a w_ja^2 / sum_a SS_a) with weights of unit length and SS_a the sum
    of squares of y that component a explains, over all responses in model units.

    References
    ----------
    .. [1] S. Wold, M. Sjostrom, L. Eriksson, Chemom. Intell. Lab. Syst. 58 (2001) 109-130.
    """
    check_choice("weights", weights, ("weights", "rotations"))
    require_fitted(model)
    W = model.x_weights_ if weights == "weights" else model.x_rotations_
    squares = np.sum(model.x_scores_**2, axis=0) * np.sum(model.y_loadings_**2, axis=0)
    share = W**2 / np.sum(W**2, axis=0)
    return np.sqrt(len(W) * (share @ squares) / squares.sum())
