"""A board in one line: how much was compared on how many people, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.text import NONE, clean, count, decimal
from leaderboard.languages import UNKNOWN, languages
from leaderboard.rows import Section


@dataclass(frozen=True)
class Summary:
    """What a board is made of; synthetic speech and controls are not counted.

    Attributes:
        systems: Pairs of upstream and downstream with a score.
        rows: Scores: a system on a task.
        tasks: Protocols with a score.
        corpora: That are tested on.
        languages: Of these, as far as they are known.
        speakers: Whose speech is tested, each corpus's counted once; of a corpus that does not know them none.
        hours: Of speech in these corpora as their tasks hear them.
        date: Of the newest record, "2026-11-30"; a dash where there is none.
        version: Of the benchmark that made it.
    """

    systems: int
    rows: int
    tasks: int
    corpora: int
    languages: int
    speakers: int
    hours: float
    date: str
    version: str

    @property
    def figures(self) -> tuple[tuple[str, str], ...]:
        """Numbers with what they count, the most telling first; nothing of what there is none of, or not known."""
        hours = decimal(self.hours, 0 if self.hours >= 9.95 else 1)
        counted = (
            (self.systems, "system", "systems"),
            (self.corpora, "corpus", "corpora"),
            (self.languages, "language", "languages"),
            (self.speakers, "speaker", "speakers"),
        )
        words = [(str(number), one if number == 1 else several) for number, one, several in counted if number]
        return (*words, *([] if hours == "0.0" else [(hours, f"{'hour' if hours == '1' else 'hours'} of speech")]))

    @property
    def counted(self) -> str:
        """How much there is, as a sentence without its end: nothing of when and with what it was made."""
        told = ", ".join(f"{number} {words}" for number, words in self.figures)
        return f"{told}; {count(self.rows, 'row')} on {count(self.tasks, 'task')}"

    @property
    def line(self) -> str:
        """All of it as a sentence without its end."""
        return f"{self.counted}; newest record {self.date}, made with serbench {self.version}"


def summary(sections: Sequence[Section]) -> Summary:
    """Count what is on a board; where all of its speech is synthetic, that."""
    people = [section for section in sections if not section.task.corpus.synthetic]
    counted = [section for section in people or sections if section.analysis.cells]
    cells = [cell for section in counted for cell in section.analysis.cells if not cell.control]
    speakers: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for section in counted:
        names, of_task = section.task.corpus.names, section.analysis.cells
        speakers[names[-1]] = max(speakers.get(names[-1], 0), *(cell.n_speakers for cell in of_task))
        heard = max(cell.audio_s for cell in of_task)
        seconds[section.task.corpus.name] = max(seconds.get(section.task.corpus.name, 0), heard)
    # of two corpora together only where neither is known alone
    alone = {name for name in seconds if " -> " not in name}
    hours = sum(value for name, value in seconds.items() if name in alone or not alone & set(name.split(" -> ")))
    shown = (place.row.cell for section in sections for group in section.groups for place in group.places)
    newest = max((cell.made for cell in shown), default=None)
    return Summary(
        systems=len({cell.name for cell in cells}),
        rows=len(cells),
        tasks=len(counted),
        corpora=len(speakers),
        languages=len({code for section in counted for code in languages(section.task)[-1:]} - {UNKNOWN, "und"}),
        speakers=sum(speakers.values()),
        hours=hours / 3600,
        date=NONE if newest is None else clean(newest[0][:10]),
        version=NONE if newest is None else clean(newest[1]),
    )
