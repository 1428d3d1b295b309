"""The nylon reactor, and numbers of two programs about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from naive_batches import dataset


@pytest.fixture(scope="session")
def nylon(mspc_data: Path) -> xr.Dataset:
    """57 batches of a nylon autoclave, each resampled to 100 times."""
    with np.load(mspc_data / "nylon_resampled.npz") as stored:
        names = [str(tag) for tag in stored["tags"]]
        return dataset(stored["X"], names=names, batch=stored["ids"])


@pytest.fixture(scope="session")
def golden(mspc_data: Path) -> dict[str, Any]:
    """Multiway PCA of these batches, by two programs that agree."""
    return json.loads((mspc_data / "nylon_golden.json").read_text())
