"""What a split gives away: overlap of speakers, recordings and sentences, what is missing, and what tells the class.

`measure` counts, `findings` judges, `overlaps` does both for stretches of one recording, `report` holds what is found.
"""

from benchmark.audit.measure import audit
from benchmark.audit.report import Audit, Finding, FoldAudit

__all__ = ["Audit", "Finding", "FoldAudit", "audit"]
