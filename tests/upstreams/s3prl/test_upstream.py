"""Upstreams of s3prl's hub, on a small package of that name: what is refused, what decides the identity, the layers.

`test_installed.py` runs the real one.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.base.identity import code_of, identity_of
from benchmark.contracts import check_upstream
from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.registry.registry import Registry
from upstreams.s3prl import upstream as module
from upstreams.s3prl.hub import as_data, refuse_code, state_sha256
from upstreams.s3prl.upstream import S3PRL

HUB = """
from s3prl.upstream.baseline.hubconf import *
from s3prl.upstream.example.hubconf import *
from s3prl.upstream.hf_hubert.hubconf import *
from s3prl.upstream.hf_wav2vec2.hubconf import *
from s3prl.upstream.other.hubconf import *
from s3prl.upstream.toy.hubconf import *
"""
DOWNLOAD = """
import hashlib
from pathlib import Path

def _download(filepath, url, refresh=False):
    raise OSError("no network")

def _urls_to_filepaths(*urls, refresh=False):
    for url in urls:
        path = Path(__file__).parent / "downloads" / (hashlib.sha256(url.encode()).hexdigest() + ".ckpt")
        _download(path, url, refresh)
    return str(path)
"""
BASELINE = """
import os
from ..toy.expert import MadeUp as _MadeUp, Plain as _Plain

def fbank(*args, **kwargs):
    return _local(os.path.join(os.path.dirname(__file__), "fbank.yaml"))

def _local(model_config):
    return _Plain(model_config)

def made_up(*args, **kwargs):
    return _MadeUp(os.path.join(os.path.dirname(__file__), "fbank.yaml"))
"""
TOY = """
from s3prl.util.download import _urls_to_filepaths
from .expert import UpstreamExpert as _UpstreamExpert, Inside as _Inside, Greedy as _Greedy

URL = "https://example.org/toy.ckpt"

def toy_local(ckpt, *args, **kwargs):
    assert ckpt, "no file"
    return _UpstreamExpert(ckpt, *args, **kwargs)

def toy_url(ckpt, refresh=False, *args, **kwargs):
    return toy_local(_urls_to_filepaths(ckpt, refresh=refresh), *args, **kwargs)

def toy(refresh=False, *args, **kwargs):
    return toy_960hr(refresh=refresh, *args, **kwargs)

def toy_960hr(refresh=False, *args, **kwargs):
    kwargs["ckpt"] = URL
    return toy_url(refresh=refresh, *args, **kwargs)

def inside(**kwargs):
    return _Inside("base")

def greedy(refresh=False):
    return _Greedy(_urls_to_filepaths(URL))
"""
OTHER = """
from ..toy.hubconf import toy_url as _toy_url

def other_toy(refresh=False):
    return _toy_url("https://example.org/other.ckpt", refresh=refresh)
"""
EXPERT = """
import torch
from torch import nn
from s3prl.util.download import _urls_to_filepaths

made = []

class UpstreamExpert(nn.Module):
    def __init__(self, ckpt, **kwargs):
        super().__init__()
        made.append(ckpt)
        torch.rand(3)
        self.line = nn.Linear(4, 4)
        self.line.load_state_dict(torch.load(ckpt, weights_only=False)["model"])
        self.drop = nn.Dropout(0.5)

    def get_downsample_rates(self, key=None):
        return 160

    def forward(self, wavs):
        (wav,) = wavs
        frames = wav[: len(wav) // 160 * 160].view(1, -1, 160)[:, :, :4]
        state = self.drop(self.line(frames))
        return {"hidden_states": [frames, state, 2 * state]}

class Plain(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.register_buffer("pseudo", torch.randn(5))

    def get_downsample_rates(self, key):
        return 160

    def forward(self, wavs):
        return {"hidden_states": [wavs[0][: len(wavs[0]) // 160 * 160].view(1, -1, 160)]}

class MadeUp(Plain):
    def __init__(self, config):
        super().__init__(config)
        self.line = nn.Linear(4, 4)

class Inside(UpstreamExpert):
    def __init__(self, size):
        super().__init__(_urls_to_filepaths("https://example.org/inside.ckpt"))

class Greedy(UpstreamExpert):
    def __init__(self, ckpt):
        super().__init__(ckpt)
        _urls_to_filepaths("https://example.org/more.ckpt")
"""
HF = "def {0}(ckpt, *args, **kwargs):\n    raise RuntimeError('not for this test')\n"
EXAMPLE = "def customized_upstream(*args, **kwargs):\n    return None\n"
FILES = {
    "__init__.py": "",
    "hub.py": HUB,
    "util/download.py": DOWNLOAD,
    "upstream/baseline/hubconf.py": BASELINE,
    "upstream/example/hubconf.py": EXAMPLE,
    "upstream/hf_hubert/hubconf.py": HF.format("hf_hubert_custom"),
    "upstream/hf_wav2vec2/hubconf.py": HF.format("hf_wav2vec2_custom"),
    "upstream/other/hubconf.py": OTHER,
    "upstream/toy/hubconf.py": TOY,
    "upstream/toy/expert.py": EXPERT,
}


def forget_s3prl() -> None:
    for name in [name for name in sys.modules if name == "s3prl" or name.startswith("s3prl.")]:
        del sys.modules[name]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The folder of a small s3prl, which hides an installed one."""
    folder = tmp_path / "site" / "s3prl"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        (folder / name).with_name("__init__.py").touch()
    (folder / "upstream" / "__init__.py").touch()
    (folder / "upstream" / "baseline" / "fbank.yaml").touch()
    monkeypatch.syspath_prepend(folder.parent)
    hidden = {name: value for name, value in sys.modules.items() if name.split(".")[0] == "s3prl"}
    forget_s3prl()
    yield folder
    forget_s3prl()
    sys.modules.update(hidden)


def save_checkpoint(path: Path, seed: int = 0, **settings: object) -> Path:
    import torch

    generator = torch.Generator().manual_seed(seed)
    weights = {"weight": torch.randn(4, 4, generator=generator), "bias": torch.randn(4, generator=generator)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": weights, **settings}, path)
    return path


@pytest.fixture
def network(package: Path) -> dict[str, int]:
    """Addresses that can be downloaded, with the seed of the checkpoint there."""
    addresses = {
        f"https://example.org/{name}.ckpt": seed for seed, name in enumerate(("toy", "other", "inside", "more"))
    }

    def download(filepath: Path, url: str, refresh: bool = False) -> None:
        save_checkpoint(Path(filepath), addresses[url])

    importlib.import_module("s3prl.util.download")._download = download
    return addresses


def made() -> list[str]:
    return list(importlib.import_module("s3prl.upstream.toy.expert").made)


def wave(duration: float = 0.5, seed: int = 0) -> NDArray[np.float32]:
    return probe(duration, 16_000, seed)


def change(package: Path, file: str, old: str, new: str) -> None:
    content = (package / file).read_text()
    assert old in content
    (package / file).write_text(content.replace(old, new))


# -- names ------------------------------------------------------------------------------------------------------------


def test_without_s3prl_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3prl", None)
    with pytest.raises(MissingError, match="need the package s3prl, which is not installed") as caught:
        Registry().upstream("s3prl:fbank")
    assert "pip install --no-deps torchaudio==2.8.0 s3prl==0.4.18" in caught.value.hint
    assert "omegaconf librosa soundfile tensorboardX protobuf" in caught.value.hint


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fbnk", r"s3prl's hub has no upstream 'fbnk' \(did you mean 'fbank'\?\)"),
        ("_local", "has no upstream '_local'"),
        ("toy_url:https://example.org/x", r"reads whatever an address holds.*use toy_local with the file"),
        ("customized_upstream", "template whose weights are random"),
        ("fbank:/some/file", "'fbank' takes no checkpoint, and '/some/file' is given .give s3prl:fbank."),
        ("toy:/some/file", "'toy' takes no checkpoint"),
        ("toy_local", "'toy_local' needs a checkpoint .give s3prl:toy_local:/path/to/checkpoint"),
        ("toy_local:", "'toy_local' needs a checkpoint"),
    ],
)
def test_a_name_that_cannot_be_is_a_usage_error(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        S3PRL(name)


@pytest.mark.usefixtures("package")
def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"there is no checkpoint '/nowhere/a\.ckpt'"):
        S3PRL("toy_local:/nowhere/a.ckpt")
    (tmp_path / "a.ckpt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(MissingError, match=r"'a\.ckpt' has no weights: a\.ckpt is a pointer of Git LFS"):
        S3PRL(f"toy_local:{tmp_path / 'a.ckpt'}")


def test_no_module_of_s3prl_is_imported_before_it_is_needed(package: Path, tmp_path: Path) -> None:
    S3PRL("fbank")
    identity_of(S3PRL(f"toy_local:{save_checkpoint(tmp_path / 'a.ckpt')}"))
    assert not [name for name in sys.modules if name.split(".")[0] == "s3prl"]


@pytest.mark.parametrize(
    ("entry", "kind", "message"),
    [
        (
            "hf_wav2vec2_custom",
            "wavlm",
            "'wavlm'.*would load it as 'wav2vec2', and its relative positions would be dropp",
        ),
        (
            "hf_hubert_custom",
            "wavlm",
            "'wavlm'.*would load it as 'hubert', and its relative positions would be dropped",
        ),
        ("hf_wav2vec2_custom", "data2vec-audio", "its positional convolution would be made up"),
        ("hf_hubert_custom", "data2vec-audio", "its positional convolution would be made up"),
        ("hf_wav2vec2_custom", "whisper", "'whisper'.*would load it as 'wav2vec2'"),
        ("hf_wav2vec2_custom", "hubert", "'hubert'.*would load it as 'wav2vec2'"),
        ("hf_hubert_custom", "wav2vec2", "'wav2vec2'.*would load it as 'hubert'"),
        ("hf_hubert_custom", None, "'None'.*would load it as 'hubert'"),
    ],
)
@pytest.mark.usefixtures("package")
def test_a_model_of_another_kind_is_refused_and_the_right_way_named(
    entry: str, kind: str | None, message: str, tmp_path: Path
) -> None:
    for name, content in (("config.json", {"model_type": kind}), ("preprocessor_config.json", {})):
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(UsageError, match=message) as caught:
        S3PRL(f"{entry}:{tmp_path}")
    assert caught.value.hint == f"use --upstream hf:{tmp_path}"


# -- layers -----------------------------------------------------------------------------------------------------------


def test_contract_of_a_local_checkpoint(package: Path, tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tmp_path / "a.ckpt")
    for check in check_upstream(lambda: S3PRL(f"toy_local:{checkpoint}")):
        check.run()


@pytest.mark.usefixtures("network")
def test_contract_of_one_that_is_downloaded() -> None:
    for check in check_upstream(lambda: S3PRL("toy")):
        check.run()


def test_the_hidden_states_are_the_layers_in_their_order(package: Path, tmp_path: Path) -> None:
    import torch

    upstream = S3PRL(f"toy_local:{save_checkpoint(tmp_path / 'a.ckpt')}")
    samples = wave(0.505)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    found = upstream.encode(samples)
    assert torch.equal(torch.get_rng_state(), before)
    frames = samples[:8000].reshape(50, 160)[:, :4]
    line = upstream._model.line
    state = frames @ line.weight.detach().numpy().T + line.bias.detach().numpy()
    assert found.frame_rate == 100.0
    np.testing.assert_allclose(found.layers, [frames, state, 2 * state], rtol=1e-5, atol=1e-6)
    assert upstream.parameters() == 20


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2 * state]", "state[:, :-1]]", r"layers of .* differ in shape: \[\(1, 49, 4\), \(1, 50, 4\)\]"),
        ("2 * state]", "state[..., :3]]", "differ in shape"),
        ("[frames, state, 2 * state]", "[frames[0]]", r"differ in shape: \[\(50, 4\)\]"),
        ("[frames, state, 2 * state]", "[]", r"differ in shape|different rates"),
        ("return 160", "return [160, 160, 320]", r"different rates: one frame in \[160, 320\] samples"),
        ("return 160", "return 320", "gives 50 frames for 0.500 s, where its rate of one in 320 samples promises 25"),
        ('"hidden_states"', '"last_hidden_state"', "cannot encode 0.500 s: KeyError: 'hidden_states'"),
    ],
)
def test_what_are_no_layers_is_refused(old: str, new: str, message: str, package: Path, tmp_path: Path) -> None:
    change(package, "upstream/toy/expert.py", old, new)
    with pytest.raises(BenchError, match=message):
        S3PRL(f"toy_local:{save_checkpoint(tmp_path / 'a.ckpt')}").encode(wave())


@pytest.mark.usefixtures("package")
def test_a_baseline_that_subtracts_the_mean_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    module._warn_of_zero_mean.cache_clear()
    with caplog.at_level(logging.WARNING):
        S3PRL("fbank")
        S3PRL("fbank")
        S3PRL("made_up")
    assert [record.getMessage()[:50] for record in caplog.records] == [
        "s3prl:fbank has zero mean over every utterance, as"
    ]


# -- identity ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("package")
def test_identity_is_that_of_the_checkpoint_wherever_it_lies(tmp_path: Path) -> None:
    first = S3PRL(f"toy_local:{save_checkpoint(tmp_path / 'one' / 'a.ckpt')}")
    second = S3PRL(f"toy_local:{save_checkpoint(tmp_path / 'two' / 'a.ckpt')}")
    other = S3PRL(f"toy_local:{save_checkpoint(tmp_path / 'three' / 'a.ckpt', seed=1)}")
    assert first.name == "s3prl:toy_local:a.ckpt"
    assert identity_of(first) == identity_of(second)
    assert first.weights_sha256() != other.weights_sha256()
    assert first.params["entry"] == "toy_local"
    assert {"s3prl", "torch", "torchaudio", "transformers"} <= set(code_of(first).libraries)


def test_a_named_checkpoint_is_downloaded_for_its_digest_but_not_loaded(network: dict[str, int]) -> None:
    digests = {name: S3PRL(name).weights_sha256() for name in ("toy", "toy_960hr", "other_toy")}
    assert not made()
    assert digests["toy"] == digests["toy_960hr"]  # one file
    assert digests["toy"] != digests["other_toy"]
    network["https://example.org/toy.ckpt"] = 5
    assert S3PRL("toy").weights_sha256() != digests["toy"]


@pytest.mark.usefixtures("package")
def test_a_download_that_fails() -> None:
    with pytest.raises(MissingError, match="the checkpoint of s3prl's 'toy' cannot be had: OSError: no network"):
        identity_of(S3PRL("toy"))


@pytest.mark.usefixtures("network")
def test_an_entry_without_weights_has_no_digest() -> None:
    upstream = S3PRL("fbank")
    assert upstream.weights_sha256() is None
    assert upstream.encode(wave()).layers.shape == (1, 50, 160)
    assert upstream.parameters() == 0


@pytest.mark.usefixtures("network")
def test_weights_that_only_the_model_fetches_are_digested_when_loaded() -> None:
    import torch

    upstream = S3PRL("inside")
    digest = upstream.weights_sha256()
    assert len(made()) == 1
    assert digest == S3PRL("inside").weights_sha256() == state_sha256(upstream._model)
    with torch.no_grad():
        upstream._model.line.bias[0] += 1e-6
    assert digest != state_sha256(upstream._model)


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("name", ["greedy", "made_up"])
def test_weights_that_are_not_in_the_identity_are_refused(name: str) -> None:
    with pytest.raises(BenchError, match=f"s3prl:{name} has weights that its checkpoint does not hold"):
        S3PRL(name).encode(wave())


# -- untrusted checkpoints --------------------------------------------------------------------------------------------


class Exploit:
    """Runs code when it is unpickled by a reader that allows it."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_pickle_with_code_is_refused_and_not_run(writer: str, tmp_path: Path) -> None:
    path, target = tmp_path / "a.ckpt", tmp_path / "executed"
    if writer == "torch":
        save_checkpoint(path, more=Exploit(target))
    else:
        path.write_bytes(pickle.dumps({"model": Exploit(target)}, protocol=2))
    with pytest.raises(BenchError, match=r"a\.ckpt cannot be read as plain data"):
        S3PRL(f"toy_local:{path}").encode(wave())
    assert not target.exists()


def test_weights_only_is_forced_where_s3prl_asks_for_the_opposite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", raising=False)
    path, target = save_checkpoint(tmp_path / "a.ckpt", more=Exploit(tmp_path / "executed")), tmp_path / "executed"
    with as_data(), pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=False)
    assert not target.exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # the user trusts it
    refuse_code(path)
    with as_data():
        torch.load(path, weights_only=False)
    assert target.exists()


@pytest.mark.parametrize(
    "text", ["__import__('os').mkdir('x')", " [f(1)] * 2", "fbank if print(1) else 0", "[x for x in f()]"]
)
def test_a_text_that_s3prl_might_run_is_refused(text: str, tmp_path: Path) -> None:
    hidden = {"config": [{"model": argparse.Namespace(conv_feature_layers=text)}]}
    with pytest.raises(BenchError, match=r"a\.ckpt holds the text .* which s3prl might run"):
        refuse_code(save_checkpoint(tmp_path / "a.ckpt", **hidden))
    (tmp_path / "a.yaml").write_text(json.dumps({"kaldi": {"feat_type": text}}))
    with pytest.raises(BenchError, match=r"a\.yaml holds the text"):
        refuse_code(tmp_path / "a.yaml")


@pytest.mark.parametrize("text", ["[(512,10,5)] + [(512,3,2)] * 4", "wav2vec (base), 960 h", "fbank", "a(b", "(1, 2)"])
def test_settings_and_records_of_training_are_plain(text: str, tmp_path: Path) -> None:
    refuse_code(save_checkpoint(tmp_path / "a.ckpt", args=argparse.Namespace(layers=text), note=text))
    (tmp_path / "a.yaml").write_text(json.dumps({"a": text}))
    refuse_code(tmp_path / "a.yaml")


# -- imports ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (
            "raise AttributeError(\"module 'torchaudio' has no attribute 'set_audio_backend'\")",
            "'toy_local' cannot be imported: AttributeError: module 'torchaudio' has no",
            "pip install --no-deps torchaudio==2.8.0 s3prl==0.4.18",
        ),
        ("import omegaconf_that_is_not_there", "No module named 'omegaconf_that_is_not_there'", "pip install "),
        ("raise OSError('libc10_cuda.so: cannot open')", "OSError: libc10_cuda.so", "pip install --no-deps torchaudio"),
    ],
)
def test_an_import_that_fails_is_told_with_its_mend(
    line: str, message: str, hint: str, package: Path, tmp_path: Path
) -> None:
    change(package, "upstream/toy/expert.py", "import torch\n", f"import torch\n{line}\n")
    with pytest.raises(MissingError, match=message) as caught:
        S3PRL(f"toy_local:{save_checkpoint(tmp_path / 'a.ckpt')}").encode(wave())
    assert hint in caught.value.hint
