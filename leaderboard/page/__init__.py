"""The leaderboard as one HTML page that needs nothing else: no network, and no script to be read.

Its script makes the tables sortable (DataTables does), filters them, and shows the card of each row and how every two
systems compare, all of which is computed here. A policy in the page forbids every other script and every request.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import MissingError
from leaderboard.board import Board
from leaderboard.hours import duration, together
from leaderboard.page.contents import MEANINGS, Contents, Drawing, Figures, contents, short_name
from leaderboard.page.library import INSTALL, content_policy, inert, library
from leaderboard.page.overviews import overviews, winners
from leaderboard.page.scale import Scale
from leaderboard.remarks import ELSEWHERE

if TYPE_CHECKING:
    import jinja2

__all__ = ["Drawing", "Figures", "page"]

FOLDER = Path(__file__).parent
# One after the other they are one script: what an earlier one defines a later one uses.
SCRIPTS = ("page.js", "filters.js", "tip.js", "cards.js", "believed.js", "compare.js", "start.js")
KEY = Scale(0.0, 1.0, (), "25")  # of the samples in the key
# What could end a script element early, or a line of JavaScript in old browsers.
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def page(made: Board, figures: Figures | None = None) -> bytes:
    """Write the page of a board.

    Args:
        made: The board, with its sections.
        figures: What is shown; where not given, whatever `leaderboard.page.drawings.draw` can draw.

    Returns:
        HTML in UTF-8; the same for the same board, figures and version of the table library.

    Raises:
        MissingError: jinja2 or itables is not installed.
    """
    template = _template()
    if figures is None:
        from leaderboard.page.drawings import draw

        figures = draw(made.sections, made.tracks)
    table_library, shown = library(), contents(made, figures)
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    own = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    scripts = [table_library.script, inert(own)]
    text = template.render(
        board=made,
        page=shown,
        computed=together(
            place.row.cell for section in made.sections for group in section.groups for place in group.places
        ),
        overviews=overviews(made, shown.chapters),
        winners=winners(made, shown.chapters),
        figures=figures,
        data=embedded(shown),
        style=style,
        scripts=scripts,
        policy=content_policy(scripts, [style]),
        library=table_library,
        twins=any(chapter.twin for chapter in shown.chapters),
        numbers={section.task.name: number for number, section in enumerate(made.sections)},
        key_scale=KEY,
        key_marks=(KEY.mark(0.6, 0.35, 0.8), KEY.mark(0.4, 0.25, 0.6, 0.85)),
        meanings=MEANINGS,
        elsewhere=ELSEWHERE,
    )
    return text.encode()


def embedded(shown: Contents) -> str:
    """The data of the script as JSON that can stand in a script element, whatever the names in it hold."""
    return json.dumps(shown.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(ESCAPES)


def _template() -> jinja2.Template:
    try:
        import jinja2
    except ImportError as error:
        raise MissingError("the page needs the package jinja2", INSTALL) from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["short"] = short_name
    environment.filters["duration"] = duration
    return environment.get_template("page.html")
