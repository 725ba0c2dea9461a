"""EmoBox's folds in place of a task's own: they are matched by file, and their leaks are said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.audit import audit
from benchmark.errors import BenchError, MissingError
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.emobox import with_emobox_folds
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request


@pytest.fixture
def toy(toy_task, settings) -> Dataset:
    registry = Registry()
    task = registry.task(str(toy_task))
    return load_dataset(task, registry.corpora_of(task), settings)


def write_folds(folder: Path, dataset: Dataset, test_of, parts=("train", "test")) -> Path:
    """Two folds in EmoBox's layout; `test_of` says of an utterance in which fold it is tested."""
    for number in (1, 2):
        lines: dict[str, list[str]] = {part: [] for part in parts}
        for utterance in dataset.utterances:
            part = "test" if test_of(utterance) == number else "train"
            if part == "train" and "valid" in parts and utterance.id.endswith("4.wav"):
                part = "valid"
            wav = f"downloads/toy/{utterance.file.replace('.wav', '.WAV')}"
            lines[part].append(json.dumps({"key": utterance.id, "wav": wav, "emo": "high", "length": 0.5}))
        (folder / f"fold_{number}").mkdir(parents=True)
        for part, rows in lines.items():
            path = folder / f"fold_{number}" / f"toy_{part}_fold_{number}.jsonl"
            path.write_text("\n".join(rows) + "\n")
    return folder


def by_take(utterance) -> int:
    return 1 if utterance.id[-5] in "01" else 2


def by_speaker(utterance) -> int:
    return 1 if utterance.speaker in ("anna", "bert") else 2


def test_listed_files_are_the_utterances_and_a_leak_is_said(toy, tmp_path) -> None:
    dataset = with_emobox_folds(toy, write_folds(tmp_path, toy, by_take))
    assert [fold.name for fold in dataset.folds] == ["1", "2"]
    assert set(dataset.folds[0].test) == {u.id for u in toy.utterances if by_take(u) == 1}
    # No valid file: a fifth of train is dev.
    assert [(len(fold.train), len(fold.dev), len(fold.test)) for fold in dataset.folds] == [(19, 5, 16), (13, 3, 24)]
    assert dataset.task.speaker_independent is False
    texts = [finding.text for finding in audit(dataset).findings if finding.severity == "warning"]
    assert any("test speakers are also in train" in text for text in texts)


def test_folds_without_a_leak_are_speaker_independent_whatever_the_task_says(toy, tmp_path) -> None:
    dataset = with_emobox_folds(toy, write_folds(tmp_path, toy, by_speaker, ("train", "valid", "test")))
    assert [(len(fold.train), len(fold.dev), len(fold.test)) for fold in dataset.folds] == [(16, 4, 20)] * 2
    # The dev set shares speakers with train, but the test set with neither.
    assert dataset.task.speaker_independent is True
    assert all(i.endswith("4.wav") for fold in dataset.folds for i in fold.dev)


def test_records_on_other_folds_are_modified(toy, toy_task, settings, progress, plugin, tmp_path) -> None:
    folder = write_folds(tmp_path / "emobox", toy, by_take)
    request = Request(["spectrum"], [str(toy_task)], ["nearest"], folds_from=folder)
    (outcome,) = run(request, Registry([str(plugin)]), settings, progress, "cpu")
    assert (outcome.protocol, outcome.completed) == ("modified", 4)
    assert outcome.score is not None
    records = list(RecordStore(settings.results))
    assert {record.protocol for record in records} == {"modified"}
    assert {record.task.speaker_independent for record in records} == {False}
    assert any("test speakers are also in train" in note for note in progress.notes)


def damage(path: Path, line: str) -> None:
    path.write_text(path.read_text() + line + "\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"wav": "downloads/toy/anna/high9.wav"}', r"line 17: 'downloads/toy/anna/high9.wav' is none of the 40"),
        ('{"wav": "high0.wav"}', r"'high0.wav' is several of the 40 utterances of the corpus"),
        ('{"key": "x"}', "line 17: no JSON object with 'wav'"),
        ("[1]", "no JSON object with 'wav'"),
        ("nonsense", "no JSON object with 'wav'"),
        ("[" * 100_000, "no JSON object with 'wav'"),
    ],
)
def test_a_line_that_is_no_utterance_is_refused(toy, tmp_path, line: str, message: str) -> None:
    folder = write_folds(tmp_path, toy, by_take)
    damage(folder / "fold_1" / "toy_test_fold_1.jsonl", line)
    with pytest.raises(BenchError, match=message):
        with_emobox_folds(toy, folder)


def test_a_missing_file_is_named(toy, tmp_path) -> None:
    with pytest.raises(MissingError, match="there are no EmoBox folds in"):
        with_emobox_folds(toy, tmp_path)
    folder = write_folds(tmp_path, toy, by_take)
    (folder / "fold_2" / "toy_train_fold_2.jsonl").unlink()
    with pytest.raises(MissingError, match="has no train of fold 2"):
        with_emobox_folds(toy, folder)


def rewritten(path: Path, target: Path, old: str, new: str) -> None:
    target.write_text(path.read_text().replace(old, new))


def test_older_lists_beside_the_current_ones_are_not_read_and_told(toy, tmp_path, caplog) -> None:
    """As EmoBox has them of EmoDB: `fold1` with the key "audio" beside `fold_1` with "wav"."""
    folder = write_folds(tmp_path, toy, by_take)
    expected = with_emobox_folds(toy, folder).folds
    assert caplog.text == ""
    for path in sorted(folder.rglob("*.jsonl")):
        rewritten(path, path.with_name(path.name.replace("fold_", "fold")), '"wav"', '"audio"')
    with caplog.at_level("WARNING"):
        assert with_emobox_folds(toy, folder).folds == expected
    assert "toy: 4 older lists beside the folds not read: toy_test_fold1.jsonl" in caplog.text
    for path in folder.rglob("*_fold_*.jsonl"):  # alone they are read
        path.unlink()
    assert with_emobox_folds(toy, folder).folds == expected


def test_two_lists_that_differ_are_both_named(toy, tmp_path) -> None:
    folder = write_folds(tmp_path, toy, by_take)
    path = folder / "fold_1" / "toy_test_fold_1.jsonl"
    other = path.with_name("toi_test_fold_1.jsonl")
    rewritten(path, other, "low", "low")
    with_emobox_folds(toy, folder)  # identical copies are one list
    rewritten(path, other, "high0", "high1")
    with pytest.raises(BenchError, match=r"two files of test of fold 1: fold_1/toi_.* and fold_1/toy_.*keep one"):
        with_emobox_folds(toy, folder)


def test_what_the_protocol_leaves_out_is_left_out_of_the_folds_and_told(toy, tmp_path, caplog) -> None:
    folder = write_folds(tmp_path, toy, by_take)
    left = {u.id for u in toy.utterances if u.speaker == "anna"}
    fewer = replace(toy, utterances=tuple(u for u in toy.utterances if u.id not in left))
    with caplog.at_level("WARNING"):
        dataset = with_emobox_folds(fewer, folder)
    assert "toy: 10 utterances that the folds list are left out, as the protocol does: anna/high0.wav" in caplog.text
    for fold, whole in zip(dataset.folds, with_emobox_folds(toy, folder).folds, strict=True):
        assert set(fold.test) == set(whole.test) - left
        assert {*fold.train, *fold.dev} == {*whole.train, *whole.dev} - left
    nothing = replace(toy, utterances=tuple(u for u in toy.utterances if by_take(u) == 2))
    with pytest.raises(BenchError, match="the protocol leaves out all that fold 1 lists for test"):
        with_emobox_folds(nothing, folder)


def test_hidden_twins_are_passed_over_and_links_followed(toy, tmp_path) -> None:
    folder = write_folds(tmp_path / "disk", toy, by_take)
    (folder / "fold_1" / "._toy_test_fold_1.jsonl").write_bytes(b"\0")
    (tmp_path / "emobox").mkdir()
    for number in (1, 2):
        (tmp_path / "emobox" / f"fold_{number}").symlink_to(folder / f"fold_{number}")
    assert with_emobox_folds(toy, tmp_path / "emobox").folds == with_emobox_folds(toy, folder).folds


def test_second_takes_are_the_same_however_the_lists_write_them(toy, tmp_path) -> None:
    folder = write_folds(tmp_path, toy, by_take)
    renamed = {u.id: replace(u, file=u.file.replace("high0", "high (0b)")) for u in toy.utterances}
    dataset = replace(toy, utterances=tuple(renamed.values()), listed=tuple(renamed.values()))
    for path in folder.rglob("*.jsonl"):
        rewritten(path, path, "high0", "high (0)b")
    assert (
        with_emobox_folds(dataset, folder).folds
        == with_emobox_folds(toy, write_folds(tmp_path / "a", toy, by_take)).folds
    )


def test_an_utterance_twice_in_a_fold_is_refused(toy, tmp_path) -> None:
    folder = write_folds(tmp_path, toy, by_take)
    damage(folder / "fold_1" / "toy_train_fold_1.jsonl", '{"wav": "downloads/toy/anna/high0.wav"}')
    with pytest.raises(BenchError, match=r"fold 1 in .*fold_1 lists 'anna/high0.wav' twice"):
        with_emobox_folds(toy, folder)


def test_an_empty_set_and_valid_files_of_some_folds_are_refused(toy, tmp_path) -> None:
    folder = write_folds(tmp_path / "a", toy, by_take)
    (folder / "fold_2" / "toy_test_fold_2.jsonl").write_text("\n")
    with pytest.raises(BenchError, match=r"toy_test_fold_2.jsonl lists no utterance"):
        with_emobox_folds(toy, folder)
    folder = write_folds(tmp_path / "b", toy, by_speaker, ("train", "valid", "test"))
    (folder / "fold_2" / "toy_valid_fold_2.jsonl").unlink()
    with pytest.raises(BenchError, match="has valid files of the folds 1 only"):
        with_emobox_folds(toy, folder)


def test_a_folder_that_is_not_there_is_named(toy, tmp_path) -> None:
    with pytest.raises(MissingError, match=r"there is no folder .*nowhere"):
        with_emobox_folds(toy, tmp_path / "nowhere")


def test_unknown_speakers_prove_nothing(toy, tmp_path) -> None:
    """What the task says of them holds on, and the audit says that nobody can know."""
    unknown = replace(toy, utterances=tuple(replace(utterance, speaker=None) for utterance in toy.utterances))
    for says in (True, False):
        dataset = replace(unknown, task=toy.task.model_copy(update={"speaker_independent": says}))
        folder = write_folds(tmp_path / str(says), toy, by_take)
        assert with_emobox_folds(dataset, folder).task.speaker_independent is says


def test_utterances_that_the_folds_leave_out_are_told(toy, toy_task, settings, progress, plugin, tmp_path) -> None:
    folder = write_folds(tmp_path / "emobox", toy, by_take)
    for path in folder.rglob("*.jsonl"):
        lines = [line for line in path.read_text().splitlines() if "/anna/" not in line]
        path.write_text("\n".join(lines) + "\n")
    run(
        Request(["spectrum"], [str(toy_task)], ["nearest"], folds_from=folder),
        Registry([str(plugin)]),
        settings,
        progress,
        "cpu",
    )
    assert "toy: they leave 10 utterances out" in progress.notes
