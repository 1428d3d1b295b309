"""Settings of the documentation: nothing here needs a network, neither to build nor to read."""

import sys
from pathlib import Path

import pharmaq

DOCS = Path(__file__).parent
sys.path.append(str(DOCS / "_extensions"))

from api_pages import copy_notebooks, method_pages, module_table  # noqa: E402

project = "pharmaq"
author = "The pharmaq developers"
copyright = "the pharmaq developers"
release = version = pharmaq.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "api_pages",
    "formulas",
]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "_templates", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
# `name` in a docstring is code, and a link where pharmaq has such a name
default_role = "py:obj"

myst_enable_extensions = ["dollarmath", "substitution"]
myst_substitutions = {"module_table": module_table(), "method_pages": method_pages(DOCS)}
# each notebook runs once, and again where it was changed
copy_notebooks(DOCS)
nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # numpydoc's sections say it in words
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "pharmaq"
html_static_path = ["_static"]
html_css_files = ["pharmaq.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "outlines"
html_sidebars = {"index": [], "conventions": []}
html_theme_options = {
    "logo": {"text": "pharmaq"},
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "show_toc_level": 2,
}
