"""BIIC-Podcast: what nobody can know."""

from __future__ import annotations

from trees.sets import Load

from benchmark.audit import audit


def test_the_audit_says_what_nobody_can_know(load: Load) -> None:
    texts = [finding.text for finding in audit(load("biic-podcast")).findings]
    assert any("22799 of 22799 utterances have no speaker" in text for text in texts)
