"""Phone alignments: when which phone is spoken in an utterance, from the files that aligners write."""

from benchmark.alignments.folder import Alignments, load_alignments
from benchmark.alignments.intervals import Interval
from benchmark.alignments.phones import COMMON_VOWELS, PhoneClasses

__all__ = ["COMMON_VOWELS", "Alignments", "Interval", "PhoneClasses", "load_alignments"]
