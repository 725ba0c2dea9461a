"""Peak memory of fitting a head on the frames of a corpus and of one eight times as large: it must not grow with it.

Generated frames of 13 layers lie in shards as the feature store writes them, 0.25 and 2 GB unless others are given; the
head `dense-global` is fitted for two epochs with 64 MiB for frames, in a process for each. Prints one line of JSON.

    python tests/speed/fit_memory.py
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import material

LAYERS, FRAMES, DIM = 13, 150, 64
IN_A_SHARD = 128
CHANGES = ("downstream.memory=64", "downstream.maximum=2", "downstream.hidden=32")


def write_frames(folder: Path, utterances: int) -> None:
    """Frames in two classes, the first 128 utterances in the first shard and so on."""
    import numpy as np

    from benchmark.features.shards import write_shard

    generator = np.random.Generator(np.random.PCG64(0))
    for begin in range(0, utterances, IN_A_SHARD):
        names = range(begin, min(begin + IN_A_SHARD, utterances))
        noise = generator.standard_normal((len(names), LAYERS, FRAMES, DIM), dtype=np.float32)
        write_shard(folder, {f"{name:06d}": frames + name % 2 for name, frames in zip(names, noise, strict=True)}, {})


def examples(folder: Path, share: slice) -> Any:
    """Utterances as a run gives them to a head: mapped, and read when they are asked for."""
    import numpy as np

    from benchmark.features.shards import Shard, open_shards
    from benchmark.lazy import LazyMapping, LazySequence
    from benchmark.types import Examples

    shards = {key: shard for shard in open_shards(folder) if isinstance(shard, Shard) for key in shard.places}
    ids = tuple(sorted(shards)[share])
    features = LazyMapping(ids, lambda name: shards[name].tensor(name))
    return Examples(
        ids=ids,
        x=LazySequence(features, ids),
        y=np.array([int(name) % 2 for name in ids]),
        speakers=("s",) * len(ids),
        outputs=("a", "b"),
        kind="classification",
        metric="uar",
    )


def fit(folder: Path) -> dict[str, float]:
    """Fit the head and say what it took."""
    from benchmark.registry.registry import Registry

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6

    head = Registry(changes=CHANGES).downstream("dense-global")
    train, dev = examples(folder, slice(64, None)), examples(folder, slice(64))
    before = peak()
    seconds = material.seconds_of(lambda: head.fit(train, dev, seed=0))
    stored = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    return {"before_mb": before, "peak_mb": peak(), "stored_mb": stored, "seconds": seconds}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=512, help="of the smaller corpus")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # of the process that fits
    options = parser.parse_args()
    if options.folder is not None:
        sys.stdout.write(json.dumps(fit(options.folder)))
        return
    found = []
    for utterances in (options.utterances, 8 * options.utterances):
        with tempfile.TemporaryDirectory() as name:
            write_frames(Path(name), utterances)
            command = [sys.executable, __file__, "--folder", name]
            found.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    small, large = found
    material.tell(
        measure="peak memory of fitting on 8 times the frames / on the frames",
        before_mb=small["before_mb"],
        stored_mb=small["stored_mb"],
        peak_mb=small["peak_mb"],
        seconds=small["seconds"],
        stored_mb_8=large["stored_mb"],
        peak_mb_8=large["peak_mb"],
        seconds_8=large["seconds"],
        ratio=large["peak_mb"] / small["peak_mb"],
    )


if __name__ == "__main__":
    main()
