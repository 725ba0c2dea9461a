"""`bench data get` and `bench data how-to`: corpora that anybody may download, and how to come by the others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.options import Json, Plugin, examples, load
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import BenchError, UsageError

if TYPE_CHECKING:
    from benchmark.base import Corpus
    from benchmark.io.settings import Settings

GET_EPILOG = examples(
    "bench data get ravdess --accept-licence", "bench data get ravdess --accept-licence --to ~/corpora/ravdess"
)
HOW_TO_EPILOG = examples("bench data how-to urdu", "bench data how-to ravdess --json")

Name = Annotated[str, typer.Argument(help="Corpus; bench list corpora names all.")]


def get(
    name: Name,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="The folder of the corpus: not there yet, or empty."),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You have read its licence and accept it.")
    ] = False,
    as_json: Json = False,
    plugin: Plugin = None,
) -> None:
    """Download an openly licensed corpus, check and unpack it. An interrupted download goes on where it stopped.

    It goes to BENCH_DATA/NAME, or to a folder of your own where BENCH_DATA is not set; it is found in both.
    """
    from dataclasses import asdict

    from benchmark.data import downloads

    registry, settings = load(plugin)
    corpus = registry.corpus(name)
    if not corpus.downloads:
        raise UsageError(f"bench cannot download {name}", f"bench data how-to {name} says how to get it")
    present = settings.find_data(name) if to is None else to.expanduser()
    if present is not None and present.is_dir() and any(present.iterdir()):
        _say_present(corpus, present, as_json)
        return
    folder = present or settings.place_of_new(name)
    _print_licence(corpus, folder)
    if not accept_licence:
        raise UsageError(
            f"the licence of {name} is to be accepted first: {corpus.licence}", "read it, then add --accept-licence"
        )
    parts = downloads.get(corpus, folder, transfer_bar)
    if as_json:
        print_json({"corpus": name, "folder": str(folder), "parts": [asdict(part) for part in parts]})
        return
    counts = ", ".join(f"{part.name} {part.utterances}" for part in parts)
    stdout().print(f"{name} is in {folder}: {counts}", markup=False, soft_wrap=True)
    if to is not None and settings.find_data(name) != folder:
        stdout().print(f"tell bench where it is: --data {name}={folder}", markup=False, soft_wrap=True)


def _say_present(corpus: Corpus, folder: Path, as_json: bool) -> None:
    """Say that a corpus is there already.

    Raises:
        BenchError: What is there is not all of it.
    """
    from dataclasses import asdict

    from benchmark.data.scanning import scan_corpus
    from benchmark.data.status import WRONG, held

    holding = held(corpus, folder, scan_corpus(corpus, folder))
    if holding.state in WRONG:
        raise BenchError(
            f"{corpus.name} is in {folder} already, and is {holding.state}",
            f"bench data verify {corpus.name} says what is wrong; move it away, or use --to with another folder",
        )
    if as_json:
        print_json({"corpus": corpus.name, "folder": str(folder), "parts": [asdict(part) for part in holding.parts]})
    else:
        stdout().print(f"{corpus.name} is there already: {folder}", markup=False, soft_wrap=True)


def _print_licence(corpus: Corpus, folder: Path) -> None:
    """What comes from where, under which licence, and where to: before anything is transferred."""
    files = "\n".join(f"  {download.url}" for download in corpus.downloads)
    sys.stderr.write(
        f"{corpus.name}\nlicence: {corpus.licence}\ncite: {corpus.citation}\nhome page: {corpus.homepage}\n{files}\n"
        f"it goes into {folder}\n"
    )


@contextmanager
def transfer_bar(title: str, total: int | None, done: int) -> Iterator[Callable[[int], object]]:
    """A bar on stderr for bytes; one line at the end where stderr is no terminal."""
    from tqdm import tqdm

    is_terminal = sys.stderr.isatty()
    with tqdm(
        desc=title, total=total, initial=done, unit="B", unit_scale=True, file=sys.stderr, disable=not is_terminal
    ) as bar:
        yield bar.update
    if not is_terminal:
        sys.stderr.write(f"{title}: done\n")


def how_to(name: Name, as_json: Json = False, plugin: Plugin = None) -> None:
    """Say how to get a corpus, its licence and what to cite. And how to tell bench where it is."""
    registry, settings = load(plugin)
    corpus = registry.corpus(name)
    facts = facts_of(corpus, settings)
    if as_json:
        print_json(facts)
        return
    rows = [
        [key.replace("_", " "), "\n".join(value) if isinstance(value, list) else value] for key, value in facts.items()
    ]
    print_table(f"corpus {name}", ["", ""], rows[1:])


def facts_of(corpus: Corpus, settings: Settings) -> dict[str, Any]:
    """Everything that helps to come by a corpus."""
    from benchmark.base import Corpus as Base

    name = corpus.name
    whole = [
        f"{'' if part == 'all' else f'{part}: '}{count.utterances} utterances"
        f"{'' if count.speakers is None else f', {count.speakers} speakers'}"
        for part, count in corpus.counts.items()
    ]
    facts: dict[str, Any] = {
        "corpus": name,
        "language": corpus.language,
        "licence": corpus.licence,
        "cite": corpus.citation,
        "home_page": corpus.homepage,
        "how_to_get": corpus.how_to_get,
        "holds": whole,
    }
    if corpus.downloads:
        facts["download"] = f"bench data get {name} --accept-licence"
        facts["which_puts_it_into"] = str(settings.place_of_new(name))
        facts["files"] = [f"{download.url} ({download.checksum})" for download in corpus.downloads]
    if type(corpus).prepare is Base.prepare:
        facts["tell_bench_where"] = [
            f"--data {name}=PATH",
            f"or BENCH_DATA=FOLDER with {name}/ in it",
            f"or data: {{{name}: PATH}} in the config file",
            f"or put it into {settings.corpora / name}",
        ]
        facts["then"] = f"bench data verify {name}"
    return facts
