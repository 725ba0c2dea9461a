"""emotion2vec and data2vec 2.0: the right layers out of FunASR's class, and no file that is believed.

Tests that need funasr run where it is installed; `make test-funasr` makes such a place, and there none is
skipped.
"""

from __future__ import annotations

import copy
import importlib.util
import os
import pickle
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from tiny_pretraining import tiny

from benchmark.base import Upstream
from benchmark.contracts import check_upstream
from benchmark.contracts.upstream import probe
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.registry.registry import Registry
from upstreams.funasr.checkpoint_files import FunASRCheckpoint, parse_convolutions
from upstreams.funasr.emotion2vec import ENCODER_WEIGHT, Data2Vec2, Emotion2vec, implementation
from upstreams.pretraining.architecture import Dropout
from upstreams.pretraining.export import model_conf

# Where funasr must be there, its absence is a failure and not a skip.
HAS_FUNASR = importlib.util.find_spec("funasr") is not None or "BENCH_TEST_FUNASR" in os.environ
needs_funasr = pytest.mark.skipif(not HAS_FUNASR, reason="needs funasr: make test-funasr")

TOKENS, PRENET, TRUNK, DIM, HEADS = 3, 2, 2, 24, 3
CONVOLUTIONS = "[(16, 10, 5)] + [(16, 3, 2)] * 4 + [(16,2,2)] + [(16,2,2)]"
# As published: all keys of fairseq's configuration, those of training too, and dropout that would show.
SMALL = {
    "model.dim": DIM,
    "model.heads": HEADS,
    "model.prenet": PRENET,
    "model.trunk": TRUNK,
    "model.tokens": TOKENS,
    "model.feed_forward": 2,
    "model.positions": {"width": 95, "groups": 4, "depth": 5},
    "model.decoder": {"layers": 2, "dim": 8, "kernel": 7, "groups": 4},
    **{f"dropout.{name}": 0.5 for name in Dropout.model_fields},
}
MODEL = {**model_conf(tiny(SMALL)), "end_drop_path_rate": 0.5}
MODEL["modalities"]["audio"] |= {"feature_encoder_spec": CONVOLUTIONS, "end_drop_path_rate": 0.5}
MODEL["modalities"] |= {"image": None, "text": None}
# What the two families and FunASR's class allow: settings that differ from those above.
VARIANTS: dict[str, dict[str, Any]] = {
    "emotion2vec": {},
    "data2vec2": {"audio": {"num_extra_tokens": 0}},
    "not-normalised": {"normalize": False},
    "norm-first": {"layer_norm_first": True},
    "no-prenet": {"audio": {"prenet_depth": 0}},
    "group-norm": {"audio": {"extractor_mode": "default"}},
    "scale-per-layer": {"audio": {"learned_alibi_scale_per_layer": True}},
    "no-biases": {"audio": {"use_alibi_encoder": False}},
    "pre-ln": {"audio": {"conv_pos_pre_ln": True}, "norm_affine": False},
}


def settings(**changes: Any) -> dict[str, Any]:
    """`model_conf` as published, with some keys changed; those of the front end under "audio"."""
    conf = copy.deepcopy(MODEL)
    conf["modalities"]["audio"].update(changes.pop("audio", {}))
    return {**conf, **changes}


def write_config(folder: Path, conf: dict[str, Any], **keys: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"model": "Emotion2vec", "model_conf": conf, "tokenizer": "CharTokenizer", **keys}
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    return folder


def published(conf: dict[str, Any]) -> Any:
    """FunASR's class with all of the published settings and random weights of which none is left as it begins."""
    with implementation() as cls, torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = cls(model_conf=conf, vocab_size=9)
        for weight in model.parameters():
            weight.data += 0.1 * torch.randn_like(weight)
    return model.eval()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """For each variant a folder as published, and the model that was saved there."""
    root = tmp_path_factory.mktemp("models")
    made = {}
    for name, changes in VARIANTS.items() if HAS_FUNASR else ():
        model = published(settings(**copy.deepcopy(changes)))
        folder = write_config(root / name, settings(**copy.deepcopy(changes)))
        torch.save({"model": {**model.state_dict(), "_ema": {}}, "epoch": 3}, folder / "model.pt")
        made[name] = (folder, model)
    return made


def make(folder: Path) -> Upstream:
    return (Data2Vec2 if folder.name == "data2vec2" else Emotion2vec)(str(folder))


@pytest.fixture
def wave() -> NDArray[np.float32]:
    return probe(0.9, 16_000, 5)


# -- with funasr: the contract, and what the layers are ----------------------------------------------------------------


@needs_funasr
@pytest.mark.parametrize("variant", ["emotion2vec", "data2vec2", "group-norm"])
def test_contract(variant: str, models) -> None:
    folder, _ = models[variant]
    names = [check.run() or check.name for check in check_upstream(lambda: make(folder))]
    assert "features do not depend on the batch" in names


@needs_funasr
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_last_layer_is_what_the_published_extraction_returns(variant: str, models, wave) -> None:
    folder, model = models[variant]
    with torch.no_grad():
        results, _ = model.inference([wave.copy()], key=["a"], device="cpu", granularity="frame")
    features = make(folder).encode(wave)
    assert features.frame_rate == 50
    np.testing.assert_array_equal(features.layers[-1], results[0]["feats"])


@needs_funasr
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_layer_is_a_hidden_state_without_the_utterance_tokens(variant: str, models, wave) -> None:
    folder, model = models[variant]
    source = torch.from_numpy(wave)[None]
    if variant != "not-normalised":
        source = (source - source.mean()) / torch.sqrt(source.var(unbiased=False) + 1e-5)
    front = model.modality_encoders["AUDIO"]
    with torch.no_grad():
        x = front.local_features(source)
        x = x + front.relative_positional_encoder(x)
        length = x.shape[1]
        if front.extra_tokens is not None:
            x = torch.cat([front.extra_tokens, x], dim=1)
        if front.context_encoder.norm is not None:
            x = front.context_encoder.norm(x)
        expected, tokens = [x], x.shape[1] - length
        for index, block in enumerate([*front.context_encoder.blocks, *model.blocks]):
            bias = None
            if front.get_alibi_bias is not None:
                distance = (torch.arange(length)[:, None] - torch.arange(length)).abs()
                # Slopes of 3 heads: 2^-4 and 2^-8 of the nearest power of two, then the first of twice as many.
                slope = torch.tensor([2.0**-4, 2.0**-8, 2.0**-2])
                scale = front.alibi_scale.clamp_min(0)[index if len(front.alibi_scale) > 1 else 0]
                bias = torch.zeros(1, HEADS, tokens + length, tokens + length)
                bias[..., tokens:, tokens:] = -distance * slope[:, None, None] * scale
            expected.append(block(expected[-1], None, bias)[0])
        if model.norm is not None:
            expected[-1] = model.norm(expected[-1])
    upstream = make(folder)
    found = upstream.encode(wave).layers
    assert found.shape == (len(expected), length, DIM) == (upstream.layers, 1 + (len(wave) - 400) // 320, upstream.dim)
    for index, (layer, state) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(layer, state[0, tokens:].numpy(), atol=2e-5, err_msg=f"layer {index}")
    assert min(np.abs(a - b).max() for a, b in zip(found[1:], found[:-1], strict=True)) > 0.01  # no layer twice


@needs_funasr
def test_normalisation_takes_loudness_and_offset_away_and_only_where_the_settings_say_so(models, wave) -> None:
    for variant, close in (("emotion2vec", True), ("not-normalised", False)):
        upstream = make(models[variant][0])
        other = upstream.encode(wave * 3 + np.float32(0.1)).layers
        assert np.allclose(other, upstream.encode(wave).layers, atol=0.01) is close, variant


@needs_funasr
def test_silence_gives_finite_features(models) -> None:
    assert np.isfinite(make(models["emotion2vec"][0]).encode(np.zeros(4000, dtype=np.float32)).layers).all()


@needs_funasr
def test_the_shortest_input_is_exact_to_the_sample(models) -> None:
    upstream = make(models["emotion2vec"][0])
    assert upstream.min_duration * upstream.sample_rate == 400
    frames = {n: upstream.encode(probe(1, 16_000, 1)[:n]).layers.shape[1] for n in (400, 719, 720, 1039, 1040)}
    assert frames == {400: 1, 719: 1, 720: 2, 1039: 2, 1040: 3}
    with pytest.raises(RuntimeError, match=r"[Kk]ernel size"):
        upstream.encode(probe(1, 16_000, 1)[:399])


@needs_funasr
def test_parameters_are_those_of_the_encoder_alone(models) -> None:
    folder, model = models["emotion2vec"]
    unused = [*model.modality_encoders["AUDIO"].decoder.parameters(), *model.proj.parameters()]
    total = sum(weight.numel() for weight in model.parameters())
    assert make(folder).parameters() == total - sum(weight.numel() for weight in unused)


@needs_funasr
def test_random_generators_are_left_alone_and_nothing_is_printed(models, wave, capfd) -> None:
    def states() -> list[bytes]:
        return [
            torch.get_rng_state().numpy().tobytes(),
            pickle.dumps(np.random.mtrand._rand.get_state()),
            pickle.dumps(random.getstate()),
        ]

    before = states()
    upstream = make(models["emotion2vec"][0])
    upstream.parameters()
    upstream.encode(wave)
    assert states() == before
    assert capfd.readouterr().out == ""


@needs_funasr
def test_the_rest_of_funasr_is_not_imported_and_can_be(models, wave) -> None:
    make(models["emotion2vec"][0]).encode(wave)
    assert not [name for name in sys.modules if name.partition(".")[0] == "funasr"]
    with implementation() as cls:
        assert sys.modules["funasr"].__path__
        assert cls.__module__ == "funasr.models.emotion2vec.model"
        with implementation() as again:  # as where somebody has imported it before: it is used and left
            assert again is cls
        assert "funasr" in sys.modules


@needs_funasr
@pytest.mark.slow
def test_funasr_itself_gives_the_same_from_the_same_folder(models, wave, tmp_path: Path) -> None:
    """Through the published way in, with the package imported as a whole: config.yaml and model.pt of one folder."""
    folder, _ = models["emotion2vec"]
    np.save(tmp_path / "wave.npy", wave)
    code = """
import sys, numpy, torch, yaml
import funasr
from funasr.models.emotion2vec.model import Emotion2vec
from funasr.train_utils.load_pretrained_model import load_pretrained_model

folder, place = sys.argv[1:]
model = Emotion2vec(**yaml.safe_load(open(folder + "/config.yaml"))).eval()
load_pretrained_model(folder + "/model.pt", model)
with torch.no_grad():
    wave = numpy.load(place + "/wave.npy")
    results, _ = model.inference([wave], key=["a"], device="cpu", granularity="frame")
numpy.save(place + "/out.npy", results[0]["feats"])
"""
    subprocess.run([sys.executable, "-c", code, str(folder), str(tmp_path)], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), make(folder).encode(wave).layers[-1])


# -- with funasr: weights that fit, and weights that do not ------------------------------------------------------------


def changed(source: Path, target: Path, change: Any) -> Path:
    """A copy of a model whose weights are changed in place."""
    shutil.copytree(source, target)
    content = torch.load(target / "model.pt", weights_only=True)
    change(content["model"])
    torch.save(content, target / "model.pt")
    return target


def drop(state: dict[str, Any]) -> None:
    del state["blocks.1.attn.qkv.bias"], state["modality_encoders.AUDIO.extra_tokens"]


def reshape(state: dict[str, Any]) -> None:
    state["blocks.0.mlp.fc1.weight"] = state["blocks.0.mlp.fc1.weight"][:-1]


def deepen(state: dict[str, Any]) -> None:
    state.update({name.replace("blocks.1", "blocks.2"): value for name, value in list(state.items())})


def spoil(state: dict[str, Any]) -> None:
    state["blocks.0.norm1.bias"] = "not a tensor"


@needs_funasr
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (drop, "2 missing, such as 'blocks.1.attn.qkv.bias'"),
        (reshape, "1 of another shape, such as 'blocks.0.mlp.fc1.weight'"),
        (deepen, r"\d+ left over, such as 'blocks.2.attn.proj.bias'"),
        (spoil, "1 of another shape, such as 'blocks.0.norm1.bias'"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_a_name(change: Any, told: str, models, wave, tmp_path: Path) -> None:
    upstream = make(changed(models["emotion2vec"][0], tmp_path / "broken", change))
    with pytest.raises(BenchError, match=f"'broken' in .* do not fit its settings: {told}"):
        upstream.encode(wave)


@needs_funasr
def test_all_weights_of_the_encoder_are_known_as_such(models) -> None:
    for folder, model in models.values():
        names = {name for name in model.state_dict() if ENCODER_WEIGHT.search(name)}
        unused = [name for name in model.state_dict() if name not in names]
        assert {name.split(".")[0] if "decoder" not in name else "decoder" for name in unused} == {"proj", "decoder"}
        with implementation() as cls:
            expected = cls(model_conf=make(folder)._settings.for_funasr()).state_dict()
        assert names == set(expected)


@needs_funasr
def test_half_precision_weights_are_computed_with_in_float32(models, wave, tmp_path: Path) -> None:
    folder, model = models["emotion2vec"]

    def halve(state: dict[str, Any]) -> None:
        state.update({name: value.half() for name, value in state.items() if name != "_ema"})

    features = make(changed(folder, tmp_path / "half", halve)).encode(wave).layers
    rounded = copy.deepcopy(model).half().float()
    with torch.no_grad():
        results, _ = rounded.inference([wave.copy()], key=["a"], device="cpu", granularity="frame")
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features[-1], results[0]["feats"])


@needs_funasr
def test_an_older_scale_of_the_biases_is_read_as_fairseq_reads_it(models, wave, tmp_path: Path) -> None:
    folder, _ = models["emotion2vec"]

    def flatten(state: dict[str, Any]) -> None:
        state["modality_encoders.AUDIO.alibi_scale"] = state["modality_encoders.AUDIO.alibi_scale"][0]

    found = make(changed(folder, tmp_path / "older", flatten)).encode(wave).layers
    np.testing.assert_array_equal(found, make(folder).encode(wave).layers)


def fairseq_file(path: Path, state: dict[str, Any], conf: dict[str, Any]) -> Path:
    """A checkpoint as fairseq writes it: the configuration beside the weights, and what a training needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model = {key: value for key, value in conf.items() if key != "normalize"}
    content = {
        "args": None,
        "cfg": {"model": {"_name": "data2vec_multi", **model}, "task": {"normalize": conf["normalize"]}},
        "model": {**state, "_ema": {"blocks.0.norm1.bias": torch.zeros(2)}},
        "optimizer_history": [{"num_updates": 3}],
        "extra_state": {"metrics": []},
    }
    torch.save(content, path)
    return path.parent


@needs_funasr
def test_a_file_of_fairseq_needs_nothing_beside_it(models, wave, tmp_path: Path) -> None:
    folder, model = models["data2vec2"]
    conf = settings(**copy.deepcopy(VARIANTS["data2vec2"]))
    upstream = Data2Vec2(str(fairseq_file(tmp_path / "d" / "base_libri.pt", model.state_dict(), conf)))
    np.testing.assert_array_equal(upstream.encode(wave).layers, make(folder).encode(wave).layers)
    assert upstream.trained_on == ()


# -- without funasr: what a user meets first ---------------------------------------------------------------------------


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch, tmp_path: Path, wave) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "funasr"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "funasr", None)
    folder = write_config(tmp_path / "m", settings())
    torch.save({"model": {}}, folder / "model.pt")
    ((entry, _),) = Registry().upstream_entries(f"emotion2vec:{folder}")
    assert entry.extra == "funasr"
    with pytest.raises(MissingError, match=r"need the package funasr, which is not installed") as error:
        Registry().upstream(f"emotion2vec:{folder}").encode(wave)
    assert "pip install 'serbench[funasr]'" in error.value.hint


@pytest.mark.parametrize("error", ["ImportError('no omegaconf')", "OSError('libtorchaudio.so is broken')"])
def test_what_the_package_lacks_is_told(error: str, monkeypatch, tmp_path: Path) -> None:
    package = tmp_path / "funasr" / "models" / "emotion2vec"
    package.mkdir(parents=True)
    for folder in (package, package.parent, package.parent.parent):
        (folder / "__init__.py").touch()
    (tmp_path / "funasr" / "__init__.py").write_text("raise SystemExit('the whole package was imported')")
    (package / "model.py").write_text(f"print('a notice')\nraise {error}\n")
    monkeypatch.syspath_prepend(tmp_path)
    told = r"funasr is installed, but its .* cannot be imported: .*(omegaconf|broken)"
    with pytest.raises(MissingError, match=told), implementation():
        pass
    assert "funasr" not in sys.modules


def test_both_names_are_listed_with_what_they_need() -> None:
    entries = {entry.name: entry for entry in Registry().upstreams()}
    for name in ("emotion2vec:", "data2vec2:"):
        assert entries[name].extra == "funasr"
        assert "FunASR" in entries[name].summary


def test_what_is_known_before_the_first_encoding_needs_no_weights_and_no_package(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "tiny", settings())
    (folder / "model.pt").write_bytes(b"not looked into")
    code = (
        "import sys; from upstreams.funasr.emotion2vec import Emotion2vec; upstream = Emotion2vec(sys.argv[1]); "
        "from benchmark.base.identity import identity_of; "
        "identity_of(upstream); print(upstream.name, upstream.layers, upstream.dim, upstream.frame_rate); "
        "sys.exit('torch' in sys.modules or 'funasr' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(folder)], check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, f"emotion2vec:tiny {PRENET + TRUNK + 1} {DIM} 50.0\n"), run.stderr


def test_contamination_is_known(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "m", settings())
    names = {entry.name for entry in Registry().corpora()}
    assert Registry().upstream(f"emotion2vec:{folder}").trained_on == ("iemocap", "meld", "cmu-mosei", "msp-podcast")
    assert set(Emotion2vec.trained_on) <= names


def test_an_emotion2vec_is_not_taken_for_a_data2vec2(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "m", settings())
    with pytest.raises(UsageError, match="'m' has 3 utterance tokens") as error:
        Data2Vec2(str(folder))
    assert f"emotion2vec:{folder}" in error.value.hint


# -- without funasr: files ---------------------------------------------------------------------------------------------


def test_the_digest_is_of_weights_and_settings_whatever_they_are_called(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "a", settings())
    (folder / "emotion2vec_base.pt").write_bytes(b"weights")
    first = FunASRCheckpoint(str(folder))
    assert (first.label, first.weights.name) == ("a", "emotion2vec_base.pt")
    other = Path(shutil.copytree(folder, tmp_path / "b"))
    (other / "emotion2vec_base.pt").rename(other / "model.pt")
    (other / "tokens.txt").write_text("not used")
    assert FunASRCheckpoint(str(other)).sha256 == first.sha256
    (other / "model.pt").write_bytes(b"weightz")
    assert FunASRCheckpoint(str(other)).sha256 != first.sha256
    write_config(folder, settings(normalize=False))
    assert FunASRCheckpoint(str(folder)).sha256 != first.sha256


def test_missing_and_ambiguous_weights_are_told(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "m", settings())
    with pytest.raises(MissingError, match=r"'m' has no weights: .* holds no model\.pt and no \.pt file"):
        assert FunASRCheckpoint(str(folder)).sha256
    for name in ("b.pt", "a.pt"):
        (folder / name).write_bytes(b"x")
    with pytest.raises(MissingError, match=r"no model\.pt, and a\.pt, b\.pt: which is meant"):
        assert FunASRCheckpoint(str(folder)).sha256
    (folder / "model.pt").write_bytes(b"x")
    assert FunASRCheckpoint(str(folder)).weights.name == "model.pt"
    (folder / "model.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(MissingError, match=r"'m' has no weights: model\.pt is a pointer of Git LFS"):
        assert FunASRCheckpoint(str(folder)).sha256
    with pytest.raises(MissingError, match="neither a folder that exists nor a Hub id"):
        Emotion2vec(str(tmp_path / "gone" / "m"))
    with pytest.raises(UsageError, match="revision"):
        Emotion2vec(str(folder), revision="main")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"model": "os.system"}, "is of a model 'os.system'"),
        ({"model_conf": None}, "model_conf in config.yaml of 'm'"),
        ({"model_conf": settings(depth="8")}, "'depth' in model_conf"),
        ({"model_conf": settings(depth=True)}, "'depth' in model_conf"),
        ({"model_conf": settings(normalize=None)}, "'normalize' in model_conf"),
        ({"model_conf": {k: v for k, v in settings().items() if k != "normalize"}}, "key 'normalize' is missing"),
        ({"model_conf": settings(audio={"num_alibi_heads": "${model.num_heads}"})}, "num_alibi_heads"),
        ({"model_conf": settings(audio={"learned_alibi": True})}, "learned_alibi"),
        ({"model_conf": settings(audio={"feature_encoder_spec": "__import__('os')"})}, "feature_encoder_spec"),
    ],
)
def test_settings_that_are_none_are_refused(content: dict[str, Any], told: str, tmp_path: Path) -> None:
    folder = write_config(tmp_path / "m", settings())
    (folder / "config.yaml").write_text(yaml.safe_dump({"model": "Emotion2vec", "model_conf": settings(), **content}))
    with pytest.raises(UsageError) as error:
        Emotion2vec(str(folder))
    assert told in error.value.message


def test_no_code_of_a_configuration_runs(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    call = f"open({str(trace)!r}, 'w').close()"
    for spec in (f"[(16, 10, 5)] + [{call}]", f"[(16, 10, 5) for _ in [{call}]]", f"({call}) or [(16, 10, 5)]"):
        folder = write_config(tmp_path / "m", settings(audio={"feature_encoder_spec": spec}))
        with pytest.raises(UsageError, match="feature_encoder_spec"):
            Emotion2vec(str(folder))
    (folder / "config.yaml").write_text(f"model: !!python/object/apply:exec [{call!r}]\n")
    with pytest.raises(UsageError, match=r"config\.yaml is not valid YAML"):
        Emotion2vec(str(folder))
    assert not trace.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONVOLUTIONS, [(16, 10, 5), *[(16, 3, 2)] * 4, (16, 2, 2), (16, 2, 2)]),
        ("[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512,2,2)] + [(512,2,2)]", eval),
        (" [[8, 2, 1]] * 2 ", [(8, 2, 1)] * 2),
    ],
)
def test_lists_of_convolutions_are_read_as_python_would(text: str, expected: Any) -> None:
    assert list(parse_convolutions(text)) == (expected(text) if callable(expected) else expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "7", "a", None, 3, [(1, 2, 3)], "[(1, 2, 3)", "[" * 900, "-" * 999 + "1"),
        *("[(1, 2)]", "[(1, 2, 0)]", "[(1, 2, -3)]", "[(1, 2, 3.0)]", "[(1, 2, True)]", "3 * [(1, 2, 3)]"),
        *("[(1, 2, 3)] * 65", "[(1, 2, 3)] * 10 ** 9", "[(1, 2, 3)] * 99999"),
    ],
)
def test_other_texts_are_no_lists_of_convolutions(text: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_convolutions(text)


class _Trap:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    folder = write_config(tmp_path / "m", settings())
    torch.save({"model": {}, "cfg": _Trap(trace)}, folder / "model.pt")
    with pytest.raises(BenchError, match=r"the weights model\.pt of 'm' cannot be loaded, or hold more than") as error:
        FunASRCheckpoint(str(folder)).state()
    assert "if you trust it" in error.value.hint
    (folder / "config.yaml").unlink()
    with pytest.raises(BenchError, match=r"the weights model\.pt of 'm' cannot be loaded"):
        Emotion2vec(str(folder))
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\x03\x04" + b"x" * 100])
def test_a_damaged_file_is_told(content: bytes, tmp_path: Path) -> None:
    folder = write_config(tmp_path / "m", settings())
    (folder / "model.pt").write_bytes(content)
    with pytest.raises(BenchError, match=r"model\.pt of 'm' cannot be loaded"):
        FunASRCheckpoint(str(folder)).load()


def test_weights_are_found_where_funasr_looks(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "m", settings())
    weight = {"a": torch.ones(1)}
    for content in (weight, {"model": weight}, {"state_dict": weight}, {"model_state_dict": {"model": weight}}):
        torch.save(content, folder / "model.pt")
        assert FunASRCheckpoint(str(folder)).state() == weight
    torch.save([torch.ones(1)], folder / "model.pt")
    with pytest.raises(BenchError, match="holds list, not weights by name"):
        FunASRCheckpoint(str(folder)).state()


def test_the_settings_of_a_file_of_fairseq_are_its_own(tmp_path: Path) -> None:
    folder = fairseq_file(tmp_path / "m" / "base_libri.pt", {}, settings(depth=1, audio={"num_extra_tokens": 0}))
    upstream = Data2Vec2(str(folder))
    assert (upstream.layers, upstream.dim, upstream.name) == (PRENET + 1 + 1, DIM, "data2vec2:m")
    write_config(folder, settings(audio={"num_extra_tokens": 0}))
    assert Data2Vec2(str(folder)).layers == PRENET + TRUNK + 1  # a config.yaml goes first
    (folder / "config.yaml").unlink()
    torch.save({"model": {}}, folder / "base_libri.pt")
    with pytest.raises(MissingError, match=r"'m' has no settings: .* holds no config\.yaml, and base_libri\.pt no"):
        Data2Vec2(str(folder))
    torch.save({"model": {}, "cfg": {"model": settings()}}, folder / "base_libri.pt")
    with pytest.raises(UsageError, match="has no model and no task"):
        Data2Vec2(str(folder))


# -- without funasr: the Hub -------------------------------------------------------------------------------------------

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, list[str]]]:
    """A Hub with one model; what was asked of it."""
    import huggingface_hub
    from huggingface_hub import constants

    remote = write_config(tmp_path / "remote", settings())
    (remote / "model.pt").write_bytes(b"weights")
    seen: list[tuple[str, str | None, list[str]]] = []

    def snapshot_download(model: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        seen.append((model, revision, allow_patterns))
        folder = tmp_path / "cache" / f"models--{model.replace('/', '--')}"
        snapshot = folder / "snapshots" / COMMIT
        snapshot.mkdir(parents=True, exist_ok=True)
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(COMMIT)
        for pattern in allow_patterns:
            for path in remote.glob(pattern):
                shutil.copy(path, snapshot)
        return str(snapshot)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return seen


def test_a_hub_model_is_fetched_in_two_steps_and_then_never_again(asked) -> None:
    upstream = Emotion2vec("owner/tiny")
    assert asked == [("owner/tiny", None, ["config.yaml"])]
    digest = upstream.weights_sha256()
    assert asked[1:] == [("owner/tiny", COMMIT, ["*.pt"])]
    assert (upstream.name, upstream.params["model"]) == ("emotion2vec:owner/tiny", "owner/tiny")
    again = Emotion2vec("owner/tiny", name="row")
    assert again.weights_sha256() == digest == Emotion2vec("remote").weights_sha256()
    assert (again.name, again.params["model"], len(asked)) == ("row", "row", 2)


def test_a_hub_that_cannot_be_reached_is_told(monkeypatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MissingError, match=r"'owner/gone' at revision 'v1' is not in the Hub's cache"):
        Emotion2vec("owner/gone", revision="v1")
