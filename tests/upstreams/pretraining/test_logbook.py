"""Lines of the log: means since the line before, over the micro-batches of all processes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_pretraining import tiny

from upstreams.pretraining.logbook import Log, Step
from upstreams.pretraining.student import Outcome

COLLAPSE = tiny({"collapse": {"after": 0, "target": 0.1, "prediction": 0.01}}).collapse


def outcome(rows: np.ndarray, loss: float) -> Outcome:
    moments = torch.tensor(np.stack([rows.sum(axis=0), (rows**2).sum(axis=0)]))
    return Outcome(torch.tensor(loss), len(rows), 2, torch.tensor(loss / 2), torch.tensor(0.5), moments, 4 * moments)


def test_a_step_is_the_sum_of_its_micro_batches() -> None:
    rows = [np.random.default_rng(seed).normal(seed, 1, (5 + seed, 3)) for seed in range(3)]
    step = Step(3, "cpu")
    for number, micro_batch in enumerate(rows):
        step.add(outcome(micro_batch, 6.0 + number), 100)
    figures = step.figures()
    whole = np.concatenate(rows)
    assert figures["loss"] == pytest.approx((6 + 7 + 8) / len(whole))
    assert (figures["masked"], figures["utterances"], figures["samples"]) == (18, 6, 300)
    assert figures["target_deviation"] == pytest.approx(np.sqrt(whole.var(axis=0, ddof=1) + 1e-6).mean())


def add(log: Log, step: int, **changes: float) -> str | None:
    told = {
        "loss": 2.0,
        "masked": 10.0,
        "utterances": 4.0,
        "frame_loss": 30.0,
        "utterance_loss": 8.0,
        "samples": 57.6e6,
    }
    deviations = {"target_deviation": 0.5, "prediction_deviation": 0.4, "gradient_norm": 1.0}
    return log.add(step, 1, {**told, **deviations, **changes}, {"learning_rate": 0.1, "ema_decay": 0.9})


def test_a_line_is_the_mean_since_the_line_before(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl", 2, COLLAPSE, (True, False))
    assert add(log, 1, loss=1.0, masked=30.0) is None
    assert not (tmp_path / "log.jsonl").exists()
    add(log, 2)
    (line,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert (line["step"], line["loss"], line["frame_loss"]) == (2, 1.5, 60 / 40)
    assert line["utterance_loss"] is None
    assert line["audio_hours"] == pytest.approx(2.0)
    assert (line["learning_rate"], line["ema_decay"]) == (0.1, 0.9)
    add(log, 3)
    add(log, 4)
    assert log.lines[-1]["audio_hours"] == pytest.approx(4.0)  # of all steps


@pytest.mark.parametrize(("what", "value"), [("target", 0.09), ("prediction", 0.009)])
def test_a_collapse_is_told_once(what: str, value: float, tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl", 1, COLLAPSE, (True, True))
    assert add(log, 1) is None
    assert f"the deviation of {what}s is {value:.4f}" in str(add(log, 2, **{f"{what}_deviation": value}))
    assert add(log, 3, **{f"{what}_deviation": value}) is None


def test_lines_of_lost_steps_are_written_again(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl", 1, COLLAPSE, (True, True))
    for step in (1, 2, 3):
        add(log, step)
    again = Log(tmp_path / "log.jsonl", 1, COLLAPSE, (True, True))
    again.resume(1, {}, warned=False)
    add(again, 2, loss=7.0)
    told = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert told == [2.0, 7.0]
