"""Made corpora and the tasks on them: written, heard and read as seldom as can be.

A tree is written, and all of its audio decoded, once per run of the suite; a scanner reads it, and a task is loaded,
once in each process, or a few times where the trees are large.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from made_once import MADE_ONCE, made_once, shared_folder
from trees import iemocap, meld, msp_improv
from trees.catalogue import CATALOGUE
from trees.podcasts import write_release
from trees.sets import Load

from benchmark.base import Corpus
from benchmark.data.listening import hear
from benchmark.data.scanning import scan_corpus
from benchmark.io.settings import Settings
from benchmark.protocol import dataset
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.registry.registry import Registry
from benchmark.types import Utterance
from tasks.corpora.msp_podcast import MSPPodcast

# Their clips and recordings are thousands, and their scanners take the lists at their word.
WITHOUT_SOUND = ("meld", "m3ed", "cmu-mosi")


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The registry of what comes with the benchmark; not to be changed."""
    return Registry()


@pytest.fixture(scope="session")
def corpus_of(registry: Registry) -> Callable[[str], Corpus]:
    """The scanner of a corpus."""
    return functools.cache(registry.corpus)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The complete tree of a corpus, written when it is first asked for; not to be changed."""

    def complete(name: str) -> Path:
        expected = CATALOGUE[name]
        return made_once(tmp_path_factory, f"trees/{name}", lambda root: expected.write(root, **expected.options))

    return functools.cache(complete)


@pytest.fixture(scope="session")
def scanned(tree: Callable[[str], Path], corpus_of: Callable[[str], Corpus]) -> Callable[[str], list[Utterance]]:
    """What the scanner reads of a complete tree; not to be changed."""
    return functools.cache(lambda name: corpus_of(name).scan(tree(name)))


@pytest.fixture
def own(tree: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """A tree that the test may add to and take from; its files are those of the complete one, under other names."""

    def linked(name: str) -> Path:
        left_out = shutil.ignore_patterns("*.mp4", "modality_speech") if name in WITHOUT_SOUND else None
        return Path(shutil.copytree(tree(name), tmp_path / "own" / name, ignore=left_out, copy_function=os.link))

    return linked


# The podcasts' releases that tasks are about, where it is not the one that most are about.
RELEASE = {"msp-podcast-8class": "1.11", "msp-podcast-dims": "1.6", "msp-podcast-dims-eval-1-3": "1.6"}
USUAL_RELEASE = {"msp-podcast": "1.10", "biic-podcast": "1.0"}
# In the catalogue some are without audio. Of MELD it is the sound alone: extracting that from 13706 clips takes a
# minute, and CMU-MOSI's are heard.
SPOKEN: Mapping[str, Callable[[Path], Path]] = {
    "iemocap": iemocap.write,
    "meld": functools.partial(meld.write, suffix=".wav"),
    "msp-improv": msp_improv.write,
}
PlaceOf = Callable[[str, str], Path]
Scans = Callable[[Corpus, Path], list[Utterance]]
FEW = 4  # scans that are kept: tasks of one corpus, or pair of corpora, follow each other


@pytest.fixture(scope="session")
def silent_place(tree: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> PlaceOf:
    """The complete corpus of a task, for what decodes nothing."""

    def place(task: str, corpus: str) -> Path:
        if corpus not in USUAL_RELEASE:
            return tree(corpus)
        name = f"{corpus}-{RELEASE.get(task, USUAL_RELEASE[corpus])}"
        return made_once(tmp_path_factory, f"silent/{name}", lambda root: write_release(root, name, audio=False))

    return place


@pytest.fixture(scope="session")
def spoken_place(tree: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> PlaceOf:
    """The complete corpus of a task with its audio."""

    def place(task: str, corpus: str) -> Path:
        if corpus in SPOKEN:
            return made_once(tmp_path_factory, f"spoken/{corpus}", SPOKEN[corpus])
        if corpus not in USUAL_RELEASE:
            return tree(corpus)
        name = f"{corpus}-{RELEASE.get(task, USUAL_RELEASE[corpus])}"
        return made_once(tmp_path_factory, f"spoken/{name}", lambda root: write_release(root, name, audio=True))

    return place


@pytest.fixture(scope="session", autouse=True)
def scans() -> Iterator[Scans]:
    """What a scanner reads of a tree that is not to be changed, of the last few trees; tasks are loaded with it.

    That two scans are alike is in the contract of a corpus.
    """

    @functools.lru_cache(maxsize=FEW)
    def kept(scanner: type[Corpus], root: Path) -> tuple[Utterance, ...]:
        return tuple(scan_corpus(scanner(), root))

    def scan(corpus: Corpus, root: Path) -> list[Utterance]:
        return list(kept(type(corpus), root)) if MADE_ONCE in root.parts else scan_corpus(corpus, root)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "scan_corpus", scan)
        yield scan


@pytest.fixture(scope="session")
def spoken(
    spoken_place: PlaceOf, scans: Scans, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Settings]:
    """Settings that know the complete corpora of a task, every recording of which has been decoded already."""
    top = shared_folder(tmp_path_factory)

    def settings(name: str) -> Settings:
        found = {part.corpus: spoken_place(name, part.corpus) for part in registry.task(name).uses}
        settings = Settings(top / "cache", top / "results", found)
        for corpus, root in found.items():

            def listen(marker: Path, corpus: str = corpus, root: Path = root) -> None:
                hear(root, scans(registry.corpus(corpus), root), None, settings, lambda count: None)
                marker.mkdir(parents=True)

            made_once(tmp_path_factory, f"heard/{root.name}", listen)
        return settings

    return settings


@pytest.fixture(scope="session")
def load(silent_place: PlaceOf, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """A task with its utterances, unheard; not to be changed."""
    top = tmp_path_factory.mktemp("silent")

    @functools.cache
    def loaded(name: str) -> Dataset:
        task = registry.task(name)
        data = {part.corpus: silent_place(name, part.corpus) for part in task.uses}
        return load_dataset(task, registry.corpora_of(task), Settings(top / "cache", top / "results", data))

    return loaded


@pytest.fixture
def small_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trees of MSP-Podcast are smaller than its releases, which a task without a number of its own would refuse."""
    monkeypatch.setattr(MSPPodcast, "counts", {})
