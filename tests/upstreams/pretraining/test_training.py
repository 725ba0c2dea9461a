"""The training: it learns, it can be killed, it can be shared, and it ends where a number is none."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_pretraining import ABLATIONS, request, tiny, write_audio

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.settings import Settings
from benchmark.progress import Unheard
from upstreams.pretraining import pretrain as module
from upstreams.pretraining import training
from upstreams.pretraining.pretrain import pretrain

FILES = ("model.pt", "pretraining.json", "config.yaml", "training/log.jsonl")
FOREVER = 1e9  # seconds without a state being kept


class KilledError(Exception):
    """In place of the end of the process."""


class Killing(Unheard):
    """Kills when so many steps are done."""

    def __init__(self, after: int) -> None:
        self.left = after

    def stage(self, title: str, total: int) -> Any:
        from contextlib import nullcontext

        def advance(count: float) -> None:
            self.left -= int(count)
            if self.left == 0:
                raise KilledError

        return nullcontext(advance if title.startswith("pre-training") else lambda count: None)


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audio(tmp_path_factory.mktemp("speech") / "audio")


@pytest.fixture
def where(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "cache", tmp_path / "results")


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "training" / "log.jsonl").read_text().splitlines()]


def weights(out: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(out / "model.pt", weights_only=True)["model"]
    return found


def test_it_learns_and_does_not_collapse(audio: Path, where: Settings, tmp_path: Path) -> None:
    changes = {"schedule.steps": 40, "schedule.warm_up": 4, "log_every": 10, "dropout.blocks": 0.0}
    made = pretrain(request(audio, tmp_path / "m", changes), where, Unheard())
    told = lines(tmp_path / "m")
    losses = [line["frame_loss"] for line in told]
    assert losses[-1] < 0.8 * losses[0]
    assert min(line["target_deviation"] for line in told) > 0.2
    assert not any("warning" in line for line in told)
    assert made["last"] == told[-1]
    assert [line["step"] for line in told] == list(range(10, 41, 10))
    assert told[-1]["learning_rate"] < told[1]["learning_rate"]
    assert told[-1]["ema_decay"] > told[0]["ema_decay"]


@pytest.mark.parametrize("name", ABLATIONS)
def test_each_ablation_takes_steps(name: str, audio: Path, where: Settings, tmp_path: Path) -> None:
    changes = {**ABLATIONS[name], "start": "cold", "schedule.steps": 2, "log_every": 1}
    made = pretrain(request(audio, tmp_path / "m", changes, name="emotion2vec"), where, Unheard())
    first, second = lines(tmp_path / "m")
    assert first["learning_rate"] == 0
    assert second["gradient_norm"] > 0
    assert (second["frame_loss"] is None) == (ABLATIONS[name].get("frame_loss.weight") == 0.0)
    assert (second["utterance_loss"] is None) == (ABLATIONS[name].get("utterance_loss.weight") == 0.0)
    assert made["recipe"]["model"]["tokens"] == ABLATIONS[name].get("model.tokens", 3)


@pytest.mark.parametrize("seconds", [0.0, FOREVER])
def test_killed_it_ends_with_the_same_bytes(seconds: float, audio: Path, where: Settings, tmp_path: Path) -> None:
    wanted, killed = (request(audio, tmp_path / name / "m", {"schedule.steps": 5}) for name in ("a", "b"))
    pretrain(wanted, where, Unheard())
    for after, kept in ((2, 0.0), (3, seconds)):
        with pytest.raises(KilledError):
            pretrain(killed, where, Killing(after), kept)
        assert not (killed.out / "model.pt").exists()
    pretrain(killed, where, Unheard(), seconds)
    for name in FILES:
        assert (killed.out / name).read_bytes() == (wanted.out / name).read_bytes(), name
    again = {name: (killed.out / name).read_bytes() for name in FILES}
    pretrain(killed, where, Unheard())  # it is done already
    assert {name: (killed.out / name).read_bytes() for name in FILES} == again


def test_a_training_is_not_gone_on_with_by_another(audio: Path, where: Settings, tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        pretrain(request(audio, tmp_path / "m"), where, Killing(2), 0.0)
    with pytest.raises(UsageError, match="training of another recipe, start or data, at step 2"):
        pretrain(request(audio, tmp_path / "m", {"seed": 2}), where, Unheard())
    state = tmp_path / "m" / "training" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-9])
    with pytest.raises(BenchError, match=r"state.safetensors cannot be read"):
        pretrain(request(audio, tmp_path / "m"), where, Unheard())
    state.unlink()
    pretrain(request(audio, tmp_path / "m"), where, Unheard())
    state.unlink()
    with pytest.raises(UsageError, match="holds a model already"):
        pretrain(request(audio, tmp_path / "m"), where, Unheard())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"mine is not empty: it holds README\.md"):
        pretrain(request(audio, tmp_path / "mine"), where, Unheard())
    assert (tmp_path / "mine" / "README.md").read_text() == "mine"


def test_a_loss_that_is_not_finite_ends_with_the_last_good_state(audio: Path, where: Settings, tmp_path: Path) -> None:
    changes = {"schedule.steps": 9, "optimiser.learning_rate": 1e30, "schedule.warm_up": 2}
    wanted = request(audio, tmp_path / "m", changes)
    with pytest.raises(BenchError, match=r"of step \d is (nan|inf).*the state after step \d is kept") as error:
        pretrain(wanted, where, Unheard(), FOREVER)
    step = int(error.value.message.split("after step ")[1].split()[0])
    assert step >= 1
    assert not (tmp_path / "m" / "model.pt").exists()
    assert "optimiser.learning_rate" in error.value.hint
    with pytest.raises(BenchError, match=f"the state after step {step} is kept"):  # it goes on from there
        pretrain(wanted, where, Unheard(), FOREVER)


def test_a_model_that_collapses_is_told_once(audio: Path, where: Settings, tmp_path: Path, progress) -> None:
    changes = {"collapse": {"after": 0, "target": 9.0, "prediction": 0.0}, "log_every": 1}
    pretrain(request(audio, tmp_path / "m", changes), where, progress)
    (note,) = [note for note in progress.notes if "collapses" in note]
    assert note.startswith("step 1: the model collapses: the deviation of targets is ")
    assert ["warning" in line for line in lines(tmp_path / "m")] == [True, False, False, False]


def test_lower_precision_is_a_value_of_the_recipe(audio: Path, where: Settings, tmp_path: Path) -> None:
    made = {}
    for precision in (None, "bf16"):
        pretrain(request(audio, tmp_path / str(precision), {"precision": precision}), where, Unheard())
        made[precision] = weights(tmp_path / str(precision))
    assert {one.dtype for one in made["bf16"].values()} == {torch.float32}
    name = "blocks.0.attn.qkv.weight"
    assert 0 < float((made["bf16"][name] - made[None][name]).abs().max()) < 0.02
    with pytest.raises(MissingError, match="fp16 needs a GPU"):
        pretrain(request(audio, tmp_path / "fp16", {"precision": "fp16"}), where, Unheard())


def test_the_seed_decides_on_the_start() -> None:
    one, same, other = (training.new_student(tiny({"seed": seed})) for seed in (1, 1, 2))
    named = [dict(student.named_parameters()) for student in (one, same, other)]
    name = "encoder.blocks.0.up.weight"
    assert torch.equal(named[0][name], named[1][name])
    assert not torch.equal(named[0][name], named[2][name])


# -- several processes -------------------------------------------------------------------------------------------------


def _work(rank: int, world: int, port: int, audio: Path, out: Path, cache: Path, changes: dict[str, Any]) -> None:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    pretrain(request(audio, out, changes), Settings(cache, cache), Unheard(), 0.0)


def shared(world: int) -> Callable[..., None]:
    """Train in so many processes, as torchrun starts them."""

    def train(audio: Path, out: Path, cache: Path, changes: dict[str, Any]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(["torch", "torch.distributed", "soundfile", "upstreams.pretraining.training"])
        processes = [
            forks.Process(target=_work, args=(rank, world, port, audio, out, cache, changes)) for rank in range(world)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        assert [process.exitcode for process in processes] == [0] * world

    return train


def test_two_processes_take_the_steps_of_one(audio: Path, where: Settings, tmp_path: Path) -> None:
    changes = {"schedule.steps": 3, "batch.micro_batches": 4, "log_every": 1, "optimiser.clip_norm": 1.0, "seed": 5}
    pretrain(request(audio, tmp_path / "one", changes), where, Unheard())
    shared(2)(audio, tmp_path / "two", tmp_path / "cache", changes)
    for one, two in zip(lines(tmp_path / "one"), lines(tmp_path / "two"), strict=True):
        assert one.keys() == two.keys()
        for key in one:
            assert one[key] == pytest.approx(two[key], rel=2e-4), key
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    start = training.new_student(tiny(changes)).encoder.state_dict()
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name].numpy(), one[name].numpy(), atol=2e-4, err_msg=name)
    moved = (one["blocks.0.attn.qkv.weight"] - start["blocks.1.attention.qkv.weight"]).abs().max()
    assert float(moved) > 1e-3  # far more than the two differ


def test_processes_that_cannot_share_a_step_are_refused(
    audio: Path, where: Settings, tmp_path: Path, monkeypatch
) -> None:
    from contextlib import nullcontext

    from upstreams.pretraining import processes

    monkeypatch.setattr(processes, "joined", lambda device: nullcontext(processes.Processes(0, 3, device)))
    with pytest.raises(UsageError, match="3 processes cannot share 2 micro-batches"):
        pretrain(request(audio, tmp_path / "m"), where, Unheard())
    assert module.TRAINING == "training"
