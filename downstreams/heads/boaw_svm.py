"""A support vector machine on bags of audio words.

Purohit and Magimai-Doss, "Emotion information recovery potential of wav2vec2 network fine-tuned for speech recognition
task" (ICASSP 2025): 500 words for low-level descriptors and 500 for their deltas, counted by openXBOW.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream, HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams import checks as check
from downstreams.heads.audio_words import Bags
from downstreams.heads.svm import SVM
from downstreams.params.boaw_svm import BoAWSVMParams


class BoAWSVM(Downstream):
    """Bag of audio words, then a support vector machine; codebooks are learnt from train alone."""

    name = "boaw-svm"
    version = 1
    Params: ClassVar[type[HeadParams]] = BoAWSVMParams
    params: BoAWSVMParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self._bags: Bags | None = None
        self._machine = SVM(self.params.machine, device)
        self._shape = (0, 0)

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Learn codebooks from the frames of train, then fit the machine as its own recipe says.

        Args:
            train: At least one example, with targets.
            dev: May be empty; its bags join those of train where the machine's recipe says so.
            seed: Decides what is drawn for codebooks unless the recipe fixes it.

        Returns:
            That of the machine.

        Raises:
            BenchError: Examples are not as they should be, the parts are not those of a frame, or there are fewer
                frames than words.
        """
        if not len(train):
            raise BenchError("train holds no utterance", "a head needs at least one")
        self._shape = (train.x[0].shape[0], train.x[0].shape[-1])
        frames = self._frames(train, "train")
        self._bags = Bags.learn(frames, self.params, seed if self.params.seed is None else self.params.seed)
        fitted = replace(train, x=self._bags.of(frames))
        return self._machine.fit(fitted, self._bagged(dev, "dev"), seed=seed)

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """As the head svm.

        Raises:
            BenchError: The head is not fitted, or the features are not like those it was fitted on.
        """
        return self._machine.predict(self._bagged(examples, "test"))

    def parameters(self) -> int:
        """Number of values of words, and of the machine."""
        words = self._bags.codebooks if self._bags is not None else ()
        return sum(codebook.words.size for codebook in words) + self._machine.parameters()

    def _bagged(self, examples: Examples, what: str) -> Examples:
        if self._bags is None:
            raise BenchError(f"the head {self.name} predicts before it is fitted", "call fit first")
        return replace(examples, x=self._bags.of(self._frames(examples, what)))

    def _frames(self, examples: Examples, what: str) -> list[NDArray[np.float32]]:
        """The frames (T, D) of the recipe's layer; where features are memory maps these are parts of them."""
        layer, layers = self.params.layer, self._shape[0]
        if layer != "last" and layer >= layers:
            raise BenchError(f"the recipe reads layer {layer}", f"the upstream has {layers} layers: 0..{layers - 1}")
        place = layers - 1 if layer == "last" else layer
        return [frames[place] for frames in check.frames(examples, what, self._shape)]
