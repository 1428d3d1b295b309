"""Fit and live updates of a batch model beside other programs, in one thread.

Run ``python benchmarks/batch_monitoring.py``. 100 batches of 30 variables at 500 times, three
components. Compared where installed:

- pyphi-mvda: ``batch.mpca``; ``calc.pca_pred`` on a row that is NaN from now on, which its
  monitoring calls for every observation (projection to the model plane); and that monitoring
  itself, which adds contributions and forecasts.
- process-improve: ``BatchPCA`` and ``predict_online`` by trimmed score regression.

An update of pharmaq always has limits, contributions and findings. CPU time, medians, runs
interleaved; scores are checked to agree before anything is timed.
"""

from __future__ import annotations

import os

for _name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
):
    os.environ[_name] = "1"

import contextlib
import io
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq.mspc import BatchLimits, BatchMonitor

BATCHES, TIMES, VARIABLES, COMPONENTS = 100, 500, 30, 3
# aligned times at which one update is timed
AT = range(20, TIMES, 60)
FITS = 3
NAMES = [f"v{j:02}" for j in range(VARIABLES)]


def data() -> np.ndarray:
    """Three smooth components and noise, shape (batches, times, variables)."""
    rng = np.random.default_rng(0)
    u = np.linspace(0, 1, TIMES)
    shapes = np.stack([np.sin(3 * u), np.cos(5 * u), u**2])
    scores = rng.normal(size=(BATCHES + 1, 3)) * [3.0, 2.0, 1.0]
    signal = np.einsum("na,ak,aj->nkj", scores, shapes, rng.normal(size=(3, VARIABLES)))
    return 10 + signal + 0.5 * rng.normal(size=signal.shape)


def dataset(values: np.ndarray) -> xr.Dataset:
    variables = {name: (("batch", "time"), values[:, :, j]) for j, name in enumerate(NAMES)}
    coords = {"batch": np.arange(len(values)), "time": np.arange(float(TIMES))}
    return xr.Dataset(variables, coords=coords)


def cpu(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


class Session:
    """Feed a pharmaq session up to a time, so that the next update can be timed."""

    def __init__(self, monitor: BatchMonitor, new: np.ndarray) -> None:
        rows = [dict(zip(NAMES, row, strict=True)) for row in new]
        self.rows, self.session = rows, monitor.start("new")
        self.moments: dict[int, Any] = {}

    def times(self) -> list[float]:
        found = []
        for k, row in enumerate(self.rows):
            start = time.process_time()
            moment = self.session.update(float(k), row)
            if k in AT:
                found.append(time.process_time() - start)
                self.moments[k] = moment
        return found


def pyphi(X: np.ndarray, new: np.ndarray) -> dict[str, Any]:
    """Return fit and one update of pyphi, empty where it is not installed."""
    with contextlib.suppress(ImportError):
        import pyphi.batch
        import pyphi.calc

        index = np.repeat([f"b{i}" for i in range(BATCHES)], TIMES)
        frame = pd.DataFrame(X.reshape(-1, VARIABLES), columns=NAMES)
        frame.insert(0, "batch", index)
        fit = lambda: pyphi.batch.mpca(frame, COMPONENTS)  # noqa: E731
        model: Any = {}

        def update(k: int) -> Any:
            if not model:
                # columns of one time side by side, as observations come
                model.update(pyphi.batch._uf_hor_mon_loadings(fit()))
                model.update({part: model[f"{part}_ufm"] for part in ("P", "mx", "sx")})
            row = np.full(TIMES * VARIABLES, np.nan)
            row[: (k + 1) * VARIABLES] = new[: k + 1].ravel()
            return pyphi.calc.pca_pred(row, model)

        one = pd.DataFrame(new, columns=NAMES)
        one.insert(0, "batch", "new")

        def follow() -> Any:
            # what its monitoring of a batch calls, without the pictures
            return pyphi.batch._mimic_monitoring(model, one, "new", shush=True)

        name = f"pyphi-mvda {version('pyphi-mvda')}"
        return {"name": name, "fit": fit, "update": update, "follow": follow, "infill": "pmp"}
    return {}


def process_improve(X: np.ndarray, new: np.ndarray) -> dict[str, Any]:
    """Return fit and one update of process-improve, empty where it is not installed."""
    with contextlib.suppress(ImportError):
        from process_improve.batch import BatchPCA

        batches = {i: pd.DataFrame(x, columns=NAMES) for i, x in enumerate(X)}
        fit = lambda: BatchPCA(n_components=COMPONENTS).fit(batches)  # noqa: E731
        model: list[Any] = []
        row = pd.DataFrame(new, columns=NAMES)

        def update(k: int) -> Any:
            if not model:
                model.append(fit())
            return model[0].predict_online(row, upto_k=k + 1, method="tsr")

        name = f"process-improve {version('process-improve')}"
        return {"name": name, "fit": fit, "update": update, "infill": "tsr"}
    return {}


def scores_of(answer: Any) -> np.ndarray:
    found = answer["Tnew"] if "Tnew" in answer else answer["scores"]
    return np.asarray(found, dtype=float).ravel()


def agree(peer: dict[str, Any], monitor: BatchMonitor, new: np.ndarray) -> None:
    """Check that scores are the same up to signs, as far as NIPALS of pyphi converges."""
    session = Session(monitor, new)
    session.times()
    for k in AT:
        ours, theirs = session.moments[k].scores, scores_of(peer["update"](k))
        np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-3)
    print(f"{peer['name']}: scores by {peer['infill']} agree at {len(AT)} times")


def show(title: str, seconds: dict[str, list[float]]) -> None:
    print(f"\n{title}")
    median = {name: statistics.median(found) for name, found in seconds.items()}
    first = next(iter(median.values()))
    for name, found in median.items():
        print(f"{name:36} {found * 1e3:10.3f} ms {found / first:8.1f} x")


def time_fits(batches: xr.Dataset, peers: list[dict[str, Any]]) -> None:
    training = BatchLimits(values="training")
    fits = {
        "pharmaq, limits from fitted batches": BatchMonitor(COMPONENTS, limits=training),
        "pharmaq, every batch left out once": BatchMonitor(COMPONENTS),
    }
    seconds: dict[str, list[float]] = {name: [] for name in fits}
    for _ in range(FITS):
        for name, monitor in fits.items():
            seconds[name].append(cpu(lambda m=monitor: m.fit(batches)))
    for peer in peers:
        seconds[peer["name"]] = [cpu(peer["fit"])]
    show(f"fit, {BATCHES} batches x {TIMES} times x {VARIABLES} variables", seconds)


def time_updates(monitor: BatchMonitor, new: np.ndarray, peers: list[dict[str, Any]]) -> None:
    seconds: dict[str, list[float]] = {"pharmaq, tsr": []}
    seconds |= {peer["name"]: [] for peer in peers}
    for _ in range(FITS):
        seconds["pharmaq, tsr"] += Session(monitor, new).times()
        for peer in peers:
            seconds[peer["name"]] += [cpu(lambda p=peer, k=k: p["update"](k)) for k in AT]
    show("scores, T2 and SPE of one update; ours with limits, contributions, findings", seconds)
    whole = {"pharmaq, tsr": [follow_all(monitor, new) for _ in range(FITS)]}
    for peer in peers:
        if "follow" in peer:
            whole[peer["name"]] = [cpu(peer["follow"]) / TIMES for _ in range(FITS)]
    show("one update with contributions, mean of a whole batch", whole)


def follow_all(monitor: BatchMonitor, new: np.ndarray) -> float:
    rows = [dict(zip(NAMES, row, strict=True)) for row in new]
    session = monitor.start("new")
    start = time.process_time()
    for k, row in enumerate(rows):
        session.update(float(k), row)
    return (time.process_time() - start) / TIMES


def main() -> None:
    """Check that scores agree, then time fits and updates."""
    values = data()
    X, new = values[:-1], values[-1]
    batches = dataset(X)
    peers = [peer for peer in (pyphi(X, new), process_improve(X, new)) if peer]
    for peer in peers:
        agree(peer, BatchMonitor(COMPONENTS, infill=peer["infill"]).fit(batches), new)
    time_fits(batches, peers)
    time_updates(BatchMonitor(COMPONENTS).fit(batches), new, peers)


if __name__ == "__main__":
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        main()
