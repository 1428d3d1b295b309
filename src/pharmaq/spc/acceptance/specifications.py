"""A table of specifications, from a frame or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc.acceptance.specification import Specification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

__all__ = ["Specifications"]

_FIELDS = (
    "test", "limits", "lsl", "usl", "units", "product", "stage", "phase", "alert", "action",
    "target", "digits", "rounding", "reporting_limit",
)  # fmt: skip


class Specifications:
    """A table of specifications, found by product, test, stage and phase.

    Parameters
    ----------
    specifications : iterable of Specification
        No two for the same product, test, stage and phase.

    Raises
    ------
    InputError
        If there is none, or two hold for the same thing.

    Examples
    --------
    >>> table = Specifications(
    ...     [Specification("assay", "95.0-105.0 %"), Specification("water", "NMT 0.50 %")]
    ... )
    >>> len(table), str(table.find("water"))
    (2, 'water: <= 0.50 %')
    """

    __slots__ = ("_by_key",)

    def __init__(self, specifications: Iterable[Specification]) -> None:
        self._by_key: dict[tuple[str, str, str, str], Specification] = {}
        for spec in specifications:
            if not isinstance(spec, Specification):
                msg = f"specifications must hold Specification objects, got {spec!r}"
                raise InputTypeError(msg)
            if spec.key in self._by_key:
                msg = f"there are two specifications of {spec.label}; keep one"
                raise InputError(msg)
            self._by_key[spec.key] = spec
        if not self._by_key:
            msg = "specifications must hold at least one, got none"
            raise InputError(msg)

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, columns: Mapping[str, str] | None = None
    ) -> Specifications:
        """Read specifications from a frame, a row each.

        Parameters
        ----------
        frame : DataFrame
            Columns ``test`` and ``limits`` (text), or ``lsl`` and ``usl``; and any of
            ``units, product, stage, phase, alert, action, target, digits, rounding,
            reporting_limit``. Empty cells mean none. Other columns are left alone.
        columns : mapping of str to str, optional
            Name here -> name in the frame, where they differ.

        Returns
        -------
        Specifications
            The table.

        Raises
        ------
        InputError
            If a column is missing or a row cannot be read; the message names the row.
        """
        table = _renamed(frame, columns)
        sides = {"lsl", "usl"} & set(table.columns)
        if "test" not in table or ("limits" not in table and not sides):
            msg = (
                "a table of specifications needs the columns 'test' and 'limits' (or 'lsl', "
                f"'usl'), got {list(map(str, frame.columns))}; name others with columns="
            )
            raise InputError(msg)
        specs = []
        for label, row in zip(table.index, table.to_dict("records"), strict=True):
            try:
                specs.append(_from_row(row))
            except (InputError, InputTypeError) as error:
                msg = f"specification in row {label!r}: {error}"
                raise InputError(msg) from None
        return cls(specs)

    @classmethod
    def read_csv(
        cls, path: str | PathLike[str], *, columns: Mapping[str, str] | None = None
    ) -> Specifications:
        """Read specifications from a CSV file, limits as the text that stands there.

        Parameters
        ----------
        path : str or path
            File with a header line, separated by commas, see `from_frame`.
        columns : mapping of str to str, optional
            Name here -> name in the file, where they differ.

        Returns
        -------
        Specifications
            The table; 95.0 keeps its digit.
        """
        # text, or 95.0 would lose its digit
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
        return cls.from_frame(frame, columns=columns)

    def find(
        self, test: str, *, product: str = "", stage: str = "", phase: str = ""
    ) -> Specification | None:
        """Return the specification that holds, the most special one first, or None.

        Parameters
        ----------
        test : str
            Name of the test.
        product, stage, phase : str, optional
            What the result belongs to. One that names the product goes before one that names
            the stage, and that before one that names the phase.

        Returns
        -------
        Specification or None
            None if there is none.
        """
        for p in dict.fromkeys((product, "")):
            for s in dict.fromkeys((stage, "")):
                for h in dict.fromkeys((phase, "")):
                    spec = self._by_key.get((p, test, s, h))
                    if spec is not None:
                        return spec
        return None

    def to_frame(self) -> pd.DataFrame:
        """Return a row a specification; `from_frame` reads it back."""
        rows = []
        for spec in self:
            row = {name: getattr(spec, name) for name in _FIELDS if hasattr(spec, name)}
            ranges = ("limits", "alert", "action")
            row |= {name: "" if row[name] is None else str(row[name]) for name in ranges}
            rows.append(row)
        return pd.DataFrame(rows)

    def __iter__(self) -> Iterator[Specification]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def __repr__(self) -> str:
        return f"Specifications({', '.join(map(str, self))})"

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))

    @property
    def has_stages(self) -> bool:
        """Whether any of them holds for one stage only."""
        return any(spec.stage for spec in self)


def _renamed(frame: pd.DataFrame, columns: Mapping[str, str] | None) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        msg = f"frame must be a pandas DataFrame, got {type(frame).__name__}"
        raise InputTypeError(msg)
    names = dict(columns or {})
    unknown = sorted(set(names) - set(_FIELDS))
    if unknown:
        msg = f"columns maps {unknown}, which no specification has; it has {list(_FIELDS)}"
        raise InputError(msg)
    absent = [name for name in names.values() if name not in frame.columns]
    if absent:
        msg = (
            f"column {absent[0]!r} is not in the frame; it has {list(map(str, frame.columns))}"
        )
        raise InputError(msg)
    return frame.rename(columns={theirs: ours for ours, theirs in names.items()})


def _from_row(row: Mapping[Any, Any]) -> Specification:
    cells = {name: row[name] for name in _FIELDS if name in row and not _empty(row[name])}
    low, high = cells.pop("lsl", None), cells.pop("usl", None)
    if "limits" not in cells:
        cells["limits"] = (_plain(low), _plain(high))
    for name in ("target", "reporting_limit"):
        if name in cells:
            cells[name] = float(cells[name])
    if "digits" in cells:
        cells["digits"] = int(float(cells["digits"]))
    for name in ("test", "product", "stage", "phase", "units"):
        if name in cells:
            cells[name] = str(cells[name])
    if "test" not in cells:
        msg = "column 'test' is empty"
        raise InputError(msg)
    return Specification(cells.pop("test"), cells.pop("limits"), **cells)


def _empty(cell: Any) -> bool:
    return cell is None or cell == "" or (not isinstance(cell, tuple) and bool(pd.isna(cell)))


def _plain(cell: Any) -> Any:
    return cell.item() if hasattr(cell, "item") else cell
