"""What a capability study found."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmaq.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pharmaq.results import Finding
    from pharmaq.spc.capability._between import BetweenWithin
    from pharmaq.spc.capability._stability import LastingShift
    from pharmaq.spc.distributions import FittedDistribution
    from pharmaq.spc.sigma import SigmaEstimate

__all__ = ["Capability", "CapabilityIndex"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class CapabilityIndex(Result):
    """One index with its confidence limits.

    Parameters
    ----------
    name : str
        ``"cp"``, ``"cpk"``, ``"ppk"`` and so on.
    value, lower, upper : float
        Estimate and two-sided confidence limits; limits are None where none are known.
    freedom : float
        Degrees of freedom of the standard deviation in it.
    method : str
        How the limits were found.
    """

    name: str
    value: float
    lower: float | None
    upper: float | None
    freedom: float
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row with a column per field."""
        return pd.DataFrame([self._fields()])


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Capability(Result):
    """Indices of one process with their limits, and whether they may be used.

    Parameters
    ----------
    indices : dict of str to CapabilityIndex
        Those that the specification allows: no ``"cp"`` and ``"pp"`` for one limit, no
        ``"cpm"`` without target and both limits.
    mean, sd : float
        Of all values; divisor n - 1.
    within : SigmaEstimate or None
        The standard deviation within subgroups, or from value to value; None where values are
        not normal. Behind Cp and Cpk, unless `between` is.
    between : BetweenWithin or None
        Standard deviations between and within subgroups together, for
        ``variation="between_within"``.
    variation : {"within", "between_within"}
        As asked for.
    ppm : dict of str to dict
        ``"observed"``, the name of `variation`, ``"overall"``; each with ``"below"``,
        ``"above"`` and ``"total"``: values outside the specification per million.
    normality_a2, normality_p : float or None
        Anderson-Darling test of the distribution, of means of subgroups where they differ by
        `between`; None below 8.
    n_signals : int
        Points and spreads beyond limits that all points of a stable process keep with 97.5 %.
    shift : LastingShift or None
        The most likely change of the mean with its probability; None below six values or
        subgroups.
    findings : tuple of Finding
        Why the indices may not be used.
    values : ndarray of shape (n,)
        What was judged, subgroup after subgroup.
    subgroup_sizes, subgroup_labels : ndarray of shape (m,) or None
        Subgroups of the values; None for single values.
    lsl, usl, target : float or None
        The specification.
    confidence : float
        Of the two-sided limits.
    distribution : str
        The one fitted.
    fit : FittedDistribution
        Its parameters.
    candidates : tuple of FittedDistribution
        All that were fitted, the smallest A^2 first.
    not_fitted : dict of str to str
        Those that could not be, and why.
    units : str
        As given.
    """

    indices: dict[str, CapabilityIndex]
    mean: float
    sd: float
    within: SigmaEstimate | None
    between: BetweenWithin | None
    variation: str
    ppm: dict[str, dict[str, float]]
    normality_a2: float | None
    normality_p: float | None
    n_signals: int
    shift: LastingShift | None
    findings: tuple[Finding, ...]
    values: NDArray[np.float64]
    subgroup_sizes: NDArray[np.intp] | None
    subgroup_labels: NDArray[Any] | None
    lsl: float | None
    usl: float | None
    target: float | None
    confidence: float
    distribution: str
    fit: FittedDistribution
    candidates: tuple[FittedDistribution, ...]
    not_fitted: dict[str, str]
    units: str = ""

    @property
    def valid(self) -> bool:
        """Whether the process is shown to be stable and the distribution to fit."""
        return not self.findings

    @property
    def n_values(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def cp(self) -> float | None:
        """(usl - lsl) / (6 sigma), sigma by `variation`; None for one limit."""
        return self._value("cp")

    @property
    def cpk(self) -> float | None:
        """The smaller of cpl and cpu."""
        return self._value("cpk")

    @property
    def cpl(self) -> float | None:
        """(mean - lsl) / (3 sigma), sigma by `variation`."""
        return self._value("cpl")

    @property
    def cpu(self) -> float | None:
        """(usl - mean) / (3 sigma), sigma by `variation`."""
        return self._value("cpu")

    @property
    def cpm(self) -> float | None:
        """(usl - lsl) / (6 root of (sd^2 + (mean - target)^2))."""
        return self._value("cpm")

    @property
    def pp(self) -> float | None:
        """(usl - lsl) / (6 sd); None for one limit."""
        return self._value("pp")

    @property
    def ppk(self) -> float | None:
        """The smaller of ppl and ppu."""
        return self._value("ppk")

    @property
    def ppl(self) -> float | None:
        """(mean - lsl) / (3 sd)."""
        return self._value("ppl")

    @property
    def ppu(self) -> float | None:
        """(usl - mean) / (3 sd)."""
        return self._value("ppu")

    def to_frame(self) -> pd.DataFrame:
        """Return one row an index: value, limits, degrees of freedom, method."""
        frame = pd.DataFrame([index._fields() for index in self.indices.values()])
        return frame.set_index("name")

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the histogram with the specification.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.capability import plots

        return plots.plot_capability(self, ax=ax)

    def plot_sixpack(self, *, figure: Any = None) -> Any:
        """Draw the six pictures by which a capability study is usually read.

        Parameters
        ----------
        figure : matplotlib Figure, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Figure
            Left a chart of single values or of subgroups, the chart of their spread (ranges up
            to subgroups of eight, standard deviations beyond) and the last 25; right the
            histogram with both fits, the probability plot with a band that holds each ordered
            value with 95 %, and what process and specification take. For
            ``variation="between_within"`` the three charts of means, of their moving ranges
            and of spread stand on the left.
        """
        from pharmaq.spc.capability import plots
        from pharmaq.spc.capability._sixpack import sixpack

        return plots.plot_sixpack(self, sixpack(self), figure=figure)

    def _value(self, name: str) -> float | None:
        index = self.indices.get(name)
        return None if index is None else index.value
