"""What all figures share: one style, colours, names, and the way to SVG and PNG.

Figures are `matplotlib.figure.Figure` objects: pyplot, with its global state, is not used. A figure is drawn and
written under one style, whatever the user's matplotlibrc says, so that the same input gives the same bytes (of one
version of matplotlib). The style is set for the time of drawing and put back then; matplotlib cannot do that for one
thread alone.
"""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec

from benchmark.errors import MissingError
from benchmark.text import clean, decimal
from leaderboard.figures.markup import OF_SYSTEM, TIP, fragment, standalone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Parameters = ParamSpec("Parameters")

INSTALL = 'pip install "serbench[figures]"'
# Text and axes; SVG says `currentColor` instead.
INK = "#1b1b1d"
# Okabe, Ito (2008), "Color universal design": of these colours, those that stand out from white as from black.
BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
GREY = "#7f7f7f"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", ":", "-.")
# The most of BLUE over the background on which text in ink or in white can still be read.
DARKEST = 0.85
WIDTH = 6.4  # inches: what a column of text and, scaled down by half, a phone shows
NAME_LENGTH = 44
GAP = 3 / 72  # above and below a panel, in inches; matplotlib's own
EDGE = 0.06  # left and right, in inches
SMALL = 7.5  # points
LINE = 0.0195  # height of a line of text, in inches for each point of its size
SETTLING = 2  # rounds of constrained layout until wide labels have their room
STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # names are no formulas
    "svg.fonttype": "none",
    "svg.hashsalt": "serbench",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    **dict.fromkeys(
        ["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "hatch.color"], INK
    ),
    "hatch.linewidth": 0.5,
    "grid.color": GREY,
    "grid.alpha": 0.35,
    "grid.linewidth": 0.5,
    "path.simplify": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw alike everywhere: matplotlib's defaults and ours, put back afterwards.

    Raises:
        MissingError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingError("figures need matplotlib, which is not installed", INSTALL) from error
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def drawn(draw: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Make a function draw in our style, and lay out what it drew once, so that writing it changes nothing."""

    @functools.wraps(draw)
    def draw_in_style(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with style(), _any_script():
            figure = draw(*args, **kwargs)
            if (engine := figure.get_layout_engine()) is not None:
                for _ in range(SETTLING):
                    engine.execute(figure)
            figure.set_layout_engine("none")
            for axes in figure.axes:  # the solver's rounding noise differs from run to run
                left, low, width, height = axes.get_position(original=True).bounds
                axes.set_position((round(left, 6), round(low, 6), round(width, 6), round(height, 6)))
            return figure

    return draw_in_style


def blank(height: float, title: str, *notes: str, width: float = WIDTH, gap: float = GAP) -> Figure:
    """An empty figure.

    Args:
        height: In inches, without the title.
        title: What stands above it; also the title of the SVG.
        notes: What a reader must know, one line each, below the title; they are also the description of the SVG.
        width: In inches.
        gap: Above and below each panel, in inches.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    bold = [(line, 10.0, "bold") for line in _wrapped(title, int(width * 10.5))]
    plain = [(line, SMALL, "normal") for note in notes for line in _wrapped(note, int(width * 16.5))]
    head = 0.1 + sum(LINE * size for _, size, _ in (*bold, *plain))
    total = height + head
    room = (EDGE / width, 0, 1 - 2 * EDGE / width, height / total)
    figure = Figure(figsize=(width, total), layout=ConstrainedLayoutEngine(rect=room, h_pad=gap))
    figure.set_label("\n".join([title, *notes]))
    below = 0.05
    for line, size, weight in (*bold, *plain):
        place = (EDGE / width, 1 - below / total)
        figure.text(*place, line, va="top", fontsize=size, fontweight=weight, in_layout=False)
        below += LINE * size
    return figure


def made_by(command: str) -> str:
    """The note of a figure that says which command made it; it is in the SVG's description too."""
    return f"Made by: {clean(command)}"


def svg(figure: Figure, *, name: str = "", alone: bool = False) -> str:
    """A figure as SVG.

    Text stays text, in the reader's own sans-serif: it can be searched and read aloud, weighs little, and is laid out
    by its anchor (start, middle, end), so that another font moves nothing; the bytes do not depend on installed fonts.

    Args:
        figure: What a function of this package drew.
        name: Distinguishes the ids of figures that are equal and stand in one page.
        alone: Whether it is a file of its own, on white; else a fragment for a page, whose background shows through
            and whose text colour it takes.

    Returns:
        `<svg ...>...</svg>`, with title and description; no style sheet, script or reference to anything outside.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
    with style(), _any_script():
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        # `savefig` would draw it once more before, to lay out what is laid out already
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata=nothing)
    title, _, description = str(figure.get_label()).partition("\n")
    width, height = (72 * inches for inches in figure.get_size_inches())
    made = fragment(
        buffer.getvalue(), width=width, height=height, title=title, description=description, ink=INK, name=name
    )
    return standalone(made, ink=INK) if alone else made


def png(figure: Figure, *, dpi: int = 200) -> bytes:
    """A figure as PNG on white.

    Args:
        figure: What a function of this package drew.
        dpi: Pixels per inch.
    """
    buffer = io.BytesIO()
    with style(), _any_script():
        figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def shown(name: str, length: int = NAME_LENGTH) -> str:
    """A name as it stands in a figure: one line, its middle left out where it is long."""
    text = clean(name)
    if len(text) <= length:
        return text
    return f"{text[: (length - 1) // 2]}…{text[-(length // 2) :]}"


def tip(text: str, system: str = "") -> str:
    """What an artist's gid must be so that the SVG shows a text where the pointer rests on it.

    Args:
        text: It; none is shown where it is empty.
        system: The system that the artist stands for: a page that shows only some dims those of others.
    """
    return f"{TIP}{clean(text)}" + (f"{OF_SYSTEM}{clean(system)}" if system else "")


def percent(value: float) -> str:
    """A share as a percentage with one place: "48.2"."""
    return decimal(100 * value, 1)


def bare(axes: Axes) -> None:
    """Take away frame and ticks."""
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names down the y axis, the first on top, and thin lines that lead the eye."""
    axes.set_yticks(range(len(names)), labels=list(names))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


@contextmanager
def _any_script() -> Iterator[None]:
    """A name may hold letters that matplotlib's own font lacks: a browser has them, PNG shows a box."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text.replace(" %", "\u00a0%"), width)
