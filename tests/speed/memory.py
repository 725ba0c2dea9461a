"""Peak memory of encoding a corpus and one eight times as large: it must not grow with the corpus.

Generated audio, 40 and 320 minutes in utterances of 10 s, encoded in processes of their own. All frames of a small
model's layers are stored, so that what goes to the disk is many times what may lie in memory. Prints one line of JSON.

    python tests/speed/memory.py
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import material

UTTERANCE_S = 10
TASK = """
name: noise
version: 1
title: Noise
corpus: csv
kind: classification
labels: [a, b]
label_map: {a: a, b: b}
folds: {scheme: leave-one-group-out, group: speaker}
dev: {scheme: none}
speaker_independent: true
pool: utterances
metrics: [uar]
seeds: [0]
downstream: svm
expect: {utterances: COUNT, speakers: 4}
licence: none
citation: none
"""


def write_corpus(folder: Path, minutes: int) -> None:
    """Noise in two classes by four speakers, each file different."""
    import numpy as np
    import soundfile

    generator = np.random.Generator(np.random.PCG64(minutes))
    rows = []
    for number in range(minutes * 60 // UTTERANCE_S):
        name = f"{number}.wav"
        soundfile.write(folder / name, generator.uniform(-0.3, 0.3, 16_000 * UTTERANCE_S), 16_000)
        rows.append([name, f"s{number % 4}", "ab"[number // 4 % 2]])
    with (folder / "index.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([["file", "speaker", "label"], *rows])


def encode(folder: Path) -> dict[str, float]:
    """Encode a corpus and say what it took."""
    import numpy as np

    from benchmark.base import Upstream
    from benchmark.features.views import open_view
    from benchmark.io.settings import load_settings
    from benchmark.protocol.dataset import load_dataset
    from benchmark.protocol.hearing import listen
    from benchmark.protocol.task import read_task
    from benchmark.registry.registry import Registry
    from benchmark.types import Features

    class Repeated(Upstream):
        """The log mel spectrogram in ten layers."""

        name = "repeated"
        layers, dim, frame_rate = 10, 80, 100.0

        def __init__(self) -> None:
            self._one = Registry().upstream("logmel")

        def encode(self, wave):
            features = self._one.encode(wave)
            return Features(features.layers.repeat(10, axis=0), features.frame_rate)

    settings = replace(load_settings([f"noise={folder / 'audio'}"]), cache=folder / "cache")
    dataset = load_dataset(read_task(folder / "noise.yaml"), [Registry().corpus("csv")], settings)
    heard = listen(dataset, settings, {}, lambda count: None)
    upstream = Repeated()
    upstream.encode(np.full(16_000, 0.1, np.float32))  # what is imported for it is not counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = material.seconds_of(
        lambda: open_view(settings.cache, upstream, "frames").load(dataset, heard, material.Quiet())
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    stored = sum(path.stat().st_size for path in (folder / "cache" / "features").rglob("*.safetensors"))
    return {"before_mb": before / 1e6, "peak_mb": peak / 1e6, "stored_mb": stored / 1e6, "seconds": seconds}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=40, help="of the smaller corpus")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # of the process that encodes
    options = parser.parse_args()
    if options.folder is not None:
        sys.stdout.write(json.dumps(encode(options.folder)))
        return
    found = []
    for minutes in (options.minutes, 8 * options.minutes):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "audio").mkdir()
            write_corpus(folder / "audio", minutes)
            count = minutes * 60 // UTTERANCE_S
            (folder / "noise.yaml").write_text(TASK.replace("COUNT", str(count)))
            command = [sys.executable, __file__, "--folder", name]
            found.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    small, large = found
    material.tell(
        measure="peak memory of 8 times the audio / of the audio",
        minutes=options.minutes,
        stored_mb=small["stored_mb"],
        peak_mb=small["peak_mb"],
        stored_mb_8=large["stored_mb"],
        peak_mb_8=large["peak_mb"],
        ratio=large["peak_mb"] / small["peak_mb"],
    )


if __name__ == "__main__":
    main()
