"""The table library of the page, DataTables, as the package itables brings it; and which scripts the page may run."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmark.errors import BenchError, MissingError

INSTALL = 'pip install "serbench[page]"'
# The bundle is a module of its own, which another module of the same page cannot import: there is no address. So what
# it exports becomes a global variable instead.
EXPORTS = re.compile(r"\bexport\{[^{}]*?([\w$]+) as default[^{}]*\};")
GLOBAL = "globalThis.DataTable={};"
# What would change how a browser reads on after it in a script; the same text for JavaScript, in strings and patterns.
MEANT_FOR_HTML = re.compile(r"<(?=!--|/?script)", re.IGNORECASE)


@dataclass(frozen=True)
class Library:
    """A script with what must be said of it.

    Attributes:
        script: The source of a JavaScript module that sets `DataTable`; safe within a script element.
        name: Name and version of the package that it comes from.
        licence: The text of its licence; those of what is in the bundle stand in the script.
    """

    script: str
    name: str
    licence: str


def library() -> Library:
    """Read DataTables from where itables is installed.

    Raises:
        MissingError: It is not installed.
        BenchError: Its bundle is not as it was when this was written.
    """
    found = importlib.util.find_spec("itables")  # finds it without importing it
    if found is None or found.origin is None:
        raise MissingError("the page needs the package itables, which brings DataTables", INSTALL)
    bundle = Path(found.origin).parent / "html" / "dt_bundle.js"
    about = metadata.distribution("itables")
    name = f"itables {about.version}"
    if not bundle.is_file():
        raise BenchError(f"{name} has no html/dt_bundle.js", "itables 2.9 is known to have it")
    return Library(_as_script(bundle.read_text(encoding="utf-8"), name), name, _licence(about))


def inert(script: str) -> str:
    """JavaScript that ends nowhere early within a script element, and does the same."""
    return MEANT_FOR_HTML.sub(r"\\x3C", script)


def content_policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """The Content-Security-Policy of a page: it runs and applies what is given here, and loads nothing.

    Even if a name of a system got into the page as HTML, it could run no script and make no request.

    Args:
        scripts: The text of each script element.
        styles: The text of each style element.

    Returns:
        For a meta element.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_sources(scripts)}",
            f"style-src {_sources(styles)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _sources(texts: Iterable[str]) -> str:
    hashes = dict.fromkeys(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"


def _as_script(bundle: str, name: str) -> str:
    script, replaced = EXPORTS.subn(lambda found: GLOBAL.format(found[1]), bundle.replace("\r\n", "\n"))
    if replaced != 1:
        raise BenchError(f"the DataTables bundle of {name} exports nothing by default", "itables 2.9 is known to do so")
    return inert(script)


def _licence(about: metadata.Distribution) -> str:
    files = [file for file in about.files or () if file.name == "LICENSE"]
    if not files:
        raise BenchError(f"itables {about.version} has no licence file", "install it again")
    return files[0].read_text(encoding="utf-8").strip()
