"""The project keeps its own promises: a light import, documented names, a README that works."""

from __future__ import annotations

import inspect
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import pharmaq

ROOT = Path(__file__).parents[1]

PRINT_WHAT_IS_LOADED = """
import sys
before = set(sys.modules)
import pharmaq
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(loaded - sys.stdlib_module_names - {"pharmaq"}))
"""


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


def exported() -> dict[str, Any]:
    """Every name in `__all__` of every module without an underscore."""
    found = pkgutil.walk_packages(pharmaq.__path__, prefix="pharmaq.")
    modules = [import_module(m.name) for m in found if "._" not in m.name]
    return {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in [pharmaq, *modules]
        for name in getattr(module, "__all__", [])
    }


def can_have_docstring(thing: Any) -> bool:
    return inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing)


def has_docstring(thing: Any) -> bool:
    text = (thing.__doc__ or "").strip()
    # a dataclass without a docstring gets its signature as one
    return bool(text) and not text.startswith(f"{thing.__name__}(")


def test_import_loads_no_third_party_module() -> None:
    done = run_python("-c", PRINT_WHAT_IS_LOADED)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_version_is_the_installed_one() -> None:
    assert pharmaq.__version__ == version("pharmaq")


def test_readme_opens_with_two_commands_that_install_and_run() -> None:
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    assert blocks, "README.md has no code block"
    commands = blocks[0].splitlines()
    assert len(commands) == 2
    for command in commands:
        assert re.match(r"python -m pip install \S.* && \S", command)


def test_exported_names_have_docstrings() -> None:
    things = {name: thing for name, thing in exported().items() if can_have_docstring(thing)}
    assert [name for name, thing in things.items() if not has_docstring(thing)] == []


def test_no_module_is_longer_than_500_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in (ROOT / "src").rglob("*.py")
    }
    assert {path: lines for path, lines in lengths.items() if lines > 500} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in pharmaq.__all__ if name != "__version__"])
def test_subpackage_can_be_imported_first_and_without_a_warning(name: str) -> None:
    done = run_python("-W", "error", "-c", f"import pharmaq.{name}")
    assert (done.returncode, done.stderr) == (0, "")
