"""Time-weighted averages of historian data beside polars, DuckDB and pandas, in one thread.

Run ``python benchmarks/historian_aggregates.py [ROWS]``. All take the same irregular rows with
some bad ones, and return averages of the line between good values over each minute, with values
interpolated at the edges; they are checked to agree before anything is timed. Ratios are those
of CPU times, medians of a few rounds in turn. Peers that are not installed are left out.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[_name] = "1"

import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from pharmaq.io import aggregate

MINUTE = 60_000_000_000
ROUNDS = 3


def make_rows(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Irregular times a second apart on average, a walk, and 0.5 % bad values."""
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.integers(1, 2_000_000_000, n))
    values = np.cumsum(rng.normal(size=n))
    quality = np.where(rng.random(n) < 0.005, 2, 0).astype(np.uint8)
    return times, values, quality


def edges_of(times: np.ndarray) -> np.ndarray:
    """All edges of whole minutes around the rows."""
    first = times[0] // MINUTE * MINUTE
    return np.arange(first, times[-1] + MINUTE + 1, MINUTE)


def ours(times: np.ndarray, values: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """Averages by pharmaq."""
    stamps = times.view("M8[ns]")
    return aggregate(stamps, values, quality, interval="1min", tz="UTC").value


def by_pandas(times: np.ndarray, values: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """Averages as a careful user writes them in pandas."""
    good = quality == 0
    series = pd.Series(values[good], index=times[good])
    series = series[~series.index.duplicated()]
    whole = series.index.union(edges_of(times))
    series = series.reindex(whole).interpolate(method="index", limit_area="inside").ffill()
    width = np.diff(whole.to_numpy()).astype(float)
    height = 0.5 * (series.to_numpy()[:-1] + series.to_numpy()[1:])
    known = ~np.isnan(height)
    frame = pd.DataFrame(
        {"bin": whole[:-1][known] // MINUTE, "area": (width * height)[known], "w": width[known]}
    )
    sums = frame.groupby("bin")[["area", "w"]].sum()
    return (sums["area"] / sums["w"]).to_numpy()


def by_polars(times: np.ndarray, values: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """The same in polars expressions."""
    import polars as pl

    rows = pl.DataFrame({"t": times, "v": values, "q": quality}).lazy()
    good = rows.filter(pl.col("q") == 0).select("t", "v").unique("t", keep="first")
    edges = pl.DataFrame({"t": edges_of(times)}).lazy()
    edges = edges.join(good, on="t", how="anti").with_columns(v=pl.lit(None, pl.Float64))
    whole = pl.concat([good, edges]).sort("t")
    whole = whole.with_columns(pl.col("v").interpolate_by("t").forward_fill())
    parts = whole.with_columns(
        w=(pl.col("t").shift(-1) - pl.col("t")).cast(pl.Float64),
        h=0.5 * (pl.col("v") + pl.col("v").shift(-1)),
        bin=pl.col("t") // MINUTE,
    ).filter(pl.col("h").is_not_null())
    sums = parts.group_by("bin", maintain_order=True).agg(
        (pl.col("w") * pl.col("h")).sum().alias("a"), pl.col("w").sum()
    )
    return sums.select(pl.col("a") / pl.col("w")).collect().to_series().to_numpy()


SQL = f"""
with good as (select t, any_value(v) as v from raw where q = 0 group by t),
edges as (select t, null::double as v from marks anti join good using (t)),
every as (select * from good union all select * from edges),
near as (
  select t, v,
    last_value(case when v is not null then t end ignore nulls) over up as t0,
    last_value(v ignore nulls) over up as v0,
    first_value(case when v is not null then t end ignore nulls) over down as t1,
    first_value(v ignore nulls) over down as v1
  from every
  window up as (order by t rows between unbounded preceding and current row),
    down as (order by t rows between current row and unbounded following)),
filled as (
  select t, case when v is not null then v when v0 is null then null
    when v1 is null then v0 else v0 + (v1 - v0) * (t - t0)::double / (t1 - t0) end as v
  from near),
parts as (
  select t // {MINUTE} as bin, (lead(t) over w - t)::double as w, (v + lead(v) over w) / 2 as h
  from filled window w as (order by t))
select bin, sum(w * h) / sum(w) as mean from parts where h is not null group by bin order by bin
"""


def by_duckdb(times: np.ndarray, values: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """The same in SQL."""
    import duckdb

    link = duckdb.connect()
    link.execute("set threads = 1")
    raw = pd.DataFrame({"t": times, "v": values, "q": quality})
    link.register("raw", raw)
    link.register("marks", pd.DataFrame({"t": edges_of(times)}))
    return link.execute(SQL).fetchnumpy()["mean"]


def cpu(run: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Compare, then time."""
    n = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5_000_000
    rows = make_rows(n)
    small = tuple(column[:20_000] for column in rows)
    runs: dict[str, Callable[..., np.ndarray]] = {"pharmaq": ours, "pandas": by_pandas}
    for name, run in (("polars", by_polars), ("duckdb", by_duckdb)):
        try:
            print(name, version(name), end="  ")
            runs[name] = run
        except PackageNotFoundError:
            print(f"{name} is not installed and left out", end="  ")
    print(f"pandas {version('pandas')}, {n} rows to minutes")
    for name, run in runs.items():
        np.testing.assert_allclose(run(*small), ours(*small), rtol=1e-9, err_msg=name)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            taken[name].append(cpu(lambda run=run: run(*rows)))
    base = statistics.median(taken["pharmaq"])
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"  {name:8} {n / middle / 1e6:6.2f} M rows/s   {middle / base:6.1f} x")


if __name__ == "__main__":
    main()
