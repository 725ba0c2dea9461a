"""`bench show TASK --audit`: the audit of a task as tables, and its findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmark.cli.terminal import TerminalProgress, print_json, print_table, stdout

if TYPE_CHECKING:
    from benchmark.audit.report import Audit, FoldAudit, SetAudit, SetName
    from benchmark.io.settings import Settings
    from benchmark.registry.registry import Registry
    from benchmark.sufficient import Outputs

MEANING = (
    "UAR of guessing each utterance from the others: the majority of those of its speaker or sentence, or the class of "
    "the nearest mean duration. By chance: the same with shuffled classes. A UAR below chance is no finding: where "
    "all classes are equally frequent, leaving the utterance out makes its own class the rarest among the others."
)


def show_audit(
    registry: Registry,
    settings: Settings,
    name: str,
    *,
    as_json: bool,
    allow_partial: bool = False,
    folds_from: Path | None = None,
) -> None:
    """Audit a task on the data of this machine, and print it.

    Args:
        registry: Where the task and its corpora are.
        settings: Where the data are.
        name: The task, or the path of its YAML.
        as_json: Print `Audit.as_dict` instead of tables.
        allow_partial: Take an incomplete corpus.
        folds_from: EmoBox's folds of the corpus instead of the task's own.

    Raises:
        MissingError: A corpus is not here.
        BenchError: A corpus or a recording is not as it should be; or, after all is printed, there is a leak that the
            protocol does not declare.
    """
    from benchmark.audit import audit
    from benchmark.protocol.dataset import load_dataset
    from benchmark.protocol.emobox import with_emobox_folds
    from benchmark.protocol.hearing import listen

    task = registry.task(name)
    dataset = load_dataset(task, registry.corpora_of(task), settings, allow_partial=allow_partial)
    if folds_from is not None:
        dataset = with_emobox_folds(dataset, folds_from)
    with TerminalProgress().stage(f"listen to {name}", len(dataset.recordings)) as advance:
        heard = listen(dataset, settings, {}, advance)
    report = audit(dataset, heard)
    if as_json:
        print_json(report.as_dict())
        report.stop_on_error(name)
        return
    _print_folds(f"audit of {task.name}{' (synthetic)' if dataset.synthetic else ''}", report)
    _print_targets(report)
    _print_durations(report)
    _print_values(report)
    _print_giveaways(report)
    _print_findings(report)
    report.stop_on_error(name)


def _per_set(fold: FoldAudit, cell: Callable[[SetAudit], object]) -> str:
    """One cell: train/dev/test, and /adapt where there is any."""
    parts = ["train", "dev", "test", *(["adapt"] if fold.sets["adapt"].utterances else [])]
    return "/".join(str(cell(sets)) for part, sets in fold.sets.items() if part in parts)


def _print_block(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()
) -> None:
    """A table after an empty line; nothing where it has no rows."""
    if rows:
        stdout().print()
        print_table(title, columns, rows, right=right)


def _print_folds(title: str, report: Audit) -> None:
    """One row for each fold; cells with slashes are train/dev/test."""
    has_adapt = any(fold.sets["adapt"].utterances for fold in report.folds)
    sizes: tuple[SetName, ...] = ("train", "dev", "test", *(("adapt",) if has_adapt else ()))
    columns: dict[str, Callable[[FoldAudit], object]] = {"fold": lambda fold: fold.name}
    columns |= {part: _size(part) for part in sizes}
    columns["speakers"] = lambda fold: _per_set(fold, lambda part: part.speakers)
    columns["shared speakers"] = lambda fold: len(fold.shared_speakers)
    if any(fold.copies for fold in report.folds):
        columns["identical audio"] = lambda fold: len(fold.copies)
    if any(fold.sentences for fold in report.folds):
        columns["sentences seen"] = _sentences
    for name in sorted({name for fold in report.folds for part in fold.sets.values() for name in part.genders}):
        columns[name] = _counted("genders", name)
    right = [name for name in (*sizes, "shared speakers", "identical audio") if name in columns]
    print_table(f"{title}: {'/'.join(sizes)}", list(columns), _cells(report, columns), right=right)


def _print_targets(report: Audit) -> None:
    """Classes, or dimensions, of the sets of each fold."""
    from benchmark.sufficient import STATISTICS

    title, shown = _TARGETS[STATISTICS[report.kind].outputs]
    columns: dict[str, Callable[[FoldAudit], object]] = {"fold": lambda fold: fold.name}
    columns |= {name: shown(name) for name in report.outputs}
    if any(fold.missing for fold in report.folds):
        columns["lacks"] = lambda fold: ", ".join(fold.missing)
    _print_block(title, list(columns), _cells(report, columns))


def _cells(report: Audit, columns: dict[str, Callable[[FoldAudit], object]]) -> list[list[object]]:
    return [[cell(fold) for cell in columns.values()] for fold in report.folds]


def _size(part: SetName) -> Callable[[FoldAudit], int]:
    return lambda fold: fold.sets[part].utterances


def _counted(what: Literal["genders", "per_class"], name: str) -> Callable[[FoldAudit], str]:
    def cell(part: SetAudit) -> int:
        return (part.genders if what == "genders" else part.per_class).get(name, 0)

    return lambda fold: _per_set(fold, cell)


def _spread_over_sets(name: str) -> Callable[[FoldAudit], str]:
    def cell(part: SetAudit) -> str:
        return f"{part.values[name].mean:.2f}±{part.values[name].sd:.2f}" if name in part.values else "-"

    return lambda fold: _per_set(fold, cell)


# What is shown of the targets of a set, and its title, by what the outputs of the task are.
_TARGETS: dict[Outputs, tuple[str, Callable[[str], Callable[[FoldAudit], str]]]] = {
    "classes": ("utterances of each class", partial(_counted, "per_class")),
    "dimensions": ("mean ± standard deviation", _spread_over_sets),
}


def _sentences(fold: FoldAudit) -> str:
    found = fold.sentences
    return "" if found is None else f"{found.shared_sentences} of {found.sentences} ({100 * found.share:.0f} %)"


def _print_durations(report: Audit) -> None:
    rows = [
        [
            corpus.name,
            label,
            own.utterances,
            f"{own.total / 3600:.2f}",
            *(f"{seconds:.2f}" for seconds in (own.median, own.shortest, own.longest)),
        ]
        for corpus in report.corpora
        for label, own in corpus.durations.items()
    ]
    columns = ["corpus", "class", "utterances", "hours", "median s", "shortest s", "longest s"]
    _print_block("durations", columns, rows, right=columns[2:])


def _print_values(report: Audit) -> None:
    rows = [
        [
            corpus.name,
            name,
            *(f"{value:.2f}" for value in (own.mean, own.sd, own.lowest, own.highest)),
            "not known" if own.scale is None else f"{own.scale[0]:g} to {own.scale[1]:g}",
            len(own.outside),
        ]
        for corpus in report.corpora
        for name, own in corpus.values.items()
    ]
    columns = ["corpus", "dimension", "mean", "sd", "lowest", "highest", "scale", "off scale"]
    _print_block("values", columns, rows, right=[*columns[2:6], columns[-1]])


def _print_giveaways(report: Audit) -> None:
    def number(value: float | None, text: str) -> str:
        return "" if value is None else text.format(value)

    rows: list[list[Any]] = []
    for corpus in report.corpora:
        for what, found in corpus.giveaways.items():
            if found is not None:
                shown = [number(100 * found.uar, "{:.1f}"), number(100 * found.chance_uar, "{:.1f}")]
                shown += [number(found.nmi, "{:.2f}"), number(found.chance_nmi, "{:.2f}")]
                single = len(corpus.one_class_speakers) if what == "speaker" else ""
                groups = "" if found.groups is None else found.groups
                rows.append([corpus.name, what, found.utterances, groups, single, *shown])
    columns = ["corpus", "by", "utterances", "different", "with one class", "UAR", "by chance", "NMI", "by chance"]
    _print_block("what tells the class without listening", columns, rows, right=columns[2:])
    if rows:
        stdout().print(MEANING, markup=False)


def _print_findings(report: Audit) -> None:
    console = stdout()
    console.print()
    for finding in report.findings:
        console.print(f"{finding.severity}: {finding.text}", markup=False, soft_wrap=True)
    if not report.findings:
        console.print("no findings")
