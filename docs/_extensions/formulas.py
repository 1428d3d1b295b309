"""Formulas drawn as outlines in the page, so that they need no script and no font."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

EM = 100  # units of a drawing in one em
SIZE = 110  # letters of a formula are small beside those of the page


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("outlines", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def visit_math(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(formula(node, r"\frac"))
    raise nodes.SkipNode


def visit_math_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    drawn = formula(node, r"\dfrac")
    translator.body.append(f'<div class="formula">{drawn}</div>')
    raise nodes.SkipNode


def formula(node: nodes.math | nodes.math_block, fraction: str) -> str:
    """Return a formula as SVG; one that matplotlib cannot read stays readable as code."""
    latex = " ".join(node.astext().split())
    try:
        return formula_svg(latex.replace(r"\frac", fraction), label=latex)
    except ValueError as error:
        getLogger(__name__).warning("formula %r: %s", latex, error, location=node)
        return f"<code>{html.escape(latex)}</code>"


def formula_svg(latex: str, label: str) -> str:
    font = FontProperties(math_fontfamily="stix")
    outline = TextPath((0, 0), f"${latex}$", size=SIZE, prop=font)
    box = outline.get_extents().padded(2)
    # the y axis of SVG points down
    view = f"{box.x0:.0f} {-box.y1:.0f} {box.width:.0f} {box.height:.0f}"
    style = (
        f"width: {box.width / EM:.2f}em; height: {box.height / EM:.2f}em; "
        f"vertical-align: {box.y0 / EM:.2f}em; overflow: visible; fill: currentColor"
    )
    return (
        f'<svg role="img" aria-label="{html.escape(label)}" viewBox="{view}" style="{style}">'
        f'<path d="{svg_path(outline)}"/></svg>'
    )


def svg_path(outline: TextPath) -> str:
    words = {outline.MOVETO: "M", outline.LINETO: "L", outline.CURVE3: "Q", outline.CURVE4: "C"}
    steps = []
    for points, code in outline.iter_segments(simplify=False):
        if code == outline.CLOSEPOLY:
            steps.append("Z")
            continue
        pairs = (f"{x:.0f},{-y:.0f}" for x, y in points.reshape(-1, 2))
        steps.append(words[code] + " ".join(pairs))
    return "".join(steps)
