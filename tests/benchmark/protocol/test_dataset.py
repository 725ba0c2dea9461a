"""A task met with its data: what is expected, what is left out, what is refused."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy import TOY_TASK

from benchmark.data.scanning import scan_corpus
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import load_dataset
from benchmark.protocol.task import Task
from benchmark.types import Fold, Utterance
from tasks.corpora.csv import CSV


def task(**changes: object) -> Task:
    return Task.model_validate({**copy.deepcopy(TOY_TASK), **changes})


def test_targets_follow_the_order_of_the_labels(settings: Settings) -> None:
    dataset = load_dataset(task(labels=["low", "high"]), [CSV()], settings)
    low, high = dataset.by_id["anna/low0.wav"], dataset.by_id["anna/high0.wav"]
    np.testing.assert_array_equal(dataset.targets([low, high, low]), [0, 1, 0])


def test_a_corpus_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(MissingError, match=r"the corpus 'csv' is not here.*index.csv.*--data toy=PATH"):
        load_dataset(task(), [CSV()], load_settings())
    with pytest.raises(MissingError, match=r"the folder /nowhere given for 'toy' does not exist"):
        load_dataset(task(), [CSV()], load_settings(["toy=/nowhere"]))


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"utterances": 41, "speakers": 4}, "40 utterances instead of 41"),
        ({"utterances": 40, "speakers": 5}, "4 speakers instead of 5"),
        ({"utterances": 40, "speakers": 4, "per_class": {"high": 19}}, "20 high instead of 19"),
        ({"utterances": 40, "speakers": 4, "index_sha256": "0" * 64}, "the same counts but another index"),
    ],
)
def test_another_corpus_than_expected_is_refused(settings: Settings, expect: dict, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        load_dataset(task(expect=expect), [CSV()], settings)


def test_what_is_left_out_is_counted(settings: Settings) -> None:
    only_some = {"speaker": ["anna", "bert", "cleo"]}
    expect = {"utterances": 30, "speakers": 3}
    dataset = load_dataset(task(filter=only_some, expect=expect), [CSV()], settings)
    assert dataset.left_out == {"speaker is not anna or bert or cleo": 10}


def test_a_label_that_the_protocol_does_not_mention_is_refused(own_toy_corpus: Path) -> None:
    index = own_toy_corpus / "index.csv"
    index.write_text(index.read_text().replace("anna,low", "anna,bored", 1))
    with pytest.raises(BenchError, match=r"has the label 'bored'.*to null to leave it out"):
        load_dataset(task(), [CSV()], load_settings([f"toy={own_toy_corpus}"]))
    leave_out = {"high": "high", "low": "low", "bored": None}
    counts = {"utterances": 39, "speakers": 4}
    dataset = load_dataset(task(label_map=leave_out, expect=counts), [CSV()], load_settings([f"toy={own_toy_corpus}"]))
    assert dataset.left_out == {"label bored": 1}


def test_a_filter_on_an_unknown_field_is_refused(settings: Settings) -> None:
    with pytest.raises(BenchError, match="filters by 'style'"):
        load_dataset(task(filter={"style": ["improvised"]}), [CSV()], settings)


def test_dimensions_are_targets_and_must_be_numbers(own_toy_corpus: Path) -> None:
    index = own_toy_corpus / "index.csv"
    lines = index.read_text().splitlines()
    index.write_text("\n".join([f"{lines[0]},arousal", *(f"{line},{i / 8}" for i, line in enumerate(lines[1:]))]))
    changes = {"kind": "regression", "labels": [], "label_map": {}, "dimensions": ["arousal"], "metrics": ["ccc"]}
    expect = {"utterances": 40, "speakers": 4}
    settings = load_settings([f"toy={own_toy_corpus}"])
    dataset = load_dataset(task(**changes, expect=expect), [CSV()], settings)
    values = dataset.targets(dataset.utterances)
    assert values.shape == (40, 1)
    assert values.dtype == np.float32
    with pytest.raises(BenchError, match="no number for 'valence'"):
        load_dataset(task(**{**changes, "dimensions": ["valence"]}, expect=expect), [CSV()], settings)


def test_a_missing_value_of_a_dimension_names_its_own_utterance(own_toy_corpus: Path) -> None:
    index = own_toy_corpus / "index.csv"
    lines = index.read_text().splitlines()
    changes = {"kind": "regression", "labels": [], "label_map": {}, "dimensions": ["arousal"], "metrics": ["ccc"]}
    for value, shown in (("", "it has None"), ("n/a", "it has 'n/a'"), ("nan", "it has 'nan'")):
        rows = [f"{line},{value if line.startswith('cleo/low2') else 1.5}" for line in lines[1:]]
        index.write_text("\n".join([f"{lines[0]},arousal", *rows]))
        with pytest.raises(BenchError, match=f"utterance 'cleo/low2.wav' has no number for 'arousal'.*{shown}"):
            load_dataset(task(**changes), [CSV()], load_settings([f"toy={own_toy_corpus}"]))


def test_a_filter_may_name_a_numeric_column(own_toy_corpus: Path) -> None:
    index = own_toy_corpus / "index.csv"
    lines = index.read_text().splitlines()
    index.write_text("\n".join([f"{lines[0]},take", *(f"{line},{i % 5}" for i, line in enumerate(lines[1:]))]))
    settings, expect = load_settings([f"toy={own_toy_corpus}"]), {"utterances": 16, "speakers": 4}
    dataset = load_dataset(task(filter={"take": ["0", "3"]}, expect=expect), [CSV()], settings)
    assert {utterance.id[-5] for utterance in dataset.utterances} == {"0", "3"}


def test_utterances_without_a_speaker_share_one_name(own_toy_corpus: Path) -> None:
    """Their ids would be labels of single utterances wherever speakers are published."""
    index = own_toy_corpus / "index.csv"
    index.write_text(index.read_text().replace(",bert,", ",,").replace(",cleo,", ",,"))
    settings = load_settings([f"toy={own_toy_corpus}"])
    random = {"folds": {"scheme": "random-k-fold", "k": 4}, "dev": {"scheme": "none"}, "speaker_independent": False}
    dataset = load_dataset(task(**random, expect={"utterances": 40, "speakers": 2}), [CSV()], settings)
    assert {dataset.speaker(utterance) for utterance in dataset.utterances} == {"anna", "dora", "unknown"}


def anonymous(corpus: Path, *speakers: str) -> Settings:
    """The toy corpus without the names of some speakers."""
    index = corpus / "index.csv"
    text = index.read_text()
    for name in speakers:
        text = text.replace(f",{name},", ",,")
    index.write_text(text)
    return load_settings([f"toy={corpus}"])


RANDOM = {"folds": {"scheme": "random-k-fold", "k": 2}, "dev": {"scheme": "none"}, "speaker_independent": False}
NOBODY = {**RANDOM, "expect": {"utterances": 40, "speakers": 0}}


def test_clusters_are_speakers_where_some_are_known(own_toy_corpus: Path) -> None:
    settings = anonymous(own_toy_corpus, "bert", "cleo")
    dataset = load_dataset(task(**RANDOM, expect={"utterances": 40, "speakers": 2}), [CSV()], settings)
    assert dataset.cluster_unit == "speaker"
    assert {dataset.cluster(utterance) for utterance in dataset.utterances} == {"anna", "dora", "unknown"}
    assert not dataset.folds_are_clusters


def test_clusters_are_groups_of_utterances_where_nobody_is_known(own_toy_corpus: Path) -> None:
    dataset = load_dataset(task(**NOBODY), [CSV()], anonymous(own_toy_corpus, "anna", "bert", "cleo", "dora"))
    assert dataset.cluster_unit == "utterance"
    for fold in dataset.folds:  # 20 utterances each: two groups of ten
        found = Counter(dataset.cluster(dataset.by_id[name]) for name in fold.test)
        assert found == {"utterances-000": 10, "utterances-001": 10}
    assert dataset.genders(["utterances-000", "unknown"]) == {}
    assert {dataset.speaker(utterance) for utterance in dataset.utterances} == {"unknown"}


def test_groups_of_utterances_follow_the_salt_and_nothing_else(own_toy_corpus: Path) -> None:
    settings = anonymous(own_toy_corpus, "anna", "bert", "cleo", "dora")
    one, other = (load_dataset(task(**NOBODY), [CSV()], settings) for _ in range(2))
    groups = [one.cluster(utterance) for utterance in one.utterances]
    assert groups == [other.cluster(utterance) for utterance in other.utterances]
    object.__setattr__(other, "salt", "0" * 64)
    object.__delattr__(other, "_groups")
    assert groups != [other.cluster(utterance) for utterance in other.utterances]


@pytest.mark.parametrize(("tested", "groups"), [(5, 2), (29, 2), (30, 3), (280, 28), (5000, 200)])
def test_a_group_has_about_ten_utterances(tested: int, groups: int, settings: Settings) -> None:
    made = [Utterance(f"u{number}", "", split="test" if number < tested else "train") for number in range(tested + 9)]
    fold = Fold("official", tuple(one.id for one in made[tested:]), (), tuple(one.id for one in made[:tested]))
    dataset = replace(load_dataset(task(), [CSV()], settings), utterances=tuple(made), folds=(fold,))
    found = Counter(dataset.cluster(one) for one in made[:tested])
    assert sorted(found) == [f"utterances-{number:03d}" for number in range(groups)]
    assert max(found.values()) - min(found.values()) <= 1


def test_folds_are_named_after_speakers_in_leave_one_speaker_out(settings: Settings) -> None:
    assert load_dataset(task(), [CSV()], settings).folds_are_clusters
    listed = {"folds": {"scheme": "listed", "by": "speaker", "folds": [{"name": "anna", "test": ["anna"]}]}}
    dataset = load_dataset(task(**listed, dev={"scheme": "none"}), [CSV()], settings)
    assert not dataset.folds_are_clusters  # the protocol tells the name anyway


def test_the_salt_is_of_the_corpus_and_is_not_the_digest_of_its_index(settings: Settings, own_toy_corpus: Path) -> None:
    dataset = load_dataset(task(), [CSV()], settings)
    assert len(dataset.salt) == 64
    assert dataset.salt != dataset.index_sha256
    elsewhere = load_settings([f"toy={own_toy_corpus}"])
    assert load_dataset(task(), [CSV()], elsewhere).salt == dataset.salt
    assert load_dataset(task(seeds=[5], downstream="superb"), [CSV()], elsewhere).salt == dataset.salt
    index = own_toy_corpus / "index.csv"
    index.write_text(index.read_text().replace(",dora,", ",eva,"))
    assert load_dataset(task(), [CSV()], elsewhere).salt != dataset.salt


def test_the_gender_of_a_speaker_is_told_where_all_utterances_agree(own_toy_corpus: Path) -> None:
    index = own_toy_corpus / "index.csv"
    lines = index.read_text().splitlines()
    lines = [
        line.replace("female", "male") if "bert" in line or line.startswith("cleo/low0") else line for line in lines
    ]
    lines = [line.removesuffix("female") if line.startswith("dora") else line for line in lines]
    index.write_text("\n".join(lines))
    dataset = load_dataset(task(), [CSV()], load_settings([f"toy={own_toy_corpus}"]))
    assert dataset.genders(["anna", "bert", "cleo", "dora", "eva"]) == {"anna": "female", "bert": "male"}
    assert dataset.genders(["bert"]) == {"bert": "male"}


class Unreadable(CSV):
    """A corpus whose folder may not be read."""

    def scan(self, root: Path) -> list:
        raise PermissionError(13, "Permission denied", str(root / "index.csv"))


def test_a_corpus_that_cannot_be_read_says_so(settings: Settings, toy_corpus: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot read the corpus 'csv': Permission denied: .*index\.csv"):
        load_dataset(task(), [Unreadable()], settings)
    with pytest.raises(BenchError, match="cannot read the corpus 'csv'"):
        scan_corpus(Unreadable(), toy_corpus)
    too_long = load_settings([f"toy={'x' * 300}"])
    with pytest.raises(BenchError, match="x"):
        load_dataset(task(), [CSV()], too_long)


@pytest.mark.parametrize(("start", "end"), [(0.4, 0.1), (0.1, 0.1), (None, 0.0), (None, -1.0), (-1.0, 0.5)])
def test_an_utterance_ends_after_it_starts(toy_corpus, start: float | None, end: float) -> None:
    class Backwards(CSV):
        def scan(self, root):
            return [Utterance("a", "a.wav", start=start, end=end)]

    with pytest.raises(BenchError, match=r"utterance 'a' of 'csv' starts at .* s and ends at .* s .it ends after"):
        scan_corpus(Backwards(), toy_corpus)
