"""Words of an utterance, as they are compared."""

from __future__ import annotations

import pytest

from benchmark.audit.columns import words


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("  It’s  ELEVEN! ", "its eleven"),
        ("Straße", "strasse"),
        ("Mu\u0308ller", "m\u00fcller"),
        ("कितने", "कितने"),  # signs of vowels are no punctuation
        ("یہ کیا ہے؟", "یہ کیا ہے"),
        ("...", None),
        ("", None),
    ],
)
def test_words_without_what_transcribers_may_write_differently(text: str, spoken: str | None) -> None:
    assert words(text) == spoken
