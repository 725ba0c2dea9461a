"""What is missing of a corpus whose naming tells everything that it should hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from benchmark.text import some

NAMED = 10


def gaps_by_speaker(expected: Mapping[str, Sequence[str]], found: Collection[str], kind: str = "speaker") -> list[str]:
    """Sentences on what a corpus lacks and what it has too much of; none where it is complete.

    Args:
        expected: Utterance ids of the complete corpus by speaker.
        found: Those that are here.
        kind: What the corpus calls a speaker, in the singular.
    """
    here, everything = set(found), {name for names in expected.values() for name in names}
    absent = [speaker for speaker, names in expected.items() if here.isdisjoint(names)]
    missing = [n for speaker, names in expected.items() if speaker not in absent for n in names if n not in here]
    surplus = sorted(here - everything)
    problems = []
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        problems.append(f"{len(absent)} of {len(expected)} {kind}s {verb} missing: {some(absent, NAMED)}")
    if missing:
        others = f" of the other {kind}s" if absent else ""
        verb = "utterance is" if len(missing) == 1 else "utterances are"
        problems.append(f"{len(missing)} {verb} missing{others}: {some(missing, NAMED)}")
    if surplus:
        problems.append(f"surplus: {some(surplus, NAMED)}")
    return problems
