"""The page as text: what stands in it, that names stay names, and what it allows itself."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import itertools
import json
import re
import shlex
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from boards_factory import HOSTILE, hostile_board, large_board, small_board, sure_board, system, task
from records_factory import cell, decisions

from benchmark.errors import BenchError, MissingError
from benchmark.metrics import find
from benchmark.records.grouping import group
from benchmark.text import clean, interval, measured, with_spread
from leaderboard.board import board
from leaderboard.figures.voices import scores_of_speakers
from leaderboard.hours import duration, together, took
from leaderboard.languages import NAMES, in_order, languages
from leaderboard.page import Drawing, Figures, page
from leaderboard.page.drawings import draw
from leaderboard.page.facts import family, groups
from leaderboard.page.library import content_policy, inert, library
from leaderboard.page.models import address, facts_of
from leaderboard.page.scale import scale_of, whole_scale

VOID = {"meta", "link", "input", "path", "br"}


class Reader(HTMLParser):
    """What a browser would make of a page: elements with attributes, text, and scripts and styles as they are."""

    def __init__(self, source: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(source.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag in ("script", "style"):
            self.raw.append((tag, dict(attrs), ""))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in ("script", "style"):
            tag, attributes, text = self.raw[-1]
            self.raw[-1] = (tag, attributes, text + data)
            return
        self.texts.append(data)
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    @property
    def data(self) -> dict:
        return json.loads(next(text for tag, attributes, text in self.raw if attributes.get("id") == "data"))


def told(upstream: str, downstream: str) -> str:
    """A system as its cell in a table reads, with the link to its weights where they are known."""
    return f"{upstream}{'↗' if address(upstream) else ''} + {downstream}"


@pytest.fixture(scope="module")
def small() -> Reader:
    return Reader(page(small_board(), Figures()))


@pytest.fixture(scope="module")
def hostile() -> Reader:
    return Reader(page(hostile_board(), Figures()))


def test_the_same_records_give_the_same_bytes() -> None:
    records = [one for name in ("ears", "eyes") for one in system(name, 0.6)]
    records.sort(key=lambda one: one.id)
    assert page(board(records), Figures()) == page(board(records[::-1]), Figures())


def test_every_number_is_there_without_a_script(small: Reader) -> None:
    shown = {tuple(row[1:3]): row for row in small.rows if len(row) > 8}
    for section in small_board().sections:
        metric = section.analysis.metric
        for place in (place for ranked in section.groups for place in ranked.places if place.rank):
            row, scores = place.row, place.row.scores[metric.name]
            found = shown[
                told(row.cell.upstream.name, row.cell.downstream.name),
                with_spread(scores.mean, scores.sd, metric.percent),
            ]
            assert found[0] == str(place.rank)
            assert place.letters in found


def test_an_incomplete_system_has_no_score_but_stands_there(small: Reader) -> None:
    (row,) = (row for row in small.rows if row[1:2] == [told("wavlm-base", "superb")] and len(row) > 8)
    assert row[0] == "–"
    assert row[2] == "0/6 units"
    assert row[3:7] == ["", "–", "–", "–"]


def test_speaker_dependent_tasks_stand_apart_below(small: Reader) -> None:
    text = "".join(small.texts)
    at = text.index("Speaker-dependent tasks")
    assert text.index("Four emotions, leave one speaker out") < at < text.rindex("urdu-random ⚠")
    (section,) = (attributes for _, attributes in small.elements if attributes.get("id") == "task-urdu-random")
    assert section["data-task"] == "2"
    assert section["data-group"] == "speaker-dependent|emotion classes"


def test_words_of_the_board_are_not_lost(small: Reader) -> None:
    text = "".join(small.texts)
    made = small_board()
    lines = [*made.legend, *made.notes, *(note for one in made.overviews for note in one.notes)]
    lines += [line for one in made.tasks for line in (one.caption, *one.notes)]
    assert any("would find" in line for line in lines)
    for line in lines:
        assert line in text


def test_pairs_are_those_of_the_analysis(small: Reader) -> None:
    for section, found in zip(small_board().sections, small.data["tasks"], strict=True):
        names = [one.name for one in section.analysis.cells]
        assert found["systems"] == names
        for (a, b), (verdict, *numbers) in zip(itertools.combinations(names, 2), found["pairs"], strict=True):
            pair = section.analysis.pairs[a, b]
            expected = [pair.delta, pair.low, pair.high, pair.p, pair.p_adjusted]
            assert [number / 1e5 for number in numbers] == pytest.approx(expected, abs=6e-6)
            assert verdict == (0 if not pair.significant else 1 if section.analysis.better(a, b) else -1)
    verdicts = {pair[0] for one in small.data["tasks"] for pair in one["pairs"]}
    assert verdicts == {-1, 0, 1}


def test_a_row_knows_what_stands_behind_it(small: Reader) -> None:
    (row,) = (row for row in small.data["rows"] if row["names"] == ["whisper-tiny", "superb"] and row["task"] == 0)
    (whole,) = (one for one in small_board().sections if one.task.name == "urdu")
    (made,) = (one for one in whole.analysis.cells if one.name == "whisper-tiny + superb")
    assert dict(row["facts"]) == {
        "tested on": "640 utterances of 16 speakers (worth 16.0 of equal weight)",
        "seeds": "3",
        "folds": "2/2",
        "upstream": f"sha256 {made.upstream.sha256[:12]}",
        "downstream": f"sha256 {made.downstream.sha256[:12]}",
    }
    facts = dict(small.data["tasks"][0]["facts"])
    assert facts["protocol"] == f"version 1, sha256 {whole.task.sha256[:12]}"


def test_a_row_knows_how_far_its_probabilities_can_be_believed(small: Reader) -> None:
    made = sure_board()
    known = {" + ".join(row["names"]): row["believed"] for row in Reader(page(made, Figures())).data["rows"]}
    places = [place for ranked in made.sections[0].groups for place in ranked.places]
    (row,) = (place.row for place in places if place.row.cell.name == "mfcc + superb")
    assert row.calibrated is not None
    said = {title: texts for title, *texts in known["mfcc + superb"]["said"]}
    for title, name in (("ECE", "ece"), ("Brier score", "brier"), ("NLL", "nll")):
        percent, texts = find(name).percent, []
        for believed in (row.calibrated.before, row.calibrated.after):
            assert believed is not None
            ends = believed.intervals[name]
            texts += [measured(believed.scores[name].mean, percent), interval(ends.low, ends.high, percent)]
        assert said[title] == texts
    before, after = known["mfcc + superb"]["bins"]
    decisions_made = 3 * 2 * 8 * 40  # seeds, folds, speakers, utterances
    ((sure, right, n),) = before
    assert (sure, n) == (900, decisions_made)
    assert right == pytest.approx(1000 * row.scores["wa"].mean, abs=0.5)
    assert [one[:1] + one[2:] for one in after] == [[575, decisions_made]]
    assert known["egemaps + superb"]["bins"] == [[[900, *known["egemaps + superb"]["bins"][0][0][1:]]]]
    assert known["egemaps + svm"]["without"] == "Its head gives no probabilities."
    assert known["egemaps + svm"]["said"] == known["egemaps + svm"]["bins"] == []
    # neither dimensions nor what is not complete
    assert {row["believed"] for row in small.data["rows"] if row["names"][0] in ("my-own", "wavlm-base")} == {None}


def test_the_page_says_how_long_computing_took(small: Reader) -> None:
    cells = [place.row.cell for one in small_board().sections for ranked in one.groups for place in ranked.places]
    total = together(cells).total_s
    assert total is not None
    assert f"; {duration(total)} of computing; made by" in "".join(small.texts)
    texts = {text for row in small.rows for text in row}
    assert {duration(took(cell).total_s or 0.0) for cell in cells if cell.complete} <= texts


def test_a_corpus_without_speakers_says_so() -> None:
    clusters = {"unit": "utterance", "salt": None, "salted": False, "folds": False, "gender": {}}
    (row,) = Reader(page(board(cell(clusters=clusters)), Figures())).data["rows"]
    assert dict(row["facts"])["tested on"].endswith("utterances, speakers not known")


# -- names that would be something else -------------------------------------------------------------------------------


def test_hostile_names_make_no_element_and_no_attribute(hostile: Reader, small: Reader) -> None:
    def kinds(reader: Reader) -> set[tuple[str, ...]]:
        return {(tag, *sorted(attributes)) for tag, attributes in reader.elements}

    assert kinds(hostile) <= kinds(small) | {("td", "class"), ("table", "class")}
    assert not {tag for tag, _ in hostile.elements} & {"img", "iframe", "object", "embed", "base"}
    assert sum(tag == "script" for tag, _ in hostile.elements) == 3
    for _, attributes in hostile.elements:
        assert not [name for name in attributes if name.startswith("on")]
        assert all(
            attributes[name].startswith(("#", "data:,")) for name in ("href", "src", "action") if name in attributes
        )


def test_hostile_names_are_shown_as_they_are_cleaned(hostile: Reader) -> None:
    text = "".join(hostile.texts)
    for name in HOSTILE[:-1]:
        assert clean(name) in text
    assert "{{ 7 * 7 }}" in text
    assert "\u202e" not in text
    assert {names for row in hostile.data["rows"] for names in row["names"]} == {*map(clean, HOSTILE), "superb"}


def test_data_can_end_no_script(hostile: Reader) -> None:
    (text,) = (text for _, attributes, text in hostile.raw if attributes.get("id") == "data")
    assert not set(text) & set("<>&\u2028\u2029")


def test_long_names_are_there_once_and_short_elsewhere(hostile: Reader) -> None:
    long = HOSTILE[-1]
    cells = [text for row in hostile.rows for text in row]
    assert not [text for text in cells if len(text) > 150]
    assert f"{long[:59]}… + superb" in cells
    assert not [value for _, attributes in hostile.elements for value in attributes.values() if len(value or "") > 2000]


# -- what the page may do ---------------------------------------------------------------------------------------------


def test_the_policy_allows_these_scripts_and_styles_and_nothing_else(small: Reader) -> None:
    (policy,) = (attributes["content"] for tag, attributes in small.elements if "http-equiv" in attributes)
    allowed = {name: rest.split() for name, _, rest in (part.partition(" ") for part in policy.split("; "))}
    assert allowed["default-src"] == allowed["base-uri"] == allowed["form-action"] == ["'none'"]

    def hashes(wanted: str) -> list[str]:
        texts = [text for tag, attributes, text in small.raw if tag == wanted and attributes.get("id") != "data"]
        return [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]

    assert allowed["script-src"] == hashes("script")
    assert allowed["style-src"] == hashes("style")
    assert len(hashes("script")) == 2
    assert "unsafe" not in policy


def test_nothing_is_allowed_where_there_is_nothing() -> None:
    assert "script-src 'none'" in content_policy([], [])


@pytest.mark.parametrize("text", ["a <!-- b", "x</script >", "<SCRIPT>", "/<script|<style/"])
def test_scripts_cannot_end_early_and_mean_the_same(text: str) -> None:
    made = inert(text)
    assert not re.search(r"<!--|</?script", made, re.IGNORECASE)
    assert made.replace("\\x3C", "<") == text


def test_the_library_comes_with_its_licence(small: Reader) -> None:
    found = library()
    assert "Permission is hereby granted" in found.licence
    assert "SpryMedia" in found.script
    assert "export{" not in found.script
    assert found.licence in "".join(small.texts)


def test_a_changed_library_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    folder = tmp_path / "html"
    folder.mkdir()
    (folder / "dt_bundle.js").write_text("export{a as b};")
    spec = importlib.util.find_spec("itables")
    monkeypatch.setattr(spec, "origin", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(BenchError, match="exports nothing by default"):
        library()


def test_missing_packages_are_named_with_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    with monkeypatch.context() as patch:
        patch.setattr(
            importlib.util, "find_spec", lambda name, *rest: None if name == "itables" else found(name, *rest)
        )
        with pytest.raises(MissingError, match="itables") as caught:
            page(small_board(), Figures())
        assert 'pip install "serbench[page]"' in str(caught.value.hint)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingError, match="jinja2"):
        page(small_board(), Figures())


def test_figures_are_embedded_where_there_are_some(small: Reader) -> None:
    assert "without figures" in "".join(small.texts)
    drawing = Drawing('<svg role="img"><title>all</title></svg>')
    figures = Figures((drawing,), {"urdu": ("<svg><title>one</title></svg>",)})
    text = page(small_board(), figures).decode()
    assert "without figures" not in text
    overall, single = text.index("<title>all</title>"), text.index("<title>one</title>")
    assert (
        text.index('id="task-urdu"') < single < text.index('id="task-mine-dims"') < text.index('id="figures"') < overall
    )


@pytest.mark.slow
def test_what_can_be_drawn_is_drawn_and_stands_in_its_place() -> None:
    made = small_board()
    figures = draw(made.sections, made.tracks)
    assert figures.notes == ()
    titles = {one.task: re.search(r"<title[^>]*>(.*?)</title>", one.svg)[1] for one in figures.board}
    assert titles == {"urdu": "Score against cost on urdu", "mine-dims": "Score against cost on mine-dims"}
    assert {name: len(some) for name, some in figures.tasks.items()} == {"mine-dims": 1, "urdu": 3, "urdu-random": 3}
    text = page(made).decode()
    assert text.count("<figure") == 9
    assert 'data-task="0"><svg' in text
    # what filters dim
    assert 'data-system="whisper-tiny + superb"' in text
    # no figure brings a style sheet, a script or a reference: the policy of the page would refuse them
    of_board = [one.svg for one in figures.board]
    for one in (*of_board, *(figure for some in figures.tasks.values() for figure in some)):
        assert not re.search(r"<style|<script|<image|\sstyle=|href=\"[^#]|\son\w+=", one)


def test_without_what_draws_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = "".join(Reader(page(small_board())).texts)
    assert "without figures" in text
    assert text.count("Not drawn: figures need matplotlib") == 1
    assert 'pip install "serbench[figures]"' in text


def test_a_board_without_records_is_a_page_too() -> None:
    assert "There is no record yet." in "".join(Reader(page(board())).texts)


# -- the summary, and what stands first -------------------------------------------------------------------------------


def test_one_line_says_how_much_there_is(small: Reader) -> None:
    text = "".join(small.texts)
    line = "5 systems, 2 corpora, 1 language, 32 speakers"
    (said,) = (attributes["content"] for _, attributes in small.elements if attributes.get("name") == "description")
    assert said.startswith(line)
    assert said.endswith("newest record 2026-01-02, made with serbench 0.1.0.")
    assert "newest record 2026-01-02; serbench 0.1.0" in text


def test_overview_best_and_tasks_stand_in_the_order_of_a_reader(small: Reader) -> None:
    anchors = [attributes["id"] for _, attributes in small.elements if attributes.get("id")]
    order = [
        "overview",
        "best",
        "tasks",
        "task-urdu",
        "task-mine-dims",
        "dependent",
        "task-urdu-random",
        "figures",
        "submit",
    ]
    assert [one for one in anchors if one in order] == order


def test_the_overview_is_drawn_as_intervals_with_letters_and_known_speakers(small: Reader) -> None:
    words = [attributes["title"] for tag, attributes in small.elements if tag == "td" and "title" in attributes]
    (said,) = (text for text in words if text.startswith("whisper-tiny + superb on urdu"))
    assert re.fullmatch(r"whisper-tiny \+ superb on urdu: [\d.]+ ± [\d.]+ \[[\d., ]+\]; urdu-random: [\d.]+", said)
    kinds = {attributes.get("class") for tag, attributes in small.elements if tag == "path"}
    assert {"tick", "chance", "span", "mean", "known", "hole"} <= kinds


def test_tasks_are_read_by_language_real_before_synthetic_and_known_speakers_last() -> None:
    synthetic = task("a", "demo")
    synthetic["task__corpus"] = {**synthetic["task__corpus"], "synthetic": True}
    records = [
        one
        for fields in (
            synthetic,
            task("b", "urdu", speaker_independent=False),
            task("c", "urdu -> emovo"),
            task("d", "somebody's own"),
            task("e", "urdu"),
            task("f", "emovo"),
        )
        for one in system("mfcc", 0.5, **fields)
    ]
    assert [section.task.name for section in in_order(board(records).sections)] == ["f", "e", "d", "c", "a", "b"]


def test_every_language_of_a_corpus_has_a_name() -> None:
    from benchmark.registry.known import known_corpus
    from benchmark.registry.source import scan_package

    assert {known_corpus(entry.name).language for entry in scan_package("corpus")} <= NAMES.keys()


# -- what a card tells -------------------------------------------------------------------------------------------------


def test_models_link_to_their_weights_and_papers_and_hostile_names_to_nothing() -> None:
    facts = {fact.name: fact for fact in facts_of("whisper-tiny")}
    assert facts["weights"].address.startswith("https://huggingface.co/openai/whisper-tiny/tree/169d4a43")
    assert facts["source"].address == "https://arxiv.org/abs/2212.04356"
    assert facts["licence"].value == "MIT or Apache 2.0"
    assert address("whisper-tiny (local)") == address("whisper-tiny") == facts["weights"]
    assert {"mfcc: what it is", "whisper-tiny: weights"} <= {fact.name for fact in facts_of("mfcc+whisper-tiny")}
    assert address("mfcc+whisper-tiny") is None
    for name in (*HOSTILE, "hf:javascript:alert(1)", "hf:https://evil.example/x", "mfcc"):
        assert address(name) is None


def test_a_row_tells_the_command_that_makes_it_again_whatever_its_name(hostile: Reader) -> None:
    commands = [row["command"] for row in hostile.data["rows"]]
    assert "bench run --task toy --upstream '<script>alert(1)</script>' --downstream superb" in commands
    for command in commands:
        assert len(shlex.split(command)) == 8


def test_a_row_has_the_scores_of_its_speakers_and_the_weights_of_its_layers() -> None:
    def selection(layers: list[float]) -> dict:
        return {"on": "dev", "score": 0.5, "epoch": 1, "layer_weights": layers, "chosen": {}}

    records = system("ears", 0.7, selection=selection([0.5, 0.2, 0.1, 0.1, 0.1]))
    data = Reader(page(board(records), Figures())).data
    (row,), (whole,) = data["rows"], data["tasks"]
    assert row["layers"] == [500, 200, 100, 100, 100]
    assert len(row["speakers"]) == len(whole["people"]["labels"]) == whole["people"]["total"] == 16
    (made,) = group(records).cells
    scores = scores_of_speakers(made)[1]
    assert sorted(row["speakers"]) == sorted(round(1000 * score) for score in scores.tolist())
    assert whole["people"]["chance"] == 0.25
    assert dict(row["cost"])["made"] == "2026-01-02, serbench 0.1.0"


def test_many_speakers_are_shown_at_even_distances() -> None:
    def by_speaker(fold: str, seed: int) -> dict:
        rng = np.random.default_rng([seed, len(fold)])
        return {f"{fold}{index}": decisions(rng, 0.5) for index in range(200)}

    data = Reader(page(board(cell(by_speaker)), Figures())).data
    people, shown = data["tasks"][0]["people"], data["rows"][0]["speakers"]
    assert (people["total"], people["labels"], len(shown)) == (400, [], 150)
    assert shown == sorted(shown)


def test_tests_over_corpora_are_those_of_the_board() -> None:
    records = [
        one
        for task_name, corpus in (("a", "urdu"), ("b", "emovo"))
        for name in ("mfcc", "ears")
        for one in system(name, 0.9 if name == "ears" else 0.4, **task(task_name, corpus))
    ]
    made = board(records)
    (track,) = Reader(page(made, Figures())).data["tracks"]
    found = {(track["systems"][a], track["systems"][b]): (count, of) for a, b, count, of in track["wins"]}
    assert found == {(one.a, one.b): (one.count, len(one.corpora)) for one in made.tracks[0].wins}
    assert found["ears + superb", "mfcc + superb"] == (2, 2)


# -- what is filtered by ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        ("mfcc", "hand-crafted"),
        ("egemaps", "hand-crafted"),
        ("mfb-f0", "hand-crafted"),
        ("chance", "chance"),
        ("whisper-tiny", "Whisper"),
        ("wavlm-base-plus", "WavLM"),
        ("distilhubert", "HuBERT"),
        ("audeering-dim", "wav2vec 2.0"),
        ("xls-r-300m", "wav2vec 2.0"),
        ("w2v-bert-2", "w2v-BERT"),
        ("emotion2vec-plus-large", "emotion2vec"),
        ("hf:facebook/hubert-base-ls960", "HuBERT"),
        ("hf:somebody/something", "other checkpoint"),
        ("s3prl:hubert", "s3prl"),
        ("precomputed:folder", "precomputed"),
        ("mfcc+whisper-tiny", "hand-crafted + Whisper"),
        ("no such thing", "unknown"),
        ("\x00", "unknown"),
    ],
)
def test_families(upstream: str, expected: str) -> None:
    assert family(upstream) == expected


def test_every_named_checkpoint_has_an_architecture() -> None:
    from benchmark.registry.known import upstreams

    named = [entry.name for entry in upstreams().all() if entry.training_data]
    assert len(named) > 30
    assert {family(name) for name in named}.isdisjoint({"unknown", "other checkpoint"})


def test_groups_and_languages() -> None:
    def of(**changes):
        (made,) = group(cell(**changes)).cells
        return groups(made.task), languages(made.task)

    assert of(**task("urdu", "urdu")) == (("speaker-independent", "emotion classes"), ("ur",))
    assert of(**task("emodb-to-emovo", "emodb -> emovo")) == (
        ("speaker-independent", "cross-corpus", "emotion classes"),
        ("de", "it"),
    )
    assert of(**task("iemocap-epc", "iemocap"))[0] == ("speaker-independent", "emotion classes", "conversation")
    assert of(**task("mine", "mine"))[1] == ("unknown",)


@pytest.mark.parametrize(
    ("values", "metric", "ends", "texts"),
    [
        ([0.51, 0.87], "uar", (0.5, 0.9), ["50", "60", "70", "80", "90"]),
        ([0.0, 1.0], "uar", (0.0, 1.0), ["0", "50", "100"]),
        ([-0.03, 0.02], "ccc", (-0.04, 0.02), ["-0.04", "-0.02", "0.00", "0.02"]),
        ([0.7], "uar", (0.7, 0.8), ["70", "80"]),
        ([], "uar", (0.0, 1.0), ["0", "50", "100"]),
    ],
)
def test_scales_have_round_ends(values, metric, ends, texts) -> None:
    scale = scale_of(values, find(metric))
    assert (scale.low, scale.high) == pytest.approx(ends)
    assert [text for _, text in scale.ticks] == texts
    assert [scale.ticks[0][0], scale.ticks[-1][0]] == ["0", "100"]


def test_guessing_is_on_the_scale_and_shares_have_one_scale() -> None:
    found = scale_of([0.51, 0.87], find("uar"), 0.25)
    assert (found.low, found.chance, found.guessed) == (0.2, "6.25", "25.0")
    assert scale_of([], find("uar"), 0.25).chance == "25"
    whole = whole_scale([0.51, 0.87], find("uar"), 0.25)
    assert (whole.low, whole.high, whole.chance) == (0.0, 1.0, "25")
    mark = whole.mark(0.5, None, None, 0.125)
    assert (mark.middle, mark.low, mark.high, mark.known) == ("50", None, None, "12.5")


@pytest.mark.slow
def test_a_large_board_stays_small_and_quick() -> None:
    made = large_board(tasks=1)
    made = replace(made, sections=made.sections * 20, tasks=made.tasks * 20)
    page(small_board(), Figures())
    begin = time.process_time()
    content = page(made, Figures())
    assert time.process_time() - begin < 5
    assert len(content) < 3_000_000
    assert sum(len(one["pairs"]) for one in Reader(content).data["tasks"]) == 8700
