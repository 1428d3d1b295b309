"""Mixtures that curve resolution is tried on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Mixtures = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def carbs(shared: Path) -> Mixtures:
    """Raman spectra of fructose, lactose and ribose: mixtures, contents, pure spectra."""
    folder = shared / "data" / "raman"
    tables = [
        pd.read_csv(folder / f"carbs_mcr_{name}.csv") for name in ("spectra", "conc", "pure")
    ]
    X, C, S = (table.iloc[:, 1:].to_numpy(float) for table in tables)
    return X, C, S.T


@pytest.fixture
def reaction() -> Mixtures:
    """A to B to C without noise: mixtures, concentrations that add up to 2, spectra."""
    time = np.linspace(0, 5, 40)
    first = np.exp(-2 * time)
    second = 2 / (2 - 0.7) * (np.exp(-0.7 * time) - np.exp(-2 * time))
    C = 2 * np.column_stack([first, second, 1 - first - second])
    points = np.linspace(0, 1, 50)
    bands = [(0.2, 0.8), (0.5, 0.1), (0.85, 0.4)]
    S = np.array(
        [
            sum(np.exp(-(((points - c) / 0.12) ** 2)) * h for c, h in ((a, 1.0), (b, 0.2)))
            for a, b in bands
        ]
    )
    return C @ S, C, S
