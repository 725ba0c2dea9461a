"""A board in one line."""

from __future__ import annotations

from boards_factory import system, task

from leaderboard.board import board
from leaderboard.summary import summary


def of(*records):
    return summary(board([one for some in records for one in some]).sections)


def test_speakers_and_hours_of_a_corpus_are_counted_once_and_controls_are_no_systems() -> None:
    one, other = task("urdu", "urdu"), task("urdu-random", "urdu", speaker_independent=False)
    hour = {"cost__audio_s": 3600.0}
    found = of(
        system("mfcc", 0.5, **one, **hour),
        system("chance", 0.25, **one, **hour),
        system("mfcc", 0.9, **other, **hour),
        system("mfcc", 0.5, **task("emovo", "emovo"), **hour),
        system("mfcc", 0.4, **task("urdu-to-emovo", "urdu -> emovo"), cost__audio_s=7200.0),
    )
    assert (found.systems, found.rows, found.tasks, found.corpora, found.languages) == (1, 4, 4, 2, 2)
    assert (found.speakers, found.hours) == (32, 2.0)
    assert found.counted == "1 system, 2 corpora, 2 languages, 32 speakers, 2.0 hours of speech; 4 rows on 4 tasks"
    assert found.line == f"{found.counted}; newest record 2026-01-02, made with serbench 0.1.0"


def test_synthetic_speech_is_counted_only_where_there_is_no_other() -> None:
    fields = task("demo", "demo")
    fields["task__corpus"] = {**fields["task__corpus"], "synthetic": True}
    assert of(system("mfcc", 0.5, **fields)).corpora == 1
    found = of(system("mfcc", 0.5, **fields), system("mfcc", 0.5, **task("urdu", "urdu")))
    assert (found.corpora, found.rows, found.languages) == (1, 1, 1)


def test_the_newest_record_gives_date_and_version() -> None:
    late = {"provenance__created": "2026-11-30T01:02:03+00:00", "provenance__version": "0.2.0"}
    found = of(system("mfcc", 0.5, **task("urdu", "urdu")), system("ears", 0.5, **task("urdu", "urdu"), **late))
    assert (found.date, found.version) == ("2026-11-30", "0.2.0")


def test_nothing_is_told_of_what_there_is_none_of() -> None:
    empty = summary(board().sections)
    assert (empty.systems, empty.date, empty.figures) == (0, "–", ())
    assert [words for _, words in of(system("mfcc", 0.5)).figures] == ["system", "corpus", "speakers"]
