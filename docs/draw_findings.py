"""Write the figures of docs/findings.md from the published rows: `python docs/draw_findings.py`.

A finding is a claim about two systems, or about one system under two protocols. Its verdict is that of the tests: where
they do not bear the claim, the page says that nothing can be told, and a claim that they contradict stops the script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.cli.compare import cells_of_metric
from benchmark.cli.compare_protocols import UnderBoth, under_both
from benchmark.metrics import METRICS, Metric
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import Comparison, analyse, cell_scores
from benchmark.text import clean, count, interval, measured, p_text
from leaderboard.chance import chance_level

RESULTS = Path(__file__).parent.parent / "leaderboard" / "results"
PAGE = Path(__file__).parent / "findings.md"
MARKED = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Corpora with random splits beside their own task.
CORPORA = {
    "ravdess": "RAVDESS", "emovo": "EMOVO", "nemo": "nEMO", "turev-db": "TurEV-DB", "baved": "BAVED", "ased": "ASED",
    "urdu": "URDU",
}  # fmt: skip
RANDOM = "-random"
# What random splits add is told of one system that all of them have, and not of whichever gains most on each.
SYSTEM, CONTROL = "moonshine-base + superb", "chance + superb"
Cells = Mapping[str, Sequence[Cell]]


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        text: A sentence without its end; what it says of scores is from the records.
        metric: What is compared.
        pair: The comparison, corrected as `family` says.
        family: What it is corrected for, in words.
        command: What prints it.
    """

    text: str
    metric: str
    pair: Comparison
    family: str
    command: str


@dataclass(frozen=True)
class Claim:
    """That one system of a task has a higher score than another; of an error, a lower one.

    Attributes:
        task: The task.
        better: The system, as it is shown.
        worse: The other one.
        told: Where the tests bear it; with the fields {better}, {worse} (scores), {by} (their difference) and {chance}.
        untold: Where they do not, with the same fields.
        metric: The task's own where not given.
    """

    task: str
    better: str
    worse: str
    told: str
    untold: str
    metric: str | None = None


CLAIMS = (
    Claim(
        "emovo-random",
        "moonshine-base + logistic",
        "moonshine-base + knn",
        "on these splits of EMOVO a nearest neighbour in Moonshine's features falls to {worse} (guessing: {chance}), "
        "{by} below logistic regression on the same features, probably since what lies nearest is the same speaker's "
        "same sentence, which train has in every emotion but its own",
        "on these splits of EMOVO a nearest neighbour in Moonshine's features ({worse}) cannot be told apart from "
        "logistic regression on the same features ({better})",
    ),
    Claim(
        "emovo",
        "whisper-tiny + superb",
        "egemaps + superb",
        "on new speakers of EMOVO `whisper-tiny` ({better}) is {by} points above the hand-crafted `egemaps` ({worse})",
        "on new speakers of EMOVO `whisper-tiny` ({better}) cannot be told apart from `egemaps` ({worse})",
    ),
    Claim(
        "ravdess",
        "moonshine-base + superb",
        "egemaps + superb",
        "on RAVDESS `moonshine-base` ({better}) is {by} points above `egemaps` ({worse})",
        "on RAVDESS `moonshine-base` ({better}) cannot be told apart from `egemaps` ({worse})",
    ),
    Claim(
        "ravdess",
        "moonshine-base + superb",
        "moonshine-tiny + superb",
        "there the larger Moonshine is {by} points above the smaller one ({worse})",
        "there the larger Moonshine cannot be told apart from the smaller one ({worse})",
    ),
    Claim(
        "ravdess",
        "moonshine-base + logistic",
        "moonshine-base + knn",
        "the probabilities of a nearest neighbour are worth little there: an NLL of {worse} against {better} of "
        "logistic regression, on the same features",
        "the probabilities of a nearest neighbour (NLL {worse}) cannot be told apart there from those of logistic "
        "regression ({better})",
        "nll",
    ),
    Claim(
        "ravdess-song",
        "logmel + logistic",
        "moonshine-base + logistic",
        "where the same actors sing, plain log mel energies ({better}) are {by} points above `moonshine-base` "
        "({worse}) under the same head",
        "where the same actors sing, plain log mel energies ({better}) cannot be told apart from `moonshine-base` "
        "({worse}) under the same head",
    ),
    Claim(
        "nemo",
        "moonshine-tiny + superb",
        "egemaps + superb",
        "on the nine speakers of nEMO `moonshine-tiny` ({better}) is {by} points above `egemaps` ({worse})",
        "on the nine speakers of nEMO `moonshine-tiny` ({better}) cannot be told apart from `egemaps` ({worse})",
    ),
    Claim(
        "ased",
        "moonshine-base + superb",
        "egemaps + superb",
        "on the 65 Amharic speakers of ASED, where 25 of 27 sentences belong to one emotion each, so that words tell "
        "it too, `moonshine-base` ({better}) is {by} points above `egemaps` ({worse})",
        "on the 65 Amharic speakers of ASED `moonshine-base` ({better}) cannot be told apart from `egemaps` ({worse})",
    ),
    Claim(
        "turev-db",
        "moonshine-tiny + superb",
        "egemaps + superb",
        "on single words, said in all emotions by the six Turkish speakers of TurEV-DB, "
        "`moonshine-tiny` ({better}) is {by} points above `egemaps` ({worse})",
        "on single words of the six Turkish speakers of TurEV-DB `moonshine-tiny` ({better}) cannot be told apart from "
        "`egemaps` ({worse})",
    ),
    Claim(
        "baved",
        "moonshine-base + superb",
        "egemaps + superb",
        "of how strong an emotion is, in seven Arabic words of BAVED, `moonshine-base` ({better}) tells {by} points "
        "more than `egemaps` ({worse})",
        "of how strong an emotion is, in seven Arabic words of BAVED, `moonshine-base` ({better}) cannot be told to "
        "say more than `egemaps` ({worse})",
    ),
    Claim(
        "emovo-to-ravdess",
        "moonshine-tiny + superb",
        "egemaps + superb",
        "learnt from the six speakers of EMOVO and tested on RAVDESS, `moonshine-tiny` ({better}) is {by} points above "
        "`egemaps` ({worse})",
        "learnt from EMOVO and tested on RAVDESS, `moonshine-tiny` ({better}) cannot be told apart from `egemaps` "
        "({worse})",
    ),
)


def draw() -> str:
    """The page with what stands between its marks made again.

    Raises:
        ValueError: A row is missing, or the tests say the reverse of a claim.
    """
    by_task: dict[str, list[Cell]] = {}
    for cell in group(RecordStore(RESULTS)).cells:
        if cell.complete:
            by_task.setdefault(cell.task.name, []).append(cell)
    found = findings(by_task)
    texts = {"sentences": _sentences(found), "table": _table(found), "commands": _commands(found)}
    return MARKED.sub(lambda mark: f"{mark[1]}{texts[mark[2]]}\n{mark[3]}", PAGE.read_text(encoding="utf-8"))


def findings(by_task: Cells) -> list[Finding]:
    """All findings, in the order of the page."""
    return [
        *(_split(corpus, by_task) for corpus in CORPORA),
        _noise("urdu", by_task),
        *(claimed(claim, by_task) for claim in CLAIMS),
        _not_told("urdu", by_task),
    ]


def _under_both(system: str, corpus: str, by_task: Cells) -> tuple[Metric, UnderBoth]:
    """A system on a corpus's own task and on its random splits."""
    own, known = (by_task.get(name, ()) for name in (corpus, corpus + RANDOM))
    if not own or not known:
        raise ValueError(f"there are no rows of {corpus}, or none of {corpus}{RANDOM}")
    metric, told = under_both(known, own, None)
    found = next((one for one in told if one.comparison.task == system), None)
    if found is None:
        raise ValueError(f"{system} has no rows of {corpus} and of {corpus}{RANDOM}")
    return metric, found


def _noise(corpus: str, by_task: Cells) -> Finding:
    """What random splits add where features are noise: not voices, but which classes are how frequent in train."""
    metric, one = _under_both(CONTROL, corpus, by_task)
    pair = one.comparison
    random, held_out = (measured(score, metric.percent) for score in one.scores)
    by, name = measured(pair.delta, metric.percent), pair.task.partition(" + ")[0]
    text = (
        f"there noise in place of features (`{name}`) gains {by}, {random} against {held_out}, probably since who is "
        "held out takes most of an emotion out of train, so that not all that others gain need be a voice that is known"
    )
    if not pair.significant:
        text = f"what noise in place of features (`{name}`) gains there, {by}, may be chance"
    command = f"{_plain(pair.task)} --protocols --task {corpus}{RANDOM} --task {corpus}"
    return Finding(text, metric.name, pair, f"{count(pair.pairs, 'control')} under both", command)


def _split(corpus: str, by_task: Cells) -> Finding:
    """What random splits add to one system."""
    metric, one = _under_both(SYSTEM, corpus, by_task)
    pair = one.comparison
    random, held_out = (measured(score, metric.percent) for score in one.scores)
    name, _, _ = pair.task.partition(" + ")
    scores, by = f"{random} against {held_out} on new speakers", measured(pair.delta, metric.percent)
    family = f"{count(pair.pairs, 'system')} under both"
    text = f"random splits of {CORPORA[corpus]} add {by} points of {metric.title} to `{name}`: {scores}"
    if not pair.significant:
        text = f"on {CORPORA[corpus]} the {by} points of `{name}` ({scores}) may be chance, once corrected for {family}"
    command = f"{_plain(pair.task)} --protocols --task {corpus}{RANDOM} --task {corpus}"
    return Finding(text, metric.name, pair, family, command)


def claimed(claim: Claim, by_task: Cells) -> Finding:
    """The finding of a claim, with the sentence that its test bears.

    Raises:
        ValueError: A row is missing, or the tests say the reverse.
    """
    asked, cells = claim.metric or "", list(by_task.get(claim.task, ()))
    if asked:
        asked, of_task = cells_of_metric(asked, {claim.task: cells})
        cells = of_task[claim.task]
    known = {cell.name: cell for cell in cells}
    if not {claim.better, claim.worse} <= known.keys():
        raise ValueError(f"{claim.task} has no row of {claim.better} or of {claim.worse}")
    analysis = analyse(cells, asked or None)
    pair, metric = analysis.pairs[claim.better, claim.worse], analysis.metric
    if pair.significant and pair.gain < 0:
        raise ValueError(f"on {claim.task} {claim.worse} is better than {claim.better}")
    better, worse = (cell_scores(known[name], metric.name).mean for name in (claim.better, claim.worse))
    level = chance_level(cells[0].task, metric.name)
    fields = {"better": better, "worse": worse, "by": abs(pair.delta), "chance": level or 0.0}
    texts = {name: measured(value, metric.percent) for name, value in fields.items()}
    text = (claim.told if pair.significant else claim.untold).format(**texts)
    command = f"{_plain(pair.a)} {_plain(pair.b)} --task {claim.task}"
    command += f" --metric {claim.metric}" if claim.metric else ""
    return Finding(text, metric.name, pair, _family(pair), command)


def _not_told(task: str, by_task: Cells) -> Finding:
    """How many pairs of a table can be told apart, and the largest difference of those that cannot."""
    analysis = analyse(by_task.get(task, ()))
    names = [cell.name for cell in analysis.cells if cell.table == "fixed" and not cell.control]
    pairs = [analysis.pairs[a, b] for a in names for b in names if a != b and analysis.pairs[a, b].gain > 0]
    open_pairs = [pair for pair in pairs if not pair.significant]
    if not open_pairs:
        raise ValueError(f"every two systems of {task} can be told apart")
    widest, told = max(open_pairs, key=lambda pair: pair.gain), len(pairs) - len(open_pairs)
    share = f"{told} of {count(len(pairs), 'pair')}" if told else f"none of {count(len(pairs), 'pair')}"
    speakers = f"{count(widest.n_clusters, 'speaker')} (worth {widest.effective_clusters:.1f} of equal weight)"
    by = measured(widest.delta, analysis.metric.percent)
    a, b = (name.partition(" + ")[0] for name in (widest.a, widest.b))
    verdict = f"not even `{a}` from `{b}`, {by} points below it"
    text = f"the {speakers} of {task.upper()} tell {share} of systems apart, {verdict}"
    return Finding(
        text, analysis.metric.name, widest, _family(widest), f"{_plain(widest.a)} {_plain(widest.b)} --task {task}"
    )


def _family(pair: Comparison) -> str:
    words = {"table": "of the table", "controls": "with a control", "task": "of the task"}
    return f"{count(pair.pairs, 'pair')} {words[pair.family]}"


def _sentences(found: Sequence[Finding]) -> str:
    """One paragraph, each finding with its number and corrected p."""
    return " ".join(
        f"{one.text[0].upper()}{one.text[1:]} ({number}: {_p(one.pair.p_adjusted)})."
        for number, one in enumerate(found, start=1)
    )


def _table(found: Sequence[Finding]) -> str:
    lines = [
        "| | compared | by | difference | 95 % interval | p | corrected p | corrected for |",
        "|---|---|---|--:|--:|--:|--:|---|",
    ]
    for number, one in enumerate(found, start=1):
        pair, metric = one.pair, METRICS[one.metric]
        ends = interval(pair.low or 0.0, pair.high or 0.0, metric.percent)
        what = f"{pair.task}: {pair.a} − {pair.b}"
        p, corrected = (_p(value).removeprefix("p ").removeprefix("= ") for value in (pair.p, pair.p_adjusted))
        figures = f"{measured(pair.delta, metric.percent)} | {ends} | {p} | {corrected}"
        lines.append(f"| {number} | {what} | {metric.title} | {figures} | {one.family} |")
    return "\n".join(lines)


def _commands(found: Sequence[Finding]) -> str:
    width = max(len(one.command) for one in found)
    return "\n".join(
        f"    bench compare {one.command} --published{' ' * (width - len(one.command))}    # {number}"
        for number, one in enumerate(found, start=1)
    )


def _plain(system: str) -> str:
    return clean(system).replace(" ", "")


def _p(value: float | None) -> str:
    return "not tested" if value is None else p_text(value)


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
