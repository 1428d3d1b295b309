"""Colours, marks and sizes of every picture; for `plots` modules only.

Each colour is a role, and each role has its own value: a page may replace one by another for
dark mode without touching the rest.
"""

INK = "#1f2933"
MUTED = "#627386"
GRID = "#dde3ea"
SURFACE = "#fdfdfe"
PRIMARY = "#1f5fa8"
SECONDARY = "#0e8074"
ALERT = "#b7680a"
ACTION = "#c02a3a"
LIMIT = "#8a4fa3"

COLORS = {
    "ink": INK,
    "muted": MUTED,
    "grid": GRID,
    "surface": SURFACE,
    "primary": PRIMARY,
    "secondary": SECONDARY,
    "alert": ALERT,
    "action": ACTION,
    "limit": LIMIT,
}

# distinguishable in greyscale by shape, not by colour alone
STATUS_MARKS = {
    "ok": ("o", PRIMARY),
    "extrapolated": ("D", SECONDARY),
    "outlier_t2": ("^", ALERT),
    "outlier_spe": ("s", ACTION),
    "wrong_axis": ("x", INK),
}

# runs from low to high reference value; legible on light and on dark ground
SEQUENCE = ("#3b4cc0", "#3c8fc7", "#35b08c", "#c9a227", "#d1495b")

# from low to high in shades of one colour, for surfaces
SHADES = ("#0b2545", PRIMARY, "#9fbfe0", "#f1f5fa")
# stands out from all shades
HIGHLIGHT = "#ffb000"

LINE_WIDTH = 1.4
THIN_LINE = 0.7
MARK_SIZE = 26.0

# groups without an order; told apart in greyscale by their marks
GROUP_MARKS = (
    ("o", PRIMARY),
    ("^", ALERT),
    ("s", SECONDARY),
    ("D", ACTION),
    ("v", LIMIT),
    ("P", MUTED),
)
LINE_STYLES = ("-", "--", "-.", ":")
