"""What works on this machine."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import logging
import os
import platform
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmark.base import Corpus
from benchmark.errors import MissingError
from benchmark.io.packages import versions
from benchmark.io.settings import Settings, config_path
from benchmark.registry.registry import Registry
from benchmark.text import clean

REQUIRED = ("numpy", "scipy", "scikit-learn", "soundfile", "soxr", "safetensors", "torch", "transformers", "pydantic")
MODULES = {"scikit-learn": "sklearn"}
GIGABYTE = 1e9
# What a package that is built for another torch, or misses a part, can raise on import.
BROKEN_IMPORT = (ImportError, OSError, AttributeError, RuntimeError)
# A plain `pip install s3prl` takes the newest torchaudio: it has no set_audio_backend, which s3prl calls on import, and
# is built for CUDA. Both are therefore installed without what they ask for.
S3PRL_PAIR = "pip install --no-deps torchaudio==2.8.0 s3prl==0.4.18"
S3PRL_NEEDS = "pip install omegaconf librosa soundfile tensorboardX protobuf"
S3PRL_INSTALL = (
    f"{S3PRL_NEEDS}; {S3PRL_PAIR}; then, unless torch is 2.8.0 with CUDA, delete the files *.so in the folder "
    "torchaudio/lib, as `bench doctor` says, so that torchaudio runs as pure Python"
)


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Attributes:
        status: "ok", "-" for something optional that is not here, "BROKEN" for what stops a run.
        what: The thing.
        found: Version, place, or what to do.
    """

    status: Literal["ok", "-", "BROKEN"]
    what: str
    found: str


def examine(registry: Registry, settings: Settings) -> list[Finding]:
    """Look at everything a run may need."""
    return [
        Finding("ok", "python", platform.python_version()),
        *(_package(name) for name in REQUIRED),
        _device(),
        _torchaudio(),
        _extra("opensmile", "egemaps, egemaps-lld, compare, compare-lld and mfb-f0", " (research use)"),
        _extra("funasr", "emotion2vec: and data2vec2:"),
        _s3prl(),
        *(_folder(name, path) for name, path in (("cache", settings.cache), ("results", settings.results))),
        Finding("ok" if config_path().is_file() else "-", "config file", str(config_path())),
        *(_corpus(registry.corpus(entry.name), settings) for entry in registry.corpora()),
        *_checkpoints([entry.name for entry in registry.upstreams() if entry.arguments], settings),
    ]


def _package(name: str) -> Finding:
    try:
        importlib.import_module(MODULES.get(name, name))
    except (ImportError, OSError) as error:
        return Finding("BROKEN", name, f"cannot be imported: {error}")
    return Finding("ok", name, versions((name,))[name])


def _device() -> Finding:
    try:
        import torch
    except (ImportError, OSError):
        return Finding("-", "device", "not known without torch")
    if torch.cuda.is_available():
        return Finding("ok", "device", f"cuda: {torch.cuda.get_device_name()}")
    return Finding("ok", "device", f"cpu, {os.cpu_count()} cores")


def _torchaudio() -> Finding:
    """Only s3prl needs torchaudio; one that is there and broken breaks the speech models of transformers."""
    version = versions(("torchaudio",))["torchaudio"]
    if version == "absent":
        return Finding("ok", "torchaudio", "absent, and only needed for s3prl")
    error = _failure("torchaudio")
    if error is None:
        return Finding("ok", "torchaudio", version)
    wanted = versions(("s3prl",))["s3prl"] != "absent"
    mend = s3prl_mend(error) if wanted else "pip uninstall torchaudio"
    return Finding("BROKEN", "torchaudio", f"{version} does not suit this torch: {clean(str(error))}; {mend}")


def _failure(module: str) -> BaseException | None:
    """What importing a module raises; None where it can be imported."""
    try:
        with quiet():
            importlib.import_module(module)
    except BROKEN_IMPORT as error:
        return error
    return None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the lines, log messages and warnings of foreign code, for where what matters is checked."""
    disabled = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)


def s3prl_mend(error: BaseException) -> str:
    """How to mend an s3prl that cannot be imported: commands, by what went wrong.

    Args:
        error: What the import raised.
    """
    version = versions(("torchaudio",))["torchaudio"]
    if version == "absent" or "set_audio_backend" in str(error) or _release(version) >= (2, 9):
        return f"{S3PRL_PAIR} (torchaudio 2.9 and later have no set_audio_backend); then bench doctor again"
    libraries = _native_libraries()
    if libraries and not isinstance(error, ModuleNotFoundError):
        return f"make torchaudio pure Python: rm {libraries[0].parent}/*.so (they are built for another torch)"
    return f"{S3PRL_NEEDS}; {S3PRL_PAIR}"


def _release(version: str) -> tuple[int, ...]:
    """Major and minor version; of "2.8.0+cpu" it is (2, 8)."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])


def _native_libraries() -> list[Path]:
    """The compiled libraries of the installed torchaudio, which is not imported."""
    spec = importlib.util.find_spec("torchaudio")
    folders = (spec.submodule_search_locations or []) if spec else []
    return sorted(path for folder in folders for path in (Path(folder) / "lib").glob("*.so"))


def _s3prl() -> Finding:
    """Whether all of s3prl's hub can be imported, which needs torchaudio."""
    version = versions(("s3prl",))["s3prl"]
    if version == "absent":
        return Finding("-", "s3prl", f"for s3prl:NAME: {S3PRL_INSTALL}")
    error = _failure("s3prl.hub")
    if error is not None:
        return Finding("BROKEN", "s3prl", f"{version} cannot be imported: {clean(str(error))}; {s3prl_mend(error)}")
    return Finding("ok", "s3prl", version)


def _extra(package: str, purpose: str, licence: str = "") -> Finding:
    version = versions((package,))[package]
    if version == "absent":
        return Finding("-", package, f"for {purpose}: pip install 'serbench[{package}]'{licence}")
    return Finding("ok", package, version)


def _folder(name: str, path: Path) -> Finding:
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not os.access(existing, os.W_OK):
        return Finding("BROKEN", name, f"{path} cannot be written")
    return Finding("ok", name, f"{path} ({shutil.disk_usage(existing).free / GIGABYTE:.0f} GB free)")


def _corpus(corpus: Corpus, settings: Settings) -> Finding:
    if type(corpus).prepare is not Corpus.prepare:
        return Finding("ok", f"corpus {corpus.name}", "made when needed")
    try:
        found = settings.find_data(corpus.name)
    except MissingError as error:
        return Finding("BROKEN", f"corpus {corpus.name}", str(error))
    if found is None:
        return Finding("-", f"corpus {corpus.name}", f"not here: {corpus.how_to_get}")
    return Finding("ok", f"corpus {corpus.name}", str(found))


def _checkpoints(names: Sequence[str], settings: Settings) -> Iterator[Finding]:
    """Named checkpoints whose folder was given, and the number of the others."""
    elsewhere = 0
    for name in names:
        try:
            found = settings.find_weights(name)
        except MissingError as error:
            yield Finding("BROKEN", f"weights {name}", str(error))
            continue
        elsewhere += found is None
        if found is not None:
            yield Finding("ok", f"weights {name}", str(found))
    yield Finding("-", "other weights", f"{elsewhere} named checkpoints: from the Hugging Face Hub")
