"""What stands in a YAML of `tasks/references`: the results that a source published, and what its words mean here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from benchmark.io.yamls import Closed

# Prefixes of the upstreams that read such models, by what they give of them.
PRETRAINED = {"frames": "pretrained:", "utterance": "pretrained-utterance:"}

Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# As the registry's upstreams and the Hub's checkpoints are called; several that are heard together are joined by " + ".
UpstreamName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*( \+ [a-z0-9][a-z0-9.+-]*)*$")]


class Why(Closed):
    """Why this benchmark has no such system."""

    why: Text


class OwnModel(Closed):
    """A model that `bench pretrain` makes, in a folder that is called as its recipe.

    Attributes:
        recipe: Of the pre-training.
        reads: Its frames, or its embedding of an utterance.
    """

    recipe: Text
    reads: Literal["frames", "utterance"] = "frames"

    @property
    def upstream(self) -> str:
        """The row that such a folder has."""
        return f"{PRETRAINED[self.reads]}{self.recipe}"


class OnLayers(Closed):
    """A head of this benchmark on some layers of the upstream: "last", "0", as in NAME@last."""

    head: Text
    layers: Text


class Claim(Closed):
    """What a source says of its results, to be tested as differences of systems.

    Attributes:
        claim: In words.
        task: On which task; a claim on two tasks is two.
        metric: Key of `METRICS`, by which it is meant.
        better: UPSTREAM+DOWNSTREAM of this benchmark.
        worse: Those that it is said to be better than.
    """

    claim: Text
    task: Text
    metric: Text
    better: Text
    worse: list[Text] = Field(min_length=1)


class PublishedRow(Closed):
    """One system of a table: a value for each of the table's metrics, null where the source has none.

    Attributes:
        upstream: One spelling everywhere: the registry's, where it has the upstream.
        downstream: The head in words, where it is not the table's.
        values: As printed, in percent where the metric is a percentage.
        sd: Standard deviation of each over seeds or runs, where the source gives it.
    """

    upstream: UpstreamName
    downstream: Text | None = None
    values: list[Number | None]
    sd: list[Number | None] | None = None


class PublishedResults(Closed):
    """The rows of a table that belong to one task.

    Attributes:
        task: Name of the task.
        runs_on: The task that runs the source's own protocol, where it is another one.
        differs: What else differs on this task, in addition to the table's.
        why: Why none of these rows can be had here, where none can.
        rows: In the order of the source.
    """

    task: Text
    runs_on: Text | None = None
    differs: str = ""
    why: Text | None = None
    rows: list[PublishedRow] = Field(min_length=1)


class PublishedTable(Closed):
    """One table of a source.

    Attributes:
        table: Its name in the source, such as "Table 3".
        downstream: The head in words, of all rows that name no other.
        metrics: Keys of `METRICS`, in the order of the values; a dimension may follow: "ccc arousal".
        places: Decimals that are printed.
        differs: What differs from the protocol of the tasks; empty only where nothing does.
        results: By task.
    """

    table: Text
    downstream: Text
    metrics: list[Text] = Field(min_length=1)
    places: Annotated[StrictInt, Field(ge=0, le=6)] = 2
    differs: str
    results: list[PublishedResults] = Field(min_length=1)


class ReferenceFile(Closed):
    """A file of references.

    Attributes:
        label: Short name, such as "Ma et al. 2024".
        citation: Authors: title. Venue year. arXiv or DOI, without a full stop at the end.
        url: Where it can be read.
        heads: What the words for each head mean here: a head of this benchmark, or why there is none.
        upstreams: Likewise of upstreams that are called otherwise here, or that are pre-trained here.
        figures: What it shows beside scores, such as "Figure 3": the analysis of `bench analyse` that makes the like,
            or why there is none.
        claims: What it says of its results.
        tables: What it published.
    """

    label: Text
    citation: Annotated[str, Field(pattern=r"[^.\s]$")]
    url: Annotated[str, Field(pattern=r"^https://[^\s]+$")]
    heads: dict[str, Text | OnLayers | Why] = {}
    upstreams: dict[str, Text | OwnModel | Why] = {}
    figures: dict[str, Text | Why] = {}
    claims: list[Claim] = []
    tables: list[PublishedTable] = Field(min_length=1)
