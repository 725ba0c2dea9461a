"""What the page filters by, beside languages: groups of tasks and families of upstreams; from data, without torch."""

from __future__ import annotations

import functools

from benchmark.records import TaskPart
from benchmark.registry.entries import Entry
from benchmark.registry.known import known_entries, known_task
from leaderboard.languages import UNKNOWN
from leaderboard.page.models import bare

# The group of tasks that predict such outputs.
PREDICTED = {"classes": "emotion classes", "dimensions": "dimensions"}
# Modules of upstreams that compute what people have thought of.
HAND_CRAFTED = ("upstreams.handcrafted.opensmile", "upstreams.handcrafted.prosody", "upstreams.handcrafted.spectral")
# What stands in the name, Hub id or summary of a checkpoint of an architecture; the first one found counts.
ARCHITECTURES = {
    "wavlm": "WavLM",
    "emotion2vec": "emotion2vec",
    "data2vec": "data2vec",
    "hubert": "HuBERT",
    "whisper": "Whisper",
    "moonshine": "Moonshine",
    "w2v-bert": "w2v-BERT",
    "wav2vec2": "wav2vec 2.0",
}


def groups(task: TaskPart) -> tuple[str, ...]:
    """The groups of tasks that a task is in: what is predicted, and what the test may share with train."""
    holds = {
        "speaker-independent": task.speaker_independent,
        "speaker-dependent": not task.speaker_independent,
        "cross-corpus": len(task.corpus.names) > 1,
        **{group: task.statistics.outputs == outputs for outputs, group in PREDICTED.items()},
        "conversation": _in_conversation(task.name),
        "synthetic": task.corpus.synthetic,
    }
    return tuple(group for group, held in holds.items() if held)


@functools.cache
def family(upstream: str) -> str:
    """What kind of upstream a name stands for: "hand-crafted", an architecture, where it was computed, or "unknown".

    An upstream made of several is of all their families, joined by " + ".
    """
    return " + ".join(dict.fromkeys(_family(entry) for entry in known_entries(bare(upstream)))) or UNKNOWN


def _family(entry: Entry) -> str:
    module = entry.target.partition(":")[0]
    if module in HAND_CRAFTED:
        return "hand-crafted"
    if not entry.training_data:
        return entry.name.rstrip(":") if entry.name != "hf:" else "other checkpoint"
    known = " ".join((entry.name, str(entry.arguments.get("model")), entry.summary)).casefold()
    return next((title for sign, title in ARCHITECTURES.items() if sign in known), "other checkpoint")


def _in_conversation(task: str) -> bool:
    protocol = known_task(task)
    return protocol is not None and protocol.context is not None
