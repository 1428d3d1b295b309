"""Nonconforming units in samples: their distribution, and what it means for a staged plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from pharmaq._checks import check_choice, check_integer
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["DISTRIBUTIONS", "Lot", "accepted", "take_lot"]

DISTRIBUTIONS = ("binomial", "hypergeometric", "poisson")


class Lot(NamedTuple):
    """How nonconforming units come into samples."""

    distribution: str
    size: int | None

    def nonconforming(self, fraction: float) -> int:
        """Return the whole number of units of the lot that a fraction stands for."""
        return round(fraction * (self.size or 0))

    def pmf(self, most: int, n: int, fraction: float, gone: tuple[int, int] = (0, 0)) -> Array:
        """Return chances of 0 to `most` in a sample of n.

        `gone` holds the units and the nonconforming ones that earlier samples took from a lot.
        """
        k = np.arange(most + 1.0)
        if self.distribution == "poisson":
            mean = n * fraction
            logs = special.xlogy(k, mean) - mean - special.gammaln(k + 1)
        elif self.distribution == "binomial":
            logs = _log_choose(n, k) + special.xlogy(k, fraction)
            logs += special.xlog1py(np.maximum(n - k, 0), -fraction)
        else:
            size = (self.size or 0) - gone[0]
            bad = self.nonconforming(fraction) - gone[1]
            logs = _log_choose(bad, k) + _log_choose(size - bad, n - k) - _log_choose(size, n)
        return np.exp(logs)


def take_lot(distribution: str, size: int | None) -> Lot:
    """Return a checked lot."""
    check_choice("distribution", distribution, DISTRIBUTIONS)
    if distribution == "hypergeometric" and size is None:
        msg = "lot_size is needed for distribution='hypergeometric'"
        raise InputError(msg)
    return Lot(distribution, None if size is None else check_integer("lot_size", size, least=2))


def accepted(
    lot: Lot, n: Sequence[int], accept: Sequence[int], reject: Sequence[int], fraction: float
) -> tuple[float, float]:
    """Return the chance of acceptance, and the average number of units inspected."""
    # chance of each cumulative count with which sampling goes on
    going: dict[int, float] = {0: 1.0}
    chance = inspected = 0.0
    taken = 0
    for size, low, high in zip(n, accept, reject, strict=True):
        inspected += size * sum(going.values())
        following: dict[int, float] = {}
        for count, weight in going.items():
            pmf = weight * lot.pmf(max(high - 1 - count, 0), size, fraction, (taken, count))
            for extra, part in enumerate(pmf):
                total = count + extra
                if total <= low:
                    chance += float(part)
                elif part > 0:
                    following[total] = following.get(total, 0.0) + float(part)
        going, taken = following, taken + size
    return min(chance, 1.0), inspected


def _log_choose(n: float, k: Array | float) -> Array:
    """Return logarithms of binomial coefficients, -inf where there is none."""
    held = (k >= 0) & (k <= n)
    safe = np.where(held, k, 0)
    logs = special.gammaln(n + 1) - special.gammaln(safe + 1) - special.gammaln(n - safe + 1)
    return np.asarray(np.where(held, logs, -np.inf))
