"""Features made elsewhere: they come back as they were written, or everything that is wrong is told."""

from __future__ import annotations

import csv
import io
import pickle
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray

from benchmark.base.identity import code_of, identity_of
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.registry.registry import Registry
from upstreams.precomputed.upstream import Precomputed

Arrays = Mapping[str, NDArray[Any]]
FORMATS = (".npz", ".safetensors", "", ".csv")
OF_FRAMES = (".npz", ".safetensors", "")
A, B, C = "anna/low0.wav", "bert/high1.wav", "cleo 2"
VECTORS: Arrays = {
    A: np.array([1, 2, 3], np.float32),
    B: np.array([-4, 0.5, 6], np.float32),
    C: np.array([7, 8, 1e-30], np.float32),
}
FRAMES: Arrays = {A: np.ones((4, 3), np.float32), B: np.zeros((1, 3), np.float32), C: np.full((2, 3), 5, np.float32)}


def save(path: Path, arrays: Arrays, rate: float | None = None) -> Path:
    """Write arrays in the format that the name ends in; "" is a folder."""
    if path.suffix == ".npz":
        timed: dict[str, Any] = {**arrays, **({} if rate is None else {"frame_rate": np.array(rate)})}
        np.savez(path, **timed)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        contiguous = {name: array.copy(order="C") for name, array in arrays.items()}
        save_file(contiguous, path, metadata=None if rate is None else {"frame_rate": str(rate)})
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(["id", *(f"value {i}" for i in range(len(next(iter(arrays.values())))))])
            writer.writerows([name, *map(repr, array.tolist())] for name, array in arrays.items())
    else:
        for name, array in {**arrays, **({} if rate is None else {"frame_rate": np.array(rate)})}.items():
            file = path / f"{name}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, array)
    return path


def open_saved(folder: Path, ending: str, arrays: Arrays, rate: float | None = None) -> Precomputed:
    return Precomputed(str(save(folder / f"features{ending}", arrays, rate)))


def complaint(upstream: Precomputed, ids: list[str], corpus: list[str] | None = None) -> BenchError:
    with pytest.raises(BenchError) as error:
        upstream.lookup(ids, ids if corpus is None else corpus)
    return error.value


# -- what was written comes back --------------------------------------------------------------------------------------

PLAIN_IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
FILE_IDS = st.text("abcXYZ019 _-.ßñ", min_size=1, max_size=6).filter(lambda name: name.strip(". ") == name)
PATH_IDS = st.lists(FILE_IDS, min_size=1, max_size=3).map("/".join)


@st.composite
def contents(draw: st.DrawFn, ids: st.SearchStrategy[str], ranks: tuple[int, ...]) -> Arrays:
    rank, dim, depth = draw(st.sampled_from(ranks)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    names = draw(st.lists(ids.filter(lambda name: name != "frame_rate"), min_size=1, max_size=4, unique=True))
    shapes = [((depth, draw(st.integers(1, 3)), dim) if rank == 3 else (draw(st.integers(1, 3)), dim)) for _ in names]
    values = arrays_of.from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False, min_value=-6e4, max_value=6e4)
    return {
        name: draw(arrays_of.arrays(dtype, (dim,) if rank == 1 else shape, elements=values))
        for name, shape in zip(names, shapes, strict=True)
    }


@pytest.mark.parametrize("ending", FORMATS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_what_was_written_comes_back_as_float32(ending: str, data: st.DataObject) -> None:
    arrays = data.draw(contents(PATH_IDS if ending == "" else PLAIN_IDS, (1,) if ending == ".csv" else (1, 2, 3)))
    rank = next(iter(arrays.values())).ndim
    rate = None if rank == 1 else data.draw(st.sampled_from([50.0, 12.5]))
    with tempfile.TemporaryDirectory() as folder:
        upstream = open_saved(Path(folder), ending, arrays, rate)
        found = upstream.lookup(sorted(arrays), set(arrays))
        assert set(found) == set(arrays)
        assert len(found) == len(arrays)
        for name, array in arrays.items():
            expected: NDArray[Any] = array.astype(np.float32).reshape((1,) * (3 - rank) + array.shape)
            np.testing.assert_array_equal(found[name].layers, expected)
            assert found[name].frame_rate == rate
            assert (upstream.layers, upstream.dim) == (len(expected), expected.shape[-1])
        assert upstream.frame_rate == rate


def test_bfloat16_comes_back_exactly(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tensor = torch.tensor([[1.5, -3e38], [2**-120, 0.0]], dtype=torch.bfloat16)
    save_file({A: tensor}, tmp_path / "f.safetensors", metadata={"frame_rate": "25"})
    found = Precomputed(str(tmp_path / "f.safetensors")).lookup([A], [A])[A]
    np.testing.assert_array_equal(found.layers, tensor.float().numpy()[None])
    assert found.frame_rate == 25


@pytest.mark.parametrize("ending", [".npz", ""])
def test_byte_order_and_memory_order_do_not_matter(ending: str, tmp_path: Path) -> None:
    values = np.arange(24, dtype=">f8").reshape(2, 3, 4)
    found = open_saved(tmp_path, ending, {A: np.asfortranarray(values)}, 50).lookup([A], [A])[A].layers
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("ending", FORMATS)
def test_what_comes_back_can_be_written_to(ending: str, tmp_path: Path) -> None:
    """Torch warns of arrays that cannot."""
    assert open_saved(tmp_path, ending, VECTORS).lookup([B], VECTORS)[B].layers.flags.writeable


def test_a_compressed_npz_is_read(tmp_path: Path) -> None:
    arrays: dict[str, Any] = dict(VECTORS)
    np.savez_compressed(tmp_path / "f.npz", **arrays)
    np.testing.assert_array_equal(Precomputed(str(tmp_path / "f.npz")).lookup([B], VECTORS)[B].layers[0, 0], VECTORS[B])


def test_a_csv_may_have_a_mark_of_byte_order_empty_lines_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text('id,x,"y, in Hz"\r\n"a, b",1e3, .5\r\n\r\nc,-1,+2.25E-1\r\n', encoding="utf-8-sig")
    found = Precomputed(str(path)).lookup(["c", "a, b"], ["a, b", "c"])
    np.testing.assert_array_equal(found["a, b"].layers, np.array([[[1000, 0.5]]], np.float32))
    np.testing.assert_array_equal(found["c"].layers, np.array([[[-1, 0.225]]], np.float32))


@pytest.mark.parametrize("ending", OF_FRAMES)
def test_only_what_is_needed_must_be_sound(ending: str, tmp_path: Path) -> None:
    arrays = {**FRAMES, "unused": np.full((2, 9), np.nan)}
    found = open_saved(tmp_path, ending, arrays, 50).lookup([C, A], arrays)
    assert set(found) == {A, C}
    with pytest.raises(KeyError):
        found["unused"]


# -- what is wrong is told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", FORMATS)
def test_everything_wrong_is_told_at_once(ending: str, tmp_path: Path) -> None:
    arrays = {
        **VECTORS,
        "nan": np.array([1, np.nan, 3], np.float32),
        "inf": np.array([1, 2, -np.inf], np.float32),
        "x\n": VECTORS[A],
    }
    ids = [A, "nan", "m0", B, "m1", "inf", *(f"m{i}" for i in range(2, 7))]
    error = complaint(open_saved(tmp_path, ending, arrays), ids)
    assert error.message == (
        f"precomputed:features{ending} does not fit the corpus: "
        "7 of 11 utterances have no features: m0, m1, m2, m3, m4 and 2 more; "
        r"2 arrays belong to no utterance of the corpus: cleo 2, 'x\n'; "
        "2 arrays hold values that are not finite in float32: nan, inf"
    )
    assert "under its id" in error.hint


def test_one_of_each_is_said_in_the_singular(tmp_path: Path) -> None:
    arrays = {A: np.array([np.nan], np.float32), "x": np.array([1], np.float32)}
    assert complaint(open_saved(tmp_path, ".npz", arrays), [A, B]).message.endswith(
        "1 of 2 utterances has no features: bert/high1.wav; 1 array belongs to no utterance of the corpus: x; "
        "1 array holds values that are not finite in float32: anna/low0.wav"
    )


@pytest.mark.parametrize("ending", FORMATS)
def test_a_value_too_large_for_float32_is_not_finite(ending: str, tmp_path: Path) -> None:
    upstream = open_saved(tmp_path, ending, {A: np.array([1e39]), B: np.array([1e38])})
    assert "1 array holds values that are not finite in float32: anna/low0.wav" in complaint(upstream, [A, B]).message


@pytest.mark.parametrize("ending", OF_FRAMES)
def test_mixtures_of_form_name_the_ids_that_differ(ending: str, tmp_path: Path) -> None:
    arrays = {
        **FRAMES,
        "v": np.array([1, 2, 3], np.float32),
        "d0": np.zeros((2, 4), np.float32),
        "d1": np.zeros((5, 4), np.float32),
        "l": np.zeros((2, 1, 3), np.float32),
    }
    message = complaint(open_saved(tmp_path, ending, arrays, 50), list(arrays)).message
    assert "the arrays differ in form: 3 are (frames, 3), 2 are (frames, 4) [d0, d1], 1 is (2, frames, 3) [l], " in (
        message
    )
    assert "1 is (3) [v]" in message
    assert "1 array is a vector, but a frame rate is given: v" in message


def test_a_mixture_of_layers_is_one_of_form(tmp_path: Path) -> None:
    arrays = {name: np.zeros((layers, 1, 3), np.float32) for name, layers in (("a", 2), ("b", 2), ("c", 3))}
    message = complaint(open_saved(tmp_path, ".npz", arrays), ["a", "b", "c"]).message
    assert message.endswith("corpus: the arrays differ in form: 2 are (2, frames, 3), 1 is (3, frames, 3) [c]")


@pytest.mark.parametrize("ending", OF_FRAMES)
def test_frames_need_a_rate_and_several_layers_of_one_frame_do_not(ending: str, tmp_path: Path) -> None:
    error = complaint(open_saved(tmp_path, ending, FRAMES), [A, B, C])
    assert "2 arrays have several frames, whose rate is not given: anna/low0.wav, cleo 2" in error.message
    assert "metadata frame_rate in the safetensors" in error.hint
    assert "(layers, 1, dimension)" in error.hint
    layered = open_saved(tmp_path / "l" if ending == "" else tmp_path, ending, {A: np.ones((3, 1, 2))})
    found = layered.lookup([A], [A])[A]
    assert found.layers.shape == (3, 1, 2)
    assert found.frame_rate is None


@pytest.mark.parametrize("rate", ["0", "-50", "nan", "inf", "fast"])
def test_a_frame_rate_is_a_positive_number(rate: str, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file(dict(FRAMES), tmp_path / "f.safetensors", metadata={"frame_rate": rate})
    with pytest.raises(BenchError, match=rf"'f.safetensors' cannot be read: frame_rate is '{rate}', not a positive"):
        Precomputed(str(tmp_path / "f.safetensors"))
    for ending in (".npz", ""):
        save(tmp_path / f"g{ending}", {**FRAMES, "frame_rate": np.array([1.0, 2.0])})
        with pytest.raises(BenchError, match="frame_rate is array"):
            Precomputed(str(tmp_path / f"g{ending}"))


@pytest.mark.parametrize("ending", OF_FRAMES)
def test_what_is_no_array_of_features_is_named(ending: str, tmp_path: Path) -> None:
    arrays: Arrays = {
        "number": np.array(3, np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "whole": np.array([1, 2, 3], np.int64),
        "deep": np.zeros((1, 1, 1, 3)),
    }
    message = complaint(open_saved(tmp_path, ending, arrays), list(arrays)).message
    empty, deep = (
        "number (float32 of shape ()), empty (float32 of shape (0, 3))",
        "deep (float64 of shape (1, 1, 1, 3))",
    )
    if ending == ".safetensors":
        whole = "1 array cannot be read: whole (its numbers are of type I64)"
        assert message.endswith(f"corpus: {whole}; 3 arrays are no features: {empty}, {deep}")
    else:
        assert message.endswith(f"4 arrays are no features: {empty}, whole (int64 of shape (3,)), {deep}")


def test_an_id_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    table = tmp_path / "f.csv"
    table.write_text("id,x\na,1\nb,2\na,1\n")
    assert complaint(Precomputed(str(table)), ["a", "b"]).message.endswith("corpus: 1 id is there twice: a")
    archive = save(tmp_path / "f.npz", {"a": VECTORS[A], "b": VECTORS[B]})
    content = io.BytesIO()
    np.save(content, VECTORS[C])
    with warnings.catch_warnings(), zipfile.ZipFile(archive, "a") as members:
        warnings.simplefilter("ignore")
        members.writestr("a.npy", content.getvalue())
    assert complaint(Precomputed(str(archive)), ["a", "b"]).message.endswith("corpus: 1 id is there twice: a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line names the columns, id and one for each value with commas between, not nothing"),
        ("a,1,2\n", "not a, 1, 2"),
        ("id;x\na;1\n", "not id;x"),
        ("id\na\n", "not id"),
        ("id,x,x\na,1,2\n", "several columns have one name: x"),
        ("id,x\na,1\nb,1,2\nc\n", "3 fields instead of 2 in line 3, 1 fields instead of 2 in line 4"),
        ("id,x,y\na,1,\nb,one,2\n", "no number '' for 'y' in line 2, no number 'one' for 'x' in line 3"),
        ("id,x\na,1_000\n", "no number '1_000' for 'x' in line 2"),
        ('id,x\n"a,1\n', "unexpected end of data"),
        ("id,x\na\0,0x10\n", "'0x10'"),
    ],
)
def test_a_csv_that_is_no_table_of_numbers_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(BenchError, match=r"'f.csv' cannot be read: ") as error:
        Precomputed(str(tmp_path / "f.csv"))
    assert said in error.value.message
    assert "id, then its vector" in error.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 and no more", b"\xff" * 100, (1 << 40).to_bytes(8, "little") * 9]
)
@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".csv"])
def test_what_is_something_else_is_refused(ending: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"f{ending}"
    path.write_bytes(content)
    with pytest.raises(BenchError, match=f"'f{ending}' cannot be read: ."):
        Precomputed(str(path))


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_a_file_cut_off_anywhere_is_refused(ending: str, tmp_path: Path) -> None:
    whole = save(tmp_path / f"whole{ending}", FRAMES, 50).read_bytes()
    for size in range(0, len(whole), 7):
        path = tmp_path / f"cut{ending}"
        path.write_bytes(whole[:size])
        with pytest.raises(BenchError, match=f"'cut{ending}' cannot be read: ."):
            Precomputed(str(path))


def damaged(array: NDArray[Any], **header: Any) -> bytes:
    """A .npy whose header tells something else."""
    content = io.BytesIO()
    told = {"descr": "<f4", "fortran_order": False, "shape": array.shape, **header}
    np.lib.format.write_array_header_1_0(content, told)
    return content.getvalue() + array.tobytes()


BROKEN = {
    "huge": (damaged(VECTORS[A], shape=(1 << 50,)), "12 bytes follow a header of float32 of shape (1125899906842624,)"),
    "negative": (damaged(VECTORS[A], shape=(-1, -3)), "dimension"),
    "short": (damaged(VECTORS[A])[:-4], "8 bytes follow a header of float32 of shape (3,)"),
    "long": (damaged(VECTORS[A]) + b"\0", "13 bytes follow"),
    "code": (damaged(VECTORS[A]).replace(b"'<f4'", b"f()()"), "malformed"),
    "newer": (damaged(VECTORS[A]).replace(b"NUMPY\x01", b"NUMPY\x09"), "version 9.0"),
    "nothing": (b"", "EOF"),
}


@pytest.mark.parametrize("damage", BROKEN)
@pytest.mark.parametrize("ending", [".npz", ""])
def test_a_damaged_array_is_named_with_the_reason(ending: str, damage: str, tmp_path: Path) -> None:
    content, said = BROKEN[damage]
    path = save(tmp_path / f"f{ending}", {B: VECTORS[B]})
    if ending == "":
        (path / "0.npy").write_bytes(content)
    else:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("0.npy", content)
    message = complaint(Precomputed(str(path)), ["0", B]).message
    assert "1 array cannot be read: 0 (" in message
    assert said in message


def test_a_flipped_bit_in_an_npz_is_noticed(tmp_path: Path) -> None:
    path = save(tmp_path / "f.npz", VECTORS)
    content = bytearray(path.read_bytes())
    content[content.index(VECTORS[B].tobytes())] ^= 1
    path.write_bytes(content)
    assert "1 array cannot be read: bert/high1.wav (Bad CRC-32" in complaint(Precomputed(str(path)), [A, B, C]).message


def test_tensors_of_other_numbers_are_named(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({A: torch.ones(3, dtype=torch.float8_e5m2), B: torch.ones(3)}, tmp_path / "f.safetensors")
    assert (
        "1 array cannot be read: anna/low0.wav ("
        in complaint(Precomputed(str(tmp_path / "f.safetensors")), [A, B]).message
    )


class Attack:
    """What a pickle can do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("the pickle ran",)


@pytest.mark.parametrize("ending", [".npz", ""])
@pytest.mark.parametrize("name", [A, "frame_rate"])
def test_no_pickle_runs(ending: str, name: str, tmp_path: Path) -> None:
    objects = np.empty(1, dtype=object)
    objects[0] = Attack()
    path = save(tmp_path / f"f{ending}", {name: objects, B: VECTORS[B]})
    with pytest.raises(BenchError, match="Python objects, which are never loaded"):
        Precomputed(str(path)).lookup([A, B], [A, B])


def test_a_pickle_under_the_name_of_an_npz_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "f.npz").write_bytes(pickle.dumps(Attack()))
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "a.npy").write_bytes(pickle.dumps(Attack()))
    with pytest.raises(BenchError, match=r"'f.npz' cannot be read"):
        Precomputed(str(tmp_path / "f.npz"))
    assert "1 array cannot be read: a (" in complaint(Precomputed(str(tmp_path / "g")), ["a"]).message


def test_what_else_a_zip_holds_is_not_dropped(tmp_path: Path) -> None:
    path = save(tmp_path / "f.npz", VECTORS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "x")
    with pytest.raises(BenchError, match=r"'f.npz' cannot be read: it holds what is no array: notes.txt"):
        Precomputed(str(path))


# -- what it is -------------------------------------------------------------------------------------------------------


def test_a_path_without_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"there are no features at '.*none.npz'") as error:
        Precomputed(str(tmp_path / "none.npz"))
    assert "NAME.safetensors" in error.value.hint
    (tmp_path / "f.pkl").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"'f.pkl' is in no format that is read"):
        Precomputed(str(tmp_path / "f.pkl"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BenchError, match="'empty' holds no features"):
        Precomputed(str(tmp_path / "empty"))


def test_it_is_found_by_its_prefix_and_hears_no_waveform(tmp_path: Path) -> None:
    path = save(tmp_path / "wavlm.csv", VECTORS)
    upstream = Registry().upstream(f"precomputed:{path}")
    assert upstream.name == "precomputed:wavlm.csv"
    assert (upstream.layers, upstream.dim, upstream.parameters(), upstream.min_duration) == (1, 3, 0, 0)
    with pytest.raises(UsageError, match=r"'precomputed:wavlm.csv' holds features that were made elsewhere"):
        upstream.encode(np.zeros(1600, np.float32))


@pytest.mark.parametrize("ending", FORMATS)
def test_identity_is_the_content_wherever_it_lies(ending: str, tmp_path: Path) -> None:
    here = save(tmp_path / "here" / f"f{ending}", VECTORS) if ending == "" else tmp_path / "here" / f"f{ending}"
    here.parent.mkdir(exist_ok=True)
    save(here, VECTORS)
    there = tmp_path / "there" / f"f{ending}"
    there.parent.mkdir()
    shutil.copytree(here, there) if ending == "" else shutil.copy(here, there)
    first, second = Precomputed(str(here)), Precomputed(str(there))
    assert identity_of(first) == identity_of(second)
    assert str(tmp_path) not in str(identity_of(first))
    assert "numpy" not in code_of(first).libraries
    other = save(tmp_path / "other" / f"f{ending}" if ending == "" else there, {**VECTORS, A: VECTORS[B]})
    assert Precomputed(str(other)).name == first.name
    assert identity_of(Precomputed(str(other))) != identity_of(first)


def test_a_file_of_a_folder_counts_under_its_name(tmp_path: Path) -> None:
    first = save(tmp_path / "a" / "f", {"anna/0": VECTORS[A], "bert/0": VECTORS[B], "cleo/0": VECTORS[C]})
    second = save(tmp_path / "b" / "f", {"anna/0": VECTORS[B], "bert/0": VECTORS[A], "cleo/0": VECTORS[C]})
    assert Precomputed(str(first)).weights_sha256() != Precomputed(str(second)).weights_sha256()


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("known", [False, True])
def test_a_file_that_changes_is_an_error(ending: str, known: bool, tmp_path: Path) -> None:
    path = save(tmp_path / f"f{ending}", VECTORS)
    upstream = Precomputed(str(path))
    if known:
        upstream.weights_sha256()
    save(path, {**VECTORS, "new": VECTORS[A]})
    with pytest.raises(BenchError, match="changed while the run was reading it"):
        upstream.lookup(list(VECTORS), [*VECTORS, "new"])
    if not known:
        with pytest.raises(BenchError, match="changed while the run was reading it"):
            identity_of(upstream)


def test_the_same_question_is_answered_without_reading_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "f.npz", VECTORS)
    upstream = Precomputed(str(path))
    first = upstream.lookup([A, B], VECTORS)
    with monkeypatch.context() as patch:
        patch.setattr(upstream._arrays, "read", lambda name: pytest.fail("read again"))
        assert upstream.lookup([A, B], set(VECTORS)) is first
    assert set(upstream.lookup([A, C], VECTORS)) == {A, C}
    assert "2 arrays belong to no utterance" in complaint(upstream, [A], [A]).message
    save(path, {A: VECTORS[A]})
    with pytest.raises(BenchError, match="changed while the run was reading it"):
        upstream.lookup([A, C], VECTORS)


def test_frames_that_change_after_the_check_are_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "f", FRAMES, 50)
    found = Precomputed(str(path)).lookup([A, B, C], [A, B, C])
    np.save(path / f"{A}.npy", FRAMES[A] * 2)
    (path / f"{C}.npy").unlink()
    with pytest.raises(BenchError, match=r"'anna/low0.wav' changed while the run"):
        found[A]
    with pytest.raises(BenchError, match="'cleo 2' cannot be read again"):
        found[C]
    np.testing.assert_array_equal(found[B].layers, FRAMES[B][None])  # a single frame is kept


def test_nothing_heavy_is_imported_before_the_lookup(tmp_path: Path) -> None:
    path = save(tmp_path / "f.safetensors", VECTORS)
    code = (
        "import sys; from benchmark.base.identity import identity_of; "
        "from upstreams.precomputed.upstream import Precomputed; "
        f"p = Precomputed({str(path)!r}); identity_of(p); "
        f"p.lookup({[A]!r}, {list(VECTORS)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- as emotion2vec's recipes write them ------------------------------------------------------------------------------


def joined(folder: Path, arrays: Arrays, rate: str | None = "50", ending: str = ".ids", label: str = "") -> Path:
    """The frames of all utterances in one file, with their lengths and ids beside it."""
    path = folder / "train.npy"
    np.save(path, np.concatenate(list(arrays.values())))
    path.with_suffix(".lengths").write_text("".join(f"{len(array)}\n" for array in arrays.values()))
    path.with_suffix(ending).write_text("".join(f"{name}{label}\n" for name in arrays))
    if rate is not None:
        path.with_suffix(".frame_rate").write_text(f"{rate}\n")
    return path


FRAMES_BY_WORD: Arrays = {"u1": FRAMES[A], "u2": FRAMES[B], "u3": FRAMES[C]}


@pytest.mark.parametrize(("ending", "label"), [(".ids", ""), (".emo", "\tang")])
def test_frames_that_are_joined_come_back_by_utterance(tmp_path: Path, ending: str, label: str) -> None:
    upstream = Precomputed(str(joined(tmp_path, FRAMES_BY_WORD, ending=ending, label=label)))
    found = upstream.lookup(["u3", "u1"], list(FRAMES_BY_WORD))
    assert (upstream.frame_rate, upstream.layers, upstream.dim) == (50.0, 1, 3)
    for name in ("u1", "u3"):
        np.testing.assert_array_equal(found[name].layers[0], FRAMES_BY_WORD[name])
    with pytest.raises(BenchError, match="several frames, whose rate is not given"):
        Precomputed(str(joined(tmp_path / "..", FRAMES_BY_WORD, None))).lookup(["u1"], list(FRAMES_BY_WORD))


@pytest.mark.parametrize(
    ("suffix", "text", "why"),
    [
        (".lengths", "4\n1\n", "2 lengths and 3 ids are beside it"),
        (".lengths", "4\n1\n3\n", "it is of shape (7, 3), and its lengths are 8 frames in all"),
        (".lengths", "4\n1\n-2\n", "lengths are whole numbers, not -2"),
        (".lengths", None, "there is no train.lengths beside it"),
        (".ids", None, "there is no train.ids or train.emo beside it"),
        (".frame_rate", "often", "frame_rate is 'often', not a positive number"),
    ],
)
def test_what_lies_beside_joined_frames_must_fit(tmp_path: Path, suffix: str, text: str | None, why: str) -> None:
    beside = joined(tmp_path, FRAMES_BY_WORD).with_suffix(suffix)
    beside.unlink()
    if text is not None:
        beside.write_text(text)
    with pytest.raises(BenchError) as caught:
        Precomputed(str(tmp_path / "train.npy"))
    assert why in str(caught.value)


def test_what_lies_beside_joined_frames_is_in_the_digest(tmp_path: Path) -> None:
    path = joined(tmp_path, FRAMES_BY_WORD)
    before = Precomputed(str(path)).weights_sha256()
    path.with_suffix(".ids").write_text("u2\nu1\nu3\n")
    assert Precomputed(str(path)).weights_sha256() != before


# -- what a header promises -------------------------------------------------------------------------------------------


def test_an_archive_that_holds_more_than_its_headers_promise_takes_no_memory(tmp_path: Path) -> None:
    small, path = io.BytesIO(), tmp_path / "bomb.npz"
    np.save(small, np.zeros(4, np.float32))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", small.getvalue() + bytes(64 << 20))
    tracemalloc.start()
    assert "bytes follow a header of float32 of shape (4,)" in complaint(Precomputed(str(path)), ["a"]).message
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_an_array_that_promises_more_than_any_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upstreams.precomputed.npy.MOST_BYTES", 1000)
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros((1, 300), np.float32), b=np.zeros((1, 200), np.float32))
    assert "promises 1200 bytes, more than 1000" in complaint(Precomputed(str(tmp_path / "x.npz")), ["a", "b"]).message


def test_a_header_that_is_no_python_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(3, np.float32))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes().replace(b"}", b"("))
    assert "x (" in complaint(Precomputed(str(tmp_path)), ["x"]).message


def test_pointers_and_twins_of_other_systems_are_told_or_passed_over(tmp_path: Path) -> None:
    folder = save(tmp_path / "features", VECTORS)
    (folder / "anna" / "._low0.wav.npy").write_bytes(b"\0\5\x16\7")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "x.npy").write_bytes(b"\0\5\x16\7")
    assert sorted(Precomputed(str(folder)).lookup(list(VECTORS), list(VECTORS))) == sorted(VECTORS)
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (folder / f"{C}.npy").write_bytes(pointer)
    assert f"{C} (it is a pointer of Git LFS" in complaint(Precomputed(str(folder)), list(VECTORS)).message
    (tmp_path / "x.npz").write_bytes(pointer)
    with pytest.raises(BenchError, match=r"'x\.npz' is a pointer of Git LFS"):
        Precomputed(str(tmp_path / "x.npz"))
    archive = save(tmp_path / "y.npz", VECTORS)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("__MACOSX/._x.npy", b"\0")
    assert len(Precomputed(str(archive)).lookup(list(VECTORS), list(VECTORS))) == len(VECTORS)


def test_folders_behind_links_are_read(tmp_path: Path) -> None:
    save(tmp_path / "disk", VECTORS)
    (tmp_path / "features").mkdir()
    for name in ("anna", "bert"):
        (tmp_path / "features" / name).symlink_to(tmp_path / "disk" / name)
    assert len(Precomputed(str(tmp_path / "features")).lookup([A, B], [A, B])) == 2
