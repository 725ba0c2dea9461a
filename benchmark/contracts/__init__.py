"""What every upstream, downstream, corpus and task promises, as checks that the tests and `bench check` run alike.

Each check raises a BenchError that says which input and which value broke the promise. In the manner of scikit-learn's
`check_estimator`.
"""

from benchmark.contracts.common import Check, mistake_of
from benchmark.contracts.corpus import check_corpus
from benchmark.contracts.downstream import check_downstream
from benchmark.contracts.task import check_task
from benchmark.contracts.upstream import check_upstream

__all__ = ["Check", "check_corpus", "check_downstream", "check_task", "check_upstream", "mistake_of"]
