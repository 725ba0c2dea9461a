"""Encoding throughput of the feature store against a bare loop of the same model over the same sorted audio.

The bare loop gets decoded and resampled waveforms, the longest first, and does no more than the model's own feature
extractor, one forward pass with all hidden states, and their means over time. The store reads, decodes, resamples,
checks, encodes, pools, hashes and writes; with `--stored frames` or `frames-float16` it writes every frame of every
layer instead of their means. Both are measured in turn; of several repeats the fastest counts. With `--batch` the bare
loop encodes padded batches of so many utterances instead, as fast as a GPU wants them (its features then depend on the
batch). Prints one line of JSON.

    python tests/speed/throughput.py
    python tests/speed/throughput.py --model ../shared/models/whisper-tiny --task urdu
    python tests/speed/throughput.py --precision bf16
    python tests/speed/throughput.py --stored frames
    python tests/speed/throughput.py --device cuda --seconds 2000 --batch 16
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import material


def bare_loop(upstream: Any, waves: list[Any], batch: int) -> None:
    """Encode waveforms with the model alone."""
    import contextlib

    import torch

    upstream.encode(waves[-1])  # loads the model
    model, extractor = upstream._model.to(upstream.device), upstream._extractor
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(upstream.precision)
    autocast = torch.autocast(upstream.device, dtype) if dtype else contextlib.nullcontext()
    with torch.inference_mode(), autocast:
        for first in range(0, len(waves), batch):
            some = waves[first : first + batch]
            padding = {"padding": True} if len(some) > 1 and not hasattr(extractor, "chunk_length") else {}
            inputs = extractor(some, sampling_rate=16_000, return_tensors="pt", **padding)
            (name,) = [key for key in inputs if key.startswith("input")]
            states = model(inputs[name].to(upstream.device), output_hidden_states=True).hidden_states
            if hasattr(extractor, "chunk_length"):  # of Whisper's window what is not silence after the utterance
                states = [state[:, : -(-len(some[0]) // 320)] for state in states]
            torch.stack([state.mean(dim=1) for state in states], dim=1).float().cpu().numpy()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="folder of a model; a random one of base size where not given")
    parser.add_argument("--task", default="demo", help="whose speech (default: the demo's)")
    parser.add_argument("--seconds", type=float, default=material.SECONDS_OF_SPEECH, help="how much speech")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", choices=["bf16", "fp16"])
    parser.add_argument("--stored", default="mean", choices=["mean", "frames", "frames-float16"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--batch", type=int, default=1, help="utterances that the bare loop encodes together")
    options = parser.parse_args()

    from benchmark.features.views import open_view
    from benchmark.registry.registry import Registry
    from benchmark.threads import resolve_device

    resolve_device(options.device)
    dataset, heard, settings = material.speech(options.task, options.seconds)
    with tempfile.TemporaryDirectory() as folder:
        name = f"hf:{options.model}" if options.model else material.base_model(Path(folder) / "base")
        upstream = Registry().upstream(f"{name}@{options.precision}" if options.precision else name)
        upstream.device = options.device
        ordered = sorted(dataset.recordings, key=lambda u: -heard[u.id].duration)
        waves = [wave(dataset, utterance, settings.cache) for utterance in ordered]
        bare_loop(upstream, waves[-3:], options.batch)  # warm
        cache = Path(folder) / "cache"
        bare, store = [], []
        for _ in range(options.repeats):
            bare.append(material.seconds_of(lambda: bare_loop(upstream, waves, options.batch)))
            view = open_view(cache, upstream, options.stored)
            store.append(material.seconds_of(lambda view=view: view.load(dataset, heard, material.Quiet())))
            shutil.rmtree(cache)
    audio = sum(one.duration for one in heard.values())
    material.tell(
        measure="encoding throughput: store / bare loop",
        model=Path(options.model).name if options.model else "wav2vec 2.0 base, random",
        device=options.device,
        precision=options.precision or "float32",
        stored=options.stored,
        audio_s=audio,
        utterances=len(heard),
        bare_s=min(bare),
        store_s=min(store),
        bare_real_time_factor=min(bare) / audio,
        audio_hours_per_second=audio / 3600 / min(store),
        share_of_bare=min(bare) / min(store),
    )


def wave(dataset: Any, utterance: Any, cache: Path) -> Any:
    """A decoded and resampled utterance."""
    from benchmark.data.audio import decode

    return decode(dataset.root_of(utterance), utterance, None, cache).at(16_000)


if __name__ == "__main__":
    main()
