"""Published data sets and numbers of statistical process control."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Close what a test drew; pyplot is not imported for tests that draw nothing."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.fixture(scope="session")
def spc_data(shared: Path) -> Path:
    """Folder with data of textbooks and manuals."""
    return shared / "cases" / "spc_mspc" / "data"


@pytest.fixture(scope="session")
def r_results(shared: Path) -> dict[str, Any]:
    """Results of R 4.2.2 and its packages on public data."""
    return json.loads((shared / "data" / "REFERENCE.json").read_text())


@pytest.fixture(scope="session")
def pistonrings(spc_data: Path) -> np.ndarray:
    """Inside diameters of piston rings, 40 subgroups of 5, mm (Montgomery)."""
    return pd.read_csv(spc_data / "pistonrings.csv")["diameter"].to_numpy().reshape(40, 5)
