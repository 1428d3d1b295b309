"""What a model of several blocks says about finished batches."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BlockScores", "block_findings"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BlockScores(Result):
    """Finished batches against a model of several blocks.

    Parameters
    ----------
    batch : ndarray of shape (n,)
        Names of the batches.
    block : tuple of str
        The B blocks.
    quality : ndarray of shape (n, M)
        Predicted quality.
    t2, spe : ndarray of shape (n,)
        Hotelling's T2 of the super scores, and SPE of all blocks.
    t2_limit, spe_limit : float
        Their limits.
    t2_by_block : ndarray of shape (n, B)
        What each block contributes to T2; they sum to it, and can be negative.
    block_t2, block_spe : ndarray of shape (n, B)
        T2 of the scores of each block, and SPE in it; the latter sum to `spe`.
    block_t2_limit, block_spe_limit : ndarray of shape (B,)
        Their limits.
    alpha : float
        Share of good batches above each limit.
    n_reference : int
        Number of fitted batches.
    findings : tuple of Finding
        ``"action"`` above the limit of T2 or SPE, ``"alert"`` above that of a block.
    """

    batch: NDArray[Any]
    block: tuple[str, ...]
    quality: NDArray[np.float64]
    t2: NDArray[np.float64]
    spe: NDArray[np.float64]
    t2_limit: float
    spe_limit: float
    t2_by_block: NDArray[np.float64]
    block_t2: NDArray[np.float64]
    block_spe: NDArray[np.float64]
    block_t2_limit: NDArray[np.float64]
    block_spe_limit: NDArray[np.float64]
    alpha: float
    n_reference: int
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a batch: predicted quality, T2 and SPE with their limits."""
        columns: dict[str, Any] = {"batch": self.batch}
        columns |= {f"quality_{m + 1}": column for m, column in enumerate(self.quality.T)}
        names = ("t2", "t2_limit", "spe", "spe_limit")
        return pd.DataFrame(columns | {name: getattr(self, name) for name in names})

    def block_frame(self) -> pd.DataFrame:
        """Return one row a batch and block: part of T2, and T2 and SPE of the block."""
        n, B = self.block_t2.shape
        return pd.DataFrame(
            {
                "batch": np.repeat(self.batch, B),
                "block": self.block * n,
                "t2_part": self.t2_by_block.ravel(),
                "t2": self.block_t2.ravel(),
                "t2_limit": np.tile(self.block_t2_limit, n),
                "spe": self.block_spe.ravel(),
                "spe_limit": np.tile(self.block_spe_limit, n),
            }
        )


def block_findings(result: BlockScores) -> tuple[Finding, ...]:
    """Return the limits that batches pass.

    Parameters
    ----------
    result : BlockScores
        Batches with their limits.

    Returns
    -------
    tuple of Finding
        Batch by batch, the whole before its blocks.
    """
    level = f"{100 * (1 - result.alpha):g} %"
    found = []
    for i, batch in enumerate(result.batch):
        whole = [
            (name, "action", getattr(result, name)[i], getattr(result, f"{name}_limit"), "")
            for name in ("t2", "spe")
        ]
        parts = [
            (
                f"block_{name}",
                "alert",
                getattr(result, f"block_{name}")[i, b],
                getattr(result, f"block_{name}_limit")[b],
                f" of block {block}",
            )
            for name in ("t2", "spe")
            for b, block in enumerate(result.block)
        ]
        for rule, severity, value, limit, place in whole + parts:
            if value > limit:
                text = "T2" if rule.endswith("t2") else "SPE"
                finding = Finding(
                    rule=rule,
                    severity=severity,  # type: ignore[arg-type]
                    subject=str(batch),
                    message=f"{text}{place} of batch {batch} is {value:.4g}, above its {level} "
                    f"limit {limit:.4g}",
                    value=float(value),
                    limit=float(limit),
                )
                found.append(finding)
    return tuple(found)
