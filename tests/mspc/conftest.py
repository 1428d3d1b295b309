"""Published data sets and numbers of multivariate monitoring."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def mspc_data(shared: Path) -> Path:
    """Folder with data of textbooks and public studies."""
    return shared / "cases" / "spc_mspc" / "data"


@pytest.fixture(scope="session")
def mspc_cases(shared: Path) -> dict[str, dict[str, Any]]:
    """Published numbers by the name of the case."""
    cases = json.loads((shared / "cases" / "spc_mspc" / "cases.json").read_text())
    return {case["id"]: case for case in cases}


@pytest.fixture(scope="session")
def r_results(shared: Path) -> dict[str, Any]:
    """Results of R 4.2.2 and its packages on public data."""
    return json.loads((shared / "data" / "REFERENCE.json").read_text())
