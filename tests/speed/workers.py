"""How much faster two workers of one thread are than one: encoding, and fitting.

    python tests/speed/workers.py --data urdu=FOLDER --weights whisper-tiny=FOLDER

Run by hand, on a machine that does nothing else. Prints one JSON line: seconds of the jobs' whole phase, from handing
over the first to the record of the last, best of several, for one worker and for two; and how often faster two are.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmark.io.settings import Settings, load_settings
from benchmark.progress import Unheard
from benchmark.registry.registry import Registry
from benchmark.run import jobs
from benchmark.run.dask_engine import DaskEngine
from benchmark.run.plan import Request
from benchmark.run.spread import run_spread


class Phases(DaskEngine):
    """Notes when the jobs of each kind were handed over and finished."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.kinds: dict[int, str] = {}
        self.times: dict[str, list[float]] = {}

    def submit(self, job, *arguments, gpu=False):
        """Note the time."""
        ticket = super().submit(job, *arguments, gpu=gpu)
        self.kinds[ticket] = job.__name__
        self.times.setdefault(job.__name__, []).append(time.perf_counter())
        return ticket

    def completed(self, tell):
        """Note the time."""
        for finished in super().completed(tell):
            self.times[self.kinds[finished.ticket]].append(time.perf_counter())
            yield finished


def measured(count: int, request: Request, settings: Settings, warm: Request) -> dict[str, float]:
    """Seconds of each phase on so many workers, which have imported all they need."""
    with contextlib.closing(Phases.local(count, threads=1)) as engine:
        run_spread(warm, Registry(), settings, Unheard(), engine, "cpu")
        engine.times.clear()
        run_spread(request, Registry(), settings, Unheard(), engine, "cpu")
        return {kind: max(times) - min(times) for kind, times in engine.times.items()}


def main() -> None:
    """Run the grid on one worker and on two, each from nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", default="whisper-tiny")
    parser.add_argument("--task", default="urdu")
    parser.add_argument("--downstream", default="superb")
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    request = Request([given.upstream], [given.task], [given.downstream])
    warm = Request(["logmel"], ["demo"], [given.downstream], seeds=[0])
    best: dict[int, dict[str, float]] = {1: {}, 2: {}}
    for _ in range(given.repeats):
        for count, found in best.items():
            folder = Path(tempfile.mkdtemp())
            known = load_settings(given.data, given.weights)
            settings = Settings(folder / "cache", folder / "results", known.data, weights=known.weights)
            for kind, seconds in measured(count, request, settings, warm).items():
                found[kind] = min(seconds, found.get(kind, seconds))
            shutil.rmtree(folder)
    names = {jobs.encode.__name__: "encode", jobs.fit.__name__: "fit"}
    shown = {f"{names[kind]}_{count}_s": round(s, 2) for count, found in best.items() for kind, s in found.items()}
    ratios = {f"{names[kind]}_x": round(seconds / best[2][kind], 3) for kind, seconds in best[1].items()}
    sys.stdout.write(json.dumps({**shown, **ratios}) + "\n")


if __name__ == "__main__":
    main()
