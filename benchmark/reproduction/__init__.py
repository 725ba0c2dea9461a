"""Published tables beside what was run here, and published claims tested with our own pair tests."""

from benchmark.reproduction.claims import Tested, tested
from benchmark.reproduction.tables import Line, Value, lines_of, name_of

__all__ = ["Line", "Tested", "Value", "lines_of", "name_of", "tested"]
