"""Utterances of different length through one forward pass, each with the features it has alone.

Padding reaches the features of an utterance in five ways. What is done here about each, only while a call runs:

- GroupNorm in the convolutional front end averages over time (wav2vec 2.0 and HuBERT of base size, WavLM, Moonshine):
  every utterance is normalised over its own frames. The convolutions themselves do not pad: a frame sees its own
  samples only, and the frames that padding makes are cut off.
- The positional convolutions see the frames after the end: these are set to zero before each of them, which is what
  the convolution itself puts there for an utterance alone. transformers does so before the first; data2vec has several
  in a row, and HuBERT may have a BatchNorm before it.
- Attention: padded frames are no keys. transformers counts one or two frames too many for Moonshine.
- The depthwise convolutions of w2v-BERT 2.0 look backwards only, and its relative positions have no absolute part.
- Whisper has one length, the window, so there is no padding.

What remains is rounding: a product of other matrices is summed in another order, which changes a value by about 1e-6 of
the largest in its layer. Where that is too much (hidden states in the hundreds), `batch_shape` gives every utterance a
batch whose shape follows from its own length: the same kernels then run alone and in company, and what the others are
does not change a byte. Its place among them still may, where a kernel treats the last rows of a matrix apart.
"""

from __future__ import annotations

import contextlib
import functools
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchError, UsageError

if TYPE_CHECKING:
    import torch

# By `model_type` of config.json, and what the batch axis is followed by.
WAVEFORM_TYPES = frozenset({"data2vec-audio", "hubert", "moonshine", "wav2vec2", "wavlm"})
FRAME_TYPES = frozenset({"wav2vec2-bert"})
WINDOW_TYPES = frozenset({"whisper"})
SUPPORTED = WAVEFORM_TYPES | FRAME_TYPES | WINDOW_TYPES


def batch_shape(length: int, budget: int) -> tuple[int, int]:
    """The shape of the batch in which an utterance is encoded, alone or with others of the same shape.

    Args:
        length: Samples of the waveform, or frames of features; at least 1.
        budget: Samples (frames) that a batch may hold.

    Returns:
        Rows, and the length they are padded to: at most an eighth longer than the utterance.
    """
    step = 1 << max(length.bit_length() - 4, 0)
    padded = -(-length // step) * step
    return max(1, budget // padded), padded


def encode_together(
    model: Any, model_type: str, inputs: Sequence[torch.Tensor], *, shape: tuple[int, int] | None = None
) -> list[torch.Tensor]:
    """Encode utterances in one batch; the features of each do not depend on the others.

    All are padded to the longest: the cost is that of the longest times their number, so the caller batches utterances
    of similar length. Without `shape`, a batch of one, or of equal lengths, is neither padded nor masked.

    Args:
        model: Encoder of transformers in eval mode, with any implementation of attention ("sdpa", "eager").
        model_type: As in its configuration; one of SUPPORTED.
        inputs: What the feature extractor makes of each utterance, on the model's device, with a first axis of 1:
            waveforms (1, n), for w2v-BERT 2.0 features (1, T, F), for Whisper windows (1, F, T) of one length.
        shape: Rows and length of the batch, see `batch_shape`; empty rows are added. Of Whisper only the rows count.

    Returns:
        For each input the layers (L, T, D) float32, on the device of the model: what enters the first transformer
        block, what leaves each, and as the last one `last_hidden_state`.

    Raises:
        UsageError: `model_type` is not supported, the model has an adapter that shortens its output, or the inputs do
            not fit `shape`.
        BenchError: An input has another number of axes, or is shorter than one frame.
    """
    import torch

    _check(model, model_type, inputs)
    if not inputs:
        return []
    rows = list(inputs)
    if shape is not None:
        rows += _empty_rows(model_type, inputs, shape)
    samples = [int(values.shape[1]) for values in rows]
    if model_type in WINDOW_TYPES or (shape is None and len(set(samples)) == 1):
        states = _states(model(torch.cat(rows), output_hidden_states=True))
        frames = [int(states[0].shape[1])] * len(rows)
    elif model_type in FRAME_TYPES:
        frames = samples
        # transformers leaves out a mask that hides nothing, and other kernels run: a fixed shape has a frame to hide.
        batch = _pad(rows, max(samples) if shape is None else shape[1] + 1)
        mask = _valid(frames, batch.shape[1], batch.device)
        states = _states(model(batch, attention_mask=mask, output_hidden_states=True))
    else:
        states, frames = _padded_waveforms(model, model_type, rows, None if shape is None else shape[1])
    return [torch.stack([layer[row, : frames[row]] for layer in states]).float() for row in range(len(inputs))]


def _check(model: Any, model_type: str, inputs: Sequence[torch.Tensor]) -> None:
    if model_type not in SUPPORTED:
        raise UsageError(
            f"models of type {model_type!r} cannot be batched exactly", f"known types: {', '.join(sorted(SUPPORTED))}"
        )
    if getattr(model, "adapter", None) is not None:
        raise UsageError("a model with an adapter cannot be batched exactly", "load it with add_adapter=False")
    dimensions = 2 if model_type in WAVEFORM_TYPES else 3
    for values in inputs:
        if values.ndim != dimensions or values.shape[0] != 1:
            raise BenchError(
                f"an input of shape {tuple(values.shape)} for a model of type {model_type!r}",
                f"each is one utterance with {dimensions} axes, the first of size 1",
            )
    if model_type in WINDOW_TYPES and len({values.shape for values in inputs}) > 1:
        shapes = ", ".join(sorted(str(tuple(values.shape)) for values in inputs))
        raise BenchError(f"windows of different shapes: {shapes}", "Whisper's windows all have one length")


def _empty_rows(model_type: str, inputs: Sequence[torch.Tensor], shape: tuple[int, int]) -> list[torch.Tensor]:
    """What fills the batch up to its shape."""
    rows, length = shape
    longest = max(int(values.shape[1]) for values in inputs)
    whole_windows = model_type in WINDOW_TYPES
    if len(inputs) > rows or (longest > length and not whole_windows):
        raise UsageError(
            f"{len(inputs)} inputs of up to {longest} samples or frames do not fit a batch of {rows} times {length}",
            "ask batch_shape for the shape of each and batch those of one shape",
        )
    size = inputs[0].shape if whole_windows else (1, length, *inputs[0].shape[2:])
    return [inputs[0].new_zeros(size)] * (rows - len(inputs))


def _states(output: Any) -> list[torch.Tensor]:
    """The layers of a batch: L tensors (B, T, D)."""
    return [*output.hidden_states[:-1], output.last_hidden_state]


def _pad(rows: Sequence[torch.Tensor], length: int) -> torch.Tensor:
    """Stack (1, n_i, ...) to (B, length, ...), zeros after the end of each."""
    batch = rows[0].new_zeros((len(rows), length, *rows[0].shape[2:]))
    for row, values in enumerate(rows):
        batch[row, : values.shape[1]] = values[0]
    return batch


def _valid(lengths: Sequence[int], length: int, device: torch.device) -> torch.Tensor:
    """(B, length) bool: true before the end of each."""
    import torch

    return torch.arange(length, device=device) < torch.tensor(lengths, device=device)[:, None]


# -- waveforms --------------------------------------------------------------------------------------------------------


def _padded_waveforms(
    model: Any, model_type: str, inputs: Sequence[torch.Tensor], length: int | None
) -> tuple[list[torch.Tensor], list[int]]:
    """The layers of a padded batch, and the number of frames of each utterance."""
    import torch

    samples = [int(values.shape[1]) for values in inputs]
    convolutions, normalisations, positional = _parts(model, model_type)
    lengths = [_lengths(count, convolutions) for count in samples]
    frames = [each[-1] for each in lengths]
    if min(frames) < 1:
        raise BenchError(f"{min(samples)} samples are shorter than one frame", "leave out what is so short")
    hop = math.prod(convolution.stride[0] for convolution in convolutions)
    # As above, a fixed shape has a frame to hide.
    batch = _pad(inputs, max(samples) if length is None else length + hop)
    # Moonshine takes every hop-th value of the mask as that of a frame, though a frame needs more samples.
    heard = [(count - 1) * hop + 1 for count in frames] if model_type == "moonshine" else samples
    mask = _valid(heard, batch.shape[1], batch.device).to(torch.long)
    padding = ~_valid(frames, _lengths(batch.shape[1], convolutions)[-1], batch.device)[:, None]
    with contextlib.ExitStack() as stack:
        for index, normalisation in normalisations:
            own = functools.partial(_normalise_alone, [each[index] for each in lengths])
            stack.callback(normalisation.register_forward_hook(own).remove)
        for convolution in positional:
            stack.callback(convolution.register_forward_pre_hook(functools.partial(_silence, padding)).remove)
        stack.enter_context(_without_mask_warning())
        output = model(batch, attention_mask=mask, output_hidden_states=True)
    return _states(output), frames


def _parts(model: Any, model_type: str) -> tuple[list[Any], list[tuple[int, Any]], list[Any]]:
    """The modules that padding concerns.

    Returns:
        The convolutions of the front end in order; each GroupNorm with the index of the convolution before it; the
        positional convolutions.
    """
    from torch import nn

    if model_type == "moonshine":
        return [model.conv1, model.conv2, model.conv3], [(0, model.groupnorm)], []
    convolutions: list[Any] = []
    normalisations: list[tuple[int, Any]] = []
    # In every layer the convolution is defined first.
    for module in model.feature_extractor.modules():
        if isinstance(module, nn.Conv1d):
            convolutions.append(module)
        elif isinstance(module, nn.GroupNorm):
            normalisations.append((len(convolutions) - 1, module))
    positional = [module for module in model.encoder.pos_conv_embed.modules() if isinstance(module, nn.Conv1d)]
    return convolutions, normalisations, positional


def _lengths(samples: int, convolutions: Sequence[Any]) -> list[int]:
    """Frames after each convolution of the front end, none of which pads."""
    lengths = []
    for convolution in convolutions:
        samples = (samples - convolution.kernel_size[0]) // convolution.stride[0] + 1
        lengths.append(samples)
    return lengths


def _normalise_alone(
    lengths: Sequence[int], module: torch.nn.GroupNorm, args: tuple[torch.Tensor, ...], output: torch.Tensor
) -> torch.Tensor:
    """Forward hook of a GroupNorm (B, C, T): normalise each utterance over its own frames, zeros after its end."""
    import torch

    result = torch.zeros_like(output)
    for row, length in enumerate(lengths):
        own = args[0][row : row + 1, :, :length]
        result[row : row + 1, :, :length] = torch.nn.functional.group_norm(
            own, module.num_groups, module.weight, module.bias, module.eps
        )
    return result


def _silence(padding: torch.Tensor, _: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Forward pre-hook of a convolution (B, C, T): zeros where `padding` (B, 1, T) is true."""
    return (args[0].masked_fill(padding, 0.0), *args[1:])


@contextlib.contextmanager
def _without_mask_warning() -> Iterator[None]:
    """WavLM gives torch's attention a mask of bool beside one of float, as torch allows but would rather not see."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask", category=UserWarning)
        yield
