"""What a schema computed of its values does not stay when they change."""

from __future__ import annotations

from records_factory import record

from benchmark.registry.registry import Registry


def test_a_changed_copy_computes_anew() -> None:
    provenance = record().provenance
    before, code = provenance.computed_by, provenance.downstream
    assert provenance.model_copy(update={"command": "bench"}).computed_by == before
    assert provenance.model_copy(update={"downstream": None}).computed_by != before
    assert code is not None
    assert code.plain["code_sha256"] == code.code_sha256
    assert code.model_copy(update={"code_sha256": "f" * 64}).plain["code_sha256"] == "f" * 64


def test_a_changed_task_uses_what_it_says() -> None:
    task = Registry().task("urdu")
    assert task.uses[0].corpus == "urdu"
    assert task.model_copy(update={"corpus": "emovo"}).uses[0].corpus == "emovo"
