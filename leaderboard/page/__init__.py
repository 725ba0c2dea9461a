"""The leaderboard as one HTML page that needs nothing else: no network, and no script to be read.

Its script makes the tables sortable (DataTables does), filters them, and shows what stands behind a score and how every
two systems compare. A policy in the page forbids every other script and every request.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import MissingError
from leaderboard.board import Board
from leaderboard.page.contents import MEANINGS, Contents, Figures, contents, short_name
from leaderboard.page.library import INSTALL, content_policy, inert, library
from leaderboard.remarks import ELSEWHERE

if TYPE_CHECKING:
    import jinja2

__all__ = ["Figures", "page"]

FOLDER = Path(__file__).parent
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

        figures = draw(made.sections, made.across)
    table_library, shown = library(), contents(made, figures)
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    scripts = [table_library.script, inert((FOLDER / "page.js").read_text(encoding="utf-8"))]
    text = template.render(
        board=made,
        page=shown,
        figures=figures,
        data=embedded(shown),
        style=style,
        scripts=scripts,
        policy=content_policy(scripts, [style]),
        library=table_library,
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
    return environment.get_template("page.html")
