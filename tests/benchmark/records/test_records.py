"""Records: old files stay readable, a file is whole or refused, a cell can be packed into one."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from records_factory import calibrated, cell, decisions, failed, record

from benchmark.errors import BenchError
from benchmark.io.files import TEMPORARY_PREFIX, canonical_json
from benchmark.metrics import METRICS
from benchmark.records import CalibrationPart, Record, RecordStore, pack, read_file, sealed, verify
from benchmark.records.grouping import group
from benchmark.records.hiding import salted
from benchmark.sufficient import MOMENTS

SAMPLES = Path(__file__).parents[2] / "data" / "records"


def test_a_record_of_schema_1_is_readable_for_ever() -> None:
    """The sample is never changed: a later schema must still read it."""
    (sample,) = read_file(SAMPLES / "schema-1-unit.json")
    assert (sample.status, sample.reason, sample.protocol) == ("completed", None, "official")
    assert (sample.task.name, sample.fold, sample.seed) == ("toy", "one", 0)
    assert (sample.upstream.name, sample.upstream.layers, sample.upstream.parameters) == ("ears", 5, 8_208_384)
    assert sample.selection is not None
    assert sample.selection.chosen == {"learning_rate": 0.001}
    assert sample.task.corpus.synthetic
    counts = np.sum(list(sample.by_speaker.values()), axis=0)
    assert counts.sum() == sample.counts.test == 32
    assert METRICS["uar"].compute(counts) == pytest.approx((6 + 4 + 5 + 4) / 32)
    assert sample.metrics["uar"] == pytest.approx((6 + 4 + 5 + 4) / 32)


def test_a_failed_record_of_schema_1_is_readable_for_ever() -> None:
    (sample,) = read_file(SAMPLES / "schema-1-failed.json")
    assert (sample.status, sample.reason) == ("failed", "the loss is nan in epoch 3")
    assert sample.by_speaker == {}


def test_a_published_cell_of_schema_1_is_readable_for_ever() -> None:
    records = read_file(SAMPLES / "schema-1-cell.json")
    (found,) = group(records).cells
    assert found.complete
    assert found.statistics().shape == (3, 2, 4, 4, 4)
    assert records[0] == read_file(SAMPLES / "schema-1-unit.json")[0]


@pytest.mark.parametrize("name", ["unit", "failed", "cell"])
def test_records_from_before_contamination_are_readable_for_ever(name: str) -> None:
    """They do not say what the weights were trained on: nothing of the benchmark, as far as they know."""
    path = SAMPLES / f"schema-1-{name}-without-trained-on.json"
    assert b'"trained_on"' not in path.read_bytes()
    assert {tuple(one.upstream.trained_on) for one in read_file(path)} == {()}
    assert read_file(path) == read_file(SAMPLES / f"schema-1-{name}.json")


def test_what_weights_were_trained_on_is_kept(tmp_path: Path) -> None:
    told = cell(upstream__trained_on=["toys", "dolls"])
    store = RecordStore(tmp_path)
    for one in told:
        store.write(one)
    assert {tuple(one.upstream.trained_on) for one in store} == {("toys", "dolls")}
    path = tmp_path / "packed.json"
    path.write_bytes(pack(told))
    assert read_file(path) == told


def test_a_task_between_two_corpora_has_both() -> None:
    assert record().task.corpus.names == ("toys",)
    assert record(task__corpus__name="toys -> dolls").task.corpus.names == ("toys", "dolls")


@pytest.mark.parametrize("name", ["unit", "cell"])
def test_records_from_before_adaptation_are_readable_for_ever(name: str) -> None:
    """They do not say how many utterances were there to adapt to: none."""
    path = SAMPLES / f"schema-1-{name}-without-adapt.json"
    assert b'"adapt"' not in path.read_bytes()
    assert read_file(path) == read_file(SAMPLES / f"schema-1-{name}.json")


@pytest.mark.parametrize("name", ["unit", "failed", "cell"])
def test_records_of_schema_1_say_nothing_of_what_came_later(name: str) -> None:
    for one in read_file(SAMPLES / f"schema-1-{name}.json"):
        assert one.schema_version == 3
        assert (one.task.downstream, one.downstream.needs) == (None, None)
        assert one.clusters.model_dump() == {
            "unit": "speaker", "salt": None, "salted": False, "folds": False, "gender": {}
        }  # fmt: skip


def test_utterances_without_a_speaker_were_a_speaker_in_schema_1(tmp_path: Path) -> None:
    content = json.loads((SAMPLES / "schema-1-unit.json").read_bytes())
    first = next(iter(content["by_speaker"]))
    content["by_speaker"]["unknown"] = content["by_speaker"].pop(first)
    path = tmp_path / "old.json"
    path.write_bytes(canonical_json(content))
    (found,) = read_file(path)
    assert (len(found.by_speaker), found.counts.test_speakers) == (2, 1)


@pytest.mark.parametrize(("part", "key"), [(None, "clusters"), ("task", "downstream"), ("downstream", "needs")])
def test_schema_1_has_no_keys_of_schema_2(tmp_path: Path, part: str | None, key: str) -> None:
    content = json.loads((SAMPLES / "schema-1-unit.json").read_bytes())
    (content if part is None else content[part])[key] = None
    path = tmp_path / "mixed.json"
    path.write_bytes(canonical_json(content))
    with pytest.raises(BenchError, match=rf"{key}: not a key of schema 1"):
        read_file(path)


def test_a_record_of_schema_2_is_readable_for_ever() -> None:
    (sample,) = read_file(SAMPLES / "schema-2-unit.json")
    assert (sample.task.downstream, sample.downstream.needs) == ("superb", "mean")
    assert (sample.clusters.unit, sample.clusters.salt, sample.clusters.salted) == ("speaker", "5a17" * 16, False)
    assert set(sample.clusters.gender.values()) == {"female", "male"}
    assert sample.clusters.gender.keys() == sample.by_speaker.keys()
    assert sample.counts.test_speakers == 2
    (failure,) = read_file(SAMPLES / "schema-2-failed.json")
    assert failure.reason == "the loss is nan in epoch 3"
    (grouped,) = read_file(SAMPLES / "schema-2-utterances.json")
    assert (grouped.clusters.unit, grouped.counts.test_speakers) == ("utterance", 0)
    assert list(grouped.by_speaker) == ["utterances-000", "utterances-001"]
    assert grouped.metrics == sample.metrics


def test_a_published_cell_of_schema_2_is_readable_for_ever() -> None:
    records = read_file(SAMPLES / "schema-2-cell.json")
    (found,) = group(records).cells
    assert found.complete
    assert found.statistics().shape == (3, 2, 4, 4, 4)
    assert all(len(name) == 16 for name in found.speakers)
    assert {(one.clusters.salted, one.clusters.salt) for one in records} == {(True, None)}
    assert found.gender.keys() == set(found.speakers)


@pytest.mark.parametrize("name", ["unit", "failed", "utterances", "cell"])
def test_records_of_schema_2_say_nothing_of_versions_and_code(name: str) -> None:
    for one in read_file(SAMPLES / f"schema-2-{name}.json"):
        assert one.schema_version == 3
        assert (one.upstream.version, one.downstream.version) == ("undeclared", "undeclared")
        assert (one.provenance.upstream, one.provenance.downstream) == (None, None)


@pytest.mark.parametrize(
    ("part", "key"), [("upstream", "version"), ("downstream", "version"), ("provenance", "upstream")]
)
def test_schema_2_has_no_keys_of_schema_3(tmp_path: Path, part: str, key: str) -> None:
    content = json.loads((SAMPLES / "schema-2-unit.json").read_bytes())
    content[part][key] = None
    path = tmp_path / "mixed.json"
    path.write_bytes(canonical_json(content))
    with pytest.raises(BenchError, match=rf"{part}.{key}: not a key of schema 2"):
        read_file(path)


def test_a_record_of_schema_3_is_readable_for_ever() -> None:
    (sample,) = read_file(SAMPLES / "schema-3-unit.json")
    assert (sample.upstream.version, sample.downstream.version) == ("1", "1")
    assert sample.provenance.upstream is not None
    assert sample.provenance.upstream.libraries == {"numpy": "2.4.0"}
    (old,) = read_file(SAMPLES / "schema-2-unit.json")
    assert (sample.metrics, sample.by_speaker) == (old.metrics, old.by_speaker)


def test_which_phones_a_head_heard_is_kept_and_not_written_of_others(tmp_path: Path) -> None:
    plain, heard = record(), record(downstream__phones_sha256="a" * 64)
    assert b"phones_sha256" not in pack([plain])
    assert b"phones_sha256" in pack([heard])
    path = tmp_path / "packed.json"
    for one in (plain, heard):
        path.write_bytes(pack([one]))
        assert read_file(path) == [one]


@pytest.mark.parametrize("name", ["schema-3-unit.json", "schema-3-failed.json", "schema-3-utterances.json"])
def test_todays_schema_writes_what_it_reads(name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    (sample,) = read_file(SAMPLES / name)
    assert canonical_json(sealed(sample.model_dump(mode="json"))) + b"\n" == content


@pytest.mark.parametrize("name", ["unit", "cell"])
def test_records_with_points_in_whole_numbers_are_readable_for_ever(name: str) -> None:
    path = SAMPLES / f"schema-3-{name}-with-points.json"
    assert b"1.0,0.0" in path.read_bytes()
    assert b"1.0,0.0" not in (SAMPLES / f"schema-3-{name}.json").read_bytes()
    assert read_file(path) == read_file(SAMPLES / f"schema-3-{name}.json")


def test_a_learning_curve_is_kept() -> None:
    (sample,) = read_file(SAMPLES / "schema-3-unit.json")
    content = json.loads((SAMPLES / "schema-3-unit.json").read_bytes())["selection"]
    assert "curve" not in content
    curve = [{"when": 1, "train_loss": None, "dev_loss": 0.5, "dev_score": 0.25}]
    part = type(sample.selection).model_validate({**content, "curve": curve})
    assert part.model_dump(mode="json")["curve"] == curve
    assert sample.model_copy(update={"selection": part}).model_dump(mode="json")["selection"]["curve"] == curve


def test_todays_schema_packs_what_it_reads() -> None:
    path = SAMPLES / "schema-3-cell.json"
    assert pack(read_file(path)) == path.read_bytes()


@given(
    speakers=st.lists(
        st.text(min_size=1, max_size=8).filter(lambda s: s.isprintable()), unique=True, min_size=1, max_size=4
    ),
    name=st.text(min_size=1, max_size=12).filter(lambda s: s.isprintable()),
    seed=st.integers(0, 9),
)
def test_packing_loses_nothing(tmp_path_factory: pytest.TempPathFactory, speakers: list, name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    records = cell(lambda f, s: {speaker: decisions(rng, 0.5) for speaker in speakers}, upstream__name=name)
    path = tmp_path_factory.mktemp("pack") / "cell.json"
    path.write_bytes(pack(records))
    assert read_file(path) == records


def test_packing_writes_what_units_share_once() -> None:
    packed = pack(cell())
    assert packed.count(b'"kind":"classification"') == 1
    assert len(packed) < 0.5 * sum(len(canonical_json(one.model_dump(mode="json"))) for one in cell())
    assert packed.count(b"\n") == 6 + 3  # one line for each unit: differences can be read


def test_the_store_gives_back_what_was_written(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "records")
    assert list(store) == []
    one, other = record(decisions_of("s")), failed(seed=1)
    store.write(one, predictions=b"id,truth\n")
    store.write(other)
    assert store.get("toy", one.id) == one
    assert store.get("toy", "0" * 64) is None
    assert sorted(store, key=lambda r: r.seed) == [one, other]
    assert store.path("toy", one.id).with_suffix(".predictions.csv").read_bytes() == b"id,truth\n"


def decisions_of(speaker: str) -> dict[str, np.ndarray]:
    return {speaker: decisions(np.random.default_rng(0), 0.5)}


def test_the_store_reads_in_a_fixed_order_and_skips_what_is_half_written(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for one in reversed(cell()):
        store.write(one)
    (tmp_path / "toy" / f"{TEMPORARY_PREFIX}abc.json").write_text('{"half": ')
    assert [one.id for one in store] == sorted(one.id for one in cell())


def test_the_store_reads_published_cells_beside_single_units(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    (tmp_path / "nose--superb.json").write_bytes(pack(cell(upstream__name="nose")))
    for one in cell():
        store.write(one)
    assert [found.complete for found in group(store).cells] == [True, True]


def test_a_record_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    store, (one, other) = RecordStore(tmp_path), cell()[:2]
    store.write(one)
    path = store.path("toy", other.id)
    path.write_bytes(store.path("toy", one.id).read_bytes())
    with pytest.raises(BenchError) as caught:
        store.get("toy", other.id)
    for named in (str(path), one.id, other.id):
        assert named in str(caught.value)
    assert store.get("toy", one.id) == one


def test_a_task_is_read_without_opening_the_files_of_others(tmp_path: Path) -> None:
    store, elsewhere = RecordStore(tmp_path), record(task__name="another")
    for one in [*cell(), elsewhere]:
        store.write(one)
    (tmp_path / "another" / "broken.json").write_text("{")
    (tmp_path / "toy" / "stray.json").write_bytes((tmp_path / "another" / f"{elsewhere.id}.json").read_bytes())
    assert [one.id for one in store.of_task("toy")] == sorted(one.id for one in cell())
    assert list(store.of_task("never-run")) == []
    with pytest.raises(BenchError, match=r"broken\.json is not a valid record"):
        list(store.of_task("another"))


def test_some_tasks_are_read_wherever_their_files_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And files of others alone are not opened as records, damaged or not; what may be of one is."""
    store = RecordStore(tmp_path)
    for name in ("here", "other", "größe"):
        store.write(record(task__name=name))
    (tmp_path / "sent").mkdir()
    damaged = tmp_path / "other" / "damaged.json"
    damaged.write_text('{"task": "other"')
    (tmp_path / "sent.json").write_bytes(pack([record(task__name="here", fold="1")]))
    escaped = json.dumps(sealed(record(task__name="größe", fold="1").model_dump(mode="json")), ensure_ascii=True)
    (tmp_path / "sent" / "a.json").write_text(escaped)
    assert "\\u" in escaped
    assert [one.fold for one in store.read_about(["here"]).whole()] == ["one", "1"]
    assert [(one.task.name, one.fold) for one in store.read_about(["größe", "here"]).whole()] == [
        ("größe", "one"), ("here", "one"), ("größe", "1"), ("here", "1")
    ]  # fmt: skip
    assert store.read_about(["nobody"]).whole() == ()
    with pytest.raises(BenchError, match=r"damaged\.json"):
        store.read_about(["other"]).whole()
    damaged.write_text('{"fold": "2"')  # its task was cut off, and may be any
    (tmp_path / "here" / "cut.json").write_text("")
    assert store.read_about(["here"]).doubtful == {"here", "other"}
    assert store.read_about(["sur\udcff"]).doubtful == {"here", "other"}
    os.mkfifo(tmp_path / "pipe.json")  # nobody writes to it
    damaged.write_text('{"task": "other"')
    assert [path.name for path in store.read_about(["größe"]).problems] == ["cut.json", "pipe.json"]
    monkeypatch.setattr("benchmark.records.store.MAX_BYTES", 10)  # too large to be looked at: left to be refused
    assert [path.name for path in store.read_about(["größe"]).problems] == ["cut.json", "damaged.json", "pipe.json"]


def test_all_that_cannot_be_read_is_named_at_once(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for task in ("toy", "another", "third"):
        store.write(record(task__name=task))
    for name in ("toy/a.json", "toy/b.json", "another/c.json"):
        (tmp_path / name).write_text("{")
    reading = store.read()
    assert [path.relative_to(tmp_path).as_posix() for path in reading.problems] == [
        "another/c.json",
        "toy/a.json",
        "toy/b.json",
    ]
    assert reading.doubtful == {"toy", "another"}
    assert [one.task.name for one in reading.records] == ["another", "third", "toy"]
    assert [one.task.name for one in reading.without_doubtful()] == ["third"]
    with pytest.raises(BenchError) as caught:
        list(store)
    assert all(name in str(caught.value) for name in ("a.json", "b.json", "c.json", "remove it and run again"))


def test_a_file_in_no_folder_is_told_and_is_no_task(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.write(record())
    (tmp_path / "stray.json").write_text("{")
    reading = store.read()
    assert [path.name for path in reading.problems] == ["stray.json"]
    assert (reading.doubtful, len(reading.without_doubtful())) == (frozenset(), 1)


def test_links_are_followed_once_and_hidden_files_passed_over(tmp_path: Path) -> None:
    elsewhere, here = RecordStore(tmp_path / "elsewhere"), tmp_path / "here"
    one = record()
    elsewhere.write(one)
    here.mkdir()
    (here / "toy").symlink_to(tmp_path / "elsewhere" / "toy", target_is_directory=True)
    (here / "again").symlink_to(here, target_is_directory=True)
    for junk in ("._x.json", ".DS_Store", ".hidden/y.json", "__MACOSX/z.json", ".trash/toy/w.json"):
        path = here / junk
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{")
    assert list(RecordStore(here)) == [one]
    assert list(RecordStore(here).of_task("toy")) == [one]


def test_a_folder_that_the_system_does_not_open_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RecordStore(tmp_path)
    store.write(record())
    scandir = os.scandir

    def refused(path):
        if str(path) == str(tmp_path / "toy"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refused)
        reading = store.read()
    assert reading.doubtful == {"toy"}
    assert "toy cannot be read: Permission denied" in next(iter(reading.problems.values()))


def test_rewriting_a_record_replaces_it(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.write(failed())
    store.write(record(decisions_of("s")))
    (found,) = store
    assert found.status == "completed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surprise": 1}, "surprise"),
        ({"schema": 4}, "schema"),
        ({"schema": True}, "schema"),
        ({"seed": "0"}, "seed"),
        ({"seed": True}, "seed"),
        ({"by_speaker": {"s": [["1"]]}}, r"by_speaker\.s\.0\.0"),
        ({"clusters": {}}, r"clusters\.unit"),
        ({"status": "fine"}, "status"),
        ({"seed": "first"}, "seed"),
        ({"by_speaker": {"s": [["many"]]}}, r"by_speaker\.s\.0\.0"),
        ({"metrics": {"uar": "nan"}}, r"metrics\.uar"),
        ({"task": {}}, r"task\.name"),
    ],
)
def test_a_record_that_does_not_follow_the_schema_is_refused_by_name(
    tmp_path: Path, change: dict, message: str
) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(canonical_json(sealed({**record().model_dump(mode="json"), **change})))
    with pytest.raises(BenchError, match=rf"odd\.json is not a valid record: {message}: "):
        read_file(path)


def test_a_missing_key_is_refused_by_name(tmp_path: Path) -> None:
    content = record().model_dump(mode="json")
    del content["provenance"]["code_sha256"]
    path = tmp_path / "short.json"
    path.write_bytes(canonical_json(content))
    with pytest.raises(BenchError, match=r"provenance\.code_sha256: Field required"):
        read_file(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"common": {}, "units": {}}',
        b'{"common": {}, "units": [{}]}',
        b'{"common": {"schema": 2}, "units": [{"schema": 2}]}',
        b'{"common": [], "units": [{}]}',
        b'{"common": {}, "units": [3]}',
        b'{"schema": 1, "schema": 1}',
        b'{"schema": 1e999}',
        b'{"schema": -Infinity}',
        b'{"schema": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(BenchError, match=r"broken\.json is not a valid record"):
        read_file(path)


def test_nan_in_a_file_is_refused(tmp_path: Path) -> None:
    content = json.dumps({**record().model_dump(mode="json"), "metrics": {"uar": float("nan")}})
    path = tmp_path / "nan.json"
    path.write_text(content)
    with pytest.raises(BenchError, match=r"nan\.json is not a valid record: .*NaN is no number"):
        read_file(path)


def flipped(content: bytes) -> Iterator[bytes]:
    """The content with one bit changed, in many places."""
    random = np.random.default_rng(0)
    for place in random.choice(len(content), 300, replace=False):
        changed = bytearray(content)
        changed[place] ^= 1 << int(random.integers(0, 8))
        yield bytes(changed)


@pytest.mark.parametrize("packed", [False, True])
def test_no_flipped_bit_gives_another_record(tmp_path: Path, packed: bool) -> None:
    store, records = RecordStore(tmp_path), cell()
    path = tmp_path / "toy" / "cell.json"
    if packed:
        path.parent.mkdir()
        path.write_bytes(pack(records))
    else:
        records = [record(seed=2, clusters__gender={"one-anna": "female"})]
        store.write(records[0])
        path = store.path("toy", records[0].id)
    for content in flipped(path.read_bytes()):
        path.write_bytes(content)
        try:
            found = read_file(path)
        except BenchError:
            continue
        assert found == records  # white space, or the case of an escape


def test_a_changed_value_that_contradicts_nothing_is_noticed(tmp_path: Path) -> None:
    one = record(seed=1)
    for change in (
        {"provenance": {**one.provenance.model_dump(mode="json"), "created": "2027-01-01T00:00:00+00:00"}},
        {"cost": {**one.cost.model_dump(mode="json"), "fit_s": 3.0}},
    ):
        content = {**sealed(one.model_dump(mode="json")), **change}
        path = tmp_path / "changed.json"
        path.write_bytes(canonical_json(content))
        with pytest.raises(BenchError, match=r"fold 'one', seed 1\) was changed or damaged"):
            read_file(path)


def test_a_record_without_its_digest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "open.json"
    path.write_bytes(canonical_json(record().model_dump(mode="json")))
    with pytest.raises(BenchError, match="its digest is not that of what it says"):
        read_file(path)


def test_a_record_of_another_unit_than_its_id_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="has another id than what it says gives"):
        read_file(tampered(tmp_path, {"seed": 2}, one=record(seed=1)))


def tampered(tmp_path: Path, change: dict, *, one: Record | None = None) -> Path:
    path = tmp_path / "tampered.json"
    path.write_bytes(canonical_json(sealed({**(one or record()).model_dump(mode="json"), **change})))
    return path


def counts(**changes) -> dict:
    """The true counts of the record that is made up, but for the changes."""
    return {"counts": {**record().counts.model_dump(), **changes}}


def task(**changes) -> dict:
    """The task of the record that is made up, but for the changes."""
    return {"task": {**record().task.model_dump(), **changes}}


def clusters(**changes) -> dict:
    """What the record that is made up says of its clusters, but for the changes."""
    return {"clusters": {**record().clusters.model_dump(), **changes}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (counts(test=25), r"counts\.test is 25, but its statistics give 24"),
        (counts(test_speakers=3), r"counts\.test_speakers is 3, but its statistics give 2"),
        (
            counts(per_class={"angry": 7, "happy": 5, "neutral": 6, "sad": 6}),
            r"counts\.per_class is .*'happy': 5.*, but its statistics give .*'happy': 6",
        ),
        (counts(per_class={"angry": 6, "happy": 6, "neutral": 12}), r"counts\.per_class is "),
        (counts(per_class={}), r"counts\.per_class is {}"),
        ({"metrics": {**record().metrics, "wa": 1.0}}, r"metrics\.wa is 1\.0, but its statistics give 0\.\d+"),
        ({"metrics": {**record().metrics, "uar": record().metrics["uar"] + 1e-6}}, r"metrics\.uar is "),
        ({"metrics": {}}, r"has the metrics \[\], not \['uar', 'wa', 'macro_f1'\]"),
        ({"metrics": {**record().metrics, "ccc": 0.5}}, r"has the metrics \['ccc', "),
        ({"by_speaker": {}}, "has no test speaker"),
        ({"by_speaker": {"s": [[1.0, 2.0]]}}, "statistics that are not 4 x 4"),
        ({"by_speaker": {"s": (1e300 * np.eye(4)).tolist()}}, "impossible numbers of utterances"),
        ({"by_speaker": {"s": (6 * np.eye(4)).tolist()}}, r"counts\.test_speakers is 2"),
        ({"task": {**record().task.model_dump(), "metrics": ["uarr"]}}, "unknown metric 'uarr'"),
        (clusters(gender={"stranger": "female"}), "has the gender of 'stranger', who is not tested"),
        (clusters(salted=True), "says that names are hidden, and has 'one-anna'"),
        (clusters(salted=True, salt="ab"), "hides its speakers and has the salt"),
        (clusters(unit="utterance"), r"counts\.test_speakers is 2, but its statistics give 0"),
        (task(metrics=["uar", "uar"]), "has a metric twice"),
        (task(folds=["f"] * 9999, seeds=[0] * 999), "more than 1000000 folds"),
        ({"status": "failed", "reason": "diverged"}, "failed, but has metrics or statistics"),
        ({"status": "failed", "reason": "diverged", "by_speaker": {}}, "failed, but has metrics or statistics"),
        ({"status": "failed", "reason": "diverged", "metrics": {}}, "failed, but has metrics or statistics"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(BenchError, match=rf"tampered\.json is not a valid record: .*{message}") as caught:
        read_file(tampered(tmp_path, change))
    assert caught.value.hint
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    "keys",
    [
        ("task", "sha256"),
        ("task", "folds_sha256"),
        ("task", "corpus", "index_sha256"),
        ("task", "corpus", "audio_sha256"),
        ("upstream", "sha256"),
        ("upstream", "weights_sha256"),
        ("downstream", "sha256"),
        ("provenance", "code_sha256"),
    ],
)
@pytest.mark.parametrize("value", ["not hex", "", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_a_digest_is_hexadecimal(tmp_path: Path, keys: tuple[str, ...], value: str) -> None:
    """Of a failed record too: random numbers are drawn from digests."""
    message = re.escape(f"{'.'.join(keys)} is {value!r:.80}, which is no sha256 in hexadecimal")
    for one in (record(), failed()):
        with pytest.raises(BenchError, match=message):
            read_file(tampered(tmp_path, with_value(one, keys, value)))


def with_value(one: Record, keys: tuple[str, ...], value: object) -> dict:
    """The content of a record with another value at a place."""
    content = one.model_dump(mode="json")
    part = content
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    return content


def test_a_published_cell_made_diagonal_is_refused(tmp_path: Path) -> None:
    """Every decision made right leaves the truth and the counts as they were; the metrics give it away."""

    def perfect(one: Record) -> Record:
        right = {name: np.diag(np.sum(values, axis=1)).tolist() for name, values in one.by_speaker.items()}
        return one.model_copy(update={"by_speaker": right})

    path = tmp_path / "cell.json"
    path.write_bytes(pack([perfect(one) for one in cell()]))
    with pytest.raises(BenchError, match=r"cell\.json .* fold 'one', seed 0\): metrics\.uar is 0\.\d+, .* give 1\.0"):
        read_file(path)


def test_a_metric_may_differ_by_rounding(tmp_path: Path) -> None:
    near = {name: value * (1 + 1e-14) for name, value in record().metrics.items()}
    assert read_file(tampered(tmp_path, {"metrics": near}))[0].metrics == near


RATED = {"task__kind": "regression", "task__outputs": ["arousal", "valence"], "task__metrics": ["ccc", "rmse"]}


def rated(n: int = 8) -> Record:
    rng = np.random.default_rng(1)
    return record({name: MOMENTS.of(rng.normal(4, 1, (n, 2)), rng.normal(4, 1, (n, 2))) for name in "ab"}, **RATED)


def test_a_record_of_ratings_is_verified_by_its_number_of_utterances(tmp_path: Path) -> None:
    verify(rated())
    one = rated()
    assert (one.counts.test, one.counts.per_class) == (16, {})
    for change, message in (
        ({"counts": {**one.counts.model_dump(), "test": 15}}, r"counts\.test is 15, but its statistics give 16"),
        ({"counts": {**one.counts.model_dump(), "per_class": {"angry": 16}}}, r"counts\.per_class is "),
        ({"metrics": {**one.metrics, "rmse": 0.0}}, r"metrics\.rmse is 0\.0"),
    ):
        with pytest.raises(BenchError, match=message):
            read_file(tampered(tmp_path, change, one=one))
    uneven = {name: np.array(values) for name, values in one.by_speaker.items()}
    uneven["b"][1, 0] = 9  # the dimensions of a speaker have the same utterances
    with pytest.raises(BenchError, match="for speaker 'b' impossible numbers of utterances"):
        read_file(tampered(tmp_path, {"by_speaker": {k: v.tolist() for k, v in uneven.items()}}, one=one))


def changed_moments(index: int, value: float) -> dict:
    values = {name: np.array(rows) for name, rows in rated().by_speaker.items()}
    values["b"][1, index] = value
    return {"by_speaker": {name: rows.tolist() for name, rows in values.items()}}


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, -8.0),
        (3, 0.0),  # sum t*t below (sum t)**2 / n
        (4, 0.0),
        (5, 1e4),  # a covariance that the variances do not allow
        (5, -1e4),
        (3, 1e300),  # whose products float64 cannot hold
        (1, -1e200),
    ],
)
def test_moments_that_no_numbers_have_are_refused(tmp_path: Path, index: int, value: float) -> None:
    message = "impossible numbers of utterances" if index == 0 else "for speaker 'b' moments that no numbers have"
    with pytest.raises(BenchError, match=message):
        read_file(tampered(tmp_path, changed_moments(index, value), one=rated()))


def test_utterances_without_a_speaker_are_no_speaker() -> None:
    one = record({"unknown": 3 * np.eye(4), "anna": np.eye(4)})
    assert one.counts.test_speakers == 1
    verify(one)


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        record().seed = 3


def test_the_numbers_survive_a_round_trip_exactly(tmp_path: Path) -> None:
    values = np.array([[3, 0.1 + 0.2, 1e-300, 1 / 3, 1e99, -0.0]])
    one = record({"s": values}, task__kind="regression", task__outputs=["arousal"], task__metrics=["ccc"])
    store = RecordStore(tmp_path)
    store.write(one)
    (found,) = store
    assert isinstance(found, Record)
    assert np.array_equal(np.array(found.by_speaker["s"]), values)


def test_records_without_sums_of_probabilities_are_written_as_they_were() -> None:
    assert "calibration" not in record().model_dump(mode="json")
    assert "calibration" not in json.loads((SAMPLES / "schema-3-unit.json").read_bytes())
    (sample,) = read_file(SAMPLES / "schema-3-unit.json")
    assert sample.calibration is None


@pytest.mark.parametrize("temperature", [None, 1.7])
def test_sums_of_probabilities_are_kept(temperature: float | None, tmp_path: Path) -> None:
    told = [calibrated(one, temperature=temperature) for one in cell()]
    verify(*told)
    store = RecordStore(tmp_path / "store")
    for one in told:
        store.write(one)
    assert sorted(store, key=lambda one: one.id) == sorted(told, key=lambda one: one.id)
    path = tmp_path / "packed.json"
    path.write_bytes(pack(told))
    assert read_file(path) == told


def test_speakers_of_sums_are_hidden_with_the_others() -> None:
    told = calibrated(record(clusters__salt="5a17" * 16))
    found = salted(told)
    assert found.calibration is not None
    assert told.calibration is not None
    assert list(found.calibration.before) == list(found.calibration.after or {}) == list(found.by_speaker)
    assert "anna" not in found.model_dump_json()
    (mine,) = [name for name, counts in found.by_speaker.items() if counts == told.by_speaker["one-anna"]][:1]
    assert found.calibration.before[mine] == told.calibration.before["one-anna"]
    verify(found)


def changed_sums(change: Callable[[dict[str, Any]], object]) -> Record:
    one = calibrated(record())
    part = dict(one.calibration or ())
    part |= {key: copy.deepcopy(part[key]) for key in ("before", "after")}
    change(part)
    return one.model_copy(update={"calibration": CalibrationPart.model_validate(part)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda part: part["before"]["one-anna"][0].append(0), "that are not 3 x 16"),
        (lambda part: part["before"]["one-anna"][0].__setitem__(0, 1), "impossible numbers of utterances"),
        (lambda part: part["after"]["one-bela"][1].__setitem__(0, 1), "other decisions than are counted"),
        (lambda part: part["after"]["one-bela"][2].__setitem__(15, 10**10), "sums that no probabilities have"),
        (lambda part: part["before"].pop("one-bela"), "is of other speakers than by_speaker"),
        (lambda part: part.update(after=None), "without what belongs to it"),
        (lambda part: part.update(without="dev is test"), "without what belongs to it"),
        (lambda part: part.update(temperature=-1.0), "temperature is -1"),
    ],
)
def test_sums_of_probabilities_are_not_believed(change: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        verify(changed_sums(change))


def test_only_completed_records_of_classes_have_sums_of_probabilities() -> None:
    part = calibrated(record()).calibration
    with pytest.raises(BenchError, match="failed, but has"):
        verify(failed().model_copy(update={"calibration": part}))
    values = MOMENTS.of(np.array([[1.0], [2.0]]), np.array([[1.5], [2.5]]))
    dims = {"task__kind": "regression", "task__outputs": ["arousal"], "task__metrics": ["ccc"]}
    with pytest.raises(BenchError, match="of a task of regression"):
        verify(record({"anna": values}, **dims).model_copy(update={"calibration": part}))


def test_a_board_holds_once_what_many_records_say_alike(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for one in cell():
        store.write(one)
    found = list(store)
    assert found == sorted(cell(), key=lambda one: one.id)
    rows = [row for one in found for counts in one.by_speaker.values() for row in counts]
    assert len(set(map(id, rows))) == len(set(map(tuple, rows))) < len(rows)
    assert len({id(one.model_fields_set) for one in found}) == 1


@pytest.mark.parametrize("params", [{}, {"clusters": None}, {"a": {"clusters": None}, "text": '"clusters":null'}])
def test_the_digest_of_a_record_is_that_of_all_of_it_whatever_it_says(
    params: dict[str, object], tmp_path: Path
) -> None:
    """Also where a unit says what looks like a key that all share."""
    path = tmp_path / "cell.json"
    made = [record(seed=seed, downstream__params={**params, "n": seed}) for seed in range(2)]
    path.write_bytes(pack(made))
    assert read_file(path) == made
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    with pytest.raises(BenchError, match="was changed or damaged"):
        read_file(path)


def test_a_fault_is_told_of_one_record_among_many_that_are_verified_at_once() -> None:
    good = cell()
    bad = good[4].model_copy(update={"by_speaker": {**good[4].by_speaker, "zoe": [[0.5, 0, 0, 0]] + [[0] * 4] * 3}})
    with pytest.raises(BenchError, match=f"record '{bad.id}' .* has for speaker 'zoe' impossible numbers"):
        verify(*good[:4], bad, *good[5:])
