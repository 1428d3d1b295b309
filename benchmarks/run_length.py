"""Average run lengths of EWMA, CUSUM and run rules, beside a Markov chain and simulation.

Run ``python benchmarks/run_length.py``. No package found computes run lengths, so the peer
is what textbooks describe: the EWMA's range cut into 401 states (Brook and Evans 1972). Digits
are counted against 400 quadrature nodes. One thread, processor time.
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

import math
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from scipy.special import ndtr

from pharmaq.spc import (
    count_run_length,
    cusum_run_length,
    design_chart,
    estimated_limits,
    ewma_arl,
    ewma_run_length,
    false_alarms,
    individuals_run_length,
    run_rules,
    s2_cusum_run_length,
    s2_ewma_run_length,
    shewhart_run_length,
    xbar_s_run_length,
)
from pharmaq.spc.run_length._automaton import (
    automaton_of_sides,
    lines_between,
    sides_between,
)

LAM, LIMIT, SHIFT = 0.1, 2.7, 0.5
PAIR = {"lam": 0.134, "limit": 2.88275, "s2": {"lam": 0.1, "limit": 2.9464, "reset": False}}


def markov_chain(n_states: int = 401) -> float:
    """EWMA run length by states of equal width."""
    edge = LIMIT * math.sqrt(LAM / (2 - LAM))
    width = 2 * edge / n_states
    middles = -edge + width * (np.arange(n_states) + 0.5)
    start = (1 - LAM) * middles[:, None]
    upper = (middles + width / 2 - start) / LAM - SHIFT
    moves = ndtr(upper) - ndtr(upper - width / LAM)
    return float(np.linalg.solve(np.eye(n_states) - moves, np.ones(n_states))[n_states // 2])


def many_nodes(n: int = 400) -> float:
    """EWMA run length by far more nodes than are needed."""
    edge = LIMIT * math.sqrt(LAM / (2 - LAM))
    nodes, weights = np.polynomial.legendre.leggauss(n)
    points = np.concatenate([[0.0], edge * nodes])
    z = (points - (1 - LAM) * points[:, None]) / LAM - SHIFT
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / LAM
    moves = density * np.concatenate([[0.0], edge * weights])
    return float(np.linalg.solve(np.eye(n + 1) - moves, np.ones(n + 1))[0])


def best_seconds(run: Callable[[], object], rounds: int) -> float:
    """Least processor time a call, of five series."""
    run()
    times = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(rounds):
            run()
        times.append((time.process_time() - start) / rounds)
    return min(times)


def main() -> None:
    """Print digits and times."""
    exact = many_nodes()
    ours, peer = ewma_arl(LAM, LIMIT, SHIFT), markov_chain()
    print(", ".join(f"{p} {version(p)}" for p in ("pharmaq", "numpy", "scipy")))
    for label, value in (("ewma_arl", ours), ("Markov chain, 401 states", peer)):
        print(f"  {label:<28}{value:.10f}, off by {abs(value / exact - 1):.0e}")
    nelson = run_rules("nelson", subset=(1, 2, 5, 6, 7, 8)).rules
    sides = sides_between(nelson, lines_between(nelson))
    rows: list[tuple[str, Callable[[], object], int]] = [
        ("Markov chain, 401 states", markov_chain, 5),
        ("ewma_arl", lambda: ewma_arl(LAM, LIMIT, SHIFT), 500),
        (
            "with SDRL and quantiles",
            lambda: ewma_run_length(lam=LAM, limit=LIMIT, shift=SHIFT),
            50,
        ),
        ("with exact limits", lambda: ewma_run_length(lam=LAM, limit=LIMIT, limits="exact"), 5),
        ("two-sided CUSUM, headstart", lambda: cusum_run_length(k=0.5, h=5, headstart=2.5), 5),
        (
            "four Western Electric rules",
            lambda: shewhart_run_length(rules="western electric"),
            50,
        ),
        (
            "six Nelson tests, automaton",
            lambda: automaton_of_sides.__wrapped__(nelson, sides, stops=True),
            5,
        ),
        ("six Nelson tests, run length", lambda: shewhart_run_length(rules=list(nelson)), 20),
        ("their false alarms", lambda: false_alarms(list(nelson)), 2),
        ("EWMA of variances", lambda: s2_ewma_run_length(lam=0.15, limit=2.4831, n=5), 20),
        ("CUSUM of variances", lambda: s2_cusum_run_length(k=1.46, h=10, n=2), 5),
        ("means and variances", lambda: xbar_s_run_length(n=5, **PAIR), 5),
        ("values and moving ranges", lambda: individuals_run_length(range_limit=3.686), 20),
        (
            "CUSUM under drift",
            lambda: cusum_run_length(k=0.25, h=8, sides="one", drift=0.01),
            5,
        ),
        (
            "Western Electric on counts",
            lambda: count_run_length("c", center=4.0, rules="western electric"),
            20,
        ),
        ("EWMA limit for ARL0 = 500", lambda: design_chart("ewma", arl0=500, lam=0.1), 20),
        ("best EWMA for a shift of 1", lambda: design_chart("ewma", arl0=500, shift=1), 5),
        (
            "EWMA with estimated limits",
            lambda: estimated_limits("ewma", m=20, n=5, lam=0.2, limit=2.6),
            1,
        ),
        (
            "all Nelson tests, 2000 runs",
            lambda: shewhart_run_length(rules="nelson", n_simulations=2000),
            1,
        ),
    ]
    for label, run, rounds in rows:
        print(f"  {label:<32}{1e3 * best_seconds(run, rounds):10.3f} ms")


if __name__ == "__main__":
    main()
