"""The files of a pretrained model, in a folder or on the Hugging Face Hub, found and hashed without loading them."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import digest, file_sha256, pointed_at

CONFIG = "config.json"
# Where the settings of the feature extractor stand; transformers 5 writes the second, with the tokenizer's beside them.
PREPROCESSOR = "preprocessor_config.json"
PROCESSOR = "processor_config.json"
# (one file, index of several), the preferred format first.
FORMATS = (
    ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)
HOW_TO_GIVE = (
    "give a folder that holds the model: --weights NAME=FOLDER, or BENCH_WEIGHTS=FOLDER with one folder for each "
    "model in it, or --upstream hf:/path/to/folder"
)
LARGEST_JSON = 100 << 20  # an index of many weights has some megabytes
REACH_S = 10.0  # a hub that does not answer in this time is not waited for
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        BenchError: It cannot be read, or holds something else.
    """
    try:
        if (size := path.stat().st_size) > LARGEST_JSON:
            raise BenchError(f"{path} has {size} bytes, which no JSON of a model has", "is it the right file?")
        content = json.loads(path.read_bytes())
    except RecursionError as error:
        raise BenchError(f"{path} is nested too deeply", "is it the right file?") from error
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} cannot be read as JSON: {error}", "is the download complete?") from error
    if not isinstance(content, dict):
        raise BenchError(f"{path} holds {type(content).__name__}, not a JSON object", "is it the right file?")
    return content


def refuse_pointers(label: str, files: Iterable[Path], hint: str) -> None:
    """Refuse weights of which a clone holds no more than pointers.

    Raises:
        MissingError: A file is one; it is named.
    """
    for file in files:
        if (pointer := pointed_at(file)) is not None:
            raise MissingError(f"{label!r} has no weights: {file.name} {pointer}", hint)


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a model's weights, safetensors before PyTorch's own format; empty where there are none.

    Raises:
        BenchError: The index of a model in several files is broken or names a file that is not there.
    """
    for single, index, _ in FORMATS:
        if (folder / single).is_file():
            return [folder / single]
        if (folder / index).is_file():
            shards = read_json(folder / index).get("weight_map")
            if not isinstance(shards, dict) or not shards:
                raise BenchError(f"{folder / index} names no files", 'it needs "weight_map": {weight: file}')
            names = sorted({str(name) for name in shards.values()})
            for name in names:
                if Path(name).name != name or not (folder / name).is_file():
                    raise BenchError(f"{folder / index} names {name!r}, which is not in the folder", HOW_TO_GIVE)
            return [folder / index, *(folder / name for name in names)]
    return []


class Checkpoint:
    """A pretrained model in a folder, or on the Hub, from where it is downloaded into the Hub's own cache.

    Making one reads two small JSON files; the weights are fetched when `files` is first read. HF_HUB_OFFLINE,
    HF_HOME and HF_TOKEN work as for every user of `huggingface_hub`. An existing folder goes before a Hub id.

    Attributes:
        label: What to call it: the Hub id, or the folder's own name without its path.
        folder: Where the files lie.
        config: The content of config.json.
        preprocessor: The settings of the feature extractor.

    Args:
        model: A folder, or a Hub id such as "facebook/hubert-base-ls960".
        revision: Branch, tag or commit on the Hub; None for its main branch.

    Raises:
        MissingError: `model` is neither a folder nor a Hub id, or the Hub's files are neither cached nor to be had.
        BenchError: A file is missing from the folder or is no JSON.
        UsageError: A revision is given for a folder.
    """

    def __init__(self, model: str, revision: str | None = None) -> None:
        self.folder, self._hub_id = locate(model, revision, (CONFIG, PREPROCESSOR, PROCESSOR), HOW_TO_GIVE)
        self.label = self._hub_id or self.folder.resolve().name
        if not (self.folder / CONFIG).is_file():
            raise MissingError(f"{self.label!r} is no model: {self.folder} holds no {CONFIG}", HOW_TO_GIVE)
        self.config = read_json(self.folder / CONFIG)
        self.preprocessor = self._read_preprocessor()

    def _read_preprocessor(self) -> dict[str, Any]:
        if (self.folder / PREPROCESSOR).is_file():
            return read_json(self.folder / PREPROCESSOR)
        if (self.folder / PROCESSOR).is_file():
            content = read_json(self.folder / PROCESSOR).get("feature_extractor")
            if isinstance(content, dict):
                return content
        raise MissingError(
            f"{self.label!r} says nothing of how its waveform is prepared: {self.folder} holds no {PREPROCESSOR}",
            f"this is a model of type {self.config.get('model_type')!r:.80}; one of speech has it beside its weights, "
            "and without it the normalisation would be a guess",
        )

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The weight files, downloaded first where they must be.

        Raises:
            MissingError: There are none, or they cannot be downloaded.
        """
        found = weight_files(self.folder) if self._hub_id is None else self._fetched()
        if not found:
            expected = " or ".join(single for single, _, _ in FORMATS)
            raise MissingError(f"{self.label!r} has no weights: {self.folder} holds no {expected}", HOW_TO_GIVE)
        refuse_pointers(self.label, found, HOW_TO_GIVE)
        return tuple(found)

    def _fetched(self) -> list[Path]:
        """The weight files in the Hub's cache, after a download where they are not all there."""
        with contextlib.suppress(BenchError):  # a download of several files that was interrupted
            found = weight_files(self.folder)
            if found:
                return found
        # The folder of a snapshot is named after its commit, so the weights are those of the config read before.
        for patterns in FORMATS:
            found = weight_files(download(str(self._hub_id), self.folder.name, patterns, HOW_TO_GIVE))
            if found:
                break
        return found

    @property
    def safetensors(self) -> bool:
        """Whether the weights are in safetensors, which cannot hold code."""
        return self.files[-1].suffix == ".safetensors"

    @cached_property
    def sha256(self) -> str:
        """Digest of the weights and of the JSON files that decide how they are used, whatever the folder is called."""
        small = [self.folder / name for name in (CONFIG, PREPROCESSOR, PROCESSOR) if (self.folder / name).is_file()]
        return digest({path.name: file_sha256(path) for path in (*small, *self.files)})


def locate(model: str, revision: str | None, settings: Sequence[str], hint: str) -> tuple[Path, str | None]:
    """Find a model in a folder, or on the Hub, from where its settings are downloaded where they are not cached.

    Args:
        model: A folder, which goes before a Hub id.
        revision: Branch, tag or commit on the Hub; None for its main branch.
        settings: Small files, the first of which every model has.
        hint: How to give such a model.

    Returns:
        The folder, and the Hub id where it is a snapshot of the Hub.

    Raises:
        MissingError: It is neither, or its settings are neither cached nor to be had.
        UsageError: A revision is given for a folder.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        if revision is not None:
            raise UsageError(f"a revision ({revision!r}) means nothing for the folder {model!r}", "leave it out")
        return path, None
    if not _HUB_ID.fullmatch(model):
        raise MissingError(f"{model!r} is neither a folder that exists nor a Hub id (owner/model)", hint)
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(model, settings[0], revision=revision)
    return Path(cached).parent if isinstance(cached, str) else download(model, revision, settings, hint), model


def download(model: str, revision: str | None, patterns: Sequence[str], hint: str) -> Path:
    """Download the files of these patterns from the Hub and return the folder of the snapshot.

    Raises:
        MissingError: They cannot be downloaded; with the hint.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    network_errors: tuple[Any, ...] = HfHubHTTPError.__bases__  # OSError, and that of the HTTP library in use
    was_offline, unreached = constants.HF_HUB_OFFLINE, None
    try:
        if not was_offline and (unreached := _unreached(constants.ENDPOINT)) is not None:
            constants.HF_HUB_OFFLINE = True  # otherwise a hub that nobody reaches is asked again for half a minute
        return Path(snapshot_download(model, revision=revision, allow_patterns=list(patterns)))
    except (*network_errors, ValueError) as error:
        is_not_there = unreached is not None and isinstance(error, LocalEntryNotFoundError)
        reason = unreached if is_not_there else str(error).strip().split("\n")[0]
        at = f" at revision {revision!r}" if revision else ""
        message = f"{model!r}{at} is not in the Hub's cache and cannot be downloaded: {reason}"
        raise MissingError(message, hint) from error
    finally:
        constants.HF_HUB_OFFLINE = was_offline


def _unreached(endpoint: str) -> str | None:
    """Why the host of a hub is not reached; None where it is, or where a proxy stands between."""
    if getproxies():
        return None
    url = urlsplit(endpoint)
    try:
        port = url.port or (80 if url.scheme == "http" else 443)
        socket.create_connection((url.hostname or "", port), timeout=REACH_S).close()
    except (OSError, ValueError) as error:
        return f"{endpoint} is not reached: {error}"
    return None
