"""Where things lie on this machine: corpora, weights, the cache and the records. None of it decides a number."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict

from benchmark.errors import MissingError, UsageError
from benchmark.io.yamls import read_yaml, validate

APPLICATION = "serbench"
PLACES = ("data", "weights")  # keys of the config file that hold one folder for each name


class ConfigFile(BaseModel):
    """The config file: every key may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: dict[str, Path] = {}
    weights: dict[str, Path] = {}
    cache: Path | None = None
    results: Path | None = None


def config_path() -> Path:
    """The config file: BENCH_CONFIG, else `config.yaml` in the user's configuration folder."""
    given = os.environ.get("BENCH_CONFIG")
    return Path(given) if given else Path(platformdirs.user_config_dir(APPLICATION)) / "config.yaml"


@dataclass(frozen=True)
class Settings:
    """Folders of this machine.

    Attributes:
        cache: Features, decoded-audio index and rendered corpora; can be deleted at any time.
        results: Records and predictions; the only thing worth keeping.
        data: Folder of each corpus (or task) by name, as given on the command line.
        data_root: A folder with one folder for each corpus (BENCH_DATA).
        weights: Folder of each named checkpoint, as given on the command line.
        weights_root: A folder with one folder for each checkpoint (BENCH_WEIGHTS).
        config: The config file, asked after those.
        corpora: A folder of the user with one folder for each corpus, looked into last; `bench data get` puts corpora
            there unless BENCH_DATA or the command line says otherwise.
    """

    cache: Path
    results: Path
    data: Mapping[str, Path] = field(default_factory=dict)
    data_root: Path | None = None
    weights: Mapping[str, Path] = field(default_factory=dict)
    weights_root: Path | None = None
    config: ConfigFile = field(default_factory=ConfigFile)
    corpora: Path = field(default_factory=lambda: Path(platformdirs.user_data_dir(APPLICATION)) / "corpora")

    def find_data(self, *names: str) -> Path | None:
        """The folder of a corpus: the first of the names that is placed, and exists; None where nothing is placed.

        Raises:
            MissingError: A folder was named for it that does not exist or is none.
        """
        return _find("--data", names, self.data, self.data_root, self.config.data, self.corpora)

    def place_of_new(self, name: str) -> Path:
        """The folder that a corpus is put into when it is got: where `find_data` finds it then."""
        return (self.data_root or self.corpora) / name

    def find_weights(self, name: str) -> Path | None:
        """The folder of a named checkpoint, or None where it is to come from the Hub.

        Raises:
            MissingError: A folder was named for it that does not exist or is none.
        """
        return _find("--weights", (name,), self.weights, self.weights_root, self.config.weights)


def _find(
    option: str,
    names: Sequence[str],
    given: Mapping[str, Path],
    root: Path | None,
    configured: Mapping[str, Path],
    last: Path | None = None,
) -> Path | None:
    def within(folder: Path | None) -> Mapping[str, Path]:
        return {name: folder / name for name in names if folder is not None and (folder / name).is_dir()}

    for placed, name in itertools.product((given, within(root), configured, within(last)), names):
        if name in placed:
            if not placed[name].is_dir():
                raise MissingError(
                    f"the folder {placed[name]} given for {name!r} {_why_none(placed[name])}", f"{option} {name}=PATH"
                )
            return placed[name]
    return None


def _why_none(path: Path) -> str:
    return "is no folder but a file" if path.exists() else "does not exist"


def parse_assignments(option: str, values: Iterable[str]) -> dict[str, Path]:
    """Read the NAME=PATH values of an option.

    Raises:
        UsageError: A value has no "=", or nothing on one side of it.
    """
    found = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (equals and name and path):
            raise UsageError(f"{option} {value!r} is not NAME=PATH", f"for example {option} urdu=~/corpora/urdu")
        found[name] = Path(path).expanduser()
    return found


def load_settings(data: Iterable[str] = (), weights: Iterable[str] = (), results: Path | None = None) -> Settings:
    """Join the command line, the environment and the config file, in that order.

    Args:
        data: NAME=PATH for corpora.
        weights: NAME=PATH for checkpoints.
        results: Folder of the records.

    Raises:
        MissingError: The environment names a config file or a folder of corpora or checkpoints that does not exist.
        UsageError: The config file has a key or a value that it should not, or a value is not NAME=PATH.
    """
    path = config_path()
    config = ConfigFile()
    if path.is_file():
        config = validate(ConfigFile, read_yaml(path, str(path)), str(path))
        placed = {name: {key: place.expanduser() for key, place in getattr(config, name).items()} for name in PLACES}
        config = config.model_copy(update=placed)
    elif "BENCH_CONFIG" in os.environ:
        raise MissingError(f"the config file {path} does not exist", "BENCH_CONFIG names it")

    def folder(variable: str, configured: Path | None) -> Path | None:
        given = os.environ.get(variable)
        found = Path(given) if given else configured
        return None if found is None else found.expanduser()

    def root(variable: str) -> Path | None:
        found = folder(variable, None)
        if found is not None and not found.is_dir():
            raise MissingError(
                f"the folder {found} given by {variable} {_why_none(found)}", f"make it, or unset {variable}"
            )
        return found

    cache = folder("BENCH_CACHE", config.cache) or Path(platformdirs.user_cache_dir(APPLICATION))
    stored = folder("BENCH_RESULTS", config.results) or Path(platformdirs.user_data_dir(APPLICATION)) / "results"
    return Settings(
        cache=cache,
        results=results or stored,
        data=parse_assignments("--data", data),
        data_root=root("BENCH_DATA"),
        weights=parse_assignments("--weights", weights),
        weights_root=root("BENCH_WEIGHTS"),
        config=config,
    )
