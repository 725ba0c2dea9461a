"""The head trained from means is the head trained on frames, and members are heads trained one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from members import train_alike
from torch import Tensor, nn

from downstreams.heads.superb import forward, initial_parameters
from downstreams.normalisation import Normaliser
from downstreams.training import gradients
from downstreams.training.batches import Schedule, Step
from downstreams.training.gradients import Data
from downstreams.training.initial import generator_of
from downstreams.training.losses import CROSS_ENTROPY, ccc_loss, cross_entropy
from downstreams.training.selection import State

LAYERS, DIM, HIDDEN, CLASSES = 4, 7, 16, 3


class FrameLevelHead(nn.Module):
    """SUPERB's head as it is defined, on padded frames."""

    def __init__(self, start: Sequence[Tensor], dtype: torch.dtype) -> None:
        super().__init__()
        self.layer_weights = nn.Parameter(torch.zeros(LAYERS))
        self.projection = nn.Linear(DIM, HIDDEN)
        self.output = nn.Linear(HIDDEN, CLASSES)
        self.to(dtype)
        with torch.no_grad():
            for parameter, value in zip(self.parameters(), start, strict=True):
                parameter.copy_(value)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """From (B, L, T, D) and (B, T) to (B, K)."""
        weighted = (torch.softmax(self.layer_weights, dim=0)[:, None, None] * frames).sum(dim=1)
        hidden = self.projection(weighted) * mask[..., None]
        return self.output(hidden.sum(dim=1) / mask.sum(dim=1, keepdim=True))


class MeanHead(nn.Module):
    """The same on means, as torch's own modules."""

    def __init__(self, start: Sequence[Tensor], dtype: torch.dtype) -> None:
        super().__init__()
        self.layer_weights = nn.Parameter(start[0].to(dtype).clone())
        self.projection = nn.Linear(DIM, HIDDEN, dtype=dtype)
        self.output = nn.Linear(HIDDEN, CLASSES, dtype=dtype)
        with torch.no_grad():
            for parameter, value in zip(self.parameters(), start, strict=True):
                parameter.copy_(value)

    def forward(self, x: Tensor) -> Tensor:
        """From (L, n, D) to (n, K)."""
        weighted = (torch.softmax(self.layer_weights, dim=0)[:, None, None] * x).sum(dim=0)
        return self.output(self.projection(weighted))


def start_of_a_head(seed: int = 3) -> list[Tensor]:
    return initial_parameters(LAYERS, DIM, HIDDEN, CLASSES, generator_of(seed))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize("normalisation", ["none", "global"])
def test_training_from_means_is_training_on_frames(dtype: torch.dtype, tolerance: float, normalisation: str) -> None:
    random = np.random.default_rng(0)
    utterances, batch = 24, 8
    y = torch.from_numpy(np.arange(utterances) % CLASSES)
    frames = [random.normal(size=(LAYERS, length, DIM)) * 3 + 1 for length in random.integers(3, 30, utterances)]
    means = np.stack([values.mean(axis=1) for values in frames])
    if normalisation == "global":
        normaliser = Normaliser.fit("global", means)
        frames = [(values - normaliser.mean[:, None]) / normaliser.scale[:, None] for values in frames]
        means = (means - normaliser.mean) / normaliser.scale
    x = torch.from_numpy(means).to(dtype).transpose(0, 1)
    reference = FrameLevelHead(start_of_a_head(), dtype)
    optimiser = torch.optim.Adam(reference.parameters(), lr=0.01)
    stacked = [value.to(dtype)[None].clone() for value in start_of_a_head()]
    ours = [value.clone().requires_grad_() for value in stacked]
    own_optimiser = torch.optim.Adam(ours, lr=0.01)
    for step in range(60):
        rows = random.permutation(utterances)[:batch]
        longest = max(frames[row].shape[1] for row in rows)
        padded = np.full((batch, LAYERS, longest, DIM), 1e3)
        mask = np.zeros((batch, longest))
        for i, row in enumerate(rows):
            padded[i, :, : frames[row].shape[1]] = frames[row]
            mask[i, : frames[row].shape[1]] = 1
        expected = reference(torch.from_numpy(padded).to(dtype), torch.from_numpy(mask).to(dtype))
        expected_loss = nn.functional.cross_entropy(expected, y[rows])
        optimiser.zero_grad()
        expected_loss.backward()

        outputs = forward(ours, x[:, rows])
        one_hot = nn.functional.one_hot(y[rows], CLASSES).to(dtype)
        loss = cross_entropy(outputs, one_hot, Step(torch.from_numpy(rows), (batch,), 1))
        own_optimiser.zero_grad()
        loss.sum().backward()

        torch.testing.assert_close(outputs[0], expected, rtol=tolerance, atol=tolerance, msg=f"outputs of step {step}")
        torch.testing.assert_close(loss[0], expected_loss, rtol=tolerance, atol=tolerance)
        for own, parameter in zip(ours, reference.parameters(), strict=True):
            assert own.grad is not None
            assert parameter.grad is not None
            torch.testing.assert_close(own.grad[0], parameter.grad, rtol=tolerance, atol=tolerance)
        optimiser.step()
        own_optimiser.step()
    assert expected_loss.item() < 1.0  # it has learnt: from 1.1


def test_initialisation_is_that_of_torch_linear_and_to_the_last_digit_what_it_always_is() -> None:
    weights, *drawn = initial_parameters(5, 300, 200, 4, generator_of(11))
    assert not weights.any()
    layers = [nn.Linear(300, 200), nn.Linear(200, 4)]
    for own, theirs in zip(drawn, [one for layer in layers for one in layer.parameters()], strict=True):
        assert own.dtype == torch.float64
        assert own.shape == theirs.shape
        bound = 300**-0.5 if 200 in theirs.shape[:1] else 200**-0.5
        assert own.abs().max() <= bound
        if own.numel() > 100:
            assert own.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)
    # 53 bits of the generator, moved and stretched: nothing that a processor could round otherwise
    bits = np.random.PCG64(11).random_raw(1)[0] >> np.uint64(11)
    assert drawn[0][0, 0].item() == 300**-0.5 * (2.0 * (int(bits) / 2**53) - 1.0)


def toy_data(n: int, seed: int) -> tuple[Data, np.ndarray]:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(size=(CLASSES, LAYERS, DIM)) * 0.5
    y = np.arange(n) % CLASSES
    x = centres[y] + random.normal(size=(n, LAYERS, DIM))
    return Data.of(torch.from_numpy(x.transpose(1, 0, 2).copy()), torch.from_numpy(np.eye(CLASSES)[y])), y


def accuracy(y: np.ndarray) -> object:
    return lambda outputs: float((outputs.argmax(dim=-1).numpy() == y).mean())


def assert_same_state(state: State | None, expected: dict, tolerance: float = 1e-9) -> None:
    assert state is not None
    assert (state.when, state.score) == (expected["when"], expected["score"])
    assert state.loss == pytest.approx(expected["loss"], rel=tolerance)
    for own, theirs in zip(state.parameters[0], expected["parameters"], strict=True):
        torch.testing.assert_close(own, theirs, rtol=tolerance, atol=tolerance)


def train_alone(
    rate: float, train: Data, dev: Data, dev_y: np.ndarray, epochs: int, patience: int, clip: float
) -> dict:
    """One head, written as a training script would be: returns the best state and how many epochs were trained."""
    generator = generator_of(5)
    head = MeanHead(start_of_a_head(), torch.float64)
    optimiser = torch.optim.Adam(head.parameters(), lr=rate)
    best: dict = {"score": -1.0, "loss": np.inf}
    lowest, waited, clipped = np.inf, 0, 0
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(generator.permutation(len(train.y)))
        for first in range(0, len(order), 8):
            rows = order[first : first + 8]
            optimiser.zero_grad()
            nn.functional.cross_entropy(head(train.x[:, rows]), train.y[rows].argmax(dim=1)).backward()
            clipped += float(nn.utils.clip_grad_norm_(head.parameters(), clip)) > clip
            optimiser.step()
        with torch.no_grad():
            outputs = head(dev.x)
        score = float((outputs.argmax(dim=1).numpy() == dev_y).mean())
        loss = float(nn.functional.cross_entropy(outputs, torch.from_numpy(dev_y)))
        waited = 0 if score > best["score"] or loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if score > best["score"] or (score == best["score"] and loss < best["loss"]):
            parameters = [parameter.detach().clone() for parameter in head.parameters()]
            best = {"score": score, "loss": loss, "when": epoch, "parameters": parameters}
        if waited == patience:
            break
    return {**best, "trained": epoch, "clipped": clipped}


def test_members_are_heads_trained_one_by_one() -> None:
    train, _ = toy_data(45, 2)
    dev, dev_y = toy_data(30, 3)
    rates = (3.0, 0.3, 0.03, 0.001, 1e-4)
    schedule = Schedule(8, 1, 0.5, "epochs", 40, 1, 4, "loss")
    search = train_alike(
        forward,
        CROSS_ENTROPY,
        gradients.Superb(CROSS_ENTROPY),
        start=start_of_a_head(),
        learning_rates=rates,
        train=train,
        dev=dev,
        score=accuracy(dev_y),
        schedule=schedule,
    )
    alone = [train_alone(rate, train, dev, dev_y, epochs=40, patience=4, clip=0.5) for rate in rates]
    for state, expected in zip(search.best, alone, strict=True):
        assert_same_state(state, expected, tolerance=1e-7)
    # the case is not trivial: members stop at different times, some are clipped and some never stop early
    assert len({expected["trained"] for expected in alone}) > 2
    assert max(expected["trained"] for expected in alone) == 40
    assert all(expected["clipped"] for expected in alone)


def test_accumulation_is_that_of_s3prl() -> None:
    """Micro-batches of 4, the last of an epoch short, each mean loss / 8, accumulation running on across epochs."""
    train, _ = toy_data(43, 2)
    dev, dev_y = toy_data(30, 3)
    total, every = 30, 5
    search = train_alike(
        forward,
        CROSS_ENTROPY,
        gradients.Superb(CROSS_ENTROPY),
        start=start_of_a_head(),
        learning_rates=[0.003],
        train=train,
        dev=dev,
        score=accuracy(dev_y),
        schedule=Schedule(4, 8, 1.0, "steps", total, every, None, "first"),
    )
    generator = generator_of(5)
    head = MeanHead(start_of_a_head(), torch.float64)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.003)
    best: dict = {"score": -1.0}
    backward_steps = steps = epochs = 0
    while steps < total:
        epochs += 1
        for rows in torch.from_numpy(generator.permutation(43)).split(4):
            loss = nn.functional.cross_entropy(head(train.x[:, rows]), train.y[rows].argmax(dim=1))
            (loss / 8).backward()
            backward_steps += 1
            if backward_steps % 8 or steps == total:
                continue
            nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            steps += 1
            if steps % every == 0:
                with torch.no_grad():
                    outputs = head(dev.x)
                score = float((outputs.argmax(dim=1).numpy() == dev_y).mean())
                if score > best["score"]:
                    parameters = [parameter.detach().clone() for parameter in head.parameters()]
                    loss = float(nn.functional.cross_entropy(outputs, torch.from_numpy(dev_y)))
                    best = {"score": score, "when": steps, "parameters": parameters, "loss": loss}
    assert epochs > 20  # 11 micro-batches an epoch: the steps fall everywhere
    assert_same_state(search.best[0], best)


@pytest.mark.parametrize("sizes", [(9,), (4, 4, 1)])
def test_ccc_loss_is_lins_coefficient_of_each_micro_batch(sizes: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.normal(size=(9, 2)), random.normal(size=(3, 9, 2)) * 2 + 1
    step = Step(torch.arange(9), sizes, 3)
    losses = ccc_loss(torch.from_numpy(predicted), torch.from_numpy(truth), step).numpy()
    for member in range(3):
        total, first = 0.0, 0
        for size in sizes:
            rows = slice(first, first + size)
            first += size
            coefficients = []
            for dimension in range(2):
                t, p = truth[rows, dimension], predicted[member, rows, dimension]
                r = np.corrcoef(t, p)[0, 1] if size > 1 else 0.0
                spread = t.var() + p.var() + (t.mean() - p.mean()) ** 2
                coefficients.append(2 * r * t.std() * p.std() / spread)
            total += 1 - np.mean(coefficients)
        assert losses[member] == pytest.approx(total / 3, abs=1e-6)
