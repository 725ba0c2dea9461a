"""Write the figures of docs/bridge.md from the published rows: `python docs/draw_bridge.py`."""

from __future__ import annotations

import re
from pathlib import Path

from benchmark.metrics import METRICS
from benchmark.records import RecordStore
from benchmark.text import interval, measured
from leaderboard.bridge import PAPERS, Reported, bridges
from leaderboard.render import bridge_tables

RESULTS = Path(__file__).parent.parent / "leaderboard" / "results"
PAGE = Path(__file__).parent / "bridge.md"
# The system of the title, which needs no weights: whoever has the recordings can make both numbers.
CORPUS, UPSTREAM, DOWNSTREAM = "urdu", "egemaps", "svm"
ROW = (CORPUS, UPSTREAM, DOWNSTREAM, PAPERS)
MARKED = re.compile(r"(<!-- (\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)


def draw() -> str:
    """The page with what stands between its marks made again.

    Raises:
        ValueError: There is no published row of the system of the title.
    """
    found = bridges(RecordStore(RESULTS))
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
            "recordings. Nothing else differs: the features, the machine and its parameters are the same."
        ),
        "tables": bridge_tables(found).strip(),
    }
    return MARKED.sub(lambda mark: f"{mark[1]}{texts[mark[2]]}{mark[3]}", PAGE.read_text(encoding="utf-8"))


def _plain(one: Reported) -> str:
    return measured(one.score, METRICS[one.metric].percent)


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
