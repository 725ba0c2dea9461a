"""What is kept of a board's tasks is what their records would give, and is made again where anything has changed."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from pathlib import Path

import pytest
from boards_factory import alike, named, rated, system
from records_factory import failed, record

from benchmark.errors import BenchError
from benchmark.records import Record, RecordStore, pack
from leaderboard import kept_tasks
from leaderboard.board import board
from leaderboard.kept_tasks import kept_board
from leaderboard.render import files

LONG_AGO = "2020-01-01T00:00:00+00:00"
PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "results"


def write(folder: Path, task: str, name: str, records) -> Path:
    path = folder / task / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(list(records)))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Records of all that a board shows: rows, incomplete ones, failed ones, older ones, and what is set aside."""
    results = tmp_path / "results"
    for name, correct in (("ears", 0.9), ("eyes", 0.6), ("chance", 0.3)):
        write(results, "toy", name, system(name, correct))
    write(results, "toy", "broken", [failed(**named("broken")), *system("broken", 0.5)[1:]])
    write(results, "toy", "older", alike("ears", 0.5, task__sha256="9" * 64, provenance__created=LONG_AGO))
    write(results, "toy", "modified", [record(protocol="modified")])
    write(results, "partial", "some", [record(protocol="partial", task__name="partial")])
    write(results, "values", "ears", rated("ears", 0.5, task__name="values"))
    write(results, "values", "eyes", rated("eyes", 1.5, task__name="values"))
    write(results, "other", "ears", system("ears", 0.8, task__name="other", task__bridge="MAEB"))
    return results


def fresh(*folders: Path) -> dict[str, bytes]:
    """The files of the board that all records give."""
    return files(board(*(RecordStore(one) for one in folders)))


def kept(*folders: Path, cache: Path) -> dict[str, bytes]:
    made = kept_board(folders, cache)
    assert made is not None
    return files(made)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that are made of their records, as they are made."""
    found: list[str] = []
    make = kept_tasks.task_board

    def told(task, grouping):
        found.append(task)
        return make(task, grouping)

    monkeypatch.setattr(kept_tasks, "task_board", told)
    return found


def test_a_kept_board_is_that_of_all_records(folder: Path, tmp_path: Path, made: list[str]) -> None:
    expected = fresh(folder)
    assert b"superseded" in expected["LEADERBOARD.md"]
    assert b"Failed" in expected["LEADERBOARD.md"]
    assert kept(folder, cache=tmp_path / "cache") == expected
    assert made == ["other", "partial", "toy", "values"]
    assert kept(folder, cache=tmp_path / "cache") == expected
    assert len(made) == 4


def test_so_is_that_of_published_records(tmp_path: Path, made: list[str]) -> None:
    for task in ("demo", "urdu-emobox", "emovo-to-ravdess", "ravdess-7class"):
        shutil.copytree(PUBLISHED / task, tmp_path / "results" / task)
    expected = fresh(tmp_path / "results")
    for _ in range(2):
        assert kept(tmp_path / "results", cache=tmp_path / "cache") == expected
    assert len(made) == 4


def test_only_the_task_of_a_new_record_is_made_again(folder: Path, tmp_path: Path, made: list[str]) -> None:
    kept(folder, cache=tmp_path / "cache")
    made.clear()
    added = write(folder, "toy", "noses", system("noses", 0.7))
    expected = fresh(folder)
    assert kept(folder, cache=tmp_path / "cache") == expected
    assert made == ["toy"]
    assert b"noses" in expected["LEADERBOARD.md"]
    added.unlink()
    assert b"noses" not in kept(folder, cache=tmp_path / "cache")["LEADERBOARD.md"]


def test_a_change_is_noticed_by_the_bytes_whatever_the_clock_says(folder: Path, tmp_path: Path) -> None:
    kept(folder, cache=tmp_path / "cache")
    path = folder / "toy" / "ears.json"
    about = path.stat()
    path.write_bytes(pack(system("ears", 0.8)))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert kept(folder, cache=tmp_path / "cache") == fresh(folder)


def test_a_record_that_moves_to_another_task_leaves_the_first(folder: Path, tmp_path: Path) -> None:
    kept(folder, cache=tmp_path / "cache")
    path = folder / "toy" / "eyes.json"
    path.write_bytes(pack(rated("noses", 1.0, task__name="values")))
    assert kept(folder, cache=tmp_path / "cache") == fresh(folder)


def test_of_a_unit_in_two_folders_the_first_counts(folder: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    write(second, "toy", "ears", system("ears", 0.2))
    both = {order: kept(*order, cache=tmp_path / "cache") for order in ((folder, second), (second, folder))}
    for order, found in both.items():
        assert found == fresh(*order) == kept(*order, cache=tmp_path / "cache")
    assert len({one["leaderboard.csv"] for one in both.values()}) == 2


def test_other_sources_or_libraries_make_all_again(
    folder: Path, tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(folder, cache=tmp_path / "cache")
    monkeypatch.setattr(kept_tasks, "versions", lambda names: dict.fromkeys(names, "another"))
    kept(folder, cache=tmp_path / "cache")
    assert len(made) == 8


def test_what_makes_a_task_is_every_source_of_these_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = kept_tasks._made_by()
    root = Path(kept_tasks.__file__).parents[1]
    for package in kept_tasks.PACKAGES:
        (tmp_path / package).symlink_to(root / package)
    monkeypatch.setattr(kept_tasks, "package_folder", lambda name: tmp_path / name)
    assert kept_tasks._made_by() == before
    (tmp_path / "tasks").unlink()
    shutil.copytree(root / "tasks", tmp_path / "tasks")
    one = next(path for path in (tmp_path / "tasks").rglob("*.yaml"))
    one.write_text(one.read_text() + "\n# a word\n")
    assert kept_tasks._made_by() != before


def kept_files(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-5], lambda content: content[:40] + b"x" + content[41:], lambda content: b""]
)
def test_what_is_damaged_is_made_again(folder: Path, tmp_path: Path, damage) -> None:
    expected = kept(folder, cache=tmp_path / "cache")
    for path in kept_files(tmp_path / "cache"):
        path.write_bytes(damage(path.read_bytes()))
    assert kept(folder, cache=tmp_path / "cache") == expected


def test_a_task_of_a_file_that_the_index_has_wrong_is_not_lost(folder: Path, tmp_path: Path) -> None:
    expected = kept(folder, cache=tmp_path / "cache")
    (index,) = (tmp_path / "cache").rglob(kept_tasks.INDEX)
    index.write_bytes(index.read_bytes().replace(b'["toy"]', b'["toz"]', 1))
    assert kept(folder, cache=tmp_path / "cache") == expected


def test_nothing_but_the_parts_of_a_task_is_made_of_a_kept_file(folder: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "made"),))

    expected = kept(folder, cache=tmp_path / "cache")
    content = pickle.dumps(Evil())
    for path in kept_files(tmp_path / "cache"):
        if path.name != kept_tasks.INDEX:
            path.write_bytes(hashlib.sha256(content).digest() + content)
    assert kept(folder, cache=tmp_path / "cache") == expected
    assert not (tmp_path / "made").exists()


def test_what_was_before_is_removed_and_other_boards_are_not(folder: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    write(second, "toy", "ears", system("ears", 0.2))
    kept(second, cache=tmp_path / "cache")
    kept(folder, cache=tmp_path / "cache")
    number = len(kept_files(tmp_path / "cache"))
    write(folder, "toy", "noses", system("noses", 0.7))
    kept(folder, cache=tmp_path / "cache")
    assert len(kept_files(tmp_path / "cache")) == number == (1 + 1) + (4 + 1)


def test_what_cannot_be_read_is_left_to_be_told(folder: Path, tmp_path: Path) -> None:
    kept(folder, cache=tmp_path / "cache")
    (folder / "toy" / "half.json").write_bytes(b'{"common": ')
    assert kept_board([folder], tmp_path / "cache") is None
    (folder / "toy" / "half.json").unlink()
    os.mkfifo(folder / "toy" / "pipe.json")
    assert kept_board([folder], tmp_path / "cache") is None
    assert kept_board([tmp_path / "nowhere"], tmp_path / "cache") is None


def test_records_that_contradict_each_other_are_refused_every_time(folder: Path, tmp_path: Path) -> None:
    write(folder, "toy", "double", system("ears", 0.1))
    for _ in range(2):
        with pytest.raises(BenchError, match="two different records of one unit"):
            kept_board([folder], tmp_path / "cache")


def test_a_cache_that_cannot_be_written_costs_time_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert kept(folder, cache=tmp_path / "cache") == fresh(folder)


@pytest.mark.parametrize(
    ("is_known", "written"), [(False, system("eyes", 0.6, task__name="elsewhere")), (True, system("eyes", 0.8))]
)
def test_a_file_that_is_written_before_it_is_read_is_not_kept_as_what_it_held(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool, written: list[Record]
) -> None:
    path = folder / "toy" / "eyes.json"
    first, read = path.read_bytes(), kept_tasks.read_each
    if is_known:  # of the tasks alone nothing is kept
        kept(folder, cache=tmp_path / "cache")
        for one in kept_files(tmp_path / "cache"):
            if one.name != kept_tasks.INDEX:
                one.unlink()

    def disturbed(paths):
        path.write_bytes(pack(written))
        return read(paths)

    with monkeypatch.context() as patched:
        patched.setattr(kept_tasks, "read_each", disturbed)
        kept(folder, cache=tmp_path / "cache")
    path.write_bytes(first)
    assert kept(folder, cache=tmp_path / "cache") == fresh(folder)


def test_a_cache_in_the_folder_of_records_is_none_of_them(folder: Path) -> None:
    for _ in range(2):
        assert kept(folder, cache=folder / "cache") == fresh(folder)


def test_its_cells_say_that_they_forgot_their_records(folder: Path, tmp_path: Path) -> None:
    made = kept_board([folder], tmp_path / "cache")
    assert made is not None
    with pytest.raises(RuntimeError, match="forgotten"):
        list(made.sections[0].groups[0].places[0].row.cell.records)


def test_no_records_make_an_empty_board(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    assert kept(tmp_path / "results", cache=tmp_path / "cache") == fresh(tmp_path / "results")
