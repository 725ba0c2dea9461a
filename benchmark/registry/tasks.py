"""Tasks by name: the protocols of this package, those of others, and any file."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import UsageError
from benchmark.io.packages import package_folder
from benchmark.io.yamls import read_yaml
from benchmark.protocol.task import Task, read_task
from benchmark.registry.entries import SUFFIXES, is_protocol
from benchmark.text import nearest

TASKS_PACKAGE = "tasks"  # a spoke, named only as a string


def by_path(name: str) -> str | None:
    """A hint for an unknown name where there is a YAML here that is called so; else None."""
    here = [name + suffix for suffix in SUFFIXES if Path(name + suffix).is_file()]
    return f"one of your own goes by the path of its YAML: {here[0]}" if here else None


class Tasks:
    """The protocols of this package, to which others are added; none is read before it is asked for."""

    def __init__(self) -> None:
        self._paths = {path.stem: path for path in sorted(package_folder(TASKS_PACKAGE).glob("*.yaml"))}

    def names(self) -> list[str]:
        """Every registered task."""
        return sorted(self._paths)

    def add(self, path: Path) -> None:
        """Add a protocol, by the stem of its file.

        Raises:
            UsageError: Another file has its name.
        """
        if path.stem in self._paths:
            raise UsageError(
                f"two places define the task {path.stem!r}: {self._paths[path.stem]} and {path}", "rename one of them"
            )
        self._paths[path.stem] = path

    def read(self, name: str) -> Task:
        """The protocol of a task.

        Args:
            name: A registered name, or the path of a YAML file.

        Raises:
            UsageError: There is none, it does not follow the schema, or a file takes the name of a registered task
                for another protocol.
        """
        path = self._file(name)
        if name.endswith(SUFFIXES):
            content = read_yaml(path, name)
            if "downstream" in content and not is_protocol(content):
                raise UsageError(f"{name} is a recipe, and no protocol", f"--downstream {name}")
        task = read_task(path)
        if task.name in self._paths and name != task.name:
            registered = read_task(self._paths[task.name])
            if registered.sha256 != task.sha256:
                raise UsageError(f"{name} is called {task.name!r}, which is a registered task", "give it another name")
        return task

    def name_of(self, given: str) -> str:
        """What records call a task that is given by its name, or by the path of its YAML, whether they have it or not.

        Raises:
            UsageError: As `read`, of a file.
        """
        return self.read(given).name if given.endswith(SUFFIXES) else given

    def _file(self, name: str) -> Path:
        if name.endswith(SUFFIXES):
            path = Path(name)
            if path.is_dir():
                raise UsageError(f"{name!r} is a folder, and no task file", self._instead(path))
            if not path.is_file():
                raise UsageError(f"there is no task file {name!r}", self._instead(path))
            return path
        if name not in self._paths:
            raise UsageError(f"unknown task {name!r}", by_path(name) or nearest(name, self._paths))
        return self._paths[name]

    def _instead(self, path: Path) -> str:
        """What may be meant by the path of a file that is not there."""
        if path.stem in self._paths:
            return f"there is a registered task of that name: {path.stem}"
        there = {str(one) for suffix in SUFFIXES for one in path.parent.glob(f"*{suffix}") if one.is_file()}
        return nearest(str(path), there) if there else "give the path of a protocol YAML"
