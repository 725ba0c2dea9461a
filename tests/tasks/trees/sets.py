"""What the sets of a task's folds hold, for the tests of its protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from benchmark.audit import audit
from benchmark.protocol.dataset import Dataset
from benchmark.types import Fold

Load = Callable[[str], Dataset]


def speakers(dataset: Dataset, ids: tuple[str, ...]) -> set[str | None]:
    """Who speaks the utterances."""
    return {dataset.by_id[name].speaker for name in ids}


def sessions(dataset: Dataset, ids: tuple[str, ...]) -> set[str | None]:
    """In which sessions they are."""
    return {dataset.by_id[name].session for name in ids}


def classes(dataset: Dataset, ids: tuple[str, ...]) -> dict[str, int]:
    """Utterances of each class."""
    return Counter(dataset.labels[name] for name in ids)


def sizes(fold: Fold) -> tuple[int, int, int]:
    """Utterances in train, dev and test."""
    return len(fold.train), len(fold.dev), len(fold.test)


def sizes_by_fold(dataset: Dataset, part: str) -> dict[str, int]:
    """Utterances in one set of each fold."""
    return {fold.name: len(getattr(fold, part)) for fold in dataset.folds}


def check_random_tenths(dataset: Dataset) -> None:
    """Ten folds of a tenth each, the next one is dev, every class in every part; the overlap is declared."""
    task, total = dataset.task, len(dataset.utterances)
    assert not task.speaker_independent
    assert "random 80/10/10 splits (speakers overlap)" in task.title
    assert len(dataset.folds) == 10
    for fold, following in zip(dataset.folds, [*dataset.folds[1:], dataset.folds[0]], strict=True):
        assert fold.dev == following.test
        assert len(fold.test) in (total // 10, total // 10 + 1)
        assert sum(sizes(fold)) == total
        for label, number in classes(dataset, tuple(dataset.labels)).items():
            assert classes(dataset, fold.test)[label] in (number // 10, number // 10 + 1)
    assert sorted(i for fold in dataset.folds for i in fold.test) == [u.id for u in dataset.utterances]
    assert declares_overlap(dataset)


def declares_overlap(dataset: Dataset) -> bool:
    """Whether the audit warns of test speakers who are in train or dev."""
    findings = [finding.text for finding in audit(dataset).findings if finding.severity == "warning"]
    return any("test speakers are also in train or dev" in text for text in findings)
