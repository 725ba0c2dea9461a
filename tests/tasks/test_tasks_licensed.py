"""The tasks of the licensed corpora keep the contract of tasks, on complete corpora that are made here."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from trees import iemocap, msp_improv, podcasts

from benchmark.audit import audit
from benchmark.contracts import check_task
from benchmark.errors import BenchError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.registry.registry import Registry
from benchmark.types import CorpusCounts
from tasks.corpora.msp_podcast import MSPPodcast

WITHOUT_SPEAKERS = tuple(name for name in podcasts.HEADER if name not in ("SpkrID", "Gender"))
# Where each task finds its corpora: the trees that `place` writes.
PLACES = {
    "iemocap": ("iemocap",),
    "iemocap-dev-session": ("iemocap",),
    "iemocap-dims": ("iemocap",),
    "iemocap-epc": ("iemocap",),
    "iemocap-improvised": ("iemocap",),
    "iemocap-speaker": ("iemocap",),
    "msp-improv": ("msp-improv",),
    "msp-improv-dims": ("msp-improv",),
    "msp-podcast": ("msp-podcast-1.10",),
    "msp-podcast-8class": ("msp-podcast-1.11",),
    "msp-podcast-dims": ("msp-podcast-1.6",),
    "msp-podcast-dims-eval-1-3": ("msp-podcast-1.6",),
    "biic-podcast": ("biic-podcast-1.0",),
    "biic-podcast-dims": ("biic-podcast-1.0",),
    "msp-podcast-to-biic-podcast": ("msp-podcast-1.10", "biic-podcast-1.0"),
    "biic-podcast-to-msp-podcast": ("biic-podcast-1.0", "msp-podcast-1.10"),
}
# These decode every recording of a corpus, thousands of them; the quick ones decode some hundreds.
QUICK = ("msp-podcast-8class", "msp-podcast-dims", "msp-podcast-dims-eval-1-3")
# Sizes that the literature gives.
SESSIONS = {"Session1": 1085, "Session2": 1023, "Session3": 1151, "Session4": 1031, "Session5": 1241}
SUPERB_DEV = {"Session1": 890, "Session2": 902, "Session3": 876, "Session4": 900, "Session5": 858}
IMPROV = {"session1": 916, "session2": 1329, "session3": 1622, "session4": 1051, "session5": 1408, "session6": 1472}


def write_old_list(root: Path) -> None:
    """The list of release 1.3: every second utterance that release 1.6 tests first."""
    with (root / "Labels" / "labels_consensus.csv").open(newline="") as handle:
        header, *rows = list(csv.reader(handle))
    tested = [row for row in rows if row[-1] == "Test1"][::2]
    with (root / "Labels" / "labels_consensus-1.3.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *([*row[:-1], "Test"] for row in tested)])


def write_tree(root: Path, name: str, *, audio: bool) -> Path:
    corpus, _, release = name.rpartition("-")
    if name == "iemocap":
        return iemocap.write(root, audio=audio)
    if name == "msp-improv":
        return msp_improv.write(root, audio=audio)
    if corpus == "biic-podcast":
        header = WITHOUT_SPEAKERS
        return podcasts.write(
            root, podcasts.FULL_BIIC, prefix="BIIC-PODCAST", release=release, header=header, audio=audio
        )
    sizes = podcasts.FULL_MSP if release == "1.10" else podcasts.SMALL
    podcasts.write(root, sizes, release=release, hidden=8 if release == "1.11" else 0, audio=audio)
    if release == "1.6":
        write_old_list(root)
    return root


@pytest.fixture(autouse=True)
def small_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trees of MSP-Podcast are smaller than its releases, which a task without a number of its own would refuse."""
    monkeypatch.setattr(MSPPodcast, "counts", {})


class Trees:
    """Corpora in one folder, each written when it is first asked for."""

    def __init__(self, folder: Path, *, audio: bool) -> None:
        self.folder, self.audio = folder, audio
        self.loaded: dict[str, Dataset] = {}

    def settings(self, task: str) -> Settings:
        """Where the corpora of a task are; what was decoded for one task is known to the next."""
        found = []
        for part, name in zip(Registry().task(task).parts, PLACES[task], strict=True):
            root = self.folder / name
            if not root.is_dir():
                write_tree(root, name, audio=self.audio)
            found.append(f"{part.corpus}={root}")
        return replace(load_settings(found), cache=self.folder / "cache")

    def dataset(self, task: str) -> Dataset:
        """A task with its utterances, unheard."""
        if task not in self.loaded:
            protocol = Registry().task(task)
            self.loaded[task] = load_dataset(protocol, Registry().corpora_of(protocol), self.settings(task))
        return self.loaded[task]


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """Complete corpora without their audio, for what decodes none."""
    return Trees(tmp_path_factory.mktemp("silent"), audio=False)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """Complete corpora."""
    return Trees(tmp_path_factory.mktemp("spoken"), audio=True)


def sizes(dataset: Dataset, part: str) -> dict[str, int]:
    return {fold.name: len(getattr(fold, part)) for fold in dataset.folds}


def speakers(dataset: Dataset, ids: tuple[str, ...]) -> set[str | None]:
    return {dataset.by_id[name].speaker for name in ids}


def sessions(dataset: Dataset, ids: tuple[str, ...]) -> set[str | None]:
    return {dataset.by_id[name].session for name in ids}


@pytest.mark.parametrize(
    "task", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PLACES]
)
def test_the_task_keeps_its_contract(spoken: Trees, task: str) -> None:
    for check in check_task(task, Registry(), spoken.settings(task)):
        check.run()


@pytest.mark.parametrize("task", PLACES)
def test_the_task_says_what_a_reader_needs(task: str) -> None:
    protocol = Registry().task(task)
    assert protocol.note
    assert protocol.licence
    assert len(protocol.title) < 100
    assert not any("\n" in text for text in (protocol.title, protocol.note, protocol.citation))


@pytest.mark.parametrize("task", ["iemocap", "iemocap-dev-session"])
def test_iemocap_leaves_sessions_out(silent: Trees, task: str) -> None:
    dataset = silent.dataset(task)
    assert sizes(dataset, "test") == SESSIONS
    for fold in dataset.folds:
        assert sessions(dataset, fold.test) == {fold.name}
        assert len(fold.train) + len(fold.dev) + len(fold.test) == 5531


def test_dev_of_iemocap_is_a_random_fifth(silent: Trees) -> None:
    dataset = silent.dataset("iemocap")
    dev = sizes(dataset, "dev")
    # SUPERB rounds train down, so that its dev has an utterance more in some folds.
    assert all(0 <= SUPERB_DEV[name] - dev[name] <= 1 for name in SESSIONS)
    assert all(speakers(dataset, fold.dev) == speakers(dataset, fold.train) for fold in dataset.folds)


def test_dev_of_iemocap_dev_session_is_the_last_other_session(silent: Trees) -> None:
    dataset = silent.dataset("iemocap-dev-session")
    found = {fold.name: sessions(dataset, fold.dev) for fold in dataset.folds}
    assert found == {name: {"Session4" if name == "Session5" else "Session5"} for name in SESSIONS}
    assert all(not speakers(dataset, fold.dev) & speakers(dataset, fold.train) for fold in dataset.folds)
    assert dataset.task.audio.max_duration == 15


def test_iemocap_speaker_never_trains_on_the_session_of_the_one_tested(silent: Trees) -> None:
    dataset = silent.dataset("iemocap-speaker")
    assert len(dataset.folds) == 10
    assert sum(sizes(dataset, "test").values()) == 5531
    for fold in dataset.folds:
        partner = fold.name[:-1] + {"F": "M", "M": "F"}[fold.name[-1]]
        assert speakers(dataset, fold.test) == {fold.name}
        assert speakers(dataset, fold.dev) == {partner}
        assert len(speakers(dataset, fold.train)) == 8
        assert not sessions(dataset, fold.train) & sessions(dataset, fold.test)


def test_iemocap_improvised_takes_only_that(silent: Trees) -> None:
    dataset = silent.dataset("iemocap-improvised")
    assert {(u.extra["style"], u.extra["agreement"]) for u in dataset.utterances} == {("improvised", "full")}
    assert {"happy", "excited"} <= {u.labels["emotion"] for u in dataset.utterances}
    assert set(dataset.labels.values()) == {"angry", "happy", "neutral", "sad"}


def test_iemocap_dims_takes_every_utterance(silent: Trees) -> None:
    dataset = silent.dataset("iemocap-dims")
    assert sum(sizes(dataset, "test").values()) == 10039
    utterance = dataset.utterances[0]
    arousal, valence, dominance = (utterance.labels[name] for name in ("arousal", "valence", "dominance"))
    assert dataset.targets([utterance])[0].tolist() == pytest.approx([arousal, valence, dominance])


def test_iemocap_epc_hears_six_turns_and_nobody_twice(silent: Trees) -> None:
    dataset = silent.dataset("iemocap-epc")
    assert len(dataset.folds) == 10
    assert {fold.name for fold in dataset.folds} == speakers(dataset, tuple(dataset.labels))
    for name, turns in dataset.context.items():
        talkers = [speakers(dataset, turn) for turn in turns]
        assert len(turns) == 6
        assert all(len(one) == 1 and one != other for one, other in itertools.pairwise(talkers))
        assert talkers[-1] != {dataset.by_id[name].speaker}
    for fold in dataset.folds:
        heard = dataset.speakers_heard(fold.test)
        assert heard == {fold.name[:-1] + talker for talker in "FM"}
        assert not heard & dataset.speakers_heard((*fold.train, *fold.dev))
        assert not speakers(dataset, fold.dev) & speakers(dataset, fold.train)
    # Utterances of other emotions are heard, and not predicted.
    assert {"frustrated", "undecided"} <= {u.labels["emotion"] for u in dataset.context_only}


def test_msp_improv_leaves_sessions_out(silent: Trees) -> None:
    dataset = silent.dataset("msp-improv")
    assert sizes(dataset, "test") == IMPROV
    assert sum(IMPROV.values()) == 7798
    for fold in dataset.folds:
        (dev,) = sessions(dataset, fold.dev)
        assert dev == ("session5" if fold.name == "session6" else "session6")
    assert sum(sizes(silent.dataset("msp-improv-dims"), "test").values()) == 8438


@pytest.mark.parametrize(
    ("task", "sets"),
    [
        ("msp-podcast", {None, "Test1", "Test2"}),
        ("biic-podcast-to-msp-podcast", {None, "Test1", "Test2"}),
        ("msp-podcast-to-biic-podcast", {None}),
    ],
)
def test_a_test_set_without_labels_or_use_is_left_out(tmp_path: Path, task: str, sets: set[str | None]) -> None:
    protocol = Registry().task(task)
    data = {
        "msp-podcast": podcasts.write(tmp_path / "msp", hidden=4, audio=False),
        "biic-podcast": podcasts.write(tmp_path / "biic", prefix="BIIC-PODCAST", release="1.0", audio=False),
    }
    settings = Settings(tmp_path / "cache", tmp_path / "results", data)
    dataset = load_dataset(protocol, Registry().corpora_of(protocol), settings)
    used = [u for u in dataset.utterances if u.file.startswith("Audios/MSP-PODCAST")]
    assert {u.extra["test_set"] for u in used} == sets
    (fold,) = dataset.folds
    assert all((fold.train, fold.dev, fold.test))


@pytest.mark.slow
def test_msp_podcast_tests_its_test_sets_together(silent: Trees) -> None:
    dataset = silent.dataset("msp-podcast")
    four = {split: sum(counts.get(code, 0) for code in "NHAS") for split, counts in podcasts.FULL_MSP.items()}
    (fold,) = dataset.folds
    assert (len(fold.train), len(fold.dev)) == (four["Train"], four["Development"])
    assert len(fold.test) == four["Test1"] + four["Test2"]


def test_msp_podcast_8class_leaves_the_other_test_sets_out(silent: Trees) -> None:
    dataset = silent.dataset("msp-podcast-8class")
    assert {u.extra["test_set"] for u in dataset.utterances} == {None, "Test1"}
    assert len(set(dataset.labels.values())) == 8
    # Test2 has 30 utterances, of Test3 there are 8 without labels; other and undecided are three in each split.
    assert dataset.left_out["test_set is not unknown or Test1"] == 30 + 8
    assert (dataset.left_out["label other"], dataset.left_out["label undecided"]) == (9, 9)


def test_msp_podcast_dims_has_an_auxiliary_class_where_there_is_one(silent: Trees) -> None:
    dataset = silent.dataset("msp-podcast-dims")
    (fold,) = dataset.folds
    assert (len(fold.train), len(fold.dev), len(fold.test)) == (30, 30, 30)
    found = Counter(dataset.auxiliary.values())
    assert found.pop(None) == 18  # other and undecided stay in the task
    assert set(found.values()) == {9}
    assert len(found) == 8


def test_the_evaluation_set_of_release_1_3_is_a_part_of_the_other(silent: Trees) -> None:
    (fold,) = silent.dataset("msp-podcast-dims").folds
    (other,) = silent.dataset("msp-podcast-dims-eval-1-3").folds
    assert (other.train, other.dev) == (fold.train, fold.dev)
    assert len(other.test) == 15
    assert set(other.test) < set(fold.test)


def test_without_the_list_of_release_1_3_nothing_is_tested(tmp_path: Path) -> None:
    root = podcasts.write(tmp_path / "root", release="1.6", audio=False)
    task = Registry().task("msp-podcast-dims-eval-1-3")
    with pytest.raises(BenchError, match="empty test set"):
        load_dataset(task, Registry().corpora_of(task), load_settings([f"msp-podcast={root}"]))


def test_another_release_is_refused(tmp_path: Path) -> None:
    root = podcasts.write(tmp_path / "root", release="1.11", audio=False)
    task = Registry().task("msp-podcast")
    with pytest.raises(
        BenchError, match=r"uses none of the \d+ utterances of the corpus 'msp-podcast' .release is not 1.10"
    ):
        load_dataset(task, Registry().corpora_of(task), load_settings([f"msp-podcast={root}"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "source", "target"),
    [
        ("msp-podcast-to-biic-podcast", "msp-podcast", "biic-podcast"),
        ("biic-podcast-to-msp-podcast", "biic-podcast", "msp-podcast"),
    ],
)
def test_between_the_podcasts_the_source_teaches_and_the_target_is_tested(
    silent: Trees, task: str, source: str, target: str
) -> None:
    dataset = silent.dataset(task)
    (across,) = dataset.folds
    (taught,) = silent.dataset(source).folds
    (tested,) = silent.dataset(target).folds
    assert across.train == tuple(f"{source}:{name}" for name in taught.train)
    assert across.dev == tuple(f"{source}:{name}" for name in taught.dev)
    assert across.adapt == tuple(f"{target}:{name}" for name in tested.train)
    assert across.test == tuple(f"{target}:{name}" for name in tested.test)


def test_the_audit_says_what_nobody_can_know(silent: Trees) -> None:
    texts = [finding.text for finding in audit(silent.dataset("biic-podcast")).findings]
    assert any("22799 of 22799 utterances have no speaker" in text for text in texts)


def test_a_part_of_a_release_is_not_taken_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a task expects no number of its classes, the corpus's own is asked."""
    monkeypatch.setattr(MSPPodcast, "counts", {"1.11": CorpusCounts(151_654, None)})
    root = podcasts.write(tmp_path / "root", release="1.11", audio=False)
    task = Registry().task("msp-podcast-8class")
    with pytest.raises(BenchError, match=r"\d+ utterances of the corpus instead of 151654"):
        load_dataset(task, Registry().corpora_of(task), load_settings([f"msp-podcast={root}"]))
