"""What a label of an alignment is: a vowel, a consonant, silence, or unknown; and which of six vowels.

Labels are ARPAbet (with stress digits, Kaldi's position suffixes, TIMIT's closures), IPA (as the Montreal Forced
Aligner writes it) or X-SAMPA (as WebMAUS does). Some are read otherwise in each, such as V, which is a consonant in
ARPAbet and a vowel in X-SAMPA: the alphabet is that which leaves the fewest labels of a corpus unknown, of equals the
first.

The six vowels are those that Upadhyay, Busso and Lee, "A layer-anchoring strategy for enhancing cross-lingual speech
emotion recognition" (2024), section 2.2, find in English and Mandarin: a (with ɑ), ɛ, ə, i, o and u. The paper does
not say how an aligner's labels are mapped. Here a vowel is one of them where its own symbol is, whatever its length,
tone, nasality or stress; beyond that ARPAbet's OW, and ow, oʊ and əw of IPA and X-SAMPA, are o, AH without stress is ə,
and ʉ and UX are u, or English, whose aligners write its o and u so, would have neither.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

PhoneKind = Literal["vowel", "consonant", "silence", "unknown"]
COMMON_VOWELS = ("a", "ɛ", "ə", "i", "o", "u")
NONE = -1  # in place of the index of a common vowel


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# No phone: pauses, noise, and what an aligner did not understand; in lower case, and whatever stands in <>.
SILENCES = _words("sil sp spn nsn nsp spk pau pause eps epi h# # _ - laugh laughter noise breath brth unk oov silence")

_ARPABET_VOWELS: Mapping[str, str | None] = {
    "AA": "a", "AE": None, "AH": None, "AO": None, "AW": None, "AX": "ə", "AX-H": "ə", "AXR": None, "AY": None,
    "EH": "ɛ", "ER": None, "EY": None, "IH": None, "IX": None, "IY": "i", "OW": "o", "OY": None, "UH": None, "UW": "u",
    "UX": "u",
}  # fmt: skip
_ARPABET_CONSONANTS = _words(
    "B CH D DH DX EL EM EN ENG F G HH HV JH K L M N NG NX P Q R S SH T TH V W WH Y Z ZH BCL DCL GCL PCL TCL KCL"
)
_IPA_VOWELS = frozenset("aɑɒæɐʌɛeəɘɜɞɚɝɤiɪɨıyʏøœɶɵoɔuʊʉɯ")
_IPA_CONSONANTS = frozenset("bβcçdðɖɗfɸgɡɢɠʛɣhħɦɧʜɥjʝɟʄkqχxlɭʎʟɫɬɮɺmɱnɲŋɳɴpɹɻɾɽrʀʁʙsʂʃɕtθʈvʋⱱwʍɰzʐʑʒʔʕʡʢɓʘǀǁǂǃʣʤʥʦʧʨ")
_GLIDES = frozenset("jwɥɰ")
# Signs of length, tone, release and the like that stand as letters of their own; combining ones are taken off first.
_IPA_SIGNS = re.compile(r"[ːˑˈˌʰʱʲʷˠˤˀʼⁿˡ˞˥˦˧˨˩\u0361\u035c‿.~'\"0-9¹²³⁴⁵↗↘ꜛꜜ-]")
_IPA_COMMON: Mapping[str, str] = {"a": "a", "ɑ": "a", "ɛ": "ɛ", "ə": "ə", "i": "i", "o": "o", "u": "u", "ʉ": "u"}
_IPA_CLOSING: Mapping[str, str] = {"ow": "o", "oʊ": "o", "əw": "o", "əʊ": "o"}
_X_SAMPA = re.compile(r"[A-Za-z@{}&?1-9]\\?`?")
_X_SAMPA_SIGNS = re.compile(r"_[A-Za-z0-9\"=^~>?\\+-]|[:~=%\"'.|]|_")
_X_SAMPA_VOWELS: Mapping[str, str] = {
    "a": "a", "A": "ɑ", "Q": "ɒ", "{": "æ", "6": "ɐ", "V": "ʌ", "E": "ɛ", "e": "e", "@": "ə", "@\\": "ɘ", "3": "ɜ",
    "3\\": "ɞ", "@`": "ɚ", "3`": "ɝ", "7": "ɤ", "i": "i", "I": "ɪ", "I\\": "ɪ", "1": "ɨ", "y": "y", "Y": "ʏ",
    "2": "ø", "9": "œ", "&": "ɶ", "8": "ɵ", "o": "o", "O": "ɔ", "u": "u", "U": "ʊ", "U\\": "ʊ", "}": "ʉ", "M": "ɯ",
}  # fmt: skip
_X_SAMPA_CONSONANTS = _words(
    "b B c C d D f F g G h H j k K l L m n N p P q r R s S t T v w W x X z Z ? 4 5 "
    "p\\ P\\ B\\ j\\ J\\ J r\\ R\\ s\\ z\\ x\\ X\\ h\\ H\\ G\\ N\\ L\\ l\\ K\\ M\\ w\\ v\\ O\\ ?\\ "
    "d` t` n` s` z` l` r` r\\`"
)


@dataclass(frozen=True)
class Phone:
    """What a label is.

    Attributes:
        kind: Of sound.
        vowel: Which of the common vowels, as an index; `NONE` for none of them.
    """

    kind: PhoneKind
    vowel: int = NONE


SILENCE, UNKNOWN, CONSONANT = Phone("silence"), Phone("unknown"), Phone("consonant")


@dataclass(frozen=True)
class PhoneClasses:
    """How the labels of a corpus are read.

    Attributes:
        alphabet: Of its labels.
        phones: What each label is.
        unknown: How often each label that is no phone of the alphabet is there, the most frequent first.
    """

    alphabet: str
    phones: Mapping[str, Phone]
    unknown: Mapping[str, int]

    @classmethod
    def of(cls, labels: Iterable[str]) -> PhoneClasses:
        """Those of all labels of a corpus, each as often as it is there."""
        counted = Counter(labels)
        read = {name: {label: reader(label) for label in counted} for name, reader in _ALPHABETS.items()}
        strange = {name: sum(found == UNKNOWN for found in phones.values()) for name, phones in read.items()}
        alphabet = min(strange, key=lambda name: strange[name])
        unknown = {label: times for label, times in counted.most_common() if read[alphabet][label] == UNKNOWN}
        return cls(alphabet, read[alphabet], unknown)


def arpabet(label: str) -> Phone:
    """What a label of ARPAbet is, in capitals or not, with a digit of stress or not."""
    if _is_silence(label):
        return SILENCE
    symbol = _without_position(label).upper()
    base = symbol.rstrip("012")
    if len(symbol) - len(base) > 1 or (base != symbol and base not in _ARPABET_VOWELS):
        return UNKNOWN
    if base in _ARPABET_VOWELS:
        return _vowel("ə" if symbol == "AH0" else _ARPABET_VOWELS[base])
    return CONSONANT if base in _ARPABET_CONSONANTS else UNKNOWN


def ipa(label: str) -> Phone:
    """What a label of IPA is, with any signs of length, tone, release and the like."""
    if _is_silence(label):
        return SILENCE
    apart = unicodedata.normalize("NFD", _without_position(label))
    letters = _IPA_SIGNS.sub("", "".join(one for one in apart if not unicodedata.combining(one)))
    return _of_letters(letters)


def x_sampa(label: str) -> Phone:
    """What a label of X-SAMPA is, with any signs of length, tone, release and the like."""
    if _is_silence(label):
        return SILENCE
    symbols = _X_SAMPA_SIGNS.sub("", _without_position(label))
    found = _X_SAMPA.findall(symbols)
    if not found or "".join(found) != symbols:
        return UNKNOWN
    if all(symbol in _X_SAMPA_CONSONANTS for symbol in found):
        return CONSONANT
    letters = [_X_SAMPA_VOWELS.get(symbol, symbol) for symbol in found]
    return _of_letters("".join(letters)) if found[0] in _X_SAMPA_VOWELS else UNKNOWN


_ALPHABETS = {"ARPAbet": arpabet, "IPA": ipa, "X-SAMPA": x_sampa}


def _of_letters(letters: str) -> Phone:
    """What letters of IPA are together: consonants, or a vowel with what it glides to."""
    if letters and all(one in _IPA_CONSONANTS for one in letters):
        return CONSONANT
    if not letters or letters[0] not in _IPA_VOWELS or not all(one in _IPA_VOWELS | _GLIDES for one in letters):
        return UNKNOWN
    if len(set(letters)) == 1:
        return _vowel(_IPA_COMMON.get(letters[0]))
    return _vowel(_IPA_CLOSING.get(letters))


def _vowel(common: str | None) -> Phone:
    return Phone("vowel", NONE if common is None else COMMON_VOWELS.index(common))


def _is_silence(label: str) -> bool:
    bare = label.strip().lower()
    return not bare or (bare[0], bare[-1]) == ("<", ">") or bare.strip("[]()").strip() in SILENCES


def _without_position(label: str) -> str:
    """Without the place in the word that Kaldi appends: _B, _I, _E, _S."""
    return label[:-2] if len(label) > 2 and label[-2] == "_" and label[-1] in "BIES" else label
