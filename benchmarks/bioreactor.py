"""One simulated culture, compiled, beside the same equations in Python and scipy, one thread.

Run ``PYTHONPATH=src:tests python benchmarks/bioreactor.py``. The Python form is the twin of the
tests, integrated minute by minute by LSODA at the tolerance at which both agree to 1e-7.
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

import statistics
import time
from importlib.metadata import version

from scipy.integrate import solve_ivp

from naive_bioreactor import derivatives
from pharmaq.datasets import bioreactor

ROUNDS = 5
MINUTES = 60
ACTUATORS = ["feed_rate", "base_rate", "transfer", "jacket_temperature"]


def main() -> None:
    settings = {"n_batches": 1, "interval": 1, "raman_interval": None}
    plant = bioreactor(**settings)
    states, level = plant.states, plant.levels.iloc[0]
    total = len(states)
    first = states.columns.get_loc("biomass")
    values = states.iloc[:, first : first + 14].to_numpy()
    acts = states[ACTUATORS].assign(induced=0.0).to_numpy()

    def python() -> None:
        # from the middle of the fed-batch phase
        for row in range(720, 720 + MINUTES):
            solve_ivp(
                lambda _, y, a=acts[row]: derivatives(y, a, level),
                (0.0, 1 / 60),
                values[row],
                method="LSODA",
                rtol=1e-7,
                atol=1e-9,
            )

    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        bioreactor(**settings)
        ours.append(time.process_time() - start)
        start = time.process_time()
        python()
        theirs.append((time.process_time() - start) * total / MINUTES)
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"numpy {version('numpy')}, scipy {version('scipy')}, numba {version('numba')}")
    print(f"pharmaq, whole batch with sensors: {1e3 * mine:8.1f} ms")
    print(f"Python and scipy, equations only:  {1e3 * other:8.1f} ms")
    print(f"ratio {other / mine:.0f}")


if __name__ == "__main__":
    main()
