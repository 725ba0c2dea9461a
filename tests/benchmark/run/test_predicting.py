"""Kept heads decide on own recordings as they did in the run."""

from __future__ import annotations

import csv
import errno
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
import yaml
from quick_tuning import RECIPE
from tiny_models import save_model
from toy import TOY_TASK, tone, write_toy_corpus

from benchmark.base.tuned import Training
from benchmark.cli.predict import predict as predict_command
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.settings import Settings, load_settings
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run import predicting
from benchmark.run.fitted import Shelf
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.run.predicting import predict, recordings


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(TOY_TASK))
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(RECIPE))
    return tmp_path


def kept(settings: Settings, progress, upstream: str, head: str, **more) -> Shelf:
    request = Request([upstream], ["toy.yaml"], [head], keep_heads=True, **more)
    (outcome,) = run(request, Registry(), settings, progress, "cpu")
    assert outcome.failed == {}
    return Shelf(Training("toy.yaml", upstream, head), Registry(), settings)


@pytest.mark.parametrize(
    ("upstream", "head"),
    [
        ("mfcc", "svm"),
        ("mfcc@last+logmel", "logistic"),
        ("{hf}", "quick.yaml"),
        ("tuned:toy.yaml/{hf}/quick.yaml", "svm"),
    ],
)
def test_a_head_says_of_a_test_file_what_it_said_in_the_run(
    here: Path, settings, progress, upstream: str, head: str
) -> None:
    upstream = upstream.format(hf=f"hf:{save_model(here / 'moon', 'moonshine')}")
    shelf = kept(settings, progress, upstream, head, folds=["anna"], seeds=[0])
    (unit,) = shelf.find("anna")
    table = settings.results / "toy" / f"{unit.record.id}.predictions.csv"
    said = list(csv.DictReader(table.read_text().splitlines()))
    files = [settings.data["toy"] / row["id"] for row in said]
    found = predict(shelf, [unit], files, settings, "cpu", progress)
    scores = np.array([[float(row["score_high"]), float(row["score_low"])] for row in said])
    expected = np.exp(scores) if head == "quick.yaml" else scores
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-6)
    assert found.are_probabilities == (head != "svm")


def test_the_mean_of_all_folds_and_odd_files(here: Path, settings, progress, capsys) -> None:
    shelf = kept(settings, progress, "mfcc", "logistic")
    assert {unit.path.parent.name for unit in shelf.find()} == {"heads"}
    own = here / "own"
    (own / "deeper").mkdir(parents=True)
    soundfile.write(own / "high.wav", tone(2400), 16_000)
    soundfile.write(own / "deeper" / "low.flac", tone(610), 16_000)
    (own / "broken.wav").write_bytes(b"no sound")
    (own / os.fsdecode(b"bad\xff.wav")).write_bytes((own / "high.wav").read_bytes())
    (own / "notes.txt").write_text("a note")
    with pytest.raises(typer.Exit) as exit_:
        predict_command(
            [own], cell="toy.yaml/mfcc/logistic", fold=None, seed=None, device="cpu", results=settings.results
        )
    assert exit_.value.exit_code == 1
    out, err = capsys.readouterr()
    rows = {Path(row["file"]).name: row for row in csv.DictReader(out.splitlines())}
    assert {name: row["decision"] for name, row in rows.items()} == {"high.wav": "high", "low.flac": "low"}
    assert float(rows["high.wav"]["probability_high"]) + float(rows["high.wav"]["probability_low"]) == pytest.approx(1)
    assert "broken.wav: unreadable audio" in err
    assert rf"{own}/bad\xff.wav: its name, or that of its folder, is not UTF-8" in err
    assert "note: not heard: 1 file is no sound by the name (notes.txt)" in err
    assert "encode own recordings with mfcc: 1" in err
    assert "predict with 4 heads" in err
    predict_command(
        [own / "high.wav"], cell="toy.yaml/mfcc/logistic", fold="anna", seed=None, device="cpu", as_json=True,
        results=settings.results,
    )  # fmt: skip
    assert '"decision": "high"' in capsys.readouterr().out
    values = [predict(shelf, [one], [own / "high.wav"], settings, "cpu", progress).values for one in shelf.find()]
    whole = predict(shelf, shelf.find(), [own / "high.wav"], settings, "cpu", progress).values
    np.testing.assert_allclose(np.mean(values, axis=0), whole)


def test_heads_that_were_not_kept_are_fitted_again_for_it_with_the_same_numbers(here: Path, settings, progress) -> None:
    request = Request(["mfcc"], ["toy.yaml"], ["svm"], folds=["anna"])
    run(request, Registry(), settings, progress, "cpu")
    shelf = Shelf(Training("toy.yaml", "mfcc", "svm"), Registry(), settings)
    with pytest.raises(MissingError, match="no head is kept of toy / mfcc / svm") as error:
        shelf.find()
    assert "--keep-heads" in error.value.hint
    kept(settings, progress, "mfcc", "svm", folds=["anna"])
    (unit,) = shelf.find()
    again = Request(["mfcc"], ["toy.yaml"], ["svm"], folds=["anna"], keep_heads=True)
    (outcome,) = run(again, Registry(), settings, progress, "cpu")
    assert outcome.kept == 1
    assert unit.record.weights is None


def test_heads_of_a_study_do_not_take_the_place_of_those_of_the_recipe(here: Path, settings, progress) -> None:
    shelf = kept(settings, progress, "mfcc", "svm", folds=["anna"])
    request = Request(["mfcc"], ["toy.yaml"], ["svm"], folds=["anna"], keep_heads=True)
    for value in ("0.5", "0.25"):
        run(request, Registry(changes=[f"downstream.C={value}"]), settings, progress, "cpu")
    (unit,) = shelf.find()
    assert unit.record.protocol == "official"
    studied = Shelf(Training("toy.yaml", "mfcc", "svm"), Registry(changes=["downstream.C=0.25"]), settings)
    assert [one.record.downstream.params["C"] for one in studied.find()] == [0.25]
    unit.path.unlink()
    with pytest.raises(MissingError, match=r"no head is kept .* with what is asked for: C of svm was 0\.2?5 and is 0"):
        shelf.find()


def test_an_official_head_is_preferred_to_a_newer_one_of_a_part_of_the_corpus(here: Path, settings, progress) -> None:
    shelf = kept(settings, progress, "mfcc", "svm", folds=["anna"])
    (found,) = shelf.find()
    made = found.record.provenance.model_copy(update={"created": "2020-01-01T00:00:00+00:00"})
    RecordStore(settings.results).write(found.record.model_copy(update={"provenance": made}), None)
    (whole,) = shelf.find()
    root = write_toy_corpus(here / "part")
    index = root / "index.csv"
    index.write_text("".join(line for line in index.read_text().splitlines(keepends=True) if "low0" not in line))
    part = load_settings([f"toy={root}"])
    request = Request(["mfcc"], ["toy.yaml"], ["svm"], folds=["anna", "bert"], keep_heads=True, allow_partial=True)
    run(request, Registry(), part, progress, "cpu")
    assert [unit.record.protocol for unit in shelf.find()] == ["official", "partial"]
    assert shelf.find("anna") == [whole]


def test_of_another_seed_or_fold_it_is_told_which_are_kept(here: Path, settings, progress, plugin: Path) -> None:
    def of(head: str, *plugins: str) -> Shelf:
        registry = Registry(plugins)
        request = Request(["mfcc"], ["toy.yaml"], [head], folds=["anna", "bert"], keep_heads=True)
        run(request, registry, settings, progress, "cpu")
        return Shelf(Training("toy.yaml", "mfcc", head), registry, settings)

    with pytest.raises(MissingError) as error:
        of("nearest", str(plugin)).find(fold="cleo", seed=9)
    told = f"no head of fold 'cleo', seed 9 is kept of toy / mfcc / nearest in {settings.results}: kept are "
    assert error.value.message == f"{told}folds anna, bert (seeds 0, 1)"
    assert f"--fold cleo --seed 9 --plugin {plugin} --results {settings.results} --keep-heads" in error.value.hint
    with pytest.raises(
        MissingError, match=r"no head of seed 9 is kept of toy / mfcc / logistic in .*/results "
    ) as error:
        Shelf(Training("toy.yaml", "mfcc", "logistic"), Registry(), settings).find(seed=9)
    assert error.value.hint == "logistic ignores the seed: leave --seed out"
    with pytest.raises(MissingError, match=r"no head of seed 9 .* folds anna, bert \(seed 0\)") as error:
        of("svm").find(seed=9)
    assert error.value.hint == "svm ignores the seed: leave --seed out"


def test_dimensions(here: Path, settings, progress, tmp_path: Path) -> None:
    root = write_toy_corpus(tmp_path / "rated")
    index = root / "index.csv"
    lines = index.read_text().splitlines()
    rated = [
        f"{lines[0]},arousal",
        *(f"{line},{2 + ('high' in line)}.{place % 10}" for place, line in enumerate(lines[1:])),
    ]
    index.write_text("\n".join(rated) + "\n")
    plain = {key: value for key, value in TOY_TASK.items() if key not in ("labels", "label_map", "expect")}
    rates = {**plain, "name": "rated", "kind": "regression", "dimensions": ["arousal"], "metrics": ["ccc"]}
    (here / "rated.yaml").write_text(yaml.safe_dump({**rates, "expect": {"utterances": 40, "speakers": 4}}))
    both = load_settings([f"rated={root}"])
    request = Request(["logmel"], ["rated.yaml"], ["svm"], folds=["anna"], keep_heads=True)
    (outcome,) = run(request, Registry(), both, progress, "cpu")
    assert outcome.failed == {}
    shelf = Shelf(Training("rated.yaml", "logmel", "svm"), Registry(), both)
    found = predict(
        shelf, shelf.find(), [root / "anna" / "high0.wav", root / "anna" / "low0.wav"], both, "cpu", progress
    )
    assert not found.are_probabilities
    assert found.values[0, 0] > found.values[1, 0]


def test_where_there_is_nothing_to_hear_it_is_said_of_each_path(here: Path) -> None:
    (here / "empty").mkdir()
    (here / "empty" / "notes.txt").write_text("a note")
    with pytest.raises(UsageError) as error:
        recordings([Path("nowhere"), here / "empty"])
    assert error.value.message == (
        f"nowhere: there is no such file or folder, {here}/empty: there is nothing to hear in it: "
        "1 file is no sound by the name (notes.txt)"
    )


def test_a_path_that_gives_nothing_is_named_and_the_others_are_predicted(
    here: Path, settings, progress, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(settings, progress, "mfcc", "svm", folds=["anna"])
    (here / "empty").mkdir()
    (here / "closed").mkdir()
    below = predicting.files_below

    def unreadable(folder: Path) -> object:
        if folder.name == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return below(folder)

    monkeypatch.setattr(predicting, "files_below", unreadable)
    sound = settings.data["toy"] / "anna" / "high0.wav"
    with pytest.raises(typer.Exit) as exit_:
        predict_command(
            [Path("nowhere.wav"), sound, Path("empty"), Path("closed")],
            cell="toy.yaml/mfcc/svm", quiet=True, device="cpu", results=settings.results,
        )  # fmt: skip
    assert exit_.value.exit_code == 1
    out, err = capsys.readouterr()
    assert [Path(row["file"]) for row in csv.DictReader(out.splitlines())] == [sound]
    assert err.splitlines() == [
        "nowhere.wav: there is no such file or folder",
        "empty: there is nothing to hear in it",
        "closed: it cannot be read: Permission denied",
    ]


def test_where_no_file_can_be_used_each_is_named(here: Path, settings, progress, capsys) -> None:
    kept(settings, progress, "mfcc", "svm", folds=["anna"])
    for content in (b"no sound", b""):
        (here / "broken.wav").write_bytes(content)
        with pytest.raises(BenchError, match="none of the files can be used"):
            predict_command(
                [here / "broken.wav"], cell="toy.yaml/mfcc/svm", quiet=True, device="cpu", results=settings.results
            )
        assert f"{here}/broken.wav: " in capsys.readouterr().err
