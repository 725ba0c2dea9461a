"""What the scores of cells are worth: uncertainty, differences, ranks, and what a task can show at all.

Everything is computed from per-speaker sufficient statistics. Utterances of one speaker are not independent, so the
speaker is the unit: of the spread behind every interval and test (`spread`, `intervals`, `pairs`), of corrections over
the pairs of a table (`families`, `letters`), and of what a table would find (`power`). `tasks` compares over corpora,
`protocols` one system under two protocols.
Where a corpus knows no speakers the unit is the utterance, in groups formed at random.

How often these methods err is measured by simulation: `tests/simulations`, and the table in `leaderboard/METHODS.md`.
"""

from benchmark.statistics.intervals import Interval, all_intervals, cell_interval
from benchmark.statistics.pairs import Comparison, compare
from benchmark.statistics.protocols import compare_protocols
from benchmark.statistics.scores import LEVEL, Scores, all_scores, cell_scores
from benchmark.statistics.task import TaskAnalysis, analyse

__all__ = [
    "LEVEL",
    "Comparison",
    "Interval",
    "Scores",
    "TaskAnalysis",
    "all_intervals",
    "all_scores",
    "analyse",
    "cell_interval",
    "cell_scores",
    "compare",
    "compare_protocols",
]
