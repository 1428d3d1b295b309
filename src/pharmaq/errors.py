"""The errors that pharmaq raises; each is also the built-in that fits."""

__all__ = [
    "AxisError",
    "FileAccessError",
    "FormatError",
    "InputError",
    "InputTypeError",
    "MissingExtraError",
    "PharmaqError",
    "UnitsError",
]


class PharmaqError(Exception):
    """Base of every error that pharmaq raises on purpose."""


class InputError(PharmaqError, ValueError):
    """An argument or a piece of data breaks a rule; the message names it and the way out."""


class InputTypeError(PharmaqError, TypeError):
    """An argument has the wrong type."""


class AxisError(InputError):
    """A spectral axis is not the one that is needed: shifted, unsorted, of another kind."""


class UnitsError(InputError):
    """Units are unknown, or one cannot be converted into the other."""


class FormatError(InputError):
    """A file was opened, but its content is not what its format promises."""


class FileAccessError(PharmaqError, OSError):
    """A file or folder cannot be read or written."""


class MissingExtraError(PharmaqError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package!r}, which is not installed: "
            f'python -m pip install "pharmaq[{extra}]"'
        )
