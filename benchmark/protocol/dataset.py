"""A task met with its data: the utterances it uses, their classes and their folds, all checked."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Corpus
from benchmark.data.listening import Heard
from benchmark.data.published import not_as_published
from benchmark.data.scanning import index_content, index_digest, open_corpus, scan_corpus
from benchmark.errors import BenchError, UsageError
from benchmark.io.files import digest
from benchmark.io.keyed_names import keyed_order
from benchmark.io.settings import Settings
from benchmark.protocol.context import preceding_turns
from benchmark.protocol.folds import folds_digest, make_folds
from benchmark.protocol.members import Members, choose, differences, join_speakers, not_as_expected
from benchmark.protocol.task import Task
from benchmark.types import UNKNOWN_SPEAKER, Fold, Turns, Utterance

# Of the digest that hides names: it tells it from that of the index, which is of the same content and is published.
SALT = "salt of names"
# Groups of utterances where no speaker is known: of about ten each, so that none tells the label of a single utterance,
# and no more than an interval has a use for.
UTTERANCES_IN_A_GROUP = 10
MOST_GROUPS = 200


@dataclass(frozen=True)
class Dataset:
    """The utterances of a task on this machine.

    Attributes:
        task: The protocol.
        corpora: The scanners, as `task.uses`.
        roots: Their folders.
        utterances: The examples of the task, sorted by id. Between two corpora, ids and speakers are prefixed by the
            corpus, as in "urdu:M1".
        context_only: Utterances that are heard only as context of others, sorted by id.
        listed: All utterances of the corpora, those that the task leaves out too; ids as those of `utterances`.
        left_out: How many utterances of the corpus the protocol leaves out, by reason.
        labels: Class of each utterance id; empty for regression.
        auxiliary: Auxiliary class of each utterance id, or None; empty where the task has none.
        context: The turns before each utterance, in a task with context; else empty.
        folds: The division.
        differences: What is not as the protocol expects; only a partial dataset has any.
    """

    task: Task
    corpora: tuple[Corpus, ...]
    roots: tuple[Path, ...]
    utterances: tuple[Utterance, ...]
    context_only: tuple[Utterance, ...]
    listed: tuple[Utterance, ...]
    left_out: Mapping[str, int]
    labels: Mapping[str, str]
    auxiliary: Mapping[str, str | None]
    context: Mapping[str, Turns]
    folds: tuple[Fold, ...]
    differences: tuple[str, ...] = ()

    @functools.cached_property
    def by_id(self) -> Mapping[str, Utterance]:
        """Examples and context by their id."""
        return {utterance.id: utterance for utterance in self.recordings}

    def not_as_published(self, heard: Mapping[str, Heard]) -> tuple[str, ...]:
        """What shows that recordings are not those that the corpora were published with, in words."""
        found: list[str] = []
        for corpus in self.corpora:
            prefix = f"{corpus.name}:" if len(self.corpora) > 1 else ""
            own = {u.id.removeprefix(prefix): u for u in self.recordings if u.id.startswith(prefix)}
            found += not_as_published(
                corpus,
                [replace(u, id=name) for name, u in own.items()] if prefix else self.recordings,
                {name: heard[utterance.id] for name, utterance in own.items() if utterance.id in heard},
                is_cut=self.task.audio.max_duration is not None,
            )
        return tuple(found)

    @functools.cached_property
    def scanned(self) -> frozenset[str]:
        """Ids of all utterances of the corpora, those that the task leaves out too."""
        return frozenset(utterance.id for utterance in self.listed)

    @property
    def recordings(self) -> tuple[Utterance, ...]:
        """All that is heard: the examples, then what is context only."""
        return self.utterances + self.context_only

    @property
    def corpus_name(self) -> str:
        """The corpus, or "source -> target"."""
        return " -> ".join(corpus.name for corpus in self.corpora)

    @property
    def synthetic(self) -> bool:
        """Whether some of the speech was not spoken by people."""
        return any(corpus.synthetic for corpus in self.corpora)

    @property
    def by_root(self) -> Mapping[Path, tuple[Utterance, ...]]:
        """The recordings by the folder that their files are in."""
        return {
            root: tuple(utterance for utterance in self.recordings if self.root_of(utterance) == root)
            for root in dict.fromkeys(self.roots)
        }

    def root_of(self, utterance: Utterance) -> Path:
        """The folder that an utterance's file is in."""
        if len(self.roots) == 1:
            return self.roots[0]
        names = [corpus.name for corpus in self.corpora]
        return self.roots[names.index(utterance.id.partition(":")[0])]

    @property
    def index_sha256(self) -> str:
        """Digest of what the scanners read, as far as it can decide a number of this task; not of the audio."""
        return index_digest(self.recordings, deciding_fields(self.task))

    @property
    def folds_sha256(self) -> str:
        """Digest of the division, and of what is heard before each example where a task has context."""
        divided = folds_digest(self.folds)
        return digest([divided, self.context]) if self.context else divided

    def speaker(self, utterance: Utterance) -> str:
        """The speaker, as heads are told; "unknown" for all utterances without one."""
        return utterance.speaker if utterance.speaker is not None else UNKNOWN_SPEAKER

    @functools.cached_property
    def salt(self) -> str:
        """What hides names in published records: a digest that only who holds the corpus can make."""
        return digest([SALT, index_content(self.recordings, deciding_fields(self.task))])

    @functools.cached_property
    def cluster_unit(self) -> Literal["speaker", "utterance"]:
        """Of what statistics are kept: of speakers, or of groups of utterances where no tested one has a speaker."""
        known = any(self.by_id[name].speaker is not None for fold in self.folds for name in fold.test)
        return "speaker" if known else "utterance"

    @property
    def folds_are_clusters(self) -> bool:
        """Whether each fold is named after the speaker that it tests, by a protocol that does not list the names."""
        return self.task.folds.is_named_after_speakers and all(
            self.by_id[name].speaker == fold.name for fold in self.folds for name in fold.test
        )

    def cluster(self, utterance: Utterance) -> str:
        """Under which name the statistics of a tested utterance are kept.

        That of its speaker; where some have none, these are all "unknown" and count as one. Where no tested utterance
        has a speaker, that of a group of about ten utterances, "utterances-000" and so on, drawn by a keyed hash of
        their ids. Groups drawn at random vary as single utterances do, so that an interval can resample them; and an
        utterance that is a cluster of its own would publish its own label.
        """
        return self.speaker(utterance) if self.cluster_unit == "speaker" else self._groups[utterance.id]

    @functools.cached_property
    def _groups(self) -> Mapping[str, str]:
        """The group of each tested utterance: every fold has its share of every group."""
        smallest = min(len(fold.test) for fold in self.folds)
        number = max(2, min(MOST_GROUPS, smallest // UTTERANCES_IN_A_GROUP))
        ids = list(dict.fromkeys(i for fold in self.folds for i in keyed_order(self.salt, list(fold.test))))
        return {name: f"utterances-{position % number:03d}" for position, name in enumerate(ids)}

    def genders(self, clusters: Iterable[str]) -> dict[str, str]:
        """The gender of those clusters that are speakers of whom the corpus knows it, by all their utterances."""
        wanted, found = set(clusters), dict[str, set[str | None]]()
        for utterance in self.utterances:
            if utterance.speaker in wanted:
                found.setdefault(utterance.speaker, set()).add(utterance.gender)
        agreed = {name: genders.pop() for name, genders in sorted(found.items()) if len(genders) == 1}
        return {name: gender for name, gender in agreed.items() if gender is not None}

    def speakers_heard(self, ids: Iterable[str]) -> set[str]:
        """The known speakers of examples and of their context."""
        heard = {name for i in ids for name in (i, *(spoken for turn in self.context.get(i, ()) for spoken in turn))}
        return {speaker for i in heard if (speaker := self.by_id[i].speaker) is not None}

    def targets(self, utterances: Sequence[Utterance]) -> NDArray[np.int64] | NDArray[np.float32]:
        """Class indices (n,) int64, or values (n, k) float32 of the task's k dimensions."""
        return self.task.targets.array(self.task, self.labels, utterances)

    def auxiliary_targets(self, utterances: Sequence[Utterance]) -> NDArray[np.int64] | None:
        """Indices of auxiliary classes (n,) int64, -1 for none; None where the task has no such classes."""
        if self.task.auxiliary is None:
            return None
        names = self.task.auxiliary.labels
        found = [self.auxiliary[utterance.id] for utterance in utterances]
        return np.array([-1 if name is None else names.index(name) for name in found], dtype=np.int64)


def deciding_fields(task: Task) -> set[str]:
    """Fields that decide a number of a task beside those that always do: its filters, and what orders a dialogue."""
    filtered = {name for part in task.uses for name in part.filter}
    return filtered | ({"dialogue", "turn"} if task.context is not None else set())


def load_dataset(task: Task, corpora: Sequence[Corpus], settings: Settings, *, allow_partial: bool = False) -> Dataset:
    """Scan the corpora of a task, apply what the protocol says, check what is expected, and make the folds.

    Args:
        task: The protocol.
        corpora: The scanners, as `task.uses`.
        settings: Where the corpora are.
        allow_partial: Take a corpus that is not as expected; `differences` says what is not.

    Raises:
        MissingError: A corpus is not here.
        BenchError: It cannot be read, or is not what the task expects; the message gives every difference.
    """
    # Of two corpora the task's name places neither.
    names = (task.name,) if task.target is None else ()
    if task.target is not None and task.name in settings.data:
        raise UsageError(
            f"--data {task.name}=PATH: this task has two corpora",
            f"place each: {' '.join(f'--data {corpus.name}=PATH' for corpus in corpora)}",
        )
    roots = tuple(open_corpus(corpus, settings, *names) for corpus in corpora)
    members, found = [], []
    context: dict[str, Turns] = {}
    before: dict[str, Utterance] = {}  # what is heard before an example
    listed: list[Utterance] = []
    for part, corpus, root in zip(task.uses, corpora, roots, strict=True):
        scanned = scan_corpus(corpus, root)
        listed += scanned if task.target is None else [replace(u, id=f"{corpus.name}:{u.id}") for u in scanned]
        chosen = choose(task, part, scanned)
        wrong = differences(part, corpus, chosen, scanned, index_digest(chosen.utterances, deciding_fields(task)))
        if wrong and not allow_partial:
            raise not_as_expected(task, corpus, wrong, scanned)
        if not chosen.utterances:
            reasons = "; ".join(f"{reason}: {number}" for reason, number in chosen.left_out.items())
            raise BenchError(
                f"the task {task.name!r} uses none of the {len(scanned)} utterances of the corpus {corpus.name!r}"
                + (f" ({reasons})" if reasons else ""),
                "is it the release that the task is about?" if reasons else corpus.how_to_get,
            )
        found += [f"{corpus.name}: {text}" for text in wrong] if task.target else wrong
        if task.context is not None:
            spoken = [u for u in join_speakers(part, scanned) if u.id not in part.exclude]
            chosen, context = _in_context(chosen, spoken, task.context.turns)
            heard = {name for turns in context.values() for turn in turns for name in turn}
            before = {utterance.id: utterance for utterance in spoken if utterance.id in heard}
        members.append(chosen if task.target is None else _prefixed(corpus.name, chosen))
    *source, tested = [chosen.utterances for chosen in members]
    labels = {name: label for chosen in members for name, label in chosen.labels.items()}
    folds = make_folds(task, tested, labels, source[0] if source else None, partial=bool(found))
    if found:
        found += _folds_left_out(task, folds)
    utterances = sorted((u for chosen in members for u in chosen.utterances), key=lambda u: u.id)
    for utterance in utterances:
        before.pop(utterance.id, None)
    return Dataset(
        task=task,
        corpora=tuple(corpora),
        roots=roots,
        utterances=tuple(utterances),
        context_only=tuple(before[name] for name in sorted(before)),
        listed=tuple(listed),
        left_out=dict(sum((chosen.left_out for chosen in members), Counter())),
        labels=labels,
        auxiliary={name: label for chosen in members for name, label in chosen.auxiliary.items()},
        context=context,
        folds=tuple(folds),
        differences=tuple(found),
    )


def _folds_left_out(task: Task, folds: Sequence[Fold]) -> list[str]:
    """Which folds of a protocol cannot be made of a part of its corpus, where the protocol says how many there are."""
    names = task.folds.fold_names() or ()
    left_out = [name for name in names if name not in {fold.name for fold in folds}]
    listed = ", ".join(left_out)
    return [f"{len(left_out)} of {len(names)} folds cannot be made of what is here ({listed})"] if left_out else []


def _prefixed(corpus: str, members: Members) -> Members:
    """Members whose ids and speakers no other corpus has."""

    def named(utterance: Utterance) -> Utterance:
        speaker = None if utterance.speaker is None else f"{corpus}:{utterance.speaker}"
        return replace(utterance, id=f"{corpus}:{utterance.id}", speaker=speaker)

    return Members(
        utterances=[named(utterance) for utterance in members.utterances],
        labels={f"{corpus}:{name}": label for name, label in members.labels.items()},
        auxiliary={f"{corpus}:{name}": label for name, label in members.auxiliary.items()},
        left_out=Counter({f"{corpus}: {reason}": number for reason, number in members.left_out.items()}),
    )


def _in_context(members: Members, scanned: Sequence[Utterance], turns: int) -> tuple[Members, dict[str, Turns]]:
    """The members that have enough context, and their context; the others are counted as left out."""
    context = preceding_turns(scanned, turns)
    kept = [utterance for utterance in members.utterances if utterance.id in context]
    ids = {utterance.id for utterance in kept}
    reason = f"does not open a turn with {turns} turns before it"
    chosen = Members(
        utterances=kept,
        labels={name: label for name, label in members.labels.items() if name in ids},
        auxiliary={name: label for name, label in members.auxiliary.items() if name in ids},
        left_out=members.left_out + Counter({reason: len(members.utterances) - len(kept)}),
    )
    return chosen, {name: context[name] for name in sorted(ids)}
