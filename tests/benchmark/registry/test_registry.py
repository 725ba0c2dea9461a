"""The registry: finds without importing, and helps with typos."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmark.base import Corpus, Downstream, Upstream
from benchmark.errors import UsageError
from benchmark.registry.registry import Registry


def test_every_name_can_be_built_and_is_what_it_says() -> None:
    registry = Registry()
    for entry in registry.upstreams():
        if not (entry.name.endswith(":") or entry.arguments):  # those need weights
            upstream = registry.upstream(entry.name)
            assert isinstance(upstream, Upstream)
            assert upstream.name == entry.name
        assert entry.summary
    for entry in registry.downstreams():
        assert isinstance(registry.downstream(entry.name), Downstream)
        assert entry.summary
    for entry in registry.corpora():
        corpus = registry.corpus(entry.name)
        assert isinstance(corpus, Corpus)
        assert all((entry.summary, corpus.licence, corpus.citation, corpus.homepage, corpus.how_to_get))
    for name in registry.tasks():
        task = registry.task(name)
        assert len(registry.corpora_of(task)) == len(task.uses)
        registry.downstream(task.downstream)


def test_the_names_of_the_issue_are_there() -> None:
    registry = Registry()
    upstreams = {entry.name for entry in registry.upstreams()}
    assert {"chance", "logmel", "mfcc", "egemaps", "compare", "whisper-tiny", "hf:"} <= upstreams
    assert {"superb", "superb-s3prl", "svm"} <= {entry.name for entry in registry.downstreams()}
    assert {"demo", "urdu", "urdu-random"} <= set(registry.tasks())
    assert {"demo", "urdu", "csv"} <= {entry.name for entry in registry.corpora()}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.upstream("wisper-tiny"), "unknown upstream 'wisper-tiny' (did you mean 'whisper-tiny'?)"),
        (lambda r: r.downstream("superbb"), "unknown downstream 'superbb' (did you mean 'superb'?)"),
        (lambda r: r.corpus("urduu"), "unknown corpus 'urduu' (did you mean 'urdu'?)"),
        (lambda r: r.task("urdu-rand"), "unknown task 'urdu-rand' (did you mean 'urdu-random'?)"),
        (lambda r: r.task("nowhere.yaml"), "there is no task file 'nowhere.yaml'"),
        (lambda r: r.downstream("nowhere.yaml"), "there is no recipe file 'nowhere.yaml'"),
        (lambda r: r.upstream("hf:"), "'hf:' is a prefix (something follows it, as in hf:PATH-OR-ID)"),
    ],
)
def test_an_unknown_name_is_a_usage_error_with_a_hint(ask, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(Registry())
    assert message in str(caught.value)


def test_listing_and_reading_tasks_loads_no_torch() -> None:
    code = (
        "import sys; from benchmark.registry.registry import Registry; from benchmark.protocol.task import read_task\n"
        "r = Registry(); r.upstreams(), r.downstreams(), [r.task(n) for n in r.tasks()]\n"
        "[(r.head_facts(e.name), r.declared_head(e.name)) for e in r.downstreams()]\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'opensmile', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
