"""Published files: no name of a speaker, no salt, no path; what was written is what is read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from records_factory import cell, record
from scipy.stats import spearmanr
from submissions import SALT, results

from benchmark.errors import BenchError
from benchmark.io.keyed_names import pseudonym
from benchmark.io.settings import load_settings
from benchmark.records import Record, RecordStore, SelectionPart, read_file
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.records.hiding import salted
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.submissions import publishing
from benchmark.submissions.publishing import publish, publishable, published_path, shared

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
    assert (found.cluster, found.gender) == ("utterance", {})
    assert found.flags() == ["speaker-dependent", "no speakers", "few seeds"]
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
        {"upstream__params": {"model": "file:///home/someone/model"}},
        {"upstream__params": {"/data": 1}},
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
    "text",
    [
        "hf:facebook/hubert-base-ls960",
        "n/a",
        "a / b",
        "bench run --task x",
        "1/2",
        "s3prl:a:b/c",
        "https://huggingface.co/a/b",
        "(n/a)",
        "C: a",
    ],
)
def test_an_ordinary_text_is_no_path(text: str) -> None:
    assert publishing.PATH.search(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/data",
        "/home/me/x",
        "(/home/me/x",
        "[/home/me/x]",
        "a;/b",
        "x=/b",
        "file:///home/me/x",
        "FILE:/home/me/x",
        "see file://host/x",
        "~/x",
        "(~me/x",
        "C:\\x",
        "\\\\host\\x",
        "hf:/x",
        "'/x'",
    ],
)
def test_a_path_is_found_wherever_it_stands(text: str) -> None:
    assert publishing.PATH.search(text) is not None


# -- what the order of the work would tell ----------------------------------------------------------------------------


def as_worked(records: list[Record], *, versions: bool = False) -> list[Record]:
    """The records as a run makes them: fold after fold, in the order of the names, ever later and with more memory.

    The dev set of a fold is the next one, and with `versions` the code changed after the first half.
    """
    folds = records[0].task.folds
    tested = {one.fold: one.counts.test for one in records}
    found = []
    for number, one in enumerate(sorted(records, key=lambda one: (one.task.folds.index(one.fold), one.seed))):
        dev = tested[folds[(folds.index(one.fold) + 1) % len(folds)]]
        minute, second = divmod(number, 60)
        changes: dict[str, Any] = {
            "cost": one.cost.model_copy(
                update={"fit_s": 1.0 + number, "encode_s": 5.0 + number, "peak_bytes": 1000 + number}
            ),
            "counts": one.counts.model_copy(update={"dev": dev, "train": one.counts.train + one.counts.dev - dev}),
            "selection": SelectionPart(
                on="dev uar", score=number / 1000, epoch=3, layer_weights=None, chosen={"C": 1.0}
            ),
        }
        created = f"2026-01-01T10:{minute:02d}:{second:02d}+00:00"
        code = "1" * 64 if versions and 2 * number < len(records) else "0" * 64
        provenance = {"created": created, "code_sha256": code}
        changes["provenance"] = one.provenance.model_copy(update=provenance)
        found.append(one.model_copy(update=changes))
    return found


def leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value in a value, with where it stands."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{where}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from leaves(part, f"{where}.{number}")
    else:
        yield where, value


def follows(published: list[Record]) -> dict[str, float]:
    """How the units of a seed follow the order of the speakers' names: rank correlation, by place in the record.

    Without what is counted of the test set, which is not ordered by anything.
    """
    names = {pseudonym(SALT, f"s{number:03d}"): number for number in range(29)}
    units = [one for one in published if one.seed == 0]
    place = [names[one.fold] for one in units]
    hidden = {"id", "fold", "by_speaker", "metrics", "clusters", "task"}
    contents = [dict(leaves(one.model_dump(mode="json", exclude=hidden))) for one in units]
    found = {}
    for where in contents[0]:
        values = [content[where] for content in contents]
        if where.startswith((".counts.test", ".counts.per_class")) or len(set(values)) < 2:
            continue
        ranks = [sorted(set(values)).index(value) for value in values]
        found[where] = abs(float(spearmanr(place, ranks).statistic))
    return found


def test_nothing_in_a_unit_follows_the_order_of_hidden_names() -> None:
    worked = as_worked(results("urdu"))
    before = follows([salted(one) for one in worked])
    for where in (".provenance.created", ".cost.fit_s", ".cost.encode_s", ".cost.peak_bytes", ".selection.score"):
        assert before[where] > 0.99  # what hides names alone tells them
    assert ".counts.dev" in before
    after = follows(publishable(only(worked)))
    # All that differs is the number of utterances to fit on, which is what the tested speaker leaves.
    assert after.keys() == {".counts.train"}
    for one in publishable(only(worked)):
        assert one.counts.train + one.counts.dev + one.counts.test == 400


def test_what_is_alike_is_the_latest_the_most_and_the_mean() -> None:
    for name in ("urdu", "demo"):
        worked = as_worked(results(name))
        number = len(worked)
        (cost,) = {one.cost for one in publishable(only(worked))}
        assert cost.fit_s == pytest.approx(sum(one.cost.fit_s or 0 for one in worked) / number)
        assert (cost.encode_s, cost.peak_bytes, cost.audio_s) == (4.0 + number, 999 + number, 4.0)
        (created,) = {one.provenance.created for one in publishable(only(worked))}
        assert created == max(one.provenance.created for one in worked)


def test_open_folds_keep_what_was_counted_and_selected_on_dev() -> None:
    """Their order is public: nothing that follows it tells anything."""
    worked = as_worked(results("demo"))
    for one, other in zip(publishable(only(worked)), worked, strict=True):
        assert (one.counts, one.selection) == (other.counts, other.selection)


def test_versions_are_kept_but_not_which_unit_had_which() -> None:
    worked = as_worked(results("urdu"), versions=True)
    assert follows([salted(one) for one in worked])[".provenance.code_sha256"] > 0.8
    published = publishable(only(worked))
    assert follows(published)[".provenance.code_sha256"] < 0.5
    assert Counter(one.provenance.code_sha256 for one in published) == Counter(
        one.provenance.code_sha256 for one in worked
    )
    assert only(published).flags() == only(worked).flags() == ["mixed code"]
    seeds = [re.sub(r".*--seed (\d)", r"\1", one.provenance.command) for one in published]
    assert seeds == [str(one.seed) for one in published]


def test_a_published_cell_is_published_as_it_is() -> None:
    published = publishable(only(as_worked(results("urdu"), versions=True)))
    assert publishable(only(published)) == published
    assert shared(published) == published


def gendered(records: list[Record], genders: Sequence[str]) -> list[Record]:
    """The genders of the speakers of each fold, in turn."""
    return [
        one.model_copy(
            update={
                "clusters": one.clusters.model_copy(update={"gender": dict(zip(one.by_speaker, genders, strict=False))})
            }
        )
        for one in records
    ]


def told(records: list[Record]) -> set[str]:
    return {gender for one in publishable(only(records)) for gender in one.clusters.gender.values()}


def test_a_gender_that_names_a_person_is_not_published() -> None:
    """A session of IEMOCAP is of one woman and one man."""
    assert told(gendered(results("iemocap"), ("female", "male"))) == set()
    assert told(gendered(results("iemocap"), ("female", "female"))) == {"female"}
    assert told(gendered(results("demo"), ("female", "male", "male"))) == set()
    assert told(gendered(results("demo"), ("female", "female"))) == {"female"}
    # One fold is enough, and takes those of the others away.
    mixed = gendered(results("demo"), ("female", "female"))
    assert told([*mixed[:-3], *gendered(mixed[-3:], ("female",))]) == set()


def test_folds_named_after_hidden_speakers_tell_the_gender_unless_there_is_one_of_it() -> None:
    records = results("urdu")
    assert told(records) == {"female"}
    only_one = [*gendered(records[:5], ("male",)), *records[5:]]
    assert told(only_one) == set()
    assert told([*gendered(records[:10], ("male",)), *records[10:]]) == {"female", "male"}


def test_synthetic_voices_are_nobody() -> None:
    def synthetic(one: Record) -> Record:
        corpus = one.task.corpus.model_copy(update={"synthetic": True})
        return one.model_copy(update={"task": one.task.model_copy(update={"corpus": corpus})})

    records = [synthetic(one) for one in gendered(results("demo"), ("female", "male", "male"))]
    assert told(records) == {"female", "male"}


def test_two_names_that_make_one_file_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    publish(only(results("demo", "hf:a/b")), tmp_path)
    with pytest.raises(BenchError, match=r"holds the results of another system: hf:a/b \+ superb, not hf-a-b"):
        publish(only(results("demo", "hf-a-b")), tmp_path)
    publish(only(results("demo", "hf:a/b", tag=1)), tmp_path)


def test_what_cannot_be_read_back_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = publish(only(results("demo")), tmp_path)
    before = path.read_bytes()
    pack = publishing.pack
    monkeypatch.setattr(publishing, "pack", lambda records: pack(records[:-1]))
    with pytest.raises(BenchError, match="cannot be written"):
        publish(only(results("demo", tag=1)), tmp_path)
    monkeypatch.setattr(publishing, "pack", lambda records: pack(records).replace(b'"seed":0', b'"seed":7'))
    with pytest.raises(BenchError, match="was changed or damaged"):
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
