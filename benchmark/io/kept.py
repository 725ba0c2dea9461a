"""What was learnt, in one file that holds no code: arrays in safetensors, all else as JSON in its header.

Plain values, arrays, tensors, and objects that are made of them: of an object its class is written by its name and its
attributes by theirs. Reading imports classes from the packages that are allowed and from no others, and calls nothing
that the file names.
"""

from __future__ import annotations

import collections
import hashlib
import importlib
import inspect
import json
import math
import sys
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import BaseModel

from benchmark.errors import BenchError
from benchmark.io.files import canonical_json, write_atomically

FORMAT = 2
# Of this project, of the libraries that its heads are made with, and the one kind of dictionary that these use.
ALLOWED = ("benchmark", "downstreams", "sklearn", "torch.nn", "collections.OrderedDict")
KEY, SEAL = "learnt", "sha256"
_PLAIN = (bool, int, str, type(None))
_SEQUENCES: Mapping[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def write_kept(path: Path, content: Any, about: Mapping[str, Any], allowed: Collection[str] = ()) -> None:
    """Write what was learnt, atomically; the same content gives the same bytes.

    Args:
        path: Its folder is made.
        content: Plain values, arrays, tensors, and objects of these.
        about: Plain values that say what it is.
        allowed: Modules or packages whose classes it may name beside `ALLOWED`.

    Raises:
        BenchError: Something in it is neither, or of a class of elsewhere; the message says where.
    """
    from safetensors.numpy import save

    writer = _Writer((*ALLOWED, *allowed))
    told = json.loads(canonical_json({"format": FORMAT, "about": about, "content": writer.told(content, "it")}))
    tensors = {f"{number:06d}": array for number, array in enumerate(writer.arrays)}
    text = canonical_json({**told, SEAL: seal(told, writer.arrays)}).decode()
    write_atomically(path, save(tensors, {KEY: text}))


def read_kept(path: Path, allowed: Collection[str] = ()) -> tuple[Any, dict[str, Any]]:
    """What was learnt, and what it is.

    Args:
        path: The file.
        allowed: Modules or packages whose classes it may name beside `ALLOWED`.

    Raises:
        BenchError: The file is not there, is damaged, or names a class of elsewhere.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            told = json.loads(file.metadata()[KEY])
            arrays = [file.get_tensor(name) for name in sorted(file.keys())]
        if told["format"] != FORMAT:
            raise ValueError(f"format {told['format']}")
        if told.pop(SEAL) != seal(told, arrays):
            raise ValueError("its digest is not that of what it holds")
        return _Reader(arrays, (*ALLOWED, *allowed)).made(told["content"]), told["about"]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BenchError(f"{path.name} cannot be read: {error}", "remove it and run again") from error


def seal(told: Mapping[str, Any], arrays: Iterable[np.ndarray[Any, Any]]) -> str:
    """The digest of what a file holds, by which a change is noticed.

    Args:
        told: Its header, which says what each array is.
        arrays: In their order.
    """
    checksum = hashlib.sha256(canonical_json(told))
    for array in arrays:
        checksum.update(f"{array.dtype.str}{array.shape}".encode())
        checksum.update(np.ascontiguousarray(array).data)
    return checksum.hexdigest()


def is_whole(path: Path) -> bool:
    """Whether a file is there that was written to its end, as far as its header and its size tell; quickly known."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return bool(json.loads(file.metadata()[KEY])["format"] == FORMAT)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return False


def is_allowed(full: str, allowed: Collection[str]) -> bool:
    """Whether a class or function, by its full name, is of one of the modules or packages."""
    return any(full == one or full.startswith(f"{one}.") for one in allowed)


def homes(head: object) -> tuple[str, ...]:
    """The module or package in which a head of other people is defined, whose classes its file may name."""
    module = type(head).__module__
    return (module, module.partition(".")[0])


class _Writer:
    """Takes apart; what is met twice is written once."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = allowed
        self.arrays: list[np.ndarray[Any, Any]] = []
        self._met: dict[int, int] = {}
        self._alive: list[object] = []  # so that no number of an object is given twice

    def told(self, value: Any, where: str) -> Any:
        if type(value) in _PLAIN:
            return value
        for kind, tell in _TOLD.items():
            if type(value) is kind:
                return tell(self, value, where)
        if isinstance(value, type | types.FunctionType):
            return {"name": self._name(value, where)}
        if id(value) in self._met:
            return {"same": self._met[id(value)]}
        self._met[id(value)] = len(self._met)
        self._alive.append(value)
        return self._of_own(value, where)

    def _float(self, value: float, where: str) -> Any:
        return value if math.isfinite(value) else {"float": str(value)}

    def _list(self, value: list[Any], where: str) -> Any:
        return [self.told(one, f"{where}[{place}]") for place, one in enumerate(value)]

    def _sequence(self, value: Any, where: str) -> Any:
        items = value if isinstance(value, tuple) else sorted(value)
        return {type(value).__name__: [self.told(one, where) for one in items]}

    def _dict(self, value: dict[Any, Any], where: str) -> Any:
        return {"dict": [[self.told(key, where), self.told(one, f"{where}.{key}")] for key, one in value.items()]}

    def _slice(self, value: slice, where: str) -> Any:
        return {"slice": [value.start, value.stop, value.step]}

    def _of_own(self, value: Any, where: str) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            return self._array(np.asarray(value), where, is_scalar=isinstance(value, np.generic))
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            found = value.detach().cpu().contiguous()
            is_short = found.dtype == torch.bfloat16
            told = self._array((found.view(torch.int16) if is_short else found).numpy(), where)
            told |= {"torch": "parameter" if isinstance(value, torch.nn.Parameter) else "tensor"}
            return {**told, "learns": bool(value.requires_grad), "bf16": is_short}
        if torch is not None and isinstance(value, torch.device):
            return {"device": str(value)}
        name = self._name(type(value), where)
        if isinstance(value, BaseModel):
            return {"model": name, "values": value.model_dump(mode="json")}
        own, plain = cast("Any", type(value)), cast("Any", object)
        is_ordered = isinstance(value, collections.OrderedDict)
        if own.__reduce_ex__ != plain.__reduce_ex__ or not (is_ordered or own.__reduce__ == plain.__reduce__):
            raise _unkept(value, where)
        if isinstance(value, collections.OrderedDict):
            return {"object": name, "items": [[self.told(k, where), self.told(v, where)] for k, v in value.items()]}
        state = value.__getstate__()
        if state is not None and type(state) is not dict:
            raise _unkept(value, where)
        return {"object": name, "state": [[k, self.told(v, f"{where}.{k}")] for k, v in (state or {}).items()]}

    def _name(self, cls: Any, where: str) -> str:
        """How a class or function is found again."""
        full = f"{cls.__module__}.{cls.__qualname__}"
        if not cls.__qualname__.isidentifier() or not is_allowed(full, self._allowed):
            raise BenchError(
                f"{where} is a {full}, which cannot be kept",
                "plain values, arrays, tensors, and objects that are made of them can, of classes of the head's own",
            )
        return f"{cls.__module__}:{cls.__qualname__}"

    def _array(self, array: Any, where: str, *, is_scalar: bool = False) -> dict[str, Any]:
        if array.dtype.kind == "U":
            return {"texts": array.tolist(), "dtype": array.dtype.str}
        if array.dtype.kind not in "biuf":
            raise _unkept(array, where)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        # The order in memory decides in which order products are summed.
        self.arrays.append(np.ascontiguousarray(array.T if is_fortran else array))
        return {"array": len(self.arrays) - 1, "shape": list(array.shape), "fortran": is_fortran, "scalar": is_scalar}


_TOLD: Mapping[type, Callable[[_Writer, Any, str], Any]] = {
    float: _Writer._float,
    list: _Writer._list,
    tuple: _Writer._sequence,
    set: _Writer._sequence,
    frozenset: _Writer._sequence,
    dict: _Writer._dict,
    slice: _Writer._slice,
}


class _Reader:
    """Puts together."""

    def __init__(self, arrays: list[Any], allowed: Collection[str]) -> None:
        self._arrays = arrays
        self._allowed = tuple(allowed)
        self._met: list[Any] = []

    def made(self, told: Any) -> Any:
        if isinstance(told, list):
            return [self.made(one) for one in told]
        if not isinstance(told, dict):
            return told
        kind = next(iter(told.keys() & _READ.keys() - {"state", "items"}), None)
        if kind is None:
            raise ValueError(f"{sorted(told)} is nothing that is kept")
        return _READ[kind](self, told)

    def _sequence(self, kind: str) -> Callable[[dict[str, Any]], Any]:
        return lambda told: _SEQUENCES[kind](self.made(one) for one in told[kind])

    def _dict(self, told: dict[str, Any]) -> dict[Any, Any]:
        return {self.made(key): self.made(one) for key, one in told["dict"]}

    def _same(self, told: dict[str, Any]) -> Any:
        return self._met[told["same"]]

    def _remember(self, value: Any) -> Any:
        self._met.append(value)
        return value

    def _array(self, told: dict[str, Any]) -> Any:
        found = self._arrays[told["array"]]
        found = found.T if told["fortran"] else found
        found = found.reshape(told["shape"], order="F" if told["fortran"] else "C")
        if "torch" not in told:
            return self._remember(found[()] if told["scalar"] else found)
        import torch

        tensor = torch.from_numpy(np.array(found))
        tensor = tensor.view(torch.bfloat16) if told["bf16"] else tensor
        if told["torch"] == "parameter":
            return self._remember(torch.nn.Parameter(tensor, requires_grad=told["learns"]))
        return self._remember(tensor.requires_grad_(told["learns"]))

    def _device(self, told: dict[str, Any]) -> Any:
        import torch

        return self._remember(torch.device(told["device"]))

    def _texts(self, told: dict[str, Any]) -> Any:
        return self._remember(np.array(told["texts"], dtype=told["dtype"]))

    def _model(self, told: dict[str, Any]) -> Any:
        cls = self._named(told["model"])
        if not (inspect.isclass(cls) and issubclass(cls, BaseModel)):
            raise ValueError(f"{told['model']} holds no parameters")
        return self._remember(cls.model_validate(told["values"]))

    def _object(self, told: dict[str, Any]) -> Any:
        cls: Any = self._named(told["object"])
        if cls is collections.OrderedDict:
            made = self._remember(cls())
            made.update((self.made(key), self.made(one)) for key, one in told["items"])
            return made
        if not inspect.isclass(cls):
            raise ValueError(f"{told['object']} is no class")
        made = self._remember(object.__new__(cls))
        state = {key: self.made(one) for key, one in told["state"]}
        if hasattr(cls, "__setstate__"):
            made.__setstate__(state)
        else:
            vars(made).update(state)
        return made

    def _named(self, name: str) -> Any:
        module, _, attribute = name.partition(":")
        full = f"{module}.{attribute}"
        if not is_allowed(full, self._allowed):
            raise ValueError(f"it names {full}, which is of no package that heads are made of")
        found = getattr(importlib.import_module(module), attribute)
        if getattr(found, "__module__", None) != module:
            raise ValueError(f"{full} is not defined there")
        return found


_READ: Mapping[str, Callable[[_Reader, dict[str, Any]], Any]] = {
    **{kind: (lambda reader, told, kind=kind: reader._sequence(kind)(told)) for kind in _SEQUENCES},  # type: ignore[misc]
    "float": lambda reader, told: float(told["float"]),
    "slice": lambda reader, told: slice(*told["slice"]),
    "name": lambda reader, told: reader._named(told["name"]),
    "dict": _Reader._dict,
    "same": _Reader._same,
    "array": _Reader._array,
    "device": _Reader._device,
    "texts": _Reader._texts,
    "model": _Reader._model,
    "object": _Reader._object,
}


def _unkept(value: Any, where: str) -> BenchError:
    cls = type(value)
    return BenchError(
        f"{where} is a {cls.__module__}.{cls.__qualname__}, which cannot be kept",
        "plain values, arrays, tensors, and objects that are made of them can",
    )
