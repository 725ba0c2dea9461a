"""Whether recordings are those that a corpus was published with: copies are trimmed, filled and resampled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from benchmark.base import Corpus
from benchmark.data.listening import Heard
from benchmark.text import count
from benchmark.types import PublishedSound, Utterance

# Encoders of lossy copies add up to a tenth of a second, and corpora are published with a few takes more or less.
TOLERANCE_S, TOLERANCE = 0.15, 0.02
ENOUGH = 20  # recordings of speech, by far, never all have one duration


def not_as_published(
    corpus: Corpus, utterances: Sequence[Utterance], heard: Mapping[str, Heard], *, is_cut: bool = False
) -> list[str]:
    """What shows that recordings are not the published ones, in words; nothing where all agrees, or nobody knows.

    Args:
        corpus: The scanner, which may know what was published.
        utterances: Those of the corpus that are used.
        heard: What was heard of them, by id.
        is_cut: Whether only the beginning of each was heard, so that durations tell nothing.
    """
    by_part: dict[str, list[Heard]] = defaultdict(list)
    for utterance in utterances:
        # A stretch is as long as a list says, whatever file it is cut from.
        if utterance.id in heard and utterance.start is None and utterance.end is None:
            by_part[corpus.part_of(utterance)].append(heard[utterance.id])
    found = []
    for part, sounds in by_part.items():
        whole = corpus.counts.get(part)
        if whole is None or whole.sound is None:
            continue
        broken = sum(corpus.part_of(u) == part for u in utterances if u.id in corpus.published_broken)
        is_whole = len(sounds) >= whole.utterances - max(broken, len(corpus.published_broken))
        wrong = _rates(whole.sound, sounds) + ([] if is_cut else _durations(whole.sound, sounds, is_whole))
        if wrong:
            where = corpus.name if part == "all" else f"{corpus.name} ({part})"
            found.append(f"the recordings of {where} are not the published ones: {', '.join(wrong)}")
    return found


def _rates(published: PublishedSound, sounds: Sequence[Heard]) -> list[str]:
    others = sorted({one.sample_rate for one in sounds if one.sample_rate is not None} - set(published.rates))
    if not others:
        return []
    number = sum(one.sample_rate in others for one in sounds)
    listed, known = " or ".join(map(str, others)), " or ".join(map(str, published.rates))
    return [f"{number} of {len(sounds)} have {listed} Hz instead of {known} Hz"]


def _durations(published: PublishedSound, sounds: Sequence[Heard], is_whole: bool) -> list[str]:
    seconds = [one.duration for one in sounds]
    wrong = []
    if len(seconds) >= ENOUGH and len(set(seconds)) == 1:
        wrong.append(f"all {count(len(seconds), 'recording')} last {seconds[0]:.3f} s")
    outside = [one for one in seconds if not _between(one, published.shortest, published.longest)]
    if outside:
        worst = max(outside, key=lambda one: max(published.shortest - one, one - published.longest))
        wrong.append(
            f"{len(outside)} of {len(seconds)} are shorter than {published.shortest:.2f} s or longer than "
            f"{published.longest:.2f} s, one of {worst:.2f} s"
        )
    hours = sum(seconds) / 3600
    if is_whole and abs(hours - published.hours) > TOLERANCE * published.hours + len(seconds) * TOLERANCE_S / 3600:
        wrong.append(f"they last {hours:.2f} h in all instead of {published.hours:.2f} h")
    return wrong


def _between(duration: float, shortest: float, longest: float) -> bool:
    return shortest - TOLERANCE_S <= duration <= longest + TOLERANCE_S
