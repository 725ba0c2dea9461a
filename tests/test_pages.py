"""What the pages say is true: links lead somewhere, files work as they stand, commands are understood."""

from __future__ import annotations

import csv
import functools
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from benchmark import __version__
from benchmark.cli import app
from benchmark.contracts import check_downstream, check_upstream
from benchmark.io.settings import Settings, load_settings
from benchmark.io.yamls import validate
from benchmark.protocol.task import read_task
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.records.store import Reading
from benchmark.registry.entries import Recipe
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.text import interval, with_spread
from leaderboard.board import board

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PUBLISHED = ROOT / "leaderboard" / "results"
README = ROOT / "README.md"
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "tasks" / "README.md",
    *(ROOT / "leaderboard" / name for name in ("LEADERBOARD.md", "METHODS.md", "SELECTION.md")),
    *sorted(DOCS.glob("*.md")),
]
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
ALL = "\n".join(TEXTS.values())
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
COMMANDS = dict.fromkeys(re.findall(r"^    (bench .+)$", ALL, flags=re.MULTILINE))
CORPUS = "calm", "upset"  # the classes of the README's corpus


@pytest.fixture(scope="module", autouse=True)
def published_once() -> Iterator[None]:
    """All published rows are read once for all pages; who reads those of some tasks reads them as ever."""
    read = RecordStore.read

    @functools.cache
    def kept(root: Path) -> Reading:
        return read(RecordStore(root))

    def reading(store: RecordStore, task: str | None = None) -> Reading:
        return kept(store.root) if task is None and store.root == PUBLISHED else read(store, task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordStore, "read", reading)
        yield


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def files(page: Path, language: str) -> Iterator[tuple[str, str]]:
    """The files that a page holds, each named by the comment in its first line."""
    for found, content in BLOCK.findall(TEXTS[page]):
        if found == language:
            first = content.split("\n")[0]
            yield first.removeprefix("# ") if first.startswith("# ") else "", content


def written(page: Path, language: str, folder: Path) -> dict[str, Path]:
    """The files of a page, written down."""
    made = {}
    for name, content in files(page, language):
        made[name] = folder / name
        made[name].write_text(content, encoding="utf-8")
    return made


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(TEXTS[page]):
        if target.startswith(("https://", "http://")):
            continue
        place, _, anchor = target.partition("#")
        path = (page.parent / place).resolve() if place else page
        assert path.exists(), f"{target} in {named(page)}"
        assert path.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), f"{target} in {named(page)}"


def test_a_link_that_leads_nowhere_is_seen() -> None:
    assert LINK.findall("see [a](b.md#c) and ![d](e.svg)") == ["b.md#c", "e.svg"]
    assert anchors("# What it is: `x`\n\n## A b\n") == {"what-it-is-x", "a-b"}


def test_every_page_is_in_the_index() -> None:
    listed = set(LINK.findall(TEXTS[DOCS / "README.md"]))
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= listed


def test_the_readme_is_short() -> None:
    assert len(TEXTS[README].split()) < 900


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_are_understood(line: str) -> None:
    _, *words = shlex.split(line, comments=True)
    command = get_command(app)
    while hasattr(command, "commands"):  # a group of commands: the next word is one of them
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


def test_every_command_of_the_command_line_is_on_a_page() -> None:
    assert [name for name in get_command(app).commands if f"bench {name}" not in ALL] == []  # type: ignore[attr-defined]


PLUGINS = [(page, name) for page in PAGES for name, _ in files(page, "python")]


@pytest.mark.parametrize(("page", "name"), PLUGINS, ids=[name for _, name in PLUGINS])
def test_the_classes_of_the_pages_keep_the_contracts(page: Path, name: str, tmp_path: Path) -> None:
    path = written(page, "python", tmp_path)[name]
    here, plain = Registry([str(path)]), Registry()
    uppers = {one.name for one in here.upstreams()} - {one.name for one in plain.upstreams()}
    heads = {one.name for one in here.downstreams()} - {one.name for one in plain.downstreams()}
    corpora = {one.name for one in here.corpora()} - {one.name for one in plain.corpora()}
    assert len(uppers | heads | corpora) == 1
    checks = [check for one in uppers for check in check_upstream(lambda one=one: here.upstream(one))]
    checks += [check for one in heads for check in check_downstream(lambda one=one: here.downstream(one))]
    for check in checks:
        check.run()
    for one in corpora:
        (tmp_path / "anna-calm-01.wav").touch()
        (found,) = here.corpus(one).scan(tmp_path)
        assert (found.speaker, found.labels["emotion"]) == ("anna", "calm")


RECIPES_AND_TASKS = [(page, content) for page in PAGES for _, content in files(page, "yaml")]


@pytest.mark.parametrize(("page", "content"), RECIPES_AND_TASKS, ids=[named(page) for page, _ in RECIPES_AND_TASKS])
def test_the_recipes_and_protocols_of_the_pages_are_some(page: Path, content: str, tmp_path: Path) -> None:
    values = yaml.safe_load(content)
    if "params" in values:
        recipe = validate(Recipe, values, named(page))
        registry = Registry()
        (used,) = (one for one in registry.downstreams() if one.name == recipe.downstream)
        assert recipe.name not in [one.name for one in registry.downstreams()]
        params = type(registry.downstream(used.name).params)
        assert params.model_validate(recipe.params).model_dump()["C"] == recipe.params["C"]
        return
    path = tmp_path / f"{values['name']}.yaml"
    path.write_text(content, encoding="utf-8")
    assert read_task(path).title == values["title"]


def corpus_of_the_readme(folder: Path) -> Path:
    """The corpus of the README as it goes on: as many recordings and speakers as its task expects."""
    ((_, index),) = files(README, "csv")
    header, *rows = csv.reader(index.splitlines())
    assert header == ["file", "speaker", "label"]
    assert {row[2] for row in rows} == set(CORPUS)
    speakers = [rows[0][1], *(f"speaker-{number}" for number in range(1, 8))]
    lines, rng = [], np.random.default_rng(0)
    for speaker in speakers:
        for take in range(15):
            name, label = f"{speaker}/{take + 1:03}.wav", CORPUS[take % 2]
            (folder / speaker).mkdir(parents=True, exist_ok=True)
            noise = rng.normal(0, 0.1 if label == "upset" else 0.001, 8_000)
            soundfile.write(folder / name, noise + 0.1 * np.sin(np.arange(8_000) / 9), 16_000)
            lines.append([name, speaker, label])
    assert lines[: len(rows)] == rows
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header, *lines])
    return folder


def test_upstream_head_corpus_and_task_of_the_readme_run_together(tmp_path: Path, progress: object) -> None:
    plugins = written(README, "python", tmp_path)
    task = written(README, "yaml", tmp_path)["mine.yaml"]
    data = corpus_of_the_readme(tmp_path / "corpus")
    settings: Settings = load_settings([f"mine={data}"])
    request = Request(["zero-crossings"], [str(task)], ["nearest-mean"])
    registry = Registry([str(path) for path in plugins.values()])
    (outcome,) = run(request, registry, settings, progress, "cpu")  # type: ignore[arg-type]
    assert outcome.failed == {}
    assert outcome.score is not None
    assert (outcome.score.metric, outcome.score.mean) == ("uar", 1.0)


def test_entry_points_for_all_four_kinds_are_shown() -> None:
    shown = re.findall(r'^\[project\.entry-points\."(serbench\.\w+)"\]$', ALL, flags=re.MULTILINE)
    assert sorted(shown) == [f"serbench.{kind}" for kind in ("corpora", "downstreams", "tasks", "upstreams")]
    assert all(f'"{group}"' in TEXTS[README] for group in shown)


def test_the_scores_on_urdu_are_the_published_ones() -> None:
    with (ROOT / "leaderboard" / "leaderboard.csv").open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["primary"] == "true"]

    def text(task: str, system: str) -> str:
        (row,) = (one for one in rows if one["task"] == task and f"{one['upstream']} + {one['downstream']}" == system)
        sd = float(row["sd"]) if row["sd"] else None
        ends = interval(float(row["low"]), float(row["high"]), percent=True)
        return f"{with_spread(float(row['mean']), sd, percent=True)} {ends}"

    shown = re.findall(r"^\| (\S+ \+ \S+) \| (.+) \| (.+) \|$", TEXTS[DOCS / "numbers.md"], flags=re.MULTILINE)
    assert len(shown) == 5
    assert shown == [(system, text("urdu-random", system), text("urdu", system)) for system, *_ in shown]


def test_the_board_of_the_readme_is_that_of_the_demo() -> None:
    (task,) = board(RecordStore(PUBLISHED).of_task("demo")).tasks
    _, header, *rows = re.search(r"(?:^    .+\n)+", TEXTS[README].partition("with a board:")[2], re.MULTILINE)[
        0
    ].splitlines()
    shown = [re.split(r"\s{2,}", line.strip()) for line in (header, *rows)]
    ranking = task.tables[0].ranking
    assert shown == [list(row) for row in (ranking.header, *ranking.rows)]


def test_what_compare_says_is_what_it_prints() -> None:
    command, *lines = re.search(r"(    bench compare .*)\n\n((?:    .+\n)+)", TEXTS[DOCS / "numbers.md"])[
        0
    ].splitlines()
    done = CliRunner().invoke(app, shlex.split(command)[1:], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert [line.strip() for line in done.stdout.splitlines() if line.strip()] == [
        line.strip() for line in lines if line
    ]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as its dataclasses need it
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["draw_imports", "draw_urdu"])
def test_the_pictures_are_up_to_date(name: str) -> None:
    module = script(name)
    assert module.SVG.read_text(encoding="utf-8") == module.draw(), f"`make docs` draws {module.SVG.name} again"


def test_the_figures_of_the_bridge_are_those_of_the_published_rows() -> None:
    module = script("draw_bridge")
    assert module.PAGE.read_text(encoding="utf-8") == module.draw(), "`make docs` writes bridge.md again"


def test_the_hours_are_those_of_the_published_rows() -> None:
    module = script("draw_hours")
    text = module.draw()
    assert module.PAGE.read_text(encoding="utf-8") == text, "`make docs` writes hours.md again"
    rows = re.findall(r"^\| (\S+) +\| (\S+) +\| +(\d+) \|", text, flags=re.MULTILINE)
    assert len(rows) == len(list(PUBLISHED.glob("*/*.json"))), "every published row has a line"


def test_the_findings_are_those_of_the_published_rows() -> None:
    module = script("draw_findings")
    assert module.PAGE.read_text(encoding="utf-8") == module.draw(), "`make docs` writes findings.md again"


def rows_of_findings() -> dict[str, list[str]]:
    """The figures of each finding, by its number: difference, interval, p and corrected p."""
    rows = re.findall(
        r"^\| (\d+) \|.*?\| \S+ \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|", TEXTS[DOCS / "findings.md"], re.MULTILINE
    )
    return {number: figures for number, *figures in rows}


def test_every_finding_has_its_command() -> None:
    numbers = re.findall(r"^    bench compare .+# (\d+)$", TEXTS[DOCS / "findings.md"], flags=re.MULTILINE)
    assert numbers == list(rows_of_findings())
    assert len(numbers) >= 5


@pytest.mark.parametrize("kind", ["--protocols", "--metric"])
def test_the_command_of_a_finding_prints_its_figures(kind: str) -> None:
    """The first one of each kind: reading all rows takes a while."""
    lines = re.findall(r"^    bench (compare .+?) +# (\d+)$", TEXTS[DOCS / "findings.md"], flags=re.MULTILINE)
    command, number = next(line for line in lines if kind in line[0])
    done = CliRunner().invoke(app, shlex.split(command), env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    printed = re.sub(r"\s{2,}", "  ", done.stdout)
    assert "  ".join(rows_of_findings()[number]) in printed


@pytest.fixture(scope="module")
def published_cells() -> dict[str, list[Cell]]:
    found: dict[str, list[Cell]] = {}
    for cell in group(RecordStore(PUBLISHED)).cells:
        found.setdefault(cell.task.name, []).append(cell)
    return found


def test_a_finding_that_the_tests_do_not_bear_says_so(published_cells: dict[str, list[Cell]]) -> None:
    module = script("draw_findings")
    told, untold = "{better} {worse} {by} {chance}", "nothing can be told of {better}"
    pair = ("whisper-tiny + superb", "mfcc + superb")
    found = module.claimed(module.Claim("urdu", *pair, told, untold), published_cells)
    assert found.text.startswith("nothing can be told of ")
    assert not found.pair.significant
    surely = ("whisper-tiny + superb", "egemaps + superb")
    found = module.claimed(module.Claim("emovo", *surely, told, untold), published_cells)
    assert re.fullmatch(r"\d\d\.\d \d\d\.\d \d\d\.\d 14\.3", found.text)
    with pytest.raises(ValueError, match=r"on emovo whisper-tiny \+ superb is better than egemaps"):
        module.claimed(module.Claim("emovo", *surely[::-1], told, untold), published_cells)
    with pytest.raises(ValueError, match="emovo has no row of nobody"):
        module.claimed(module.Claim("emovo", "nobody", "mfcc + superb", told, untold), published_cells)


def test_arrows_lead_downwards_and_say_all_imports() -> None:
    drawing = script("draw_imports")
    graph = drawing.rooms(ROOT)
    level = drawing.levels(graph)
    assert all(level[name] > level[target] for name, targets in graph.items() for target in targets)
    assert graph["features"] >= {"data", "protocol", "base"}
    assert set(graph) >= {"upstreams", "downstreams", "tasks", "leaderboard", "run", "records"}

    def reached(shown: dict[str, set[str]], name: str) -> set[str]:
        return shown[name].union(*(reached(shown, one) for one in shown[name]))

    fewer = drawing.reduced(graph)
    assert sum(map(len, fewer.values())) < sum(map(len, graph.values()))
    assert all(reached(fewer, name) == reached(graph, name) for name in graph)


def test_a_circle_of_imports_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        script("draw_imports").levels({"a": {"b"}, "b": {"a"}})


def test_every_room_is_in_the_table_of_the_architecture() -> None:
    page = TEXTS[DOCS / "architecture.md"]
    rooms = set(script("draw_imports").rooms(ROOT)) - {"doctor", script("draw_imports").FOUNDATION}
    assert [room for room in sorted(rooms) if f"| [{room}](" not in page] == []


@pytest.mark.parametrize(("title", "number"), [("an utterance", "Sixteen"), ("a score", "Twenty-four")])
def test_the_lives_count_their_modules(title: str, number: str) -> None:
    _, _, rest = TEXTS[DOCS / "architecture.md"].partition(f"## The life of {title}: ")
    section = rest.partition("\n## ")[0]
    modules = [target for target in LINK.findall(section) if target.endswith(".py")]
    assert len(set(modules)) == len(modules) == {"Sixteen": 16, "Twenty-four": 24}[number]
    assert f"{number} modules" in section


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yaml")), ids=named)
def test_forms_and_workflows_are_yaml(path: Path) -> None:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert "name" in values
    if path.parent.name == "ISSUE_TEMPLATE":
        assert values["description"]
        ids = [field["id"] for field in values["body"]]
        assert len(set(ids)) == len(ids) > 0


def test_the_citation_is_of_this_version() -> None:
    values = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert values["version"] == __version__
    assert {"cff-version", "message", "title", "authors", "license"} <= values.keys()
