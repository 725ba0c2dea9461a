"""The published figures beside the tasks: the files that are shipped, and what the reader refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmark.errors import UsageError
from benchmark.metrics import METRICS
from benchmark.protocol.references import Reference, read_references, references_of
from benchmark.registry.registry import Registry

SHIPPED = Path(__file__).parents[3] / "tasks" / "references"
# (task, upstream, source, table) -> figures as their source prints them, typed a second time.
PRINTED = {
    ("iemocap", "compare", "Purohit 2025", "Table I"): ["58.00", "56.51"],
    ("msp-improv", "compare-lld", "Purohit 2025", "Table I"): ["43.30", "55.60"],
    ("ravdess-7class", "egemaps-lld", "Pepino 2021", "Table 1"): ["57.0 ± 2.4"],
    ("iemocap-dev-session", "wav2vec2-base + egemaps-lld", "Pepino 2021", "Table 2"): ["66.3 ± 0.7"],
    ("iemocap", "data2vec-base", "emotion2vec 2023", "Table 2"): ["67.38"],
    ("ravdess-random", "emotion2vec", "emotion2vec 2023", "Table 3"): ["82.43", "82.86", "82.39"],
    ("m3ed", "wavlm-base+", "emotion2vec 2023", "Table 4"): ["45.09", "20.18", "36.49"],
    ("ravdess-song-random", "l3-net", "emotion2vec 2023", "Table 5"): ["71.0"],
    ("mosei-sentiment", "wavlm-large", "emotion2vec 2023", "Table 7"): ["77.66"],
    ("savee", "hubert-base", "EmoBox 2024", "Table 4"): ["58.90", "59.85", "64.05"],
    ("urdu-random", "whisper-large-v3", "EmoBox 2024", "Table 4"): ["82.52", "82.52", "82.41"],
    ("emodb", "compare", "audEERING w2v2-how-to", "notebook"): ["77.08"],
    ("msp-podcast-8class", "wavlm-large", "Odyssey 2024", "baseline report"): ["31.1"],
}


def written(tmp_path: Path, *sources: dict[str, Any]) -> Path:
    """A folder of references below the tasks toy and other, one file for each source."""
    for task in ("toy", "other"):
        (tmp_path / f"{task}.yaml").touch()
    folder = tmp_path / "references"
    folder.mkdir()
    for number, source in enumerate(sources):
        (folder / f"source-{number}.yaml").write_text(yaml.safe_dump(source, allow_unicode=True), encoding="utf-8")
    return folder


def source(*rows: dict[str, Any], table: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """One source with one table about the task toy."""
    results = [{"task": "toy", "rows": list(rows) or [{"upstream": "ears", "values": [61.5, 60.0]}]}]
    whole = {"table": "Table 1", "downstream": "SVM", "metrics": ["uar", "wa"], "differs": "no dev", "results": results}
    described = {"label": "Someone 2020", "citation": "Someone: Something. 2020", "url": "https://example.org/1"}
    return {**described, "tables": [{**whole, **(table or {})}], **changes}


def printed(reference: Reference) -> list[str]:
    return [figure.text for figure in reference.figures]


def test_the_shipped_references_are_on_tasks_that_exist_and_have_such_metrics_and_dimensions() -> None:
    registry = Registry()
    tasks = {name: registry.task(name) for name in {one.task for one in read_references()}}
    for one in read_references():
        for figure in one.figures:
            assert METRICS[figure.metric].kind == tasks[one.task].kind, one
            assert figure.dimension is None or figure.dimension in tasks[one.task].dimensions, one


def test_every_shipped_reference_says_what_differs_and_where_it_stands() -> None:
    for one in read_references():
        assert one.differs, one
        assert any(year in one.citation for year in ("202", "zenodo")), one.citation


@pytest.mark.parametrize("place", PRINTED, ids=" ".join)
def test_figures_are_those_that_the_source_prints(place: tuple[str, str, str, str]) -> None:
    task, upstream, label, table = place
    found = [one for one in references_of(task) if (one.upstream, one.source, one.table) == (upstream, label, table)]
    assert [printed(one) for one in found] == [PRINTED[place]]


def test_the_files_are_read_in_order_and_rows_as_listed(tmp_path: Path) -> None:
    rows = [{"upstream": name, "values": [50.0, 51.0]} for name in ("nose", "ears", "mouth")]
    folder = written(tmp_path, source(*rows), source(label="Later 2021"))
    found = [(one.source, one.upstream) for one in read_references(folder)]
    assert found == [
        ("Someone 2020", "nose"),
        ("Someone 2020", "ears"),
        ("Someone 2020", "mouth"),
        ("Later 2021", "ears"),
    ]


def test_the_references_of_a_task_are_its_own(tmp_path: Path) -> None:
    rows = [{"upstream": "ears", "values": [50.0, 51.0]}]
    table = {"results": [{"task": task, "rows": rows} for task in ("other", "toy")]}
    folder = written(tmp_path, source(table=table))
    assert [one.task for one in references_of("toy", folder)] == ["toy"]
    assert references_of("nobody-wrote-about", folder) == ()


def test_a_row_says_everything_in_words(tmp_path: Path) -> None:
    row = {"upstream": "ears", "downstream": "CNN", "values": [0.5, None, 0.31], "sd": [0.02, None, None]}
    results = [{"task": "toy", "differs": "two  spaces", "rows": [row]}]
    metrics = ["ccc valence", "pearson", "ccc"]
    (one,) = read_references(written(tmp_path, source(table={"metrics": metrics, "results": results})))
    assert (one.task, one.upstream, one.downstream) == ("toy", "ears", "CNN")
    assert (one.source, one.table, one.citation) == ("Someone 2020", "Table 1", "Someone: Something. 2020")
    assert one.differs == "no dev two spaces"
    assert [(figure.title, figure.text) for figure in one.figures] == [("CCC valence", "0.50 ± 0.02"), ("CCC", "0.31")]


@pytest.mark.parametrize(("places", "shown"), [(0, "84"), (1, "84.0"), (2, "84.00")])
def test_trailing_zeros_are_printed_as_the_source_does(tmp_path: Path, places: int, shown: str) -> None:
    folder = written(tmp_path, source({"upstream": "ears", "values": [84, 84.0]}, table={"places": places}))
    assert printed(read_references(folder)[0]) == [shown, shown]


REFUSED = {
    "an unknown task": (
        source(table={"results": [{"task": "toys", "rows": [{"upstream": "ears", "values": [50, 50]}]}]}),
        "Table 1 in source-0.yaml: there is no task 'toys' (did you mean 'toy'?)",
    ),
    "an unknown metric": (source(table={"metrics": ["uar", "war"]}), "unknown metric 'war'"),
    "a dimension of a percentage": (source(table={"metrics": ["uar arousal", "wa"]}), "'uar' has no dimensions"),
    "a value too few": (source({"upstream": "ears", "values": [50]}), "toy, ears: 1 values for 2 metrics"),
    "a spread too many": (
        source({"upstream": "ears", "values": [50, 50], "sd": [1, 1, 1]}),
        "3 standard deviations for 2 metrics",
    ),
    "a spread of nothing": (source({"upstream": "ears", "values": [50, None], "sd": [1, 1]}), "wa has a standard"),
    "a negative spread": (source({"upstream": "ears", "values": [50, 50], "sd": [1, -1]}), "deviation of -1"),
    "no value at all": (source({"upstream": "ears", "values": [None, None]}), "no value"),
    "more than all": (source({"upstream": "ears", "values": [50, 100.1]}), "wa 100.1 (it lies between 0 and 100)"),
    "less than nothing": (source({"upstream": "ears", "values": [-5, 50]}), "uar -5"),
    "a fraction for a percentage": (
        source({"upstream": "ears", "values": [0.61, 50]}),
        "uar 0.61 (it is a percentage: 61, if it is a fraction)",
    ),
    "a correlation above 1": (
        source({"upstream": "ears", "values": [1.01]}, table={"metrics": ["ccc"]}),
        "ccc 1.01 (it lies between -1 and 1)",
    ),
    "an error below 0": (source({"upstream": "ears", "values": [-0.1]}, table={"metrics": ["rmse"]}), "rmse -0.1"),
    "more decimals than are printed": (
        source({"upstream": "ears", "values": [61.53, 60]}, table={"places": 1}),
        "61.53 has more than 1 decimals",
    ),
    "a spread with more decimals": (
        source({"upstream": "ears", "values": [61, 60], "sd": [0.123, 1]}),
        "0.123 has more than 2 decimals",
    ),
    "a row twice": (source(*[{"upstream": "ears", "values": [50, 51]}] * 2), "UAR of ears on toy is given twice"),
    "an upstream that is no name": (source({"upstream": "My Ears", "values": [50, 51]}), "'My Ears'"),
    "another spelling": (
        source(*({"upstream": name, "values": [50, 51]} for name in ("ears-2.0", "ears2.0"))),
        "upstream 'ears2.0' (elsewhere it is spelt 'ears-2.0')",
    ),
    "another spelling in a fusion": (
        source(*({"upstream": name, "values": [50, 51]} for name in ("ears-2", "nose + ears2"))),
        "elsewhere it is spelt 'ears-2'",
    ),
    "what differs unsaid": (
        {
            key: ([{k: v for k, v in value[0].items() if k != "differs"}] if key == "tables" else value)
            for key, value in source().items()
        },
        "the key 'tables.0.differs' is missing",
    ),
    "an unknown key": (source(ulr="https://example.org"), "unknown key 'ulr'"),
    "a value that is text": (source({"upstream": "ears", "values": ["50", 51]}), "'50'"),
    "a value that is a truth value": (source({"upstream": "ears", "values": [True, 51]}), "True"),
    "an infinite value": (source({"upstream": "ears", "values": [float("inf"), 51]}), "inf"),
    "an address that is none": (source(url="example.org"), "'example.org'"),
    "a full stop that would be two": (source(citation="Someone: Something. 2020."), "'citation'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(tmp_path: Path, what: str) -> None:
    content, message = REFUSED[what]
    with pytest.raises(UsageError) as error:
        read_references(written(tmp_path, content))
    assert message in str(error.value)


def test_the_same_figure_under_another_protocol_is_no_repetition(tmp_path: Path) -> None:
    rows = [{"upstream": "ears", "values": [50, 51]}]
    results = [{"task": "toy", "differs": differs, "rows": rows} for differs in ("dev is test", "dev is a speaker")]
    assert len(read_references(written(tmp_path, source(table={"results": results})))) == 2


def test_spellings_and_repetitions_are_compared_across_files(tmp_path: Path) -> None:
    other = source({"upstream": "e-ars", "values": [50, 51]}, label="Later 2021")
    with pytest.raises(UsageError, match="Later 2021, Table 1: upstream 'e-ars'"):
        read_references(written(tmp_path, source(), other))
    (tmp_path / "again").mkdir()
    with pytest.raises(UsageError, match="is given twice"):
        read_references(written(tmp_path / "again", source(), source()))


def test_a_plus_is_part_of_a_name(tmp_path: Path) -> None:
    rows = [{"upstream": name, "values": [50, 51]} for name in ("wavlm-base", "wavlm-base+")]
    assert len(read_references(written(tmp_path, source(*rows)))) == 2


def test_the_shipped_files_are_read() -> None:
    files = {path.stem for path in SHIPPED.glob("*.yaml")}
    assert {"emobox", "emotion2vec", "mitra", "pepino", "purohit", "upadhyay"} <= files
    assert len({one.citation for one in read_references()}) == len(files)
