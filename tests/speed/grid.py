"""A whole grid of heads against one forward pass over the audio.

A run of the task with its default head, every fold and seed, on a model of base size with random weights: listening,
encoding, fitting, scoring and records, as `bench run` does it. It is compared with the bare forward pass over the same
decoded audio. Then one seed again with the features stored: how long it takes, and whether a model was loaded at all.
Prints one line of JSON.

    BENCH_DATA=../shared/corpora python tests/speed/grid.py --task urdu
    python tests/speed/grid.py --task iemocap --generated --model ../shared/models/moonshine-base

With `--generated` the corpus is one in IEMOCAP's layout, as large as IEMOCAP: its 10039 utterances of the 12.4 hours
that the original lasts, of noise, 1.4 GB; of them the task takes 5531.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import material
from throughput import bare_loop, wave

sys.path.insert(0, str(Path(__file__).parents[1] / "tasks"))

AGAIN = """
import json, sys, time
from dataclasses import replace
from pathlib import Path
import material
from benchmark.run.plan import Request
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.io.settings import load_settings
task, model, folder = sys.argv[1:]
settings = replace(load_settings(), cache=Path(folder) / "cache", results=Path(folder) / "results")
started = time.perf_counter()
(cell,) = run(Request([model], [task], rerun="all", seeds=[0]), Registry(), settings, material.Quiet(), "cpu")
loaded = [name for name in sys.modules if name.startswith("transformers.models.") and ".modeling_" in name]
print(json.dumps([time.perf_counter() - started, cell.newly_encoded, cell.fit_s, loaded]))
"""


# IEMOCAP's 12.4 hours in 10039 utterances, cut at both ends.
SHORTEST_S, LONGEST_S, MEAN_S = 1.0, 14.0, 4.45


def write_iemocap(root: Path) -> None:
    """Write a corpus of its layout, size and length."""
    from trees import iemocap

    iemocap.write(root)
    paths = sorted(path for path in root.rglob("*.wav") if not path.name.startswith("."))
    recordings = material.Recordings(LONGEST_S, 0)
    for number, (path, seconds) in enumerate(
        zip(paths, recordings.lengths(len(paths), SHORTEST_S, LONGEST_S, MEAN_S), strict=True)
    ):
        recordings.write(path, number, seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="demo")
    parser.add_argument("--model", help="folder of a model; a random one of base size where not given")
    parser.add_argument("--generated", action="store_true", help="a generated corpus of IEMOCAP's size and layout")
    options = parser.parse_args()
    if options.generated and options.task != "iemocap":
        parser.error("--generated makes IEMOCAP's recordings: it goes with --task iemocap")
    with tempfile.TemporaryDirectory() as made:
        if options.generated:
            write_iemocap(Path(made) / "iemocap")
            os.environ["BENCH_DATA"] = made  # for the process below, too
            os.environ["BENCH_CACHE"] = str(Path(made) / "cache")
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """Measure and print."""
    import json

    from benchmark.registry.registry import Registry
    from benchmark.run.loop import run
    from benchmark.run.plan import Request

    dataset, heard, settings = material.speech(options.task, None)
    with tempfile.TemporaryDirectory() as folder:
        model = f"hf:{options.model}" if options.model else material.base_model(Path(folder) / "base")
        upstream = Registry().upstream(model)
        ordered = sorted(dataset.recordings, key=lambda u: -heard[u.id].duration)
        waves = [wave(dataset, utterance, settings.cache) for utterance in ordered]
        bare_loop(upstream, waves[-3:], 1)  # warm
        bare = material.seconds_of(lambda: bare_loop(upstream, waves, 1))
        own = replace(settings, cache=Path(folder) / "cache", results=Path(folder) / "results")
        cells = []
        grid = material.seconds_of(
            lambda: cells.extend(run(Request([model], [options.task]), Registry(), own, material.Quiet(), "cpu"))
        )
        command = [sys.executable, "-c", AGAIN, options.task, model, folder]
        again = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
        warm, newly_encoded, fit_again, loaded = json.loads(again.stdout)
    (cell,) = cells
    material.tell(
        measure="whole grid / one forward pass",
        task=options.task,
        model=Path(options.model).name if options.model else "wav2vec 2.0 base, random",
        units=cell.completed,
        audio_s=sum(one.duration for one in heard.values()),
        bare_forward_s=bare,
        encode_s=cell.encode_s,
        fit_s=cell.fit_s,
        grid_s=grid,
        ratio=grid / bare,
        warm_s=warm,
        warm_without_fitting_s=warm - fit_again,
        warm_newly_encoded=newly_encoded,
        warm_models_loaded=loaded,
    )


if __name__ == "__main__":
    main()
