"""Labels of three alphabets: vowels, consonants, silence, and the six vowels that languages share."""

from __future__ import annotations

import pytest

from benchmark.alignments.phones import COMMON_VOWELS, NONE, Phone, PhoneClasses, arpabet, ipa, x_sampa

READERS = {"ARPAbet": arpabet, "IPA": ipa, "X-SAMPA": x_sampa}
VOWELS = {
    "ARPAbet": {
        "AA1": "a", "AA": "a", "EH2": "ɛ", "AH0": "ə", "AH0_B": "ə", "ax": "ə", "IY1_E": "i", "OW": "o", "UW0": "u",
        "UX": "u", "AH1": None, "AH": None, "ER0": None, "AY1": None, "IH": None, "ix": None, "EY2_S": None,
    },
    "IPA": {
        "a": "a", "ɑ": "a", "ɑː": "a", "ã": "a", "a˥˩": "a", "a5": "a", "ɛ̃": "ɛ", "ə": "ə", "iː": "i", "ˈi": "i",
        "o": "o", "ow": "o", "oʊ": "o", "əw": "o", "u": "u", "ʉː": "u", "aj": None, "aɪ": None, "e": None, "ɪ": None,
        "ɝ": None, "ɔj": None, "ø": None, "y": None,
    },
    "X-SAMPA": {
        "a": "a", "A:": "a", "a~": "a", "E": "ɛ", '"E': "ɛ", "@": "ə", "i:": "i", "o": "o", "@U": "o", "u_~": "u",
        "}": "u", "aI": None, "6": None, "2:": None, "9": None, "O": None, "V": None, "M": None, "{": None, "3`": None,
    },
}  # fmt: skip
CONSONANTS = {
    "ARPAbet": ["B", "ch", "V", "Y", "M", "NG_I", "HH", "TCL", "dx"],
    "IPA": ["p", "t͡ʃ", "tʃ", "tʰ", "dʲ", "ɫ", "n̩", "ʈʂ", "ɡ", "g", "ʔ", "ss"],
    "X-SAMPA": ["p", "p:", "tS", "dZ", "S", "J", "L", "?", "r\\", "t`", "n=", "p_h", "ts", "B"],
}
UNKNOWN = {
    "ARPAbet": ["foo", "AA3", "B1", "a", "@", "ɛ", "123"],
    "IPA": ["foo", "AA1", "@", "S", "tS", "2", "%"],
    "X-SAMPA": ["foo!", "ɛ", "AA1x$", "pa"],
}


@pytest.mark.parametrize(("alphabet", "label"), [(name, label) for name, found in VOWELS.items() for label in found])
def test_vowels(alphabet: str, label: str) -> None:
    common = VOWELS[alphabet][label]
    expected = NONE if common is None else COMMON_VOWELS.index(common)
    assert READERS[alphabet](label) == Phone("vowel", expected)


@pytest.mark.parametrize(
    ("alphabet", "label"), [(name, label) for name, found in CONSONANTS.items() for label in found]
)
def test_consonants(alphabet: str, label: str) -> None:
    assert READERS[alphabet](label) == Phone("consonant")


@pytest.mark.parametrize(("alphabet", "label"), [(name, label) for name, found in UNKNOWN.items() for label in found])
def test_what_is_no_phone(alphabet: str, label: str) -> None:
    assert READERS[alphabet](label) == Phone("unknown")


@pytest.mark.parametrize(
    "label", ["", " ", "sil", "SIL", "sp", "spn", "<eps>", "<p:>", "<usb>", "h#", "[noise]", "pau"]
)
def test_silence_is_silence_in_every_alphabet(label: str) -> None:
    assert {reader(label) for reader in READERS.values()} == {Phone("silence")}


@pytest.mark.parametrize(
    ("labels", "alphabet"),
    [
        (["AA1", "V", "M", "sil"], "ARPAbet"),
        (["iy", "v", "ax", "h#"], "ARPAbet"),
        (["a", "v", "ʃ", "spn"], "IPA"),
        (["a", "v", "S", "V", "<p:>"], "X-SAMPA"),
        (["a", "b", "o"], "IPA"),  # the same in X-SAMPA
        ([], "ARPAbet"),
    ],
)
def test_the_alphabet_is_that_which_knows_most(labels: list[str], alphabet: str) -> None:
    found = PhoneClasses.of(labels)
    assert (found.alphabet, dict(found.unknown)) == (alphabet, {})


def test_unknown_labels_are_counted_and_named() -> None:
    found = PhoneClasses.of(["AA1", "B", "xyz", "qq", "xyz", "IY0"])
    assert found.alphabet == "ARPAbet"
    assert list(found.unknown.items()) == [("xyz", 2), ("qq", 1)]
    assert found.phones["xyz"].kind == "unknown"
