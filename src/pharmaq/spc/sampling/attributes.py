"""Acceptance sampling by attributes: single, double and multiple plans."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.sampling._counts import Lot, accepted, take_lot
from pharmaq.spc.sampling._search import (
    MOST_ACCEPTED,
    RiskPoints,
    double_plan,
    single_plan,
    smallest_sample,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["AttributePlan", "attribute_plan", "sampling_plan"]

_POINTS = 121

_Distribution = Literal["binomial", "hypergeometric", "poisson"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class AttributePlan(Result):
    """Sampling plan by attributes, with its operating characteristic.

    Parameters
    ----------
    n : tuple of int
        Size of the sample of each stage.
    accept, reject : tuple of int
        Cumulative numbers of nonconforming units up to which a stage accepts, and from which it
        rejects.
    distribution : {"binomial", "hypergeometric", "poisson"}
        Of nonconforming units: from a process, from one lot, nonconformities.
    lot_size : int or None
        Units in the lot.
    aql, ltpd : float or None
        Fractions nonconforming of the producer's and the consumer's risk point.
    alpha, beta : float or None
        Risks asked for.
    producer_risk, consumer_risk : float or None
        Risks the plan has: of rejecting at `aql`, of accepting at `ltpd`.
    fractions, acceptance : ndarray
        Operating characteristic: chance of acceptance by fraction nonconforming.
    sample_number : ndarray
        Average number of units inspected, by fraction.
    outgoing : ndarray
        Average outgoing fraction nonconforming if rejected lots are sorted.
    outgoing_limit : float
        Largest of them (AOQL), over the fractions shown.
    findings : tuple of Finding
        Risks that are larger than asked for.
    """

    n: tuple[int, ...]
    accept: tuple[int, ...]
    reject: tuple[int, ...]
    distribution: str
    lot_size: int | None
    aql: float | None
    ltpd: float | None
    alpha: float | None
    beta: float | None
    producer_risk: float | None
    consumer_risk: float | None
    fractions: NDArray[np.float64]
    acceptance: NDArray[np.float64]
    sample_number: NDArray[np.float64]
    outgoing: NDArray[np.float64]
    outgoing_limit: float
    findings: tuple[Finding, ...]

    def chance(self, fractions: ArrayLike) -> NDArray[np.float64]:
        """Return the chance of acceptance.

        Parameters
        ----------
        fractions : array-like
            Fractions nonconforming, 0 to 1; nonconformities a unit for ``"poisson"``. For
            ``"hypergeometric"`` the nearest whole number of units of the lot is meant.

        Returns
        -------
        ndarray
            Chances.

        Raises
        ------
        InputError
            If a fraction is out of range.
        """
        p = _fractions(fractions, self.distribution)
        lot = Lot(self.distribution, self.lot_size)
        return np.array([accepted(lot, self.n, self.accept, self.reject, x)[0] for x in p])

    def decide(self, nonconforming: Sequence[int]) -> Literal["accept", "reject", "continue"]:
        """Decide on a lot.

        Parameters
        ----------
        nonconforming : sequence of int
            Nonconforming units found in each sample so far.

        Returns
        -------
        {"accept", "reject", "continue"}
            Decision; ``"continue"`` asks for the next sample.

        Raises
        ------
        InputError
            If there are more samples than stages, a number that no sample can have, or a sample
            after the decision.
        """
        if not 1 <= len(nonconforming) <= len(self.n):
            msg = f"nonconforming must hold 1 to {len(self.n)} counts, got {len(nonconforming)}"
            raise InputError(msg)
        total, state = 0, "continue"
        for i, (count, size) in enumerate(zip(nonconforming, self.n, strict=False)):
            if state != "continue":
                msg = f"sample {i + 1} was not needed: sample {i} decided ({state})"
                raise InputError(msg)
            most = None if self.distribution == "poisson" else size
            total += check_integer(f"nonconforming[{i}]", count, least=0, most=most)
            if total <= self.accept[i]:
                state = "accept"
            elif total >= self.reject[i]:
                state = "reject"
        return state  # type: ignore[return-value]

    def to_frame(self) -> pd.DataFrame:
        """Return the operating characteristic, a row a fraction."""
        return pd.DataFrame(
            {
                "fraction": self.fractions,
                "acceptance": self.acceptance,
                "sample_number": self.sample_number,
                "outgoing": self.outgoing,
            }
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the operating characteristic with both risk points.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.sampling import plots

        return plots.plot_attribute_plan(self, ax=ax)


def sampling_plan(
    aql: float | None,
    ltpd: float,
    *,
    alpha: float = 0.05,
    beta: float = 0.10,
    accept: int | None = None,
    stages: Literal["single", "double"] = "single",
    distribution: _Distribution = "binomial",
    lot_size: int | None = None,
) -> AttributePlan:
    """Return the smallest sampling plan by attributes that keeps both risks [1]_ [2]_.

    Parameters
    ----------
    aql : float or None
        Fraction nonconforming to accept with 1 - alpha; None if `accept` is given.
    ltpd : float
        Fraction nonconforming to accept with beta at most (LTPD, limiting quality).
    alpha, beta : float, default 0.05 and 0.10
        Producer's and consumer's risk.
    accept : int, optional
        Acceptance number of a single plan, such as 0: the size then follows from the consumer's
        risk alone.
    stages : {"single", "double"}, default "single"
        A double plan has two samples of one size; the one with the smallest average sample
        number at `aql` is taken.
    distribution : {"binomial", "hypergeometric", "poisson"}, default "binomial"
        Units from a process; from a lot of `lot_size`; nonconformities a unit.
    lot_size : int, optional
        Units in the lot.

    Returns
    -------
    AttributePlan
        The plan, with its curves and the risks that it has.

    Raises
    ------
    InputError
        If the risk points do not differ, or no plan keeps them.

    Notes
    -----
    A single plan of c takes the smallest n with P(X <= c) <= beta at `ltpd`; the smallest c
    whose n also has P(X <= c) >= 1 - alpha at `aql` is the plan. Plans are computed, not looked
    up: schemes such as ISO 2859-1 have sizes of their own, which `attribute_plan` judges.

    References
    ----------
    .. [1] E. G. Schilling, D. V. Neubauer, Acceptance Sampling in Quality Control, 3rd ed.
    .. [2] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., ch. 15.

    Examples
    --------
    >>> plan = sampling_plan(0.01, 0.05)
    >>> plan.n, plan.accept
    ((132,), (3,))
    >>> sampling_plan(None, 0.01, beta=0.05, accept=0).n
    (299,)
    """
    check_choice("stages", stages, ("single", "double"))
    lot = take_lot(distribution, lot_size)
    points = _points(aql, ltpd, alpha, beta, distribution)
    if accept is not None:
        if stages == "double":
            msg = "accept has no meaning for stages='double'; leave it out"
            raise InputError(msg)
        c = check_integer("accept", accept, least=0, most=MOST_ACCEPTED)
        return _plan(lot, (smallest_sample(lot, points, c),), (c,), (c + 1,), points)
    if points.aql is None:
        msg = "aql is needed, unless accept names the acceptance number"
        raise InputError(msg)
    if lot.size is not None and lot.distribution == "hypergeometric":
        whole = [lot.nonconforming(x) for x in (points.aql, points.ltpd or 0)]
        if whole[0] == whole[1]:
            msg = f"aql and ltpd both stand for {whole[0]} of {lot.size} units"
            raise InputError(msg)
    n, c = single_plan(lot, points)
    if stages == "single":
        return _plan(lot, (n,), (c,), (c + 1,), points)
    size, first, second = double_plan(lot, points, n, c)
    return _plan(lot, (size, size), (first, second), (second + 1, second + 1), points)


def attribute_plan(
    n: int | Sequence[int],
    accept: int | Sequence[int],
    reject: int | Sequence[int] | None = None,
    *,
    aql: float | None = None,
    ltpd: float | None = None,
    alpha: float = 0.05,
    beta: float = 0.10,
    **lot: Any,
) -> AttributePlan:
    """Judge a sampling plan by attributes that exists, such as one of ISO 2859-1 or ANSI Z1.4.

    Parameters
    ----------
    n : int or sequence of int
        Size of the sample of each stage.
    accept, reject : int or sequence of int
        Cumulative acceptance and rejection numbers of each stage. Without `reject` it is one
        more than the last acceptance number at every stage.
    aql, ltpd : float, optional
        Fractions at which the risks are wanted.
    alpha, beta : float, default 0.05 and 0.10
        Largest risks; larger ones become findings.
    **lot
        ``distribution`` and ``lot_size``; see `sampling_plan`.

    Returns
    -------
    AttributePlan
        The plan, with its curves and the risks that it has.

    Raises
    ------
    InputError
        If numbers of stages differ, a stage cannot decide, or the samples exceed the lot.

    Examples
    --------
    >>> plan = attribute_plan(125, 3, aql=0.01)
    >>> round(1 - plan.producer_risk, 3)
    0.963
    """
    found = take_lot(**{"distribution": "binomial", "size": lot.pop("lot_size", None), **lot})
    sizes, low = _whole("n", n, 1), _whole("accept", accept, 0)
    high = (low[-1] + 1,) * len(low) if reject is None else _whole("reject", reject, 1)
    _check_stages(sizes, low, high, found)
    points = _points(aql, ltpd, alpha, beta, found.distribution)
    return _plan(found, sizes, low, high, points)


def _points(
    aql: float | None, ltpd: float | None, alpha: float, beta: float, distribution: str
) -> RiskPoints:
    most = None if distribution == "poisson" else 1.0
    if aql is not None:
        aql = check_real("aql", aql, above=0, below=most)
    if ltpd is not None:
        ltpd = check_real("ltpd", ltpd, above=0, below=most)
    if aql is not None and ltpd is not None and aql >= ltpd:
        msg = f"ltpd must be larger than aql, got {ltpd:g} and {aql:g}"
        raise InputError(msg)
    return RiskPoints(
        aql=aql,
        ltpd=ltpd,
        alpha=check_real("alpha", alpha, above=0, below=1),
        beta=check_real("beta", beta, above=0, below=1),
    )


def _whole(name: str, value: int | Sequence[int], least: int) -> tuple[int, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(check_integer(name, x, least=least) for x in values)


def _check_stages(
    n: tuple[int, ...], accept: tuple[int, ...], reject: tuple[int, ...], lot: Lot
) -> None:
    if not len(n) == len(accept) == len(reject):
        msg = (
            "n, accept and reject must have one number a stage, got "
            f"{len(n)}, {len(accept)} and {len(reject)}"
        )
        raise InputError(msg)
    rises = all(np.all(np.diff(x) >= 0) for x in (accept, reject))
    if not rises or any(a >= r for a, r in zip(accept, reject, strict=True)):
        msg = f"accept must lie below reject, both rising, got {accept} and {reject}"
        raise InputError(msg)
    if reject[-1] != accept[-1] + 1:
        msg = f"the last stage must decide: reject {accept[-1] + 1}, got {reject[-1]}"
        raise InputError(msg)
    if lot.size is not None and sum(n) > lot.size:
        msg = f"lot_size must be at least the {sum(n)} units of all samples, got {lot.size}"
        raise InputError(msg)


def _plan(
    lot: Lot,
    n: tuple[int, ...],
    accept: tuple[int, ...],
    reject: tuple[int, ...],
    points: RiskPoints,
) -> AttributePlan:
    fractions = _grid(lot, n, accept, points)
    curve = np.array([accepted(lot, n, accept, reject, x) for x in fractions])
    chance, inspected = curve.T
    rest = 1.0 if lot.size is None else np.maximum(lot.size - inspected, 0) / lot.size
    outgoing = chance * fractions * rest
    risks = [
        None if x is None else accepted(lot, n, accept, reject, x)[0]
        for x in (points.aql, points.ltpd)
    ]
    producer = None if risks[0] is None else 1 - risks[0]
    return AttributePlan(
        n=n,
        accept=accept,
        reject=reject,
        distribution=lot.distribution,
        lot_size=lot.size,
        aql=points.aql,
        ltpd=points.ltpd,
        alpha=None if points.aql is None else points.alpha,
        beta=None if points.ltpd is None else points.beta,
        producer_risk=producer,
        consumer_risk=risks[1],
        fractions=fractions,
        acceptance=chance,
        sample_number=inspected,
        outgoing=outgoing,
        outgoing_limit=float(outgoing.max()),
        findings=_findings(producer, risks[1], points),
    )


def _grid(
    lot: Lot, n: tuple[int, ...], accept: tuple[int, ...], points: RiskPoints
) -> NDArray[np.float64]:
    """Return fractions from 0 to where hardly a lot is accepted."""
    most = max(2 * (points.ltpd or 0), 2.2 * (accept[-1] + 3) / sum(n))
    most = most if lot.distribution == "poisson" else min(most, 1.0)
    if lot.distribution != "hypergeometric" or lot.size is None:
        return np.linspace(0, most, _POINTS)
    whole = np.unique(np.linspace(0, max(lot.nonconforming(most), 1), _POINTS).round())
    return whole / lot.size


def _fractions(fractions: ArrayLike, distribution: str) -> NDArray[np.float64]:
    p = check_vector("fractions", np.atleast_1d(np.asarray(fractions)))
    most = np.inf if distribution == "poisson" else 1.0
    if np.any((p < 0) | (p > most)):
        msg = f"fractions must lie from 0 to {most:g}, got {p.min():g} to {p.max():g}"
        raise InputError(msg)
    return p


def _findings(
    producer: float | None, consumer: float | None, points: RiskPoints
) -> tuple[Finding, ...]:
    found = []
    for rule, risk, limit, at in (
        ("producer_risk", producer, points.alpha, points.aql),
        ("consumer_risk", consumer, points.beta, points.ltpd),
    ):
        if risk is not None and risk > limit:
            verb = "rejects" if rule == "producer_risk" else "accepts"
            found.append(
                Finding(
                    rule=rule,
                    severity="alert",
                    subject="sampling plan",
                    message=(
                        f"the plan {verb} lots with a fraction of {at:g} at a chance of "
                        f"{risk:.3g}, more than {limit:g}"
                    ),
                    value=risk,
                    limit=limit,
                )
            )
    return tuple(found)
