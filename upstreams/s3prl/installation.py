"""Whether s3prl is well installed, and the commands that mend it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from benchmark.io.packages import import_failure, versions
from benchmark.text import clean
from benchmark.types import Condition

# A plain `pip install s3prl` takes the newest torchaudio: it has no set_audio_backend, which s3prl calls on import, and
# is built for CUDA. Both are therefore installed without what they ask for.
PAIR = "pip install --no-deps torchaudio==2.8.0 s3prl==0.4.18"
NEEDS = "pip install omegaconf librosa soundfile tensorboardX protobuf"
INSTALL = (
    f"{NEEDS}; {PAIR}; then, unless torch is 2.8.0 with CUDA, delete the files *.so in the folder "
    "torchaudio/lib, as `bench doctor` says, so that torchaudio runs as pure Python"
)


def examine() -> tuple[Condition, ...]:
    """What `bench doctor` says of torchaudio, which s3prl alone needs, and of s3prl."""
    return _torchaudio(), _s3prl()


def _torchaudio() -> Condition:
    """Only s3prl needs torchaudio; one that is there and broken breaks the speech models of transformers."""
    version = versions(("torchaudio",))["torchaudio"]
    if version == "absent":
        return Condition("ok", "torchaudio", "absent, and only needed for s3prl")
    error = import_failure("torchaudio")
    if error is None:
        return Condition("ok", "torchaudio", version)
    wanted = versions(("s3prl",))["s3prl"] != "absent"
    cure = mend(error) if wanted else "pip uninstall torchaudio"
    return Condition("BROKEN", "torchaudio", f"{version} does not suit this torch: {clean(str(error))}; {cure}")


def _s3prl() -> Condition:
    """Whether all of s3prl's hub can be imported, which needs torchaudio."""
    version = versions(("s3prl",))["s3prl"]
    if version == "absent":
        return Condition("-", "s3prl", f"for s3prl:NAME: {INSTALL}")
    error = import_failure("s3prl.hub")
    if error is not None:
        return Condition("BROKEN", "s3prl", f"{version} cannot be imported: {clean(str(error))}; {mend(error)}")
    return Condition("ok", "s3prl", version)


def mend(error: BaseException) -> str:
    """How to mend an s3prl that cannot be imported: commands, by what went wrong.

    Args:
        error: What the import raised.
    """
    version = versions(("torchaudio",))["torchaudio"]
    if version == "absent" or "set_audio_backend" in str(error) or _release(version) >= (2, 9):
        return f"{PAIR} (torchaudio 2.9 and later have no set_audio_backend); then bench doctor again"
    libraries = _native_libraries()
    if libraries and not isinstance(error, ModuleNotFoundError):
        return f"make torchaudio pure Python: rm {libraries[0].parent}/*.so (they are built for another torch)"
    return f"{NEEDS}; {PAIR}"


def _release(version: str) -> tuple[int, ...]:
    """Major and minor version; of "2.8.0+cpu" it is (2, 8)."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])


def _native_libraries() -> list[Path]:
    """The compiled libraries of the installed torchaudio, which is not imported."""
    spec = importlib.util.find_spec("torchaudio")
    folders = (spec.submodule_search_locations or []) if spec else []
    return sorted(path for folder in folders for path in (Path(folder) / "lib").glob("*.so"))
