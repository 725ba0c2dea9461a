"""The named checkpoints: facts that can be relied on, and that contamination is not forgotten."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmark.base import Upstream
from benchmark.base.identity import identity_of
from benchmark.cli import app
from benchmark.cli.terminal import PIPE_WIDTH
from benchmark.errors import MissingError, UsageError
from benchmark.io.yamls import validate
from benchmark.registry import building
from benchmark.registry.building import load_class
from benchmark.registry.entries import Checkpoint, Entry
from benchmark.registry.registry import Registry
from benchmark.types import Features

ROWS = [entry for entry in Registry().upstreams() if entry.where == "upstreams/checkpoints.yaml"]
CORPORA = {entry.name for entry in Registry().corpora()}
EXPECTED = {
    *("wav2vec2-base", "wav2vec2-base-10m", "wav2vec2-base-100h", "wav2vec2-base-960h"),
    *("wav2vec2-large-lv60", "wav2vec2-large-960h-lv60", "wav2vec2-large-960h-lv60-self"),
    *("hubert-base", "hubert-large", "hubert-large-960h", "distilhubert"),
    *("wavlm-base", "wavlm-base-plus", "wavlm-large", "data2vec-base", "data2vec-large"),
    *(f"whisper-{size}" for size in ("tiny", "base", "small", "medium", "large", "large-v2", "large-v3")),
    *("w2v-bert-2", "xls-r-300m", "moonshine-tiny", "moonshine-base", "audeering-dim"),
    *("emotion2vec", "emotion2vec-plus-seed", "emotion2vec-plus-base", "emotion2vec-plus-large", "data2vec2"),
}
PLUS = ("seed", "base", "large")
CHECKPOINT = {"hub": "a/b", "summary": "s", "licence": "l", "citation": "c", "training_data": ["LibriSpeech"]}


def bench(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_families_of_the_papers_are_there() -> None:
    assert {row.name for row in ROWS} >= EXPECTED
    hubs = [row.arguments["model"] for row in ROWS if row.name != "data2vec2"]  # which is on no Hub
    assert len(set(hubs)) == len(hubs)
    revisions = [row.arguments["revision"] for row in ROWS if row.arguments["revision"] is not None]
    assert len(set(revisions)) == len(revisions)
    assert "facebook/wav2vec2-large" not in hubs  # another model: the large ones here are of Libri-Light


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_complete(row: Entry) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.name)  # "+", ":" and "@" mean something in the name of a run
    assert row.name == "data2vec2" or re.fullmatch(r"[\w-]+/[\w.-]+", row.arguments["model"])
    assert row.arguments["revision"] is None or re.fullmatch(r"[0-9a-f]{40}", row.arguments["revision"])
    assert row.licence
    assert re.search(r"\d{4}", str(row.source))
    assert row.training_data


@pytest.mark.corpora
def test_weights_that_are_at_hand_have_the_shape_of_their_row() -> None:
    """Records of a named checkpoint whose shape is another are refused, so these figures must be right."""
    folder = Path(os.environ.get("BENCH_WEIGHTS", ""))
    there = [row for row in ROWS if "BENCH_WEIGHTS" in os.environ and (folder / row.name / "config.json").is_file()]
    if not there:
        pytest.skip("no weights are at hand: set BENCH_WEIGHTS")
    for row in there:
        upstream = Registry().upstream(row.name, lambda name: folder / name)
        assert (upstream.layers, upstream.dim) == (row.layers, row.dim), row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_a_row_was_trained_on_are_corpora_of_this_benchmark_and_all_of_them(row: Entry) -> None:
    assert set(row.trained_on) <= CORPORA
    text = "; ".join(row.training_data).lower()
    assert {name for name in CORPORA if re.search(rf"\b{name}\b", text)} <= set(row.trained_on)


def test_what_classes_say_of_themselves_is_read_without_importing_them() -> None:
    told = {entry.name: entry for entry in Registry().upstreams() if entry.trained_on and entry not in ROWS}
    for entry in told.values():
        assert set(entry.trained_on) <= CORPORA
        assert load_class("upstream", entry).trained_on == entry.trained_on
    assert "iemocap" in told["emotion2vec:"].trained_on


def test_a_plugin_says_what_it_was_trained_on(plugin: Path) -> None:
    plugin.write_text(plugin.read_text().replace('name = "spectrum"', 'name = "spectrum"; trained_on = ("urdu",)'))
    assert Registry([str(plugin)]).upstream_entries("spectrum")[0][0].trained_on == ("urdu",)


def test_emotional_models_know_what_they_were_trained_on() -> None:
    marked = {row.name: row.trained_on for row in ROWS if row.trained_on}
    assert set(marked) == {"audeering-dim", "emotion2vec", *(f"emotion2vec-plus-{size}" for size in PLUS)}
    assert marked["audeering-dim"] == ("msp-podcast",)
    assert marked["emotion2vec"] == ("iemocap", "meld", "cmu-mosei", "msp-podcast")
    assert all(set(marked["emotion2vec"]) < set(marked[f"emotion2vec-plus-{size}"]) for size in PLUS)


def test_a_row_says_what_loads_it() -> None:
    rows = {row.name: row for row in ROWS}
    assert (rows["emotion2vec"].target, rows["emotion2vec"].extra) == (
        "upstreams.funasr.emotion2vec:Emotion2vec",
        "funasr",
    )
    assert (rows["hubert-base"].target, rows["hubert-base"].extra) == (
        "upstreams.pretrained.huggingface:HuggingFace",
        None,
    )
    with pytest.raises(MissingError, match=r"weights of 'data2vec2' are on no Hub \(--weights data2vec2=FOLDER"):
        Registry().upstream("data2vec2")


def test_a_revision_is_a_whole_commit_and_training_data_are_told() -> None:
    assert validate(Checkpoint, CHECKPOINT, "x").trained_on == ()
    for change, message in (
        ({"revision": "main"}, "'revision' in x"),
        ({"revision": "0b5b8e868dd84f03"}, "'revision' in x"),
        ({"training_data": []}, "'training_data' in x"),
        ({"corpora": ["iemocap"]}, "unknown key 'corpora' in x"),
    ):
        with pytest.raises(UsageError, match=re.escape(message)):
            validate(Checkpoint, {**CHECKPOINT, **change}, "x")


class Knowing(Upstream):
    """Takes whatever model it is given."""

    name = "knowing"
    trained_on = ("iemocap",)

    def __init__(self, model: str, **named: Any) -> None:
        del model, named

    def encode(self, wave: Any) -> Features:
        raise NotImplementedError


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry that builds `Knowing` for every name."""
    monkeypatch.setattr(building, "load_class", lambda kind, entry: Knowing)
    return Registry()


def test_training_is_told_of_an_instance_and_decides_no_identity(registry: Registry) -> None:
    knows, other = registry.upstream("audeering-dim"), registry.upstream("wav2vec2-base")
    # What the class says of itself stays.
    assert (knows.trained_on, other.trained_on) == (("iemocap", "msp-podcast"), ("iemocap",))
    assert Knowing.trained_on == ("iemocap",)
    assert identity_of(knows) == identity_of(other)


def test_a_folder_given_for_a_name_is_that_checkpoint(registry: Registry, tmp_path: Path) -> None:
    assert registry.upstream("audeering-dim", lambda name: tmp_path).trained_on == ("iemocap", "msp-podcast")


def test_a_named_checkpoint_is_known_by_its_hub_id_too(registry: Registry) -> None:
    hub = next(row.arguments["model"] for row in ROWS if row.name == "audeering-dim")
    assert registry.upstream(f"hf:{hub}").trained_on == ("iemocap", "msp-podcast")
    assert registry.upstream("hf:facebook/hubert-base-ls960").trained_on == ("iemocap",)
    assert registry._upstreams.checkpoint(hub.upper()).trained_on == ("msp-podcast",)
    assert registry._upstreams.checkpoint(f"hf_wav2vec2_custom:{hub}").trained_on == ("msp-podcast",)
    assert registry.upstream("hf:somebody/something").trained_on == ("iemocap",)


# -- bench list upstreams ----------------------------------------------------------------------------------------------


def test_checkpoints_are_listed_on_one_line_each_with_licence_and_training_data() -> None:
    lines = [line.rstrip() for line in bench("list", "upstreams").splitlines()]
    assert max(map(len, lines)) <= PIPE_WIDTH
    for row in ROWS:
        (line,) = [line for line in lines if line.startswith(f"{row.name}  ")]
        assert re.split(r"  +", line) == [row.name, row.summary, "; ".join(row.training_data), row.licence]
    assert "audeering-dim was trained on msp-podcast: marked as contaminated there" in lines
    assert next(line for line in lines if line.startswith("egemaps  ")).endswith(
        "opensmile  upstreams/handcrafted/opensmile.py"
    )
    assert any(line.startswith("hf:PATH-OR-ID  ") for line in lines)


def test_the_list_as_json_has_all_of_a_row() -> None:
    rows = {row["name"]: row for row in json.loads(bench("list", "upstreams", "--json"))}
    assert rows["audeering-dim"] == {
        "name": "audeering-dim",
        "summary": "emotion wav2vec 2.0, 12 layers of 1024",
        "extra": None,
        "defined in": "upstreams/checkpoints.yaml",
        "hub": "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
        "revision": "6eba34a2485ea31cb03600241787c3a5edab8626",
        "licence": "CC BY-NC-SA 4.0",
        "training_data": ["Libri-Light", "CommonVoice", "Switchboard", "Fisher", "MSP-Podcast 1.7"],
        "trained_on": ["msp-podcast"],
    }
    assert rows["mfcc"]["hub"] is None
    assert rows["mfcc"]["training_data"] == rows["mfcc"]["trained_on"] == []


def test_listing_upstreams_loads_no_torch() -> None:
    code = (
        "import sys\nfrom benchmark.cli import app\n"
        "try:\n    app(['list', 'upstreams'])\nexcept SystemExit as leave:\n    assert not leave.code\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'opensmile', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
