"""Kills and bit flips: a run is killed anywhere and run again, and bits of its records are flipped, many times.

    python tests/faults/kills_and_flips.py --kills 200 --flips 2000

Run by hand; a kill takes some seconds of the processor, a flip some hundredths. Right is: after every kill the same
command ends, and the board is byte for byte that of a run nobody disturbed, with nothing half-written left; and every
flipped bit of a record is named by its file, or the board is still the same, byte for byte. Prints one JSON line and
exits with 1 where anything else came out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

SUPPORT = Path(__file__).parents[1] / "support"
sys.path.insert(0, str(SUPPORT))

from toy import TONE_PLUGIN, TOY_TASK, write_toy_corpus  # noqa: E402 - the path is said first

from benchmark.errors import BenchError  # noqa: E402
from benchmark.records import RecordStore  # noqa: E402

ROOT = Path(__file__).parents[2]
# Every batch becomes a shard of its own, so that there is much to interrupt.
PROGRAM = "import benchmark.features.store as store; store.SHARD_BYTES = 1\nfrom benchmark.cli import main; main()"
SLOWER = {
    "        type(self).encoded += 1": "        import time; time.sleep(0.01)",
    "        noise = np": "        import time; time.sleep(0.02); noise = np",
}


class Bench:
    """The command line in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_toy_corpus(folder / "toy")
        (folder / "toy.yaml").write_text(yaml.safe_dump(TOY_TASK))
        plugin = TONE_PLUGIN
        for old, new in SLOWER.items():
            plugin = plugin.replace(old, new)
        (folder / "tones.py").write_text(plugin)
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("BENCH_")}
        self.env |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "XDG_CONFIG_HOME": str(folder / "config")}

    def start(self, *arguments: str, place: str) -> subprocess.Popen[bytes]:
        """Start a command with the results and the cache of a place."""
        places = {name: str(self.folder / place / name.lower()) for name in ("BENCH_RESULTS", "BENCH_CACHE")}
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.folder,
            env=self.env | places,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def run(self, place: str) -> subprocess.Popen[bytes]:
        """Start the run that is disturbed."""
        options = ["--plugin", "tones.py", "--data", "toy=toy", "-t", "toy.yaml", "-u", "spectrum", "-d", "nearest"]
        return self.start("run", "-q", *options, place=place)

    def board(self, place: str) -> dict[str, bytes]:
        """The files of the board of a place."""
        out = self.folder / place / "board"
        finished(self.start("leaderboard", "--no-references", "--out", str(out), place=place))
        return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def finished(process: subprocess.Popen[bytes]) -> None:
    """Wait for a command that must succeed."""
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"a command failed: {said.decode(errors='replace')}")


def kills(bench: Bench, number: int, minutes: float, draw: random.Random) -> dict[str, int]:
    """Kill a run so often, beginning anew whenever one ends, and compare what comes out."""
    started = time.perf_counter()
    finished(bench.run("whole"))
    seconds, expected = time.perf_counter() - started, bench.board("whole")
    killed = rounds = wrong = left = 0
    while killed < number and time.perf_counter() - started < 60 * minutes:
        place = f"round-{rounds}"
        for _ in range(12):  # then it may end: some kills come before the first unit
            process = bench.run(place)
            time.sleep(draw.uniform(0.1, 1.1) * seconds)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            process.communicate()
            if process.returncode == 0 or killed == number:
                break
        finished(bench.run(place))
        left += len([*(bench.folder / place).rglob(".writing-*")])
        wrong += bench.board(place) != expected
        rounds += 1
    return {"kills": killed, "rounds": rounds, "other_boards": wrong, "left_half_written": left}


def flips(bench: Bench, number: int, draw: random.Random) -> dict[str, int]:
    """Flip one bit of one record so often, and read all of them again."""
    root = bench.folder / "whole" / "bench_results"
    paths = sorted(root.rglob("*.json"))
    records = RecordStore(root).read().whole()
    named = same = wrong = 0
    for _ in range(number):
        path = draw.choice(paths)
        content = path.read_bytes()
        damaged = bytearray(content)
        bit = draw.randrange(8 * len(content))
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            reading = RecordStore(root).read()
            if reading.problems:
                named += list(reading.problems) == [path] and str(path) in reading.problems[path]
                wrong += list(reading.problems) != [path]
            elif reading.records == records:
                same += 1  # as a space for a line break at the end of the file
            else:
                wrong += 1
        except BenchError:
            wrong += 1  # a command would end here
        finally:
            path.write_bytes(content)
    return {"flips": number, "named": named, "same": same, "silent_or_lost": wrong}


def main() -> None:
    """Kill, flip, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no further round of kills after these")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        found = {**kills(bench, given.kills, given.minutes, draw), **flips(bench, given.flips, draw)}
    print(json.dumps(found))  # noqa: T201
    raise SystemExit(bool(found["other_boards"] or found["left_half_written"] or found["silent_or_lost"]))


if __name__ == "__main__":
    main()
