"""One word, one meaning: what the hub's classes and types are called, and the words of docs/architecture.md."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
# Numbers of numpy: every module says by itself of what type its arrays are.
SHORT = {"Array"}
# Both are in the digest of code that makes features or fits heads: with other names everything would run again.
PUBLISHED = {"Name"}


def named(tree: ast.Module) -> Iterator[str]:
    """The classes and the types at the top of a module."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from (name for name in names if re.fullmatch("[A-Z]+[a-z][A-Za-z]*", name))


def homes() -> dict[str, list[str]]:
    """The modules of the hub that define each public class or type; the command line only uses them."""
    found = defaultdict(list)
    for path in sorted((ROOT / "benchmark").rglob("*.py")):
        module = path.relative_to(ROOT).as_posix()
        if not module.startswith("benchmark/cli/"):
            for name in named(ast.parse(path.read_text(encoding="utf-8"))):
                if not name.startswith("_"):
                    found[name].append(module)
    return found


def glossary() -> dict[str, tuple[str, list[str]]]:
    """What each word is, and the files that it is at home in."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("## Words\n")
    lines = [line.strip("| ").split(" | ") for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return {word: (meaning, re.findall(r"\]\(\.\./([^)]+)\)", at)) for word, meaning, at in lines[1:]}


HOMES, GLOSSARY = homes(), glossary()


def strangers(word: str, homes: dict[str, list[str]]) -> dict[str, list[str]]:
    """Whose name ends in a word, or its plural, and where it stands, if not where the word is at home."""
    ends = re.compile(rf"(.*[a-z])?{word.capitalize()}s?")
    places = {name: [one for one in found if one not in GLOSSARY[word][1]] for name, found in homes.items()}
    return {name: found for name, found in places.items() if found and ends.fullmatch(name)}


def test_no_name_stands_for_two_things() -> None:
    twice = {name: found for name, found in HOMES.items() if len(found) > 1}
    assert {name: found for name, found in twice.items() if name not in SHORT | PUBLISHED} == {}
    assert twice.keys() == SHORT | PUBLISHED


@pytest.mark.parametrize("word", GLOSSARY)
def test_a_word_names_what_stands_at_its_home(word: str) -> None:
    assert strangers(word, HOMES) == {}
    meaning, files = GLOSSARY[word]
    assert meaning
    assert files
    for file in files:
        assert re.search(word, (ROOT / file).read_text(encoding="utf-8"), re.IGNORECASE), f"{file} has no {word}"


def test_the_words_are_sorted_and_are_no_nouns_of_the_five() -> None:
    assert list(GLOSSARY) == sorted(GLOSSARY)
    assert not GLOSSARY.keys() & {"upstream", "downstream", "task", "record", "comparison"}


def test_a_word_with_a_second_meaning_is_seen() -> None:
    found = {**HOMES, "PhonePart": ["benchmark/alignments/phones.py"], "Units": ["benchmark/statistics/pairs.py"]}
    assert strangers("part", found) == {"PhonePart": ["benchmark/alignments/phones.py"]}
    assert strangers("unit", found) == {"Units": ["benchmark/statistics/pairs.py"]}
    assert "Department" not in strangers("part", {"Department": ["benchmark/text.py"]})
