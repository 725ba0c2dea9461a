"""A submission beside the published results of its task: what it replaces, and whether it was tested alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.io.files import is_hidden, safe_name
from benchmark.metrics import find
from benchmark.records import Record, read_file
from benchmark.records.cells import same_protocol
from benchmark.records.grouping import check_truth, group
from benchmark.registry.known import known_seeded
from benchmark.submissions.likeness import are_alike, decisions_apart
from benchmark.submissions.plausibility import alike_name
from benchmark.text import interval, with_spread

AGAIN = "is it of the same corpus, and published with this version of serbench?"


class Published:
    """The published results of tasks, of which those of the last task asked for are kept.

    Attributes:
        folder: Where they lie; None for none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._read: dict[str, dict[Path, list[Record] | str]] = {}

    def remarks(self, path: Path, records: Sequence[Record]) -> tuple[list[str], int]:
        """What is to be said of a file beside the published ones; itself is none of them.

        Args:
            path: Where the file lies.
            records: Its complete cell.

        Returns:
            The remarks, and how many published systems were tested on the same utterances.

        Raises:
            BenchError: It was tested on other utterances, recordings or folds than published results of its protocol;
                says other things of the head, the corpus or the speakers; or has a name that can be taken for one.
        """
        others = {
            one: found for one, found in self._of_task(records[0].task.name).items() if one.resolve() != path.resolve()
        }
        compared, alike = _compared(records, others)
        remarks = [*_replaced(path, records, others), *compared]
        more = [*_doubles(records, others), *self._elsewhere(path, records[0])]
        where = "no folder of them is given" if self.folder is None else f"in the folder {self.folder.name!r}"
        nothing = f"nothing was found to compare it with: no published system of the task ({where})"
        found = f"tested on the same utterances as {alike} published systems" if alike else nothing
        return [*remarks, found, *more], alike

    def _elsewhere(self, path: Path, record: Record) -> Iterator[str]:
        """Hold what is said of the upstream against the published results of its name, of any task.

        Raises:
            BenchError: With the same weights it is said to be another one.
        """
        if self.folder is None:
            return
        weights: set[str] = set()
        for other in sorted(self.folder.glob(f"*/{safe_name(record.upstream.name)}--*.json")):
            if is_hidden(other.name) or other.resolve() == path.resolve():
                continue
            try:
                its = read_file(other)[0].upstream
            except BenchError:
                continue  # of its own task it is told
            mine = record.upstream
            if its.name != mine.name or its.version != mine.version:
                continue
            if its.weights_sha256 != mine.weights_sha256:
                weights.add(other.name)
                continue
            for key in ("params", "sample_rate", "layers", "dim", "parameters"):
                if getattr(its, key) != getattr(mine, key):
                    raise BenchError(
                        f"upstream.{key} is {getattr(mine, key)!r:.80}, in the published {other.parent.name}/"
                        f"{other.name} it is {getattr(its, key)!r:.80}, of the same weights and version"
                    )
        if weights:
            yield f"its weights are not those of the published {min(weights)}, of the same name"

    def _of_task(self, task: str) -> dict[Path, list[Record] | str]:
        """The published files of a task; why, where one cannot be read. Those of the last task asked for are kept."""
        if task not in self._read:
            self._read.clear()
            found: dict[Path, list[Record] | str] = {}
            folder = None if self.folder is None else self.folder / task
            for other in sorted(folder.glob("*.json")) if folder is not None and folder.is_dir() else ():
                if is_hidden(other.name):
                    continue
                try:
                    found[other] = read_file(other)
                except BenchError as error:
                    found[other] = error.message[:200]
            self._read[task] = found
        return self._read[task]


Others = Mapping[Path, list[Record] | str]


def _replaced(path: Path, records: Sequence[Record], others: Others) -> Iterator[str]:
    """Say that a file takes the place of another.

    Raises:
        BenchError: It is another system's, or only the case of letters or dots tell two systems apart.
    """
    mine = (records[0].upstream.name, records[0].downstream.name)
    for other, found in others.items():
        names = None if isinstance(found, str) else (found[0].upstream.name, found[0].downstream.name)
        if names is not None and names != mine:
            if other.name == path.name:
                raise BenchError(f"{other.name} is published, of another system: {' + '.join(names)}")
            if [*map(alike_name, names)] == [*map(alike_name, mine)]:
                raise BenchError(f"its name can be taken for the published {' + '.join(names)}")
        if other.name != path.name and other.name.casefold() == path.name.casefold():
            raise BenchError(f"{path.name} can be taken for the published {other.name}")
        if other.name == path.name and found != records:
            before = found if isinstance(found, str) else _row(found)
            yield f"replaces a published result, which has other content: {before} before, {_row(records)} now"


def _row(records: Sequence[Record]) -> str:
    """The primary metric of a file's cell with its interval, by its own task: "UAR 68.4 ± 2.3 [51.1, 81.7]"."""
    from benchmark.statistics import cell_interval, cell_scores

    cells = group(records).cells
    if len(cells) != 1 or not cells[0].complete:
        return "no complete cell"
    (cell,) = cells
    metric = find(cell.task.metrics[0])
    scores, found = cell_scores(cell, metric.name), cell_interval(cell, metric.name)
    text = f"{metric.title} {with_spread(scores.mean, scores.sd, metric.percent)}"
    return text if found is None else f"{text} {interval(found.low, found.high, metric.percent)}"


def _doubles(records: Sequence[Record], others: Others) -> Iterator[str]:
    """Say that the decisions are those of a published system of another name."""
    mine = {(one.fold, one.seed): one for one in records}
    names = (records[0].upstream.name, records[0].downstream.name)
    for other, found in others.items():
        if isinstance(found, str) or (found[0].upstream.name, found[0].downstream.name) == names:
            continue
        pairs = [
            (mine[unit], one)
            for one in found
            if (unit := (one.fold, one.seed)) in mine and one.status == "completed" and one.clusters.salted
            and same_protocol(one.task, records[0].task)
        ]  # fmt: skip
        if are_alike(pairs):
            apart, of = decisions_apart(pairs)
            but = f" but {apart:.0f} of {of:.0f}" if apart else ""
            yield f"its decisions are those of the published {other.name}{but}: one system under two names?"


def _compared(records: Sequence[Record], others: Others) -> tuple[list[str], int]:
    """Compare what was tested with the published results of the task.

    Returns:
        Remarks, and with how many published systems it could be compared.

    Raises:
        BenchError: They were tested on other utterances, recordings or folds; or they say other things of the
            head, the corpus or the speakers.
    """
    remarks: list[str] = []
    unlike: list[str] = []
    task, alike, is_known = records[0].task, 0, False
    one_seed = _one_seed(records)
    for other, found in others.items():
        if isinstance(found, str):
            remarks.append(f"not compared with {other.name}: {found}")
            continue
        same = [one for one in found if same_protocol(one.task, task)]
        comparable = _one_seed(same)
        if not same:
            remarks.append(f"not compared with {other.name}: other recordings, folds or protocol")
            if any(one.task.sha256 == task.sha256 for one in found):
                unlike.append(other.name)
            continue
        is_known = True
        if not comparable:
            remarks.append(f"not compared with {other.name}: none of its units is completed")
        elif not all(one.clusters.salted for one in comparable):
            remarks.append(f"not compared with {other.name}: it is of an older version, with open names")
        else:
            remarks += _compare(records[0], one_seed, comparable, other.name)
            alike += not {one.fold for one in comparable}.isdisjoint(one.fold for one in one_seed)
    if unlike and not is_known:
        raise BenchError(
            f"it has other recordings or folds than the published results of the same protocol, such as {unlike[0]}",
            "where the corpus itself has changed, the task needs a new version",
        )
    return remarks, alike


def _compare(mine: Record, records: Sequence[Record], published: Sequence[Record], name: str) -> Iterator[str]:
    """Compare the records of one seed with those of a published file, of one protocol and both with hidden names.

    Raises:
        BenchError: They differ in what must be alike.
    """
    other = published[0]
    for what, one, its in (
        ("task.folds", mine.task.folds, other.task.folds),
        ("task.corpus", mine.task.corpus, other.task.corpus),
        ("clusters.unit", mine.clusters.unit, other.clusters.unit),
        ("clusters.folds", mine.clusters.folds, other.clusters.folds),
    ):
        if one != its:
            raise BenchError(f"{what} differs from that of the published {name}", AGAIN)
    check_truth(chain(records, published))
    _compare_genders(records, published, name)
    head, its_head = mine.downstream, other.downstream
    is_alike = known_seeded(mine.upstream.name) == known_seeded(other.upstream.name)
    same = is_alike and (head.sha256 == its_head.sha256 or (head.name, head.params) == (its_head.name, its_head.params))
    if same and (head.stochastic, head.needs, head.transductive) != (
        its_head.stochastic, its_head.needs, its_head.transductive
    ):  # fmt: skip
        raise BenchError(f"{name} says other things of the same head {head.name!r}")
    if any(one.clusters.gender for one in published) and not any(one.clusters.gender for one in records):
        yield f"it says no gender, and {name} does"


def _compare_genders(records: Sequence[Record], published: Sequence[Record], name: str) -> None:
    """Refuse genders that are not those of a published file, where both say some."""
    genders, its = ({one.fold: one.clusters.gender for one in some} for some in (records, published))
    if not any(genders.values()) or not any(its.values()):
        return  # an older file says more, or less, than is published today
    for fold in sorted(genders.keys() & its.keys()):
        if genders[fold] != its[fold]:
            raise BenchError(f"the genders of fold {fold!r:.80} are not those of the published {name}", AGAIN)


def _one_seed(records: Iterable[Record]) -> list[Record]:
    """The first completed record of each fold: the seeds of a cell are compared among themselves."""
    first: dict[str, Record] = {}
    for record in records:
        if record.status == "completed":
            first.setdefault(record.fold, record)
    return list(first.values())
