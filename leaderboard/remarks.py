"""What the leaderboard says about its numbers: flags, captions, notes and the legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from benchmark.protocol.references import Reference
from benchmark.records import TaskPart
from benchmark.records.cells import Cell
from benchmark.records.grouping import Grouping
from benchmark.records.superseding import why_superseded
from benchmark.text import NONE, WARNING, clean, count
from leaderboard.findings import task_findings
from leaderboard.rows import Section

# What a flag means.
WARNINGS = {
    "bridge": "the protocol of another benchmark, run as it is there, to stand beside the corpus's own task",
    "speaker-dependent": "test speakers are also in train, so the score says nothing about unseen speakers, and its "
    "interval is for others who would be in train as well",
    "dev = test": "the head was selected on the test set, so the score is optimistic",
    "transductive": "the head used statistics of the unlabelled test utterances",
    "contaminated": "the weights of the upstream were trained on recordings of this corpus (of a corpus of the task)",
    "no speakers": "the corpus does not say who speaks; groups of utterances stand in, so intervals are too narrow",
    "few seeds": "fewer than three seeds: the interval says little of new ones, and with a single one nothing",
    "mixed code": "not all units were run with the same code",
}
FLAGS = {
    **WARNINGS,
    "selection unsure": "in half of the units or more what selected the head is not surely above chance",
    "synthetic": "the speech was not spoken by people: it shows that the benchmark works and no more",
    "control": "knows nothing of the speech: no system and without a rank, but what every system must beat",
}


# Above what other people's papers say of a task.
WINS = (
    "On how many corpora the system of the row is better than that of the column: all numbers together hold with 95 % "
    "confidence."
)
CALIBRATION = (
    "How far probabilities can be believed: the lower the better, each with its 95 % interval. ECE in %, of 15 bins; "
    "ECE by chance is what probabilities that are right would have on so many utterances.",
    "After: divided by one temperature for each fold and seed, fitted on utterances that the head was not fitted on. "
    "Shown is the median, and on what it was fitted, or why there is none. No decision changes.",
)
ELSEWHERE = "Published elsewhere, not ranked: other code and often another protocol."


def warned(flags: Sequence[str]) -> bool:
    """Whether a flag among them is a warning."""
    return any(flag in WARNINGS for flag in flags)


def heading(task: TaskPart) -> str:
    """The name of a task with the warnings that hold for all its rows."""
    mark = f" {WARNING}" if not task.speaker_independent or task.dev_is_test else ""
    return clean(task.name) + mark + (" (synthetic)" if task.corpus.synthetic else "")


def caption(cells: Sequence[Cell]) -> str:
    """The protocol of a task and the size of its test, of which a complete cell knows the speakers."""
    task = cells[0].task
    tested = next((_tested(cell) for cell in cells if cell.complete), "test speakers unknown")
    corpus = f"corpus {clean(task.corpus.name)}{' (synthetic speech)' if task.corpus.synthetic else ''}"
    pooling = {"utterances": "utterances of all folds pooled before the metric", "folds": "metric averaged over folds"}
    sizes = ", ".join(
        (
            count(task.corpus.utterances, "utterance"),
            tested,
            count(len(task.folds), "fold"),
            count(len(task.seeds), "seed"),
        )
    )
    return (
        f"Protocol: {clean(task.title)}; {corpus}: {sizes}; {pooling[task.pool]}; dev: {clean(task.dev)}; "
        f"sha256 {clean(task.sha256[:12])}."
    )


def _tested(cell: Cell) -> str:
    if cell.cluster != "speaker":
        return "test speakers not known"
    some_unknown = " and utterances of unknown ones" if cell.n_speakers < len(cell.speakers) else ""
    return count(cell.n_speakers, "test speaker") + some_unknown


def notes(section: Section, cells: Sequence[Cell], grouping: Grouping) -> tuple[str, ...]:
    """What a task can show at all, what is contaminated and what failed, and what is there but not shown."""
    lines, task = [], section.task.name
    for cell in cells:
        reasons = Counter(map(clean, cell.reasons))
        listed = "; ".join(f"{reason} ({number}x)" for reason, number in sorted(reasons.items()))
        if listed:
            lines.append(f"Failed: {clean(cell.name)}, {count(len(cell.failed), 'unit')}: {listed}.")
    old = [cell for cell in grouping.superseded if cell.task.name == task]
    if old:
        shown = {cell.name: cell for cell in cells}
        named = "; ".join(f"{clean(one.name)} ({why_superseded(one, shown.get(one.name), cells[0])})" for one in old)
        lines.append(f"Not shown: {count(len(old), 'superseded row')}: {clean(named)}.")
    return (
        *task_findings(section),
        *_contaminated(cells),
        *lines,
        *_versions(cells),
        *_libraries(cells),
        *set_aside(task, grouping),
    )


def _contaminated(cells: Sequence[Cell]) -> list[str]:
    """Which upstreams of a task know which of its corpora."""
    found = {(clean(cell.upstream.name), *map(clean, cell.contaminated)) for cell in cells if cell.contaminated}
    return [
        f"Contaminated: the weights of {name} were trained on recordings of {' and '.join(corpora)}."
        for name, *corpora in sorted(found)
    ]


def _versions(cells: Sequence[Cell]) -> list[str]:
    """Which rows of a task were run with which code of the benchmark, where they were not run with the same."""
    codes = {cell: cell.codes for cell in cells}
    if len({*codes.values()}) < 2:
        return []
    rows = {
        code: ", ".join(sorted(clean(cell.name) for cell in cells if code in codes[cell]))
        for code in sorted({code for found in codes.values() for code in found})
    }
    listed = "; ".join(f"{clean(code[:8])} ({names})" for code, names in rows.items())
    return [f"Rows were run with different versions of the code: {listed}."]


def _libraries(cells: Sequence[Cell]) -> list[str]:
    """Which rows of a task were computed with which version of a library that decides numbers, where these differ."""
    rows: dict[tuple[str, str], set[str]] = {}
    for cell in cells:
        for library, version in cell.libraries:
            rows.setdefault((library, version), set()).add(clean(cell.name))
    found = []
    for library in sorted({library for library, _ in rows}):
        versions = sorted(version for one, version in rows if one == library)
        if len(versions) > 1:
            listed = "; ".join(
                f"{clean(version)} ({', '.join(sorted(rows[library, version]))})" for version in versions
            )
            found.append(f"Rows were computed with different versions of {clean(library)}: {listed}.")
    return found


def set_aside(task: str, grouping: Grouping) -> list[str]:
    """The records of a task that make no row, in words."""
    counted = (
        (grouping.modified, "of a modified protocol"),
        (grouping.partial, "of a part of the corpus"),
        (grouping.outside, "of a fold or seed that the protocol does not have"),
    )
    return [f"Not shown: {count(number[task], 'record')} {why}." for number, why in counted if task in number]


def bridges(cells: Sequence[Cell]) -> list[str]:
    """That rows of other benchmarks' protocols are in no table here."""
    found = [cell for cell in cells if cell.task.bridge is not None]
    whose = ", ".join(sorted({clean(cell.task.bridge or "") for cell in found}))
    shown = "they are ranked nowhere; bench bridge shows them beside the corpus's own task"
    return [f"{count(len(found), 'row')} of the protocols of {whose}: {shown}."] if found else []


def mixed_systems(cells: Sequence[Cell]) -> list[str]:
    """Systems that go by one name on several tasks but are not one: the version, weights or parameters changed."""
    identities: dict[str, set[tuple[str, str]]] = {}
    for cell in cells:
        identities.setdefault(cell.name, set()).add((cell.upstream.sha256, cell.downstream.sha256))
    return [
        f"Not one system on all tasks (version, weights or parameters differ): {clean(name)}."
        for name, found in sorted(identities.items())
        if len(found) > 1
    ]


def legend(cells: Sequence[Cell]) -> tuple[str, ...]:
    """What the signs mean, and those flags that occur."""
    if not cells:
        return ()
    raised = {flag for cell in cells for flag in cell.flags()}
    signs = (
        "a ± b: mean and standard deviation over seeds; no ± for the single seed of a head that ignores it",
        "95 % interval: of that mean, for new speakers and, where there are several, new seeds; of one row, so it is "
        "no test of two",
        "letters: systems of a table that share a letter cannot be told apart: every two are tested on the same "
        "speakers, corrected by Shaffer for all pairs of the table; rows that are added later add pairs, and may undo "
        "a verdict",
        "the first row of a table is there by its score, so part of its lead is luck: its score is somewhat too high, "
        "and its interval holds the truth less often than 95 % say",
        "possible: the ranks that these tests leave possible; a rank alone may be noise",
        "fixed: the task's own head and recipe on a frozen upstream; open head: any other head; fine-tuned: the "
        "upstream learns too; contaminated: ranked apart, for its weights know the recordings",
        "mean rank: over corpora, of each the mean over its tasks that count (unseen speakers, a dev set of its own, "
        "spoken by people), among the systems of the track that cover all of these tasks; with the means of the best "
        "and worst ranks possible, and how many tasks a system covers",
        "3/10 units (1/5 folds): what is completed of a row that is not complete; it has no score and no rank",
        f"{NONE}: not known or does not apply",
    )
    flags = [f"{WARNING + ' ' if flag in WARNINGS else ''}{flag}: {FLAGS[flag]}" for flag in FLAGS if flag in raised]
    return (*signs, *flags)


def numbered(references: Sequence[Reference]) -> dict[str, int]:
    """The texts that say what differs, each with its number, from 1 in the order of the references."""
    texts = dict.fromkeys(one.differs for one in references if one.differs)
    return {text: number for number, text in enumerate(texts, start=1)}


def footnotes(number: Mapping[str, int]) -> tuple[str, ...]:
    """What differs, as lines."""
    return tuple(f"({place}) {clean(text)}" for text, place in number.items())


def sources(references: Sequence[Reference]) -> tuple[str, ...]:
    """The citation of each source, as lines."""
    return tuple(dict.fromkeys(f"{clean(one.source)}: {clean(one.citation)}. {clean(one.url)}" for one in references))
