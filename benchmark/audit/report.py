"""What an audit tells, as plain values; `Audit.as_dict` is what `bench show TASK --audit --json` prints.

The keys of the JSON are the attributes below. They are stable: new ones may come, none changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from benchmark.errors import BenchError
from benchmark.types import Kind

Severity = Literal["error", "warning", "note"]
SetName = Literal["train", "dev", "test", "adapt"]
SETS: tuple[SetName, ...] = ("train", "dev", "test", "adapt")
# The same audio is looked for in the first of two sets, against the second.
COMPARED: tuple[tuple[SetName, SetName], ...] = (
    ("test", "train"),
    ("test", "dev"),
    ("test", "adapt"),
    ("dev", "train"),
)


@dataclass(frozen=True)
class Finding:
    """One thing a reader should know.

    Attributes:
        severity: "error" stops the run (a leak that the protocol does not declare, or cannot exclude), "warning" is
            declared or distorts scores, "note" informs.
        text: One sentence.
    """

    severity: Severity
    text: str


@dataclass(frozen=True)
class MeanAndDeviation:
    """Values of one dimension.

    Attributes:
        mean: Their mean.
        sd: Their standard deviation (population).
    """

    mean: float
    sd: float


@dataclass(frozen=True)
class SetAudit:
    """One set of a fold.

    Attributes:
        utterances: How many examples it has.
        speakers: How many known speakers are heard in it, in a task with context those of the context too.
        genders: Utterances of each gender, where it is known.
        per_class: Utterances of each class; empty for regression.
        values: Mean and standard deviation of each dimension; empty for classification and for an empty set.
    """

    utterances: int
    speakers: int
    genders: Mapping[str, int]
    per_class: Mapping[str, int]
    values: Mapping[str, MeanAndDeviation]


@dataclass(frozen=True)
class Copy:
    """The same audio in two sets of one fold: of identical samples the first utterance of the other set that has them.

    Attributes:
        id: Utterance id, in `part`.
        part: "test", or "dev" for a copy in train.
        other_id: Utterance id, in `other_part`; the same id where two examples have it in their context.
        other_part: "train", "dev" or "adapt".
    """

    id: str
    part: SetName
    other_id: str
    other_part: SetName


@dataclass(frozen=True)
class SentenceOverlap:
    """Which sentences of test are also in train or dev.

    Attributes:
        utterances: Test utterances whose sentence is known.
        shared_utterances: Those of them whose sentence is also in train or dev.
        sentences: Different sentences in test.
        shared_sentences: Those of them that are also in train or dev.
    """

    utterances: int
    shared_utterances: int
    sentences: int
    shared_sentences: int

    @property
    def share(self) -> float:
        """Share of the test utterances whose sentence is also in train or dev."""
        return self.shared_utterances / self.utterances


@dataclass(frozen=True)
class FoldAudit:
    """Counts and overlaps of one fold.

    Attributes:
        name: The fold.
        sets: By "train", "dev", "test" and "adapt" what is in it.
        shared_speakers: Speakers of test who are also in train or dev (in train alone, where dev is test).
        dev_speakers_in_train: Speakers of dev who are also in train; none where dev is test.
        test_speakers_in_adapt: Speakers of test who are also in adapt.
        copies: Identical audio in test and in train, dev or adapt, and in dev and in train.
        overlaps: Stretches of one recording that overlap, likewise; `Audit.overlaps` says by how much.
        sentences: Overlap of sentences; None where none is known, and in a task with context, where the example itself
            is not heard.
        missing: Classes that train, dev or test lacks, as "dev: angry".
    """

    name: str
    sets: Mapping[SetName, SetAudit]
    shared_speakers: tuple[str, ...]
    dev_speakers_in_train: tuple[str, ...]
    test_speakers_in_adapt: tuple[str, ...]
    copies: tuple[Copy, ...]
    overlaps: tuple[Copy, ...]
    sentences: SentenceOverlap | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Durations:
    """Durations of some utterances [s].

    Attributes:
        utterances: How many.
        total: Their sum.
        median: Their median.
        shortest: The shortest.
        longest: The longest.
    """

    utterances: int
    total: float
    median: float
    shortest: float
    longest: float


@dataclass(frozen=True)
class Distribution:
    """Values of one dimension in a corpus.

    Attributes:
        mean: Their mean.
        sd: Their standard deviation (population).
        lowest: The lowest.
        highest: The highest.
        scale: Lowest and highest value that the corpus has; None where it does not say.
        outside: Ids of the utterances whose value is not on the scale.
    """

    mean: float
    sd: float
    lowest: float
    highest: float
    scale: tuple[float, float] | None
    outside: tuple[str, ...]


@dataclass(frozen=True)
class Giveaway:
    """How well the class can be told without listening: see `benchmark.audit.giveaways`.

    Attributes:
        utterances: How many have a known speaker, sentence or duration, whichever it is told from.
        groups: How many different speakers or sentences there are; None for durations.
        uar: UAR of the guess in [0, 1], each utterance guessed from the others.
        chance_uar: The same with shuffled classes.
        nmi: Normalised mutual information with the class in [0, 1]; None for durations.
        chance_nmi: The same with shuffled classes.
    """

    utterances: int
    groups: int | None
    uar: float
    chance_uar: float
    nmi: float | None
    chance_nmi: float | None


@dataclass(frozen=True)
class CorpusAudit:
    """The examples of a task that are of one corpus.

    Attributes:
        name: The corpus.
        utterances: How many examples.
        speakers: How many known speakers.
        without_speaker: Examples without a known speaker.
        genders: Utterances of each gender, where it is known.
        durations: Durations by class, of regression by "all"; empty where nothing was heard.
        values: By dimension; empty for classification.
        one_class_speakers: Speakers all of whose utterances have one class.
        sentences: Different sentences, by their id or else by their words; None where none is known.
        giveaways: By "speaker", "sentence" and "duration" what it tells; None where it is not known, for regression,
            and for sentence and duration in a task with context, where the example itself is not heard.
    """

    name: str
    utterances: int
    speakers: int
    without_speaker: int
    genders: Mapping[str, int]
    durations: Mapping[str, Durations]
    values: Mapping[str, Distribution]
    one_class_speakers: tuple[str, ...]
    sentences: int | None
    giveaways: Mapping[str, Giveaway | None]


@dataclass(frozen=True)
class Identical:
    """Recordings with identical samples, anywhere in the task.

    Attributes:
        ids: Their utterance ids.
        speakers: The known speakers that they are said to be of.
        labels: The different classes, or values in regression, that they have.
    """

    ids: tuple[str, ...]
    speakers: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """What an utterance hears of its file.

    Attributes:
        id: Utterance id.
        start: [s].
        end: [s]; None for the end of a file that nobody has heard.
        speaker: Who is said to speak; None where it is not known.
        label: The class; None in regression and for context.
    """

    id: str
    start: float
    end: float | None
    speaker: str | None
    label: str | None


@dataclass(frozen=True)
class Overlap:
    """Two stretches of one recording that overlap, and are not identical.

    Attributes:
        file: The recording.
        stretches: The two, by their start.
        share: Of the shorter one what the other has too, in (0, 1].
    """

    file: str
    stretches: tuple[Stretch, Stretch]
    share: float


@dataclass(frozen=True)
class Crowd:
    """A recording whose stretches overlap so often that not every two are looked at.

    Attributes:
        file: The recording.
        stretches: How many there are.
        pairs: How often two of them overlap.
    """

    file: str
    stretches: int
    pairs: int


@dataclass(frozen=True)
class Audit:
    """The audit of a task.

    Attributes:
        task: Its name.
        version: Its version.
        kind: "classification" or "regression".
        outputs: Its classes or dimensions.
        corpora: The one corpus, or source and target.
        folds: One for each fold.
        identical: Groups of recordings with identical samples.
        overlaps: Stretches of one recording that overlap, by the largest share.
        crowds: Recordings of which only some of these are among them.
        findings: What to know, worst first.
    """

    task: str
    version: int
    kind: Kind
    outputs: tuple[str, ...]
    corpora: tuple[CorpusAudit, ...]
    folds: tuple[FoldAudit, ...]
    identical: tuple[Identical, ...]
    overlaps: tuple[Overlap, ...]
    crowds: tuple[Crowd, ...]
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values: dictionaries, lists, text and numbers."""
        return {name: _plain(value) for name, value in vars(self).items()}

    def stop_on_error(self, task: str) -> None:
        """Refuse to run on a leak that the protocol does not declare, or claims to exclude while nobody can know.

        Raises:
            BenchError: There is a finding of severity "error".
        """
        errors = [finding.text for finding in self.findings if finding.severity == "error"]
        if errors:
            raise BenchError(
                f"the split of {task!r} leaks or cannot be checked: {' '.join(errors)}",
                f"bench show {task} --audit shows all",
            )


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value
