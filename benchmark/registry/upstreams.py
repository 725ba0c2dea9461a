"""Upstreams by name: classes, prefixes such as "hf:", and the named checkpoints of `upstreams/checkpoints.yaml`."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmark.base.combined import Name, joined, meant_word, unknown_word
from benchmark.base.tuned import PREFIX
from benchmark.errors import UsageError
from benchmark.io.packages import package_folder
from benchmark.io.yamls import read_yaml, validate
from benchmark.registry.catalogue import Catalogue
from benchmark.registry.cell_names import is_here, is_nowhere, parse_cell
from benchmark.registry.entries import Checkpoint, Entry
from benchmark.registry.source import scan_package
from benchmark.text import nearest

_TUNED = Entry(
    PREFIX,
    "benchmark.base.tuned:Tuned",
    "The upstream that a fine-tuning downstream has trained on a task, each fold with its own weights.",
    "benchmark/base/tuned.py",
    version=1,
)
CHECKPOINTS = ("upstreams", "checkpoints.yaml")  # a spoke, named only as a string
# In a folder that was pre-trained here: its key "upstream" is the prefix that reads it, whichever it is given with.
FOLDER_TELLS = "pretraining.json"
LARGEST_TELLING = 1 << 20  # bytes of that file


class Upstreams:
    """The upstreams of this package, to which others are added.

    Args:
        on_disk: Whether what follows a prefix may be a path of this machine, whatever it holds. The name in a record
            stands for no path.

    Attributes:
        catalogue: By name; a prefix ends in ":".
    """

    def __init__(self, *, on_disk: bool) -> None:
        self._on_disk = on_disk
        self.catalogue = Catalogue("upstream", scan_package("upstream"))
        for name, row in _checkpoints().items():
            self.catalogue.add(_named(name, row, self.catalogue))
        self.catalogue.add(_TUNED)

    def all(self) -> list[Entry]:
        """Every upstream, prefixes last."""
        return sorted(self.catalogue.values(), key=lambda entry: (entry.name.endswith(":"), entry.name))

    def entries(self, name: str) -> list[tuple[Entry, str | None]]:
        """The entries of all upstreams in a name such as "A@last+hf:PATH", with what follows their prefixes.

        Raises:
            UsageError: One of them is unknown.
        """
        return [self.entry(one.base) for one in self.components(name)]

    def entry(self, name: str) -> tuple[Entry, str | None]:
        """The entry of a single upstream, and what follows the prefix in a name such as "hf:PATH".

        Raises:
            UsageError: It is unknown.
        """
        known = self.catalogue
        if name in known and not name.endswith(":"):
            return known[name], None
        prefix, colon, rest = name.partition(":")
        if name in known:
            raise UsageError(f"{name!r} is a prefix", f"something follows it, as in {name}PATH-OR-ID")
        base, at, word = name.rpartition("@")
        if colon and rest and prefix + colon in known:
            if self._on_disk and at and meant_word(word) and not self._is_path(name):
                raise unknown_word(name, word)
            return known[self._reader(prefix + colon, rest)], rest
        if at and (base in known or base.partition(":")[0] + ":" in known):
            raise unknown_word(name, word)
        if colon and prefix.casefold() + colon in known:
            raise UsageError(f"unknown upstream {name!r}", f"did you mean {prefix.casefold() + colon + rest!r}?")
        raise UsageError(f"unknown upstream {name!r}", nearest(name, known))

    def components(self, name: str) -> list[Name]:
        """The upstreams that a name is made of.

        Raises:
            UsageError: A component names two precisions or two selections of layers.
        """

        def is_known(piece: str) -> bool:
            base = Name.parse(piece).base
            return base in self.catalogue or base.partition(":")[0] + ":" in self.catalogue

        if name in self.catalogue or (self._on_disk and self._is_path(name)):
            return [Name(name)]  # of a plugin, or with a path, whatever it holds
        return [Name.parse(piece) for piece in joined(name.split("+"), is_known)]

    def _is_path(self, name: str) -> bool:
        prefix, colon, argument = name.partition(":")
        return bool(colon) and prefix + colon in self.catalogue and Path(argument).expanduser().exists()

    def _reader(self, prefix: str, argument: str) -> str:
        """The prefix that reads a folder: the one that it names itself, where it names one.

        Raises:
            UsageError: It names one that is not known, or what says so cannot be read.
        """
        path = Path(argument).expanduser() / FOLDER_TELLS
        if not self._on_disk or not path.is_file():
            return prefix
        try:
            told = json.loads(path.read_bytes()[:LARGEST_TELLING])["upstream"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise UsageError(f"{path} does not say which upstream reads the folder", "is the folder whole?") from error
        if not isinstance(told, str) or not told.endswith(":") or told not in self.catalogue:
            raise UsageError(f"{path} names the upstream {told!r:.80}, which reads no folder", "is the folder whole?")
        return prefix if prefix.startswith(told.removesuffix(":")) else told  # which may be read in several ways

    def tasks(self, name: str) -> Iterator[str]:
        """The tasks on which upstreams in a name were trained by runs, step by step, as the name has them.

        Raises:
            UsageError: One of the upstreams is unknown.
        """
        for entry, argument in self.entries(name):
            if entry is _TUNED and argument is not None:
                training = parse_cell(argument, is_here if self._on_disk else is_nowhere)
                yield from (*self.tasks(training.upstream), training.task)

    def checkpoint(self, argument: str) -> Entry | None:
        """The row of a checkpoint, for who gives its Hub id after a prefix instead of its name."""
        # The Hub's ids do not tell letters apart by case, and s3prl's names have the model after a second colon.
        model = argument.rpartition(":")[2].casefold()
        rows = (entry for entry in self.catalogue.values() if str(entry.arguments.get("model")).casefold() == model)
        return next(rows, None)

    def known(self, name: str) -> Iterator[Entry]:
        """What is known of the upstreams in a name: their entries, those of their checkpoints where there are rows.

        Raises:
            UsageError: One of them is unknown.
        """
        for entry, argument in self.entries(name):
            if entry is _TUNED and argument is not None:
                training = parse_cell(argument, is_here if self._on_disk else is_nowhere)
                yield from self.known(training.upstream)  # what it is in all but its weights
                continue
            row = None if argument is None else self.checkpoint(argument)
            yield entry if row is None else row


@functools.cache
def _checkpoints() -> Mapping[str, Checkpoint]:
    package, file = CHECKPOINTS
    content = read_yaml(package_folder(package) / file)
    return {name: validate(Checkpoint, row, f"{name} in {package}/{file}") for name, row in content.items()}


def _named(name: str, row: Checkpoint, known: Mapping[str, Entry]) -> Entry:
    """The entry of a named checkpoint."""
    where = "/".join(CHECKPOINTS)
    if row.upstream not in known:
        raise UsageError(f"unknown upstream {row.upstream!r}: {name} in {where}", nearest(row.upstream, known))
    prefix = known[row.upstream]
    return Entry(
        name,
        prefix.target,
        row.summary,
        where,
        {"model": row.hub, "revision": row.revision},
        extra=prefix.extra,
        licence=row.licence,
        source=row.citation,
        training_data=row.training_data,
        trained_on=row.trained_on,
        version=prefix.version,
        layers=None if row.shape is None else row.shape.layers,
        dim=None if row.shape is None else row.shape.dim,
    )
