"""Records of older schema versions, as the newest version would have written them."""

from __future__ import annotations

from typing import Any, Literal

from benchmark.errors import BenchError
from benchmark.types import UNKNOWN_SPEAKER

NEWEST: Literal[3] = 3
UNDECLARED = "undeclared"  # the version of an upstream or a head, in records that did not say it


def upgraded(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a record in the newest schema; what is no record is left for the schema to refuse.

    Schema 1 does not say which head is its task's default, what the head reads, or what is known of the speakers. It
    counts utterances without a speaker as one more speaker.

    Schema 2 does not say the versions of upstream and head: their digests are of their code too.

    Raises:
        BenchError: The schema version is not known.
    """
    version = content.get("schema")
    if type(version) is not int or not 1 <= version <= NEWEST:
        raise BenchError(f"schema: {version!r:.80} is not known", f"this version of serbench reads 1 to {NEWEST}")
    for upgrade in (_from_1, _from_2)[version - 1 :]:
        content = upgrade(content)
    return content


def _from_1(content: dict[str, Any]) -> dict[str, Any]:
    new = {**content, "schema": 2}
    new["clusters"] = {"unit": "speaker", "salt": None, "salted": False, "folds": False, "gender": {}}
    if "clusters" in content:
        raise BenchError("clusters: not a key of schema 1", "remove it and run again")
    for part, key in (("task", "downstream"), ("downstream", "needs")):
        if isinstance(new.get(part), dict):
            if key in new[part]:
                raise BenchError(f"{part}.{key}: not a key of schema 1", "remove it and run again")
            new[part] = {**new[part], key: None}
    counts, speakers = new.get("counts"), new.get("by_speaker")
    if isinstance(counts, dict) and isinstance(speakers, dict) and UNKNOWN_SPEAKER in speakers:
        stated = counts.get("test_speakers")
        if isinstance(stated, int):
            new["counts"] = {**counts, "test_speakers": stated - 1}
    return new


def _from_2(content: dict[str, Any]) -> dict[str, Any]:
    new = {**content, "schema": NEWEST}
    for part, more in (
        ("upstream", {"version": UNDECLARED}),
        ("downstream", {"version": UNDECLARED}),
        ("provenance", {"upstream": None, "downstream": None}),
    ):
        if isinstance(new.get(part), dict):
            if surplus := sorted(more.keys() & new[part].keys()):
                raise BenchError(f"{part}.{surplus[0]}: not a key of schema 2", "remove it and run again")
            new[part] = {**new[part], **more}
    return new
