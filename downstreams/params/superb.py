"""The parameters of SUPERB's head."""

from __future__ import annotations

from downstreams.params.trained import TrainedParams


class SuperbParams(TrainedParams):
    """What decides the numbers of the head; `hidden` is the width of the projection."""
