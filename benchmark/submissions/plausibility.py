"""Whether a published record can be what it says: its names, digests, dates and facts, without the corpus.

None of this is proof: who makes up results can make them up plausibly. It finds mistakes and what is meant to do harm.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from benchmark.base.tuned import PREFIX
from benchmark.errors import BenchError, UsageError
from benchmark.io.keyed_names import DIGITS
from benchmark.records.identity import command_of, id_of
from benchmark.records.schema import DownstreamPart, Record, UpstreamPart, WeightsPart
from benchmark.registry import known
from benchmark.registry.known import (
    known_corpus,
    known_entries,
    known_head,
    known_seeded,
    known_shape,
    known_trained_on,
    known_version,
)
from benchmark.submissions.publishing import PATH, texts

MAX_TEXT = 2000
MAX_NAME = 200
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+,=-]*")
GENDER = re.compile(r"[a-z][a-z -]{0,30}")
ID = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"\d+(\.\d+){1,3}[A-Za-z0-9.+_-]{0,40}")
AHEAD = timedelta(days=1)  # clocks differ
FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)
FASTEST = 1e5  # s of audio in a second: faster than any encoder that hears what it encodes
CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", re.ASCII)  # as benchmark.run.provenance writes it
LARGEST_MODEL = 10**13
MOST_LAYERS = 10_000
LARGEST_DIM = 10**8
LARGEST_MEMORY = 2**50  # [bytes]
LONGEST = 1e9  # [s], some 30 years
SHORTEST_AUDIO = 1e-3  # [s]
SHORTEST_ENCODING = 1e-6  # [s], or none at all
LARGEST_SELECTED = 1e12  # of a score on dev, and of what was chosen
ROUNDING = 1e-4  # of layer weights, which may be of float32
WEIGHTS = (0.8, 2.6)  # times those of plain blocks: convolutions before them, and blocks with more in them
RATES = (1000, 400_000)  # [Hz]
TEMPERATURES = (0.05, 20)  # between which a run looks for one


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
    yield from _identity(record)
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
    if known_head(record.downstream.name) is None:
        yield f"the downstream {record.downstream.name!r} is not registered: nothing is known of it"
        if not record.downstream.stochastic:
            yield "it is said to ignore the seed, so one was run: that it is not the best of several is not known"
    if record.provenance.git is not None and record.provenance.git["dirty"]:
        yield "it was run with changes that are in no commit"
    yield from _odd_sizes(record.upstream)
    yield from _odd_times(record)


def _odd_sizes(upstream: UpstreamPart) -> Iterator[str]:
    """A number of weights that blocks so many and so wide do not have: a transformer's has some 12 times its square."""
    layers, dim = known_shape(upstream.name)
    entries = known_entries(upstream.name)
    if len(entries) != 1 or not entries[0].arguments or layers is None or dim is None or upstream.parameters is None:
        return
    blocks = 12 * dim**2 * ((entries[0].layers or layers) - 1)
    if not WEIGHTS[0] * blocks <= upstream.parameters <= WEIGHTS[1] * blocks:
        yield (
            f"upstream.parameters is {upstream.parameters}, where {upstream.name!r} should have from "
            f"{WEIGHTS[0] * blocks:.2g} to {WEIGHTS[1] * blocks:.2g}"
        )


def _odd_times(record: Record) -> Iterator[str]:
    """Times that no machine reaches."""
    cost, entries = record.cost, known_entries(record.upstream.name)
    hears = any(entry.arguments or entry.name.endswith(":") for entry in entries)  # chance, say, takes no time at all
    if cost.encode_s is not None and hears and cost.audio_s > FASTEST * cost.encode_s:
        yield f"cost.encode_s is {cost.encode_s:.2g} for {cost.audio_s:.4g} s of audio, faster than any machine"
    if cost.fit_s == 0:
        yield "cost.fit_s is 0: fitting takes time"


def other_commands(records: Iterable[Record]) -> Iterator[str]:
    """Commands that are not those of the names beside them: reviewers paste them into a terminal."""
    for one in records:
        fold = None if one.clusters.folds else one.fold
        command = command_of(one.upstream.name, one.downstream.name, one.task.name, fold, one.seed)
        if one.provenance.command != command:
            yield f"provenance.command is {one.provenance.command!r:.200}, that of its names is {command!r:.200}"


def _names(record: Record) -> Iterator[str]:
    for what, name in (("upstream", record.upstream.name), ("downstream", record.downstream.name)):
        pieces = re.split(r"[/:+]", name)
        if len(name) > MAX_NAME or not NAME.fullmatch(name) or ".." in pieces or "." in pieces or "//" in name:
            yield f"{what}.name is {name!r:.80}, which is no plain name"
        elif (meant := _meant(name, what)) is not None:
            yield f"{what}.name is {name!r:.80}, which can be taken for {meant!r}, of which the registry knows more"
    for name, gender in record.clusters.gender.items():
        if not GENDER.fullmatch(gender):
            yield f"the gender of {name} is {gender!r:.80}"


def _meant(name: str, what: str) -> str | None:
    """The registered name that a name, or a part of one made of several, is not but looks like."""
    known = _known_names(what)
    pieces = [name, *re.split(r"[+@]", name)]
    pieces += [f"{piece.partition(':')[0]}:" for piece in pieces if ":" in piece]
    for piece in pieces:
        meant = known.get(alike_name(piece))
        if meant is not None and piece not in known.values():
            return meant
    return None


def alike_name(name: str) -> str:
    """What two names share that look alike: letters of any case, without dots and spaces around them."""
    return name.strip(" .").casefold()


@functools.cache
def _known_names(what: str) -> Mapping[str, str]:
    entries = known.upstreams().all() if what == "upstream" else known.downstreams().all()
    return {alike_name(entry.name): entry.name for entry in entries}


def _published_form(record: Record) -> Iterator[str]:
    if record.status != "completed" or record.reason is not None:
        yield f"the unit of fold {record.fold!r}, seed {record.seed} failed"
    if record.protocol != "official":
        yield f"it is of a {record.protocol} protocol"
    if not record.clusters.salted or record.clusters.salt is not None:
        yield "its speakers have open names: bench publish hides them"
    if record.task.downstream is None or record.downstream.needs is None:
        yield "it was recorded by an older version: bench run --rerun all makes it again"


def _identity(record: Record) -> Iterator[str]:
    if not ID.fullmatch(record.id):
        yield f"id is {record.id!r:.80}, which is not of {2 * DIGITS} hexadecimal digits"
    elif not record.clusters.folds and record.id != id_of(record):
        yield f"id {record.id} is not that of its fold {record.fold!r} and seed {record.seed}"


def _numbers(record: Record) -> Iterator[str]:
    counts, cost, upstream = record.counts, record.cost, record.upstream
    bounds: dict[str, tuple[float | None, float, float]] = {
        "counts.train": (counts.train, 1, math.inf),  # a head is fitted on something
        "counts.dev": (counts.dev, 0, math.inf),
        "counts.adapt": (counts.adapt, 0, math.inf),
        "task.version": (record.task.version, 1, math.inf),
        "upstream.layers": (upstream.layers, 1, MOST_LAYERS),
        "upstream.dim": (upstream.dim, 1, LARGEST_DIM),
        "upstream.parameters": (upstream.parameters, 0, LARGEST_MODEL),
        "upstream.sample_rate": (upstream.sample_rate, *RATES),
        "downstream.parameters": (record.downstream.parameters, 0, LARGEST_MODEL),
        "cost.encode_s": (cost.encode_s or None, SHORTEST_ENCODING, LONGEST),
        "cost.fit_s": (cost.fit_s, 0, LONGEST),
        "cost.peak_bytes": (cost.peak_bytes, 0, LARGEST_MEMORY),
        "cost.audio_s": (cost.audio_s, SHORTEST_AUDIO, LONGEST),
        "calibration.temperature": (record.calibration.temperature if record.calibration else None, *TEMPERATURES),
    }
    for key, (value, least, most) in bounds.items():
        if value is not None and not least <= value <= most:
            yield f"{key} is {value:.4g}, which is too {'small' if value < least else 'large'}"
    yield from _selected(record)


def _selected(record: Record) -> Iterator[str]:
    """What cannot be in how the head was chosen."""
    selection = record.selection
    if selection is None:
        return
    head = known_head(record.downstream.name)
    last = None if head is None else head.params.get("maximum")
    if selection.epoch is not None and selection.epoch < 0:
        yield f"selection.epoch is {selection.epoch}"
    if selection.epoch is not None and isinstance(last, int) and last < selection.epoch <= LARGEST_SELECTED:
        yield f"selection.epoch is {selection.epoch}, and {record.downstream.name!r} ends at {last}"
    numbers = {f"selection.chosen.{key}": value for key, value in selection.chosen.items()}
    for key, value in {**numbers, "selection.score": selection.score, "selection.epoch": selection.epoch}.items():
        if isinstance(value, float | int) and not abs(value) <= LARGEST_SELECTED:
            yield f"{key:.80} is {value:.4g}, which is too large"
    weights = selection.layer_weights
    if weights is None:
        return
    if len(weights) != record.upstream.layers:
        yield f"selection.layer_weights are {len(weights)}, of {record.upstream.layers} layers"
    if not all(0 <= weight <= 1 + ROUNDING for weight in weights) or abs(math.fsum(weights) - 1) > ROUNDING:
        yield "selection.layer_weights are not weights from 0 to 1 with the sum 1"


def _provenance(record: Record, now: datetime) -> Iterator[str]:
    provenance = record.provenance
    created = _time(provenance.created)
    if created is None:
        yield f"provenance.created is {provenance.created!r:.80}, which is no time as YYYY-MM-DDTHH:MM:SS+00:00"
    elif created < FIRST:
        yield f"provenance.created is {provenance.created!r}, before there was a benchmark"
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


def _time(text: str) -> datetime | None:
    """A time in UTC, written the one way in which texts sort as times do; None where it is none."""
    if not CREATED.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _registered_facts(record: Record) -> Iterator[str]:
    yield from _upstream_facts(record.upstream)
    yield from _head_facts(record, record.downstream, known_seeded(record.upstream.name))
    yield from _trained_facts(record)


def _upstream_facts(upstream: UpstreamPart) -> Iterator[str]:
    entries, version = known_entries(upstream.name), known_version(upstream.name)
    if entries:
        trained_on, stated = known_trained_on(upstream.name), set(upstream.trained_on)
        # Of weights in a folder only the record can know what they have heard.
        is_folder = any(entry.name.endswith(":") for entry in entries)
        surplus = {name for name in stated - trained_on if not is_folder or known_corpus(name) is None}
        if surplus or not trained_on <= stated:
            yield f"upstream.trained_on is {sorted(stated)!r:.120}, the registry knows {sorted(trained_on)}"
    if version not in (None, upstream.version):
        yield f"upstream.version is {upstream.version!r:.80}, that of {upstream.name!r} is {version!r}"
    try:
        layers, dim = known_shape(upstream.name)
    except UsageError as error:
        yield f"the upstream cannot be: {error.message}"
        return
    facts = {"layers": layers, "dim": dim, "sample_rate": entries[0].sample_rate if len(entries) == 1 else None}
    for key, value in facts.items():
        if value is not None and getattr(upstream, key) != value:
            yield f"upstream.{key} is {getattr(upstream, key)}, that of {upstream.name!r} is {value}"
    # A checkpoint that is given by its name is recorded by it, wherever its files lay.
    is_named = len(entries) == 1 and entries[0].name == upstream.name and entries[0].arguments
    if is_named and (model := upstream.params.get("model", upstream.name)) != upstream.name:
        yield f"upstream.params.model is {model!r:.80}, that of {upstream.name!r} is its name"


def _trained_facts(record: Record) -> Iterator[str]:
    """What cannot be in what is said of weights that were trained."""
    weights = record.weights or WeightsPart()
    rows = [part for part in record.upstream.name.split("+") if part.startswith(PREFIX)]
    if bool(rows) != bool(weights.steps):
        says = f"{len(weights.steps)} trainings" if weights.steps else "no training"
        yield f"weights.steps tells of {says}, and the upstream is {record.upstream.name!r:.80}"
    sums = [*(one.weights_sha256 for one in weights.steps), weights.trained_sha256]
    for one in sums:
        if one is not None and not SHA256.fullmatch(one):
            yield f"a digest of weights is {one!r:.80}"


def _head_facts(record: Record, downstream: DownstreamPart, is_seeded: bool) -> Iterator[str]:
    head = known_head(downstream.name)
    if head is None:
        return
    if head.version is not None and downstream.version != str(head.version):
        yield f"downstream.version is {downstream.version!r:.80}, that of {downstream.name!r} is '{head.version}'"
    for key, value in head.params.items():
        found = downstream.params.get(key)
        # What the recipe leaves to the class may be left out.
        if (key in downstream.params or key in head.recipe) and not agrees(found, value):
            yield f"downstream.params.{key} is {found!r:.80}, in the recipe {downstream.name!r} it is {value!r}"
    for key in downstream.params.keys() - head.params.keys():
        yield f"downstream.params.{key:.80} is no parameter of {downstream.name!r}"
    if record.calibration is not None and head.facts.probabilities is None:
        yield f"it has sums of probabilities, and {downstream.name!r} gives none"
    for key in ("stochastic", "needs", "transductive"):
        value = getattr(head.facts, key) or (key == "stochastic" and is_seeded)
        if (stated := getattr(downstream, key)) != value:
            yield f"downstream.{key} is {stated!r:.80}, that of {downstream.name!r} is {value!r}"
    if head.facts.phones != (downstream.phones_sha256 is not None):
        reads = "reads phones" if head.facts.phones else "reads none"
        yield f"downstream.phones_sha256 is {downstream.phones_sha256!r:.80}, and {downstream.name!r} {reads}"


def agrees(stated: Any, own: Any) -> bool:
    """Whether a recorded value of a parameter is that of a head; of a nested one, what is empty may be left out."""
    if isinstance(own, Mapping) and isinstance(stated, Mapping):
        return stated.keys() <= own.keys() and all(
            agrees(stated[key], value) if key in stated else value in (None, [], {}) for key, value in own.items()
        )
    return type(stated) is not bool and bool(stated == own) if type(own) is not bool else stated is own
