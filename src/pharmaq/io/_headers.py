"""Which column of a table is what: axis position, label of the samples, or a mistake."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pharmaq.errors import AxisError, FormatError, InputError
from pharmaq.spectra import header_number

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Columns", "assign_columns"]

# pandas writes an index without a name as a column without a header, here called so
_INDEX = "index"


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Indices of the columns: `axis` with its `headers`, `labels` by name."""

    axis: list[int]
    headers: list[str]
    labels: dict[str, int]
    index: str | None
    width: int


def assign_columns(
    header: Sequence[str], *, metadata: Sequence[str] | None, sample: str | None
) -> Columns:
    """Tell axis and labels apart by the header alone."""
    names = _column_names(header)
    index = _INDEX if header and not header[0].strip() else None
    _check_known(names, metadata, sample)
    listed = {*(metadata or ()), *((sample,) if sample else ())}
    axis = [
        i
        for i, name in enumerate(names)
        if name not in listed and header_number(name) is not None
    ]
    allowed = None if metadata is None else listed | ({index} if index else set())
    _check_axis_columns(names, axis, allowed=allowed, listed=listed)
    others = sorted({*range(len(names))}.difference(axis))
    _check_distinct(names, others)
    return Columns(
        axis=axis,
        headers=[names[i] for i in axis],
        labels={names[i]: i for i in others},
        index=index,
        width=len(names),
    )


def _column_names(header: Sequence[str]) -> list[str]:
    """Return the headers without blanks around them, and without empty ones at the end."""
    names = [text.strip() for text in header]
    while names and not names[-1]:
        names.pop()
    if names and not names[0]:
        names[0] = _INDEX
    if "" in names:
        msg = f"column {names.index('') + 1} has no header; name it, or remove the column"
        raise FormatError(msg)
    return names


def _check_known(
    names: Sequence[str], metadata: Sequence[str] | None, sample: str | None
) -> None:
    wanted = [("metadata", name) for name in metadata or ()]
    wanted += [("sample", sample)] if sample is not None else []
    for argument, name in wanted:
        if name not in names:
            msg = f"{argument} names {name!r}, which heads no column; {_similar(name, names)}"
            raise InputError(msg)


def _similar(name: str, names: Sequence[str]) -> str:
    folded = {text.casefold(): text for text in names}
    close = difflib.get_close_matches(str(name).casefold(), folded, n=3)
    if close:
        return f"did you mean {' or '.join(repr(folded[text]) for text in close)}?"
    texts = [text for text in names if header_number(text) is None]
    return f"the headers that are no numbers are {_listing(texts)}"


def _listing(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return (shown + (", ..." if len(names) > most else "")) or "none"


def _check_axis_columns(
    names: Sequence[str],
    axis: Sequence[int],
    *,
    allowed: Collection[str] | None,
    listed: Collection[str],
) -> None:
    """Raise if a header is neither an axis position nor the name of a label."""
    if allowed is not None:
        _check_all_named(names, axis, allowed)
    if not axis:
        raise AxisError(_no_axis(names))
    for i in range(axis[0], axis[-1]):
        if header_number(names[i]) is None and names[i] not in listed:
            before, after = (names[j] for j in (i - 1, i + 1))
            msg = (
                f"column {i + 1} is headed {names[i]!r} between {before!r} and {after!r}: "
                "correct it if it is an axis position, name it in metadata if it is not"
            )
            raise AxisError(msg)


def _check_all_named(
    names: Sequence[str], axis: Sequence[int], allowed: Collection[str]
) -> None:
    positions = set(axis)
    for i, name in enumerate(names):
        if i not in positions and name not in allowed:
            msg = (
                f"column {i + 1} is headed {name!r}, which is neither an axis position nor "
                "named in metadata; add it to metadata, or correct the header"
            )
            raise AxisError(msg)


def _no_axis(names: Sequence[str]) -> str:
    msg = (
        f"no column is headed by an axis position (headers: {_listing(names)}); each row must "
        "be one spectrum, its columns headed by positions such as 1100 or '7398.3 cm-1': "
        "correct the headers, or read the numbers yourself and give axis to "
        "pharmaq.spectra.as_spectra"
    )
    if len(names) == 1:
        msg += "; the header is one single column: is the delimiter right?"
    return msg


def _check_distinct(names: Sequence[str], others: Sequence[int]) -> None:
    seen: dict[str, int] = {}
    for i in others:
        if names[i] in seen:
            msg = (
                f"columns {seen[names[i]] + 1} and {i + 1} are both headed {names[i]!r}; "
                "rename or remove one of them"
            )
            raise FormatError(msg)
        seen[names[i]] = i
