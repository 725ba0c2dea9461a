"""The upstream trained with the head of the MSP-Podcast challenge's baseline.

Source: Goncalves et al., "Odyssey 2024 - Speech emotion recognition challenge: Dataset, baseline framework, and
results" (Odyssey 2024); lab-msp/MSP-Podcast_Challenge, net/pooling.py and net/ser.py.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from benchmark.base import HeadParams
from downstreams.heads.attentive_statistics import AttentiveStatisticsModule
from downstreams.modules.interface import Shape
from downstreams.params.finetune import FinetuneAttentiveParams
from downstreams.training.tuned_head import TunedHead


class FinetuneAttentive(TunedHead):
    """The upstream is trained; attention-weighted mean and deviation over frames, two layers."""

    name = "finetune-attentive"
    version = 1
    Params: ClassVar[type[HeadParams]] = FinetuneAttentiveParams
    params: FinetuneAttentiveParams

    def _module(self, shape: Shape) -> nn.Module:
        return AttentiveStatisticsModule(shape, self.params.hidden, self.params.dropout)
