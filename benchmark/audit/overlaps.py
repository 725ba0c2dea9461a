"""Stretches of one recording that overlap: what two utterances hear of the same audio, and what that is worth saying.

A little of it is ordinary: in a dialogue people talk over each other, and stretches are cut with a margin. Where half
of the shorter stretch or more is in the other one as well, two utterances are mostly the same audio, like identical
samples: what stops a run there stops it here, and all below is a warning or a note that says how much it is. Also a
word that somebody says inside of what another says at length is such a stretch, for whoever learnt from the long one
has heard all of the short one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmark.audit.columns import Columns, Positions
from benchmark.audit.report import COMPARED, Audit, Copy, Crowd, Finding, Overlap, SetName, Severity, Stretch
from benchmark.data.listening import Heard
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.task import Task
from benchmark.text import some

MOSTLY = 0.5  # of the shorter stretch
LEAST = 0.025  # less than one frame is the rounding of an annotation [s]
MANY, NEXT = 100_000, 10
NAMED = 5


def overlaps(
    table: Columns, dataset: Dataset, heard: Mapping[str, Heard]
) -> tuple[tuple[Overlap, ...], tuple[Crowd, ...]]:
    """Every two stretches of one recording that overlap, by the largest share; identical samples are told elsewhere.

    Where more than `MANY` of a recording do, each stretch is compared with the `NEXT` that begin after it.

    Args:
        table: The columns of the dataset.
        dataset: The task with its utterances.
        heard: Durations: where a stretch ends that does not say it.

    Returns:
        The overlaps; and the recordings in which not every two stretches were compared.
    """
    of_files: dict[tuple[int, str], list[tuple[float, float, int]]] = defaultdict(list)
    for row, utterance in enumerate(dataset.recordings):
        start = utterance.start or 0.0
        end = math.inf if utterance.end is None else utterance.end
        if utterance.id in heard:
            end = start + heard[utterance.id].duration
        of_files[int(table.corpora.codes[row]), utterance.file].append((start, end, row))
    digests = table.audio.codes
    found, crowds = list[Overlap](), list[Crowd]()
    for (_, file), stretches in of_files.items():
        stretches.sort()
        starts = [start for start, _, _ in stretches]
        # Of each the first one that begins too late to overlap with it.
        after = [max(i + 1, bisect_right(starts, end - LEAST)) for i, (_, end, _) in enumerate(stretches)]
        pairs = sum(last - i - 1 for i, last in enumerate(after))
        if pairs > MANY:
            crowds.append(Crowd(file, len(stretches), pairs))
            after = [min(last, i + 1 + NEXT) for i, last in enumerate(after)]
        for i, (start, end, row) in enumerate(stretches):
            for other_start, other_end, other in stretches[i + 1 : after[i]]:
                seconds, shorter = min(end, other_end) - other_start, min(end - start, other_end - other_start)
                if seconds < LEAST or (digests[row] >= 0 and digests[row] == digests[other]):
                    continue
                # Of two that nobody has heard to their end the later one is in the other.
                share = 1.0 if math.isinf(seconds) else seconds / shorter
                pair = (_stretch(row, start, end, dataset), _stretch(other, other_start, other_end, dataset))
                found.append(Overlap(file, pair, share))
    found.sort(key=lambda one: (-one.share, one.file, one.stretches[0].start, one.stretches[1].start))
    return tuple(found), tuple(crowds)


def _stretch(row: int, start: float, end: float, dataset: Dataset) -> Stretch:
    utterance = dataset.recordings[row]
    label = dataset.labels.get(utterance.id)
    return Stretch(utterance.id, start, None if math.isinf(end) else end, utterance.speaker, label)


def across(
    heard: Mapping[SetName, Positions], table: Columns, parts: set[SetName], found: Sequence[Overlap]
) -> tuple[Copy, ...]:
    """Which overlaps have their stretches in two sets of a fold.

    Args:
        heard: The rows of each set.
        table: The columns of the dataset.
        parts: The sets that are compared.
        found: As `overlaps` gives them.
    """
    if not found:
        return ()
    pairs = np.array([[table.rows[one.id] for one in overlap.stretches] for overlap in found])
    is_in = {part: np.isin(pairs, heard[part]) for part in parts}
    return tuple(
        Copy(found[index].stretches[side].id, part, found[index].stretches[1 - side].id, other)
        for part, other in COMPARED
        if {part, other} <= parts
        for index, side in np.argwhere(is_in[part] & is_in[other][:, ::-1])
    )


def judged(task: Task, result: Audit, undeclared: Severity) -> Iterator[Finding]:
    """What to say of overlaps: between sets of a fold, and of speakers and labels.

    Args:
        task: The task.
        result: Its audit.
        undeclared: How bad it is when test recordings are met before test.
    """
    known = {frozenset(stretch.id for stretch in one.stretches): one for one in result.overlaps}
    places: tuple[tuple[str, Sequence[tuple[SetName, SetName]], Severity, Severity], ...] = (
        ("in test and in train or dev", (("test", "train"), ("test", "dev")), undeclared, "warning"),
        ("in test and in adapt", (("test", "adapt"),), undeclared, "warning"),
        ("in dev and in train", (("dev", "train"),), "note", "note"),
    )
    for where, sets, mostly, partly in places:
        copies = (copy for fold in result.folds for copy in fold.overlaps if (copy.part, copy.other_part) in sets)
        pairs = {frozenset((copy.id, copy.other_id)) for copy in copies}
        if found := [one for pair, one in known.items() if pair in pairs]:
            yield _finding(found, mostly, partly, f"Stretches of one recording that overlap are {where}")
    for crowd in result.crowds:
        yield Finding(
            "warning",
            f"{crowd.file} has {crowd.stretches} stretches, of which two overlap {crowd.pairs} times (does each say "
            f"where it ends?): each was compared with the {NEXT} that begin after it, and no others.",
        )
    several, disputed, repeated = list[Overlap](), list[Overlap](), list[Overlap]()
    for one in result.overlaps:
        speakers, labels = ([getattr(stretch, name) for stretch in one.stretches] for name in ("speaker", "label"))
        kind = several if _differ(speakers) else disputed if _differ(labels) else repeated
        kind.append(one)
    if several:
        yield _finding(several, "warning", "note", "Stretches of different speakers overlap in one recording")
    if disputed:
        yield _finding(disputed, "warning", "note", "Stretches of different labels overlap in one recording")
    if repeated:
        yield _finding(repeated, "note", "note", "Stretches of one speaker and label overlap in one recording")


def _finding(found: Sequence[Overlap], mostly: Severity, partly: Severity, what: str) -> Finding:
    """One finding of overlaps, the largest first: as bad as those are that are mostly the same audio."""
    same = sum(one.share >= MOSTLY for one in found)
    times = "once" if len(found) == 1 else f"{len(found)} times"
    by = f" ({'' if same == len(found) else f'{same} of them '}by half of the shorter one or more)" if same else ""
    return Finding(mostly if same else partly, f"{what}, {times}{by}: {some([_told(one) for one in found], NAMED)}.")


def _differ(values: Sequence[str | None]) -> bool:
    return None not in values and len(set(values)) > 1


def _told(one: Overlap) -> str:
    first, second = (
        f"{stretch.start:g} s to {'its end' if stretch.end is None else f'{stretch.end:g} s'} "
        f"({': '.join(part for part in (stretch.speaker, stretch.label) if part is not None) or stretch.id})"
        for stretch in one.stretches
    )
    return f"{one.file} {first} and {second} by {100 * one.share:.0f} % of the shorter"
