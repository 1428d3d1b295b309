"""Weighings: how much a batch needs of a lot, in which bags, and whether it got it."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import take_codes, take_values
from pharmaq.spc.acceptance._table import times_of

__all__ = ["RequiredAmount", "WeighingCheck", "check_weighing", "required_amount"]

Basis = Literal["as_is", "dried"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RequiredAmount(Result):
    """How much of a lot is to be weighed, and in which bags.

    Parameters
    ----------
    amount : float
        To be weighed of the lot as it is, in the unit of `pure`.
    uncertainty : float
        Standard uncertainty that content and loss on drying leave in it.
    pure : float
        Pure, dry substance that the batch needs.
    factor : float
        `amount` / `pure`.
    content, loss_on_drying : float
        Of the lot, %.
    basis : {"as_is", "dried"}
        What the content refers to.
    bag : float or None
        Amount in a full bag.
    full_bags : int
        Full bags to take unopened; 0 without `bag`.
    remainder : float
        What is weighed besides.
    compensation : float
        Less of the filler, so that the batch keeps its weight: `amount` - `pure`.
    """

    amount: float
    uncertainty: float
    pure: float
    factor: float
    content: float
    loss_on_drying: float
    basis: str
    bag: float | None
    full_bags: int
    remainder: float
    compensation: float

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        return pd.DataFrame([self._fields()])


def required_amount(
    pure: float,
    *,
    content: float = 100.0,
    loss_on_drying: float = 0.0,
    basis: Basis = "dried",
    bag: float | None = None,
    u_content: float = 0.0,
    u_loss_on_drying: float = 0.0,
) -> RequiredAmount:
    """Correct an amount for the content and the water of a lot.

    Parameters
    ----------
    pure : float
        Pure, dry substance that the batch needs, in any unit of mass.
    content : float, default 100
        Content of the lot, %.
    loss_on_drying : float, default 0
        Loss on drying or water, %.
    basis : {"dried", "as_is"}, default "dried"
        Whether the content refers to the dried substance, so that the loss counts too, or to
        the substance as it is, so that the loss is in it already.
    bag : float, optional
        Amount in a full bag: as many as fit are taken unopened, the remainder is weighed.
    u_content, u_loss_on_drying : float, default 0
        Standard uncertainties, in %.

    Returns
    -------
    RequiredAmount
        Amount, bags, remainder, uncertainty, compensation by the filler.

    Raises
    ------
    InputError
        If an amount or a percentage is out of range.

    Notes
    -----
    ``"dried"``: amount = pure 100 / content 100 / (100 - loss); ``"as_is"``: without the last
    factor.
    The relative uncertainty is the root of (u_content / content)^2 +
    (u_loss / (100 - loss))^2, the second for ``"dried"`` only.

    Examples
    --------
    >>> need = required_amount(50.0, content=98.5, loss_on_drying=1.2, bag=20.0)
    >>> print(f"{need.amount:.3f} kg: {need.full_bags} bags and {need.remainder:.3f} kg")
    51.378 kg: 2 bags and 11.378 kg
    """
    pure = check_real("pure", pure, above=0)
    content = check_real("content", content, above=0)
    loss = check_real("loss_on_drying", loss_on_drying, below=100, above=-1e-12)
    check_choice("basis", basis, get_args(Basis))
    u_content = check_real("u_content", u_content)
    u_loss = check_real("u_loss_on_drying", u_loss_on_drying)
    if min(u_content, u_loss) < 0:
        msg = f"uncertainties must not be negative, got {min(u_content, u_loss):g}"
        raise InputError(msg)
    factor, spread = 100 / content, u_content / content
    if basis == "dried":
        factor *= 100 / (100 - loss)
        spread = math.hypot(spread, u_loss / (100 - loss))
    amount, full = pure * factor, 0
    if bag is not None:
        bag = check_real("bag", bag, above=0)
        # a full bag too many by the last bits of a division would be opened for nothing
        full = math.floor(amount / bag + 1e-9)
    return RequiredAmount(
        amount=amount,
        uncertainty=amount * spread,
        pure=pure,
        factor=factor,
        content=content,
        loss_on_drying=loss,
        basis=basis,
        bag=bag,
        full_bags=full,
        remainder=max(0.0, amount - full * (bag or 0.0)),
        compensation=amount - pure,
    )


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class WeighingCheck(Result):
    """Weighed amounts with their targets.

    Parameters
    ----------
    table : DataFrame
        A row a weighing as given, with ``lower``, ``upper``, ``deviation``, ``outcome``
        (``"pass"`` or ``"out"``).
    n_out : int
        Weighings out of tolerance.
    tolerance : float
        As given.
    relative : bool
        Whether it is in % of the target.
    findings : tuple of Finding
        One each weighing out of tolerance.
    """

    table: pd.DataFrame
    n_out: int
    tolerance: float
    relative: bool
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a weighing."""
        return self.table.copy()


def check_weighing(
    weighed: pd.DataFrame, *, tolerance: float, relative: bool = True
) -> WeighingCheck:
    """Hold weighed amounts against what was required.

    Parameters
    ----------
    weighed : DataFrame
        A row a weighing: ``material``, ``amount`` and ``target`` in one unit (NaN raises), and
        any of ``batch`` and ``time``.
    tolerance : float
        Largest deviation from the target, included.
    relative : bool, default True
        Whether the tolerance is in % of the target, or in its unit.

    Returns
    -------
    WeighingCheck
        Every weighing with its range and outcome, findings. Nothing is rounded.

    Raises
    ------
    InputError
        If a column is missing, an amount is not finite or a target not above zero.

    Examples
    --------
    >>> import pandas as pd
    >>> weighed = pd.DataFrame(
    ...     {
    ...         "material": ["API", "lactose"],
    ...         "amount": [51.40, 148.1],
    ...         "target": [51.378, 147.2],
    ...     }
    ... )
    >>> found = check_weighing(weighed, tolerance=0.5)
    >>> print(found.findings[0].message)
    lactose: 148.1 was weighed, 146.464 to 147.936 allowed
    """
    tolerance = check_real("tolerance", tolerance, above=0)
    amount, target = take_values(weighed, "amount"), take_values(weighed, "target")
    take_codes(weighed, "material")
    bad = np.flatnonzero(target <= 0)
    if bad.size:
        msg = f"target must be above zero in every row, not so in {weighed.index[bad[0]]!r}"
        raise InputError(msg)
    reach = target * tolerance / 100 if relative else np.full(target.size, tolerance)
    table = weighed.copy()
    # a difference of decimals is exact to this many digits, whatever doubles make of it
    table["lower"], table["upper"] = (target - reach).round(12), (target + reach).round(12)
    table["deviation"] = (amount - target).round(12)
    out = np.asarray((amount < table["lower"]) | (amount > table["upper"]))
    table["outcome"] = np.where(out, "out", "pass")
    return WeighingCheck(
        table=table,
        n_out=int(out.sum()),
        tolerance=tolerance,
        relative=relative,
        findings=_findings(table[out]),
    )


def _findings(table: pd.DataFrame) -> tuple[Finding, ...]:
    found = []
    for row, time in zip(table.to_dict("records"), times_of(table), strict=True):
        of = f" of batch {row['batch']}" if "batch" in row else ""
        low, high = row["lower"], row["upper"]
        amount = float(row["amount"])
        found.append(
            Finding(
                rule="weighing",
                severity="action",
                subject=f"{row['material']}{of}",
                message=(
                    f"{row['material']}{of}: {amount:g} was weighed, {low:g} to {high:g} "
                    "allowed"
                ),
                value=amount,
                limit=float(low if amount < low else high),
                time=time,
            )
        )
    return tuple(found)
