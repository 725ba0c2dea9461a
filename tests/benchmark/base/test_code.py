"""What changes an identity and what does not, held on a copy of this project's own code that is edited."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark.base import Downstream, HeadParams, code
from benchmark.base.code import code_sha256
from benchmark.base.code.modules import READ
from benchmark.errors import UsageError
from benchmark.types import Selection

ROOT = Path(__file__).parents[3]
PACKAGES = ("benchmark", "upstreams", "downstreams")
PLACES = {
    "superb": ("downstreams.heads.superb", "Superb"),
    "turn-gru": ("downstreams.heads.turn_gru", "TurnGRU"),
    "svm": ("downstreams.heads.svm", "SVM"),
    "logmel": ("upstreams.handcrafted.spectral", "LogMel"),
    "mfcc": ("upstreams.handcrafted.spectral", "MFCC"),
    "mfb-f0": ("upstreams.handcrafted.prosody", "MelPitch"),
    "egemaps": ("upstreams.handcrafted.opensmile", "EGeMAPS"),
    "hf": ("upstreams.pretrained.huggingface", "HuggingFace"),
    "layers": ("benchmark.base.combined", "LayersOf"),
    "hearing": ("benchmark.features.encoding", "read_wave"),
    "mean": ("benchmark.features.pooling", "_mean"),
    "fitting": ("benchmark.run.fitting", "fit_and_score"),
    "features": ("benchmark.features.views", "open_view"),
    "targets": ("benchmark.protocol.targets", "targets_of"),
    "dataset": ("benchmark.protocol.dataset", "Dataset"),
}
TRAINED = {"superb", "turn-gru"}
HEADS = {*TRAINED, "svm"}
# Answers each line of places with the digest of each, of the copy as it is then; nothing is imported but what it needs.
SERVER = """
import ast, functools, importlib, json, linecache, sys
from benchmark.base import code
from benchmark.base.code.modules import READ
from benchmark.base.code.sources import PACKAGES
ast.parse = functools.cache(ast.parse)  # an edit leaves most files as they are
own = set(sys.modules)
for line in sys.stdin:
    for name in set(sys.modules) - own:
        if name.partition(".")[0] in PACKAGES:
            del sys.modules[name]
    READ.clear()
    importlib.invalidate_caches()
    linecache.clearcache()
    places = json.loads(line)
    print(json.dumps({name: code.code_at(tuple(place)) for name, place in places.items()}), flush=True)
"""

Edit = Callable[[Path], object]


class Copy:
    """A copy of this project's code that can be edited, and a process that tells its digests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.restore()
        command = [sys.executable, "-B", "-c", SERVER]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        self.process = subprocess.Popen(
            command, env=environment, cwd=root, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.before = self.digests(PLACES)

    def restore(self) -> None:
        for package in PACKAGES:
            shutil.rmtree(self.root / package, ignore_errors=True)
            ignored = shutil.ignore_patterns("__pycache__", "*.json")
            shutil.copytree(ROOT / package, self.root / package, ignore=ignored)

    def digests(self, places: dict[str, tuple[str, str]]) -> dict[str, str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(places) + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))


@pytest.fixture(scope="module")
def shared_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    made = Copy(tmp_path_factory.mktemp("copy"))
    yield made
    made.process.communicate()


@pytest.fixture
def copy(shared_copy: Copy) -> Iterator[Copy]:
    yield shared_copy
    shared_copy.restore()


def replaced(file: str, old: str, new: str) -> Edit:
    def edit(root: Path) -> None:
        path = root / file
        content = path.read_text()
        assert old in content, f"{file} no longer holds {old!r}: this test says nothing then"
        path.write_text(content.replace(old, new, 1))

    return edit


def everywhere(change: Callable[[str], str]) -> Edit:
    def edit(root: Path) -> None:
        for package in PACKAGES:
            for path in (root / package).rglob("*.py"):
                path.write_text(change(path.read_text()))

    return edit


def unparsed(source: str) -> str:
    """Other formatting, and no comment is left."""
    return ast.unparse(ast.parse(source))


def with_other_words(source: str) -> str:
    """Every docstring reworded, every comment followed by another."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0] = ast.Expr(ast.Constant("Other words."))
    return f"# another comment\n{ast.unparse(tree)}\n# and another\n"


def without_annotations(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(tree)


def with_other_errors(source: str) -> str:
    return re.sub(r"raise (\w+Error)\(f?\"", r'raise \1("changed: ', source)


def moved(old: str, new: str) -> Edit:
    """A module (or a room with all that is in it) under another name."""

    def edit(root: Path) -> None:
        source, target = (root / name.replace(".", "/") for name in (old, new))
        if source.is_dir():
            source.rename(target)
        else:
            source.with_suffix(".py").rename(target.with_suffix(".py"))
        parent, _, name = old.rpartition(".")
        for package in PACKAGES:
            for path in (root / package).rglob("*.py"):
                content = re.sub(rf"\b{re.escape(old)}\b", new, path.read_text())
                content = re.sub(
                    rf"(from {re.escape(parent)} import .*)\b{name}\b",
                    rf"\1{new.rpartition('.')[2]} as {name}",
                    content,
                )
                path.write_text(content)

    return edit


def added(file: str, content: str) -> Edit:
    return lambda root: (root / file).write_text(content)


def appended(file: str, content: str) -> Edit:
    return lambda root: (root / file).write_text((root / file).read_text() + content)


HEAD = '''
from benchmark.base import Downstream

class Another(Downstream):
    """Another head."""
    name = "another"
'''
WITHOUT_EFFECT = {
    "formatting": everywhere(unparsed),
    "comments and docstrings": everywhere(with_other_words),
    "annotations of functions": everywhere(without_annotations),
    "texts of errors": everywhere(with_other_errors),
    "a module moved": moved("downstreams.training.losses", "downstreams.training.loss_functions"),
    "a module moved into another room": moved("downstreams.normalisation", "downstreams.training.standardising"),
    "a module that is imported as a whole": moved("downstreams.training.gradients", "downstreams.training.derivatives"),
    "a hub module renamed": moved("benchmark.metrics", "benchmark.formulas"),
    "a room renamed": moved("upstreams.handcrafted", "upstreams.designed"),
    "a head beside others": added("downstreams/heads/another.py", HEAD),
    "an upstream beside others": added("upstreams/handcrafted/another.py", HEAD.replace("Downstream", "Upstream")),
    "a function beside others": appended("downstreams/training/losses.py", "\n\ndef focal(x):\n    return x**2\n"),
    "a class beside others": appended("upstreams/handcrafted/spectral.py", HEAD.replace("Downstream", "Upstream")),
    "a checkpoint beside others": appended("upstreams/checkpoints.yaml", "\n# a row\n"),
    "an attribute of all upstreams": replaced(
        "benchmark/base/upstream.py",
        '    device: str = "cpu"\n',
        '    device: str = "cpu"\n    trainable: bool = False\n',
    ),
    "a field of all examples": replaced(
        "benchmark/types.py",
        "    auxiliary_outputs: tuple[str, ...] = ()\n",
        "    auxiliary_outputs: tuple[str, ...] = ()\n    waves: object = None\n",
    ),
    "a raised version": replaced("downstreams/heads/superb.py", "    version = 2\n", "    version = 3\n"),
    "what is known of its weights": replaced(
        "upstreams/handcrafted/spectral.py", "    version = 1\n", '    version = 1\n    trained_on = ("meld",)\n'
    ),
    "another pooling": appended("benchmark/features/pooling.py", "\n\ndef _maximum(features):\n    return features\n"),
}


@pytest.mark.parametrize("edit", WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT)
def test_what_changes_no_number_changes_no_digest(edit: Edit, copy: Copy) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in copy.root.rglob("*") if path.is_file()}

    untouched = content()
    edit(copy.root)
    assert content() != untouched
    places = {
        name: (module, thing)
        for name, (module, thing) in PLACES.items()
        if (copy.root / module.replace(".", "/")).with_suffix(".py").is_file()
    }
    places |= {
        name: (module.replace("handcrafted", "designed"), thing)
        for name, (module, thing) in PLACES.items()
        if name not in places
    }
    assert copy.digests(places) == copy.before


WITH_EFFECT: dict[str, tuple[Edit, set[str]]] = {
    "a constant of the optimiser": (
        replaced("downstreams/training/adam.py", "BETAS = (0.9, ", "BETAS = (0.8, "),
        TRAINED,
    ),
    "a constant of a loss": (
        replaced("downstreams/training/losses.py", "CCC_EPSILON = ", "CCC_EPSILON = 2 * "),
        TRAINED,
    ),
    "a statement of the normalisation": (
        replaced(
            "downstreams/normalisation.py", "def mean_and_scale(", "def unused():\n    pass\n\n\ndef mean_and_scale("
        ),
        set(),
    ),
    "a constant of the normalisation": (
        replaced(
            "downstreams/normalisation.py",
            "RELATIVE_DEVIATION_OF_A_CONSTANT = ",
            "RELATIVE_DEVIATION_OF_A_CONSTANT = 2 * ",
        ),
        HEADS,
    ),
    "a constant of the spectrum": (
        replaced("upstreams/handcrafted/spectral.py", "FLOOR = ", "FLOOR = 2 * "),
        {"logmel", "mfcc", "mfb-f0"},
    ),
    "the largest sample that openSMILE is given": (
        replaced("upstreams/handcrafted/opensmile.py", "HIGHEST = ", "HIGHEST = 0.5 * "),
        {"egemaps", "mfb-f0"},
    ),
    "the length of a forward pass": (
        replaced("upstreams/pretrained/huggingface.py", "PASS_SECONDS = 60.0", "PASS_SECONDS = 30.0"),
        {"hf"},
    ),
    "what counts as silence": (
        replaced("benchmark/data/sound.py", "SILENCE_PEAK = ", "SILENCE_PEAK = 2 * "),
        {"hearing"},
    ),
    "the mean over time": (
        replaced("benchmark/types.py", "self.layers.mean(axis=1, dtype=np.float64)", "self.layers.mean(axis=1)"),
        {"mean"},
    ),
    "what feeds a head": (
        replaced("benchmark/run/fitting.py", "scores_of(head, unlabelled(test))", "scores_of(head, test)"),
        {"fitting"},
    ),
    "a default": (
        replaced(
            "benchmark/base/upstream.py",
            "[self.encode(wave) for wave in waves]",
            "[self.encode(2 * wave) for wave in waves]",
        ),
        {"logmel", "mfcc", "mfb-f0", "egemaps"},
    ),
}


@pytest.mark.parametrize(("edit", "of"), WITH_EFFECT.values(), ids=WITH_EFFECT)
def test_what_can_change_a_number_changes_the_digests_of_all_that_reach_it(
    edit: Edit, of: set[str], copy: Copy
) -> None:
    edit(copy.root)
    after = copy.digests(PLACES)
    changed = {name for name in PLACES if after[name] != copy.before[name]}
    assert of <= changed
    if of:
        assert changed - of <= {"layers", "fitting", "hf", "features", "dataset", "targets"}  # those may reach it too
    else:
        assert not changed


EVERY_CONSTANT = """
import ast, json, random, sys
from pathlib import Path
from benchmark.base.code.modules import module_of
from benchmark.base.code.reach import SHARED, Reach
from benchmark.base.code.sources import PACKAGES
from benchmark.base.code.writer import without_facts
place = tuple(sys.argv[1:3])
reach = Reach(frozenset([place[0].partition(".")[0]]))
reach.add(*place)
whole = sorted(reach.digests())
numbers = []
for module, name in list(reach._found):
    found = module_of(module)
    if found is None or module in SHARED or not found.name.partition(".")[0] in PACKAGES:
        continue
    for statement in found.definitions.get(name, ()):
        in_errors = {id(one) for node in ast.walk(statement) if isinstance(node, ast.Raise) for one in ast.walk(node)}
        if isinstance(statement, ast.ClassDef):
            statement = without_facts(statement)
        for node in ast.walk(statement):
            is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float, bool)
            if is_number and id(node) not in in_errors:
                numbers.append((module, name, node))
unnoticed = []
for module, name, node in numbers:
    value, node.value = node.value, 2 * node.value + 1
    module_of(module).told.clear()
    again = Reach(frozenset([place[0].partition(".")[0]]))
    again.add(*place)
    if sorted(again.digests()) == whole:
        unnoticed.append([module, name, node.lineno, value])
    node.value = value
    module_of(module).told.clear()
print(json.dumps([len(numbers), unnoticed]))
"""


@pytest.mark.parametrize("name", ["superb", "mfcc", "mean"])
def test_no_number_in_what_a_class_reaches_goes_unnoticed(name: str) -> None:
    command = [sys.executable, "-c", EVERY_CONSTANT, *PLACES[name]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    number, unnoticed = json.loads(done.stdout)
    annotations = [one for one in unnoticed if one[3] is not None]
    assert number >= {"superb": 100, "mfcc": 20, "mean": 0}[name]
    assert annotations == []


# -- plug-ins: what a file says is followed, and what lies beside it --------------------------------------------------

PLUGIN = '''
from benchmark import Downstream, Selection
from helping import strength

class Mine(Downstream):
    """Mine."""

    name = "mine"

    def fit(self, train, dev, *, seed):
        return Selection()

    def predict(self, examples):
        return strength() * examples.x
'''


def plugged(folder: Path, plugin: str = PLUGIN, helping: str = "def strength():\n    return 2\n") -> str:
    folder.mkdir(exist_ok=True)
    (folder / "helping.py").write_text(helping)
    (folder / "mine.py").write_text(plugin)
    code = (
        "import sys; from benchmark.registry.registry import Registry; from benchmark.base.identity import version_of; "
        f"print(version_of(Registry([{str(folder / 'mine.py')!r}]).downstream('mine')))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_plugin_is_guarded_by_its_code_and_by_what_lies_beside_it(tmp_path: Path) -> None:
    version = plugged(tmp_path / "a")
    assert version.startswith("code-")
    assert plugged(tmp_path / "elsewhere", f"# a comment\n{PLUGIN}") == version
    assert plugged(tmp_path / "b", PLUGIN.replace("strength() *", "2 * strength() *")) != version
    assert plugged(tmp_path / "c", helping="def strength():\n    return 3\n") != version
    assert (
        plugged(tmp_path / "d", helping="# a comment\ndef strength():\n    return 2\n\ndef other(): pass\n") == version
    )


def test_what_has_no_source_says_so() -> None:
    made = type("Made", (Downstream,), {"name": "made", "fit": None, "predict": None, "__module__": "nowhere"})
    with pytest.raises(UsageError, match="Made has no source"):
        code_sha256(made)


def test_a_class_inside_a_function_has_the_code_of_the_function() -> None:
    def make(strength: int) -> type[Downstream]:
        class Inner(Downstream):
            name = "inner"
            Params = HeadParams

            def fit(self, train, dev, *, seed):
                return Selection()

            def predict(self, examples):
                return strength * examples.x

        return Inner

    assert len(code_sha256(make(1))) == 64


def test_code_of_this_project_is_written_once_and_told_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked first, and whatever else was asked for before."""
    alone = {}
    for name, place in PLACES.items():
        READ.clear()
        alone[name] = code.code_at(place)
    READ.clear()
    assert {name: code.code_at(place) for name, place in reversed(PLACES.items())} == alone
    monkeypatch.setattr("benchmark.base.code.reach.Writer", None)  # nothing is left to be written
    assert {name: code.code_at(place) for name, place in PLACES.items()} == alone


def test_what_a_digest_is_of_is_not_imported() -> None:
    """Nor are packages that it only names, as `torch.nn.Module`: to plan a run takes no torch."""
    places = [tuple(place) for place in PLACES.values()]
    told = f"import sys; from benchmark.base.code import code_at; code_at(*{places!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=ROOT)
    imported = done.stdout.split()
    assert "benchmark.base.code" in imported
    assert not {"torch", "transformers", "sklearn", "scipy", "downstreams.heads.superb"} & set(imported)


def test_the_order_of_what_is_asked_for_does_not_matter() -> None:
    places = list(PLACES.values())
    random.Random(0).shuffle(places)
    from benchmark.base.code import code_at

    assert code_at(*places) == code_at(*PLACES.values())


# -- what Python allows a file to say: each of these edits changes a number ---------------------------------------------

EDITS: dict[str, tuple[dict[str, str], str, str, str]] = {
    "a module imported from beside": (
        {
            "pkg/__init__.py": "",
            "pkg/head.py": "from . import helper\n\n\nclass Head:\n    def fit(self, x):\n        return helper.f(x)\n",
            "pkg/helper.py": "def f(x):\n    return 2 * x\n",
        },
        "pkg/helper.py",
        "2 *",
        "3 *",
    ),
    "a relative import in a package": (
        {
            "pkg/__init__.py": "from .helper import f\n\n\nclass Head:\n    def fit(self, x):\n        return f(x)\n",
            "pkg/helper.py": "def f(x):\n    return 2 * x\n",
        },
        "pkg/helper.py",
        "2 *",
        "3 *",
    ),
    "where a foreign name comes from": (
        {"head.py": "from numpy import std\n\n\nclass Head:\n    def fit(self, x):\n        return std(x)\n"},
        "head.py",
        "from numpy",
        "from torch",
    ),
    "an import in a branch": (
        {
            "head.py": "try:\n    from helper import f\nexcept ImportError:\n    f = None\n\n\nclass Head:\n    fit = f\n",
            "helper.py": "def f(x):\n    return 2 * x\n",
        },
        "helper.py",
        "2 *",
        "3 *",
    ),
    "the first of two imports": (
        {
            "head.py": "if True:\n    from one import f\nelse:\n    from two import f\n\n\nclass Head:\n    fit = f\n",
            "one.py": "def f(x):\n    return 2 * x\n",
            "two.py": "def f(x):\n    return x\n",
        },
        "one.py",
        "2 *",
        "3 *",
    ),
    "everything imported": (
        {
            "head.py": "from helper import *\n\n\nclass Head:\n    def fit(self, x):\n        return f(x)\n",
            "helper.py": "def f(x):\n    return 2 * x\n",
        },
        "helper.py",
        "2 *",
        "3 *",
    ),
    "a table that a loop fills": (
        {
            "head.py": "T = {}\nfor k in 'ab':\n    T[k] = 2.0\n\n\nclass Head:\n    def fit(self, x):\n        return T\n"
        },
        "head.py",
        "= 2.0",
        "= 3.0",
    ),
    "a table that a comprehension fills": (
        {
            "head.py": "T = {}\nT.update({k: 2.0 for k in 'ab'})\n\n\nclass Head:\n    def fit(self, x):\n        return T\n"
        },
        "head.py",
        ": 2.0",
        ": 3.0",
    ),
    "a function that a decorator takes note of": (
        {
            "head.py": "T = []\n\n\ndef reg(f):\n    T.append(f)\n    return f\n\n\n@reg\ndef a(x):\n    return 2 * x\n\n\n"
            "class Head:\n    def fit(self, x):\n        return T[0](x)\n"
        },
        "head.py",
        "2 *",
        "3 *",
    ),
    "a module imported for its effects": (
        {
            "head.py": "import shared\nimport filling\n\n\nclass Head:\n    def fit(self, x):\n        return shared.T[0]\n",
            "shared.py": "T = []\n",
            "filling.py": "import shared\n\nshared.T.append(2.0)\n",
        },
        "filling.py",
        "2.0",
        "3.0",
    ),
    "what a class says of itself and reads": (
        {
            "head.py": "class Head(object):\n    name = 'head'\n    extra = 0.1\n\n    def fit(self, x):\n        return self.extra * x\n"
        },
        "head.py",
        "0.1",
        "0.2",
    ),
    "the name of what is no part": (
        {
            "head.py": "class How:\n    name = 'mean'\n\n\nclass Head:\n    def fit(self, x):\n        return getattr(x, How.name)()\n"
        },
        "head.py",
        "'mean'",
        "'sum'",
    ),
    "two functions of one name": (
        {
            "head.py": "from one import f as g\nfrom two import f as h\n\n\nclass Head:\n    def fit(self, x):\n        return g(x) - h(x)\n",
            "one.py": "def f(x):\n    return 2 * x\n",
            "two.py": "def f(x):\n    return 3 * x\n",
        },
        "head.py",
        "g(x) - h(x)",
        "h(x) - g(x)",
    ),
    "a default in a field": (
        {"head.py": "from dataclasses import dataclass\n\n\n@dataclass\nclass Head:\n    version: float = 1.0\n"},
        "head.py",
        "1.0",
        "2.0",
    ),
}


def digest_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Digest of the class Head in a folder, as if a process met it for the first time."""
    before = set(sys.modules)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(folder))
        READ.clear()
        module = "head" if (folder / "head.py").exists() else "pkg.head" if (folder / "pkg/head.py").exists() else "pkg"
        try:
            return code.code_at((module, "Head"))
        finally:
            # What is compiled, as torch, cannot be imported a second time.
            own = {path.stem for path in folder.iterdir()}
            for name in {name for name in set(sys.modules) - before if name.partition(".")[0] in own}:
                del sys.modules[name]
            READ.clear()


@pytest.mark.parametrize(("files", "file", "old", "new"), EDITS.values(), ids=EDITS)
def test_an_edit_is_noticed_however_a_file_says_it(
    files: dict[str, str], file: str, old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for place in ("before", "again", "after"):
        for name, content in files.items():
            path = tmp_path / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            assert old in content or name != file
            path.write_text(content.replace(old, new) if (place, name) == ("after", file) else content)
        found.append(digest_of(tmp_path / place, monkeypatch))
    assert found[0] == found[1] != found[2]


def test_an_installed_module_is_guarded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number in (2, 3):
        folder = tmp_path / str(number) / "site-packages"
        folder.mkdir(parents=True)
        (folder / "head.py").write_text(f"class Head:\n    def fit(self, x):\n        return {number} * x\n")
        found.append(digest_of(folder, monkeypatch))
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [("'told'", "'told otherwise'"), ("log.info", "log.debug"), ("description='what'", "description='which'")],
)
def test_what_is_only_said_is_not_in_it(old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (
        "import logging\nfrom pydantic import Field\n\nlog = logging.getLogger(__name__)\nX = Field(2.0, description='what')\n"
        "\n\nclass Head:\n    def fit(self, x):\n        log.info('told')\n        return X\n"
    )
    found = []
    for place, text in (("before", content), ("after", content.replace(old, new))):
        (tmp_path / place).mkdir()
        (tmp_path / place / "head.py").write_text(text)
        found.append(digest_of(tmp_path / place, monkeypatch))
    assert old in content
    assert found[0] == found[1]
