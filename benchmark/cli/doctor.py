"""`bench doctor`: what works on this machine."""

from __future__ import annotations

from benchmark.cli.options import Data, Weights, examples, load
from benchmark.cli.terminal import print_table
from benchmark.errors import BenchError

DOCTOR_EPILOG = examples("bench doctor")


def doctor(data: Data = None, weights: Weights = None) -> None:
    """Say what works on this machine. Python, packages, device, folders, corpora and weights."""
    from benchmark.doctor import examine

    registry, settings = load(None, data, weights)
    findings = examine(registry, settings)
    print_table("", ["", "what", "found"], [[f.status, f.what, f.found] for f in findings])
    broken = [finding.what for finding in findings if finding.status == "BROKEN"]
    if broken:
        raise BenchError(f"broken here: {', '.join(broken)}", "see the table")
