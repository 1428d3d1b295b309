"""Tennessee Eastman data, and a simulated process with known structure."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

TAGS = [f"XMEAS({i})" for i in range(1, 42)] + [f"XMV({i})" for i in range(1, 12)]


@pytest.fixture(scope="session")
def tennessee() -> Callable[[str], pd.DataFrame]:
    """Tennessee Eastman runs by name (d00 ... d21_te), 52 variables every three minutes."""
    spec = find_spec("bibmon")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the package bibmon for its Tennessee Eastman data")
    folder = Path(next(iter(spec.submodule_search_locations))) / "tennessee_eastman"

    def load(name: str) -> pd.DataFrame:
        values = np.loadtxt(folder / f"{name}.dat")
        # one of the files has a variable a row
        return pd.DataFrame(values.T if len(values) == 52 else values, columns=TAGS)

    return load
