"""The command line in a real process: what is printed where, exit codes, helpful errors."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import SCRIPT, bench, bench_apart
from typer.main import get_command
from typer.testing import CliRunner

from benchmark.cli import app

COMMANDS = (
    "run",
    "list",
    "show",
    "data",
    "leaderboard",
    "bridge",
    "export",
    "predict",
    "pretrain",
    "compare",
    "plot",
    "publish",
    "submit",
    "check",
    "cache",
    "doctor",
    "analyse",
    "reproduce",
)


@pytest.fixture
def toy(toy_corpus: Path, toy_task: Path, plugin: Path) -> list[object]:
    """Options of `bench run` for the toy task."""
    return ["--task", toy_task, "--data", f"toy={toy_corpus}", "--plugin", plugin]


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom benchmark.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as leave:\n    assert not leave.code\n"
        "heavy = {'torch', 'numpy', 'scipy', 'pydantic', 'transformers', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    seconds = []
    for _ in range(3):  # of the processor, which a busy machine does not change; the best of three
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(seconds) < 0.5


def test_where_nothing_is_computed_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom benchmark.cli import app\n"
        "try:\n    app(sys.argv[1:])\nexcept SystemExit as leave:\n    assert not leave.code\n"
        "heavy = {'torch', 'sklearn', 'scipy.optimize', 'scipy.stats', 'transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    planned = ["run", "--task", "demo", "--upstream", "chance", "--upstream", "mfcc", "--dry-run"]
    planned += [f"--downstream={head}" for head in ("superb", "svm", "linear", "ensemble", "boaw-svm")]
    finished = ["run", "--task", "demo", "--upstream", "chance", "--results", str(tmp_path / "results")]
    bench(*finished)
    for command in (planned, finished):
        subprocess.run([sys.executable, "-c", code, *command], check=True, timeout=120, capture_output=True)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_ends_with_examples_that_the_command_line_understands(command: str) -> None:
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    shown = result.stdout.split("Examples:")[1]
    examples = re.findall(r"bench (.+?)\s*$", shown, flags=re.MULTILINE)
    assert examples
    click_app = get_command(app)
    for example in examples:
        name, *rest = shlex.split(example)
        sub = click_app.commands[name]  # type: ignore[attr-defined]
        sub.make_context(name, rest)  # raises where an option or argument is wrong


def test_every_command_is_documented() -> None:
    assert set(COMMANDS) == set(get_command(app).commands)  # type: ignore[attr-defined]


def test_run_prints_the_score_and_records_it(toy: list[object]) -> None:
    done = bench("run", "--upstream", "spectrum", "--downstream", "nearest", *toy)
    assert re.search(r"toy +spectrum +nearest +UAR 97\.5 ± 0\.0 +\[59\.9, 99\.9\] +8 +0 +0", done.stdout)
    assert "encode toy with spectrum: 40" in done.stderr
    again = json.loads(bench("run", "--upstream", "spectrum", "--downstream", "nearest", *toy, "--json").stdout)
    (cell,) = again["cells"]
    assert (cell["completed"], cell["kept"], cell["score"]["mean"]) == (0, 8, 0.975)


def test_a_dry_run_plans_and_does_nothing(toy: list[object]) -> None:
    done = bench("run", "-u", "spectrum", "-u", "logmel", "-d", "nearest", *toy, "--dry-run", "--json")
    plain, logmel = json.loads(done.stdout)
    assert (plain["utterances"], plain["folds"], plain["seeds"], plain["todo"], plain["to_encode"]) == (40, 4, 2, 8, 40)
    assert (plain["disk_bytes"], logmel["disk_bytes"]) == (None, 40 * 80 * 4)
    assert not Path(os.environ["BENCH_RESULTS"]).exists()


def test_quiet_is_quiet(toy: list[object]) -> None:
    assert bench("run", "--upstream", "spectrum", "--downstream", "nearest", *toy, "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["run", "-u", "wisper-tiny", "-t", "demo"],
            2,
            "unknown upstream 'wisper-tiny' (did you mean 'whisper-tiny'?)",
        ),
        (["run", "-u", "logmel", "-t", "dmeo"], 2, "unknown task 'dmeo' (did you mean 'demo'?)"),
        (["run", "-u", "logmel", "-t", "demo", "-d", "supreb"], 2, "did you mean 'superb'?"),
        (["run", "-u", "logmel", "-t", "urdu"], 3, "the corpus 'urdu' is not here"),
        (
            ["run", "-u", "logmel", "-t", "urdu", "--data", "urdu=/nowhere"],
            3,
            "/nowhere given for 'urdu' does not exist",
        ),
        (["run", "-u", "hf:/nowhere/model", "-t", "demo"], 3, "/nowhere/model"),
        (
            ["run", "-u", "logmel", "-t", "demo", "--data", "dmeo=x"],
            2,
            "--data places 'dmeo', which is not known (did you",
        ),
        (["show", "hf:/nowhere/model"], 3, "/nowhere/model"),
        (["check", "task", "dmeo"], 2, "did you mean 'demo'?"),
        (["show", "nothing-like-it"], 2, "nothing is called 'nothing-like-it'"),
        (["show", "superb", "--audit"], 2, "--audit is for tasks"),
        (["leaderboard", "--results", "/nowhere"], 3, "there are no records in /nowhere"),
        (["compare", "a", "b", "--task", "demo"], 3, "there are no records"),
        (["list", "things"], 2, "things"),
        (["check", "upstream", "logmell"], 2, "did you mean 'logmel'?"),
    ],
)
def test_an_error_is_one_line_with_its_exit_code(
    arguments: list[str], code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCH_DATA", raising=False)
    done = bench(*arguments, code=code)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    if done.stderr.startswith("error:"):  # the parser of the command line has its own form
        assert done.stderr.count("\n") == 1


def test_a_failed_unit_is_exit_code_1(toy: list[object], plugin: Path) -> None:
    plugin.write_text(plugin.read_text().replace("return Selection()", "raise RuntimeError('no')"))
    done = bench("run", "--upstream", "spectrum", "--downstream", "nearest", *toy, code=1)
    assert re.search(r"incomplete +0 +0 +8", done.stdout)
    assert done.stderr.count("RuntimeError: no") == 1


def test_units_that_failed_earlier_are_told_and_never_counted_as_kept(toy: list[object], plugin: Path) -> None:
    plugin.write_text(plugin.read_text().replace("return Selection()", "raise RuntimeError('no')"))
    run = ["run", "--upstream", "spectrum", "--downstream", "nearest", "--quiet", *toy]
    first = bench(*run, code=1)
    assert first.stderr.count("RuntimeError: no") == 1
    again = bench(*run, code=1)
    assert re.search(r"incomplete +0 +0 +8", again.stdout)
    assert again.stderr.count("RuntimeError: no") == 1
    assert "8 units failed earlier (fold anna, seed 0): RuntimeError: no (bench run --rerun failed" in again.stderr
    told = json.loads(bench(*run, "--json", code=1).stdout)["cells"][0]
    assert (told["kept"], len(told["failed"]), len(told["failed_earlier"])) == (0, 0, 8)
    retried = json.loads(bench(*run, "--rerun", "failed", "--json", code=1).stdout)["cells"][0]
    assert (retried["kept"], len(retried["failed"]), len(retried["failed_earlier"])) == (0, 8, 0)


def test_records_that_cannot_be_read_are_named_and_the_other_tasks_go_on(
    toy: list[object], toy_task: Path, tmp_path: Path
) -> None:
    folder, other = tmp_path / "results", toy_task.with_name("other.yaml")
    other.write_text(toy_task.read_text().replace("name: toy", "name: other"))
    run = ["run", "--upstream", "spectrum", "--downstream", "nearest", "--results", folder, *toy, "--task", other]
    corpus = next(str(one) for one in toy if str(one).startswith("toy="))
    bench(*run, "--data", corpus.replace("toy=", "other="))
    broken = sorted((folder / "toy").glob("*.json"))[:2]
    for path in broken:
        path.write_text("{")
    board = bench("leaderboard", "--results", folder, "--out", tmp_path / "board", code=1)
    assert all(str(path) in board.stderr for path in broken)
    assert "2 files or folders of records cannot be read; left out for it: toy" in board.stderr
    assert "other: " in board.stdout
    assert "toy: " not in board.stdout
    again = bench(*run, "--data", corpus.replace("toy=", "other="), code=1)
    assert all(str(path) in again.stderr for path in broken)
    bench(*run, "--data", corpus.replace("toy=", "other="), "--rerun", "failed")
    bench("leaderboard", "--results", folder, "--out", tmp_path / "board")


def test_at_the_end_it_says_where_the_records_are(toy: list[object], tmp_path: Path) -> None:
    folder = tmp_path / "my results"
    run = ["run", "--upstream", "spectrum", "--downstream", "nearest", *toy, "--results", folder]
    told = bench(*run).stderr.splitlines()[-1]
    assert told == f"records: {folder}; bench leaderboard --results '{folder}'"
    assert "none of it is ranked" in bench(*run, "--seed", "99").stderr.splitlines()[-1]


@pytest.mark.parametrize("seed", ["-1", "4294967296", "1e30"])
def test_a_seed_that_no_protocol_could_have_is_refused_before_any_work(toy: list[object], seed: str) -> None:
    assert (
        "seed" in bench("run", "--upstream", "spectrum", "--downstream", "nearest", *toy, "--seed", seed, code=2).stderr
    )


def test_a_folder_that_is_none_is_one_line(toy: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    done = bench("run", "--upstream", "spectrum", "--downstream", "nearest", "--quiet", *toy, code=1)
    assert done.stderr.startswith("error:")
    assert done.stderr.count("\n") == 1


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in bench_apart("--debug", "show", "nothing-like-it", code=1).stderr


def test_lists_are_json_too() -> None:
    for what, name in (("upstreams", "mfcc"), ("downstreams", "svm"), ("tasks", "demo"), ("corpora", "csv")):
        rows = json.loads(bench("list", what, "--json").stdout)
        assert name in {row["name"] for row in rows}
        assert name in bench("list", what).stdout


def test_show_tells_everything_of_a_name() -> None:
    shown = json.loads(bench("show", "demo", "--json").stdout)
    assert set(shown) == {"task", "corpus"}
    assert shown["corpus"]["synthetic"] is True
    assert json.loads(bench("show", "svm", "--json").stdout)["downstream"]["params"]["kernel"] == "linear"
    assert json.loads(bench("show", "logmel", "--json").stdout)["upstream"]["dim"] == 80


def test_show_audits_a_task(toy_corpus: Path, toy_task: Path) -> None:
    done = bench("show", toy_task, "--audit", "--data", f"toy={toy_corpus}")
    assert "audit of" in done.stdout
    assert re.search(r"anna +20 +10 +10 +2/1/1 +0 +20/10/10", done.stdout)


def test_leaderboard_writes_checks_and_notices_a_difference(toy: list[object], tmp_path: Path) -> None:
    bench("run", "--upstream", "spectrum", "--upstream", "logmel", "--downstream", "nearest", *toy)
    done = bench("leaderboard", "--out", tmp_path / "board")
    assert "spectrum" in done.stdout
    assert "written:" in done.stdout
    bench("leaderboard", "--out", tmp_path / "board", "--check")
    assert list(Path(os.environ["BENCH_CACHE"]).glob("boards/*/*")), "what is made of a task is kept"
    path = tmp_path / "board/leaderboard.csv"
    path.write_text(path.read_text().replace("toy", "toz"))
    done = bench("leaderboard", "--out", tmp_path / "board", "--check", code=1)
    assert "leaderboard.csv in" in done.stderr
    assert "-toz," in done.stdout


def unread(*arguments: object) -> None:
    """Run the command line where nobody reads what it prints."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        subprocess.run([SCRIPT, *map(str, arguments)], stdout=nobody, timeout=120, check=False)


def test_published_files_are_there_whoever_stops_reading(toy: list[object], tmp_path: Path) -> None:
    bench("run", "--upstream", "spectrum", "--upstream", "chance", "--downstream", "nearest", *toy)
    unread("publish", "--task", "toy", "--out", tmp_path / "published")
    assert len(list((tmp_path / "published" / "toy").glob("*.json"))) == 2


def test_the_files_of_the_board_are_there_whoever_stops_reading(toy: list[object], tmp_path: Path) -> None:
    bench("run", "--upstream", "spectrum", "--downstream", "nearest", *toy)
    board = tmp_path / "board"
    unread("leaderboard", "--page", "--out", board)
    page = board / "site" / "index.html"
    assert {path.name for path in board.iterdir()} == {"LEADERBOARD.md", "leaderboard.csv", "overview.svg", "site"}
    bench("leaderboard", "--page", "--out", board, "--check")
    page.write_text(page.read_text().replace("spectrum", "spectre"))
    bench("leaderboard", "--out", board, "--check")
    assert "site/index.html in" in bench("leaderboard", "--page", "--out", board, "--check", code=1).stderr
    told = bench("leaderboard", "--since", tmp_path / "results", "--check", code=2).stderr
    assert "--since prints what changed and writes nothing" in told


def test_who_closed_its_output_is_shown_nothing_and_gets_no_error() -> None:
    done = subprocess.run(
        f"{shlex.quote(str(SCRIPT))} list tasks >&-", shell=True, stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_compare_and_publish(toy: list[object], tmp_path: Path) -> None:
    bench("run", "--upstream", "spectrum", "--upstream", "chance", "--downstream", "nearest", *toy)
    (comparison,) = json.loads(bench("compare", "spectrum", "chance+nearest", "--json").stdout)["tasks"]
    (mirrored,) = json.loads(bench("compare", "chance", "spectrum", "--task", "toy", "--json").stdout)["tasks"]
    assert comparison["delta"] == -mirrored["delta"]
    assert (comparison["p"], comparison["mcnemar"]["a_only"]) == (mirrored["p"], mirrored["mcnemar"]["b_only"])
    assert comparison["low"] <= comparison["delta"] <= comparison["high"]
    assert (comparison["family"], comparison["pairs"]) == ("controls", 1)
    assert (comparison["p"] < 0.05) == (not comparison["low"] <= 0 <= comparison["high"])
    shown = bench("compare", "spectrum", "chance", "-t", "toy").stdout
    assert "A: spectrum + nearest" in shown
    assert "McNemar, first seed" in shown
    assert "there is no system 'nobody'" in bench("compare", "nobody", "chance", "-t", "toy", code=2).stderr
    assert "no task has complete results" in bench("compare", "nobody", "chance", code=2).stderr
    assert "compared with itself" in bench("compare", "chance", "chance", code=2).stderr
    assert "two systems are compared, or all with one" in bench("compare", "chance", code=2).stderr
    against = bench("compare", "--baseline", "chance", "-t", "toy").stdout
    assert "toy: against chance + nearest" in against
    assert "spectrum + nearest" in against
    (one,) = json.loads(bench("compare", "--baseline", "spectrum", "--json").stdout)["baseline"]
    assert (one["a"], one["family"]) == ("chance + nearest", "baseline")
    bench("publish", "--task", "toy", "--out", tmp_path / "published")
    assert sorted(path.name for path in (tmp_path / "published/toy").iterdir()) == [
        "chance--nearest.json",
        "spectrum--nearest.json",
    ]
    bench("leaderboard", "--out", tmp_path / "local")
    bench("leaderboard", "--results", tmp_path / "published", "--out", tmp_path / "board")
    for name in ("LEADERBOARD.md", "leaderboard.csv", "overview.svg"):
        assert (tmp_path / "local" / name).read_bytes() == (tmp_path / "board" / name).read_bytes()


def test_the_published_rows_can_be_read_before_the_first_run(tmp_path: Path) -> None:
    done = bench("compare", "whisper-tiny+superb", "egemaps+superb", "--task", "urdu", "--published")
    assert "29 speakers" in done.stdout
    assert "whisper-tiny" in bench("leaderboard", "--published", "--out", tmp_path).stdout


def test_an_incomplete_cell_cannot_be_published(toy: list[object], tmp_path: Path) -> None:
    bench("run", "--upstream", "spectrum", "--downstream", "nearest", "--fold", "anna", *toy)
    done = bench("publish", "--task", "toy", "--out", tmp_path / "published", code=1)
    assert "incomplete on toy: spectrum + nearest (2/8 units)" in done.stderr


def test_the_cache_can_be_measured_verified_and_cleared(toy: list[object]) -> None:
    bench("run", "--upstream", "spectrum", "--downstream", "nearest", *toy)
    assert "features/spectrum-mean-" in bench("cache", "du").stdout
    assert "1 feature file, 0 damaged" in bench("cache", "verify").stdout
    (shard,) = Path(os.environ["BENCH_CACHE"]).rglob("*.safetensors")
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "damaged: features/spectrum" in bench("cache", "verify", code=1).stderr
    bench("cache", "clear")
    assert not list(Path(os.environ["BENCH_CACHE"]).rglob("*.safetensors"))
    assert list(Path(os.environ["BENCH_RESULTS"]).rglob("*.json"))


def test_interrupted_trainings_are_measured_and_cleared_alone(toy: list[object]) -> None:
    bench("run", "--upstream", "spectrum", "--downstream", "nearest", "--fold", "anna", *toy)
    cache = Path(os.environ["BENCH_CACHE"])
    for name, size in (("checkpoints", 5_000_000), ("tuned", 3_000_000)):
        (cache / name).mkdir()
        (cache / name / "unit.safetensors").write_bytes(bytes(size))
    told = bench("cache", "du").stdout
    assert re.search(r"checkpoints +5\.0 MB", told)
    assert re.search(r"tuned +3\.0 MB", told)
    assert "--checkpoints goes with clear, not with du" in bench("cache", "du", "--checkpoints", code=2).stderr
    bench("cache", "clear", "--checkpoints")
    assert not (cache / "checkpoints").exists()
    assert not (cache / "tuned").exists()
    assert list((cache / "features").rglob("*.safetensors"))


def test_doctor_finds_the_machine_well() -> None:
    assert "torch" in bench_apart("doctor").stdout


def test_the_shell_completes() -> None:
    words = {"_BENCH_COMPLETE": "complete_bash", "COMP_WORDS": "bench lead", "COMP_CWORD": "1"}
    done = subprocess.run(
        [SCRIPT], capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **words}
    )
    assert done.stdout.split() == ["leaderboard"]


@pytest.mark.slow
def test_killed_anywhere_and_run_again_the_leaderboard_is_the_same(
    toy: list[object], plugin: Path, tmp_path: Path
) -> None:
    """SIGKILL at many moments: finished work is kept, half-written work is never read, the bytes are the same."""
    slow = plugin.read_text().replace("        type(self).encoded += 1", "        import time; time.sleep(0.02)")
    plugin.write_text(slow.replace("        noise = np", "        import time; time.sleep(0.05); noise = np"))
    options = ["run", "--upstream", "spectrum", "--downstream", "nearest", *toy, "--quiet"]
    bench(*options, "--results", tmp_path / "undisturbed")
    bench("leaderboard", "--results", tmp_path / "undisturbed", "--out", tmp_path / "expected")
    bench("cache", "clear")
    # Every batch becomes a shard of its own, so that there is much to interrupt.
    code = "import benchmark.features.store as store; store.SHARD_BYTES = 1; from benchmark.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, options), "--results", str(tmp_path / "killed")]
    kills = 0
    for delay in (0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
    assert kills
    bench(*options, "--results", tmp_path / "killed")
    bench("leaderboard", "--results", tmp_path / "killed", "--out", tmp_path / "found")
    for name in ("LEADERBOARD.md", "leaderboard.csv", "overview.svg"):
        assert (tmp_path / "found" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()


def test_the_list_of_commands_fits_a_terminal() -> None:
    def cut(command: Any) -> list[str]:
        with command.make_context(command.name, [], resilient_parsing=True) as context:
            context.terminal_width = 80
            listed = command.get_help(context)
        of = [text for part in getattr(command, "commands", {}).values() for text in cut(part)]
        return [line for line in listed.splitlines() if re.search(r"\w\.\.\.$", line)] + of

    assert cut(get_command(app)) == []
