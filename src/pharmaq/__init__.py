"""Analytics for PAT and process quality in medicines manufacturing.

Sub-packages are loaded on first use, so that ``import pharmaq`` itself costs nothing:

>>> import pharmaq
>>> pharmaq.chemometrics.PLS(n_components=3)
PLS(n_components=3)
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "batches",
    "chemometrics",
    "datasets",
    "errors",
    "io",
    "modelfile",
    "mspc",
    "provenance",
    "report",
    "results",
    "spc",
    "spectra",
    "units",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"pharmaq.{name}")
    msg = f"module 'pharmaq' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
