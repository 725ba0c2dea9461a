"""Records of older schema versions, as the newest version would have written them."""

from __future__ import annotations

from typing import Any, Literal

from benchmark.errors import BenchError

NEWEST: Literal[2] = 2
UNKNOWN_SPEAKER = "unknown"  # stands for all utterances without a speaker, where others have one


def upgraded(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a record in the newest schema; what is no record is left for the schema to refuse.

    Schema 1 does not say which head is its task's default, what the head reads, or what is known of the speakers. It
    counts utterances without a speaker as one more speaker.

    Raises:
        BenchError: The schema version is not known.
    """
    version = content.get("schema")
    if type(version) is not int or version not in (1, NEWEST):
        raise BenchError(f"schema: {version!r:.80} is not known", f"this version of serbench reads 1 to {NEWEST}")
    return _from_1(content) if version == 1 else content


def _from_1(content: dict[str, Any]) -> dict[str, Any]:
    new = {**content, "schema": NEWEST}
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
