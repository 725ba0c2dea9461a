"""Features that were made elsewhere, found by utterance id, so that any representation can be ranked."""

from __future__ import annotations

import contextlib
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, UsageError
from benchmark.io.files import digest, file_sha256
from benchmark.text import some
from benchmark.types import Features
from upstreams.precomputed.files import HOW_TO_FORM, LISTED, UNREADABLE, ArrayFile, files_of, named, open_arrays, reason

HOW_TO_TIME = (
    "frames need their rate in Hz: an array frame_rate in the npz, a file frame_rate.npy in the folder, "
    "a file NAME.frame_rate beside NAME.npy, metadata "
    "frame_rate in the safetensors; vectors of several layers are (layers, 1, dimension)"
)


class Precomputed(Upstream):
    """Features made elsewhere: `precomputed:` and a file (npz, npy, safetensors, csv) or folder of npy, by id.

    An array is (D,), one vector; (T, D), frames; or (L, T, D), layers of frames, in floating-point numbers of 16, 32 or
    64 bits (in safetensors bfloat16 too), which become float32. All utterances have the same form, L and D. Frames need
    their rate: an array `frame_rate` in the npz, a file `frame_rate.npy` in the folder, metadata `frame_rate` in the
    safetensors. A csv has a header, the column `id` and one column for each value. A npy has the frames of all
    utterances one after another; beside it lie their numbers and ids, NAME.lengths and NAME.ids (or NAME.emo).

    There is no waveform to encode: the run asks `lookup`.

    Args:
        path: The file or folder.

    Raises:
        MissingError: There is no such file.
        UsageError: It is in no format that is read.
        BenchError: It is broken or holds no features.
    """

    name = "precomputed:"
    version = 1
    hears = False
    libraries = ()  # the values are in the file

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser()
        self.name = f"precomputed:{self._path.resolve().name}"
        self._stamp = self._stamps()
        self._arrays = open_arrays(self._path)
        # A run asks the same for every head: what was answered last is kept.
        self._last: tuple[tuple[tuple[str, ...], frozenset[str]], _Found] | None = None
        self.frame_rate = self._arrays.frame_rate
        # Declared by the first array; `lookup` tells if it is broken or the others are not like it.
        with contextlib.suppress(*UNREADABLE):
            shape = self._arrays.shape(self._arrays.ids[0])
            if 1 <= len(shape) <= 3:
                self.layers, self.dim = (shape[0] if len(shape) == 3 else 1), shape[-1]

    def weights_sha256(self) -> str:
        """Digest of the content, wherever it lies and whatever it is called."""
        return self._sha256

    @cached_property
    def _sha256(self) -> str:
        if self._path.is_dir():
            found = digest(
                {file.relative_to(self._path).as_posix(): file_sha256(file) for file in files_of(self._path)}
            )
        else:
            beside = {file.suffix: file_sha256(file) for file in files_of(self._path)[1:]}
            found = file_sha256(self._path)
            found = digest({"": found, **beside}) if beside else found
        self._check_unchanged()
        return found

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        del wave
        raise UsageError(
            f"{self.name!r} holds features that were made elsewhere and hears no waveform",
            "it serves the utterances whose ids it holds",
        )

    def lookup(self, ids: Sequence[str], corpus: Collection[str]) -> Mapping[str, Features]:
        """Features of the utterances, all checked. What is no single vector is read again when it is asked for.

        Args:
            ids: The utterances that are needed.
            corpus: Every utterance of the corpus they come from.

        Raises:
            BenchError: Utterances are missing or there twice; features belong to no utterance of the corpus, differ in
                form, are not finite or cannot be read. All of it is told at once.
        """
        asked = (tuple(ids), frozenset(corpus))
        if self._last is not None and self._last[0] == asked:
            self._check_unchanged()
            return self._last[1]
        given, known = Counter(self._arrays.ids), asked[1]
        missing = [name for name in ids if name not in given]
        lacking = f"of {len(ids)} utterances {'has' if len(missing) == 1 else 'have'} no features"
        form = _Form(self._arrays)
        for name in dict.fromkeys(ids):
            if name in given:
                form.take(name)
        wrong = [
            *_finding(missing, lacking, lacking),
            *_finding(
                sorted(set(given) - known),
                "array belongs to no utterance of the corpus",
                "arrays belong to no utterance of the corpus",
            ),
            *_finding([i for i, times in given.items() if times > 1], "id is there twice", "ids are there twice"),
            *form.problems(),
        ]
        self._check_unchanged()
        if wrong:
            hint = HOW_TO_TIME if form.lacks_rate else f"{HOW_TO_FORM}; bench data index CORPUS writes the ids"
            raise BenchError(f"{self.name} does not fit the corpus: {'; '.join(wrong)}", hint)
        self._last = (asked, form.found())
        return self._last[1]

    def _stamps(self) -> dict[Path, tuple[int, int]] | None:
        """Size and time of each file; None where one is not there."""
        try:
            found = {file: file.stat() for file in files_of(self._path)}
        except OSError:
            return None
        return {file: (status.st_size, status.st_mtime_ns) for file, status in found.items()}

    def _check_unchanged(self) -> None:
        if self._stamps() != self._stamp:
            raise BenchError(f"{self.name} changed while the run was reading it", "run again")


class _Found(Mapping[str, Features]):
    """Checked features: single vectors at hand, frames read again, so that they are never in memory all at once."""

    def __init__(self, arrays: ArrayFile, kept: Mapping[str, Features], checksums: Mapping[str, int]) -> None:
        self._arrays, self._kept, self._checksums = arrays, kept, checksums

    def __getitem__(self, name: str) -> Features:
        if name in self._kept:
            return self._kept[name]
        expected = self._checksums[name]
        try:
            layers = _layers(self._arrays.read(name))
        except UNREADABLE as error:
            raise BenchError(f"the features of {name!r} cannot be read again: {reason(error)}", "run again") from error
        if zlib.crc32(layers.data) != expected:
            raise BenchError(f"the features of {name!r} changed while the run was reading them", "run again")
        return Features(layers, self._arrays.frame_rate)

    def __iter__(self) -> Iterator[str]:
        yield from self._kept
        yield from self._checksums

    def __len__(self) -> int:
        return len(self._kept) + len(self._checksums)


class _Form:
    """What is wrong with arrays, one by one and against each other, and those with which nothing is."""

    def __init__(self, arrays: ArrayFile) -> None:
        self._arrays = arrays
        self._unreadable: list[str] = []
        self._other: list[str] = []
        self._infinite: list[str] = []
        self._vectors: list[str] = []
        self._several_frames: list[str] = []
        self._forms: dict[str, list[str]] = {}
        self._kept: dict[str, Features] = {}
        self._checksums: dict[str, int] = {}

    def take(self, name: str) -> None:
        """Read and check one array."""
        try:
            values = self._arrays.read(name)
        except UNREADABLE as error:
            self._unreadable.append(f"{name} ({reason(error)})")
            return
        shape = values.shape
        if values.dtype.kind != "f" or values.dtype.itemsize > 8 or not 1 <= len(shape) <= 3 or 0 in shape:
            self._other.append(f"{name} ({values.dtype} of shape {shape})")
            return
        layers = _layers(values)
        axes = (*map(str, shape[:-2]), *("frames" for _ in shape[-2:-1]), str(shape[-1]))
        self._forms.setdefault(f"({', '.join(axes)})", []).append(name)
        if len(shape) == 1:
            self._vectors.append(name)
        elif layers.shape[1] > 1:
            self._several_frames.append(name)
        if not np.isfinite(layers).all():
            self._infinite.append(name)
        elif layers.shape[1] == 1:
            self._kept[name] = Features(layers, self._arrays.frame_rate)
        else:
            self._checksums[name] = zlib.crc32(layers.data)

    @property
    def lacks_rate(self) -> bool:
        """Whether there are frames without a rate."""
        return bool(self._several_frames) and self._arrays.frame_rate is None

    def problems(self) -> list[str]:
        """All that is wrong, in words."""
        timeless = self._several_frames if self.lacks_rate else []
        needless = [] if self._arrays.frame_rate is None else self._vectors
        found = [
            *_finding(self._unreadable, "array cannot be read", "arrays cannot be read"),
            *_finding(self._other, "array is no features", "arrays are no features"),
            *_finding(
                self._infinite,
                "array holds values that are not finite in float32",
                "arrays hold values that are not finite in float32",
            ),
            *_finding(
                timeless,
                "array has several frames, whose rate is not given",
                "arrays have several frames, whose rate is not given",
            ),
            *_finding(
                needless,
                "array is a vector, but a frame rate is given",
                "arrays are vectors, but a frame rate is given",
            ),
        ]
        forms = sorted(self._forms.items(), key=lambda item: (-len(item[1]), item[0]))
        if len(forms) > 1:
            usual = f"{len(forms[0][1])} are {forms[0][0]}"
            others = [
                f"{len(names)} {'is' if len(names) == 1 else 'are'} {form} [{named(names)}]"
                for form, names in forms[1:]
            ]
            found.append(f"the arrays differ in form: {some([usual, *others], LISTED)}")
        return found

    def found(self) -> _Found:
        """The features, once nothing is wrong."""
        return _Found(self._arrays, self._kept, self._checksums)


def _layers(values: NDArray[Any]) -> NDArray[np.float32]:
    """(D,), (T, D) or (L, T, D) as (L, T, D) float32; what is too large for float32 becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(values.reshape((1,) * (3 - values.ndim) + values.shape), dtype=np.float32, order="C")


def _finding(names: Sequence[str], one: str, many: str) -> list[str]:
    """What is wrong with some, or nothing where there are none."""
    return [f"{len(names)} {one if len(names) == 1 else many}: {named(names)}"] if names else []
