"""What is known of an upstream: where its weights are, under which licence, and what they learnt from.

It comes from the registry of this package alone, so that no link on the page leads where a record wants it to.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.records import UpstreamPart
from benchmark.records.beside import LOCAL
from benchmark.registry.entries import Entry
from benchmark.registry.known import known_entries
from benchmark.text import clean, count, human, join

HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


@dataclass(frozen=True)
class Fact:
    """Something known: its name, what it is, and the address where there is one."""

    name: str
    value: str
    address: str | None = None


@functools.cache
def facts_of(upstream: str) -> tuple[Fact, ...]:
    """What the registry knows of an upstream by its name; of one that is made of several, of each in turn.

    Args:
        upstream: A name, also one that is marked as local.
    """
    entries = known_entries(bare(upstream))
    return tuple(fact for entry in entries for fact in _facts(entry, several=len(entries) > 1))


def bare(upstream: str) -> str:
    """The name without the mark of a local row."""
    return upstream.removesuffix(LOCAL)


def size(part: UpstreamPart) -> str:
    """How large it is: "8.2 M parameters, 5 layers of 384"; the empty text where nothing is known."""
    said = []
    if part.parameters is not None:
        said.append(f"{human(part.parameters)} parameters" if part.parameters else "nothing learnt")
    if part.layers and part.dim:
        said.append(f"{count(part.layers, 'layer')} of {part.dim}")
    return ", ".join(said)


def address(upstream: str) -> Fact | None:
    """Where its weights are; None of what has none, or is made of several."""
    found = [fact for fact in facts_of(upstream) if fact.address and fact.name == "weights"]
    return found[0] if len(found) == 1 and len(known_entries(bare(upstream))) == 1 else None


def _facts(entry: Entry, *, several: bool) -> list[Fact]:
    mark = f"{entry.name}: " if several else ""
    found = [Fact(f"{mark}what it is", clean(entry.summary))]
    model = str(entry.arguments.get("model") or "")
    if HUB.fullmatch(model):
        revision = str(entry.arguments.get("revision") or "")
        at = f" at {revision[:7]}" if revision else ""
        tree = f"/tree/{revision}" if revision else ""
        found.append(Fact(f"{mark}weights", f"{model}{at}", f"https://huggingface.co/{model}{tree}"))
    if entry.licence:
        found.append(Fact(f"{mark}licence", clean(entry.licence)))
    if entry.training_data:
        found.append(Fact(f"{mark}learnt from", join(list(entry.training_data))))
    if entry.source:
        number = ARXIV.search(entry.source)
        found.append(Fact(f"{mark}source", clean(entry.source), number and f"https://arxiv.org/abs/{number[1]}"))
    return found


def as_data(facts: Sequence[Fact]) -> list[list[str | None]]:
    """Facts for the script of the page."""
    return [[fact.name, fact.value, fact.address] for fact in facts]
