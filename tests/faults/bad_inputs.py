"""What the command line says of bad inputs: a table of what was tried, what is said, and the exit code.

    python tests/faults/bad_inputs.py                     # of this checkout
    python tests/faults/bad_inputs.py --before CHECKOUT   # beside what another checkout says
    python tests/faults/bad_inputs.py --only yaml         # only cases whose name holds the word

Run by hand, some minutes. A case is right where the input is named, in one line on stderr, within seconds; the last
line says how many cases left a traceback or more than one error line.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SUPPORT = Path(__file__).parents[1] / "support"
sys.path.insert(0, str(SUPPORT))

from tiny_models import save_model  # noqa: E402 - the path is said first
from toy import TOY_TASK, write_toy_corpus  # noqa: E402

ROOT = Path(__file__).parents[2]
TIMEOUT = 300  # [s]
SHOWN = 240  # characters of what is said
MAKING = threading.Lock()  # transformers imports what it needs when it is first asked, in one thread at a time
NOWHERE = "/proc/nothere"  # where nobody can make a folder, whoever runs this


@dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes:
        name: What is wrong.
        command: What follows `bench`, run in a folder of its own that holds `toy/` and `toy.yaml`.
        prepare: Makes the input in that folder.
        env: Of the process.
    """

    name: str
    command: str
    prepare: Callable[[Path], object] = lambda folder: None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """What came of a case: its exit code, its last line, how long it took [s], and whether it was no single line."""

    code: int
    text: str
    seconds: float
    broken: bool


def task(**changes: Any) -> Callable[[Path], object]:
    """Write `toy.yaml` with other values; None takes a key out."""
    content = {key: value for key, value in {**TOY_TASK, **changes}.items() if value is not None}
    return lambda folder: (folder / "toy.yaml").write_text(yaml.safe_dump(content))


def text(name: str, content: str | bytes) -> Callable[[Path], object]:
    """Write a file."""

    def write(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def index(change: Callable[[list[str]], list[str]]) -> Callable[[Path], object]:
    """Change the lines of `toy/index.csv`."""

    def write(folder: Path) -> None:
        path = folder / "toy" / "index.csv"
        path.write_text("".join(f"{line}\n" for line in change(path.read_text().splitlines())))

    return write


def both(*steps: Callable[[Path], object]) -> Callable[[Path], object]:
    """One after the other."""
    return lambda folder: [step(folder) for step in steps]


def model(architecture: str = "hubert-base", /, **config: Any) -> Callable[[Path], object]:
    """A small model in `model/` with other values in its config.json."""

    def write(folder: Path) -> None:
        with MAKING:
            save_model(folder / "model", architecture)
        path = folder / "model" / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **config}))

    return write


def bert(folder: Path) -> None:
    """A model of text."""
    text("model/config.json", json.dumps({"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1}))(folder)
    text("model/vocab.txt", "[PAD]\n")(folder)


def spans(*values: str) -> Callable[[Path], object]:
    """Columns start and end, with these values in the first row."""
    given = ",".join(values)
    return index(lambda lines: [f"{lines[0]},start,end", f"{lines[1]},{given}", *(f"{line},," for line in lines[2:])])


def one_speaker(folder: Path) -> None:
    """Everything is spoken by one."""
    index(lambda lines: [lines[0], *(line.replace(f",{line.split(',')[1]},", ",anna,") for line in lines[1:])])(folder)
    expect = {"utterances": None, "speakers": None}
    task(expect=expect)(folder)


RUN = "run -u logmel -t toy.yaml --data toy=toy"
HF = "run -u hf:model -t toy.yaml --data toy=toy"
SHOW = "show toy.yaml --audit --data toy=toy"
DEEP = "[" * 100_000
ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
OFFLINE = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
REGRESSION = {"kind": "regression", "labels": None, "label_map": None, "metrics": ["ccc"]}
LISTED = {"scheme": "listed", "by": "speaker"}

CASES = (
    # names
    Case("a selection of layers misspelt", "run -u logmel@lst -t demo"),
    Case("a precision that does not exist", "run -u logmel@fp8 -t demo"),
    Case("a layer twice", "run -u logmel@0,0 -t demo"),
    Case("a layer that is not there", "run -u logmel@7 -t demo"),
    Case("layers backwards", "run -u logmel@3-1 -t demo"),
    Case("a prefix alone, shown", "show hf:"),
    Case("a prefix alone, run", "run -u hf: -t demo"),
    Case("a prefix in capitals", "show HF:model"),
    Case("an upstream with itself", "run -u logmel+logmel -t demo"),
    Case("an empty name", "run -u '' -t demo"),
    Case("a recipe file that is not there", "run -u logmel -t demo -d my.yaml"),
    Case("a recipe that is a protocol", "run -u logmel -t demo -d toy.yaml"),
    Case(
        "a protocol that is a recipe",
        "run -u logmel -t r.yaml",
        text("r.yaml", "name: r\nsummary: s\ndownstream: svm\n"),
    ),
    Case("a file that is not there, shown", "show nothere.yaml"),
    Case(
        "a folder, shown as a protocol",
        "show toy.yaml",
        lambda f: ((f / "toy.yaml").unlink(), (f / "toy.yaml").mkdir()),
    ),
    Case("a file that is not there, submitted", "submit --check nothere.json"),
    Case("a folder, submitted", "submit --check toy"),
    Case("records that are not there", "leaderboard --results nothere"),
    Case("an unknown fold", f"{RUN} --fold nobody"),
    Case("a plug-in that is not there", "list tasks --plugin nothere.py"),
    Case("a plug-in that is no Python", "list tasks --plugin p.py", text("p.py", "def (:\n")),
    Case(
        "a broken recipe beside a plug-in",
        "list downstreams --plugin p.py",
        both(
            text(
                "p.py",
                "from benchmark import Corpus\nclass C(Corpus):\n    name = 'c'\n    def scan(self, root): return []\n",
            ),
            text("recipes/bad.yaml", "name: [\n"),
        ),
    ),
    # protocols
    Case("yaml: a class twice", SHOW, task(labels=["high", "low", "low"])),
    Case("yaml: a dimension twice", SHOW, task(**REGRESSION, dimensions=["a", "a"])),
    Case("yaml: a metric twice", SHOW, task(metrics=["uar", "uar"])),
    Case("yaml: a seed twice", SHOW, task(seeds=[1, 1])),
    Case(
        "yaml: a speaker twice in a fold",
        SHOW,
        task(folds={**LISTED, "folds": [{"name": "a", "test": ["anna", "anna"]}]}),
    ),
    Case("yaml: a fold twice", SHOW, task(folds={**LISTED, "folds": [{"name": "a", "test": ["anna"]}] * 2})),
    Case("yaml: a value of a filter twice", SHOW, task(filter={"gender": ["female", "female"]})),
    Case(
        "yaml: an auxiliary class twice",
        SHOW,
        task(
            **REGRESSION,
            dimensions=["a"],
            auxiliary={"labels": ["high", "low", "low"], "label_map": TOY_TASK["label_map"]},
        ),
    ),
    Case("yaml: one speaker by two names twice", SHOW, task(same_speaker=[["anna", "bert"], ["bert", "cleo"]])),
    Case("yaml: an empty list of classes", SHOW, task(labels=[])),
    Case("yaml: one class", SHOW, task(labels=["high"], label_map={"high": "high", "low": None})),
    Case("yaml: a filter that leaves nothing", SHOW, task(filter={"gender": ["robot"]})),
    Case("yaml: an empty filter", SHOW, task(filter={"gender": []})),
    Case("yaml: its own counts are not met", SHOW, task(expect={"utterances": 41, "speakers": 4})),
    Case(
        "yaml: counts that contradict each other",
        SHOW,
        task(expect={"utterances": 40, "speakers": 4, "per_class": {"high": 1, "low": 2}}),
    ),
    Case(
        "yaml: a count of an unknown class",
        SHOW,
        task(expect={"utterances": 40, "speakers": 4, "per_class": {"hihg": 20}}),
    ),
    Case("yaml: nested deeply", SHOW, text("toy.yaml", f"name: {DEEP}")),
    Case(
        "yaml: aliases of aliases",
        SHOW,
        text(
            "toy.yaml",
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9))
            + "name: toy\n",
        ),
    ),
    Case("yaml: an alias of itself", SHOW, text("toy.yaml", "name: &a [*a]\n")),
    Case("yaml: a huge number", SHOW, text("toy.yaml", f"name: toy\nversion: {'9' * 10_000}\n")),
    Case("yaml: empty", SHOW, text("toy.yaml", "")),
    Case("yaml: binary", SHOW, text("toy.yaml", bytes(range(256)))),
    Case(
        "yaml: folds that are too many",
        SHOW,
        task(folds={"scheme": "random-k-fold", "k": 10**12}, speaker_independent=False),
    ),
    # corpora
    Case("csv: no byte", SHOW, text("toy/index.csv", "")),
    Case("csv: a header alone", SHOW, index(lambda lines: lines[:1])),
    Case("csv: no header", SHOW, index(lambda lines: lines[1:])),
    Case("csv: an empty file name", SHOW, index(lambda lines: [*lines, ",anna,high,female"])),
    Case("csv: start after end", SHOW, spans("0.4", "0.1")),
    Case("csv: start is end", SHOW, spans("0.1", "0.1")),
    Case("csv: start after the end of the file", SHOW, spans("90", "91")),
    Case("csv: start is no number", SHOW, spans("nan", "1")),
    Case(
        "csv: a field of 200 000 characters", SHOW, index(lambda lines: [*lines, f"{'x' * 200_000},anna,high,female"])
    ),
    Case("csv: zero bytes within", SHOW, text("toy/index.csv", b"file,speaker,label\n\x00\x00,anna,high\n")),
    Case("one speaker, left out", SHOW, one_speaker),
    Case("one speaker, run", RUN, one_speaker),
    Case("a folder that is no corpus", "run -u logmel -t urdu --data urdu=toy"),
    Case("a file as a corpus", "run -u logmel -t urdu --data urdu=toy.yaml"),
    # places
    Case("results that cannot be written", f"{RUN} --results {NOWHERE}"),
    Case("results that are a file", f"{RUN} --results toy.yaml"),
    Case("results below a file", f"{RUN} --results toy.yaml/results"),
    Case("a cache that is a file", RUN, text("file", ""), {"BENCH_CACHE": "file"}),
    Case("a cache that cannot be written", RUN, env={"BENCH_CACHE": NOWHERE}),
    Case("a board that cannot be written", f"leaderboard --published --out {NOWHERE}"),
    # weights
    Case("hf: a model of text", HF, bert),
    Case("hf: an empty folder", HF, lambda folder: (folder / "model").mkdir()),
    Case("hf: a model of the Hub, without a net", "run -u hf:some/model -t toy.yaml --data toy=toy", env=OFFLINE),
    Case("hf: a named checkpoint, without a net", "run -u hubert-base -t toy.yaml --data toy=toy", env=OFFLINE),
    Case("hf: no strides", HF, model(conv_stride=[], conv_kernel=[])),
    Case("hf: strides of zero", HF, model(conv_stride=[0] * 7)),
    Case("hf: strides that are words", HF, model(conv_stride=["a"] * 7)),
    Case("hf: kernels larger than memory", HF, model(conv_kernel=[10**9] * 7)),
    Case("hf: no heads", HF, model(num_attention_heads=0)),
    Case("hf: a hidden size larger than memory", HF, model(hidden_size=10**9)),
    Case("hf: more layers than there are", HF, model(num_hidden_layers=10**7)),
    Case("hf: layers that are true", HF, model(num_hidden_layers=True)),
    Case(
        "hf: layers that are infinite",
        HF,
        both(
            model(),
            lambda f: (f / "model" / "config.json").write_text(
                (f / "model" / "config.json")
                .read_text()
                .replace('"num_hidden_layers": 3', '"num_hidden_layers": Infinity')
            ),
        ),
    ),
    Case("hf: a groups of convolution of zero", HF, model(num_conv_pos_embedding_groups=0)),
    Case("hf: an activation that does not exist", HF, model(hidden_act="nothing")),
    Case("hf: config nested deeply", HF, both(model(), text("model/config.json", f'{{"model_type": {DEEP}'))),
    Case("hf: config is a list", HF, both(model(), text("model/config.json", "[]"))),
    Case(
        "hf: config of a number of 10 000 digits",
        HF,
        both(model(), text("model/config.json", f'{{"model_type": {"9" * 10_000}}}')),
    ),
    Case("hf: a rate of zero", HF, both(model(), text("model/preprocessor_config.json", '{"sampling_rate": 0}'))),
    Case("hf: weights that are none", HF, both(model(), text("model/model.safetensors", b"\xff" * 64))),
    Case("hf: whisper without positions", HF, model("whisper", max_source_positions=10**9)),
    Case("hf: whisper of no layers", HF, model("whisper", encoder_layers=0)),
    Case("hf: moonshine of no heads", HF, model("moonshine", encoder_num_attention_heads=0)),
    Case(
        "hf: index of weights nested deeply",
        HF,
        both(
            model(),
            lambda f: (f / "model" / "model.safetensors").unlink(),
            text("model/model.safetensors.index.json", f'{{"weight_map": {DEEP}'),
        ),
    ),
    # terminals
    Case("a terminal of ASCII, tables", "list corpora", env=ASCII),
    Case("a terminal of ASCII, the board", "leaderboard --published --out board", env=ASCII),
    Case("a terminal of ASCII, an error", "show naïve", env=ASCII),
    Case("a terminal of ASCII, JSON", "list corpora --json", env=ASCII),
    # settings and records
    Case("settings: nested deeply", "doctor", text("c.yaml", f"data: {DEEP}"), {"BENCH_CONFIG": "c.yaml"}),
    Case("settings: that are not there", "doctor", env={"BENCH_CONFIG": "nothere.yaml"}),
    Case("records: nested deeply", "leaderboard --results r", text("r/demo/a.json", DEEP)),
    Case("records: empty", "leaderboard --results r", text("r/demo/a.json", "")),
)


def said(case: Case, checkout: Path) -> Said:
    """Run a case with the code of a checkout, in a new folder."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top)
        write_toy_corpus(folder / "toy")
        task()(folder)
        case.prepare(folder)
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("BENCH_", "HF_"))},
            "PYTHONPATH": str(checkout),
            "OMP_NUM_THREADS": "1",
            "BENCH_CACHE": str(folder / "cache"),
            "BENCH_RESULTS": str(folder / "records"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "HF_HOME": str(folder / "hub"),
            "COLUMNS": "1000",
            **case.env,
        }
        command = [sys.executable, "-c", "from benchmark.cli import main; main()", *shlex.split(case.command)]
        started = time.perf_counter()
        try:
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=TIMEOUT, check=False)
            code, output = done.returncode, done.stderr.decode(errors="replace")
        except subprocess.TimeoutExpired:
            code, output = -1, f"nothing in {TIMEOUT} s"
        seconds = time.perf_counter() - started
        lines = [line for line in output.replace(top, "").splitlines() if line.strip()]
        errors = [line for line in lines if not line.startswith(("listen to", "encode ", "fit ", "note:", "records:"))]
        is_broken = (
            code not in (0, 1, 2, 3) or "Traceback" in output or len(errors) > 1 + output.count("cannot be read")
        )
        return Said(code, errors[-1] if errors else "(nothing)", seconds, is_broken)


def lines(results: Iterable[tuple[Case, list[Said]]], checkouts: int) -> Iterable[str]:
    """The table in Markdown."""
    heads = ["before", "now"][-checkouts:]
    yield f"| input | {' | '.join(heads)} |"
    yield f"|---|{'---|' * checkouts}"
    for case, found in results:
        cells = [
            f"{one.code}{f', {one.seconds:.0f} s' if one.seconds > 20 else ''}: {_cell(one.text)}"
            f"{' (not one line)' if one.broken else ''}"
            for one in found
        ]
        yield f"| {case.name} | {' | '.join(cells)} |"


def _cell(said: str) -> str:
    return (said if len(said) <= SHOWN else said[:SHOWN] + " ...").replace("|", r"\|")


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="another checkout of the project, whose words stand beside")
    parser.add_argument("--only", default="", help="a word that the names of the cases hold")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    checkouts = [*([given.before.resolve()] if given.before else []), ROOT]
    cases = [case for case in CASES if given.only in case.name]
    broken = 0

    def counted(results: Iterable[tuple[Case, list[Said]]]) -> Iterable[tuple[Case, list[Said]]]:
        nonlocal broken
        for case, found in results:
            broken += found[-1].broken
            yield case, found

    with ThreadPoolExecutor(given.jobs) as pool:
        found = pool.map(lambda case: [said(case, checkout) for checkout in checkouts], cases)
        for line in lines(counted(zip(cases, found, strict=True)), len(checkouts)):
            print(line, flush=True)  # noqa: T201 - as each case ends
    print(f"\n{len(cases)} cases, {broken} without one line of error")  # noqa: T201


if __name__ == "__main__":
    main()
