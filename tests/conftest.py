"""Settings and data that several test modules share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with public reference data, or a skip with the reason."""
    folder = Path(os.environ.get("PHARMAQ_SHARED", "../shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no reference data in {folder}: set PHARMAQ_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def chemometric_cases(shared: Path) -> dict[str, Any]:
    """Reference numbers for PCA, PLS and cross-validation."""
    return json.loads((shared / "cases" / "chemometrics.json").read_text())
