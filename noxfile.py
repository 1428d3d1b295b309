"""The checks of the project, each in an environment of its own; `nox -l` lists them."""

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"

NOTEBOOKS = [f"jupyter execute {path}" for path in sorted(Path("notebooks").glob("*.ipynb"))]
SCRIPTS = [f"python {path}" for path in sorted(Path("benchmarks").glob("*.py"))]

# name of the session: extra to install, commands to run
CHECKS = {
    "lint": ("dev", ["ruff check .", "ruff format --check .", "lint-imports", "codespell"]),
    "types": ("dev", ["mypy"]),
    "tests": ("test", ["pytest -n 2 --cov"]),
    "nojit": ("test", ["pytest -n 2"]),
    "minimums": ("test", ["pytest -n 2"]),
    "notebooks": ("docs", NOTEBOOKS),
    "docs": ("docs", ["python -m sphinx -W -b html docs docs/_build/html"]),
    "bench": ("bench", SCRIPTS),
}
ENVIRONMENT = {"nojit": {"NUMBA_DISABLE_JIT": "1"}}
INSTALL_OPTIONS = {"minimums": ["--resolution=lowest-direct"]}
# only uv resolves to the lowest versions, and only the oldest Python has wheels of them
SETTINGS = {"minimums": {"python": "3.11", "venv_backend": "uv"}}


def add_session(name: str, extra: str, commands: list[str]) -> None:
    """Make a session that installs one extra and runs commands."""

    def check(session: nox.Session) -> None:
        if not commands:
            session.skip("there is nothing to run yet")
        session.install(*INSTALL_OPTIONS.get(name, []), "-e", f".[{extra}]")
        for command in commands:
            session.run(*command.split(), *session.posargs, env=ENVIRONMENT.get(name))

    check.__doc__ = ", ".join(commands) or "nothing to run yet"
    nox.session(check, name=name, **SETTINGS.get(name, {}))


for session_name, (needed, steps) in CHECKS.items():
    add_session(session_name, needed, steps)
