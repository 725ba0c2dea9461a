"""Where the files of a pretrained model come from, and what is said when they do not."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import shutil
import time
from pathlib import Path

import pytest

from benchmark.errors import BenchError, MissingError, UsageError
from upstreams.checkpoints import Checkpoint, read_json

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = {"model_type": "hubert", "hidden_size": 8}
PREPROCESSOR = {"sampling_rate": 16_000, "do_normalize": True}


def write_model(folder: Path, *weights: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    for name in weights:
        (folder / name).write_bytes(name.encode())
    return folder


# -- a folder ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_and_called_by_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_model(tmp_path / "my-model", "model.safetensors")
    checkpoint = Checkpoint(str(folder))
    assert (checkpoint.label, checkpoint.config, checkpoint.preprocessor) == ("my-model", CONFIG, PREPROCESSOR)
    assert [path.name for path in checkpoint.files] == ["model.safetensors"]
    assert checkpoint.safetensors
    monkeypatch.chdir(folder)
    assert Checkpoint(".").label == "my-model"
    assert Checkpoint("../my-model/").label == "my-model"


def test_the_digest_covers_weights_and_configuration_and_no_other_file(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "a", "model.safetensors")
    names = ("config.json", "preprocessor_config.json", "model.safetensors")
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    expected = hashlib.sha256(json.dumps(sums, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert Checkpoint(str(folder)).sha256 == expected
    (folder / "README.md").write_text("changed")
    (folder / "pytorch_model.bin").write_text("the same weights in the other format, not used")
    assert Checkpoint(str(folder)).sha256 == expected
    for name in names:
        copy = shutil.copytree(folder, tmp_path / f"changed-{name}")
        (copy / name).write_text((copy / name).read_text() + " ")
        assert Checkpoint(str(copy)).sha256 != expected, name


def test_safetensors_go_before_pickles_and_one_file_before_several(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    shards = sorted(index["weight_map"].values())
    folder = write_model(tmp_path / "m", "pytorch_model.bin", *shards)
    assert [path.name for path in Checkpoint(str(folder)).files] == ["pytorch_model.bin"]
    assert not Checkpoint(str(folder)).safetensors
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert [path.name for path in Checkpoint(str(folder)).files] == ["model.safetensors.index.json", *shards]
    assert Checkpoint(str(folder)).safetensors
    (folder / "model.safetensors").write_text("x")
    assert [path.name for path in Checkpoint(str(folder)).files] == ["model.safetensors"]


@pytest.mark.parametrize("index", [{}, {"weight_map": {}}, {"weight_map": 3}])
def test_an_index_without_files_is_an_error(index: dict, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BenchError, match="names no files"):
        assert Checkpoint(str(folder)).sha256


@pytest.mark.parametrize("name", ["../outside.safetensors", "/etc/passwd", "gone.safetensors"])
def test_an_index_cannot_lead_out_of_its_folder(name: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (tmp_path / "outside.safetensors").write_text("x")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(BenchError, match="not in the folder"):
        assert Checkpoint(str(folder)).sha256


@pytest.mark.parametrize("model", ["/nowhere/model", "./model", "~/no/such/model", "a/b/c", "with space", ""])
def test_a_folder_that_is_not_there(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(MissingError) as error:
        Checkpoint(model or "./")
    assert "--weights NAME=FOLDER" in error.value.hint
    assert "BENCH_WEIGHTS" in error.value.hint
    assert "hf:/path/to/folder" in error.value.hint


def test_each_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    with pytest.raises(MissingError, match=r"'m' has no weights: .* holds no model\.safetensors or pytorch_model\.bin"):
        assert Checkpoint(str(folder)).sha256
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(MissingError, match=r"'m' has no weights: model\.safetensors is a pointer of Git LFS"):
        assert Checkpoint(str(folder)).sha256
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(MissingError, match=r"holds no preprocessor_config\.json"):
        Checkpoint(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(MissingError, match=r"holds no config\.json"):
        Checkpoint(str(folder))


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
def test_a_broken_configuration_is_named(content: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "config.json").write_text(content)
    with pytest.raises(BenchError, match=r"m/config\.json"):
        Checkpoint(str(folder))


def test_a_revision_of_a_folder_means_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="revision"):
        Checkpoint(str(write_model(tmp_path / "m")), "main")


# -- the Hub ----------------------------------------------------------------------------------------------------------


class Hub:
    """A Hub with one model, and what was asked of it."""

    def __init__(self, remote: Path, cache: Path) -> None:
        self.remote, self.cache, self.asked = remote, cache, []

    def snapshot_download(self, model: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        self.asked.append((model, revision, tuple(allow_patterns)))
        folder = self.cache / f"models--{model.replace('/', '--')}"
        snapshot = folder / "snapshots" / COMMIT
        snapshot.mkdir(parents=True, exist_ok=True)
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(COMMIT)
        for path in self.remote.iterdir():
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in allow_patterns):
                shutil.copy(path, snapshot)
        return str(snapshot)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    import huggingface_hub
    from huggingface_hub import constants

    hub = Hub(tmp_path / "remote", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub.cache))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    return hub


def test_a_hub_model_is_fetched_in_two_steps_and_then_never_again(hub: Hub) -> None:
    write_model(hub.remote, "model.safetensors", "pytorch_model.bin", "flax_model.msgpack", "tokenizer.json")
    checkpoint = Checkpoint("owner/tiny", "main")
    assert checkpoint.label == "owner/tiny"
    assert [path.name for path in sorted(checkpoint.folder.iterdir())] == ["config.json", "preprocessor_config.json"]
    assert [path.name for path in checkpoint.files] == ["model.safetensors"]
    assert [(model, revision) for model, revision, _ in hub.asked] == [("owner/tiny", "main"), ("owner/tiny", COMMIT)]
    assert len(list(checkpoint.folder.iterdir())) == 3
    hub.asked.clear()
    again = Checkpoint("owner/tiny")
    assert again.sha256 == checkpoint.sha256
    assert hub.asked == []


def test_the_digest_is_that_of_the_same_files_in_a_folder(hub: Hub, tmp_path: Path) -> None:
    write_model(hub.remote, "model.safetensors")
    folder = write_model(tmp_path / "elsewhere", "model.safetensors")
    assert Checkpoint("owner/tiny").sha256 == Checkpoint(str(folder)).sha256


def test_pickled_weights_are_fetched_only_where_there_are_no_others(hub: Hub) -> None:
    write_model(hub.remote, "pytorch_model.bin")
    assert [path.name for path in Checkpoint("owner/tiny").files] == ["pytorch_model.bin"]
    assert [patterns[0] for _, _, patterns in hub.asked] == ["config.json", "model.safetensors", "pytorch_model.bin"]


def test_an_interrupted_download_is_finished(hub: Hub) -> None:
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    write_model(hub.remote, *shards.values())
    (hub.remote / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    first = Checkpoint("owner/tiny")
    shutil.copy(hub.remote / "model.safetensors.index.json", first.folder)
    assert len(first.files) == 3


def test_a_hub_model_without_weights_is_an_error(hub: Hub) -> None:
    write_model(hub.remote, "tf_model.h5")
    with pytest.raises(MissingError, match="'owner/tiny' has no weights"):
        assert Checkpoint("owner/tiny").sha256


def test_a_folder_goes_before_a_hub_model_of_its_name(hub: Hub, tmp_path: Path) -> None:
    write_model(tmp_path / "owner" / "tiny", "model.safetensors")
    assert Checkpoint("owner/tiny").label == "tiny"
    assert hub.asked == []


def test_offline_without_the_model_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError) as error:
        Checkpoint("owner/tiny", "v1")
    assert error.value.message.startswith("'owner/tiny' at revision 'v1' is not in the Hub's cache and cannot be")
    assert "BENCH_WEIGHTS" in error.value.hint
    assert "\n" not in str(error.value)


def test_offline_with_the_model_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    write_model(tmp_path / "models--owner--tiny" / "snapshots" / COMMIT, "model.safetensors")
    (tmp_path / "models--owner--tiny" / "refs").mkdir()
    (tmp_path / "models--owner--tiny" / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert [path.name for path in Checkpoint("owner/tiny").files] == ["model.safetensors"]
    with pytest.raises(MissingError, match="at revision 'v2'"):
        Checkpoint("owner/tiny", "v2")


def test_an_answer_of_the_hub_is_quoted_on_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub import constants

    def refuse(*_: object, **__: object) -> str:
        raise ConnectionError("401 Client Error.\n\nRepository Not Found for url")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(MissingError, match=r"cannot be downloaded: 401 Client Error\. "):
        Checkpoint("owner/tiny")


def test_a_hub_that_nobody_reaches_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    started = time.monotonic()
    with pytest.raises(MissingError, match=r"cannot be downloaded: http://127.0.0.1:9 is not reached: .*refused"):
        Checkpoint("owner/tiny", COMMIT)
    assert time.monotonic() - started < 15  # waiting alone would be half a minute
    assert constants.HF_HUB_OFFLINE is False


@pytest.mark.parametrize(
    ("text", "message"), [("[" * 100_000, "is nested too deeply"), ("9" * 10_000, "cannot be read")]
)
def test_a_hostile_configuration_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(BenchError, match=message):
        read_json(path)


def test_a_file_that_no_configuration_fills_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upstreams.checkpoints.LARGEST_JSON", 10)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BenchError, match="has 22 bytes, which no JSON of a model has"):
        read_json(tmp_path / "config.json")


def test_a_model_of_text_is_told_by_its_type(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(MissingError, match=r"says nothing of how its waveform is prepared.*model of type 'bert'"):
        Checkpoint(str(tmp_path))
