"""Compiled simulation of run lengths: nothing is checked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pharmaq.spc.rules._kernels import advance, fresh, row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


@njit(cache=True, nogil=True)
def simulate_run_lengths(
    generator: np.random.Generator,
    shift: float,
    scale: float,
    correlation: float,
    longest: int,
    codes: Codes,
    zones: Array,
    out: Codes,
) -> None:
    """Fill ``out`` with points until the first signal, ``longest`` if there is none.

    Points have lag-one autocorrelation, mean ``shift`` and standard deviation ``scale``.
    """
    rules = [(row(codes, r), zones[r]) for r in range(len(zones))]
    noise = np.sqrt(1.0 - correlation**2)
    for k in range(len(out)):
        states = [fresh() for _ in rules]
        out[k] = longest
        level = generator.standard_normal()
        for t in range(longest):
            value = shift + scale * level
            level = correlation * level + noise * generator.standard_normal()
            signal = False
            for r in range(len(rules)):
                fired, states[r] = advance(value, rules[r][0], rules[r][1], states[r])
                signal |= fired != 0
            if signal:
                out[k] = t + 1
                break
