"""A gage study as a balanced array, and its analysis of variance."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc._columns import (
    check_distinct,
    check_levels,
    check_varies,
    take_codes,
    take_values,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Study:
    """Values, shape (parts, operators, replicates); nested: (operators, parts, replicates)."""

    values: NDArray[np.float64]
    parts: list[Any]
    operators: list[Any]
    nested: bool

    def cells(self) -> pd.DataFrame:
        """Return mean and range of the replicates of every part by every operator."""
        first, second, _ = self.values.shape
        rows = [(i, j) for i in range(first) for j in range(second)]
        if self.nested:
            operator = [self.operators[i] for i, _ in rows]
            part = list(self.parts)
        else:
            operator = [self.operators[j] for _, j in rows]
            part = [self.parts[i] for i, _ in rows]
        flat = self.values.reshape(len(rows), -1)
        columns = {"part": part, "operator": operator}
        return pd.DataFrame(
            columns | {"mean": flat.mean(axis=1), "range": np.ptp(flat, axis=1)}
        )

    def long(self) -> pd.DataFrame:
        """Return one row a measurement: part, operator, value."""
        cells = self.cells()[["part", "operator"]]
        repeated = cells.loc[cells.index.repeat(self.values.shape[2])].reset_index(drop=True)
        return repeated.assign(value=self.values.ravel())


def read_study(
    frame: pd.DataFrame, part: str, operator: str, value: str, *, nested: bool
) -> Study:
    """Return a balanced study; what is missing or repeated is an error that names the cell."""
    check_distinct(part=part, operator=operator, value=value)
    numbers = take_values(frame, value)
    part_codes, parts = take_codes(frame, part)
    operator_codes, operators = take_codes(frame, operator)
    why = "reproducibility needs two; use variance_components for repeatability alone"
    check_levels("operator", operators, least=2, why=why)
    check_levels("part", parts, least=2, why="the spread of parts needs two")
    check_varies(f"column {value!r}", numbers)
    if nested:
        part_codes, parts = _parts_of_operators(part_codes, operator_codes, parts)
        counts = pd.crosstab(operator_codes, part_codes).to_numpy()
        return Study(_nested_array(numbers, part_codes, counts), parts, operators, nested=True)
    table = np.zeros((len(parts), len(operators)), dtype=int)
    np.add.at(table, (part_codes, operator_codes), 1)
    _check_crossed(table, parts, operators)
    order = np.lexsort((operator_codes, part_codes))
    return Study(numbers[order].reshape(*table.shape, -1), parts, operators, nested=False)


def anova_table(rows: Sequence[tuple[str, int, float, str]]) -> pd.DataFrame:
    """Return an ANOVA table; the last word of a row names the mean square that F divides by."""
    table = pd.DataFrame(rows, columns=["source", "df", "ss", "denominator"])
    table["ms"] = table.ss / table.df
    mean_squares, f, p = table.ms.to_list(), [], []
    for (_, df, _, denominator), ms in zip(rows, mean_squares, strict=True):
        if not denominator:
            f.append(math.nan)
            p.append(math.nan)
            continue
        i = [row[0] for row in rows].index(denominator)
        below = mean_squares[i]
        f.append(ms / below if below > 0 else math.nan if ms == 0 else math.inf)
        p.append(float(stats.f.sf(f[-1], df, rows[i][1])))
    return table.assign(f=f, p=p)[["source", "df", "ss", "ms", "f", "p", "denominator"]]


def crossed_sums(values: NDArray[np.float64]) -> dict[str, tuple[int, float]]:
    """Return degrees of freedom and sums of squares, from deviations of the grand mean."""
    p, o, r = values.shape
    centered = values - values.mean()
    cells = centered.mean(axis=2)
    of_part, of_operator = cells.mean(axis=1), cells.mean(axis=0)
    interaction = cells - of_part[:, None] - of_operator[None, :] + cells.mean()
    return {
        "part": (p - 1, o * r * _squares(of_part - of_part.mean())),
        "operator": (o - 1, p * r * _squares(of_operator - of_operator.mean())),
        "part:operator": ((p - 1) * (o - 1), r * _squares(interaction)),
        "repeatability": (p * o * (r - 1), _squares(centered - cells[:, :, None])),
    }


def nested_sums(values: NDArray[np.float64]) -> dict[str, tuple[int, float]]:
    """Return the same of parts nested in operators."""
    o, p, r = values.shape
    centered = values - values.mean()
    cells = centered.mean(axis=2)
    of_operator = cells.mean(axis=1)
    return {
        "operator": (o - 1, p * r * _squares(of_operator - of_operator.mean())),
        "part(operator)": (o * (p - 1), r * _squares(cells - of_operator[:, None])),
        "repeatability": (o * p * (r - 1), _squares(centered - cells[:, :, None])),
    }


def _squares(deviations: NDArray[np.float64]) -> float:
    return float(np.sum(deviations**2))


def _check_crossed(table: NDArray[np.int_], parts: list[Any], operators: list[Any]) -> None:
    least, most = int(table.min()), int(table.max())
    if least == most and least > 1:
        return
    i, j = np.unravel_index(int(table.argmin()), table.shape)
    where = f"part {parts[i]!r} by operator {operators[j]!r}"
    if least == most:
        msg = (
            "each part must be measured at least twice by each operator, got one measurement "
            "each: repeatability cannot be told from interaction"
        )
    elif least == 0:
        msg = (
            f"{where} has no measurement; every operator must measure every part the same "
            'number of times. If each operator has parts of their own, use design="nested"'
        )
    else:
        msg = (
            f"the design must be balanced: {where} has {least} measurements, others up to "
            f"{most}; complete it or leave out the extra ones on purpose"
        )
    raise InputError(msg)


def _parts_of_operators(
    part_codes: NDArray[np.intp], operator_codes: NDArray[np.intp], parts: list[Any]
) -> tuple[NDArray[np.intp], list[Any]]:
    """Return codes of part within operator: the same label twice means two parts."""
    pairs = list(zip(operator_codes, part_codes, strict=True))
    levels = sorted(set(pairs))
    codes = {pair: i for i, pair in enumerate(levels)}
    return np.array([codes[pair] for pair in pairs]), [parts[j] for _, j in levels]


def _nested_array(
    numbers: NDArray[np.float64], part_codes: NDArray[np.intp], counts: NDArray[np.int_]
) -> NDArray[np.float64]:
    each = (counts > 0).sum(axis=1)
    replicates = counts[counts > 0]
    if len(set(each)) > 1 or len(set(replicates)) > 1:
        msg = (
            f"the design must be balanced: operators have {each.tolist()} parts, parts have "
            f"{replicates.min()} to {replicates.max()} measurements; use variance_components, "
            "which takes unequal numbers"
        )
        raise InputError(msg)
    if each[0] < 2 or replicates[0] < 2:
        msg = (
            "each operator needs at least two parts, and each part two measurements, got "
            f"{each[0]} and {replicates[0]}"
        )
        raise InputError(msg)
    order = np.argsort(part_codes, kind="stable")
    return numbers[order].reshape(len(each), each[0], replicates[0])
