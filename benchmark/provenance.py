"""Where a number came from: code, versions and platform."""

from __future__ import annotations

import functools
import hashlib
import platform
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import benchmark
from benchmark.base import versions
from benchmark.records import Provenance

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "transformers",
    "soundfile",
    "soxr",
    "opensmile",
    "safetensors",
    "av",
)
# The modules of the hub that make numbers; those of an upstream and of a downstream are in their identities.
NUMBER_MODULES = (
    "audio",
    "combined",
    "dataset",
    "emobox",
    "encoding",
    "folds",
    "members",
    "metrics",
    "run",
    "shards",
    "sources",
    "store",
    "turns",
    "types",
    "video",
)


@functools.cache
def code_sha256() -> str:
    """Digest of the hub's modules that make numbers."""
    checksum = hashlib.sha256()
    for name in NUMBER_MODULES:
        checksum.update((Path(benchmark.__file__).parent / f"{name}.py").read_bytes())
    return checksum.hexdigest()


@functools.cache
def git_state() -> dict[str, str | bool] | None:
    """Commit of the checkout that this package runs from, and whether it was changed; None outside a checkout."""
    folder = Path(benchmark.__file__).parent.parent
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None

    def ask(*arguments: str) -> str | None:
        command = [git, "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
        return done.stdout.strip() if done.returncode == 0 else None

    commit, status = ask("rev-parse", "HEAD"), ask("status", "--porcelain", "--untracked-files=no")
    return None if commit is None or status is None else {"commit": commit, "dirty": bool(status)}


def provenance(command: str) -> Provenance:
    """What this process is.

    Args:
        command: The command that makes this unit again, without paths (so without --plugin, and a task by its name).
    """
    return Provenance(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        version=benchmark.__version__,
        code_sha256=code_sha256(),
        git=git_state(),
        python=platform.python_version(),
        packages=versions(PACKAGES),
        platform=f"{platform.system()} {platform.machine()}",
        command=command,
    )
