"""Lower precision and batches: what changes the features, and what must not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_models import ARCHITECTURES, save_model

from benchmark.base.identity import identity_of
from benchmark.contracts import check_upstream
from benchmark.contracts.upstream import probe
from benchmark.errors import UsageError
from upstreams.pretrained import huggingface
from upstreams.pretrained.huggingface import HuggingFace

Models = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("one_thread")
# Largest difference to float32, relative to the largest value; eight and eleven bits round by 0.004 and 0.0005.
CLOSE = {"bf16": 0.1, "fp16": 0.01}
# Seconds; the shortest is that of the shortest speech, the longest is long beside it, for Whisper beyond its window.
MIXTURE = (0.1, 12.0, 3.0, 0.7, 3.0, 7.0)
BEYOND_A_WINDOW = 31.0


def wave(duration: float = 0.5, seed: int = 0) -> NDArray[np.float32]:
    return probe(duration, 16_000, seed)


class Together(HuggingFace):
    """On a CPU as on a GPU."""

    _together = True
    concurrent = False  # the model is patched while a batch is encoded


# -- lower precision --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def groupless(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Models whose positional convolution has one group.

    With fewer than 16 channels in a group, which no published model has, torch 2.13 computes it wrong in bfloat16 on
    some CPUs.
    """
    made: dict[str, Path] = {}

    def model(architecture: str) -> Path:
        if architecture not in made:
            positional = "num_conv_pos_embedding_groups" in ARCHITECTURES[architecture][1]
            changes = {"num_conv_pos_embedding_groups": 1} if positional else {}
            folder = tmp_path_factory.mktemp("groupless") / architecture
            made[architecture] = save_model(folder, architecture, **changes)
        return made[architecture]

    return model


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_lower_precision_is_close_and_another_identity(architecture: str, precision: Any, groupless: Models) -> None:
    folder = str(groupless(architecture))
    full, lower = HuggingFace(folder), HuggingFace(folder)
    lower.precision = precision
    assert precision in HuggingFace.precisions
    assert identity_of(lower) == {**identity_of(full), "precision": precision}
    expected, found = full.encode(wave()).layers, lower.encode(wave()).layers
    assert (found.dtype, found.shape) == (np.float32, expected.shape)
    assert np.isfinite(found).all()
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    assert 1e-5 < difference < CLOSE[precision]
    assert lower.encode(wave()).layers.tobytes() == found.tobytes()
    batch = lower.encode_batch([wave(1.0, 1), wave()])
    assert batch[1].layers.tobytes() == found.tobytes()
    assert {weight.dtype for weight in lower._model.parameters()} == {full._model.dtype}
    assert full.encode(wave()).layers.tobytes() == expected.tobytes()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("architecture", ["wav2vec2-base", "whisper"])
def test_threads_in_a_lower_precision_do_not_reach_each_other(
    architecture: str, precision: Any, groupless: Models
) -> None:
    """Autocast keeps the weights that it has converted for all threads, and drops them when one is done."""

    def lower() -> HuggingFace:
        upstream = HuggingFace(str(groupless(architecture)))
        upstream.precision = precision
        return upstream

    (check,) = [check for check in check_upstream(lower) if "threads" in check.name]
    check.run()


def test_lower_precision_is_that_of_the_forward_pass_and_not_of_the_input(tiny_model: Models) -> None:
    import torch

    seen = []
    for precision in (None, "bf16"):
        upstream = HuggingFace(str(tiny_model("whisper")))
        upstream.precision = precision
        upstream.encode(wave())
        upstream._model.conv1.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
        upstream.encode(wave())
    assert seen[0].dtype == seen[1].dtype == torch.float32
    assert torch.equal(seen[0], seen[1])


def test_a_precision_that_torch_cannot_compute_in_is_refused(
    tiny_model: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch warns and goes on in float32 where autocast does not support a type, and raises where a GPU does not."""
    import torch

    def warn(*_: Any, **__: Any) -> None:
        warnings.warn("In CPU autocast, but the target dtype is not supported. Disabling autocast.", stacklevel=2)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("Current CUDA Device does not support bfloat16")

    upstream = HuggingFace(str(tiny_model("hubert-base")))
    upstream.precision = "fp16"
    for autocast, reason in ((warn, "Disabling autocast"), (fail, "does not support bfloat16")):
        monkeypatch.setattr(torch, "autocast", autocast)
        with pytest.raises(UsageError, match=f"torch cannot compute in 'fp16' on 'cpu': .*{reason}"):
            upstream.encode(wave())


# -- batches ----------------------------------------------------------------------------------------------------------


def test_a_cpu_encodes_one_at_a_time_and_other_devices_together(
    tiny_model: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, tuple[int, int]]] = []
    original = huggingface.encode_together

    def counted(model: Any, model_type: str, inputs: Any, *, shape: tuple[int, int]) -> Any:
        calls.append((len(inputs), shape))
        return original(model, model_type, inputs, shape=shape)

    monkeypatch.setattr(huggingface, "encode_together", counted)
    alone, together = HuggingFace(str(tiny_model("hubert-base"))), Together(str(tiny_model("hubert-base")))
    waves = [wave(0.5), wave(1.2, 1), wave(0.51, 2)]
    expected = alone.encode_batch(waves)
    assert calls == []
    assert [each.layers.tobytes() for each in expected] == [alone.encode(each).layers.tobytes() for each in waves]
    found = together.encode_batch(waves)
    assert calls == [(2, (117, 8192)), (1, (46, 20480))]  # 60 s each: the first and the last, and the second
    assert together.encode(waves[0]).layers.tobytes() == found[0].layers.tobytes()  # its company changes no byte
    np.testing.assert_allclose(together.encode(waves[2]).layers, found[2].layers, atol=1e-6)  # in another row
    assert identity_of(together)["params"] == identity_of(alone)["params"]
    for one, other in zip(expected, found, strict=True):
        assert one.layers.tobytes() != other.layers.tobytes()  # else it was not together
        np.testing.assert_allclose(one.layers, other.layers, atol=1e-5)
        assert other.layers.flags.c_contiguous
    assert alone.encode_batch([]) == together.encode_batch([]) == []
    asked: list[bool] = []
    monkeypatch.setattr(HuggingFace, "_encode", lambda _, __, together: asked.append(together) or [])
    for alone.device in ("cpu", "cuda", "cuda:1"):
        alone.encode_batch(waves)
    assert asked == [False, True, True]


def test_whispers_windows_are_encoded_together_some_at_a_time(
    tiny_model: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface, "WINDOWS_TOGETHER", 2)
    waves = [wave(0.5), wave(61.0, 1), wave(1.2, 2)]
    found = Together(str(tiny_model("whisper"))).encode_batch(waves)
    alone = HuggingFace(str(tiny_model("whisper")))
    assert [each.layers.shape[1] for each in found] == [25, 3050, 60]
    for samples, features in zip(waves, found, strict=True):
        np.testing.assert_allclose(alone.encode(samples).layers, features.layers, atol=1e-5)


def test_a_batch_holds_more_on_a_gpu(tiny_model: Models) -> None:
    upstream = HuggingFace(str(tiny_model("hubert-base")))
    assert upstream.batch_seconds == 30
    upstream.device = "cuda:0"
    assert upstream.batch_seconds == 240
    upstream.batch_seconds = 100
    assert upstream.batch_seconds == 100


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_contract_when_encoded_together(architecture: str, tiny_model: Models) -> None:
    for check in check_upstream(lambda: Together(str(tiny_model(architecture)))):
        check.run()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", [HuggingFace, Together])
def test_a_mixture_of_lengths_makes_no_difference(architecture: str, kind: Any, tiny_model: Models) -> None:
    upstream = kind(str(tiny_model(architecture)))
    lengths = [BEYOND_A_WINDOW if architecture == "whisper" and one == max(MIXTURE) else one for one in MIXTURE]
    waves = [wave(duration, seed) for seed, duration in enumerate(lengths)]
    alone = [upstream.encode(samples).layers for samples in waves]
    for order in ((0, 1, 2, 3, 4, 5), (4, 3, 0, 5, 2, 1), (0, 3)):
        batch = upstream.encode_batch([waves[index] for index in order])
        for index, features in zip(order, batch, strict=True):
            np.testing.assert_allclose(features.layers, alone[index], rtol=0, atol=1e-5)
