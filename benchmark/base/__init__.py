"""The three abstract classes: a corpus, an upstream and a downstream are one subclass each.

A class is found by its literal `name = "..."`; the first line of its docstring is the summary that `bench list` shows.
"""

from benchmark.base.corpus import Corpus
from benchmark.base.downstream import Downstream, HeadParams
from benchmark.base.upstream import Upstream

__all__ = ["Corpus", "Downstream", "HeadParams", "Upstream"]
