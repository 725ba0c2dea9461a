"""The schema of a record: the fields of one unit of work."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from benchmark.io.computed import Computed
from benchmark.io.files import digest
from benchmark.io.yamls import Closed
from benchmark.records.sums import Statistics, Sums
from benchmark.records.upgrades import NEWEST
from benchmark.sufficient import STATISTICS, SufficientStatistics
from benchmark.types import Kind

# "modified": other seeds or folds than the task's own, or recordings that are not the published ones; "partial": on a
# part of the corpus. Neither is on a leaderboard.
Protocol = Literal["official", "modified", "partial"]


class CorpusPart(Closed):
    """Which recordings: name ("source -> target" for two), digest of the index and of the decoded audio, how many."""

    name: str
    index_sha256: str
    audio_sha256: str
    utterances: int
    synthetic: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The corpora themselves: one, or source and target."""
        return tuple(self.name.split(" -> "))


class TaskPart(Closed):
    """Which protocol, with what the leaderboard needs to know of it.

    `downstream` is the task's default head; None where an older version did not say. `bridge` names the benchmark whose
    protocol it is; it is not written where it is not there.
    """

    name: str
    version: int
    sha256: str
    title: str
    downstream: str | None
    corpus: CorpusPart
    kind: Kind
    outputs: list[str] = Field(max_length=1000)
    metrics: list[str] = Field(max_length=100)
    pool: Literal["utterances", "folds"]
    folds: list[str] = Field(max_length=10_000)
    folds_sha256: str
    seeds: list[int] = Field(max_length=1000)
    speaker_independent: bool
    dev: str
    bridge: str | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if key != "bridge" or value is not None}

    @property
    def dev_is_test(self) -> bool:
        """Whether heads are selected on the test set: `dev` is the name of the protocol's dev scheme."""
        return self.dev == "test"

    @property
    def statistics(self) -> SufficientStatistics:
        """What records of the task hold of each speaker."""
        return STATISTICS[self.kind]


class UpstreamPart(Closed):
    """Which representation. `sha256` is the digest of what it is: class, version, parameters, weights; not of its code.

    `version` is what its class declares ("1", for several "1+2"), or the digest of its code where that declares none.
    `trained_on` names the corpora of the benchmark with whose recordings its weights were trained.
    """

    name: str
    version: str
    sha256: str
    params: dict[str, Any]
    weights_sha256: str | None
    sample_rate: int
    layers: int | None
    dim: int | None
    parameters: int | None
    trained_on: list[str] = []


class DownstreamPart(Closed):
    """Which head. `sha256` is the digest of what it is: class, version and parameters; not of its code.

    `version` is what its class declares, or the digest of its code where that declares none.

    `needs` is what it reads, as `Downstream.needs`; None where an older version did not say. `phones_sha256` is the
    digest of the phone alignments of what it was fitted on, which is part of `sha256` too; not written of heads that
    read none, so that their records are written as they were.
    """

    name: str
    version: str
    sha256: str
    needs: str | None
    params: dict[str, Any]
    parameters: int | None
    stochastic: bool
    transductive: bool
    phones_sha256: str | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if key != "phones_sha256" or value is not None}


class ClustersPart(Closed):
    """What the keys of `by_speaker` are: speakers, or groups of utterances in a corpus that knows no speaker.

    Attributes:
        unit: "speaker", where "unknown" is all utterances without one; or "utterance", groups drawn by a keyed hash.
        salt: What names are hidden with, see `benchmark.records.hiding`; never in a published record.
        salted: Whether the names are hidden.
        folds: Whether the folds are named after the clusters, so that their names are hidden with them.
        gender: "female", "male" or what else the corpus says, of the test speakers whose gender it knows.
    """

    unit: Literal["speaker", "utterance"]
    salt: str | None
    salted: bool
    folds: bool
    gender: dict[str, str]


class Counts(Closed):
    """Utterances of each set, known test speakers, and test utterances of each class (empty for regression)."""

    train: int
    dev: int
    test: int
    adapt: int = 0
    test_speakers: int
    per_class: dict[str, int]


class EvaluationPart(Closed):
    """One point of the learning curve: epochs or steps done, losses, and the score that selects (higher is better)."""

    when: int
    train_loss: float | None
    dev_loss: float
    dev_score: float


class SelectionPart(Closed):
    """How the head was chosen on dev, or on inner folds of train.

    `inner_folds` is how many of the protocol's inner folds it was chosen on: all, pooled, or 1, the first as a dev set,
    by a head that is too dear for all; None without inner folds. `above_chance` is whether what it was chosen on is
    surely above chance; None where nobody looked, as in records of older versions. `curve` has every evaluation of
    heads that tell them. What of these is not there is not written, so that older records are written as they were.
    """

    on: str | None
    score: float | None
    epoch: int | None
    layer_weights: list[float] | None
    chosen: dict[str, float | str]
    inner_folds: int | None = None
    above_chance: bool | None = None
    curve: list[EvaluationPart] = Field([], max_length=100_000)

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        later = ("inner_folds", "above_chance", "curve")
        return {key: value for key, value in write(self).items() if key not in later or value not in (None, [])}


class CalibrationPart(Closed):
    """How far the head's probabilities can be believed: sums by test speaker, before and after one temperature.

    `before` and `after` hold the (3, 16) sums of `benchmark.sufficient.Calibration` of each key of `by_speaker`; bins
    that are empty are not written: see `benchmark.records.sums`.
    `temperature`, by which log-probabilities are divided, is the one of the least NLL `on` utterances that the head was
    not fitted on: the dev set, or what inner folds hold out, pooled. Where there are none, `without` says why, and
    nothing is after.
    """

    before: dict[str, Sums]
    after: dict[str, Sums] | None
    temperature: float | None
    on: Literal["dev", "inner folds"] | None
    without: Literal["dev is test", "fitted on dev", "nothing held out"] | None


class StepPart(Closed):
    """One training of the weights that encoded, before this unit.

    Attributes:
        start: What it started from.
        downstream: The recipe.
        task: On which task.
        fold: On which fold of it; None where its name is hidden.
        seed: Of the training.
        unit: Id of the record of that training; None where the fold is hidden.
        weights_sha256: Digest of what was trained.
    """

    start: str
    downstream: str
    task: str
    fold: str | None
    seed: int
    unit: str | None
    weights_sha256: str


class WeightsPart(Closed):
    """Weights that were trained: of the upstream before this unit, step by step, and in it.

    Attributes:
        steps: From the first training to the last; empty where the upstream is as it was published.
        trained_sha256: Digest of the best state of the upstream and the head of this unit, where it trained both.
    """

    steps: list[StepPart] = Field([], max_length=100)
    trained_sha256: str | None = None


class Cost(Closed):
    """What it took. `encode_s` is the time once spent on encoding this task's utterances, shared by all its units."""

    encode_s: float | None
    fit_s: float | None
    peak_bytes: int | None
    audio_s: float
    device: str


class CodePart(Computed):
    """The code of an upstream or a head: digest of what it reaches, and versions of the libraries it names."""

    code_sha256: str
    libraries: dict[str, str]

    @cached_property
    def plain(self) -> dict[str, Any]:
        """What it says as plain values, kept for the many digests that it is part of."""
        return self.model_dump()


class Provenance(Computed):
    """When, with what and how.

    `code_sha256` is the digest of this project's own code that makes numbers, beside that of the upstream and of the
    head, which are None in records of older versions.
    """

    created: str
    version: str
    code_sha256: str
    upstream: CodePart | None
    downstream: CodePart | None
    git: dict[str, str | bool] | None
    python: str
    packages: dict[str, str]
    platform: str
    command: str

    @cached_property
    def computed_by(self) -> str:
        """The digest of the code and the libraries that computed features and fitted heads."""
        return digest([None if part is None else part.plain for part in (self.upstream, self.downstream)])


class Record(Closed):
    """One unit of work, completed or failed.

    `by_speaker` holds the sufficient statistics: for classification the (K, K) confusion counts of each test speaker
    (or other cluster, as `clusters` says), rows truth, columns decision; for regression a (k, 6) array of n, sum t,
    sum p, sum t*t, sum p*p, sum t*p. `calibration` is there where the head gives probabilities of classes; it is not
    written where it is not there, so that older records are written as they were.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    schema_version: Literal[3] = Field(NEWEST, alias="schema")
    id: str
    status: Literal["completed", "failed"]
    reason: str | None
    task: TaskPart
    upstream: UpstreamPart
    downstream: DownstreamPart
    fold: str
    seed: int
    protocol: Protocol
    counts: Counts
    metrics: dict[str, float]
    primary: str
    clusters: ClustersPart
    by_speaker: dict[str, Statistics]
    calibration: CalibrationPart | None = None
    selection: SelectionPart | None
    cost: Cost
    provenance: Provenance
    weights: WeightsPart | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """So that older records are written as they were."""
        later = ("calibration", "weights")
        return {key: value for key, value in write(self).items() if key not in later or value is not None}
