"""One contract over every registered corpus, met with a complete one that is made (tests/tasks/trees)."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from trees.audio import write_wav
from trees.catalogue import CATALOGUE
from trees.damage import exchange

from benchmark.base import Corpus
from benchmark.contracts import check_corpus
from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import Settings
from benchmark.registry.registry import Registry
from benchmark.types import Utterance

CorpusOf = Callable[[str], Corpus]
Scanned = Callable[[str], list[Utterance]]
Tree = Callable[[str], Path]


def marked(names: Iterable[str]) -> list[object]:
    """Names of corpora; the large ones are slow."""
    return [pytest.param(name, marks=pytest.mark.slow) if CATALOGUE[name].is_slow else name for name in names]


BY_NAME = [name for name, expected in CATALOGUE.items() if expected.strangers and not expected.lists]
FILE_BY_FILE = [name for name in BY_NAME if not CATALOGUE[name].folders]


def small(name: str, own: Tree, root: Path) -> Path:
    """A folder that holds the example alone; the whole corpus where its scanner needs more than that."""
    if name not in FILE_BY_FILE:
        return own(name)
    (root / CATALOGUE[name].example.file).parent.mkdir(parents=True)
    (root / CATALOGUE[name].example.file).touch()
    return root


def test_every_corpus_is_here(registry: Registry) -> None:
    assert {entry.name for entry in registry.corpora()} == {*CATALOGUE, "demo", "csv"}


@pytest.mark.parametrize("name", marked(CATALOGUE))
def test_it_keeps_the_contract_of_a_corpus(tree: Tree, corpus_of: CorpusOf, name: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "cache", tmp_path / "results", {name: tree(name)})
    for check in check_corpus(corpus_of(name), settings):
        check.run()


def test_the_demo_keeps_it(corpus_of: CorpusOf, tmp_path: Path) -> None:
    for check in check_corpus(corpus_of("demo"), Settings(tmp_path / "cache", tmp_path / "results")):
        check.run()


@pytest.mark.parametrize("name", marked(CATALOGUE))
def test_a_complete_corpus_is_read_as_it_is_counted(scanned: Scanned, corpus_of: CorpusOf, name: str) -> None:
    corpus, expected, utterances = corpus_of(name), CATALOGUE[name], scanned(name)
    assert next(u for u in utterances if u.id == expected.example.id) == expected.example
    assert len({u.speaker for u in utterances} - {None}) == expected.speakers
    assert expected.women in (None, len({u.speaker for u in utterances if u.gender == "female"} - {None}))
    assert [u.id for u in utterances] == sorted({u.id for u in utterances})
    assert {tuple(u.extra) for u in utterances} == {tuple(expected.example.extra)}
    assert {u.language for u in utterances} == {corpus.language}
    assert corpus.gaps(utterances) == []
    if not expected.as_counted:
        return
    assert set(map(corpus.part_of, utterances)) == set(corpus.counts)
    for part, counts in corpus.counts.items():
        inside = [u for u in utterances if corpus.part_of(u) == part]
        assert len(inside) == counts.utterances
        assert counts.speakers in (None, len({u.speaker for u in inside} - {None}))
        assert not counts.per_class or Counter(u.labels["emotion"] for u in inside) == counts.per_class


@pytest.mark.parametrize("name", marked(name for name, one in CATALOGUE.items() if one.options.get("audio", True)))
def test_every_utterance_is_a_file(tree: Tree, scanned: Scanned, name: str) -> None:
    # One clip of MELD is listed and was never published.
    missing = {u.id for u in scanned(name) if not (tree(name) / u.file).is_file()}
    assert missing == ({"dev/dia110_utt7"} if name == "meld" else set())


@pytest.mark.parametrize("name", ["shemo", "resd", "nemo"])
def test_the_index_is_the_same_wherever_a_corpus_lies(own: Tree, corpus_of: CorpusOf, name: str) -> None:
    root = own(name)
    before = index_digest(corpus_of(name).scan(root))
    moved = root.rename(root.with_name("elsewhere"))
    assert index_digest(corpus_of(name).scan(moved)) == before


@pytest.mark.parametrize(
    ("name", "stranger"), [(name, file) for name, expected in CATALOGUE.items() for file in expected.strangers]
)
def test_a_file_that_is_not_of_the_corpus_is_named(
    own: Tree, corpus_of: CorpusOf, tmp_path: Path, name: str, stranger: str
) -> None:
    root = small(name, own, tmp_path)
    write_wav(root / stranger, 0)
    with pytest.raises(BenchError, match="unexpected file") as error:
        corpus_of(name).scan(root)
    # Where there are lists or folders to begin with, files are named from there.
    assert (stranger if name in FILE_BY_FILE else Path(stranger).name) in str(error.value)


@pytest.mark.parametrize("name", FILE_BY_FILE)
def test_an_upper_case_suffix_is_read(own: Tree, corpus_of: CorpusOf, tmp_path: Path, name: str) -> None:
    file = small(name, own, tmp_path) / CATALOGUE[name].example.file
    file.rename(file.with_suffix(".WAV"))
    assert [utterance.id for utterance in corpus_of(name).scan(tmp_path)] == [CATALOGUE[name].example.id]


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg", ".aiff"])
@pytest.mark.parametrize("name", FILE_BY_FILE)
def test_a_copy_in_another_format_is_the_same_corpus(
    own: Tree, corpus_of: CorpusOf, tmp_path: Path, name: str, suffix: str
) -> None:
    example = CATALOGUE[name].example
    file = small(name, own, tmp_path) / example.file
    file.rename(file.with_suffix(suffix))
    (utterance,) = corpus_of(name).scan(tmp_path)
    assert utterance == replace(example, file=str(Path(example.file).with_suffix(suffix)))


@pytest.mark.parametrize("name", ["iemocap", "msp-improv"])
def test_so_is_one_of_a_corpus_that_is_read_from_lists(own: Tree, corpus_of: CorpusOf, name: str) -> None:
    root, example = own(name), CATALOGUE[name].example
    copy = (root / example.file).with_suffix(".flac")
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.touch()
    (root / example.file).unlink(missing_ok=True)
    found = {utterance.id: utterance.file for utterance in corpus_of(name).scan(root)}
    assert root / found[example.id] == copy


@pytest.mark.parametrize("name", FILE_BY_FILE)
def test_folders_behind_links_are_read(own: Tree, corpus_of: CorpusOf, tmp_path: Path, name: str) -> None:
    root = small(name, own, tmp_path / "disk")
    folder = CATALOGUE[name].example.file.partition("/")[0]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / folder).symlink_to(root / folder)
    (utterance,) = corpus_of(name).scan(tmp_path / "corpus")
    assert utterance == CATALOGUE[name].example


@pytest.mark.parametrize("name", [name for name, expected in CATALOGUE.items() if expected.again])
def test_a_corpus_unpacked_twice_is_counted_once_and_two_recordings_are_refused(
    own: Tree, corpus_of: CorpusOf, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    expected = CATALOGUE[name]
    root = small(name, own, tmp_path)
    again = root / str(expected.again)
    again.parent.mkdir(parents=True)
    again.write_bytes(b"another recording")
    with pytest.raises(BenchError, match=f"are both utterance '{expected.example.id}'"):
        corpus_of(name).scan(root)
    before = (root / expected.example.file).read_bytes()
    again.write_bytes(before)
    utterances = corpus_of(name).scan(root)
    assert [utterance.id for utterance in utterances].count(expected.example.id) == 1
    assert "is there twice, byte for byte, and counted once" in caplog.text


@pytest.mark.parametrize("name", BY_NAME)
def test_a_folder_without_audio_is_refused(corpus_of: CorpusOf, tmp_path: Path, name: str) -> None:
    why = " has no folder" if CATALOGUE[name].folders else ": there is no audio in"
    with pytest.raises(BenchError, match=f"corpus {name}{why}"):
        corpus_of(name).scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "file"),
    [(name, file) for name, expected in CATALOGUE.items() for file in expected.lists if name != "cmu-mosei"],
)
def test_a_missing_list_is_named_with_how_to_get_it(
    tree: Tree, corpus_of: CorpusOf, tmp_path: Path, name: str, file: str
) -> None:
    root = tmp_path / "root"
    shutil.copytree(tree(name), root, ignore=shutil.ignore_patterns(Path(file).name, "*.mp4", "*.wav"))
    with pytest.raises(MissingError, match=f"there is no {file}") as caught:
        corpus_of(name).scan(root)
    assert corpus_of(name).how_to_get in str(caught.value)


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "why"), [(name, *one) for name in CATALOGUE for one in CATALOGUE[name].damage]
)
def test_a_list_that_is_not_as_it_should_be_is_named_with_its_line(
    own: Tree, corpus_of: CorpusOf, name: str, file: str, old: str, new: str, why: str
) -> None:
    root = own(name)
    exchange(root / file, old, new)
    with pytest.raises(BenchError, match=why):
        corpus_of(name).scan(root)


@pytest.mark.parametrize(("name", "parts"), [(name, parts) for name in CATALOGUE for parts in CATALOGUE[name].missing])
def test_gaps_name_what_is_missing(scanned: Scanned, corpus_of: CorpusOf, name: str, parts: tuple[str, ...]) -> None:
    here = [one for one in scanned(name) if not any(part in one.id for part in parts)]
    assert tuple(corpus_of(name).gaps(here)) == CATALOGUE[name].missing[parts]


def without_files(utterances: list[Utterance]) -> str:
    """Digest of all but where the files lie."""
    return index_digest([replace(utterance, file="") for utterance in utterances])


@pytest.mark.parametrize(
    ("name", "options"), [(name, options) for name in CATALOGUE for options in CATALOGUE[name].packagings]
)
def test_packagings_have_the_same_utterances(
    scanned: Scanned, corpus_of: CorpusOf, tmp_path: Path, name: str, options: Mapping[str, object]
) -> None:
    other = corpus_of(name).scan(CATALOGUE[name].write(tmp_path / name, **options))
    assert without_files(other) == without_files(scanned(name))
