"""Upstreams of s3prl's hub, with s3prl itself: `make test-s3prl` runs these in an environment of their own."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tiny_models import save_model

from benchmark.contracts import check_upstream
from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, UsageError
from benchmark.io.packages import quiet
from upstreams.pretrained.huggingface import HuggingFace
from upstreams.s3prl.hub import downloaded_files, entries
from upstreams.s3prl.installation import PAIR
from upstreams.s3prl.upstream import S3PRL

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("s3prl") is None and "BENCH_TEST_S3PRL" not in os.environ,
    reason="s3prl is not installed: make test-s3prl",
)
BENCH = Path(sys.executable).with_name("bench")
ROOT = Path(__file__).parents[3]
FAMILIES = {"wav2vec2": "hf_wav2vec2_custom", "hubert": "hf_hubert_custom"}
BASELINES = ("fbank", "fbank_no_cmvn", "mfcc", "spectrogram", "mel", "linear")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of tiny models: wav2vec2-base, wav2vec2-large, hubert-base, hubert-large."""
    folder = tmp_path_factory.mktemp("models")
    for kind in FAMILIES:
        for size in ("base", "large"):
            save_model(folder / f"{kind}-{size}", f"{kind}-{size}")
    return folder


def named(folder: Path) -> str:
    return f"{FAMILIES[folder.name.split('-')[0]]}:{folder}"


def wave(duration: float = 1.1, seed: int = 0) -> NDArray[np.float32]:
    return probe(duration, 16_000, seed)


@pytest.mark.parametrize("name", BASELINES)
def test_contract_of_a_baseline(name: str) -> None:
    for check in check_upstream(lambda: S3PRL(name)):
        check.run()


@pytest.mark.parametrize("model", ["wav2vec2-base", "wav2vec2-large", "hubert-base", "hubert-large"])
def test_contract_of_a_local_model(model: str, models: Path) -> None:
    for check in check_upstream(lambda: S3PRL(named(models / model))):
        check.run()


@pytest.mark.parametrize("model", ["wav2vec2-base", "wav2vec2-large", "hubert-base", "hubert-large"])
def test_layers_are_those_of_hf_but_for_the_last_of_the_large_family(model: str, models: Path) -> None:
    found, other = (
        upstream.encode(wave()) for upstream in (S3PRL(named(models / model)), HuggingFace(str(models / model)))
    )
    assert found.frame_rate == other.frame_rate == 50.0
    np.testing.assert_allclose(found.layers[:-1], other.layers[:-1], rtol=0, atol=1e-6)
    if model.endswith("-base"):
        np.testing.assert_allclose(found.layers[-1], other.layers[-1], rtol=0, atol=1e-6)
    else:  # hidden_states[-1] has moved in transformers; hf: takes last_hidden_state, whatever the version
        import torch

        upstream = S3PRL(named(models / model))
        upstream.encode(wave())
        with torch.no_grad():
            normalised = upstream._model.model.encoder.layer_norm(torch.from_numpy(found.layers[-1])).numpy()
        near = [np.abs(values - other.layers[-1]).max() for values in (normalised, found.layers[-1])]
        assert min(near) < 1e-5


def test_fbank_has_zero_mean_and_fbank_no_cmvn_has_not() -> None:
    assert np.abs(S3PRL("fbank").encode(wave()).mean()).max() < 1e-5
    assert np.abs(S3PRL("fbank_no_cmvn").encode(wave()).mean()).max() > 1


def test_weights_in_half_precision_are_used_in_float32(tmp_path: Path) -> None:
    half = save_model(tmp_path / "wav2vec2-half", "wav2vec2-base", half=True)
    np.testing.assert_allclose(
        S3PRL(named(half)).encode(wave()).layers, HuggingFace(str(half)).encode(wave()).layers, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("change", ["missing", "left over", "of another shape"])
def test_weights_that_do_not_fit_are_refused(change: str, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "wav2vec2-damaged", "wav2vec2-base")
    weights = load_file(folder / "model.safetensors")
    victim = "encoder.layers.1.final_layer_norm.weight"
    if change == "missing":
        del weights[victim]
    elif change == "left over":
        weights["encoder.layers.1.attention.gru_rel_pos_const"] = weights[victim]
    else:
        weights[victim] = weights[victim][:-1].copy()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BenchError, match=f"do not fit its config.json: 1 {change}, such as 'encoder.layers.1"):
        S3PRL(named(folder)).encode(wave())


@pytest.mark.parametrize("architecture", ["wavlm-base", "data2vec-audio", "whisper"])
@pytest.mark.parametrize("entry", FAMILIES.values())
def test_what_s3prl_would_load_wrong_is_refused(entry: str, architecture: str, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "m", architecture)
    with pytest.raises(UsageError, match=f"use --upstream hf:{folder}"):
        S3PRL(f"{entry}:{folder}")


def test_the_names_are_those_of_the_hub() -> None:
    with quiet():
        hub = importlib.import_module("s3prl.hub")
    functions = {name for name in hub.options() if getattr(getattr(hub, name), "__module__", "").endswith(".hubconf")}
    imported_by_hubs = {"vq_apc_url"}  # the same function as apc_url
    assert set(entries()) >= functions - imported_by_hubs
    assert set(entries()) - functions <= {"timit_posteriorgram_local", "timit_posteriorgram_url"}


def save_apc(path: Path) -> Path:
    """A checkpoint of APC with random weights, in s3prl's format, with the Namespace that old ones hold."""
    import torch

    with quiet():
        apc: Any = importlib.import_module("s3prl.upstream.apc.apc")
    paras = {"hidden_size": 16, "num_layers": 3, "dropout": 0.1, "residual": True}
    torch.manual_seed(0)
    config = {"data": {"audio": {"feat_type": "fbank", "feat_dim": 80}}, "model": {"paras": paras}}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": apc.APC(80, **paras).state_dict(), "config": config, "args": argparse.Namespace(seed=0)}, path)
    return path


def test_contract_of_apc_from_a_local_checkpoint(tmp_path: Path) -> None:
    path = save_apc(tmp_path / "apc.ckpt")
    for check in check_upstream(lambda: S3PRL(f"apc_local:{path}")):
        check.run()
    assert S3PRL(f"apc_local:{path}").encode(wave()).layers.shape == (3, 108, 16)


def test_a_named_entry_is_digested_without_being_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    download: Any = importlib.import_module("s3prl.util.download")
    monkeypatch.setattr(download, "_download_dir", tmp_path / "cache")
    monkeypatch.setattr(download, "_download", lambda path, url, **_: path.is_file() or save_apc(path))
    upstream = S3PRL("apc")
    assert upstream.weights_sha256() == S3PRL("apc_360hr").weights_sha256()
    assert upstream._model is None
    assert len(list((tmp_path / "cache").iterdir())) == 1
    np.testing.assert_array_equal(
        upstream.encode(wave()).layers, S3PRL(f"apc_local:{save_apc(tmp_path / 'a.ckpt')}").encode(wave()).layers
    )


def test_what_downloads_is_known_before_it_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry of the hub: its files are found by running its function, without weights, and none is forgotten."""
    import torch

    def empty(path: Path, url: str, **_: Any) -> None:
        path.parent.mkdir(exist_ok=True)
        torch.save({}, path)

    download: Any = importlib.import_module("s3prl.util.download")
    monkeypatch.setattr(download, "_download_dir", tmp_path)
    monkeypatch.setattr(download, "_download", empty)
    numbers: dict[int | None, set[str]] = {}
    special = (
        "customized_upstream",
        "discretebert",
        "vq_wav2vec_kmeans_roberta",
    )  # a template, and two with a frontend
    for name, entry in entries().items():
        if not (entry.wants_file or name.endswith("_url") or name in special):
            files = downloaded_files(entry)
            numbers.setdefault(None if files is None else len(files), set()).add(name)
    assert numbers[0] == {"baseline", *BASELINES}
    assert {"apc", "tera", "wav2vec", "vq_wav2vec", "vq_apc", "hubert", "wavlm_base_plus"} <= numbers[1]
    assert {"pase_plus", "vggish"} <= numbers[2]
    assert all(name.startswith("passt_") for name in numbers[None])


def bench(*arguments: object) -> str:
    done = subprocess.run([str(BENCH), *map(str, arguments)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def test_a_run_end_to_end(models: Path, toy_corpus: Path, toy_task: Path) -> None:
    upstreams = ("s3prl:fbank", "s3prl:fbank_no_cmvn", f"s3prl:{named(models / 'wav2vec2-base')}")
    options = [word for name in upstreams for word in ("--upstream", name)]
    command = ("run", *options, "--task", toy_task, "--data", f"toy={toy_corpus}", "--quiet")
    shown = bench(*command)
    for name in ("s3prl:fbank", "s3prl:fbank_no_cmvn", "s3prl:hf_wav2vec2_custom:wav2vec2-base"):
        assert name in shown
    again = json.loads(bench(*command, "--json"))["cells"]
    assert [(cell["completed"], cell["kept"], cell["failed"]) for cell in again] == [(0, 4, {})] * 3


def test_the_doctor_finds_it_well() -> None:
    shown = bench("doctor")
    assert "0.4.18" in shown


def test_the_environment_is_made_as_the_doctor_says() -> None:
    assert PAIR.removeprefix("pip install ") in (ROOT / "Makefile").read_text()
