"""Heads that train the upstream: on the toy upstream of the contract, and on small models of transformers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import save_model

from benchmark.base import Upstream
from benchmark.base.identity import identity_of
from benchmark.contracts import check_downstream
from benchmark.contracts.toy_upstream import ToyUpstream
from benchmark.contracts.toys import toy
from benchmark.errors import BenchError, UsageError
from benchmark.io.kept import read_kept, write_kept
from benchmark.types import Examples
from downstreams.heads.finetune import Finetune
from downstreams.params.finetune import FinetuneMeanParams
from upstreams.pretrained.huggingface import HuggingFace

RECIPE = {
    "trains": "all",
    "layers": "all",
    "hidden": 16,
    "activation": "none",
    "max_seconds": None,
    "batch_size": 8,
    "optimiser": {"name": "adam", "learning_rate": 0.01},
    "maximum": 4,
    "patience": None,
    "select_on": "primary",
}
LOW_RANK = {"trains": "low-rank", "low_rank": {"rank": 2, "alpha": 2, "targets": "feed-forward"}}
TRAIN, DEV, TEST = (
    toy("waveform", utterances=n, speakers=3, seed=seed, frames=(5, 12)) for seed, n in enumerate((45, 18, 18))
)


def head(upstream: Upstream | None = None, **changes: Any) -> Finetune:
    made = Finetune(FinetuneMeanParams.model_validate({**RECIPE, **changes}))
    made.upstream = upstream or ToyUpstream()
    return made


def fitted(upstream: Upstream | None = None, train: Examples = TRAIN, **changes: Any) -> Finetune:
    made = head(upstream, **changes)
    made.fit(train, DEV, seed=0)
    return made


def state(made: Finetune) -> np.ndarray:
    return np.concatenate([value.numpy().ravel() for value in made.module.state_dict().values()])


def test_it_keeps_the_contract_of_heads() -> None:
    for check in check_downstream(lambda: head(maximum=8)):
        check.run()


def test_what_was_tuned_encodes_as_it_did_in_training_and_the_upstream_is_as_it_was() -> None:
    upstream = ToyUpstream()
    before = upstream.encode(TEST.x[0]).layers
    made = fitted(upstream)
    np.testing.assert_array_equal(upstream.encode(TEST.x[0]).layers, before)
    after = made.module.trainable.layers([TEST.x[0]], "cpu")[0].detach().numpy()
    assert not np.allclose(after, before, atol=1e-3)


@pytest.mark.parametrize("loss", ["classes", "values"])
def test_an_optimiser_step_does_not_depend_on_how_a_batch_is_cut(loss: str) -> None:
    changes: dict[str, Any] = {"optimiser": {"name": "sgd", "learning_rate": 0.05}, "maximum": 1, "dropout": 0.3}
    data, dev = TRAIN, DEV
    if loss == "values":
        data, dev = (
            toy("waveform", utterances=n, speakers=3, seed=n, kind="regression", frames=(5, 12)) for n in (45, 18)
        )
    states = []
    for size in (None, 1, 3):
        made = head(micro_batch=size, **changes)
        made.fit(data, dev, seed=0)
        states.append(state(made))
    start = head(**{**changes, "optimiser": {"name": "sgd", "learning_rate": 1e-9}})
    start.fit(data, dev, seed=0)
    assert np.abs(states[0] - state(start)).max() > 1e-3
    for other in states[1:]:
        np.testing.assert_allclose(other, states[0], rtol=1e-4, atol=1e-5)


def test_on_a_cpu_no_other_device_is_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """For each utterance torch would write down the stack, for the case that a GPU is used later."""
    asked: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", asked.append)
    fitted(maximum=1)
    assert asked == []
    torch.manual_seed(0)
    assert asked == [0]


def test_a_loss_that_is_not_finite_ends_the_unit_with_its_reason() -> None:
    with pytest.raises(
        BenchError, match=r"(the loss of a batch is (nan|inf)|outputs are not finite): training diverged"
    ):
        fitted(optimiser={"name": "sgd", "learning_rate": 1e25})


def test_only_what_the_recipe_trains_changes() -> None:
    before = dict(ToyUpstream().trainable().module.named_parameters())

    def changed(**changes: Any) -> set[str]:
        made = fitted(maximum=1, **changes)
        after = dict(made.module.upstream.named_parameters())
        found = {name for name in before if name in after and not torch.equal(before[name], after[name])}
        heads = sum(p.numel() for p in made.module.head.parameters())
        extra = sum(p.numel() for name, p in after.items() if p.requires_grad)
        assert made.parameters() == heads + extra
        return found

    every = {"front.weight", "front.bias"} | {
        f"blocks.{b}.{n}.{k}" for b in (0, 1) for n in ("first", "second") for k in ("weight", "bias")
    }
    assert changed() == every
    assert changed(frozen=["convolutions", 0]) == {name for name in every if name.startswith("blocks.1")}
    assert changed(trains="last-blocks", blocks=1) == {name for name in every if name.startswith("blocks.1")}
    assert changed(trains="bias-and-norm") == {name for name in every if name.endswith("bias")}


def test_low_rank_matrices_are_all_that_is_trained() -> None:
    made = fitted(**LOW_RANK, maximum=2)
    names = [name for name, p in made.module.upstream.named_parameters() if p.requires_grad]
    assert len(names) == 2 * 4
    assert all("lora_" in name for name in names)
    assert made.parameters() == 4 * 2 * (8 + 8) + sum(p.numel() for p in made.module.head.parameters())
    fixed = {
        name.replace(".base_layer", ""): p for name, p in made.module.upstream.named_parameters() if "lora_" not in name
    }
    for name, parameter in ToyUpstream().trainable().module.named_parameters():
        torch.testing.assert_close(fixed[name], parameter, rtol=0, atol=0)
    for name, parameter in made.module.upstream.named_parameters():
        assert "lora_B" not in name or parameter.abs().max() > 0


def test_a_block_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="the upstream has no block 7: it has 2"):
        fitted(frozen=[7])
    with pytest.raises(UsageError, match="the upstream has no 3 blocks: it has 2"):
        fitted(trains="last-blocks", blocks=3)


def test_a_recipe_that_freezes_all_it_would_train_is_refused() -> None:
    everything = ["convolutions", "embeddings", "norm", 0, 1]
    last = {"trains": "last-blocks", "blocks": 1, "frozen": [1]}
    for changes in (
        {"frozen": everything},
        last,
        {**LOW_RANK, "frozen": [0, 1]},
        {**last, "blocks": 2, "frozen": [0, 1]},
    ):
        with pytest.raises(UsageError, match=r"nothing of the upstream would be trained: the recipe trains .* freezes"):
            fitted(**changes)


def test_a_recipe_states_what_goes_together() -> None:
    for wrong in ({"blocks": 1}, {"trains": "last-blocks"}, {"trains": "low-rank"}):
        with pytest.raises(ValueError, match="goes with"):
            head(**wrong)


def test_an_utterance_beyond_max_seconds_is_cut() -> None:
    made = fitted(max_seconds=0.1, maximum=1)
    cut = replace(TEST, y=None, x=tuple(wave[:1600] for wave in TEST.x))
    np.testing.assert_array_equal(made.predict(cut), made.predict(replace(TEST, y=None)))


def test_without_an_upstream_or_waveforms_it_says_so() -> None:
    made = head()
    made.upstream = None
    with pytest.raises(BenchError, match="the head finetune has no upstream to train"):
        made.fit(TRAIN, DEV, seed=0)
    frames = toy("frames", utterances=45, speakers=3, seed=0)
    with pytest.raises(BenchError, match="'toy0-000' has no waveform"):
        fitted(train=frames)


ARCHITECTURES = ("wav2vec2-base", "hubert-base", "wavlm-base", "whisper", "moonshine")
FEW = toy("waveform", utterances=12, speakers=2, seed=5, frames=(5, 12))


def tuned(folder: Path, architecture: str, **changes: Any) -> tuple[Finetune, list[float]]:
    """A head that has trained a small model, and its losses on train."""
    small = {"init_std": 0.02} if architecture == "whisper" else {"initializer_range": 0.05}
    upstream = HuggingFace(str(save_model(folder, architecture, **small)))
    made = head(upstream, maximum=3, optimiser={"name": "adam", "learning_rate": 0.003}, batch_size=4, **changes)
    selection = made.fit(FEW, replace(FEW, ids=tuple(f"dev-{name}" for name in FEW.ids)), seed=0)
    return made, [point.train_loss for point in selection.curve]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("changes", [{"frozen": ["convolutions"]}, LOW_RANK], ids=["all", "low-rank"])
def test_small_models_learn(tmp_path: Path, architecture: str, changes: dict[str, Any]) -> None:
    made, losses = tuned(tmp_path / "model", architecture, **changes)
    assert losses[-1] < losses[0]
    assert np.isfinite(made.predict(replace(FEW, y=None))).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_tuned_model_encodes_what_it_gave_in_training(tmp_path: Path, architecture: str) -> None:
    made, _ = tuned(tmp_path / "model", architecture)
    with torch.no_grad():
        (expected,) = made.module.trainable.layers([FEW.x[0]], "cpu")
    (tmp_path / "again").mkdir()
    made.module.trainable.save(tmp_path / "again")
    before, after = (HuggingFace(str(tmp_path / name)).encode(FEW.x[0]).layers for name in ("model", "again"))
    np.testing.assert_allclose(after, expected.numpy(), rtol=1e-5, atol=1e-5)
    assert not np.allclose(after, before, atol=1e-3)


def test_the_same_seed_tunes_a_model_to_the_same_bytes(tmp_path: Path) -> None:
    one, other = (tuned(tmp_path / name, "wav2vec2-base", dropout=0.2)[0] for name in ("one", "other"))
    np.testing.assert_array_equal(state(one), state(other))


def test_lower_precision_is_part_of_what_the_head_is(tmp_path: Path) -> None:
    plain, _ = tuned(tmp_path / "plain", "moonshine")
    lower, losses = tuned(tmp_path / "lower", "moonshine", precision="bf16")
    assert losses[-1] < losses[0]
    assert not np.array_equal(state(plain), state(lower))
    np.testing.assert_allclose(state(lower), state(plain), atol=0.05)
    assert identity_of(plain) != identity_of(lower)


@pytest.mark.parametrize("changes", [{}, LOW_RANK, {"trains": "bias-and-norm"}], ids=["all", "low-rank", "biases"])
def test_what_it_would_train_and_keep_is_told_before(tmp_path: Path, changes: dict[str, Any]) -> None:
    told = head(**changes).training_size(3)
    made = fitted(maximum=1, **changes)
    assert told.parameters == made.parameters()
    write_kept(tmp_path / "a", made.to_keep(), {})
    assert told.kept_bytes <= (tmp_path / "a").stat().st_size < told.kept_bytes + 6000
    assert told.checkpoint_bytes > 3 * told.kept_bytes
    assert 2 * head(kept="fp16", **changes).training_size(3).kept_bytes == told.kept_bytes


@pytest.mark.parametrize("kept", ["bf16", "fp16"])
def test_what_is_kept_in_16_bits_is_what_is_scored(tmp_path: Path, kept: str) -> None:
    whole, made = fitted(maximum=1), fitted(maximum=1, kept=kept)
    scores = made.predict(replace(TEST, y=None))
    assert np.abs(scores - whole.predict(replace(TEST, y=None))).max() > 1e-6
    write_kept(tmp_path / "a", made.to_keep(), {})
    learnt, _ = read_kept(tmp_path / "a")
    again = head(kept=kept)
    again.from_kept(learnt)
    np.testing.assert_array_equal(again.predict(replace(TEST, y=None)), scores)


@pytest.mark.parametrize("changes", [{}, LOW_RANK], ids=["all", "low-rank"])
def test_the_tuned_upstream_encodes_as_in_training(changes: dict[str, Any]) -> None:
    made = fitted(maximum=1, **changes)
    with torch.no_grad():
        (expected,) = made.module.trainable.layers([TEST.x[0]], "cpu")
    found = made.tuned().encode(TEST.x[0]).layers
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)
    assert not np.allclose(found, ToyUpstream().encode(TEST.x[0]).layers, atol=1e-4)


def test_what_another_network_has_learnt_is_refused() -> None:
    made = fitted(maximum=1)
    with pytest.raises(BenchError, match="is of another network"):
        head(hidden=8).from_kept({**made.to_keep(), "state": {}})
    with pytest.raises(BenchError, match="has trained no upstream"):
        head().tuned()
