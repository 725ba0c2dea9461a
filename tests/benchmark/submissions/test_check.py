"""The check of a pull request: honest results of every task pass, everything else is refused with its reason."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from submissions import hidden, results, with_id, write

from benchmark.metrics import METRICS
from benchmark.records import Record, sealed
from benchmark.records.file_format import SEAL
from benchmark.records.grouping import group
from benchmark.registry import known
from benchmark.statistics import cell_scores
from benchmark.submissions import check as module
from benchmark.submissions.check import Checker, Verdict
from benchmark.submissions.plausibility import agrees

NOW = datetime(2026, 1, 3, tzinfo=timezone.utc)
Content = dict[str, Any]
Change = Callable[[Content], None]


def check(path: Path, against: Path | None = None) -> Verdict:
    return Checker(against, NOW).check(path)


def refused(path: Path, reason: str, against: Path | None = None) -> None:
    verdict = check(path, against)
    assert not verdict.accepted
    assert any(reason in one for one in verdict.reasons), verdict.reasons
    assert verdict.score is None


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """A folder of results, which goes by this name."""
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def honest() -> Content:
    """The parsed file of an honest cell of the demo; copied before it is changed."""
    return as_content(hidden(results("demo")))


def as_content(records: list[Record]) -> Content:
    """A file in which nothing is shared by the units, so that each can be changed."""
    return {"common": {}, "units": [one.model_dump(mode="json") for one in records]}


def resealed(content: Any) -> Any:
    """With the digests that whoever changed a file would give its units."""
    if not (isinstance(content, dict) and isinstance(content.get("units"), list)):
        return content
    common = content.get("common") if isinstance(content.get("common"), dict) else {}

    def with_seal(unit: Any) -> Any:
        return {**unit, SEAL: sealed({**common, **unit})[SEAL]} if isinstance(unit, dict) else unit

    return {**content, "units": [with_seal(unit) for unit in content["units"]]}


def write_content(folder: Path, content: Content, name: str = "demo/logmel--superb.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(resealed(content)))
    return path


def changed(folder: Path, honest: Content, change: Change, units: slice | None = None) -> Path:
    """An honest file with every unit (or some) changed."""
    content = copy.deepcopy(honest)
    for unit in content["units"][units or slice(None)]:
        change(unit)
    return write_content(folder, content)


def put(*keys: str | int, value: object) -> Change:
    """Set `unit[a][b]...` to a value."""

    def change(unit: Content) -> None:
        part: Any = unit
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value

    return change


def selected(layers: int | None = 1, **parts: object) -> Change:
    """Say how the head was chosen."""
    part = {"on": "dev uar", "score": 0.5, "epoch": 3, "layer_weights": None, "chosen": {}, **parts}

    def change(unit: Content) -> None:
        unit["selection"] = part
        unit["upstream"]["layers"] = layers

    return change


@pytest.mark.parametrize("name", known.tasks().names())
def test_an_honest_result_of_any_task_passes(name: str, tmp_path: Path) -> None:
    """The folds are made by the code that makes them in a run, on utterances that fit what the task expects."""
    task = known.tasks().read(name)
    unknown = task.uses[-1].expect.speakers is None and task.folds.scheme == "official"
    records = results(name, unknown=unknown)
    verdict = check(write(tmp_path, hidden(records)), tmp_path)
    assert verdict.accepted, verdict.reasons
    assert (verdict.task, verdict.units) == (name, len(records))


def test_the_score_is_computed_again(tmp_path: Path) -> None:
    records = results("urdu")
    verdict = check(write(tmp_path, hidden(records)))
    total = [
        np.sum([list(one.by_speaker.values()) for one in records if one.seed == seed], axis=(0, 1)) for seed in range(5)
    ]
    scores = [float(METRICS["uar"].compute(counts)) for counts in total]
    assert verdict.score == pytest.approx(np.mean(scores))
    assert verdict.sd == pytest.approx(np.std(scores, ddof=1))
    assert verdict.score == cell_scores(group(records).cells[0], "uar").mean
    assert (verdict.system, verdict.metric, verdict.speakers, verdict.units) == ("logmel + superb", "uar", 29, 145)
    assert verdict.notes == (
        "nothing was found to compare it with: no published system of the task (no folder of them is given)",
    )
    assert verdict.compared == 0


def test_stated_scores_are_never_believed(honest: Content, tmp_path: Path) -> None:
    refused(changed(tmp_path, honest, put("metrics", "uar", value=0.999), slice(3, 4)), "metrics.uar is 0.999, but")


# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no JSON"),
        (b"\xff\xfe\x00", "it is no JSON"),
        (b"null", "no published cell"),
        (b"[]", "no published cell"),
        (b'{"common": {}, "units": []}', "at least one unit"),
        (b'{"common": {}, "units": {}}', "at least one unit"),
        (b'{"common": 1, "units": [{}]}', "an object that they share"),
        (b'{"common": {}, "units": [[]]}', "a unit is no object"),
        (b'{"common": {}, "units": [{}]}', "schema: None is not known"),
        (b'{"common": {"schema": 99}, "units": [{}]}', "schema: 99 is not known"),
        (b'{"common": {"schema": 2.0}, "units": [{}]}', "schema"),
        (b'{"common": {}, "common": {}, "units": [{}]}', "'common' is there twice"),
        (b'{"common": {"x": NaN}, "units": [{}]}', "NaN is no number"),
        (b'{"common": {"x": 1e400}, "units": [{}]}', "too large"),
        (b'{"common": {"x": 123456789012345678901}, "units": [{}]}', "whole number of 21 digits"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
        (b'{"common": {}, "units": [' + b"{}," * 20_000 + b"{}]}", "it has 20001 units"),
        (b'{"common": {"x": "' + b"a" * 2001 + b'"}, "units": [{}]}', "a text of 2001 characters"),
    ],
)
def test_a_file_that_is_no_cell_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "demo/logmel--superb.json"
    path.parent.mkdir()
    path.write_bytes(content)
    refused(path, reason)


def test_what_all_units_share_is_not_multiplied(honest: Content, tmp_path: Path) -> None:
    """A small file in which ten thousand units share a long list would cost their product."""
    content = {"common": {"x": [0] * 5000}, "units": [{"seed": 0}] * 10_000}
    refused(write_content(tmp_path, content), "it is too large: 10000 units, and what they share")


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "real/results", hidden(results("demo")))
    (tmp_path / "demo").mkdir()
    link = tmp_path / "demo" / path.name
    link.symlink_to(path)
    refused(link, "it is a link")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/demo").symlink_to(path.parent)
    refused(tmp_path / "linked/demo" / path.name, "it is a link")
    (tmp_path / "results").symlink_to(path.parent.parent)
    refused(tmp_path / "results/demo" / path.name, "it is a link")
    assert check(path).accepted


@pytest.mark.parametrize("name", ["demo/other.json", "urdu/logmel--superb.json", "logmel--superb.json"])
def test_a_file_lies_where_its_names_say(honest: Content, tmp_path: Path, name: str) -> None:
    refused(write_content(tmp_path, honest, name), "is the result of 'demo/logmel--superb.json', and must lie there")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "demo/none.json", "it cannot be read: No such file")
    refused(tmp_path, "it is no plain file")


def test_one_record_is_no_cell(tmp_path: Path) -> None:
    path = tmp_path / "demo/logmel--superb.json"
    path.parent.mkdir()
    path.write_text(results("demo")[0].model_dump_json())
    refused(path, "no published cell")


# -- what is in it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("seed", value="0"), "seed: "),
        (put("seed", value=True), "seed: "),
        (put("seed", value=None), "seed: "),
        (put("counts", value=[]), "counts: "),
        (put("by_speaker", value=[]), "by_speaker: "),
        (put("surprise", value=1), "surprise: "),
        (put("task", "pool", value="best"), "task.pool: "),
        (put("counts", "test", value=71), "counts.test is 71, but its statistics give 72"),
        (put("counts", "test", value=72.5), "counts.test: "),
        (put("counts", "train", value=-1), "counts.train is -1, which is too small"),
        (put("by_speaker", value={}), "who is not tested"),
        (put("cost", "fit_s", value=-1.0), "cost.fit_s is -1, which is too small"),
        (put("upstream", "parameters", value=10**18), "upstream.parameters is 1e+18, which is too large"),
        (put("upstream", "parameters", value=-5), "upstream.parameters is -5, which is too small"),
        (put("upstream", "sample_rate", value=0), "upstream.sample_rate is 0"),
        (put("upstream", "sample_rate", value=8000), "upstream.sample_rate is 8000, that of 'logmel' is 16000"),
        (put("upstream", "dim", value=81), "upstream.dim is 81, that of 'logmel' is 80"),
        (put("upstream", "trained_on", value=["demo"]), "upstream.trained_on is ['demo'], the registry knows []"),
        (put("downstream", "params", "hidden", value=512), "downstream.params.hidden is 512, in the recipe"),
        (put("downstream", "params", value={}), "downstream.params.hidden is None"),
        *(
            (put("provenance", "created", value=time), "which is no time as YYYY-MM-DDTHH:MM:SS+00:00")
            for time in (
                "yesterday",
                "2026-01-02",
                "20260102T030405Z",
                "2026-01-02T03:04:05",
                "2026-01-02T03:04:05Z",
                "2026-01-02T03:04:05+14:00",
                "2026-W01-5T03:04:05+00:00",
                "2026-02-30T03:04:05+00:00",
                "9999-99-99T99:99:99+00:00",
            )
        ),
        (put("upstream", "layers", value=10**18), "upstream.layers is 1e+18, which is too large"),
        (put("upstream", "dim", value=10**9), "upstream.dim is 1e+09, which is too large"),
        (put("downstream", "parameters", value=10**14), "downstream.parameters is 1e+14, which is too large"),
        (put("cost", "encode_s", value=1e308), "cost.encode_s is 1e+308, which is too large"),
        (put("cost", "encode_s", value=1e-300), "cost.encode_s is 1e-300, which is too small"),
        (put("cost", "fit_s", value=1e10), "cost.fit_s is 1e+10, which is too large"),
        (put("cost", "peak_bytes", value=2**60), "cost.peak_bytes is 1.153e+18, which is too large"),
        (put("cost", "audio_s", value=0.0), "cost.audio_s is 0, which is too small"),
        (put("cost", "audio_s", value=1e-308), "cost.audio_s is 1e-308, which is too small"),
        (put("cost", "audio_s", value=1e300), "cost.audio_s is 1e+300, which is too large"),
        (selected(layer_weights=[0.5, 0.5]), "selection.layer_weights are 2, of 1 layers"),
        (selected(layer_weights=[]), "selection.layer_weights are 0, of 1 layers"),
        (selected(layer_weights=[0.9]), "selection.layer_weights are not weights from 0 to 1 with the sum 1"),
        (selected(layer_weights=[1e308]), "selection.layer_weights are not weights"),
        (selected(2, layer_weights=[-1.0, 2.0]), "selection.layer_weights are not weights"),
        (selected(2, layer_weights=[1e308, 1e308]), "selection.layer_weights are not weights"),
        (selected(None, layer_weights=[1.0]), "selection.layer_weights are 1, of None layers"),
        (selected(score=-1e300), "selection.score is -1e+300, which is too large"),
        (selected(chosen={"C": 1e300}), "selection.chosen.C is 1e+300, which is too large"),
        (put("downstream", "stochastic", value=False), "downstream.stochastic is False, that of 'superb' is True"),
        (put("downstream", "needs", value="waveform"), "downstream.needs is 'waveform', that of 'superb' is 'mean'"),
        (put("downstream", "transductive", value=True), "downstream.transductive is True, that of 'superb' is False"),
        (put("provenance", "created", value="2026-01-05T00:00:00+00:00"), "which is in the future"),
        (put("provenance", "code_sha256", value="no"), "provenance.code_sha256 is 'no', which is no sha256"),
        (put("provenance", "packages", value={"numpy": "newest"}), "the version of 'numpy' is 'newest'"),
        (put("provenance", "git", value={"commit": "main", "dirty": False}), "provenance.git is "),
        (put("upstream", "weights_sha256", value="A" * 64), "upstream.weights_sha256 is "),
        (put("upstream", "sha256", value="e" * 63), "upstream.sha256 is "),
        (put("id", value="../../../x"), "id is '../../../x', which is not of 32"),
        (put("id", value="0" * 32), "is not that of its fold '0' and seed 0"),
        (put("protocol", value="modified"), "it is of a modified protocol"),
        (put("status", value="failed"), "failed, but has metrics or statistics"),
        (put("reason", value="none"), "failed"),
        (put("clusters", "salt", value="5a17" * 16), "has the salt that tells them"),
        (put("clusters", "gender", value={"0" * 16: "female"}), "who is not tested"),
        (put("primary", value="wa"), "primary is 'wa', that of the task 'demo' is 'uar'"),
        (put("task", "title", value="Mine"), "task.title is 'Mine'"),
        (put("task", "version", value=9), "task.version is 9"),
        (put("task", "dev", value="test"), "task.dev is 'test'"),
        (put("task", "downstream", value="svm"), "task.downstream is 'svm'"),
        (put("task", "speaker_independent", value=False), "task.speaker_independent is False"),
        (put("task", "corpus", "name", value="urdu"), "task.corpus.name is 'urdu'"),
        (put("task", "corpus", "utterances", value=289), "289 utterances instead of 288"),
        (put("task", "name", value="mine"), "the task 'mine' is not registered"),
        (put("task", "name", value="../../tasks/demo.yaml"), "the task '../../tasks/demo.yaml' is not registered"),
        (put("counts", "dev", value=7), "has 7 dev utterances, with the dev rule 'inner'"),
        (put("counts", "adapt", value=3), "has 3 utterances to adapt to, and the task has no target"),
        (put("counts", "train", value=100), "utterances in train, dev and test instead of 288"),
    ],
)
def test_what_cannot_be_is_refused(honest: Content, tmp_path: Path, change: Change, reason: str) -> None:
    refused(changed(tmp_path, honest, change), reason)


@pytest.mark.parametrize(
    ("task_keys", "value", "reason"),
    [
        (("sha256",), "a" * 64, "its protocol has the digest aaaaaaaaaaaa, that of the task 'demo' is"),
        (("corpus", "index_sha256"), "a" * 64, "the index of the corpus has the digest aaaaaaaaaaaa instead of"),
    ],
)
def test_another_protocol_or_corpus_is_refused(tmp_path: Path, task_keys: tuple, value: str, reason: str) -> None:
    """With ids that fit, as who makes it up would give them."""
    content = as_content(hidden(results("demo")))
    for unit in content["units"]:
        put("task", *task_keys, value=value)(unit)
        unit["id"] = with_id(Record.model_validate(unit)).id
    refused(write_content(tmp_path, content), reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<script>alert(1)</script>", "holds markup"),
        ("a\u202eb", "holds the character U+202E"),
        ("a\u0000b", "holds the character U+0000"),
        ("a\nb", "holds the character U+000A"),
        ("\ud800", "holds the character U+D800"),
        ("/etc/passwd", "looks like a path"),
        ("../../up", "upstream.name is '../../up', which is no plain name"),
        ("a/../b", "which is no plain name"),
        ("[x](javascript:y)", "which is no plain name"),
        ("=cmd", "which is no plain name"),
        ("x" * 201, "which is no plain name"),
        ("", "which is no plain name"),
    ],
)
def test_a_name_is_plain(honest: Content, tmp_path: Path, text: str, reason: str) -> None:
    content = copy.deepcopy(honest)
    for unit in content["units"]:
        unit["upstream"]["name"] = text
    name = f"demo/{module.published_path(Path(), 'demo', text, 'superb').name}"
    refused(write_content(tmp_path, content, name[:250]), reason)


@pytest.mark.parametrize("where", [("provenance", "platform"), ("cost", "device"), ("provenance", "command")])
def test_no_text_holds_markup_or_a_path(honest: Content, tmp_path: Path, where: tuple[str, str]) -> None:
    refused(changed(tmp_path, honest, put(*where, value="<img src=x>")), "holds markup")
    refused(changed(tmp_path, honest, put(*where, value="--data x=/home/me/x")), "looks like a path")


def test_the_text_of_a_key_is_checked_too(honest: Content, tmp_path: Path) -> None:
    refused(changed(tmp_path, honest, put("upstream", "params", value={"<b>": 1})), "holds markup")


@pytest.mark.parametrize("value", [-1.0, 0.5, 1e300, 2.0**60])
def test_decisions_are_counted_in_whole_utterances(honest: Content, tmp_path: Path, value: float) -> None:
    def change(unit: Content) -> None:
        next(iter(unit["by_speaker"].values()))[0][0] = value

    refused(changed(tmp_path, honest, change), "impossible numbers of utterances")


def test_statistics_of_nobody_are_refused(honest: Content, tmp_path: Path) -> None:
    def change(unit: Content) -> None:
        unit["by_speaker"], unit["clusters"]["gender"] = {}, {}

    refused(changed(tmp_path, honest, change), "has no test speaker")


def test_moments_that_no_numbers_have_are_refused(tmp_path: Path) -> None:
    content = as_content(hidden(results("msp-improv-dims")))
    name, values = next(iter(content["units"][0]["by_speaker"].items()))
    for index, value in ((0, -1.0), (3, 0.0), (5, 1e9)):
        tampered = copy.deepcopy(content)
        tampered["units"][0]["by_speaker"][name][0][index] = value
        reason = "impossible numbers of utterances" if index == 0 else "moments that no numbers have"
        refused(write_content(tmp_path, tampered, "msp-improv-dims/logmel--superb.json"), reason)
    assert len(values) == 3


def test_open_names_are_refused(tmp_path: Path) -> None:
    refused(write(tmp_path, results("demo")), "its speakers have open names: bench publish hides them")


def test_open_names_that_are_said_to_be_hidden_are_refused(honest: Content, tmp_path: Path) -> None:
    def change(unit: Content) -> None:
        unit["by_speaker"] = {f"F{number}": value for number, value in enumerate(unit["by_speaker"].values())}
        unit["clusters"]["gender"] = {}

    refused(changed(tmp_path, honest, change), "says that names are hidden, and has 'F0'")


def test_an_older_schema_cannot_be_submitted(tmp_path: Path) -> None:
    content = as_content(results("demo"))
    for unit in content["units"]:
        unit["schema"] = 1
        del unit["clusters"], unit["task"]["downstream"], unit["downstream"]["needs"]
        for part in ("upstream", "downstream"):
            del unit[part]["version"], unit["provenance"][part]
    refused(write_content(tmp_path, content), "it was recorded by an older version: bench run --rerun all")


# -- complete ---------------------------------------------------------------------------------------------------------


def test_every_fold_and_seed_is_there_once(honest: Content, tmp_path: Path) -> None:
    units = honest["units"]
    refused(write_content(tmp_path, {"common": {}, "units": units[1:]}), "1 of 12 units are missing, such as fold '0'")
    refused(write_content(tmp_path, {"common": {}, "units": [*units, units[4]]}), "fold '1', seed 1 is there 2 times")
    best = [{**unit, "seed": 0} for unit in units]
    refused(write_content(tmp_path, {"common": {}, "units": best}), "is not that of its fold")


def test_seeds_and_folds_are_those_of_the_task(honest: Content, tmp_path: Path) -> None:
    refused(changed(tmp_path, honest, put("task", "seeds", value=[0])), "task.seeds is [0], that of the task")
    refused(changed(tmp_path, honest, put("task", "folds", value=["0", "0", "1", "2"])), "names a fold twice")
    content = copy.deepcopy(honest)
    for unit in content["units"]:
        unit["seed"] += 100
        unit["id"] = with_id(Record.model_validate(unit)).id
    refused(write_content(tmp_path, content), "seed 100 is not of the task 'demo'")


def test_a_fold_of_another_name_is_refused(tmp_path: Path) -> None:
    content = as_content(hidden(results("demo")))
    for unit in content["units"]:
        unit["task"]["folds"][0] = "x"
        unit["fold"] = "x" if unit["fold"] == "0" else unit["fold"]
        unit["id"] = with_id(Record.model_validate(unit)).id
    refused(write_content(tmp_path, content), "task.folds are ['x', '1', '2', '3'], those of the task 'demo' are")


def test_the_units_are_of_one_cell(honest: Content, tmp_path: Path) -> None:
    refused(changed(tmp_path, honest, put("upstream", "sha256", value="7" * 64), slice(5, 6)), "differ in upstream")
    refused(changed(tmp_path, honest, put("downstream", "sha256", value="7" * 64), slice(1)), "differ in downstream")
    refused(changed(tmp_path, honest, put("task", "folds_sha256", value="7" * 64), slice(1)), "differ in task")


# -- the protocol -----------------------------------------------------------------------------------------------------


def rebuilt(
    name: str, change: Callable[[dict[str, np.ndarray], Record], dict[str, np.ndarray]], **more
) -> list[Record]:
    """An honest cell with the statistics of every unit changed, and counts and metrics that agree with them."""
    records = []
    for one in results(name, **more):
        found = change({key: np.array(values) for key, values in one.by_speaker.items()}, one)
        kind = one.task.statistics
        total = kind.total(found.values())
        counts = one.counts.model_copy(
            update={
                "test": int(kind.utterances(total)),
                "test_speakers": len(found) if one.clusters.unit == "speaker" else 0,
                "per_class": kind.per_class(total, one.task.outputs),
            }
        )
        fitted = max(1, one.counts.train + one.counts.test - counts.test)
        update = {
            "by_speaker": {key: values.tolist() for key, values in found.items()},
            "counts": counts.model_copy(update={"train": fitted}),
            "metrics": {metric: float(METRICS[metric].compute(total)) for metric in one.task.metrics},
            "clusters": one.clusters.model_copy(update={"gender": {}}),
        }
        records.append(one.model_copy(update=update))
    return records


def one_more(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
    next(iter(found.values()))[0, 0] += 1
    return found


def moved_to_another_class(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
    values = next(iter(found.values()))
    values[0] += values[1]
    values[1] = 0
    return found


def joined(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
    return {next(iter(found)): np.sum(list(found.values()), axis=0)}


def split(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
    """A speaker becomes two."""
    name, values = next(iter(found.items()))
    part = np.zeros_like(values)
    row, column = np.argwhere(values)[0]
    part[row, column] = 1
    return {**found, name: values - part, f"{name}-b": part}


@pytest.mark.parametrize(
    ("task", "change", "reason"),
    [
        ("demo", one_more, "all folds together test 292 utterances instead of 288"),
        ("demo", moved_to_another_class, "angry instead of 72"),
        ("demo", joined, "fold '0' tests 1 speakers instead of 3"),
        ("demo", split, "fold '0' tests 4 speakers instead of 3"),
        ("urdu", one_more, "all folds together test 429 utterances instead of 400"),
        ("urdu", split, "is not named after the one speaker that it tests"),
        ("urdu-random", one_more, "fold '0' tests 41 utterances instead of 40"),
        ("ravdess", split, "fold '1' tests 5 speakers instead of 4"),
        ("ravdess-to-urdu", one_more, "all folds together test 405 utterances instead of 400"),
        ("iemocap", split, "all folds together test 15 speakers instead of 10"),
    ],
)
def test_statistics_are_those_of_the_protocol(task: str, change: Callable, reason: str, tmp_path: Path) -> None:
    refused(write(tmp_path, hidden(rebuilt(task, change))), reason)


def test_an_official_split_tests_no_more_than_there_is(tmp_path: Path) -> None:
    def many(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
        return {name: values * 50 for name, values in found.items()}

    refused(write(tmp_path, hidden(rebuilt("resd", many, unknown=True))), "utterances instead of at most 1396")


def test_a_speaker_is_tested_in_one_fold(tmp_path: Path) -> None:
    def first(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
        return {f"s{number:03d}": values for number, values in enumerate(found.values())}

    refused(write(tmp_path, hidden(rebuilt("demo", first))), "is tested in 4 folds")


def test_known_speakers_are_not_grouped_by_utterances(tmp_path: Path) -> None:
    records = []
    for one in hidden(results("demo")):
        clusters = one.clusters.model_copy(update={"unit": "utterance", "gender": {}})
        counts = one.counts.model_copy(update={"test_speakers": 0})
        records.append(one.model_copy(update={"clusters": clusters, "counts": counts}))
    refused(write(tmp_path, records), "it knows no speakers, and the task 'demo' has 12")


def test_seeds_of_a_fold_were_tested_on_the_same_utterances(tmp_path: Path) -> None:
    def swapped(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
        if one.seed != 1:
            return found
        first, second, *_ = found
        found[first][0, 0], found[second][0, 0] = found[first][0, 0] + 1, found[second][0, 0] - 1
        return found

    refused(write(tmp_path, hidden(rebuilt("demo", swapped, correct=1.0))), "were not tested on the same utterances")


# -- the published results --------------------------------------------------------------------------------------------


def test_the_truth_is_that_of_the_published_systems(tmp_path: Path) -> None:
    write(tmp_path, hidden(results("demo", "mfcc", tag=1)))
    mine = write(tmp_path, hidden(results("demo")))
    assert check(mine, tmp_path).compared == 1
    assert check(mine, tmp_path).notes == ("tested on the same utterances as 1 published systems",)

    def moved(found: dict[str, np.ndarray], one: Record) -> dict[str, np.ndarray]:
        first, second, *_ = found
        found[first][0, 0], found[second][0, 0] = found[first][0, 0] + 1, found[second][0, 0] - 1
        return found

    mine = write(tmp_path, hidden(rebuilt("demo", moved, correct=1.0)))
    assert check(mine).accepted
    refused(mine, "were not tested on the same utterances of demo", tmp_path)


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    mine = write(tmp_path, hidden(results("demo")))
    write(tmp_path, results("demo", "mfcc"))
    (tmp_path / "demo/broken.json").write_text("{")
    other = [
        one.model_copy(update={"task": one.task.model_copy(update={"folds_sha256": "7" * 64})})
        for one in hidden(results("demo", "egemaps"))
    ]
    write(tmp_path, other)
    verdict = check(mine, tmp_path)
    assert verdict.accepted
    assert [note.partition(":")[0] for note in verdict.notes] == [
        "not compared with broken.json",
        "not compared with egemaps--superb.json",
        "not compared with mfcc--superb.json",
        "nothing was found to compare it with",
    ]


@pytest.mark.parametrize("digest", ["f" * 64, "8" * 64])
def test_a_head_is_what_it_is_in_published_results(tmp_path: Path, digest: str) -> None:
    """Who says that the head ignores the seed could choose the best one; another digest makes no other head."""

    def with_head(records: list[Record], **changes: object) -> list[Record]:
        head = records[0].downstream.model_copy(update={"name": "my-head", **changes})
        return [with_id(one.model_copy(update={"downstream": head})) for one in records]

    write(tmp_path, hidden(with_head(results("demo", "mfcc"))))
    records = hidden(with_head(results("demo"), stochastic=False, sha256=digest))
    mine = write(tmp_path, [one for one in records if one.seed == 0])
    refused(mine, "says other things of the same head 'my-head'", tmp_path)
    assert check(mine).accepted
    mine = write(tmp_path, hidden(with_head(results("demo"), sha256=digest)))
    assert check(mine, tmp_path).accepted


def test_a_recorded_parameter_is_that_of_the_recipe_or_of_the_class() -> None:
    assert agrees({"C": [1], "gamma": []}, {"C": [1], "gamma": []})
    assert agrees({"C": [1]}, {"C": [1], "gamma": []})
    assert not agrees({"C": [1], "gamma": ["auto"]}, {"C": [1], "gamma": []})
    assert not agrees({"C": [1], "delta": []}, {"C": [1], "gamma": []})
    assert not agrees({}, {"C": [1]})
    assert not agrees(True, 1)
    assert not agrees(1, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("upstream", "version", value="2"), "upstream.version is '2', that of 'logmel' is '1'"),
        (put("upstream", "version", value="undeclared"), "upstream.version is 'undeclared', that of 'logmel' is '1'"),
        (put("downstream", "version", value="9"), "downstream.version is '9', that of 'superb' is '2'"),
        (put("downstream", "params", "hidden_", value=3), "downstream.params.hidden_ is no parameter of 'superb'"),
    ],
)
def test_another_version_or_parameter_than_the_registered_one_is_refused(
    honest: Content, tmp_path: Path, change: Change, reason: str
) -> None:
    refused(changed(tmp_path, honest, change), reason)


def replaced_task(records: list[Record], **changes: object) -> list[Record]:
    """The records with other facts of their task, and ids that fit; `corpus__x` is of the corpus."""
    task = records[0].task
    of_corpus = {key.removeprefix("corpus__"): value for key, value in changes.items() if key.startswith("corpus__")}
    of_task = {key: value for key, value in changes.items() if not key.startswith("corpus__")}
    task = task.model_copy(update={**of_task, "corpus": task.corpus.model_copy(update=of_corpus)})
    changed_records = [one.model_copy(update={"task": task}) for one in records]
    return changed_records if records[0].clusters.folds else [with_id(one) for one in changed_records]


@pytest.mark.parametrize(
    "change", [{"corpus__audio_sha256": "7" * 64}, {"corpus__index_sha256": "7" * 64}, {"folds_sha256": "7" * 64}]
)
def test_other_recordings_or_folds_of_the_same_protocol_are_refused(tmp_path: Path, change: dict) -> None:
    """They would be the newest protocol of the task, and supersede every published row."""
    write(tmp_path, hidden(results("urdu", "mfcc")))
    mine = write(tmp_path, replaced_task(hidden(results("urdu")), **change))
    if "corpus__index_sha256" not in change:
        assert check(mine).accepted
        refused(mine, "other recordings or folds than the published results of the same protocol", tmp_path)
    else:
        refused(mine, "the index of the corpus has the digest", tmp_path)
    write(tmp_path, replaced_task(hidden(results("urdu", "egemaps")), **change))
    assert check(mine, tmp_path).accepted == ("corpus__index_sha256" not in change)


def test_folds_are_those_of_published_results(tmp_path: Path) -> None:
    write(tmp_path, hidden(results("urdu", "mfcc")))
    honest = hidden(results("urdu"))
    mine = write(tmp_path, replaced_task(honest, folds=honest[0].task.folds[::-1]))
    refused(mine, "task.folds are not sorted", tmp_path)
    other = {name: f"{number:016x}" for number, name in enumerate(honest[0].task.folds)}
    renamed = [
        one.model_copy(
            update={
                "fold": other[one.fold],
                "by_speaker": {other[name]: values for name, values in one.by_speaker.items()},
                "clusters": one.clusters.model_copy(
                    update={"gender": {other[name]: gender for name, gender in one.clusters.gender.items()}}
                ),
            }
        )
        for one in replaced_task(honest, folds=sorted(other.values()))
    ]
    mine = write(tmp_path, renamed)
    assert check(mine).accepted
    refused(mine, "task.folds differs from that of the published mfcc--superb.json", tmp_path)
    corpus = honest[0].task.corpus
    mine = write(tmp_path, replaced_task(honest, corpus__synthetic=not corpus.synthetic))
    refused(mine, "task.corpus differs from that of the published mfcc--superb.json", tmp_path)


def test_a_file_is_compared_only_where_folds_overlap(tmp_path: Path) -> None:
    other = hidden(results("demo", "mfcc"))
    failed = [
        one.model_copy(update={"status": "failed", "metrics": {}, "by_speaker": {}, "clusters": clusters})
        for one in other
        for clusters in [one.clusters.model_copy(update={"gender": {}})]
    ]
    write(tmp_path, failed)
    verdict = check(write(tmp_path, hidden(results("demo"))), tmp_path)
    assert "not compared with mfcc--superb.json: none of its units is completed" in verdict.notes
    assert any(note.startswith("nothing was found to compare it with") for note in verdict.notes)


def test_genders_and_clusters_are_those_of_published_results(tmp_path: Path) -> None:
    def swapped(one: Record) -> Record:
        genders = dict.fromkeys(one.clusters.gender, "male")
        return one.model_copy(update={"clusters": one.clusters.model_copy(update={"gender": genders})})

    write(tmp_path, hidden(results("urdu", "mfcc")))
    mine = write(tmp_path, [swapped(one) for one in hidden(results("urdu"))])
    assert check(mine).accepted
    refused(mine, "are not those of the published mfcc--superb.json", tmp_path)
    none = [
        one.model_copy(update={"clusters": one.clusters.model_copy(update={"gender": {}})}) for one in results("urdu")
    ]
    verdict = check(write(tmp_path, hidden(none)), tmp_path)
    assert "it says no gender, and mfcc--superb.json does" in verdict.notes


def test_the_unit_of_clusters_is_that_of_published_results(tmp_path: Path) -> None:
    records = hidden(results("resd", unknown=True))
    write(tmp_path, hidden(results("resd", "mfcc", unknown=True)))
    other = [
        one.model_copy(
            update={
                "clusters": one.clusters.model_copy(update={"unit": "speaker"}),
                "counts": one.counts.model_copy(update={"test_speakers": len(one.by_speaker)}),
            }
        )
        for one in records
    ]
    mine = write(tmp_path, other)
    assert check(mine).accepted
    refused(mine, "clusters.unit differs from that of the published mfcc--superb.json", tmp_path)


# -- where it lies and what it is called ------------------------------------------------------------------------------


def test_a_file_lies_in_the_folder_of_results(tmp_path: Path) -> None:
    """Everything below the folder is read: a file in a folder of its own would be on the board all the same."""
    root = tmp_path.parent / "leaderboard/results"
    for inside in ("evil", "results", "a/results"):
        refused(write(root / inside, hidden(results("demo"))), "results are in leaderboard/results", root)
        refused(write(root / inside, hidden(results("demo"))), "results are in leaderboard/results")
    mine = tmp_path.parent / "mine"
    refused(write(mine / "results", hidden(results("demo"))), "it lies in the folder 'results': results are in", mine)
    refused(write(mine, hidden(results("demo"))), "it lies in the folder 'mine': results are in")
    assert check(write(mine, hidden(results("demo"))), mine).accepted
    assert check(write(root, hidden(results("demo"))), tmp_path).accepted
    assert check(write(root, hidden(results("demo"))), root).accepted


@pytest.mark.parametrize("name", ["Logmel", "LOGMEL", "logmel.", "logmel..", "logmel.+mfcc", "mfcc+Egemaps", "HF:a/b"])
def test_a_name_that_can_be_taken_for_a_registered_one_is_refused(tmp_path: Path, name: str) -> None:
    refused(write(tmp_path, hidden(results("demo", name))), "which can be taken for")


@pytest.mark.parametrize("name", ["logmel2", "logmel+mfcc", "my.logmel", "logmel@last", "hf:LOGMEL/x"])
def test_other_names_are_free(tmp_path: Path, name: str) -> None:
    reasons = check(write(tmp_path, hidden(results("demo", name)))).reasons
    assert not any("taken for" in one for one in reasons)


@pytest.mark.parametrize("name", ["Ours", "ours."])
def test_a_name_that_can_be_taken_for_a_published_one_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a/results", hidden(results("demo", "ours")))
    mine = write(tmp_path / "b/results", hidden(results("demo", name)))
    assert check(mine).accepted
    refused(mine, "can be taken for the published ours", tmp_path / "a/results")
    (tmp_path / "a/results/demo/ours--superb.json").write_text("{")  # what it holds is not known
    assert check(mine, tmp_path / "a/results").accepted == (name == "ours.")


def test_a_file_that_replaces_another_says_so(tmp_path: Path) -> None:
    before, after = tmp_path / "before/results", tmp_path / "after/results"
    write(before, hidden(results("demo")))

    def replaced(path: Path, against: Path) -> list[str]:
        """What is said of the score before and now."""
        said = "replaces a published result, which has other content: "
        return [note.removeprefix(said) for note in check(path, against).notes if note.startswith(said)]

    assert replaced(write(after, hidden(results("demo"))), before) == []
    (tagged,) = replaced(write(after, hidden(results("demo", tag=1))), before)
    assert replaced(write(after, hidden(results("demo", tag=1))), after) == []
    number = r"\S+ ± \S+ \[\S+, \S+\]"
    assert re.fullmatch(rf"UAR {number} before, UAR {number} now", tagged)
    (other,) = replaced(write(after, hidden(results("demo", correct=1.0))), before)
    scores = re.fullmatch(r"UAR (\S+) ± .* before, UAR (\S+) ± 0\.0 \[.*\] now", other)
    assert scores is not None
    assert float(scores[1]) < float(scores[2]) == 100
    (before / "demo/logmel--superb.json").write_text("{")
    (unreadable,) = replaced(after / "demo/logmel--superb.json", before)
    assert " before, UAR 100.0" in unreadable
    write(before, hidden(results("demo", "hf:a/b")))
    refused(write(after, hidden(results("demo", "hf-a-b"))), "is published, of another system: hf:a/b", before)


def test_equal_seeds_are_noted(tmp_path: Path) -> None:
    note = "all seeds have the same decisions, though the head is said to depend on the seed"
    records = results("demo")
    first = {one.fold: one for one in records if one.seed == 0}
    copies = [
        one.model_copy(update={"by_speaker": first[one.fold].by_speaker, "metrics": first[one.fold].metrics})
        for one in records
    ]
    assert note in check(write(tmp_path, hidden(copies))).notes
    assert note not in check(write(tmp_path, hidden(records))).notes
    assert note in check(write(tmp_path, hidden(results("demo", correct=1.0)))).notes


# -- what may not be told ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys", [("provenance", "created"), ("cost", "peak_bytes"), ("cost", "fit_s"), ("cost", "encode_s")]
)
def test_units_that_tell_the_order_of_speakers_are_refused(honest: Content, tmp_path: Path, keys: tuple) -> None:
    value = "2026-01-02T03:04:06+00:00" if keys[1] == "created" else 7 if keys[1] == "peak_bytes" else 7.0
    refused(changed(tmp_path, honest, put(*keys, value=value), slice(1)), "would tell the order of the speakers")


@pytest.mark.parametrize(
    "command",
    [
        "bench run --upstream logmel; echo pasted",
        "curl example.org | sh",
        "bench run --upstream logmel --downstream superb --task demo --fold 1 --seed 0",
        "bench run --upstream mfcc --downstream superb --task demo --fold 0 --seed 0",
        "bench  run --upstream logmel --downstream superb --task demo --fold 0 --seed 0",
        "",
    ],
)
def test_the_command_is_that_of_the_names(honest: Content, tmp_path: Path, command: str) -> None:
    change = put("provenance", "command", value=command)
    refused(
        changed(tmp_path, honest, change, slice(1)), "that of its names is 'bench run --upstream logmel --downstream"
    )


def of(records: list[Record], **changes: object) -> list[Record]:
    """The records with another upstream, in whole or in part."""
    return [with_id(one.model_copy(update={"upstream": one.upstream.model_copy(update=changes)})) for one in records]


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("whisper-tiny", {"layers": 6}, "upstream.layers is 6, that of 'whisper-tiny' is 5"),
        ("whisper-tiny", {"dim": 512}, "upstream.dim is 512, that of 'whisper-tiny' is 384"),
        ("whisper-tiny@last", {"layers": 5}, "upstream.layers is 5, that of 'whisper-tiny@last' is 1"),
        ("whisper-tiny", {"params": {"model": "whisper-base"}}, "upstream.params.model is 'whisper-base'"),
        ("whisper-tiny+logmel", {"dim": 384}, "upstream.dim is 384, that of 'whisper-tiny+logmel' is 464"),
        ("logmel", {"sample_rate": 8000}, "upstream.sample_rate is 8000, that of 'logmel' is 16000"),
    ],
)
def test_an_upstream_is_what_its_name_says(tmp_path: Path, name: str, changes: dict, reason: str) -> None:
    version = {"version": "+".join("1" * (1 + name.count("+")))}
    assert check(write(tmp_path, hidden(of(results("demo", name), **version)))).accepted
    refused(write(tmp_path, hidden(of(results("demo", name), **version, **changes))), reason)


@pytest.mark.parametrize(
    "name", ["whisper-tiny@99", "logmel@3", "whisper-tiny@mean-last-9", "whisper-tiny+hubert-base"]
)
def test_a_layer_that_does_not_exist_is_refused(tmp_path: Path, name: str) -> None:
    refused(write(tmp_path, hidden(of(results("demo"), name=name))), "the upstream cannot be: ")


def test_of_the_same_weights_the_same_is_said_on_every_task(tmp_path: Path) -> None:
    tiny = {"weights_sha256": "e" * 64, "parameters": 8_208_384}
    write(tmp_path, hidden(of(results("urdu", "whisper-tiny"), **tiny)))
    mine = write(tmp_path, hidden(of(results("demo", "whisper-tiny"), **tiny)))
    assert check(mine, tmp_path).accepted
    wrong = {**tiny, "parameters": 8_208_385}
    refused(write(tmp_path, hidden(of(results("demo", "whisper-tiny"), **wrong))), "in the published urdu/", tmp_path)
    other = {**tiny, "weights_sha256": "d" * 64}
    verdict = check(write(tmp_path, hidden(of(results("demo", "whisper-tiny"), **other))), tmp_path)
    assert any("its weights are not those of the published" in note for note in verdict.notes)


def moved(records: list[Record], decisions: int) -> list[Record]:
    """The records, so many decisions of the first speaker counted otherwise."""
    first = records[0]
    name, counts = next(iter(first.by_speaker.items()))
    table = np.array(counts)
    for _ in range(decisions):
        row, column = np.argwhere(table > 0)[0]
        table[row, column] -= 1
        table[row, (column + 1) % len(table)] += 1
    by_speaker = {**first.by_speaker, name: table.tolist()}
    total = np.sum(list(by_speaker.values()), axis=0)
    metrics = {metric: float(METRICS[metric].compute(total)) for metric in first.metrics}
    return [first.model_copy(update={"by_speaker": by_speaker, "metrics": metrics}), *records[1:]]


@pytest.mark.parametrize(("decisions", "noted"), [(0, True), (1, True), (2, True), (40, False)])
def test_one_system_under_two_names_is_noted(tmp_path: Path, decisions: int, noted: bool) -> None:
    write(tmp_path, hidden(results("demo", "mfcc")))
    verdict = check(write(tmp_path, hidden(moved(results("demo", "my-own"), decisions))), tmp_path)
    assert verdict.accepted
    assert any("one system under two names?" in note for note in verdict.notes) == noted
    own = check(write(tmp_path, hidden(results("demo", "my-own", tag=1))), tmp_path)
    assert not any("one system under two names?" in note for note in own.notes)


def test_values_that_are_those_of_another_system_are_noted(tmp_path: Path) -> None:
    task = next(name for name in known.tasks().names() if known.tasks().read(name).kind == "regression")
    write(tmp_path, hidden(results(task, "mfcc")))
    for tag, noted in ((0, True), (1, False)):
        verdict = check(write(tmp_path, hidden(results(task, "my-own", tag=tag))), tmp_path)
        assert any("one system under two names?" in note for note in verdict.notes) == noted


def test_seeds_of_which_one_count_was_changed_are_noted(tmp_path: Path) -> None:
    records = results("demo")
    first = {one.fold: one for one in records if one.seed == 0}
    copies = [
        one.model_copy(update={"by_speaker": first[one.fold].by_speaker, "metrics": first[one.fold].metrics})
        for one in records
    ]
    notes = check(write(tmp_path, hidden(moved(copies, 1)))).notes
    assert any("seeds 0 and 1 have the same decisions but 1 of" in note for note in notes)
    assert not any("have the same decisions" in note for note in check(write(tmp_path, hidden(records))).notes)


def test_what_asks_for_a_second_look_is_noted(tmp_path: Path) -> None:
    def noted(text: str, **changes: dict) -> bool:
        records = [
            with_id(
                one.model_copy(
                    update={key: getattr(one, key).model_copy(update=value) for key, value in changes.items()}
                )
            )
            for one in results("demo", "whisper-tiny")
        ]
        if not records[0].downstream.stochastic:
            records = [one for one in records if one.seed == 0]
        verdict = check(write(tmp_path, hidden(records)))
        assert verdict.accepted, verdict.reasons
        return any(text in note for note in verdict.notes)

    dirty = {"git": {"commit": "1" * 40, "dirty": True}}
    assert noted("changes that are in no commit", provenance=dirty)
    assert not noted("changes that are in no commit")
    head = {"name": "my-head", "stochastic": False}
    assert noted("not the best of several", downstream=head)
    assert not noted("not the best of several", downstream={"name": "my-head"})
    assert noted("faster than any machine", cost={"encode_s": 1e-5})
    assert not noted("faster than any machine", cost={"encode_s": 1.0})
    assert noted("cost.fit_s is 0", cost={"fit_s": 0.0})


@pytest.mark.parametrize(("parameters", "noted"), [(8_208_384, False), (1, True), (10**9, True)])
def test_a_number_of_weights_that_no_such_model_has_is_noted(tmp_path: Path, parameters: int, noted: bool) -> None:
    verdict = check(write(tmp_path, hidden(of(results("demo", "whisper-tiny"), parameters=parameters))))
    assert any("upstream.parameters is" in note for note in verdict.notes) == noted


@pytest.mark.parametrize(("epoch", "reason"), [(41, "ends at 40"), (-1, "selection.epoch is -1")])
def test_an_epoch_that_the_recipe_does_not_have_is_refused(
    honest: Content, tmp_path: Path, epoch: int, reason: str
) -> None:
    refused(changed(tmp_path, honest, selected(epoch=epoch)), reason)


def test_what_was_made_before_the_benchmark_is_refused(honest: Content, tmp_path: Path) -> None:
    refused(
        changed(tmp_path, honest, put("provenance", "created", value="1999-01-01T00:00:00+00:00")), "before there was"
    )


def test_genders_that_name_a_person_are_refused(tmp_path: Path) -> None:
    records = hidden(results("iemocap"))
    assert check(write(tmp_path, records)).accepted
    told = [
        one.model_copy(
            update={
                "clusters": one.clusters.model_copy(
                    update={"gender": dict(zip(one.by_speaker, ("female", "male"), strict=True))}
                )
            }
        )
        for one in records
    ]
    refused(write(tmp_path, told), "is that of one person: bench publish leaves all of them out")


def test_what_the_registry_knows_of_weights_is_believed(tmp_path: Path) -> None:
    mine = write(tmp_path, hidden(results("demo", "audeering-dim")))
    refused(mine, "upstream.trained_on is [], the registry knows ['msp-podcast']")
    told = [
        one.model_copy(update={"upstream": one.upstream.model_copy(update={"trained_on": ["msp-podcast"]})})
        for one in hidden(results("demo", "audeering-dim"))
    ]
    assert check(write(tmp_path, told)).accepted


@pytest.mark.parametrize(
    ("name", "heard", "accepted"),
    [
        ("pretrained:mine", ["demo"], True),
        ("pretrained:mine", [], True),
        ("pretrained:mine", ["no-corpus"], False),
        ("emotion2vec:mine", ["iemocap", "meld", "cmu-mosei", "msp-podcast", "demo"], True),
        ("emotion2vec:mine", ["demo"], False),
    ],
)
def test_weights_in_a_folder_may_have_heard_more_than_is_known(
    name: str, heard: list[str], accepted: bool, tmp_path: Path
) -> None:
    told = [
        one.model_copy(update={"upstream": one.upstream.model_copy(update={"trained_on": heard})})
        for one in hidden(results("demo", name))
    ]
    verdict = check(write(tmp_path, told))
    assert any("trained_on" in reason for reason in verdict.reasons) is not accepted


def test_unknown_systems_are_noted(tmp_path: Path) -> None:
    verdict = check(write(tmp_path, hidden(results("demo", "my-own"))))
    assert verdict.accepted
    assert "the upstream 'my-own' is not registered: nothing is known of it" in verdict.notes


def test_a_pinned_revision_is_noted(tmp_path: Path) -> None:
    verdict = check(write(tmp_path, hidden(results("demo", "whisper-tiny"))))
    assert any("the registry pins the revision" in note for note in verdict.notes)


def test_a_day_of_the_future_is_another_clock(tmp_path: Path) -> None:
    path = write(tmp_path, hidden(results("demo")))
    created = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert Checker(None, created - timedelta(hours=23)).check(path).accepted
    assert not Checker(None, created - timedelta(hours=25)).check(path).accepted


def test_reasons_are_listed_once_and_not_without_end(honest: Content, tmp_path: Path) -> None:
    verdict = check(
        changed(tmp_path, honest, put("provenance", "packages", value=dict.fromkeys(map(str, range(50)), "x")))
    )
    assert len(verdict.reasons) == module.MAX_REASONS
    assert len(set(verdict.reasons)) == len(verdict.reasons)


def test_checking_needs_no_torch(tmp_path: Path) -> None:
    """Nor scikit-learn: what a head says of itself is read from its source."""
    import subprocess
    import sys

    code = "import sys\nfrom benchmark.submissions.check import Checker\nfrom pathlib import Path\n"
    code += "verdict = Checker().check(Path(sys.argv[1]))\nassert verdict.accepted, verdict.reasons\n"
    code += "assert not {'torch', 'sklearn', 'transformers'} & set(sys.modules)"
    path = write(tmp_path, hidden(results("demo")))
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
