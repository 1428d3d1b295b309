"""Yield and mass balance of a step, with the uncertainty of the weighings."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import check_finite, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result, json_safe
from pharmaq.spc.acceptance.oos import check_oos

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pharmaq.spc.acceptance.specification import Specification

__all__ = ["MassBalance", "mass_balance"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class MassBalance(Result):
    """What went in, what came out, and how sure that is.

    Parameters
    ----------
    total_in, total_out, product : float
        Sums, in one unit.
    lost : float
        In less out: negative where more came out than went in.
    u_in, u_out, u_lost : float
        Standard uncertainties.
    yield_percent, u_yield : float
        Product in % of what went in.
    balance_percent, u_balance : float
        All that came out in % of what went in.
    z : float
        Loss in standard uncertainties: beyond -+ `coverage_factor` it is not the balances.
    outcomes : dict of str to str
        Outcome of ``"yield"`` and ``"balance"`` by their specifications.
    coverage_factor : float
        For the finding on loss.
    findings : tuple of Finding
        Results out of specification, and a gain that weighing does not explain.
    """

    total_in: float
    total_out: float
    product: float
    lost: float
    u_in: float
    u_out: float
    u_lost: float
    yield_percent: float
    u_yield: float
    balance_percent: float
    u_balance: float
    z: float
    outcomes: dict[str, str]
    coverage_factor: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row each of yield and balance: percent, uncertainty, outcome."""
        rows = [
            (name, getattr(self, f"{name}_percent"), getattr(self, f"u_{name}"))
            for name in ("yield", "balance")
        ]
        table = pd.DataFrame(rows, columns=["quantity", "percent", "uncertainty"])
        table["outcome"] = [self.outcomes.get(name, "") for name, *_ in rows]
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain Python."""
        return {name: json_safe(value) for name, value in self._fields().items()}


def mass_balance(
    inputs: Mapping[str, tuple[float, float]],
    product: tuple[float, float],
    *,
    others: Mapping[str, tuple[float, float]] | None = None,
    yield_specification: Specification | None = None,
    balance_specification: Specification | None = None,
    coverage_factor: float = 2.0,
) -> MassBalance:
    """Compute yield and mass balance with propagated uncertainty [1]_.

    Parameters
    ----------
    inputs : mapping of str to (amount, standard uncertainty)
        What went in, in one unit.
    product : (amount, standard uncertainty)
        What is passed on.
    others : mapping of str to (amount, standard uncertainty), optional
        What else came out: samples, rejects, waste, residues.
    yield_specification, balance_specification : Specification, optional
        Limits in %.
    coverage_factor : float, default 2.0
        Standard uncertainties beyond which a gain is not explained by weighing.

    Returns
    -------
    MassBalance
        Yield, balance, loss, uncertainties, outcomes, findings.

    Raises
    ------
    InputError
        If an amount is not finite or negative, an uncertainty is negative, or nothing went in.

    Notes
    -----
    Weighings are independent. For a share q = a / b of sums a and b the variance is
    q^2 ((u_a / a)^2 + (u_b / b)^2), as q itself (u_a / b)^2 + (q u_b / b)^2.

    References
    ----------
    .. [1] JCGM 100:2008, Guide to the expression of uncertainty in measurement, 5.1.2.

    Examples
    --------
    >>> found = mass_balance(
    ...     {"granules": (100.0, 0.05), "lubricant": (1.0, 0.002)},
    ...     (98.4, 0.05),
    ...     others={"samples": (0.9, 0.002), "dust": (1.2, 0.02)},
    ... )
    >>> print(f"{found.yield_percent:.2f} {found.u_yield:.3f} {found.balance_percent:.2f}")
    97.43 0.069 99.50
    """
    factor = check_real("coverage_factor", coverage_factor, above=0)
    given, u_given = _sum("inputs", inputs)
    passed, u_passed = _sum("product", {"product": product})
    rest, u_rest = _sum("others", others or {})
    if given == 0:
        msg = "inputs must sum to more than zero, got 0"
        raise InputError(msg)
    out, u_out = passed + rest, math.hypot(u_passed, u_rest)
    u_lost = math.hypot(u_given, u_out)
    lost = given - out
    shares = {"yield": 100 * passed / given, "balance": 100 * out / given}
    spreads = {
        name: math.hypot(100 * u / given, shares[name] * u_given / given)
        for name, u in (("yield", u_passed), ("balance", u_out))
    }
    outcomes: dict[str, str] = {}
    findings: list[Finding] = []
    specifications = {"yield": yield_specification, "balance": balance_specification}
    for name, spec in specifications.items():
        if spec is not None:
            plain = dataclasses.replace(spec, test=name, product="", stage="", phase="")
            frame = pd.DataFrame({"test": [name], "value": [shares[name]]})
            check = check_oos(frame, plain)
            outcomes[name] = str(check.table["outcome"].iloc[0])
            findings += check.findings
    z = lost / u_lost if u_lost > 0 else math.copysign(math.inf, lost) if lost else 0.0
    if z < -factor:
        findings.append(_gain(lost, u_lost, z, factor))
    return MassBalance(
        total_in=given,
        total_out=out,
        product=passed,
        lost=lost,
        u_in=u_given,
        u_out=u_out,
        u_lost=u_lost,
        yield_percent=shares["yield"],
        u_yield=spreads["yield"],
        balance_percent=shares["balance"],
        u_balance=spreads["balance"],
        z=z,
        outcomes=outcomes,
        coverage_factor=factor,
        findings=tuple(findings),
    )


def _sum(name: str, amounts: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    total, variance = 0.0, 0.0
    for item, pair in amounts.items():
        array = check_vector(f"{name}[{item!r}]", pair, least=2)
        check_finite(f"{name}[{item!r}]", array)
        if array.size != 2 or np.any(array < 0):
            msg = (
                f"{name}[{item!r}] must be an amount and its standard uncertainty, both zero "
                f"or more, got {pair!r}"
            )
            raise InputError(msg)
        total += float(array[0])
        variance += float(array[1]) ** 2
    return total, math.sqrt(variance)


def _gain(lost: float, u_lost: float, z: float, factor: float) -> Finding:
    message = (
        f"{-lost:.4g} more came out than went in (standard uncertainty {u_lost:.2g}): weighing "
        "does not explain it"
    )
    return Finding(
        rule="mass_gain",
        severity="alert",
        subject="mass balance",
        message=message,
        value=z,
        limit=-factor,
    )
