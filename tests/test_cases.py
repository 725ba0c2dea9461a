"""Faults as they were reported: a folder of cases, each with a script that makes its files, and what is right.

The folder is named by BENCH_CASES, or lies beside the checkout as `shared/cases`; without it nothing is tested here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import bench

from benchmark.data.audio import AudioError, decode
from benchmark.io.settings import load_settings
from benchmark.protocol.dataset import load_dataset
from benchmark.protocol.emobox import with_emobox_folds
from benchmark.registry.registry import Registry
from benchmark.types import Utterance
from tasks.corpora.aesdd import Aesdd
from tasks.corpora.ravdess import Ravdess
from upstreams.precomputed.upstream import Precomputed

ROOT = Path(__file__).parent.parent
CASES = Path(os.environ.get("BENCH_CASES", ROOT.parent / "shared" / "cases"))
HERE = sorted(path.parent.name for path in CASES.glob("*/make.py"))


def made(name: str, out: Path) -> Path:
    """The files of a case. A script may end by asking a module that has another name now, once all are written."""
    script = [sys.executable, str(CASES / name / "make.py"), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(script, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "ModuleNotFoundError" in done.stderr, done.stderr
    return out


def samples(folder: Path) -> dict[str, int | str]:
    """Of each file how many samples it has, or what is said instead."""
    found: dict[str, int | str] = {}
    for path in sorted(folder.iterdir()):
        try:
            found[path.name] = len(decode(folder, Utterance(path.name, path.name)).samples)
        except AudioError as error:
            found[path.name] = error.message
    return found


def aesdd_second_takes(out: Path) -> None:
    ids = ["a06-5", "a06-5b", "d01-5b", "f10-1", "f18-5b", "s01-5a", "s01-5b"]
    assert [utterance.id for utterance in Aesdd().scan(out)] == ids


def codecs_without_seek(out: Path) -> None:
    assert samples(out) == {"G721_32.wav": 16080, "GSM610.wav": 16000, "ULAW.wav": 16000}


def cut_off_not_noticed(out: Path) -> None:
    found = samples(out)
    assert len(found) == 7
    assert all("truncated" in str(told) for told in found.values()), found


def emobox_lists_what_the_task_leaves_out(out: Path) -> None:
    registry, settings = Registry(), load_settings([f"crema-d={out / 'crema-d'}"])
    task = registry.task("crema-d")
    dataset = load_dataset(task, registry.corpora_of(task), settings, allow_partial=True)
    (fold,) = with_emobox_folds(dataset, out / "EmoBox/data/cremad").folds
    assert len(fold.test) == 121
    assert "1076_MTI_SAD_XX" not in {*fold.train, *fold.dev, *fold.test}


def emobox_two_namings_of_a_fold(out: Path) -> None:
    folds, data = out / "EmoBox/data/emodb", f"emodb={out / 'emodb'}"
    done = bench("show", "emodb", "--audit", "--allow-partial", "--folds-from", folds, "--data", data)
    assert "older lists beside the folds not read" in done.stderr


def flac_of_unknown_length(out: Path) -> None:
    assert samples(out) == {"known.flac": 32000, "unknown.flac": 32000}


def folders_behind_links(out: Path) -> None:
    assert len(Ravdess().scan(out / "ravdess")) == 8


def index_that_nearly_fits(out: Path) -> None:
    for name in ("spaces", "windows"):
        bench("show", out / f"{name}.yaml", "--audit", "--data", f"{name}={out / name}")
    done = bench("show", out / "emotion.yaml", "--audit", "--data", f"emotion={out / 'emotion'}", code=1)
    assert "no column 'label'" in done.stderr


def modified_copy_is_complete(out: Path) -> None:
    done = bench("data", "verify", "savee", "--data", f"savee={out}", code=1)
    assert "are not the published ones" in done.stderr


def mp3_length_is_estimated(out: Path) -> None:
    expected = {"vbr-quiet-first.mp3": 883584, "vbr-without-xing.mp3": 1324800, "vbr.mp3": 1323000}
    assert samples(out) == expected


def pointers_of_git_lfs(out: Path) -> None:
    told = samples(out / "AudioWAV")
    assert len(told) == 2
    assert all("git lfs pull" in str(why) for why in told.values())


def twins_of_the_finder(out: Path) -> None:
    assert list(Precomputed(str(out / "features")).lookup(["a"], ["a"])) == ["a"]
    assert "._0123" not in bench("leaderboard", "--results", out / "records", "--out", out / "board", code=0).stderr


def verify_of_what_was_published_broken(out: Path) -> None:
    done = bench("data", "verify", "crema-d", "--data", f"crema-d={out}", code=1)  # most of it is not here
    assert "published broken: 1\n  1076_MTI_SAD_XX" in done.stdout
    assert "cannot be used" not in done.stderr


def wav_streamed_lengths(out: Path) -> None:
    assert set(samples(out).values()) == {32000}


CHECKS: dict[str, Callable[[Path], None]] = {
    check.__name__.replace("_", "-"): check
    for check in (
        aesdd_second_takes,
        codecs_without_seek,
        cut_off_not_noticed,
        emobox_lists_what_the_task_leaves_out,
        emobox_two_namings_of_a_fold,
        flac_of_unknown_length,
        folders_behind_links,
        index_that_nearly_fits,
        modified_copy_is_complete,
        mp3_length_is_estimated,
        pointers_of_git_lfs,
        twins_of_the_finder,
        verify_of_what_was_published_broken,
        wav_streamed_lengths,
    )
}


@pytest.mark.skipif(not HERE, reason="the cases are not at hand: set BENCH_CASES")
def test_every_case_that_is_here_has_its_check() -> None:
    assert [name for name in HERE if name not in CHECKS] == []


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_right_is_done(name: str, tmp_path: Path) -> None:
    if name not in HERE:
        pytest.skip("the case is not at hand: set BENCH_CASES")
    CHECKS[name](made(name, tmp_path / "out"))
