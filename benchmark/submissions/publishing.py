"""Publishing: the records of a complete cell in one file that can be shared, without a name of a speaker.

`leaderboard/results/TASK/UPSTREAM--DOWNSTREAM.json` holds the per-speaker statistics of every fold and seed, from which
every score, interval and test is computed again. Predictions, labels of utterances, paths and the salt that tells the
speakers stay where they are.

Work goes through the folds in the order of their names, so what follows that order would tell the names that are
hidden: the times are alike in all units of a cell (the latest, or the mean), and so is the memory (the most). Where the
folds are named after hidden speakers the dev set may be the next speaker: all units say as many dev utterances as the
smallest dev set has and count the rest as train, none says its dev score, and where units were run with different
versions these are dealt to the units in the order of the hidden names: how many units had which is true, which had
which is not told.

A gender names a person where few are meant. Nothing is said of any gender in a cell where some fold whose name is not
hidden, or the whole test, has exactly one speaker of one gender (a session of IEMOCAP is of one woman and one man);
synthetic voices are nobody's. What stays public then are the counts by pseudonym: in folds that are sessions the
confusion counts of each of the two speakers of a session, without saying whose are whose; and where a protocol lists a
single speaker for a fold, that speaker's.

Sums of probabilities are public by pseudonym, like the counts: of a speaker who says few utterances they tell how sure
the head was of each, and whether rightly, but not which one it was. A temperature is kept, as are the epoch and the
weights of layers: it says how sure a head was on dev, and of dev neither classes nor how many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from benchmark.errors import BenchError
from benchmark.io.files import canonical_json, safe_name, temporary_prefix, write_atomically
from benchmark.records import Provenance, Record, pack, read_file
from benchmark.records.cells import Cell
from benchmark.records.hiding import salted

# An absolute path, one of a home folder or of Windows, or the URL of a file. A slash after a letter, as in "n/a",
# "hf:a/b" and "https://a/b", or before a space is none.
PATH = re.compile(r"(?<![\w./~)\]-])/[^/\s]|(?<!\w)~[^/\s]*/|(?<!\w)[A-Za-z]:\\|\\\\|(?i:\bfile:/)")


def published_path(folder: Path, task: str, upstream: str, downstream: str) -> Path:
    """Where the results of a cell lie: `folder/TASK/UPSTREAM--DOWNSTREAM.json`."""
    return folder / safe_name(task) / f"{safe_name(upstream)}--{safe_name(downstream)}.json"


def publishable(cell: Cell) -> list[Record]:
    """The records of a complete cell as they may be shared, in the order of its units.

    Raises:
        BenchError: A unit is missing or failed; one was recorded by an older version that did not keep what is needed
            to hide its speakers; or a text in it looks like a path of this machine.
    """
    cell.refuse_incomplete()
    records = [cell.records[unit] for unit in cell.units]
    old = [one for one in records if one.downstream.needs is None or one.task.downstream is None]
    if old:
        raise BenchError(
            f"{cell.name} on {cell.task.name} was recorded by an older version, which did not keep what hides the "
            f"speakers (fold {old[0].fold!r}, seed {old[0].seed})",
            "make it again: bench run --rerun all, with the same upstream, downstream and task",
        )
    records = shared(records)
    for one in records:
        paths = [text for text in texts(one.model_dump(mode="json")) if PATH.search(text)]
        if paths:
            raise BenchError(
                f"{cell.name} on {cell.task.name} has what looks like a path of this machine: {paths[0]!r:.200}",
                "recorded parameters must go by names: a folder of weights by its last part (hf:path/to/name)",
            )
    return records


def shared(records: Sequence[Record]) -> list[Record]:
    """The completed records of a cell, or of a part of it, without what tells a speaker; see above.

    Returns:
        In the order of the published folds; given back as they are once they are so.

    Raises:
        BenchError: As `benchmark.records.hiding.salted`.
    """
    return _alike(_without_telling_genders(in_order([salted(one) for one in records])))


def in_order(records: Iterable[Record]) -> list[Record]:
    """The records by the folds of their task; those of a fold as they are."""
    records = list(records)
    place = {name: number for number, name in enumerate(records[0].task.folds)}
    return sorted(records, key=lambda one: place.get(one.fold, -1))


def _without_telling_genders(records: list[Record]) -> list[Record]:
    """The records without any gender, if one of them names a person."""
    groups: dict[str | None, dict[str, str]] = {}
    for one in records:
        public = () if one.clusters.folds else (one.fold,)
        for group in (None, *public):
            groups.setdefault(group, {}).update(one.clusters.gender)
    tells = any(number == 1 for genders in groups.values() for number in Counter(genders.values()).values())
    if not tells or records[0].task.corpus.synthetic:
        return records
    return [one.model_copy(update={"clusters": one.clusters.model_copy(update={"gender": {}})}) for one in records]


def _alike(records: list[Record]) -> list[Record]:
    """The records without what follows the order in which they were made."""
    made = [(one.provenance, one.cost.device) for one in records]
    hides = records[0].clusters.folds
    if hides:
        made.sort(key=lambda one: _version(records[0].provenance.command, *one))
    latest = max(provenance.created for provenance, _ in made)
    encode_s = [one.cost.encode_s for one in records if one.cost.encode_s is not None]
    fit_s = [one.cost.fit_s for one in records if one.cost.fit_s is not None]
    most = [one.cost.peak_bytes for one in records if one.cost.peak_bytes is not None]
    cost = {
        "encode_s": max(encode_s, default=None),
        "fit_s": mean(fit_s) if fit_s else None,  # exact, so that the mean of equal ones is what they are
        "peak_bytes": max(most, default=None),
    }
    least_dev = min(one.counts.dev for one in records)
    found = []
    for one, (provenance, device) in zip(records, made, strict=True):
        changes: dict[str, Any] = {
            "cost": one.cost.model_copy(update={**cost, "device": device}),
            "provenance": provenance.model_copy(update={"created": latest, "command": one.provenance.command}),
        }
        if hides and one.task.dev != "test":
            train = one.counts.train + one.counts.dev - least_dev
            changes["counts"] = one.counts.model_copy(update={"dev": least_dev, "train": train})
        if hides and one.selection is not None:
            changes["selection"] = one.selection.model_copy(update={"score": None})
        found.append(one.model_copy(update=changes))
    return found


def _version(command: str, provenance: Provenance, device: str) -> bytes:
    """What a unit was run with, as a key to sort by."""
    same = {"created": "", "command": command}
    return canonical_json([provenance.model_copy(update=same).model_dump(mode="json"), device])


def publish(cell: Cell, folder: Path) -> Path:
    """Write the file of a complete cell; it is read back and verified before it replaces an older one.

    Returns:
        Where it lies.

    Raises:
        BenchError: As `publishable`; another system's results lie under the same file name; or what was written is not
            what is read.
    """
    records = publishable(cell)
    path = published_path(folder, cell.task.name, cell.upstream.name, cell.downstream.name)
    if path.is_file():
        _check_same_system(path, cell)
    temporary = path.with_name(temporary_prefix() + path.name)
    try:
        write_atomically(temporary, pack(records))
        if read_file(temporary) != records:
            raise BenchError(f"{path} cannot be written: what was read back is something else", "report it")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def texts(value: Any) -> Iterator[str]:
    """Every text in a plain value, the keys of its objects too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one


def _check_same_system(path: Path, cell: Cell) -> None:
    """Two names may differ only in letters that a file name cannot have."""
    there = read_file(path)[0]
    names = (there.task.name, there.upstream.name, there.downstream.name)
    if names != (cell.task.name, cell.upstream.name, cell.downstream.name):
        raise BenchError(
            f"{path} holds the results of another system: {names[1]} + {names[2]}, not {cell.name}",
            "rename one of them, or publish into another folder by --out",
        )
