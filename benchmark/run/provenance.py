"""Where a number came from: code, versions and platform."""

from __future__ import annotations

import functools
import platform
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import benchmark
from benchmark.base.code import code_sha256
from benchmark.io.packages import versions
from benchmark.records import CodePart, Provenance

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


@functools.cache
def hub_sha256() -> str:
    """Digest of the hub's code that makes numbers, from recordings and protocol to statistics."""
    from benchmark.features.views import open_view
    from benchmark.protocol.dataset import load_dataset
    from benchmark.protocol.hearing import listen
    from benchmark.run.fitting import fit_and_score

    return code_sha256(load_dataset, listen, open_view, fit_and_score)


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


def provenance(command: str, encoding: CodePart, fitting: CodePart) -> Provenance:
    """What this process is.

    Args:
        command: The command that makes this unit again, see `benchmark.records.identity.command_of`.
        encoding: What computed the features.
        fitting: What fitted the head.
    """
    return Provenance(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        version=benchmark.__version__,
        code_sha256=hub_sha256(),
        upstream=encoding,
        downstream=fitting,
        git=git_state(),
        python=platform.python_version(),
        packages=versions(PACKAGES),
        platform=f"{platform.system()} {platform.machine()}",
        command=command,
    )
