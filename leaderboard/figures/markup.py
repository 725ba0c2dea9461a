"""From the SVG that matplotlib writes to one that can stand in a page beside others.

matplotlib escapes what names hold, so "<" and ">" occur only around tags. Its style attributes become attributes of
their own, which a page may forbid or override as it likes; its style sheet, which would hold for the whole page, goes.

matplotlib's own options (`metadata`, `svg.hashsalt`) make the same bytes for the same figure, and no more: two figures
of thirty bars share 126 ids, and each has a style sheet, 84 style attributes and none of the page's colours or tips; as
rewritten here they share none, and have 14 kB instead of 26 (`tests/speed/own_code.py markup`).
"""

from __future__ import annotations

import hashlib
import html
import re

TAG = re.compile(r"<[^<>]+>")
ID = re.compile(r' id="([^"]*)"')
REFERENCE = re.compile(r"url\(#([^)]+)\)|xlink:href=\"#([^\"]+)\"")
STYLE = re.compile(r' style="([^"]*)"')
# Decimals below a thousandth of a point show nothing.
NUMBER = re.compile(r"(?<=\d)(\.\d{3})\d+")
DROPPED = re.compile(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>|<!--.*?-->", re.DOTALL)
PIXELS_PER_POINT = 96 / 72
TIP = "tip:"
OF_SYSTEM = "\u2063"  # between a tip and the system it is of: no text that is shown has it


def fragment(source: str, *, width: float, height: float, title: str, description: str, ink: str, name: str) -> str:
    """An `svg` element for a page.

    Args:
        source: What matplotlib wrote, with text as text.
        width: Of the figure, in points.
        height: Of the figure, in points.
        title: What it shows.
        description: More of it.
        ink: The colour that gives way to the page's own.
        name: With the content it decides the ids.

    Returns:
        The element; its ids are its own as long as content or name are.
    """
    _, _, body = source.partition("<svg ")[2].partition(">")
    body = DROPPED.sub("", body)
    prefix = "f" + hashlib.sha256(f"{name}\n{title}\n{description}\n{body}".encode()).hexdigest()[:10]
    referred = {one or other for one, other in REFERENCE.findall(body)}
    body = TAG.sub(lambda tag: _rewritten(tag[0], prefix, referred, ink), body)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width * PIXELS_PER_POINT:.0f}" height="{height * PIXELS_PER_POINT:.0f}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" font-family="sans-serif" '
        'stroke-linejoin="round" stroke-linecap="butt">'
    )
    about = (
        f'<title id="{prefix}-title">{html.escape(title)}</title>'
        f'<desc id="{prefix}-desc">{html.escape(description)}</desc>'
    )
    return opening + about + re.sub(r"\s*\n\s*", "\n", body).strip() + "\n"


def standalone(made: str, *, ink: str) -> str:
    """A fragment as a file of its own, on white: a viewer or a README has no colours for it."""
    opening, _, rest = made.removeprefix("<svg ").partition(">")
    return f'<svg color="{ink}" {opening}><rect width="100%" height="100%" fill="#ffffff"/>{rest}'


def _rewritten(tag: str, prefix: str, referred: set[str], ink: str) -> str:
    """A tag with its own ids, attributes for styles, and the ink as the page's colour."""
    found = ID.search(tag)
    title = ""
    if found and found[1] not in referred:
        text, _, system = found[1].removeprefix(TIP).partition(OF_SYSTEM)
        is_tip = found[1].startswith(TIP)
        tag = ID.sub(lambda _: f' data-system="{system}"' if is_tip and system else "", tag)
        title = f"<title>{text}</title>" if is_tip and text else ""
    tag = ID.sub(rf' id="{prefix}-\1"', tag)
    tag = REFERENCE.sub(
        lambda one: f"url(#{prefix}-{one[1]})" if one[1] else f'href="#{prefix}-{one[2]}"',
        tag,
    )
    tag = STYLE.sub(_attributes, tag)
    tag = tag.replace(f'"{ink}"', '"currentColor"')
    return NUMBER.sub(r"\1", tag) + title


def _attributes(found: re.Match[str]) -> str:
    """A style as attributes; all that matplotlib sets are presentation attributes of SVG."""
    pairs = [pair.split(":", 1) for pair in found[1].split(";") if pair.strip()]
    return "".join(f' {key.strip()}="{value.strip()}"' for key, value in pairs if key.strip() != "font-family")
