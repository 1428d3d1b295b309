"""Published data sets as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Data = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def dyrby(shared: Path) -> Data:
    """NIR transmittance of 310 tablets (Dyrby et al. 2002) and their content, % w/w."""
    frame = pd.read_csv(shared / "data" / "nir" / "tablets_escitalopram_nir.csv")
    return frame.iloc[:, 4:].to_numpy(), frame["active (%w/w)"].to_numpy()


@pytest.fixture(scope="session")
def gasoline(shared: Path) -> Data:
    """NIR of 60 gasolines and their octane number (Kalivas 1997)."""
    frame = pd.read_csv(shared / "data" / "nir" / "gasoline_octane.csv")
    return frame.iloc[:, 1:].to_numpy(), frame["octane"].to_numpy()


@pytest.fixture(scope="session")
def corn(shared: Path) -> pd.DataFrame:
    """NIR of 80 corn samples on instrument m5 (Cargill)."""
    return pd.read_csv(shared / "data" / "nir" / "corn_m5.csv")


@pytest.fixture(scope="session")
def people(shared: Path) -> pd.DataFrame:
    """Twelve properties of 32 persons, the demonstration data of PLS_Toolbox."""
    frame = pd.read_csv(shared / "data" / "multivariate" / "people.csv")
    return frame.drop(columns="row").astype(float)
