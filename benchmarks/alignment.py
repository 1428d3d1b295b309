"""Dynamic time warping of 100 batches with paths beside dtaidistance, tslearn and dtw-python.

Run ``python benchmarks/alignment.py``. Every program warps the same batches of 30 variables and
500 samples onto the same reference; ours makes the aligned data set with it, the others stop at
the path. The sums of distances are checked to agree before anything is timed, in CPU time of
one thread, in turn. A program that is not installed is left out. Ratios of medians are printed:
absolute times depend on the machine.
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

import resource
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from pharmaq.batches import as_batches
from pharmaq.mspc.alignment import DTW, BatchAligner

BATCHES, SAMPLES, VARIABLES, ROUNDS = 100, 500, 30, 7
PEERS = ("dtaidistance", "tslearn", "dtw-python")
# the peers are slow: some batches tell enough
PEER_BATCHES = 8
BAND = 0.1

Parts = list[np.ndarray]
Sums = Callable[[Parts, np.ndarray, int | None], list]


def batches(number: int, samples: int) -> list[np.ndarray]:
    """Batches of one course at varying speed, with noise."""
    rng = np.random.default_rng(7)
    course = rng.normal(size=(4 * samples, VARIABLES)).cumsum(axis=0) / 20
    found = []
    for _ in range(number):
        pace = np.cumsum(rng.uniform(0.5, 1.5, size=samples))
        rows = np.interp(pace, [pace[0], pace[-1]], [0, len(course) - 1]).astype(int)
        found.append(course[rows] + 0.05 * rng.normal(size=(samples, VARIABLES)))
    return found


def dtaidistance_paths(parts: Parts, reference: np.ndarray, reach: int | None) -> list:
    """Compiled paths; they come without the sum."""
    ndim = import_module("dtaidistance.dtw_ndim")
    window = None if reach is None else reach + 1
    return [ndim.warping_path(x, reference, window=window, use_c=True) for x in parts]


def dtaidistance_sums(parts: Parts, reference: np.ndarray, reach: int | None) -> list:
    """The sums alone, for the check."""
    ndim = import_module("dtaidistance.dtw_ndim")
    window = None if reach is None else reach + 1
    return [ndim.distance(x, reference, window=window, use_c=True) ** 2 for x in parts]


def tslearn_sums(parts: Parts, reference: np.ndarray, reach: int | None) -> list:
    """Paths with numba."""
    path = import_module("tslearn.metrics").dtw_path
    limits: dict[str, object] = {}
    if reach is not None:
        limits = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": reach}
    return [path(x, reference, **limits)[1] ** 2 for x in parts]


def dtw_python_sums(parts: Parts, reference: np.ndarray, reach: int | None) -> list:
    """Paths in C; distances by scipy."""
    warp = import_module("dtw").dtw
    options: dict[str, object] = {"dist_method": "sqeuclidean", "step_pattern": "symmetric1"}
    if reach is not None:
        options |= {"window_type": "sakoechiba", "window_args": {"window_size": reach}}
    return [warp(x, reference, **options).distance for x in parts]


PROGRAMS: dict[str, Sums] = {
    "dtaidistance": dtaidistance_paths,
    "tslearn": tslearn_sums,
    "dtw-python": dtw_python_sums,
}
CHECKS: dict[str, Sums] = PROGRAMS | {"dtaidistance": dtaidistance_sums}


def installed(name: str) -> bool:
    """Whether a program is there."""
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def long_frame(parts: list[np.ndarray]) -> pd.DataFrame:
    """Batches as a long frame."""
    values = np.vstack(parts)
    frame = pd.DataFrame(values, columns=[f"x{j}" for j in range(values.shape[1])])
    frame.insert(0, "batch", np.repeat(np.arange(len(parts)), [len(x) for x in parts]))
    frame.insert(1, "time", np.concatenate([np.arange(float(len(x))) for x in parts]))
    return frame


def fitted(parts: list[np.ndarray], band: float | None) -> BatchAligner:
    """An aligner whose reference is the first batch; variables are scaled alike."""
    options = DTW(weights="equal", reference=0, diagonal=1, band=band)
    return BatchAligner(dtw=options).fit(as_batches(long_frame(parts)))


def medians(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median CPU time of each, all in turn so that a busy moment hits everyone."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if turn:
                times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def compare(parts: list[np.ndarray], band: float | None) -> None:
    """Check, time and print ratios."""
    aligner = fitted(parts, band)
    data = as_batches(long_frame(parts))
    plan = aligner.plans_[0]
    scaled = [np.ascontiguousarray(x / plan.scale) for x in parts]
    reach = None if band is None else round(band * (SAMPLES - 1))
    peers = [name for name in PEERS if installed(name)]
    few = scaled[1 : PEER_BATCHES + 1]
    result = aligner.align(data)
    for name in peers:
        theirs = CHECKS[name](few, scaled[0], reach)
        ours = result.summary["distance"].to_numpy()[1 : PEER_BATCHES + 1]
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    runs: dict[str, Callable[[], object]] = {"pharmaq": lambda: aligner.align(data)}
    for name in peers:
        runs[name] = lambda name=name: PROGRAMS[name](few, scaled[0], reach)
    found = medians(runs)
    per_batch = {n: t / (BATCHES if n == "pharmaq" else PEER_BATCHES) for n, t in found.items()}
    print(f"  band {band}: pharmaq {1e3 * per_batch['pharmaq']:.2f} ms of CPU time a batch")
    for name in peers:
        print(f"    {name:<14}{per_batch[name] / per_batch['pharmaq']:6.1f} x ours")


def growth() -> None:
    """Print CPU time and memory for batches of other lengths and numbers."""
    for number, samples in ((50, 500), (100, 500), (200, 500), (100, 250), (100, 1000)):
        parts = batches(number, samples)
        data, aligner = as_batches(long_frame(parts)), fitted(parts, None)
        seconds = medians({"pharmaq": lambda: aligner.align(data)})["pharmaq"]  # noqa: B023
        print(f"  {number} batches x {samples}: {seconds:.3f} s of CPU time")


def memory() -> float:
    """Return the most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Check, time and print."""
    names = ["pharmaq", "numpy", "numba", *filter(installed, PEERS)]
    print(", ".join(f"{name} {version(name)}" for name in names if installed(name)))
    parts = batches(BATCHES, SAMPLES)
    print(f"{BATCHES} batches x {SAMPLES} samples x {VARIABLES} variables")
    aligner, data = fitted(parts, None), as_batches(long_frame(parts))
    before = memory()
    aligner.align(data)
    print(f"  memory: {before:.0f} MB loaded and fitted, {memory():.0f} MB after alignment")
    for band in (None, BAND):
        compare(parts, band)
    growth()


if __name__ == "__main__":
    main()
