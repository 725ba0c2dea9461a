"""Models that were pre-trained here, as upstreams: without FunASR, by the network that trained them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, MissingError
from benchmark.types import Features
from upstreams.funasr.checkpoint_files import FunASRCheckpoint
from upstreams.pretraining.about import need_about
from upstreams.pretraining.speech import normalised


class Pretrained(Upstream):
    """A folder that `bench pretrain` made: `pretrained:` or `emotion2vec:` and the folder; every layer.

    Layers are as those of `emotion2vec:`: layer 0 is what enters the first block, layer i what leaves block i, without
    the utterance tokens. An utterance is encoded alone.

    Args:
        model: The folder.
        name: The row on the leaderboard; without it the prefix and the folder's own name.

    Raises:
        MissingError: The folder is not here.
        BenchError: It was not made by `bench pretrain`, or a file cannot be read.
    """

    name = "pretrained:"
    version = 1
    libraries = ("numpy", "torch")
    sample_rate = 16_000
    batch_seconds = 60.0

    def __init__(self, model: str, *, name: str | None = None) -> None:
        self._checkpoint = FunASRCheckpoint(model)
        about = need_about(self._checkpoint.folder)
        self._shape = about.recipe.model
        self.name = name or f"{type(self).name}{self._checkpoint.label}"
        self.layers = self._shape.prenet + self._shape.trunk + 1
        self.dim = self._shape.dim
        self.frame_rate: float | None = self.sample_rate / self._shape.hop
        self.min_duration = self._shape.field / self.sample_rate
        self.trained_on = tuple(about.trained_on)
        self._encoder: Any = None

    @property
    def params(self) -> dict[str, Any]:
        """The model. The files themselves are in `weights_sha256`, wherever they were found."""
        return {"model": self._checkpoint.label}

    def weights_sha256(self) -> str:
        """Digest of the weights and of config.yaml; nothing is loaded."""
        return self._checkpoint.sha256

    def parameters(self) -> int:
        """Number of the encoder's weights, counted on a model without memory for them."""
        import torch

        from upstreams.pretraining.network import Encoder

        with torch.device("meta"):
            return sum(weight.numel() for weight in Encoder(self._shape).parameters())

    def get_ready(self) -> None:
        """Load the model, see `Upstream.get_ready`.

        Raises:
            BenchError: The weights cannot be loaded, or do not fit what the folder says of them.
            MissingError: There is no such device.
        """
        import torch

        from upstreams.pretraining.network import Encoder

        if self._encoder is not None:
            return
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise MissingError(f"{self.name} shall run on {self.device!r}, but torch finds no GPU", "use --device cpu")
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            encoder = Encoder(self._shape)
        weights = _own_weights(self._checkpoint, encoder.state_dict(), self._shape.prenet)
        encoder.load_state_dict(weights, assign=True)
        self._encoder = encoder.eval().requires_grad_(requires_grad=False).to(self.device)

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """All hidden states: (layers, T, dim).

        Raises:
            BenchError: The weights cannot be loaded, or do not fit what the folder says of them.
        """
        import torch

        self.get_ready()
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            source = torch.from_numpy(normalised(wave)).to(self.device)[None]
            hidden = torch.cat(self._encoder.contextual(self._encoder.local(source)).hidden)
            layers = self._chosen(hidden).cpu().numpy()
        return Features(np.ascontiguousarray(layers), self.frame_rate)

    def _chosen(self, hidden: Any) -> Any:
        """Frames of (layers, N + T, dim)."""
        return hidden[:, self._shape.tokens :]


class PretrainedUtterance(Pretrained):
    """The utterance embedding of such a model, the mean of its tokens: one vector for each layer.

    Table 9 of Ma et al. 2024 reads it. Without tokens it is the mean of the frames (figure 2, global embedding).
    """

    name = "pretrained-utterance:"
    version = 1

    def __init__(self, model: str, *, name: str | None = None) -> None:
        super().__init__(model, name=name)
        self.frame_rate = None

    def _chosen(self, hidden: Any) -> Any:
        tokens = self._shape.tokens
        return (hidden[:, :tokens] if tokens else hidden).mean(dim=1, keepdim=True)


def _own_weights(checkpoint: FunASRCheckpoint, expected: Mapping[str, Any], prenet: int) -> dict[str, Any]:
    """The weights of an encoder by its own names, each a copy.

    Raises:
        BenchError: One is missing, or of another shape.
    """
    import torch

    from upstreams.pretraining.published_names import published_name

    state, found = checkpoint.state(), {}
    for name, wanted in expected.items():
        weight = state.get(published_name(name, prenet))
        if weight is None or getattr(weight, "shape", None) != wanted.shape:
            raise BenchError(
                f"{checkpoint.label!r} in {checkpoint.folder} cannot be used: the weight {name!r} is "
                f"{'missing' if weight is None else 'of another shape'}",
                "its files must be those that one bench pretrain wrote",
            )
        found[name] = weight.detach().to(torch.float32, copy=True)
    return found
