"""`bench data`: which corpora are here, whether they are whole, and what two labs can compare of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli import data_get
from benchmark.cli.data_get import Name
from benchmark.cli.options import Data, Json, Plugin, command_group, examples, load
from benchmark.cli.terminal import TerminalProgress, print_json, print_table, stdout
from benchmark.errors import BenchError, UsageError
from benchmark.text import count

if TYPE_CHECKING:
    from benchmark.base import Corpus
    from benchmark.data.status import Holding, Inspection
    from benchmark.io.settings import Settings

DATA_EPILOG = examples("bench data status", "bench data how-to urdu", "bench data get ravdess --accept-licence")
STATUS_EPILOG = examples("bench data status", "bench data status ravdess urdu --json")
VERIFY_EPILOG = examples("bench data verify demo", "bench data verify demo --against theirs.jsonl")
INDEX_EPILOG = examples("bench data index demo", "bench data index demo --out demo.jsonl")

SHOWN_GAPS = 3  # in a table
NAMED = 5  # in the line of an error: differences of a part, utterances of a finding
SHOWN_PROBLEMS = 20  # one on a line; --json gives all

app = command_group("data", "Find, get and verify corpora.", DATA_EPILOG)


@app.command("status", epilog=STATUS_EPILOG)
def status(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these corpora.")] = None,
    as_json: Json = False,
    plugin: Plugin = None,
    data: Data = None,
) -> None:
    """Say of every corpus whether it is here, and whole. And where. Nothing is decoded or made."""
    from dataclasses import asdict

    from benchmark.data.status import look

    registry, settings = load(plugin, data)
    corpora = [registry.corpus(name) for name in names or [entry.name for entry in registry.corpora()]]
    holdings = [look(corpus, settings) for corpus in corpora]
    if as_json:
        print_json([asdict(holding) for holding in holdings])
        return
    columns = ["corpus", "state", "utterances", "speakers", "what is missing or wrong", "folder", "licence"]
    print_table("", columns, [_status_row(holding) for holding in holdings])


def _status_row(holding: Holding) -> list[str]:
    from benchmark.data.status import WRONG, in_words

    def counted(found: str, expected: str) -> str:
        lines = []
        for part in holding.parts:
            count, whole = getattr(part, found), getattr(part, expected)
            name = "" if part.name == "all" else f"{part.name} "
            lines.append(f"{name}{count}" if whole is None else f"{name}{count}/{whole}")
        return "\n".join(lines)

    # Gaps say it better than counts, which stand beside them.
    differing = [in_words(part) for part in holding.parts if part.state in WRONG]
    wrong = _shortened(holding.gaps or differing, SHOWN_GAPS)
    if holding.reason:
        wrong.append(holding.reason)
    elif holding.state == "not here":
        wrong.append(f"bench data {'get' if holding.downloadable else 'how-to'} {holding.corpus}")
    return [
        holding.corpus,
        holding.state,
        counted("utterances", "utterances_expected"),
        counted("speakers", "speakers_expected"),
        "; ".join(wrong),
        holding.folder or "",
        holding.licence,
    ]


def _shortened(lines: Sequence[str], shown: int) -> list[str]:
    return [*lines[:shown], *([f"and {len(lines) - shown} more"] if len(lines) > shown else [])]


@app.command("verify", epilog=VERIFY_EPILOG)
def verify(
    name: Name,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FILE", help="Another lab's digest index to compare with.")
    ] = None,
    as_json: Json = False,
    plugin: Plugin = None,
    data: Data = None,
) -> None:
    """Count a corpus and decode every recording. Identical ones are looked for, and its digests are printed.

    Exit code 1 where something is missing, surplus or unusable, or differs from FILE, which must be of the same corpus.
    Identical recordings are told
    only: some corpora are published with a few.
    """
    from benchmark.data.digest_index import differences, make_index, read_index

    theirs = None if against is None else read_index(against)
    corpus, settings = _known(name, plugin, data)
    if theirs is not None and theirs.header.corpus != name:
        raise UsageError(
            f"{against} is of another corpus: {theirs.header.corpus!r}, not {name!r}",
            f"bench data index {name} writes one to compare with",
        )
    inspection = _inspect(corpus, settings)
    ours = None if inspection.unusable else make_index(inspection)
    differing = {} if ours is None or theirs is None else differences(ours, theirs)
    wrong = _wrong(inspection)
    if theirs is not None and ours is None:
        wrong.append("not compared: a corpus with unusable recordings has no digests")
    if as_json:
        print_json(
            {
                **_inspection_row(inspection),
                "digests": None if ours is None else ours.header.model_dump(),
                "differences": differing,
                "wrong": wrong,
            }
        )
    else:
        _print_inspection(inspection, differing)
        if ours is not None:
            header = ours.header
            stdout().print(f"audio {header.audio_sha256}\nindex {header.index_sha256}", markup=False, soft_wrap=True)
        if theirs is not None and ours is not None and not differing:
            stdout().print(f"the same as {against}", markup=False, soft_wrap=True)
    # Where nothing is wrong here, a difference does not tell which of the two is the right one.
    told = [f"{name} is not as it should be: {'; '.join(wrong)}"] if wrong else []
    if differing:
        told.append(f"{name} here and {against} differ: {'; '.join(_findings(differing))}")
    if told:
        raise BenchError(
            "; ".join(told),
            f"bench data how-to {name} says how to get it"
            if wrong
            else f"nothing is wrong with what is here; does bench data verify {name} say so there, too?",
        )


def _findings(differing: dict[str, list[str]]) -> list[str]:
    """Differences from another lab's index, each with a few of its utterances."""
    return [
        f"{title} ({', '.join(_shortened([repr(name) for name in names], NAMED))})" if names else title
        for title, names in differing.items()
    ]


def _known(name: str, plugin: list[str] | None, data: list[str] | None) -> tuple[Corpus, Settings]:
    registry, settings = load(plugin, data)
    return registry.corpus(name), settings


def _inspect(corpus: Corpus, settings: Settings) -> Inspection:
    from benchmark.data.scanning import open_corpus, scan_corpus
    from benchmark.data.status import inspect

    folder = open_corpus(corpus, settings)
    utterances = scan_corpus(corpus, folder)
    with TerminalProgress().stage(f"listen to {corpus.name}", len(utterances)) as advance:
        return inspect(corpus, folder, utterances, settings, advance)


def _wrong(inspection: Inspection) -> list[str]:
    """What makes a corpus not as it should be, a few words each; the rest is printed above it."""
    from benchmark.data.status import WRONG

    holding = inspection.holding
    wrong = [
        f"{'' if part.name == 'all' else f'{part.name}: '}"
        f"{', '.join(_shortened(part.differences, NAMED)) or 'nothing of it is here'}"
        for part in holding.parts
        if part.state in (*WRONG, "not here")
    ]
    if holding.gaps and holding.state in WRONG and not wrong:
        wrong += _shortened(holding.gaps, SHOWN_GAPS)
    if not inspection.utterances:
        wrong.append("it holds no utterances")
    wrong += inspection.not_as_published
    if inspection.unusable:
        wrong.append(f"{len(inspection.unusable)} of {count(len(inspection.utterances), 'utterance')} cannot be used")
    return wrong


def _inspection_row(inspection: Inspection) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **asdict(inspection.holding),
        "seconds": round(sum(found.duration for found in inspection.heard.values()), 3),
        "unusable": dict(inspection.unusable),
        "published_broken": dict(inspection.published_broken),
        "not_as_published": list(inspection.not_as_published),
        "remarks": list(inspection.remarks),
        "identical": [list(group) for group in inspection.identical],
        "identical_across_speakers": [list(group) for group in inspection.shared],
    }


def _print_inspection(inspection: Inspection, differing: dict[str, list[str]]) -> None:
    console, holding = stdout(), inspection.holding
    columns = ["part", "state", "utterances", "of", "speakers", "of", "differences"]
    rows = [
        [
            part.name,
            part.state,
            part.utterances,
            "?" if part.utterances_expected is None else part.utterances_expected,
            part.speakers,
            "?" if part.speakers_expected is None else part.speakers_expected,
            ", ".join(part.differences),
        ]
        for part in holding.parts
    ]
    print_table(f"{holding.corpus} in {holding.folder}", columns, rows, right=columns[2:6])
    groups = [" = ".join(group) for group in inspection.identical if group not in inspection.shared]
    shared = [" = ".join(group) for group in inspection.shared]
    hours = sum(found.duration for found in inspection.heard.values()) / 3600
    console.print(
        f"{len(inspection.heard)} of {count(len(inspection.utterances), 'utterance')} can be used, {hours:.2f} h"
    )
    found = {
        f"gaps: {len(holding.gaps)}": holding.gaps,
        f"unusable: {len(inspection.unusable)}": tuple(inspection.unusable.values()),
        f"published broken: {len(inspection.published_broken)}": tuple(
            f"{name}: {why}" for name, why in inspection.published_broken.items()
        ),
        "not as published": inspection.not_as_published,
        f"remarks: {len(inspection.remarks)}": inspection.remarks,
        f"identical recordings of one speaker: {len(groups)}": groups,
        f"identical recordings under several speakers: {len(shared)}": shared,
    }
    # What comes from another lab's file is written as Python does, so that it cannot drive the terminal.
    theirs = {title: [repr(name) for name in names] for title, names in differing.items()}
    for title, lines in {**{title: lines for title, lines in found.items() if lines}, **theirs}.items():
        console.print(title, markup=False, soft_wrap=True)
        for line in _shortened(lines, SHOWN_PROBLEMS):
            console.print(f"  {line}", markup=False, soft_wrap=True)


@app.command("index", epilog=INDEX_EPILOG)
def index(
    name: Name,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write; printed where not given.")
    ] = None,
    as_json: Json = False,
    plugin: Plugin = None,
    data: Data = None,
) -> None:
    """Write digests of a corpus for another lab to compare. It does so by `bench data verify NAME --against FILE`.

    One JSON line about the corpus, then one for each utterance: id, sha256 of the decoded samples, duration. No audio
    and no list of labels is in it; but ids are the corpus's own file names, which in some corpora tell label and
    speaker. With --json and --out the first line is printed too.
    """
    from benchmark.data.digest_index import make_index
    from benchmark.io.files import write_atomically

    found = make_index(_inspect(*_known(name, plugin, data)))
    if out is None:
        sys.stdout.write(found.encoded().decode())
        return
    write_atomically(out, found.encoded())
    if as_json:
        print_json({"written": str(out), **found.header.model_dump()})
    else:
        stdout().print(f"written: {out} ({count(found.header.utterances, 'utterance')})", markup=False, soft_wrap=True)


app.command("get", epilog=data_get.GET_EPILOG)(data_get.get)
app.command("how-to", epilog=data_get.HOW_TO_EPILOG)(data_get.how_to)
