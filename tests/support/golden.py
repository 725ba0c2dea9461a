"""Golden numbers: what each part computes of a fixed input, by its declared version, and the digest of its code.

    python tests/support/golden.py        # compute again and write tests/data/golden.json

It refuses to write other numbers for a version that is recorded: whoever changes what a part computes raises its
`version` first, so that published rows of both can be told apart.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests" / "data" / "golden.json"
RATE = 16_000
# How far numbers may lie apart that processors and library versions round differently.
FEATURES, SCORES = 1e-3, 2e-2
# 30 000 steps of classes, and other layers than those of `lam-gl`: the numbers of these classes are here.
SLOW = ("superb-s3prl", "finetune-s3prl", "lam-al", "lam-bl", "lam-rl1", "lam-rl2", "lam-rl3", "lam-wl")
ARCHITECTURES = (
    "wav2vec2-base",
    "wav2vec2-large",
    "hubert-base",
    "wavlm-base",
    "data2vec-audio",
    "whisper",
    "moonshine",
    "wav2vec2-bert",
)


@dataclass(frozen=True)
class Golden:
    """One part.

    Attributes:
        version: That it declares.
        code: Digest of the code that it reaches.
        numbers: Computes what it makes of a fixed input; None where the base environment has not what it needs.
        tolerance: How far a number may lie from the recorded one, relative to the largest of all.
    """

    version: int
    code: str
    numbers: Callable[[], list[float]] | None
    tolerance: float


def speech(seconds: float = 1.3) -> np.ndarray:
    """A voice-like sound: harmonics of a gliding pitch, with noise, louder and softer: (n,) float32."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(3 * time)) / RATE
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 20))
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal(len(time))
    return np.float32(0.1 * (voice * (0.6 + 0.4 * np.sin(9 * time)) + 0.05 * noise))


def told(layers: np.ndarray) -> list[float]:
    """Few numbers in which any change of (L, T, D) features shows: moments, and some values of each layer."""
    wide = layers.astype(np.float64)
    some = wide[:, :: max(1, wide.shape[1] // 3), :: max(1, wide.shape[2] // 4)]
    return [
        *map(float, wide.shape),
        *map(float, wide.mean(axis=(1, 2))),
        *map(float, wide.std(axis=(1, 2))),
        *map(float, some.ravel()[:40]),
    ]


def parts(folder: Path) -> dict[str, Golden]:
    """Every part by name; the small models of random weights that some need are saved in a folder."""
    return {**_hub(), **_upstreams(folder), **_downstreams()}


def _hub() -> dict[str, Golden]:
    from benchmark.base.code import code_sha256
    from benchmark.features import encoding
    from benchmark.features.pooling import POOLINGS
    from benchmark.run import fitting
    from benchmark.run.describing import FEEDING
    from benchmark.types import Features

    layers = np.random.Generator(np.random.PCG64(1)).standard_normal((3, 7, 5)).astype(np.float32)
    made = {
        f"pooling {name}": Golden(
            encoding.VERSION,
            code_sha256(POOLINGS[name]),
            lambda name=name: told(np.atleast_3d(POOLINGS[name](Features(layers, 50.0)))),
            FEATURES,
        )
        for name in POOLINGS
    }
    made["hearing"] = Golden(encoding.VERSION, code_sha256(encoding.read_wave, encoding.encode_batch), _heard, FEATURES)
    made["fitting"] = Golden(fitting.VERSION, code_sha256(*FEEDING), _counted, SCORES)
    return made


def _counted() -> list[float]:
    """The decisions, by fold and speaker, of a head on features that say nothing: whatever feeds it shows in them."""
    import yaml
    from toy import TOY_TASK, write_toy_corpus

    from benchmark.io.settings import Settings
    from benchmark.records import RecordStore
    from benchmark.registry.registry import Registry
    from benchmark.run.loop import run
    from benchmark.run.plan import Request

    progress = SimpleNamespace(
        note=lambda text: None,
        problem=lambda text: None,
        stage=lambda title, total: nullcontext(lambda count: None),
        encoding=lambda title, utterances, seconds: nullcontext(lambda count, audio: None),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = folder / "toy.yaml"
        task.write_text(yaml.safe_dump(TOY_TASK))
        settings = Settings(folder / "cache", folder / "results", data={"toy": write_toy_corpus(folder / "corpus")})
        run(Request(["chance"], [str(task)], ["svm"]), Registry(), settings, progress, "cpu")
        records = sorted(RecordStore(settings.results), key=lambda record: record.fold)
    return [value for record in records for rows in record.by_speaker.values() for row in rows for value in row]


def _heard() -> list[float]:
    """What decoding and resampling make of a stereo file of 22.05 kHz."""
    from benchmark.data.audio import decode
    from benchmark.types import Utterance

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = np.stack([speech(), 0.5 * speech()], axis=1)
        soundfile.write(folder / "a.wav", sound, 22_050, subtype="PCM_16")
        wave = decode(folder, Utterance("a", "a.wav", start=0.1, end=0.9), None, folder)
    return told(wave.at(RATE)[np.newaxis, :, np.newaxis])


def _upstreams(folder: Path) -> dict[str, Golden]:
    from benchmark.base.code import code_sha256
    from benchmark.base.combined import Fusion, LayersOf
    from benchmark.registry.registry import Registry

    registry = Registry()

    def of(upstream: Any) -> Callable[[], list[float]]:
        return lambda: told(upstream.encode(speech()).layers)

    targets = {entry.name: entry.target for entry in registry.upstreams()}
    made = {}
    for entry in registry.upstreams():
        if entry.arguments or entry.name.endswith(":"):
            continue
        upstream = registry.upstream(entry.name)
        made[entry.name] = Golden(type(upstream).version, code_sha256(type(upstream)), of(upstream), FEATURES)
    for name in ARCHITECTURES:
        upstream = registry.upstream(f"hf:{_model(folder / name, name)}")
        made[f"hf: {name}"] = Golden(type(upstream).version, code_sha256(type(upstream)), of(upstream), FEATURES)
    for prefix in ("emotion2vec:", "data2vec2:", "s3prl:", "precomputed:"):  # of packages that are extras, or of files
        module, _, attribute = targets[prefix].partition(":")
        cls = getattr(importlib.import_module(module), attribute)
        made[prefix] = Golden(cls.version, code_sha256(cls), None, FEATURES)
    for prefix in ("pretrained:", "pretrained-utterance:"):
        upstream = registry.upstream(f"{prefix}{_pretrained(folder / 'pretrained')}")
        made[prefix] = Golden(type(upstream).version, code_sha256(type(upstream)), of(upstream), FEATURES)
    logmel, mfcc = registry.upstream("logmel"), registry.upstream("mfcc")
    for name, combined in (("layers", LayersOf(logmel, "mean-last-1")), ("fusion", Fusion([logmel, mfcc]))):
        made[name] = Golden(type(combined).version, code_sha256(type(combined)), of(combined), FEATURES)
    return made


def _model(folder: Path, architecture: str) -> Path:
    """A small model whose weights do not depend on how a version of transformers draws them."""
    from safetensors.numpy import load_file, save_file
    from tiny_models import save_model

    (file,) = save_model(folder, architecture).glob("*.safetensors")
    random, weights = np.random.Generator(np.random.PCG64(2)), load_file(file)
    for name in sorted(weights):
        drawn = random.standard_normal(weights[name].shape)
        is_scale = weights[name].ndim == 1 and name.endswith("weight")
        weights[name] = np.asarray(1 + 0.1 * drawn if is_scale else 0.1 * drawn, np.float32)
    save_file(weights, file, metadata={"format": "pt"})
    return folder


def _pretrained(folder: Path) -> Path:
    """A model of `bench pretrain` whose weights no training and no version of torch decides."""
    import torch
    from tiny_pretraining import tiny

    from upstreams.pretraining.about import FORMAT, PREFIX, About
    from upstreams.pretraining.export import export
    from upstreams.pretraining.training import new_student

    recipe = tiny()
    student, random = new_student(recipe), np.random.Generator(np.random.PCG64(3))
    for name, weight in sorted(student.named_parameters()):
        drawn = 0.1 * random.standard_normal(weight.shape)
        is_scale = weight.ndim == 1 and name.endswith("weight")
        weight.data.copy_(torch.from_numpy(np.asarray(1 + drawn if is_scale else 3 * drawn)))
    about = About(
        upstream=PREFIX,
        format=FORMAT,
        recipe=recipe,
        changed=[],
        start={"kind": "cold", "model": ""},
        data=[],
        trained_on=[],
        parameters=0,
        last={},
        versions={},
    )
    export(student, about, folder)
    return folder


def _downstreams() -> dict[str, Golden]:
    from benchmark.base.code import code_sha256
    from benchmark.contracts.toy_upstream import ToyUpstream
    from benchmark.contracts.toys import select, toy_of
    from benchmark.registry.registry import Registry

    registry = Registry()

    def of(name: str) -> Callable[[], list[float]]:
        def numbers() -> list[float]:
            head = registry.downstream(name)
            head.upstream = ToyUpstream() if head.needs == "waveform" else None
            train, dev, test = (
                toy_of(head, utterances=count, speakers=3, seed=seed, kind=head.kinds[0])
                for seed, count in enumerate((45, 18, 18))
            )
            head.fit(train, dev, seed=0, **({"adapt": select(test, list(range(18)))} if head.adapts else {}))
            scores = head.predict(test)
            return [float(value) for value in np.exp(scores - scores.max(axis=1, keepdims=True)).ravel()]

        return numbers

    return {
        f"{entry.name} (head)": Golden(
            cls.version, code_sha256(cls), None if entry.name in SLOW else of(entry.name), SCORES
        )
        for entry in registry.downstreams()
        for cls in [type(registry.downstream(entry.name))]
    }


def recorded() -> dict[str, dict[str, Any]]:
    """What is recorded: version, code and numbers by part."""
    return dict(json.loads(FILE.read_text()))


def differs(golden: Golden, found: list[float], known: Mapping[str, Any]) -> str | None:
    """How numbers differ from those that are recorded, in words; None where they do not."""
    expected = known["numbers"]
    if len(found) != len(expected):
        return f"{len(found)} numbers instead of {len(expected)}"
    scale = max(1e-12, float(np.abs(expected).max()))
    apart = np.abs(np.subtract(found, expected)) / scale
    if not (apart <= golden.tolerance).all():
        worst = int(np.nan_to_num(apart, nan=np.inf).argmax())
        return f"number {worst} is {found[worst]:.6g} instead of {expected[worst]:.6g}"
    return None


def main() -> None:
    """Record the numbers of parts whose version was raised, and the code of those whose numbers are as they were.

    A part whose code is the recorded one is not computed again: the tests do that.
    """
    known = recorded() if FILE.is_file() else {}
    refused, lines = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, golden in sorted(parts(Path(folder)).items()):
            before = known.get(name)
            if before is not None and (before["version"], before["code"]) == (golden.version, golden.code):
                lines[name] = before
                continue
            numbers = None if golden.numbers is None else golden.numbers()
            if before is not None and before["version"] == golden.version:
                is_known = numbers is not None and before["numbers"] is not None
                difference = differs(golden, numbers, before) if is_known else None
                if difference is not None:
                    refused.append(f"{name}: {difference}; raise its version, which is {golden.version}")
                numbers = before["numbers"] if is_known else numbers
            lines[name] = {"version": golden.version, "code": golden.code, "numbers": numbers}
    if refused:
        sys.exit("\n".join(refused))
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(line)}" for name, line in lines.items())
    FILE.write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]
    main()
