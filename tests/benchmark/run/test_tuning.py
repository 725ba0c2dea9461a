"""Weights that a run trains: for which fold, from what, and never tested on whom they have heard."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from engines import HereEngine, elsewhere, numbers
from quick_tuning import RECIPE
from tiny_models import save_model
from toy import TOY_TASK, write_toy_corpus

from benchmark.base.tuned import Training
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.settings import Settings, load_settings
from benchmark.records import Record, RecordStore, WeightsPart, parse_records
from benchmark.records.cells import Cell
from benchmark.records.hiding import salted
from benchmark.registry.registry import Registry
from benchmark.run.fitted import Shelf
from benchmark.run.loop import run
from benchmark.run.outcomes import CellOutcome
from benchmark.run.plan import Request, make_plan, weights_bytes
from benchmark.run.spread import run_spread
from benchmark.run.unit import Names, Setup
from benchmark.run.worker import Worker


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small upstream, made once; not to be changed."""
    return f"hf:{save_model(tmp_path_factory.mktemp('models') / 'moon', 'moonshine')}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the recipes `quick` and, of every seed its own weights, `seeded`."""
    monkeypatch.chdir(tmp_path)
    for name, seed in (("quick", 1), ("seeded", None)):
        params = {**RECIPE["params"], "seed": seed}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**RECIPE, "name": name, "params": params}))
    return tmp_path


def task(folder: Path, name: str, **changes) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**TOY_TASK, "name": name, **changes}))
    return path.name


def ran(settings: Settings, progress, upstream: str, task: str, head: str = "svm", **more) -> CellOutcome:
    (outcome,) = run(Request([upstream], [task], [head], **more), Registry(), settings, progress, "cpu")
    return outcome


def records(settings: Settings, upstream: str) -> list[Record]:
    return [one for one in RecordStore(settings.results) if one.upstream.name == upstream]


def test_each_fold_is_encoded_by_the_weights_of_its_own_training(here: Path, model: str, settings, progress) -> None:
    toy = task(here, "toy")
    outcome = ran(settings, progress, f"tuned:{toy}/{model}/quick.yaml@last", toy, folds=["anna", "bert"])
    assert (outcome.completed, outcome.failed) == (2, {})
    rows = records(settings, "tuned:toy/hf:moon/quick@last")
    trainings = {one.fold: one for one in records(settings, "hf:moon")}
    assert {one.fold for one in rows} == set(trainings) == {"anna", "bert"}
    for one in rows:
        (step,) = one.weights.steps
        assert (step.start, step.downstream, step.task, step.fold, step.seed) == (
            "hf:moon",
            "quick",
            "toy",
            one.fold,
            0,
        )
        assert step.unit == trainings[one.fold].id
        assert step.weights_sha256 == trainings[one.fold].weights.trained_sha256
    assert len({one.weights.steps[0].weights_sha256 for one in rows}) == 2
    assert len(list((settings.cache / "features").glob("tuned-*-mean-*"))) == 2
    assert {path.stem for path in (settings.cache / "tuned").iterdir()} == {one.id for one in trainings.values()}

    # Another head finds weights and features there.
    progress.encoded.clear()
    again = ran(settings, progress, f"tuned:{toy}/{model}/quick.yaml@last", toy, "logistic", folds=["anna"])
    assert (again.completed, progress.encoded) == (1, [])


def test_a_recipe_with_seeds_gives_each_seed_its_own_weights(here: Path, model: str, settings, progress) -> None:
    toy = task(here, "toy")
    ran(settings, progress, f"tuned:{toy}/{model}/seeded.yaml", toy, folds=["anna"])
    rows = records(settings, "tuned:toy/hf:moon/seeded")
    assert [one.weights.steps[0].seed for one in sorted(rows, key=lambda one: one.seed)] == [0, 1]
    assert all(one.downstream.stochastic for one in rows)
    assert len({one.weights.steps[0].weights_sha256 for one in rows}) == 2


def test_two_steps(here: Path, model: str, settings, progress) -> None:
    toy, dims = task(here, "toy"), task(here, "again", metrics=["wa"])
    name = f"tuned:{dims}/tuned:{toy}/{model}/quick.yaml/quick.yaml"
    outcome = ran(
        load_settings([f"toy={settings.data['toy']}", f"again={settings.data['toy']}"]),
        progress,
        name,
        dims,
        folds=["cleo"],
    )
    assert outcome.failed == {}
    (one,) = records(settings, "tuned:again/tuned:toy/hf:moon/quick/quick")
    assert [(step.start, step.task, step.fold) for step in one.weights.steps] == [
        ("hf:moon", "toy", "cleo"),
        ("tuned:toy/hf:moon/quick", "again", "cleo"),
    ]


def test_side_by_side_with_another(here: Path, model: str, settings, progress) -> None:
    toy = task(here, "toy")
    outcome = ran(settings, progress, f"tuned:{toy}/{model}/quick.yaml@last+mfcc", toy, folds=["anna"])
    assert outcome.failed == {}
    (one,) = records(settings, "tuned:toy/hf:moon/quick@last+mfcc")
    assert len(one.weights.steps) == 1


def pairs(folder: Path) -> Path:
    """The recordings of the toy corpus in another place, by speakers of two old ones each."""
    root = write_toy_corpus(folder / "pairs")
    index = root / "index.csv"
    for old, new in (("anna", "one"), ("bert", "one"), ("cleo", "two"), ("dora", "two")):
        index.write_text(index.read_text().replace(f",{old},", f",{new},"))
    return root


def test_what_is_tuned_never_meets_whom_it_has_heard(here: Path, model: str, settings, progress) -> None:
    """On another task of the corpus each fold takes the training that tested the same speaker."""
    toy, other = task(here, "toy"), task(here, "other", metrics=["wa"])
    both = load_settings([f"toy={settings.data['toy']}", f"other={settings.data['toy']}"])
    ran(both, progress, f"tuned:{toy}/{model}/quick.yaml", other, folds=["bert", "dora"])
    rows = records(both, "tuned:toy/hf:moon/quick")
    assert {one.fold: one.weights.steps[0].fold for one in rows} == {"bert": "bert", "dora": "dora"}
    for one in rows:
        training = next(t for t in records(both, "hf:moon") if t.id == one.weights.steps[0].unit)
        heard_in_test = set(training.by_speaker)
        assert set(one.by_speaker) <= heard_in_test  # so that it heard them in test alone


def refusal(settings: Settings, progress, upstream: str, task: str) -> str:
    with pytest.raises(UsageError) as error:
        ran(settings, progress, upstream, task)
    assert not (settings.cache / "tuned").exists()  # nothing was trained
    assert list(RecordStore(settings.results)) == []
    return str(error.value)


def test_a_task_all_of_whose_trainings_have_heard_a_tested_speaker_is_refused(
    here: Path, model: str, settings, progress
) -> None:
    toy = task(here, "toy")
    mixed = task(
        here,
        "mixed",
        folds={"scheme": "random-k-fold", "k": 2, "seed": 0, "stratified": True},
        dev={"scheme": "random", "fraction": 0.2, "seed": 0, "stratified": True},
        speaker_independent=False,
    )
    both = load_settings([f"toy={settings.data['toy']}", f"mixed={settings.data['toy']}"])
    told = refusal(both, progress, f"tuned:{toy}/{model}/quick.yaml", mixed)
    assert "'tuned:toy/hf:moon/quick' may not be tested on fold" in told
    assert "every training has heard some of it; fold 'anna' of toy has heard 3 speakers (bert, cleo, dora)" in told


def test_the_same_recordings_under_other_names_are_known_by_their_sound(
    here: Path, model: str, settings, progress
) -> None:
    toy = task(here, "toy")
    paired = task(here, "paired", dev={"scheme": "none"}, expect={**TOY_TASK["expect"], "speakers": 2})
    both = load_settings([f"toy={settings.data['toy']}", f"paired={pairs(here)}"])
    told = refusal(both, progress, f"tuned:{toy}/{model}/quick.yaml", paired)
    assert "fold 'anna' of toy has heard 10 recordings of its test" in told


def test_another_corpus_is_free(here: Path, model: str, settings, progress) -> None:
    toy, fresh = task(here, "toy"), task(here, "fresh")
    both = load_settings([f"toy={settings.data['toy']}", f"fresh={write_toy_corpus(here / 'fresh', seed=1000)}"])
    ran(both, progress, f"tuned:{toy}/{model}/quick.yaml", fresh, folds=["cleo"])
    (one,) = records(both, "tuned:toy/hf:moon/quick")
    assert one.weights.steps[0].fold == "cleo"
    assert one.upstream.trained_on == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tuned:toy.yaml/{model}/svm", "the downstream 'svm' trains no upstream"),
        ("tuned:toy.yaml/mfcc/quick.yaml", "'mfcc' cannot be trained"),
        ("tuned:toy.yaml", "is not TASK/UPSTREAM/DOWNSTREAM"),
        ("tuned:toy.yaml/{model}@last/quick.yaml", "cannot be trained"),
    ],
)
def test_what_cannot_be_is_refused(here: Path, model: str, settings, progress, name: str, told: str) -> None:
    toy = task(here, "toy")
    assert told in refusal(settings, progress, name.format(model=model), toy)


def test_weights_that_are_damaged_are_trained_again(here: Path, model: str, settings, progress) -> None:
    toy = task(here, "toy")
    name = f"tuned:{toy}/{model}/quick.yaml"
    ran(settings, progress, name, toy, folds=["anna"])
    (path,) = (settings.cache / "tuned").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    ran(settings, progress, name, toy, folds=["anna"], rerun="all")
    assert path.read_bytes() == whole


def test_weights_that_are_not_those_of_their_record_are_trained_again(
    here: Path, model: str, settings, progress
) -> None:
    toy = task(here, "toy")
    name = f"tuned:{toy}/{model}/quick.yaml"
    ran(settings, progress, name, toy, folds=["anna"])
    (path,) = (settings.cache / "tuned").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    ran(settings, progress, name, toy, "logistic", folds=["anna"])
    assert path.read_bytes() == whole


def test_a_state_that_was_cut_off_is_made_again_and_a_changed_one_when_it_is_asked_for(
    here: Path, model: str, settings, progress
) -> None:
    toy = task(here, "toy")

    def again(**more) -> int:
        return ran(settings, progress, model, toy, "quick.yaml", folds=["anna"], **more).completed

    assert again() == 1
    (path,) = (settings.cache / "tuned").iterdir()
    whole = path.read_bytes()
    assert (again(), again(keep_heads=True)) == (0, 0)
    path.write_bytes(whole[:-1])
    assert again() == 1
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert (again(), again(keep_heads=True)) == (0, 1)
    assert path.read_bytes() == whole
    path.unlink()
    assert (again(), again(keep_heads=True)) == (0, 1)
    assert path.read_bytes() == whole


def test_what_was_cleared_below_a_kept_head_comes_back_with_keep_heads(
    here: Path, model: str, settings, progress
) -> None:
    toy = task(here, "toy")
    name = f"tuned:{toy}/{model}/quick.yaml"
    ran(settings, progress, name, toy, folds=["anna"], keep_heads=True)
    shelf = Shelf(Training(toy, name, "svm"), Registry(), settings)
    (unit,) = shelf.find()
    shutil.rmtree(settings.cache / "tuned")
    assert ran(settings, progress, name, toy, folds=["anna"]).kept == 1
    with pytest.raises(MissingError, match=rf"fold 'anna' are not kept in {settings.cache}/tuned") as error:
        shelf.upstream(unit)
    assert error.value.hint == shelf.command("anna", 0)
    assert ran(settings, progress, name, toy, folds=["anna"], keep_heads=True).completed == 1
    assert shelf.head(unit, shelf.upstream(unit)).needs == "mean"
    assert ran(settings, progress, name, toy, folds=["anna"], keep_heads=True).kept == 1
    (path,) = (settings.cache / "tuned").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BenchError, match=rf"{path} is not what was recorded") as damaged:
        shelf.upstream(unit)
    assert damaged.value.hint == shelf.command("anna", 0)


@pytest.mark.parametrize("head", ["svm", "quick.yaml", "superb"])
def test_on_workers_it_is_the_same(here: Path, model: str, tmp_path: Path, settings, progress, head: str) -> None:
    toy = task(here, "toy")
    request = Request(
        [f"tuned:{toy}/{model}/seeded.yaml"], [toy], [head, "seeded.yaml"], seeds=[1], folds=["anna", "dora"]
    )
    alone, spread = (elsewhere(settings, tmp_path, name) for name in ("alone", "spread"))
    run(request, Registry(), alone, progress, "cpu")
    run_spread(request, Registry(), spread, progress, HereEngine(newest_first=True), "cpu")
    assert numbers(alone) == numbers(spread)
    assert len(numbers(alone)) == 6


def test_cells_that_need_the_same_weights_are_known_to(here: Path, model: str, settings, progress) -> None:
    toy = task(here, "toy")
    worker = Worker(Setup(settings))
    worker.material(toy, progress)
    training = Names(toy, model, "quick.yaml")
    assert worker.trainings(training) == {training}
    assert worker.trainings(Names(toy, f"tuned:{toy}/{model}/quick.yaml@last", "svm")) == {training}
    assert worker.trainings(Names(toy, "mfcc", "svm")) == frozenset()


def test_the_plan_says_what_is_trained_and_kept(here: Path, model: str, settings, progress) -> None:
    toy = task(here, "toy")
    worker = Worker(Setup(settings))
    (cell,) = make_plan(Request([model], [toy], ["quick.yaml"], folds=["anna", "bert"]), worker, progress)
    told = cell.as_dict()
    assert told["trained_parameters"] > 0
    assert told["kept_bytes"] == 2 * cell.training.kept_bytes > 0
    tuned = Request([f"tuned:{toy}/{model}/quick.yaml"], [toy], ["svm"], folds=["anna", "bert"])
    (waiting,) = make_plan(tuned, worker, progress)
    assert (waiting.as_dict()["to_train"], waiting.to_encode) == (2, 0)
    assert cell.disk_bytes == waiting.disk_bytes == told["kept_bytes"]
    assert set(waiting.trainings) == {unit.id for unit in cell.units}
    # What both need is trained once.
    assert weights_bytes([cell, waiting]) == (told["kept_bytes"], cell.training.checkpoint_bytes)
    (other,) = make_plan(Request(["mfcc"], [toy], ["svm"]), worker, progress)
    assert (other.as_dict()["trained_parameters"], other.kept_bytes) == (None, 0)


def test_published_steps_name_no_speaker(here: Path, model: str, settings, progress) -> None:
    toy = task(here, "toy")
    ran(settings, progress, f"tuned:{toy}/{model}/quick.yaml", toy, folds=["anna"])
    (one,) = records(settings, "tuned:toy/hf:moon/quick")
    (step,) = salted(one).weights.steps
    assert (step.fold, step.unit) == (salted(one).fold, None)
    assert "anna" not in salted(one).model_dump_json()
    foreign = one.model_copy(
        update={"weights": WeightsPart(steps=[step.model_copy(update={"task": "x", "fold": "bert"})])}
    )
    assert salted(foreign).weights.steps[0].fold is None
    assert parse_records(one.model_dump(mode="json")) == [one]
    assert Cell(one.task, one.upstream, one.downstream, {("anna", 0): one}).track == "fine-tuned"


@pytest.mark.parametrize("architecture", ["wav2vec2-base", "wavlm-base", "hubert-base", "moonshine"])
def test_small_models_learn(here: Path, settings, progress, architecture: str) -> None:
    small, toy = save_model(here / architecture, architecture, initializer_range=0.05), task(here, "toy")
    params = {**RECIPE["params"], "trains": "all", "frozen": ["convolutions"], "maximum": 8, "hidden": 16}
    (here / "all.yaml").write_text(yaml.safe_dump({**RECIPE, "name": "all", "params": {**params, "blocks": None}}))
    outcome = ran(settings, progress, f"hf:{small}", toy, "all.yaml", folds=["anna"])
    assert outcome.failed == {}
    (one,) = records(settings, f"hf:{architecture}")
    losses = [point.train_loss for point in one.selection.curve]
    assert min(losses) < losses[0] / 2
    assert one.downstream.parameters > 0
