"""Write the figures of docs/bridge.md from the published rows: `python docs/draw_bridge.py`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmark.cli.compare_protocols import under_both
from benchmark.metrics import METRICS
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.text import decimal, interval, measured, p_text
from leaderboard.bridge import PAPERS, Reported, bridges
from leaderboard.render import bridge_tables

RESULTS = Path(__file__).parent.parent / "leaderboard" / "results"
PAGE = Path(__file__).parent / "bridge.md"
# The system of the title, which needs no weights: whoever has the recordings can make both numbers.
CORPUS, UPSTREAM, DOWNSTREAM, NOISE = "urdu", "egemaps", "svm", "chance"
ROW = (CORPUS, UPSTREAM, DOWNSTREAM, PAPERS)
MARKED = re.compile(r"(<!-- (\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)


def draw() -> str:
    """The page with what stands between its marks made again.

    Raises:
        ValueError: There is no published row of the system of the title.
    """
    records = list(RecordStore(RESULTS))
    found, cells = bridges(records), group(records).cells
    row = next((one for one in found if (one.corpus, one.upstream, one.downstream, one.whose) == ROW), None)
    if row is None or row.own is None:
        raise ValueError(f"{RESULTS} has no {UPSTREAM} + {DOWNSTREAM} on {CORPUS} and on its random splits")
    low, high = _plain(row.own), _plain(row.theirs)
    ends = row.own.interval
    title = METRICS[row.own.metric].title
    between = "" if ends is None else f" (95 % interval {interval(ends.low, ends.high, True)})"
    texts = {
        "title": f"# Why the same model scores {low} and {high}",
        "headline": (
            f"On {CORPUS.upper()} the system `{UPSTREAM}` + `{DOWNSTREAM}` has a {title} of {low}{between} when each\n"
            f"speaker is tested by a machine that never heard this voice, and of {high} on random splits of the same\n"
            "recordings. Nothing else differs: the features, the machine and its parameters are the same.\n\n"
            f"{_tested(cells)}"
        ),
        "tables": bridge_tables(found).strip(),
    }
    return MARKED.sub(lambda mark: f"{mark[1]}{texts[mark[2]]}{mark[3]}", PAGE.read_text(encoding="utf-8"))


def _tested(cells: Sequence[Cell]) -> str:
    """Whether the difference of the title could be chance, and what of it is no voice."""
    own, known = ([cell for cell in cells if cell.task.name == name] for name in (CORPUS, f"{CORPUS}-random"))
    metric, told = under_both(known, own, None)
    by_name = {one.comparison.task: one.comparison for one in told}
    pair, noise = (by_name[f"{name} + {DOWNSTREAM}"] for name in (UPSTREAM, NOISE))
    sure = sum(one.comparison.significant for one in told if not one.control)
    ends = interval(pair.low or 0.0, pair.high or 0.0, metric.percent)
    alone, among, of_noise = (p_text(1.0 if p is None else p) for p in (pair.p, pair.p_adjusted, noise.p_adjusted))
    text = (
        f"Is it real? The difference is {measured(pair.delta, metric.percent)} {ends}, {alone} if this system is "
        f"looked at alone. Picked out of the {pair.pairs} that were run under both it is {among}: "
        f"{pair.n_clusters} speakers, worth {decimal(pair.effective_clusters, 1)} of equal weight, are few: "
        f"{sure} of all can be told to gain ([findings](findings.md)). Nor need all of it be voices: with noise in "
        f"place of features (`{NOISE}` + `{DOWNSTREAM}`) the same change adds {measured(noise.delta, metric.percent)} "
        f"({of_noise}), probably since a speaker who is held out takes most of an emotion along out of train. The "
        "command that prints it:"
    )
    command = f"bench compare {UPSTREAM}+{DOWNSTREAM} --protocols --task {CORPUS}-random --task {CORPUS} --published"
    return f"{textwrap.fill(text, 120, break_on_hyphens=False)}\n\n    {command}"


def _plain(one: Reported) -> str:
    return measured(one.score, METRICS[one.metric].percent)


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
