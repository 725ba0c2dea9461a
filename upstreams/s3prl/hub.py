"""The entries of s3prl's hub: found without importing them, and with untrusted checkpoints kept data.

`import s3prl.hub` imports forty families of models, of which one is wanted, and fails where any of them does. So the
hub's source is parsed for the names that it has, and the module that defines the wanted one is imported.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import hashlib
import importlib
import importlib.util
import inspect
import os
import pickle
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.packages import BROKEN_IMPORT, quiet
from benchmark.text import clean, nearest
from upstreams.s3prl.installation import INSTALL, mend

# What an entry can raise when its checkpoint or its settings do not suit it.
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
# Names of the first argument of an entry that is no default model but wants a file.
FILE_ARGUMENTS = ("ckpt", "model_config")
# How files of torch begin: a zip archive, or a bare pickle. What else s3prl reads is YAML or JSON.
PICKLES = (b"PK", b"\x80")
FORCE, DO_NOT = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


@dataclass(frozen=True)
class HubEntry:
    """One name of the hub.

    Attributes:
        name: As `s3prl.hub` knows it.
        module: Where it is defined.
        wants_file: Whether it is given a checkpoint (or settings); the others download their own, or have none.
    """

    name: str
    module: str
    wants_file: bool


def told(error: BaseException) -> str:
    """What an error says, on one line and not endless."""
    return clean(f"{type(error).__name__}: {error}")[:300]


def package_folder() -> Path:
    """The folder of the package s3prl, which is not imported.

    Raises:
        MissingError: It is not installed.
    """
    spec = importlib.util.find_spec("s3prl")
    if spec is None or not spec.submodule_search_locations:
        raise MissingError("the upstreams 's3prl:NAME' need the package s3prl, which is not installed", INSTALL)
    return Path(next(iter(spec.submodule_search_locations)))


def entries() -> dict[str, HubEntry]:
    """The entries of the hub by name.

    Raises:
        MissingError: s3prl is not installed, or is no complete one.
    """
    return _entries(package_folder())


@functools.cache
def _entries(folder: Path) -> dict[str, HubEntry]:
    found = {}
    for statement in _parsed(folder / "hub.py").body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            path = folder.parent / (statement.module.replace(".", "/") + ".py")
            starred = any(alias.name == "*" for alias in statement.names)
            wanted = {alias.name for alias in statement.names}
            for node in _parsed(path).body:
                if isinstance(node, ast.FunctionDef) and (node.name in wanted or starred) and node.name[0] != "_":
                    found[node.name] = HubEntry(node.name, statement.module, _wants_file(node))
    return found


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingError(f"the installed s3prl has no {path.name} in {path.parent}", INSTALL) from error


def _wants_file(function: ast.FunctionDef) -> bool:
    """Whether the first argument is a file without which the function fails; `*_local` may hide it behind *args."""
    arguments = function.args.args
    required = len(arguments) - len(function.args.defaults)
    named = required > 0 and arguments[0].arg in FILE_ARGUMENTS
    return named or function.name.endswith(("_local", "_custom"))


def find_entry(name: str) -> HubEntry:
    """The entry of a name.

    Raises:
        MissingError: s3prl is not installed.
        UsageError: The hub has no such name, or one that cannot stand on a leaderboard.
    """
    known = entries()
    if name not in known:
        raise UsageError(f"s3prl's hub has no upstream {name!r}", nearest(name, known))
    if name.endswith(("_url", "_gdriveid")):
        local = name.rpartition("_")[0] + "_local"
        other = local if local in known else "the entry for a local file"
        raise UsageError(
            f"s3prl's {name!r} reads whatever an address holds today", f"download it and use {other} with the file"
        )
    if known[name].module.endswith(".example.hubconf"):
        raise UsageError(f"s3prl's {name!r} is a template whose weights are random", "use another upstream")
    return known[name]


def function_of(entry: HubEntry) -> Callable[..., Any]:
    """Import the function that makes the model.

    Raises:
        MissingError: s3prl, torchaudio or what else it needs cannot be imported; the hint is the mend.
    """
    try:
        with quiet():
            if entry.module.endswith(".roberta.hubconf"):  # which looks its frontend up in the hub
                importlib.import_module("s3prl.hub")
            found: Callable[..., Any] = getattr(importlib.import_module(entry.module), entry.name)
    except BROKEN_IMPORT as error:
        reason = told(error)
        raise MissingError(f"s3prl's {entry.name!r} cannot be imported: {reason}", mend(error)) from error
    return found


@contextlib.contextmanager
def as_data() -> Iterator[None]:
    """While s3prl loads: pickles run no code, torch's global generator is as before, and nothing is printed.

    Some families ask torch for `weights_only=False`; torch's own switch overrules them. A user who has set
    TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD trusts the checkpoint and is obeyed.
    """
    import torch

    before = os.environ.get(FORCE)
    if not trusted():
        os.environ[FORCE] = "1"
    try:
        # Old checkpoints keep the settings of their training in a Namespace, which is a plain record.
        with quiet(), torch.random.fork_rng(devices=[]), torch.serialization.safe_globals([argparse.Namespace]):
            yield
    finally:
        os.environ.pop(FORCE, None)
        if before is not None:
            os.environ[FORCE] = before


def trusted() -> bool:
    """Whether the user tells torch to run the code of checkpoints."""
    return os.environ.get(DO_NOT, "0").lower() in ("1", "y", "yes", "true")


def refuse_code(path: Path) -> None:
    """Refuse a checkpoint or a file of settings with a text that would do something when evaluated as Python.

    s3prl evaluates texts of the checkpoint's settings, such as "[(512,10,5)] + [(512,3,2)] * 4". Those that it means
    to evaluate hold no call.

    Raises:
        BenchError: There is such a text, or the file cannot be read without running code.
    """
    import torch

    if trusted():
        return
    try:
        with path.open("rb") as handle:
            start = handle.read(2)
        if start.startswith(PICKLES):
            with as_data():
                content = torch.load(path, map_location="cpu", weights_only=True)
        else:
            content = yaml.safe_load(path.read_bytes())
    except (*FAILURES, yaml.YAMLError) as error:
        raise BenchError(
            f"the checkpoint {path.name} cannot be read as plain data: {told(error)}",
            f"download it again; if it holds Python objects and you trust it: {DO_NOT}=1",
        ) from error
    for text in _texts(content):
        if _calls(text):
            raise BenchError(
                f"the checkpoint {path.name} holds the text {text[:80]!r}, which s3prl might run",
                f"if you trust it: {DO_NOT}=1",
            )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, argparse.Namespace):
        yield from _texts(vars(value))


def _calls(text: str) -> bool:
    """Whether a text is a Python expression with a call in it."""
    if "(" not in text:
        return False
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.Call) for node in ast.walk(tree))


def downloaded_files(entry: HubEntry) -> tuple[Path, ...] | None:
    """The checkpoint files of an entry that knows its own, downloaded into s3prl's cache where they are not there yet.

    The function of the entry runs on a copy of its module in which no model is made, so no weights are loaded.

    Returns:
        None where the model's own code fetches the weights, and nobody can know before.

    Raises:
        MissingError: It cannot be imported, or the files cannot be downloaded.
    """
    from torch import nn

    function = function_of(entry)
    made: list[tuple[Any, ...]] = []
    copies: dict[int, dict[str, Any]] = {}

    def copied(module: dict[str, Any]) -> dict[str, Any]:
        if id(module) not in copies:
            copies[id(module)] = space = dict(module)
            for name, value in module.items():
                if isinstance(value, types.FunctionType) and value.__module__.endswith(".hubconf"):
                    space[name] = _with_globals(value, copied(value.__globals__))
                elif inspect.isclass(value) and issubclass(value, nn.Module):
                    space[name] = lambda *arguments, **named: made.append((*arguments, *named.values()))
        return copies[id(module)]

    try:
        with as_data(), recorded_downloads() as downloads:
            copied(function.__globals__)[function.__name__]()
    except (OSError, LookupError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise MissingError(
            f"the checkpoint of s3prl's {entry.name!r} cannot be had: {told(error)}",
            "s3prl downloads it into its own cache: is there a network, and room on the disk?",
        ) from error
    except (AssertionError, AttributeError, TypeError, ValueError) as error:
        raise BenchError(f"s3prl's {entry.name!r} cannot be made: {told(error)}", "use another upstream") from error
    own = any(isinstance(value, str) and Path(value).is_relative_to(package_folder()) for value in sum(made, ()))
    return tuple(downloads) if downloads or own else None


def _with_globals(function: types.FunctionType, space: dict[str, Any]) -> types.FunctionType:
    copy = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@contextlib.contextmanager
def recorded_downloads() -> Iterator[list[Path]]:
    """Note the files that s3prl asks for, whether they are in its cache already or downloaded now."""
    module: Any = importlib.import_module("s3prl.util.download")
    original = module._download
    asked: list[Path] = []

    def download(filepath: Path, *arguments: Any, **named: Any) -> None:
        original(filepath, *arguments, **named)
        if Path(filepath) not in asked:
            asked.append(Path(filepath))

    module._download = download
    try:
        yield asked
    finally:
        module._download = original


def state_sha256(model: Any) -> str:
    """Digest of the parameters and buffers of a model: names, shapes and values."""
    import torch

    checksum = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if isinstance(tensor, torch.Tensor):
            values = tensor.detach().cpu().contiguous()
            checksum.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
            checksum.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return checksum.hexdigest()
