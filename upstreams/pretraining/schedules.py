"""How the learning rate and the decay of the teacher change from step to step."""

from __future__ import annotations

import math


def learning_rate(done: int, highest: float, steps: int, warm_up: int) -> float:
    """Linear warm-up from 0, then a half cosine down to 0.

    As facebookresearch/fairseq, fairseq/optim/lr_scheduler/cosine_lr_scheduler.py with its defaults: the first step has
    the rate 0.

    Args:
        done: Steps that are done, so that this one is `done` + 1.
        highest: At the end of the warm-up.
        steps: Of the whole training.
        warm_up: Steps of the warm-up, below `steps`.
    """
    if done < warm_up:
        return highest * done / warm_up
    return 0.5 * highest * (1 + math.cos(math.pi * min(1.0, (done - warm_up) / (steps - warm_up))))


def decay(done: int, first: float, last: float, steps: int) -> float:
    """The share of the teacher that is kept after a step, rising linearly.

    Paper 2312.15185, equation 10 and section 4.2; facebookresearch/fairseq, examples/data2vec/models/data2vec2.py.

    Args:
        done: Steps that are done, this one too.
        first: The share at 0.
        last: The share from `steps` on.
        steps: Over which it rises.
    """
    return last if done >= steps else last - (last - first) * (1 - done / steps)
