"""API pages: a new module and a newly exported name appear by themselves."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.ext.autosummary import autosummary_table

import pharmaq

if TYPE_CHECKING:
    from types import ModuleType

    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    write_module_pages(Path(app.confdir, "api", "generated"))
    app.connect("autodoc-skip-member", skip_what_others_define)
    # after numpydoc, which comes at 500
    app.connect("autodoc-process-docstring", escape_plain_text, priority=600)
    app.connect("doctree-read", drop_citations_from_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def module_table() -> str:
    """Return the public modules with the first line of their docstrings."""
    rows = ["| module | what it is for |", "|---|---|"]
    for name, module in public_modules().items():
        summary = (module.__doc__ or "").strip().partition("\n")[0]
        rows.append(f"| [`{name}`](generated/{name}.rst) | {summary} |")
    return "\n".join(rows)


def method_pages(docs: Path) -> str:
    """Return the contents of `methods`; a toctree that finds no page yet would warn."""
    pages = sorted(page.stem for page in docs.glob("methods/*.md") if page.stem != "index")
    return "\n".join(["```{toctree}", *pages, "```"]) if pages else ""


def copy_notebooks(docs: Path) -> None:
    """Bring the notebooks into the docs, for Sphinx reads its own folder only."""
    target = docs / "notebooks"
    target.mkdir(exist_ok=True)
    originals = {path.name: path.read_bytes() for path in docs.parent.glob("notebooks/*.ipynb")}
    for path in target.glob("*.ipynb"):
        if path.name not in originals:
            path.unlink()
    for name, content in originals.items():
        page = target / name
        # an unchanged page is not read again
        if not page.exists() or page.read_bytes() != content:
            page.write_bytes(content)


def write_module_pages(folder: Path) -> None:
    """Write one page a module; autosummary writes those of the names they list."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = public_modules()
    names = {
        f"{name}.{member}" for name, module in modules.items() for member in module.__all__
    }
    for page in folder.rglob("*.rst"):
        if page.stem not in names | set(modules):
            page.unlink()
    for name, module in modules.items():
        page, text = folder / f"{name}.rst", module_page(name, module)
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def public_modules() -> dict[str, ModuleType]:
    names = [f"pharmaq.{name}" for name in pharmaq.__all__ if not name.startswith("_")]
    specs = {name: find_spec(name) for name in names}
    return {name: import_module(name) for name, spec in specs.items() if spec and spec.origin}


def module_page(name: str, module: ModuleType) -> str:
    """Return the docstring of a module and a table of what it exports."""
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
    lines += [f".. currentmodule:: {name}", "", ".. autosummary::", "   :toctree: objects"]
    lines += ["   :nosignatures:", "", *(f"   {member}" for member in module.__all__), ""]
    return "\n".join(lines)


def skip_what_others_define(
    _app: Sphinx, _what: str, name: str, member: Any, _skip: bool, _options: Any
) -> bool | None:
    """Leave out what a class has from other packages: it is documented there."""
    owner = getattr(member, "__objclass__", getattr(member, "fget", member))
    home = getattr(owner, "__module__", None) or "pharmaq"
    by_sklearn = re.fullmatch(r"set_\w+_request", name)
    return True if by_sklearn or not home.startswith("pharmaq") else None


def escape_plain_text(
    _app: Sphinx, _what: str, _name: str, _member: Any, _options: Any, lines: list[str]
) -> None:
    """Keep "S. Wold" at the start of a line, and |loading|, from being read as markup."""
    initial, absolute = r"^(\s*(?:\.\. \[\S+\] )?)(?=[A-Z]\. )", r"(?<![`\w])\|(\w+)\|"
    for i, line in enumerate(lines):
        if not line.lstrip().startswith(">>>"):
            lines[i] = re.sub(absolute, r"\|\1\|", re.sub(initial, r"\1\\", line))


def drop_citations_from_tables(_app: Sphinx, doctree: nodes.document) -> None:
    """Take "[1]" out of the one-line summaries: the reference stands on another page."""
    for table in doctree.findall(autosummary_table):
        for mark in list(table.findall(pending_xref)):
            if mark["refdomain"] == "citation":
                place = mark.parent.index(mark)
                before = mark.parent[place - 1].astext().rstrip()
                mark.parent[place - 1 : place + 1] = [nodes.Text(before)]
