"""Whether a published record can be what it says: its names, digests, dates and facts, without the corpus.

None of this is proof: who makes up results can make them up plausibly. It finds mistakes and what is meant to do harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from benchmark.errors import BenchError
from benchmark.facts import declared, known_entries, known_trained_on, registered
from benchmark.records.salting import DIGITS
from benchmark.records.schema import Record
from benchmark.submissions.expectations import identity
from benchmark.submissions.publishing import PATH, texts

MAX_TEXT = 2000
MAX_NAME = 200
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+,=-]*")
GENDER = re.compile(r"[a-z][a-z -]{0,30}")
SHA256 = re.compile(r"[0-9a-f]{64}")
ID = re.compile(r"[0-9a-f]{32}")
COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"\d+(\.\d+){1,3}[A-Za-z0-9.+_-]{0,40}")
AHEAD = timedelta(days=1)  # clocks differ
LARGEST_MODEL = 10**13
RATES = range(1000, 400_001)  # [Hz]


def check_texts(content: Any) -> None:
    """Refuse texts that no record has, wherever they stand: in a value or as a key.

    Raises:
        BenchError: One is too long, or holds control, formatting or bidirectional characters, markup, or a path.
    """
    for text in texts(content):
        if len(text) > MAX_TEXT:
            raise BenchError(f"a text of {len(text)} characters begins with {text[:40]!r}", f"at most {MAX_TEXT}")
        if not text.isprintable():
            odd = next(character for character in text if not character.isprintable())
            raise BenchError(f"the text {text[:80]!a} holds the character U+{ord(odd):04X}", "visible ones only")
        if "<" in text or ">" in text.replace(" -> ", ""):
            raise BenchError(f"the text {text[:80]!r} holds markup", "names are plain")
        if PATH.search(text):
            raise BenchError(f"the text {text[:80]!r} looks like a path", "results hold no paths")


def implausible(record: Record, now: datetime) -> Iterator[str]:
    """What cannot be as a record says it, in words.

    Args:
        record: A verified one.
        now: With a time zone.
    """
    yield from _names(record)
    yield from _published_form(record)
    yield from _digests(record)
    yield from _numbers(record)
    yield from _provenance(record, now)
    yield from _registered_facts(record)


def notes(record: Record) -> Iterator[str]:
    """What a reader of the pull request may want to look at."""
    entries = known_entries(record.upstream.name)
    if not entries:
        yield f"the upstream {record.upstream.name!r} is not registered: nothing is known of it"
    if len(entries) == 1 and (revision := entries[0].arguments.get("revision")):
        weights = (record.upstream.weights_sha256 or "none")[:12]
        yield f"weights {weights}; the registry pins the revision {revision[:12]}"
    if record.downstream.name not in {entry.name for entry in registered().downstreams()}:
        yield f"the downstream {record.downstream.name!r} is not registered: nothing is known of it"


def _names(record: Record) -> Iterator[str]:
    for what, name in (("upstream", record.upstream.name), ("downstream", record.downstream.name)):
        pieces = re.split(r"[/:+]", name)
        if len(name) > MAX_NAME or not NAME.fullmatch(name) or ".." in pieces or "." in pieces or "//" in name:
            yield f"{what}.name is {name!r:.80}, which is no plain name"
    for name, gender in record.clusters.gender.items():
        if not GENDER.fullmatch(gender):
            yield f"the gender of {name} is {gender!r:.80}"


def _published_form(record: Record) -> Iterator[str]:
    if record.status != "completed" or record.reason is not None:
        yield f"the unit of fold {record.fold!r}, seed {record.seed} failed"
    if record.protocol != "official":
        yield f"it is of a {record.protocol} protocol"
    if not record.clusters.salted or record.clusters.salt is not None:
        yield "its speakers have open names: bench publish hides them"
    if record.task.downstream is None or record.downstream.needs is None:
        yield "it was recorded by an older version: bench run --rerun all makes it again"


def _digests(record: Record) -> Iterator[str]:
    task, provenance = record.task, record.provenance
    digests = {
        "task.sha256": task.sha256,
        "task.folds_sha256": task.folds_sha256,
        "task.corpus.index_sha256": task.corpus.index_sha256,
        "task.corpus.audio_sha256": task.corpus.audio_sha256,
        "upstream.sha256": record.upstream.sha256,
        "downstream.sha256": record.downstream.sha256,
        "provenance.code_sha256": provenance.code_sha256,
    }
    if record.upstream.weights_sha256 is not None:
        digests["upstream.weights_sha256"] = record.upstream.weights_sha256
    for key, value in digests.items():
        if not SHA256.fullmatch(value):
            yield f"{key} is {value!r:.80}, which is no sha256"
    if not ID.fullmatch(record.id):
        yield f"id is {record.id!r:.80}, which is not of {2 * DIGITS} hexadecimal digits"
    elif not record.clusters.folds and record.id != identity(record):
        yield f"id {record.id} is not that of its fold {record.fold!r} and seed {record.seed}"


def _numbers(record: Record) -> Iterator[str]:
    counts, cost, upstream = record.counts, record.cost, record.upstream
    at_least_none = {
        "counts.train": counts.train - 1,  # a head is fitted on something
        "counts.dev": counts.dev,
        "counts.adapt": counts.adapt,
        "task.version": record.task.version - 1,
        "upstream.layers": (upstream.layers or 1) - 1,
        "upstream.dim": (upstream.dim or 1) - 1,
        "upstream.parameters": upstream.parameters or 0,
        "downstream.parameters": record.downstream.parameters or 0,
        "cost.encode_s": cost.encode_s or 0,
        "cost.fit_s": cost.fit_s or 0,
        "cost.peak_bytes": cost.peak_bytes or 0,
        "cost.audio_s": cost.audio_s,
    }
    for key, value in at_least_none.items():
        if value < 0:
            yield f"{key} is too small"
    if max(upstream.parameters or 0, record.downstream.parameters or 0) > LARGEST_MODEL:
        yield f"a model of more than {LARGEST_MODEL} parameters"
    if upstream.sample_rate not in RATES:
        yield f"upstream.sample_rate is {upstream.sample_rate}"


def _provenance(record: Record, now: datetime) -> Iterator[str]:
    provenance = record.provenance
    try:
        created = datetime.fromisoformat(provenance.created)
    except ValueError:
        yield f"provenance.created is {provenance.created!r:.80}, which is no ISO 8601 time"
    else:
        if created.tzinfo is None:
            yield f"provenance.created is {provenance.created!r:.80}, which has no time zone"
        elif created - now > AHEAD:
            yield f"provenance.created is {provenance.created!r}, which is in the future"
    versions = {"version": provenance.version, "python": provenance.python, **provenance.packages}
    for name, version in versions.items():
        if not VERSION.fullmatch(version):
            yield f"the version of {name!r:.80} is {version!r:.80}"
    git = provenance.git
    is_state = git is None or (
        git.keys() == {"commit", "dirty"}
        and isinstance(git["dirty"], bool)
        and isinstance(git["commit"], str)
        and COMMIT.fullmatch(git["commit"])
    )
    if not is_state:
        yield f"provenance.git is {git!r:.120}"


def _registered_facts(record: Record) -> Iterator[str]:
    upstream = record.upstream
    if known_entries(upstream.name):
        known, stated = known_trained_on(upstream.name), set(upstream.trained_on)
        if known != stated:
            yield f"upstream.trained_on is {sorted(stated)!r:.120}, the registry knows {sorted(known)}"
    for key, value in declared(upstream.name).items():
        if getattr(upstream, key) != value:
            yield f"upstream.{key} is {getattr(upstream, key)}, that of {upstream.name!r} is {value}"
    recipes = {entry.name: entry for entry in registered().downstreams()}
    recipe = recipes.get(record.downstream.name)
    for key, value in recipe.arguments.items() if recipe is not None else ():
        if record.downstream.params.get(key) != value:
            found = record.downstream.params.get(key)
            yield f"downstream.params.{key} is {found!r:.80}, in the recipe {record.downstream.name!r} it is {value!r}"
