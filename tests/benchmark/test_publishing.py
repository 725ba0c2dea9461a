"""Published files: no name of a speaker, no salt, no path; what was written is what is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from records_factory import cell, record
from submissions import SALT, results

from benchmark.cells import Cell, group
from benchmark.errors import BenchError
from benchmark.plan import Request
from benchmark.records import Record, RecordStore, read_file
from benchmark.records.salting import pseudonym, salted
from benchmark.registry import Registry
from benchmark.run import run
from benchmark.settings import load_settings
from benchmark.submissions import publishing
from benchmark.submissions.publishing import publish, publishable, published_path

SPEAKERS = ("anna", "bert", "cleo", "dora")


def only(records: list[Record]) -> Cell:
    (found,) = group(records).cells
    return found


def test_the_name_of_a_speaker_becomes_a_keyed_digest() -> None:
    """Computed independently: printf anna | openssl dgst -sha256 -hmac key."""
    assert pseudonym("key", "anna") == "d27d461c645c7ca8"
    assert pseudonym("key", "anna") != pseudonym("other", "anna")
    assert pseudonym("key", "unknown") == "unknown"


def test_a_published_file_tells_no_speaker_and_no_salt(toy_task, plugin, settings, progress, tmp_path) -> None:
    """From a real run: folds are named after speakers, and commands and ids after folds."""
    request = Request(["spectrum"], [str(toy_task)], ["nearest"])
    run(request, Registry([str(plugin)]), settings, progress, "cpu")
    local = list(RecordStore(settings.results))
    (salt,) = {one.clusters.salt for one in local}
    assert salt is not None
    assert re.fullmatch("[0-9a-f]{64}", salt)
    path = publish(only(local), tmp_path)
    content = path.read_bytes()
    for secret in (*SPEAKERS, salt, str(settings.data["toy"]), str(tmp_path), *(one.id for one in local)):
        assert secret.encode() not in content
    shared = read_file(path)
    assert [one.clusters.model_dump() for one in shared] == [
        {"unit": "speaker", "salt": None, "salted": True, "folds": True, "gender": {one.fold: "female"}}
        for one in shared
    ]
    assert {one.fold for one in shared} == {pseudonym(salt, name) for name in SPEAKERS}
    assert shared[0].task.folds == sorted(shared[0].task.folds)
    assert {one.metrics["uar"] for one in shared} == {one.metrics["uar"] for one in local}
    assert (only(shared).statistics() == only(local).statistics()).all()
    assert not list(tmp_path.rglob("*.csv"))


def test_a_run_records_what_the_board_needs_to_know(toy_task, plugin, settings, progress) -> None:
    run(Request(["spectrum"], [str(toy_task)], ["nearest"]), Registry([str(plugin)]), settings, progress, "cpu")
    (found,) = group(RecordStore(settings.results)).cells
    assert (found.task.downstream, found.downstream.needs, found.track) == ("svm", "mean", "open head")
    assert set(found.gender.values()) == {"female"}
    assert found.gender.keys() == set(found.speakers)


def test_a_run_on_a_corpus_without_speakers_keeps_groups(own_toy_corpus, toy_task, plugin, progress) -> None:
    index = own_toy_corpus / "index.csv"
    for name in SPEAKERS:
        index.write_text(index.read_text().replace(f",{name},", ",,"))
    text = toy_task.read_text().replace("speaker_independent: true", "speaker_independent: false")
    text = re.sub(r"folds:\n  group: speaker\n  scheme: .*", "folds:\n  scheme: random-k-fold\n  k: 4", text)
    toy_task.write_text(text.replace("speakers: 4", "speakers: 0"))
    settings = load_settings([f"toy={own_toy_corpus}"])
    run(Request(["spectrum"], [str(toy_task)], ["nearest"]), Registry([str(plugin)]), settings, progress, "cpu")
    (found,) = group(RecordStore(settings.results)).cells
    assert (found.unit, found.flags(), found.gender) == ("utterance", ["speaker-dependent", "no speakers"], {})
    assert found.speakers == tuple(sorted(found.speakers))
    assert len(found.speakers) == 2
    assert found.statistics().sum() == 2 * 40
    local = next(iter(RecordStore(settings.results)))
    assert (sorted(local.by_speaker), local.counts.test_speakers) == (["utterances-000", "utterances-001"], 0)


def test_systems_of_a_task_still_match() -> None:
    one, other = (group(results("demo", name)).cells[0] for name in ("logmel", "mfcc"))
    assert publishable(one)[0].by_speaker.keys() == publishable(other)[0].by_speaker.keys()


def test_groups_of_utterances_are_hidden_too() -> None:
    for one in publishable(only(results("resd", unknown=True))):
        assert all(re.fullmatch("[0-9a-f]{16}", name) for name in one.by_speaker)
        assert (one.clusters.unit, one.counts.test_speakers) == ("utterance", 0)


def test_the_gender_goes_with_the_hidden_name() -> None:
    local = results("demo")
    shared = [salted(one) for one in local]
    told = {pseudonym(SALT, name): "female" for one in local for name in one.clusters.gender}
    assert only(shared).gender == told
    assert list(shared[0].by_speaker) == sorted(shared[0].by_speaker)


def test_folds_that_a_protocol_names_stay_as_they_are() -> None:
    one = publishable(only(results("demo")))[0]
    assert (one.fold, one.task.folds) == ("0", ["0", "1", "2", "3"])
    assert "--fold 0" in one.provenance.command
    assert one.id == results("demo")[0].id


def test_an_incomplete_cell_is_refused() -> None:
    with pytest.raises(BenchError, match=r"logmel \+ superb on demo is incomplete: 11 of 12 units"):
        publishable(only(results("demo")[1:]))


def test_records_of_an_older_version_are_refused(tmp_path: Path) -> None:
    old = cell(task__downstream=None, downstream__needs=None)
    with pytest.raises(BenchError, match=r"recorded by an older version.*bench run --rerun all"):
        publish(only(old), tmp_path)
    with pytest.raises(BenchError, match=r"does not say how to hide its speakers.*bench run --rerun all"):
        publish(only(cell()), tmp_path)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "changes",
    [
        {"upstream__params": {"model": "/home/someone/model"}},
        {"upstream__params": {"model": {"at": ["~/model"]}}},
        {"downstream__params": {"file": "C:\\models\\x"}},
        {"provenance__command": "bench run --data x=/data/corpora/x"},
        {"upstream__name": "hf:~someone/model"},
    ],
)
def test_a_path_is_never_published(tmp_path: Path, changes: dict) -> None:
    clusters = {"unit": "speaker", "salt": SALT, "salted": False, "folds": False, "gender": {}}
    with pytest.raises(BenchError, match="looks like a path of this machine"):
        publish(only(cell(**changes, clusters=clusters)), tmp_path)


@pytest.mark.parametrize(
    "text", ["hf:facebook/hubert-base-ls960", "n/a", "a / b", "bench run --task x", "1/2", "s3prl:a:b/c"]
)
def test_an_ordinary_text_is_no_path(text: str) -> None:
    assert publishing.PATH.search(text) is None


def test_two_names_that_make_one_file_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    publish(only(results("demo", "hf:a/b")), tmp_path)
    with pytest.raises(BenchError, match=r"holds the results of another system: hf:a/b \+ superb, not hf-a-b"):
        publish(only(results("demo", "hf-a-b")), tmp_path)
    publish(only(results("demo", "hf:a/b", tag=1)), tmp_path)


def test_what_cannot_be_read_back_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = publish(only(results("demo")), tmp_path)
    before = path.read_bytes()
    pack = publishing.pack
    monkeypatch.setattr(publishing, "pack", lambda records: pack(records).replace(b'"seed":0', b'"seed":7'))
    with pytest.raises(BenchError, match="cannot be written"):
        publish(only(results("demo", tag=1)), tmp_path)
    monkeypatch.setattr(publishing, "pack", lambda records: pack(records)[:-9])
    with pytest.raises(BenchError, match="is not a valid record"):
        publish(only(results("demo", tag=1)), tmp_path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_the_file_name_is_of_plain_letters() -> None:
    assert published_path(Path("r"), "demo", "hf:a/b@2", "svm") == Path("r/demo/hf-a-b-2--svm.json")
    assert published_path(Path("r"), "../up", "../../x", "/etc/passwd").as_posix() == "r/-up/-..-x---etc-passwd.json"


def test_publishing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = publish(only(results("urdu")), tmp_path / "a").read_bytes()
    again = publish(only(read_file(tmp_path / "a/urdu/logmel--superb.json")), tmp_path / "b").read_bytes()
    assert first == again
    assert json.loads(first).keys() == {"common", "units"}


def test_a_salted_record_is_salted_once() -> None:
    one = salted(results("demo")[0])
    assert salted(one) is one
    with pytest.raises(BenchError, match="does not say how to hide its speakers"):
        salted(record({"anna": np.eye(4)}))
