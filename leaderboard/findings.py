"""What the statistics of a board say, in sentences: controls, power, seeds, and tests over corpora."""

from __future__ import annotations

from benchmark.statistics.tasks import MIN_CORPORA, Across
from benchmark.text import clean, count, decimal, join, measured, p_text, some
from leaderboard.overview import Track
from leaderboard.rows import Group, Section

SIGNIFICANT = 0.05
MIN_PAIR = 2  # systems
PAIRS_SHOWN = 10  # of those that differ over corpora; the page has all of them
RANKS_SHOWN = 20  # of the systems that are ranked over corpora, the best first


def task_findings(section: Section) -> tuple[str, ...]:
    """What beats a control, what each table would find, and whose seeds are no sample."""
    return (*_controls(section), *_power(section), *_seeds(section))


def _controls(section: Section) -> list[str]:
    """Which systems of a table are not better than its control: what they learnt cannot be told from nothing."""
    analysis, lines = section.analysis, []
    for group in section.groups:
        for control in (place.row.cell for place in group.places if place.row.scores and place.row.cell.control):
            pairs = [analysis.pairs[system, control.name] for system in group.ranked]
            if not any(pair.p is not None for pair in pairs):
                continue
            same = [clean(pair.a) for pair in pairs if not analysis.better(pair.a, pair.b)]
            told = f"no better than it, as far as can be told: {', '.join(same)}" if same else "every system is better"
            lines.append(
                f"{_title(group)}, against {clean(control.name)}, a control, corrected for "
                f"{count(pairs[0].pairs, 'pair')}: {told}."
            )
    return lines


def _power(section: Section) -> list[str]:
    """What each table would find of true differences, with its uncertainty, and why nothing is tested."""
    analysis, lines = section.analysis, []
    pair = next(iter(analysis.pairs.values()), None)
    if pair is None:
        return []
    units = count(pair.n_clusters, "speaker") if pair.cluster == "speaker" else _groups(pair.n_clusters)
    worth = f"{units}, worth {decimal(pair.effective_clusters, 1)} of equal weight"
    if pair.p is None:
        return [f"Nothing is tested: {worth}, are too few to tell one system from another."]
    for group in section.groups:
        if group.name == "contaminated" or len(group.ranked) < MIN_PAIR:
            continue
        found = analysis.outlook(group.ranked)
        sizes = join([measured(one.difference, analysis.metric.percent) for one in found])
        shares = join([f"{_percent(one.share)} ({_percent(one.low)} to {_percent(one.high)})" for one in found])
        pairs = count(len(group.ranked) * (len(group.ranked) - 1) // 2, "pair")
        lines.append(
            f"{_title(group)}: of true differences of {sizes} {analysis.metric.title} this "
            f"table would find about {shares} %, corrected for {pairs} ({worth})."
        )
    return lines


def _title(group: Group) -> str:
    return group.name[0].upper() + group.name[1:]


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _seeds(section: Section) -> list[str]:
    """Which systems have seeds that learnt nothing."""
    return [
        f"Seeds that did not learn: {clean(place.row.cell.name)}, seed {join(list(map(str, place.row.collapsed)))} (of "
        f"{len(place.row.cell.seeds)}), next to a constant answer; its mean is of two kinds of models, and its "
        "interval is too sure."
        for group in section.groups
        for place in group.places
        if place.row.collapsed
    ]


def _groups(number: int) -> str:
    """That many groups of utterances, which stand in for speakers."""
    return f"{count(number, 'group')} of utterances"


def across_notes(track: Track) -> tuple[str, ...]:
    """What the tests over corpora say of a track."""
    return (*_friedman(track), *_wilcoxon(track))


def _friedman(track: Track) -> list[str]:
    across = track.across
    if across is None:
        systems = sum(not one.control for one in track.standings)
        there = f"{count(systems, 'system')} and {_number_of(len(track.corpora), 'corpus', 'corpora')}"
        needed = f"three systems on tasks of {MIN_CORPORA} corpora that count"
        return [f"No tests over tasks: they need {needed}; here are {there}."]
    missing = ""
    if across.left_out:
        named = some([clean(name) for name in across.left_out], PAIRS_SHOWN)
        missing = f" Without systems that lack some of these tasks: {named}."
    most = len(across.systems) - 1
    short = ", more than any two can" if across.critical_distance > most else ""
    corpora = _number_of(len(across.corpora), "corpus", "corpora")
    return [
        f"Friedman's test over {corpora} ({count(len(across.tasks), 'task')}, each corpus one number) and "
        f"{len(across.systems)} systems: chi-squared {decimal(across.friedman_statistic, 2)}, "
        f"{p_text(across.friedman_p)}. Mean ranks there, of which Nemenyi's test tells those apart that differ by "
        f"{decimal(across.critical_distance, 2)} or more{short}: {_mean_ranks(across)}.{missing}"
    ]


def _mean_ranks(across: Across) -> str:
    """The ranks that Friedman's and Nemenyi's tests are of, which are among other systems than those of a table."""
    each = [f"{clean(name)} {decimal(rank, 2)}" for name, rank in zip(across.systems, across.mean_ranks, strict=True)]
    return some(each, RANKS_SHOWN)


def _wilcoxon(track: Track) -> list[str]:
    if not track.signed:
        return []
    told = [
        f"{clean(one.a)} and {clean(one.b)} ({p_text(one.p_adjusted)})"
        for one in track.signed
        if one.p_adjusted < SIGNIFICANT
    ]
    smallest = min(one.smallest for one in track.signed)
    if told:
        verdict = some(told, PAIRS_SHOWN).replace(", ", "; ")
    elif smallest >= SIGNIFICANT:
        most = max(one.corpora for one in track.signed)
        verdict = (
            f"with {most} corpora no corrected p can be below {decimal(smallest, 3)}, so nothing can be told apart"
        )
    else:
        verdict = "no two systems can be told apart"
    pairs = count(len(track.signed), "pair")
    return [f"Wilcoxon's signed-rank test over the corpora of each pair, corrected by Holm for {pairs}: {verdict}."]


def _number_of(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
