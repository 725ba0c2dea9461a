"""An upstream and a head as one module from waveforms to outputs, and what of the upstream is trained."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.base.trainable import Trainable
from benchmark.errors import UsageError
from downstreams.modules.drawing import give_dropout
from downstreams.modules.interface import Outputs
from downstreams.params.finetune import FinetuneParams, LowRank
from downstreams.training.frames import MEAN_OF_LAST

NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm1d)
ALWAYS = ("convolutions", "embeddings", "norm")  # may be named in a recipe, whether an upstream has them or not


class TunedModule(nn.Module):
    """Waveforms through an upstream and a head.

    Dropout is drawn for each utterance from a seed of its own, so that it does not depend on how a batch is cut; on a
    GPU, where utterances go through the upstream together, from that of the first.

    Args:
        trainable: The upstream.
        head: From frames (B, L, T, D) and their mask to outputs.
        params: Which layers are read, and in which precision.
    """

    def __init__(self, trainable: Trainable, head: nn.Module, params: FinetuneParams) -> None:
        super().__init__()
        self.upstream = trainable.module
        self.head = head
        self.trainable = trainable
        self.params = params
        self.seeds: NDArray[np.uint64] | None = None  # (B,) of the next batch in training

    def forward(self, x: Tensor, mask: Tensor) -> Outputs:
        """From waveforms (B, 1, n, 1), padded, and their mask (B, n) to outputs."""
        lengths = mask.sum(dim=1).tolist()
        waves = [row[0, :length, 0].cpu().numpy() for row, length in zip(x, lengths, strict=True)]
        rows = range(len(waves))
        together: Sequence[Sequence[int]] = [[row] for row in rows] if x.device.type == "cpu" else [list(rows)]
        found = []
        for some in together:
            with self._drawing(some[0], x.device):
                layers = self.trainable.layers([waves[row] for row in some], x.device.type, self.params.precision)
                found.append(self.head(*_side_by_side([self._read(states) for states in layers])).scores)
        return Outputs(torch.cat(found))

    def _read(self, states: Tensor) -> Tensor:
        """The layers (L', T, D) that the recipe asks for."""
        if self.params.layers == "last":
            return states[-1:]
        return states if self.params.layers == "all" else states[-MEAN_OF_LAST:].mean(dim=0, keepdim=True)

    @contextlib.contextmanager
    def _drawing(self, row: int, device: torch.device) -> Iterator[None]:
        """Let dropout of the upstream and of the head follow from the seed of an utterance, and nothing else."""
        if not self.training or self.seeds is None:
            yield
            return
        seed = int(self.seeds[row])
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
            if device.type == "cpu":
                torch.default_generator.manual_seed(seed)  # torch.manual_seed writes down the stack for GPUs: 1 ms
            else:
                torch.manual_seed(seed)
            give_dropout(self.head, np.random.Generator(np.random.PCG64(seed)))
            yield


def _side_by_side(layers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Layers (L, T_i, D) of B utterances as (B, L, T, D), zero after the end of each, with their mask (B, T)."""
    lengths = [states.shape[1] for states in layers]
    longest = max(lengths)
    padded = [nn.functional.pad(states, (0, 0, 0, longest - states.shape[1])) for states in layers]
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    return torch.stack(padded), mask.to(padded[0].device)


def choose(trainable: Trainable, params: FinetuneParams, seed: int) -> None:
    """Freeze what a recipe does not train of an upstream.

    Args:
        trainable: Changed; low-rank matrices are added to it.
        params: Of the recipe.
        seed: Of the initial values of such matrices.

    Raises:
        UsageError: The upstream has no such block, or fewer; or all that would be trained of it is frozen.
    """
    parts = trainable.parts()
    blocks = [name for name in parts if name.isdigit()]
    frozen = {str(name) for name in params.frozen}
    unknown = sorted(frozen - {*parts, *ALWAYS})
    if unknown or (params.blocks or 0) > len(blocks):
        wrong = f"no block {unknown[0]}" if unknown else f"no {params.blocks} blocks"
        raise UsageError(f"the upstream has {wrong}: it has {len(blocks)}, from 0", "change the recipe")
    upper = blocks if params.blocks is None else blocks[-params.blocks :]
    if params.trains in ("last-blocks", "low-rank") and frozen.issuperset(upper):
        raise _untrained(params)
    own = {id(weight) for weight in trainable.module.parameters() if weight.requires_grad}
    trainable.module.requires_grad_(False)
    if params.low_rank is not None:
        within = [trainable.parts()[name][0] for name in blocks if name not in frozen]
        _add_low_rank(trainable, params.low_rank, within, seed)
        return
    names = [*upper, "norm"] if params.blocks is not None else list(parts)
    for name in names:
        for module in parts.get(name, ()) if name not in frozen else ():
            for part in module.modules():
                for key, weight in part.named_parameters(recurse=False):
                    is_chosen = params.trains != "bias-and-norm" or isinstance(part, NORMS) or key == "bias"
                    weight.requires_grad_(is_chosen and id(weight) in own)
    if not any(weight.requires_grad for weight in trainable.module.parameters()):
        raise _untrained(params)


def _untrained(params: FinetuneParams) -> UsageError:
    frozen = ", ".join(map(str, params.frozen))
    blocks = "" if params.blocks is None else f" (blocks: {params.blocks})"
    return UsageError(
        f"nothing of the upstream would be trained: the recipe trains {params.trains}{blocks} and freezes {frozen}",
        "freeze less; a head on features trains itself alone",
    )


def _add_low_rank(trainable: Trainable, recipe: LowRank, blocks: Sequence[nn.Module], seed: int) -> None:
    import peft

    inside = {id(module) for block in blocks for module in block.modules()}
    targets = [
        name for name in trainable.linear_layers(recipe.targets) if id(trainable.module.get_submodule(name)) in inside
    ]
    config = peft.LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.dropout, target_modules=targets, bias="none"
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it knows no config.json beside the module
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(config, trainable.module)


def merge(trainable: Trainable) -> None:
    """Add low-rank matrices to the layers that they stand beside, so that the module is as it was built."""
    if not any("lora_" in name for name, _ in trainable.module.named_parameters()):
        return
    from peft.tuners.lora import LoraLayer

    for name, module in list(trainable.module.named_modules()):
        if isinstance(module, LoraLayer):
            parent, _, own = name.rpartition(".")
            module.merge()
            setattr(trainable.module.get_submodule(parent), own, module.get_base_layer())
