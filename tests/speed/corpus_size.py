"""A run over a corpus of MSP-Podcast's size: plan, listen, encode, fit and board, by wall time and peak memory.

A generated release in the corpus's own layout: as many turns as are asked for, of 2.75 to 11 s, in 16 bits at 16 kHz,
each with samples of its own; 100000 of them last 160 h and take 18 GB of disk, which are given back at the end. A
process of its own does what `bench run` does, a second does it again with nothing to do, and a third is
`bench leaderboard`. Of several sizes, growth is what an utterance more takes between the largest two, against what it
takes between the smallest two: 1 where a phase grows as the corpus does. Prints one line of JSON.

    python tests/speed/corpus_size.py --utterances 1000 4000 16000
    python tests/speed/corpus_size.py --utterances 100000 --folder /large/disk
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import material

sys.path.insert(0, str(Path(__file__).parents[1] / "tasks"))

SHORTEST_S, LONGEST_S = 2.75, 11.0  # of the corpus's turns
MEAN_S = 5.76  # 160 h of 100000 turns
MARGIN = 1.2  # of the longest, since all are scaled to the mean
VOTES = 5  # of each turn, in the list of workers
PHASES = ("plan", "listen", "encode", "fit")
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def write_corpus(root: Path, utterances: int) -> float:
    """Write a release; the seconds of audio in it."""
    from trees import podcasts

    scale = utterances / sum(sum(counts.values()) for counts in podcasts.FULL_MSP.values())
    sizes = {
        split: {name: max(1, round(number * scale)) for name, number in counts.items()}
        for split, counts in podcasts.FULL_MSP.items()
    }
    podcasts.write(root, sizes, audio=False)
    with (root / "Labels" / "labels_consensus.csv").open(newline="") as handle:
        names = [row["FileName"] for row in csv.DictReader(handle)]
    with (root / "Labels" / "labels_detailed.csv").open("w", newline="") as handle:
        rows = ([name, f"WORKER{vote}", "Neutral"] for name in names for vote in range(VOTES))
        csv.writer(handle).writerows([["FileName", "Worker", "EmoClass_Major"], *rows])
    recordings = material.Recordings(LONGEST_S * MARGIN, utterances)
    seconds = recordings.lengths(len(names), SHORTEST_S, LONGEST_S, MEAN_S)
    for number, (name, lasting) in enumerate(zip(names, seconds, strict=True)):
        recordings.write(root / "Audios" / name, number, lasting)
    return float(seconds.sum())


class Phases(material.Quiet):
    """Progress that notes what each phase takes, of the clock and of the processors, and the memory it ever holds.

    What is done between listening, encoding and fitting belongs to the plan.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.processor_s: dict[str, float] = defaultdict(float)
        self.peak_mb: dict[str, float] = defaultdict(float)
        self._since = time.perf_counter(), time.process_time()

    def lap(self, phase: str) -> None:
        """All since the last lap was this phase."""
        now, before = (time.perf_counter(), time.process_time()), self._since
        self.seconds[phase] += now[0] - before[0]
        self.processor_s[phase] += now[1] - before[1]
        self._since = now
        (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")]
        self.peak_mb[phase] = max(self.peak_mb[phase], int(line.split()[1]) * 1024 / 1e6)
        CLEAR.write_text("5")  # the peak begins anew

    @contextmanager
    def stage(self, *about: object) -> Iterator[Callable[..., None]]:
        """A stage, whose title begins with what is done."""
        self.lap("plan")
        yield lambda *done: None
        self.lap(str(about[0]).split()[0])

    encoding = stage


def run_in(folder: Path, upstream: str, downstream: str | None) -> None:
    """Do what `bench run` does, and print the phases."""
    from benchmark.io.settings import load_settings
    from benchmark.registry.registry import Registry
    from benchmark.run.loop import run
    from benchmark.run.plan import Request

    settings = load_settings([f"msp-podcast={folder / 'corpus'}"])
    settings = replace(settings, cache=folder / "cache", results=folder / "results")
    request = Request([upstream], ["msp-podcast"], [downstream] if downstream else [])
    phases = Phases()
    (cell,) = run(request, Registry(), settings, phases, "cpu")
    phases.lap("plan")
    if cell.failed or cell.protocol != "official":
        raise SystemExit(f"{cell.protocol}: {cell.failed}")
    found = {"seconds": phases.seconds, "processor_s": phases.processor_s, "peak_mb": phases.peak_mb}
    sys.stdout.write(json.dumps(found))


def command(*arguments: str) -> tuple[str, float, float]:
    """What a command prints, how long it takes [s], and its peak memory [MB]."""
    started = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    told = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments} ended with {process.returncode}")
    return told, time.perf_counter() - started, usage.ru_maxrss * 1024 / 1e6


def measured(utterances: int, folder: Path, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Seconds and peak memory of each phase."""
    started = time.perf_counter()
    audio_s = write_corpus(folder / "corpus", utterances)
    writing_s = time.perf_counter() - started
    downstream = ["--downstream", options.downstream] if options.downstream else []
    own = [sys.executable, __file__, "--upstream", options.upstream, *downstream, "--within", str(folder)]
    told, run_s, _ = command(*own)
    found = json.loads(told)
    _, again_s, again_mb = command(*own)
    bench = str(Path(sys.executable).with_name("bench"))
    _, board_s, board_mb = command(bench, "leaderboard", "--results", str(folder / "results"))
    stored = sum(path.stat().st_size for path in (folder / "cache").rglob("*") if path.is_file())
    return {
        "seconds": {
            **{phase: found["seconds"][phase] for phase in PHASES},
            "run": run_s,
            "again": again_s,
            "board": board_s,
        },
        "processor_s": {phase: found["processor_s"][phase] for phase in PHASES},
        "peak_mb": {
            **{phase: found["peak_mb"][phase] for phase in PHASES},
            "run": max(found["peak_mb"].values()),
            "again": again_mb,
            "board": board_mb,
        },
        "about": {"audio_h": audio_s / 3600, "writing_s": writing_s, "cache_mb": stored / 1e6},
    }


def growth(sizes: list[int], values: list[float]) -> float | None:
    """What an utterance more takes at the end against at the beginning; None of fewer than three sizes."""
    if len(sizes) < 3:
        return None
    slopes = [(values[at] - values[at - 1]) / (sizes[at] - sizes[at - 1]) for at in (1, -1)]
    return round(slopes[1] / slopes[0], 2) if slopes[0] > 0 else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, nargs="+", default=[1000, 4000, 16000], help="sizes, ascending")
    parser.add_argument("--upstream", default="logmel")
    parser.add_argument("--downstream", help="head; the task's own where not given")
    parser.add_argument("--folder", type=Path, help="where the corpus and the cache are made, and removed at the end")
    parser.add_argument("--within", type=Path, help=argparse.SUPPRESS)  # of the process that runs
    options = parser.parse_args()
    if options.within is not None:
        run_in(options.within, options.upstream, options.downstream)
        return
    found = []
    for utterances in options.utterances:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            found.append(measured(utterances, Path(name), options))
    shown = {
        kind: {key: [float(f"{one[kind][key]:.4g}") for one in found] for key in found[0][kind]} for kind in found[0]
    }
    grown = {key: growth(options.utterances, values) for key, values in shown["seconds"].items()}
    material.tell(
        measure="a run over a corpus of MSP-Podcast's layout, by phase",
        upstream=options.upstream,
        downstream=options.downstream or "of the task",
        utterances=options.utterances,
        **shown["about"],
        seconds=shown["seconds"],
        growth=grown,
        processor_s=shown["processor_s"],
        peak_mb=shown["peak_mb"],
    )


if __name__ == "__main__":
    main()
