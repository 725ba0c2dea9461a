"""Tests mirror the packages: what tests a module stands where the module stands, under its name."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TESTS = sorted(path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
# What cuts across modules, and what it cuts across. A name here is of a test that exists and has no module.
ACROSS = {
    "benchmark/audit/test_audit.py": "the audit of a whole task, from measures to findings and report",
    "benchmark/cli/test_commands.py": "every command in a process: standard output, exit codes, errors",
    "benchmark/protocol/test_partial.py": "a part of a corpus, from the protocol to the leaderboard",
    "benchmark/protocol/test_two_corpora.py": "a source and a target, from the protocol to the run",
    "benchmark/records/test_records.py": "the format: schema, upgrades, packing, store and verification of one file",
    "benchmark/submissions/test_fuzz.py": "any bytes at all, against reading and the whole check",
    "downstreams/heads/test_superb_exactness.py": "the ways of training that must give the same head",
    "downstreams/training/test_concurrency.py": "heads of all kinds that are fitted at once",
    "leaderboard/test_page_in_browser.py": "the page's script, style and policy in a browser",
    "leaderboard/test_reference_rows.py": "the published rows beside what papers report",
    "simulations/test_simulations.py": "how often the statistics err",
    "tasks/test_bridges.py": "tasks that run the protocols of other benchmarks",
    "tasks/test_every_corpus.py": "one contract over all scanners",
    "tasks/test_every_task.py": "one contract over all protocols",
    "test_cases.py": "faults as they were reported, each made anew by its own script",
    "test_golden.py": "numbers under declared versions, of every part",
    "test_imports.py": "who may import whom",
    "test_mirror.py": "where tests stand",
    "test_newcomers.py": "what is added with one file",
    "test_pages.py": "README and docs: links, commands, files, pictures",
    "test_same_row_elsewhere.py": "rows under two instruction sets of the processor",
    "test_real_speech.py": "known scores on real recordings",
    "test_speed_arithmetic.py": "the scripts of tests/speed",
    "test_speed_own_code.py": "the script that says what code of our own earns",
    "test_words.py": "what the classes of the hub are called",
    "upstreams/pretrained/test_encoding_modes.py": "precision and batches, of every architecture",
    "upstreams/s3prl/test_installed.py": "the upstream where s3prl itself is installed",
    "upstreams/test_checkpoint_rows.py": "the rows of upstreams/checkpoints.yaml in list, show and the registry",
}


def places(test: str) -> list[Path]:
    """What may stand where the test stands: a module, a package, a folder of recipes, a protocol."""
    folder, name = (ROOT / test).parent, Path(test).stem.removeprefix("test_")
    return [folder / f"{name}.py", folder / name, folder / f"{name.replace('_', '-')}.yaml"]


def stands(test: str) -> bool:
    return any(place.exists() for place in places(test))


@pytest.mark.parametrize("test", [test for test in TESTS if test not in ACROSS])
def test_it_stands_where_its_module_stands(test: str) -> None:
    assert stands(test), f"tests/{test} has no module, and no reason in ACROSS"


def test_only_what_cuts_across_is_excepted() -> None:
    assert [test for test in ACROSS if test not in TESTS] == []
    assert [test for test in ACROSS if stands(test)] == []


def test_a_test_without_its_module_is_seen() -> None:
    assert not stands("benchmark/test_nothing.py")
    assert not stands("benchmark/test_loop.py")
    assert stands("benchmark/run/test_loop.py")
    assert stands("tasks/test_msp_podcast.py")
