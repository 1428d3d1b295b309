"""How often intervals hold what they promise, measured by simulation.

Run ``python docs/studies/measured_coverage.py`` for all tables of the page Measured coverage,
in ten minutes, or name some: ``capability tolerance batches gage components``.
Every row has random numbers of its own, so that a row repeats alone. An interval that holds
with probability 0.95 is found to hold in 0.95 -+ 0.01 of 2000 studies (two standard errors).
"""

from __future__ import annotations

import math
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq.spc import (
    batch_prediction_interval,
    batch_tolerance_interval,
    capability,
    gage_rr,
    prediction_interval,
    tolerance_interval,
    variance_components,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SEED = 2024
Array = np.ndarray


class Row(NamedTuple):
    """One line of a table: how many of `runs` intervals held."""

    setting: str
    method: str
    what: str
    nominal: float
    held: float
    runs: int

    @property
    def share(self) -> float:
        return self.held / self.runs

    @property
    def error(self) -> float:
        """Standard error of a share that is nominal."""
        return math.sqrt(self.nominal * (1 - self.nominal) / self.runs)


def random_numbers(*words: Any) -> np.random.Generator:
    """Return random numbers that belong to a row, whatever else is computed."""
    return np.random.default_rng([SEED, *"|".join(map(str, words)).encode()])


# ---------------------------------------------------------------- capability

SINGLE: tuple[tuple[str, tuple[int, ...], str], ...] = (
    ("20 single values", (20,), "mr_bar"),
    ("50 single values", (50,), "mr_bar"),
    ("100 single values", (100,), "mr_bar"),
    ("100 single values", (100,), "mr_median"),
    ("10 subgroups of 4", (10, 4), "r_bar"),
    ("25 subgroups of 5", (25, 5), "r_bar"),
    ("25 subgroups of 5", (25, 5), "pooled"),
    ("25 subgroups of 5", (25, 5), "s_bar"),
)


WORDS = {
    "analytic": "formula",
    "bootstrap": "percentiles",
    "bca": "BCa",
    "expanded": "expanded BCa",
}


def capability_rows(
    runs: int = 1000,
    resamples: int = 1000,
    kinds: Sequence[str] = tuple(WORDS),
    settings: Sequence[tuple[str, tuple[int, ...], str]] = SINGLE,
) -> Iterator[Row]:
    """Limits of Cpk and Ppk of normal values: mean 0.5, sd 1, specification -4 to 5."""
    true = {"cp": 1.5, "cpk": 1.5, "ppk": 1.5, "cpm": 1.5}
    for setting, shape, estimator in settings:
        for limits in kinds:
            if limits != "analytic" and estimator == "mr_median":
                continue
            names = tuple(true)
            rng = random_numbers(setting, estimator, limits)

            def one(
                rng: Any, shape: Any = shape, how: str = estimator, kind: str = limits
            ) -> Any:
                return capability(
                    0.5 + rng.standard_normal(shape),
                    lsl=-4,
                    usl=5,
                    target=0.5,
                    estimator=how,
                    limits=kind,
                    n_resamples=resamples,
                    random_state=rng,
                ).indices

            held = count(one, names, true, rng, runs)
            for name in names:
                words = f"{setting}, {estimator}"
                yield Row(words, WORDS[limits], name, 0.95, held[name], runs)


def between_rows(runs: int = 1000) -> Iterator[Row]:
    """Limits where subgroups differ, by both kinds of short-term variation."""
    for ratio in (0.3, 1.0, 3.0):
        limit = 4.5 * math.hypot(1, ratio)
        for variation in ("within", "between_within"):
            names = ("ppk",) if variation == "within" else ("cp", "cpk", "ppk")
            rng = random_numbers("between", ratio, variation)

            def one(
                rng: Any, ratio: float = ratio, limit: float = limit, how: str = variation
            ) -> Any:
                x = ratio * rng.standard_normal((25, 1)) + rng.standard_normal((25, 3))
                return capability(x, lsl=-limit, usl=limit, variation=how).indices

            held = count(one, names, dict.fromkeys(names, 1.5), rng, runs)
            for name in names:
                setting = f"25 subgroups of 3, sd between {ratio:g} times within"
                yield Row(setting, variation, name, 0.95, held[name], runs)


def count(
    draw: Callable[[Any], Any],
    names: Sequence[str],
    true: dict[str, float],
    rng: Any,
    runs: int,
) -> dict[str, int]:
    """Count how often limits of each index hold its true value."""
    held = dict.fromkeys(names, 0)
    for _ in range(runs):
        found = draw(rng)
        for name in names:
            held[name] += found[name].lower <= true[name] <= found[name].upper
    return held


# ---------------------------------------------------------------- tolerance


CASES: tuple[tuple[str, int, str, Any, str], ...] = (
    ("normal", 10, "normal", stats.norm, "standard_normal"),
    ("normal", 30, "normal", stats.norm, "standard_normal"),
    ("normal", 100, "normal", stats.norm, "standard_normal"),
    ("lognormal", 30, "lognormal", stats.lognorm(1.0), "standard_normal"),
    ("exponential", 30, "normal", stats.expon, "standard_exponential"),
    ("exponential", 50, "nonparametric", stats.expon, "standard_exponential"),
    ("exponential", 300, "nonparametric", stats.expon, "standard_exponential"),
    ("normal", 6, "hanson_koopmans", stats.norm, "standard_normal"),
    ("exponential", 6, "hanson_koopmans", stats.expon, "standard_exponential"),
    ("uniform", 6, "hanson_koopmans", stats.uniform, "random"),
)


def tolerance_rows(
    runs: int = 2000, coverage: float = 0.9, cases: Sequence[Any] = CASES
) -> Iterator[Row]:
    """Tolerance intervals of independent values: do they hold 90 % of the population?"""
    for population, n, method, law, draw in cases:
        for sides in ("two", "lower", "upper"):
            rng = random_numbers(population, n, method, sides)
            held = 0
            for _ in range(runs):
                x = getattr(rng, draw)(n)
                x = np.exp(x) if population == "lognormal" else x
                found = tolerance_interval(x, coverage=coverage, sides=sides, method=method)
                held += content(found, law.cdf) >= coverage
            setting = f"{n} {population} values"
            yield Row(setting, method, sides, 0.95, held, runs)


def expectation_rows(runs: int = 4000) -> Iterator[Row]:
    """Beta-expectation and prediction intervals: what they hold on average."""
    for n in (5, 30):
        rng = random_numbers("expectation", n)
        total = 0.0
        for _ in range(runs):
            found = tolerance_interval(
                rng.standard_normal(n), coverage=0.95, method="beta_expectation"
            )
            total += content(found, stats.norm.cdf)
        yield Row(f"{n} normal values", "beta_expectation", "mean content", 0.95, total, runs)
        for m in (1, 5):
            rng = random_numbers("prediction", n, m)
            hits = 0
            for _ in range(runs):
                found = prediction_interval(rng.standard_normal(n), m=m)
                after = rng.standard_normal(m)
                hits += bool(np.all((after >= found.lower) & (after <= found.upper)))
            yield Row(f"{n} normal values", "prediction", f"next {m}", 0.95, hits, runs)


def content(found: Any, cdf: Callable[[float], float]) -> float:
    """Return the share of the population within limits."""
    above = 1.0 if found.upper is None else float(cdf(found.upper))
    return above - (0.0 if found.lower is None else float(cdf(found.lower)))


# ---------------------------------------------------------------- batches

DESIGNS = {
    "4 batches of 2": (2,) * 4,
    "10 batches of 3": (3,) * 10,
    "20 batches of 5": (5,) * 20,
    "8 batches of 1 to 8": (1, 2, 3, 4, 5, 6, 7, 8),
}


def batch_rows(runs: int = 1000, coverage: float = 0.95) -> Iterator[Row]:
    """Tolerance intervals of batches, and that of their pool, for four ratios of variances."""
    for setting, sizes in DESIGNS.items():
        for sides, methods in (
            ("two", ("mls", "generalized", "mee", "pool")),
            ("upper", ("mls", "generalized", "mee", "vangel", "pool")),
        ):
            for ratio in (0.0, 0.3, 1.0, 5.0):
                held = hold_batches(sizes, sides, methods, ratio, coverage, runs)
                for method in methods:
                    what = f"{sides}, ratio {ratio:g}"
                    yield Row(setting, method, what, 0.95, held[method], runs)


def hold_batches(
    sizes: Sequence[int],
    sides: str,
    methods: Sequence[str],
    ratio: float,
    coverage: float,
    runs: int,
) -> dict[str, int]:
    """Count how often each method holds the share, all of them on the same data."""
    rng = random_numbers(sizes, sides, ratio)
    names = np.repeat(np.arange(len(sizes)), sizes)
    total = math.sqrt(1 + ratio)
    held = dict.fromkeys(methods, 0)
    for _ in range(runs):
        x = math.sqrt(ratio) * rng.standard_normal(len(sizes))[names]
        x += rng.standard_normal(names.size)
        for method in methods:
            options: dict[str, Any] = {"coverage": coverage, "sides": sides}
            if method == "pool":
                found: Any = tolerance_interval(x, **options)
            else:
                found = batch_tolerance_interval(x, names, method=method, **options)
            held[method] += content(found, lambda v: stats.norm.cdf(v / total)) >= coverage
    return held


def batch_prediction_rows(runs: int = 4000) -> Iterator[Row]:
    """Prediction intervals of a value from the next batch."""
    for setting, sizes in DESIGNS.items():
        names = np.repeat(np.arange(len(sizes)), sizes)
        for ratio in (0.0, 1.0, 5.0):
            rng = random_numbers("next", sizes, ratio)
            hits = 0
            for _ in range(runs):
                x = math.sqrt(ratio) * rng.standard_normal(len(sizes))[names]
                found = batch_prediction_interval(x + rng.standard_normal(names.size), names)
                after = math.sqrt(1 + ratio) * rng.standard_normal()
                hits += found.lower <= after <= found.upper
            yield Row(setting, "prediction", f"next, ratio {ratio:g}", 0.95, hits, runs)


# ---------------------------------------------------------------- gage studies

SOURCES = ("repeatability", "reproducibility", "gage_rr", "part", "total")


def gage_rows(runs: int = 500) -> Iterator[Row]:
    """Modified large-sample limits of crossed studies; standard deviations of part 3."""
    for setting, shape, spread in (
        ("10 x 3 x 3, operator 0.5, interaction 0.3", (10, 3, 3), (3.0, 0.5, 0.3, 1.0)),
        ("10 x 3 x 3, operator 1, interaction 0", (10, 3, 3), (3.0, 1.0, 0.0, 1.0)),
        ("20 x 5 x 2, operator 1, interaction 0.5", (20, 5, 2), (3.0, 1.0, 0.5, 1.0)),
    ):
        for pooling in (None, 0.25):
            held = hold_gage(shape, spread, pooling, random_numbers(setting, pooling), runs)
            words = "never pooled" if pooling is None else "pooled above p = 0.25"
            for source, hits in held.items():
                yield Row(setting, words, source, 0.95, hits, runs)


def hold_gage(
    shape: tuple[int, int, int],
    spread: tuple[float, float, float, float],
    pooling: float | None,
    rng: Any,
    runs: int,
) -> dict[str, int]:
    """Count how often limits of each component hold it."""
    p, o, r = shape
    part, operator, both, error = spread
    frame = pd.DataFrame(
        {
            "part": np.repeat(np.arange(p), o * r),
            "operator": np.tile(np.repeat(np.arange(o), r), p),
        }
    )
    gage = operator**2 + both**2
    true = dict(zip(SOURCES, (error**2, gage, gage + error**2, part**2, 0.0), strict=True))
    true["total"] = true["gage_rr"] + true["part"]
    held = dict.fromkeys([*SOURCES, "gage_rr / total"], 0)
    share = 100 * math.sqrt(true["gage_rr"] / true["total"])
    for _ in range(runs):
        y = part * rng.standard_normal((p, 1, 1)) + operator * rng.standard_normal((1, o, 1))
        y = y + both * rng.standard_normal((p, o, 1)) + error * rng.standard_normal((p, o, r))
        found = gage_rr(frame.assign(value=y.ravel()), pooling_alpha=pooling)
        rows = found.components.set_index("source")
        for source in SOURCES:
            low, high = rows.loc[source, ["lower", "upper"]]
            held[source] += bool(low <= true[source] <= high)
        ratio = found.ratios.iloc[0]
        held["gage_rr / total"] += bool(ratio.lower <= share <= ratio.upper)
    return held


def component_rows(runs: int = 500) -> Iterator[Row]:
    """Limits of one-way variance components by three methods."""
    for k, n in ((6, 3), (20, 3)):
        for ratio in (0.3, 3.0):
            for method in ("mls", "satterthwaite", "wald"):
                rng = random_numbers("components", k, n, ratio, method)
                held = dict.fromkeys(("batch", "error", "total"), 0)
                true = {"batch": ratio, "error": 1.0, "total": 1 + ratio}
                for _ in range(runs):
                    y = math.sqrt(ratio) * rng.standard_normal((k, 1))
                    y = y + rng.standard_normal((k, n))
                    frame = pd.DataFrame(
                        {"batch": np.repeat(np.arange(k), n), "value": y.ravel()}
                    )
                    found = variance_components(frame, "batch", intervals=method)
                    rows = found.table.set_index("source")
                    for source, value in true.items():
                        low, high = rows.loc[source, ["lower", "upper"]]
                        held[source] += bool(low <= value <= high)
                for source, hits in held.items():
                    setting = f"{k} batches of {n}, ratio {ratio:g}"
                    yield Row(setting, method, source, 0.95, hits, runs)


TABLES: dict[str, tuple[Callable[..., Iterator[Row]], ...]] = {
    "capability": (capability_rows, between_rows),
    "tolerance": (tolerance_rows, expectation_rows),
    "batches": (batch_rows, batch_prediction_rows),
    "gage": (gage_rows,),
    "components": (component_rows,),
}


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(text + "\n")


def print_table(rows: Sequence[Row]) -> None:
    """Print a row a setting and method, a column for each thing that is held."""
    table: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        table.setdefault((row.setting, row.method), {})[row.what] = row
    columns = list(dict.fromkeys(row.what for row in rows))
    say(f"\n| | method | {' | '.join(columns)} |")
    say("|---|---|" + "---|" * len(columns))
    for (setting, method), cells in table.items():
        texts = [cell_text(cells.get(column)) for column in columns]
        say(f"| {setting} | {method} | {' | '.join(texts)} |")
    error = max(row.error for row in rows)
    say(f"\n{rows[0].runs} studies a cell, standard error {100 * error:.1f} %")


def cell_text(row: Row | None) -> str:
    """Return per cent, marked where it is more than three standard errors too low."""
    if row is None:
        return ""
    text = f"{100 * row.share:.1f}"
    return f"**{text}**" if row.share < row.nominal - 3 * row.error else text


def main() -> None:
    """Print the tables that are named, or all."""
    say(", ".join(f"{name} {version(name)}" for name in ("pharmaq", "numpy", "scipy")))
    for name in sys.argv[1:] or TABLES:
        for study in TABLES[name]:
            say(f"\n{study.__doc__}")
            print_table(list(study()))


if __name__ == "__main__":
    main()
