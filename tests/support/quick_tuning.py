"""A recipe that trains a little of a small upstream in a moment."""

from __future__ import annotations

from typing import Any

RECIPE: dict[str, Any] = {
    "name": "quick",
    "summary": "a few steps",
    "downstream": "finetune",
    "params": {
        "trains": "last-blocks",
        "blocks": 1,
        "layers": "last",
        "hidden": 4,
        "activation": "none",
        "max_seconds": None,
        "batch_size": 8,
        "optimiser": {"name": "adam", "learning_rate": 0.01},
        "maximum": 1,
        "patience": None,
        "select_on": "loss",
        "ties": "loss",
        "seed": 1,
    },
}
