"""The frame of every report: page, tables, figures, cards."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from pharmaq import _style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from pharmaq.results import Finding

_DARK = {
    "ink": "#e6ebf1",
    "muted": "#9fb0c3",
    "grid": "#33414f",
    "surface": "#151c24",
    "primary": "#6cabf0",
    "secondary": "#4cc3b3",
    "alert": "#f0a742",
    "action": "#ff7a88",
    "limit": "#c59ada",
}
_PANEL = ("#ffffff", "#1c2631")

_CSS = """
:root { color-scheme: light dark; LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
@media print { :root { color-scheme: light; LIGHT } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--surface); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 1.2rem 1rem 3rem; }
header h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.4rem 0 0.2rem; }
header p { margin: 0; color: var(--muted); }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.6rem; }
a { color: var(--primary); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; padding: 0; margin: 0.9rem 0 0;
  list-style: none; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: 0.7rem; margin: 1.2rem 0 0; padding: 0; }
.card { background: var(--panel); border: 1px solid var(--grid); border-radius: 8px;
  padding: 0.7rem 0.9rem; margin: 0; }
.card dt { color: var(--muted); font-size: 0.85rem; }
.card dd { margin: 0; font-size: 1.35rem; font-weight: 600; overflow-wrap: anywhere; }
.card dd small { display: block; font-size: 0.82rem; font-weight: 400; line-height: 1.35;
  color: var(--muted); }
.figures { display: grid; gap: 0.9rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
figure { background: var(--panel); border: 1px solid var(--grid); border-radius: 8px;
  margin: 0; padding: 0.7rem 0.8rem 0.5rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: 0.9rem; color: var(--muted); padding: 0.4rem 0 0.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
table.wide { min-width: 40rem; width: 100%; }
th, td { text-align: left; padding: 0.32rem 0.7rem 0.32rem 0; vertical-align: top;
  border-bottom: 1px solid var(--grid); overflow-wrap: anywhere; }
th { overflow-wrap: normal; } td.name { white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
tr { break-inside: avoid; }
code { font-size: 0.88em; overflow-wrap: anywhere; }
.action { color: var(--action); } .alert { color: var(--alert); }
.info { color: var(--muted); } .badge { font-weight: 600; white-space: nowrap; }
.good { border-left: 4px solid var(--secondary); padding: 0.3rem 0.8rem; }
footer { margin-top: 2.5rem; color: var(--muted); font-size: 0.85rem; }
@page { size: A4; margin: 14mm; }
@media print {
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } nav { display: none; }
  .figures { grid-template-columns: 1fr 1fr; } .cards { grid-template-columns: repeat(4, 1fr); }
  figure, .card { border-color: #bbb; } h2 { break-after: avoid; }
  .scroll { overflow: visible; } table { font-size: 8.5pt; }
  table.wide { min-width: 0; } th, td { padding-right: 0.45rem; }
}
"""

_SHORT_NAME = 20

_STATUS_SEVERITY = {
    "extrapolated": "alert",
    "outlier_t2": "alert",
    "outlier_spe": "action",
    "wrong_axis": "action",
}

_MARKS = {"action": "■ action", "alert": "▲ alert", "info": "● info"}


def page(title: str, subtitle: str, sections: Sequence[tuple[str, str, str]], top: str) -> str:
    """Return a whole page; each section is its anchor, its heading and its body."""
    links = "".join(f'<li><a href="#{key}">{text(name)}</a></li>' for key, name, _ in sections)
    body = "".join(
        f'<section id="{key}"><h2>{text(name)}</h2>{content}</section>'
        for key, name, content in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{_css()}</style></head><body><main>"
        f"<header><h1>{text(title)}</h1><p>{text(subtitle)}</p></header>{top}"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>{body}'
        "<footer>Made by pharmaq. This page is complete in itself and asks for no network."
        "</footer></main></body></html>\n"
    )


def text(value: object) -> str:
    """Return text safe to stand in HTML."""
    return html.escape(str(value))


def number(value: object, digits: int = 4) -> str:
    """Return a number with so many significant digits; other things as they are."""
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return "" if value is None else str(value)


def cards(facts: Iterable[tuple[str, str, str]]) -> str:
    """Return the headline figures: name, value, remark."""
    body = "".join(
        f'<div class="card"><dt>{text(name)}</dt>'
        f"<dd>{text(value)} <small>{text(remark)}</small></dd></div>"
        for name, value, remark in facts
    )
    return f'<dl class="cards">{body}</dl>'


def figure(svg: str, caption: str) -> str:
    """Return a picture with its caption."""
    return f"<figure>{svg}<figcaption>{text(caption)}</figcaption></figure>"


def figures(parts: Iterable[str]) -> str:
    """Return pictures side by side where there is room."""
    return f'<div class="figures">{"".join(parts)}</div>'


def table(frame: pd.DataFrame) -> str:
    """Return a table; numbers are set right, and the status of a spectrum is coloured."""
    numeric = [kind.kind in "if" for kind in frame.dtypes]
    head = "".join(
        f'<th scope="col"{_align(right)}>{text(name)}</th>'
        for name, right in zip(frame.columns, numeric, strict=True)
    )
    rows = (
        "".join(
            f"<td{_align(right) or _keep_whole(cell)}>{_cell(cell)}</td>"
            for cell, right in zip(row, numeric, strict=True)
        )
        for row in frame.itertuples(index=False)
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    wide = ' class="wide"' if len(frame.columns) > 3 else ""
    return (
        f'<div class="scroll"><table{wide}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def findings_table(findings: Sequence[Finding], nothing: str) -> str:
    """Return findings, the most serious first; a sentence where there are none."""
    if not findings:
        return f'<p class="good">{text(nothing)}</p>'
    order = {name: place for place, name in enumerate(_MARKS)}
    rows = "".join(
        f'<tr><td class="badge {f.severity}">{_MARKS[f.severity]}</td>'
        f"<td{_keep_whole(f.subject)}>{text(f.subject)}</td><td>{text(f.message)}</td>"
        f'<td class="number">{text(number(f.value))}</td>'
        f'<td class="number">{text(number(f.limit))}</td></tr>'
        for f in sorted(findings, key=lambda f: order[f.severity])
    )
    head = "<th>severity</th><th>subject</th><th>finding</th>"
    numbers = '<th class="number">value</th><th class="number">limit</th>'
    return (
        f'<div class="scroll"><table class="wide"><thead><tr>{head}{numbers}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _keep_whole(value: object) -> str:
    """Keep short names such as sample labels on one line."""
    word = str(value)
    return ' class="name"' if len(word) <= _SHORT_NAME and " " not in word else ""


def _cell(value: object) -> str:
    severity = _STATUS_SEVERITY.get(str(value))
    body = text(number(value))
    return f'<span class="badge {severity}">{body}</span>' if severity else body


def _align(right: bool) -> str:
    return ' class="number"' if right else ""


def _css() -> str:
    light = {**_style.COLORS, "panel": _PANEL[0]}
    dark = {**_DARK, "panel": _PANEL[1]}
    return _CSS.replace("LIGHT", _variables(light)).replace("DARK", _variables(dark))


def _variables(colors: dict[str, str]) -> str:
    return " ".join(f"--{name}: {color};" for name, color in colors.items())
