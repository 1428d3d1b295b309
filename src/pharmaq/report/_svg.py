"""Pictures as inline SVG whose colours follow the page, light or dark."""

from __future__ import annotations

import html
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pharmaq import _style

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

_LONG_PATH = 400

_SETTINGS: Any = {
    "axes.edgecolor": _style.MUTED,
    "axes.labelcolor": _style.INK,
    "font.family": "sans-serif",
    "font.size": 11,
    "legend.labelcolor": _style.INK,
    "svg.fonttype": "none",
    # equal pictures are equal to the byte
    "svg.hashsalt": "pharmaq",
    "text.color": _style.INK,
    "xtick.color": _style.MUTED,
    "xtick.labelcolor": _style.INK,
    "ytick.color": _style.MUTED,
    "ytick.labelcolor": _style.INK,
}


def draw_svg(
    draw: Callable[[Axes], object], *, title: str, size: tuple[float, float] = (5.8, 3.9)
) -> str:
    """Draw on new axes and return the picture as inline SVG with an accessible title."""
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # the page's reader draws the letters, with fonts that need not be on this machine
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained", facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        draw(axes)
        stream = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(stream, metadata={"Date": None, "Creator": None})
    return _inline(stream.getvalue(), title)


def _inline(text: str, title: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _without_spare_ids(text)
    text = re.sub(r' d="[^"]*"', _rounded, text)
    for name, color in _style.COLORS.items():
        text = text.replace(color, f"var(--{name})")
    box = re.search(r'viewBox="[^"]*"', text)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{box[0] if box else ""} role="img" aria-label="{html.escape(title)}">'
        f"<title>{html.escape(title)}</title>"
    )
    return opening + text[text.index(">") + 1 :].strip()


def _without_spare_ids(text: str) -> str:
    """Drop the ids that nothing refers to: several pictures share one page."""
    used = set(re.findall(r"#([\w-]+)", text))
    return re.sub(r' id="([\w-]+)"', lambda m: m[0] if m[1] in used else "", text)


def _rounded(match: re.Match[str]) -> str:
    """Write path coordinates as short as the eye allows: a tenth of a point in long lines."""
    path = match[0]
    if len(path) < _LONG_PATH or set(re.findall("[A-Za-z]", path)) - set("dML"):
        return re.sub(r"(\d+\.\d\d)\d+", r"\1", path)
    # pairs after M are lines without being told so
    plain = re.sub(r"\s*L\s*", " ", re.sub(r"\s*M\s*", "M", path[4:-1])).strip()
    shorter = re.sub(r"-?\d+\.\d+", _tenth, plain)
    return f' d="{shorter}"'


def _tenth(match: re.Match[str]) -> str:
    return f"{round(float(match[0]), 1):g}"
