"""An engine of one process, for tests of what a run hands over: it works when it is asked, in an order of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmark.io.settings import Settings
from benchmark.run.engine import Finished, LostJobError

# What depends on when and how long a process worked.
OF_THE_MOMENT = ("cost", "provenance", "sha256")


def elsewhere(settings: Settings, tmp_path: Path, name: str) -> Settings:
    """The same machine with a cache and results of their own."""
    return Settings(tmp_path / name / "cache", tmp_path / name / "results", settings.data)


def numbers(settings: Settings) -> dict[str, dict[str, object]]:
    """All that records say but for times."""
    found = {}
    for path in sorted(settings.results.glob("*/*.json")):
        content = json.loads(path.read_text())
        found[content["id"]] = {key: value for key, value in content.items() if key not in OF_THE_MOMENT}
    return found


class HereEngine:
    """Works off what was handed over in this process.

    Args:
        newest_first: Work in the reverse order of handing over.
        lose: Whether a job is lost, by the function and its arguments.
    """

    workers = 2
    gpus = 0

    def __init__(self, *, newest_first: bool = False, lose: Callable[..., bool] = lambda *job: False) -> None:
        self.handed_over: list[tuple[Callable[..., Any], tuple[object, ...], bool]] = []
        self._newest_first = newest_first
        self._lose = lose
        self._waiting: list[int] = []

    def submit(self, job: Callable[..., Any], *arguments: object, gpu: bool = False) -> int:
        """Remember it."""
        self.handed_over.append((job, arguments, gpu))
        self._waiting.append(len(self.handed_over) - 1)
        return self._waiting[-1]

    def completed(self, tell: Callable[[str], None]) -> Iterator[Finished]:
        """Do one after the other."""
        while self._waiting:
            ticket = self._waiting.pop(-1 if self._newest_first else 0)
            job, arguments, _ = self.handed_over[ticket]
            if self._lose(job, *arguments):
                yield Finished(ticket, None, LostJobError("4 processes ended while they were at it"))
                continue
            try:
                value, error = job(*arguments), None
            except Exception as raised:
                value, error = None, raised
            yield Finished(ticket, value, error)

    def everywhere(self, job: Callable[..., Any], *arguments: object, tell: Callable[[str], None]) -> Mapping[str, Any]:
        """This process is the only worker."""
        return {"here": job(*arguments)}

    def close(self) -> None:
        """Nothing was started."""
