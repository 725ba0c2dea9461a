"""The protocol of a task, as its YAML states it: everything that decides a number, in a closed schema."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from benchmark.errors import UsageError
from benchmark.io.computed import Computed
from benchmark.io.files import digest
from benchmark.io.yamls import Closed, first_repeated, read_yaml, validate
from benchmark.metrics import METRICS
from benchmark.protocol.dev_schemes import AnyDevScheme
from benchmark.protocol.fold_schemes import AnyFoldScheme, Seed
from benchmark.protocol.targets import Targets, targets_of
from benchmark.types import Kind

# The keys of a task that decide no number: not part of its digest.
PROSE = {"title", "note", "bridge", "downstream", "licence", "citation"}
# The keys that say which utterances of a corpus are used as what: of a task, or of its source and its target.
PART = ("corpus", "filter", "exclude", "same_speaker", "label_map", "expect")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Count = Annotated[StrictInt, Field(ge=0)]


class Audio(Closed):
    """What is heard of an utterance: at most `max_duration` seconds from its start."""

    max_duration: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Expect(Closed):
    """What the corpus must hold after filter and label map; anything else stops the run with the difference.

    Null is for a number that nobody has published: nothing can be checked then, and the audit says so.
    """

    utterances: Count | None
    speakers: Count | None
    per_class: dict[str, Count] = {}
    index_sha256: str | None = None


class Auxiliary(Closed):
    """Classes beside the dimensions, for heads that learn both; null leaves an utterance without one, in the task."""

    label: str = "emotion"
    labels: list[str] = Field(min_length=2)
    label_map: dict[str, str | None]

    @model_validator(mode="after")
    def _maps_to_labels(self) -> Auxiliary:
        if (twice := first_repeated(self.labels)) is not None:
            raise ValueError(f"an auxiliary label is listed twice: {twice!r}")
        _check_label_map(self.labels, self.label_map)
        return self


class Context(Closed):
    """A task that predicts an utterance from what was said before it: its own sound is not heard.

    A turn is what one speaker says until another speaks (`dialogue` and `turn` in `Utterance.extra` order a corpus). An
    utterance is an example where it opens a turn and `turns` turns of its dialogue precede it.
    """

    turns: Annotated[StrictInt, Field(ge=1)]


class FewShot(Closed):
    """A few labelled utterances of each class of the target, out of what would be `adapt`, that join train.

    They are drawn once for each fold; a larger number holds those of a smaller one.
    """

    per_class: Annotated[StrictInt, Field(ge=1)]
    seed: Seed = 0


class CorpusUse(Closed):
    """Which utterances of one corpus are used, and as what.

    Attributes:
        corpus: Name of the scanner.
        filter: Keep the utterances whose field (of `Utterance`, or of its `extra`) has one of the listed values; null
            stands for none.
        exclude: Utterances that are left out, each with the reason.
        same_speaker: Speaker names that are one speaker; the first of each list is kept.
        label_map: Corpus label -> class, or null for a label that the task leaves out. Every label of the corpus
            must stand here.
        expect: Counts and digest of the utterances.
    """

    corpus: Name
    filter: dict[str, list[str | None]] = {}
    exclude: dict[str, str] = {}
    same_speaker: list[Annotated[list[str], Field(min_length=2)]] = []
    label_map: dict[str, str | None] = {}
    expect: Expect

    @model_validator(mode="after")
    def _speakers_are_joined_once(self) -> CorpusUse:
        twice = first_repeated(name for names in self.same_speaker for name in names)
        if twice is not None:
            raise ValueError(f"same_speaker lists {twice!r} twice")
        return self

    @model_validator(mode="after")
    def _filters_accept_something(self) -> CorpusUse:
        for name, accepted in self.filter.items():
            if not accepted:
                raise ValueError(f"filter accepts no value of {name!r}, so that nothing is left")
            if (twice := first_repeated(accepted)) is not None:
                raise ValueError(f"filter lists the {name} {twice!r} twice")
        return self


class Task(Computed):
    """A task: a corpus, a label space and a fixed protocol; or two corpora, of which one teaches and one tests.

    Attributes:
        name: The same as the file's.
        version: Raised whenever the protocol changes.
        title: One line, shown by `bench list tasks` and above the task's table.
        note: What a reader of the scores must know.
        bridge: Whose protocol it is, of a task that runs that of another benchmark as it is, only to stand beside the
            corpus's own task: it is marked, counts in no rank over tasks, and may do what no other task may.
        corpus: Name of the scanner; like the next five it stands here, or in `source` and `target`: see `CorpusUse`.
        filter: See `CorpusUse`.
        exclude: See `CorpusUse`.
        same_speaker: See `CorpusUse`.
        label_map: See `CorpusUse`.
        expect: See `CorpusUse`.
        source: The corpus whose utterances are train and dev, of a task between two corpora.
        target: The corpus that is tested; `folds` divides it, and what would be train is `adapt`, without labels.
        few_shot: How many labelled utterances of the target join train, in a task between two corpora.
        kind: "classification" or "regression".
        label: Which of an utterance's labels is mapped to classes.
        labels: The classes, in the order of the scores; for classification.
        dimensions: The dimensions, in order; for regression.
        auxiliary: Classes beside the dimensions.
        context: How many turns before an utterance are heard, instead of itself.
        audio: What is heard of an utterance.
        folds: How train and test are made.
        dev: How dev is taken from train.
        speaker_independent: Whether no speaker is in both train and test; audited, and refused where speakers are
            unknown, unless the split is the corpus's own or listed. `false` marks the leaderboard.
        pool: Whether the metric is computed once over the utterances of all folds, or by fold and averaged.
        metrics: All different; the first is primary.
        seeds: Seeds of the head, all different, from 0 to 2**32 - 1.
        downstream: The default head.
        licence: Licence of the corpus.
        citation: What to cite for the protocol or corpus.
    """

    name: Name
    version: Annotated[StrictInt, Field(ge=1)]
    title: str
    note: str = ""
    bridge: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    corpus: Name | None = None
    filter: dict[str, list[str | None]] = {}
    exclude: dict[str, str] = {}
    same_speaker: list[list[str]] = []
    label_map: dict[str, str | None] = {}
    expect: Expect | None = None
    source: CorpusUse | None = None
    target: CorpusUse | None = None
    few_shot: FewShot | None = None
    kind: Kind
    label: str = "emotion"
    labels: list[str] = Field([], max_length=1000)
    dimensions: list[str] = Field([], max_length=1000)
    auxiliary: Auxiliary | None = None
    context: Context | None = None
    audio: Audio = Audio()
    folds: AnyFoldScheme
    dev: AnyDevScheme
    speaker_independent: StrictBool
    pool: Literal["utterances", "folds"]
    metrics: list[str] = Field(min_length=1, max_length=100)
    seeds: list[Seed] = Field(min_length=1, max_length=1000)
    downstream: str
    licence: str
    citation: str

    @model_validator(mode="after")
    def _parts_are_consistent(self) -> Task:
        given = [key for key in PART if key in self.model_fields_set]
        if (self.source is None) != (self.target is None):
            raise ValueError("source and target go together: train and dev are of the one, test is of the other")
        if self.source is not None and given:
            raise ValueError(f"{given[0]} stands in source and in target, where a task has them")
        if self.source is None and (self.corpus is None or self.expect is None):
            raise ValueError("a task has corpus and expect, or source and target, which have them")
        if self.source is not None and self.context is not None:
            raise ValueError("context is of the dialogues of one corpus, and this task has source and target")
        if self.few_shot is not None and (self.target is None or not self.targets.are_classes):
            raise ValueError(
                "few_shot takes utterances of each class of a target: it is for classes between two corpora"
            )
        if len({use.corpus for use in self.uses}) < len(self.uses):
            raise ValueError("source and target are two corpora; parts of one corpus are divided by folds")
        return self

    @model_validator(mode="after")
    def _outputs_are_consistent(self) -> Task:
        self.targets.check(self)
        twice = first_repeated(self.dimensions)
        if twice is not None:
            raise ValueError(f"a dimension is listed twice: {twice!r}")
        for use in self.uses:
            _check_label_map(self.labels, use.label_map)
        return self

    @model_validator(mode="after")
    def _protocol_is_consistent(self) -> Task:
        for metric in self.metrics:
            if metric not in METRICS or METRICS[metric].kind != self.kind:
                known = [name for name, known in METRICS.items() if known.kind == self.kind]
                raise ValueError(f"{metric!r} is no metric for {self.kind}; known: {', '.join(known)}")
        for what, names in (("metric", self.metrics), ("seed", self.seeds)):
            twice = first_repeated(names)
            if twice is not None:
                raise ValueError(f"a {what} is listed twice: {twice!r}")
        for key, scheme in (("folds", self.folds), ("dev", self.dev)):
            if scheme.is_stratified and not self.targets.are_classes:
                raise ValueError(f"{key} cannot be stratified in a {self.kind} task: it has no classes")
        return self

    @model_validator(mode="after")
    def _dev_suits_folds(self) -> Task:
        self.dev.check_suits(self.folds, between=self.target is not None)
        return self

    @model_validator(mode="after")
    def _does_as_others_do_only_to_compare(self) -> Task:
        if self.folds.is_only_for_bridges and self.bridge is None:
            raise ValueError("shots fits on few utterances of speakers who are tested: say whose protocol in bridge")
        return self

    @model_validator(mode="after")
    def _expects_what_can_be(self) -> Task:
        for use in self.uses if self.labels else ():
            _check_counts(self.labels, use.expect)
        return self

    @functools.cached_property
    def uses(self) -> tuple[CorpusUse, ...]:
        """The one corpus, or source and target."""
        if self.source is not None and self.target is not None:
            return self.source, self.target
        return (CorpusUse.model_validate({key: getattr(self, key) for key in PART}),)

    @property
    def targets(self) -> Targets:
        """What is predicted of an utterance."""
        return targets_of(self.kind)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The classes or the dimensions, in the order of the scores."""
        return tuple(self.labels or self.dimensions)

    @property
    def primary(self) -> str:
        """The metric that ranks."""
        return self.metrics[0]

    @property
    def sha256(self) -> str:
        """Digest of all that decides a number; prose, comments, layout and spelt-out defaults do not change it."""
        content = self.model_dump(mode="json", exclude=PROSE, exclude_defaults=True)
        for part in (content, content.get("source", {}), content.get("target", {})):
            if "exclude" in part:  # why something is left out is prose
                part["exclude"] = sorted(part["exclude"])
        return digest(content)


def _check_label_map(classes: Sequence[str], label_map: Mapping[str, str | None]) -> None:
    for label, target in label_map.items():
        if label == "" and target is not None:
            raise ValueError(f"label_map sends what has no label to {target!r}: it can only be left out (null)")
        if target is not None and target not in classes:
            raise ValueError(f"label_map sends {label!r} to {target!r}, which is not in labels")
    unused = set(classes) - set(label_map.values())
    if unused:
        raise ValueError(f"no label of the corpus is mapped to {', '.join(sorted(unused))} in label_map")


def _check_counts(classes: Sequence[str], expect: Expect) -> None:
    counts = expect.per_class
    for label in counts:
        if label not in classes:
            raise ValueError(f"expect counts {label!r}, which is not in labels")
    if counts and counts.keys() == set(classes) and expect.utterances not in (None, sum(counts.values())):
        raise ValueError(f"expect has {expect.utterances} utterances, and {sum(counts.values())} in all classes")


def read_task(path: Path) -> Task:
    """Read and check a protocol.

    Raises:
        UsageError: The YAML does not follow the schema, or its name is not that of the file.
    """
    content: dict[str, Any] = read_yaml(path)
    task = validate(Task, content, path.name)
    if task.name != path.stem:
        raise UsageError(f"{path.name} says name: {task.name!r}", f"a task is named as its file: {path.stem!r}")
    return task
