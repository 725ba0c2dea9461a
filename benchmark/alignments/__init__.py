"""Phone alignments: when which phone is spoken in an utterance, from the files that aligners write."""

from benchmark.alignments.folder import Alignments, load_alignments
from benchmark.alignments.phones import COMMON_VOWELS, PhoneClasses
from benchmark.alignments.segments import Segment

__all__ = ["COMMON_VOWELS", "Alignments", "PhoneClasses", "Segment", "load_alignments"]
