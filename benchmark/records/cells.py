"""Cells of the leaderboard: the records of one (task, upstream, downstream), over folds and seeds.

A cell is known by three digests and shown under three names. Its units must all be there before it has a score.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.base.tuned import is_tuned
from benchmark.errors import BenchError
from benchmark.io.files import digest
from benchmark.records import DownstreamPart, Record, TaskPart, UpstreamPart, all_statistics
from benchmark.registry.known import known_control, known_trained_on
from benchmark.text import clean
from benchmark.types import UNKNOWN_SPEAKER

Unit = tuple[str, int]
Track = Literal["fixed", "open head", "fine-tuned"]
Table = Literal["fixed", "open head", "fine-tuned", "contaminated"]
MIN_SEEDS = 3  # of a head with seeds: the variance of two is known to a factor of thirty
# The default head of every task but one when records did not yet name it.
FORMER_DEFAULT = "superb"
# What is computed of a cell's records and takes as much memory as they do.
STATISTICS = ("of_units", "_statistics")
# What is quickly computed of its other facts.
DERIVED = ("units", "completed")
LARGEST_STATISTICS = 250_000_000  # values: 2 GB


@dataclass(frozen=True, eq=False)
class Cell:
    """One (task, upstream, downstream).

    Attributes:
        task: The protocol, as its first completed unit has it (its first failed one where none is completed).
        upstream: The representation, likewise.
        downstream: The head, likewise.
        records: What there is of the cell's units, by (fold, seed); no other units.
    """

    task: TaskPart
    upstream: UpstreamPart
    downstream: DownstreamPart
    records: Mapping[Unit, Record]

    @property
    def name(self) -> str:
        """The system, as it is shown."""
        return f"{self.upstream.name} + {self.downstream.name}"

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that the cell needs: those of the task, or only the first where the head ignores it."""
        return tuple(self.task.seeds if self.downstream.stochastic else self.task.seeds[:1])

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Every (fold, seed) that the cell needs, folds first."""
        return tuple((fold, seed) for fold in self.task.folds for seed in self.seeds)

    @cached_property
    def completed(self) -> tuple[Unit, ...]:
        """The units that are completed."""
        others = {*self.failed, *self.missing}
        return tuple(unit for unit in self.units if unit not in others)

    @cached_property
    def failed(self) -> tuple[Unit, ...]:
        """The units that failed; their records hold the reason."""
        return tuple(unit for unit in self.units if unit in self.records and self.records[unit].status == "failed")

    @cached_property
    def missing(self) -> tuple[Unit, ...]:
        """The units that no record is there for."""
        return tuple(unit for unit in self.units if unit not in self.records)

    @property
    def complete(self) -> bool:
        """Whether every fold and seed is completed: only then is there a score."""
        return 0 < len(self.units) == len(self.completed)

    @property
    def command(self) -> str:
        """The command that makes its units; who has plug-ins adds them."""
        return f"bench run --upstream {self.upstream.name} --downstream {self.downstream.name} --task {self.task.name}"

    def refuse_incomplete(self) -> None:
        """Refuse a cell that has no score yet.

        Raises:
            BenchError: A unit is missing or has failed; the hint has the command.
        """
        if not self.complete:
            done = f"{len(self.completed)} of {len(self.units)} units"
            what = f"{clean(self.name)} on {clean(self.task.name)} is incomplete: {done}"
            raise BenchError(what, clean(self.command))

    @property
    def complete_folds(self) -> int:
        """The number of folds of which every seed is completed."""
        done = Counter(fold for fold, _ in self.completed)
        return sum(done[fold] == len(self.seeds) for fold in self.task.folds)

    @property
    def sha256(self) -> str:
        """The digest of what the cell is: protocol, recordings, folds, upstream and downstream."""
        return digest([*protocol_of(self.task), self.upstream.sha256, self.downstream.sha256])

    @cached_property
    def libraries(self) -> frozenset[tuple[str, str]]:
        """The libraries that computed its features and fitted its heads, each with its version."""
        made = [record.provenance for record in self.records.values()]
        parts = [part for one in made for part in (one.upstream, one.downstream) if part is not None]
        return frozenset(item for part in parts for item in part.libraries.items())

    @property
    def created(self) -> str:
        """When its latest unit was made, as text; ISO 8601 in UTC sorts as time does."""
        return self.made[0]

    @cached_property
    def made(self) -> tuple[str, str]:
        """When its latest unit was made, and with which version of the benchmark."""
        return max((record.provenance.created, record.provenance.version) for record in self.records.values())

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The digests of the code that its units were run with, sorted."""
        return tuple(sorted({record.provenance.code_sha256 for record in self.records.values()}))

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Why units failed, one text for each of `failed`."""
        return tuple(self.records[unit].reason or "no reason given" for unit in self.failed)

    @cached_property
    def audio_s(self) -> float:
        """Seconds of audio of the corpus, as that unit says which heard most."""
        return max(record.cost.audio_s for record in self.records.values())

    @cached_property
    def contaminated(self) -> tuple[str, ...]:
        """Corpora of the task that the weights of the upstream were trained on, as a record or this package knows.

        What weights were trained on is no part of what they are: records of one identity may know more than others,
        and a record that was submitted is not believed where it says less than is known of an upstream of its name.
        """
        trained_on = {name for record in self.records.values() for name in record.upstream.trained_on}
        trained_on |= known_trained_on(self.upstream.name)
        return tuple(name for name in self.task.corpus.names if name in trained_on)

    @property
    def track(self) -> Track:
        """The race in which the cell is ranked.

        "fine-tuned": the head reads the waveform, so that the upstream learns too, or a run has trained the upstream.
        "fixed": the task's default head. "open head": any other. Where an older record does not name the default head,
        it was `superb`.
        """
        if self.downstream.needs == "waveform" or is_tuned(self.upstream.name):
            return "fine-tuned"
        default = FORMER_DEFAULT if self.task.downstream is None else self.task.downstream
        return "fixed" if self.downstream.name == default else "open head"

    @property
    def table(self) -> Table:
        """The table of its task in which the cell stands: its track, or apart where its weights know the recordings."""
        return "contaminated" if self.contaminated else self.track

    @property
    def control(self) -> bool:
        """Whether it is no system but what every system must beat: its upstream knows nothing of the speech."""
        return known_control(self.upstream.name)

    @cached_property
    def cluster(self) -> Literal["speaker", "utterance"]:
        """What its clusters are: speakers, or groups of utterances of a corpus that knows no speaker."""
        return next(iter(self.records.values())).clusters.unit

    @property
    def gender(self) -> Mapping[str, str]:
        """The gender of those of `speakers` of whom the corpus knows it."""
        return {name: gender for record in self.records.values() for name, gender in record.clusters.gender.items()}

    @cached_property
    def is_selection_unsure(self) -> bool:
        """Whether half of the units or more, of those that say it, were selected no better than by chance."""
        found = [record.selection.above_chance for record in self.records.values() if record.selection is not None]
        told = [above for above in found if above is not None]
        return bool(told) and 2 * sum(told) <= len(told)

    def flags(self) -> list[str]:
        """What a reader must know to judge the score, in a fixed order and few words."""
        return list(self._flags)

    @cached_property
    def _flags(self) -> tuple[str, ...]:
        flags = {
            "bridge": self.task.bridge is not None,
            "speaker-dependent": not self.task.speaker_independent,
            "dev = test": self.task.dev_is_test,
            "transductive": self.downstream.transductive,
            "contaminated": bool(self.contaminated),
            "no speakers": self.cluster == "utterance",
            "few seeds": self.downstream.stochastic and len(self.seeds) < MIN_SEEDS,
            "mixed code": len(self.codes) > 1,
            "selection unsure": self.is_selection_unsure,
            "synthetic": self.task.corpus.synthetic,
            "control": self.control,
        }
        return tuple(flag for flag, holds in flags.items() if holds)

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """Every test speaker, or other cluster, of the completed units, sorted."""
        return tuple(sorted({speaker for unit in self.completed for speaker in self.records[unit].by_speaker}))

    @property
    def n_speakers(self) -> int:
        """The number of known test speakers: "unknown" is none, nor is a group of utterances."""
        return len(set(self.speakers) - {UNKNOWN_SPEAKER}) if self.cluster == "speaker" else 0

    @cached_property
    def of_units(self) -> list[NDArray[np.float64]]:
        """The sufficient statistics (S, a, b) of each completed unit, in the order of its `by_speaker`.

        Raises:
            BenchError: A record's statistics do not suit its task.
        """
        return all_statistics([self.records[unit] for unit in self.completed])

    def statistics(self) -> NDArray[np.float64]:
        """The sufficient statistics of every seed, fold and speaker; zeros where a fold does not test a speaker.

        Returns:
            (seeds, folds, speakers, a, b), where (a, b) are those of `benchmark.sufficient`.

        Raises:
            BenchError: The cell is incomplete, or larger than any honest one.
        """
        return self._statistics

    @cached_property
    def _statistics(self) -> NDArray[np.float64]:
        """Kept, for much is computed from it, and read-only."""
        self.refuse_incomplete()
        shape = self.task.statistics.shape(len(self.task.outputs))
        size = len(self.units) * len(self.speakers) * math.prod(shape)
        if size > LARGEST_STATISTICS:
            raise BenchError(f"{self.name} on {self.task.name} has statistics of {size} values", "is it one cell?")
        array = np.zeros((len(self.seeds), len(self.task.folds), len(self.speakers), *shape))
        column = {speaker: index for index, speaker in enumerate(self.speakers)}
        places = ((j, i) for i in range(len(self.task.folds)) for j in range(len(self.seeds)))
        for (j, i), unit, statistics in zip(places, self.units, self.of_units, strict=True):
            array[j, i, [column[speaker] for speaker in self.records[unit].by_speaker]] = statistics
        array.flags.writeable = False
        return array

    def forget(self) -> None:
        """Give back the memory of what can be computed again: of a large board it is more than all else."""
        for name in STATISTICS:
            self.__dict__.pop(name, None)

    def forget_records(self) -> None:
        """Give back the memory of its records, too: it knows what tables show of them, and fails if asked for more."""
        for name in FACTS:
            getattr(self, name)
        self.forget()
        vars(self)["records"] = Forgotten()


class Forgotten(Mapping[Unit, Record]):
    """The records of a cell that has forgotten them: whoever asks for one made a mistake."""

    def __getitem__(self, unit: Unit) -> Record:
        """None of them is known."""
        raise RuntimeError(f"the record of {unit} was forgotten with all of its cell")

    def __iter__(self) -> Iterator[Unit]:
        """Nor is any unit."""
        raise RuntimeError("the records of this cell were forgotten")

    def __len__(self) -> int:
        """Nor their number."""
        raise RuntimeError("the records of this cell were forgotten")


# What a cell knows of its records and remembers without them.
FACTS = tuple(
    name for name, of in vars(Cell).items() if isinstance(of, cached_property) and name not in {*STATISTICS, *DERIVED}
)


def same_protocol(a: TaskPart, b: TaskPart) -> bool:
    """Whether two scores can be compared: the same protocol, recordings and folds."""
    return protocol_of(a) == protocol_of(b)


def protocol_of(task: TaskPart) -> tuple[str, ...]:
    """What two scores must share to be comparable: name and digest of the protocol, recordings and folds."""
    return (task.name, task.sha256, task.corpus.index_sha256, task.corpus.audio_sha256, task.folds_sha256)
