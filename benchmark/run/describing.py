"""What the records of a cell say of it before anything is computed: its task, upstream and head, with their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.base.code import code_sha256
from benchmark.base.declared import DeclaredHead
from benchmark.base.identity import Code, code_of, identity_sha256, version_of
from benchmark.features import encoding
from benchmark.features.encoding import encoding_code
from benchmark.features.views import open_view
from benchmark.io.files import digest
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.targets import targets_of
from benchmark.records import CodePart, DownstreamPart, UpstreamPart
from benchmark.run import fitting
from benchmark.run.fitting import fit_and_score
from benchmark.run.suiting import check_head
from benchmark.run.teaching import teach
from benchmark.run.unit import Names, Parts

if TYPE_CHECKING:
    from benchmark.run.worker import Worker

# From the store to the counts of a head: what opens features, makes targets, fits and scores. The division is data.
FEEDING = (open_view, Dataset, targets_of, fit_and_score)


def parts_of(worker: Worker, names: Names) -> Parts:
    """What the records of a cell say of it.

    Args:
        worker: Has read the cell's task.
        names: Of the cell.

    Raises:
        UsageError: The identity of other people's class is no plain value.
    """
    upstream, head = worker.upstream(names.upstream), worker.registry.declared_head(names.downstream)
    head_name = worker.registry.downstream_entry(names.downstream).name  # also of a recipe in a file of one's own
    encoded, fitted = encoding_code(upstream, head.facts.needs), fitting_code(head)
    head_sha256, trained_on = identity_sha256(head_name, head, fitting.VERSION), upstream.trained_on
    upstream_sha256 = identity_sha256(upstream.name, upstream, encoding.VERSION)
    trained = [worker.trainer.parts(worker.tuning.cell(row)) for row in worker.tuning.rows(names.upstream)]
    if trained:  # what decides a training decides the weights
        upstream_sha256 = digest([upstream_sha256, *(part.cell_sha256 for part in trained)])
        made = [code_sha256(*FEEDING), *(code.model_dump() for part in trained for code in part.code)]
        encoded = Code(digest([encoded.sha256, *made]), encoded.libraries)
    taught_by = worker.teacher_of(names)
    if taught_by is not None:  # what decides the teacher decides the head, and so does what it was trained on
        check_head(worker.known(names.task).dataset.task, taught_by.downstream, worker.trainer.registry)
        teacher = worker.trainer.parts(taught_by)
        head_sha256 = digest([head_sha256, teacher.upstream.sha256, teacher.downstream.sha256])
        taught = [code_sha256(teach), *(part.model_dump() for part in teacher.code)]
        fitted = Code(digest([fitted.sha256, *taught]), fitted.libraries)
        trained_on = tuple(dict.fromkeys([*trained_on, *teacher.upstream.trained_on]))
    phones_sha256 = worker.alignments(names.task).sha256 if head.facts.phones else None
    if phones_sha256 is not None:  # who hears other phones is another head
        head_sha256 = digest([head_sha256, phones_sha256])
    return Parts(
        task=worker.known(names.task).part,
        upstream=UpstreamPart(
            name=upstream.name,
            version=version_of(upstream),
            sha256=upstream_sha256,
            params=dict(upstream.params),
            weights_sha256=upstream.weights_sha256(),
            sample_rate=upstream.sample_rate,
            layers=None,
            dim=None,
            parameters=None,
            trained_on=list(trained_on),
        ),
        downstream=DownstreamPart(
            name=head_name,
            version=version_of(head),
            sha256=head_sha256,
            needs=head.facts.needs,
            params=dict(head.params),
            parameters=None,
            stochastic=head.facts.stochastic or worker.tuning.is_seeded(names.upstream),
            transductive=head.facts.transductive,
            phones_sha256=phones_sha256,
        ),
        code=(CodePart.model_validate(encoded.as_dict()), CodePart.model_validate(fitted.as_dict())),
        changes=worker.setup.changes,
    )


def fitting_code(head: DeclaredHead) -> Code:
    """The code and libraries that decide a unit beside its features: the head's, and what feeds and scores it here."""
    own = code_of(head)
    return Code(digest([own.sha256, code_sha256(*FEEDING)]), own.libraries)
