"""Languages of tasks, and the order in which a reader meets the tasks: by language, real speech before synthetic."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from benchmark.records import TaskPart
from benchmark.registry.known import known_corpus
from leaderboard.rows import Section

UNKNOWN = "unknown"
# Of the corpora that have a scanner: BCP 47 codes, and their names in English as Unicode's CLDR has them.
NAMES = {
    "am": "Amharic",
    "ar": "Arabic",
    "bn": "Bangla",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "fa": "Persian",
    "fr": "French",
    "it": "Italian",
    "pl": "Polish",
    "ru": "Russian",
    "tr": "Turkish",
    "und": "language not known",
    "ur": "Urdu",
    "zh": "Chinese",
    "zh-TW": "Chinese (Taiwan)",
    UNKNOWN: "language not known",
}
ACROSS, SYNTHETIC, KNOWN_SPEAKERS = "across corpora", "synthetic speech", "known speakers"


@functools.cache
def language(corpus: str) -> str:
    """The language of a corpus, as its scanner has it ("de", "zh-TW"); "unknown" of somebody's own corpus."""
    scanner = known_corpus(corpus)
    return UNKNOWN if scanner is None else scanner.language


def languages(task: TaskPart) -> tuple[str, ...]:
    """The languages of the corpora of a task, each once."""
    return tuple(dict.fromkeys(language(name) for name in task.corpus.names))


def named(code: str) -> str:
    """A language by its name; the code of one that no corpus here has."""
    return NAMES.get(code, code)


def shelf(task: TaskPart) -> str:
    """Where a task stands: by its language; or with tasks across corpora, of synthetic speech, or of known speakers."""
    if not task.speaker_independent or task.dev_is_test:
        return KNOWN_SPEAKERS
    if task.corpus.synthetic:
        return SYNTHETIC
    return ACROSS if len(task.corpus.names) > 1 else named(language(task.corpus.name))


def in_order(sections: Sequence[Section]) -> list[Section]:
    """Tasks as they are read: by language, across corpora, synthetic ones; last those whose test is no fair one."""
    last = (ACROSS, SYNTHETIC, KNOWN_SPEAKERS)

    def key(section: Section) -> tuple[int, bool, str, str]:
        place = shelf(section.task)
        is_unknown = place == NAMES[UNKNOWN]
        return (
            last.index(place) + 1 if place in last else 0,
            is_unknown,
            "" if place in last else place,
            section.task.name,
        )

    return sorted(sections, key=key)
