"""Any upstream of the S3PRL hub, through s3prl's own code: `s3prl:NAME`, or `s3prl:NAME:CHECKPOINT`.

Yang et al., "SUPERB: Speech processing Universal PERformance Benchmark", Interspeech 2021; https://github.com/s3prl/s3prl.

What each layer is, and how the waveform is prepared, is s3prl's: its list of hidden states in its order. An utterance
is always encoded alone: s3prl pads batches, and its features depend on the padding (s3prl issue 415).

Where a model can be had through transformers, `hf:` is the better way: it checks the weights, needs no torchaudio, and
its last layer is the encoder's final state. `hf_wav2vec2_custom` and `hf_hubert_custom` give the same layers as `hf:`
to the last bit, but for the last one of models with `do_stable_layer_norm` (the large family): s3prl takes
`hidden_states[-1]`, which is before the final layer normalisation since transformers 5.16.

Some of s3prl's baselines (`fbank`, `mfcc`, `mel`, `linear`, `spectrogram`) subtract the mean of every utterance, so
that a head which reads means sees zeros. The upstream cannot know which head follows, so it warns.

Checkpoints are kept data: pickles are read with `weights_only`, also where s3prl asks for the opposite, and texts that
s3prl might evaluate are refused when they hold a call.
"""

from __future__ import annotations

import functools
import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import digest, file_sha256
from benchmark.types import Features
from upstreams.checkpoints import Checkpoint, refuse_pointers
from upstreams.s3prl.hub import (
    FAILURES,
    HubEntry,
    as_data,
    downloaded_files,
    find_entry,
    function_of,
    recorded_downloads,
    refuse_code,
    state_sha256,
    told,
)

log = logging.getLogger(__name__)

# Families through transformers: class of the model, and the model_type of config.json that suits it.
TRANSFORMERS = {
    "hf_hubert_custom": ("HubertModel", "hubert"),
    "hf_wav2vec2_custom": ("Wav2Vec2Model", "wav2vec2"),
}
TRANSFORMERS_HOP = 320  # samples from frame to frame, which both families say whatever the model
# What s3prl 0.4.18 and transformers make of a folder of another kind without an error.
WRONG = {
    "wavlm": "its relative positions would be dropped",
    "data2vec-audio": "its positional convolution would be made up",
}
CENTRED = ("baseline", "fbank", "linear", "mel", "mfcc", "spectrogram")
# s3prl.nn.S3PRLUpstream pads anything shorter to this, so every family is made to take it (MIN_SECOND) [s].
MIN_DURATION = 0.05
# Frames that s3prl lets an upstream deviate from its frame rate (TOLERABLE_SEQLEN_DIFF in upstream/interfaces.py).
FRAME_SLACK = 5
# Weights of the encoder, wherever a checkpoint for another purpose keeps them.
ENCODER_WEIGHT = re.compile(r"(^|\.)(encoder|feature_extractor|feature_projection)\.")


@functools.cache
def _warn_of_zero_mean(name: str) -> None:
    """Warn once in a process that means of these features are zero."""
    log.warning(
        "%s has zero mean over every utterance, as s3prl normalises it: a head that reads means learns nothing from it "
        "(s3prl:fbank_no_cmvn is without)",
        name,
    )


class S3PRL(Upstream):
    """Any upstream of the S3PRL hub: `s3prl:NAME` or `s3prl:NAME:CHECKPOINT`, such as `s3prl:fbank`.

    Args:
        argument: A name of the hub; after a second colon the file or folder of a local checkpoint, for the names that
            end in `_local` or `_custom`.

    Raises:
        MissingError: s3prl is not installed, or the checkpoint is not there.
        UsageError: The hub has no such name, or the checkpoint is of another kind than the name.
    """

    name = "s3prl:"
    version = 1
    sample_rate = 16_000
    min_duration = MIN_DURATION
    libraries = ("s3prl", "torch", "torchaudio", "transformers")
    examine = "upstreams.s3prl.installation:examine"

    def __init__(self, argument: str) -> None:
        entry_name, colon, checkpoint = argument.partition(":")
        self._entry: HubEntry = find_entry(entry_name)
        if bool(checkpoint) != self._entry.wants_file:
            raise UsageError(
                f"s3prl's {entry_name!r} "
                + (f"takes no checkpoint, and {checkpoint!r} is given" if checkpoint else "needs a checkpoint"),
                f"give s3prl:{entry_name}" + ("" if checkpoint else ":/path/to/checkpoint"),
            )
        self._folder: Checkpoint | None = None
        self._file: Path | None = None
        label = None
        if entry_name in TRANSFORMERS:
            self._folder = self._fitting(checkpoint)
            label = self._folder.label
            self.layers = int(self._folder.config.get("num_hidden_layers", 0)) + 1 or None
            self.dim = self._folder.config.get("hidden_size")
            self.frame_rate = self.sample_rate / TRANSFORMERS_HOP
        elif colon:
            self._file = Path(checkpoint).expanduser()
            if not self._file.is_file():
                raise MissingError(
                    f"there is no checkpoint {checkpoint!r}", f"s3prl:{entry_name}:FILE takes a file of this machine"
                )
            label = self._file.resolve().name
            refuse_pointers(label, [self._file], f"s3prl:{entry_name}:FILE takes a file of this machine")
        self._label = label
        self.name = f"s3prl:{entry_name}" + (f":{label}" if label else "")
        self._model: Any = None
        if entry_name in CENTRED:
            _warn_of_zero_mean(self.name)

    def _fitting(self, model: str) -> Checkpoint:
        """The checkpoint of a family through transformers, which would load one of another kind without an error."""
        checkpoint = Checkpoint(model)
        found, (_, suitable) = str(checkpoint.config.get("model_type")), TRANSFORMERS[self._entry.name]
        if found != suitable:
            why = f", and {WRONG[found]}" if found in WRONG else ""
            raise UsageError(
                f"{checkpoint.label!r} is a model of type {found!r}: s3prl's {self._entry.name!r} would load it "
                f"as {suitable!r}{why}",
                f"use --upstream hf:{model}",
            )
        return checkpoint

    @property
    def params(self) -> dict[str, Any]:
        """The entry of the hub and what the checkpoint is called; its content is in `weights_sha256`."""
        return {"entry": self._entry.name, "checkpoint": self._label}

    # -- which weights ------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _files(self) -> tuple[Path, ...] | None:
        """The checkpoint's files; empty for an entry without weights, None where only the model's own code knows."""
        if self._folder is not None:
            return self._folder.files
        return downloaded_files(self._entry) if self._file is None else (self._file,)

    @functools.cached_property
    def _digest(self) -> str | None:
        if self._folder is not None:
            return self._folder.sha256
        if self._files is None:
            self.get_ready()
            return state_sha256(self._model)
        return digest([file_sha256(path) for path in self._files]) if self._files else None

    def weights_sha256(self) -> str | None:
        """Digest of the checkpoint's files, which are downloaded for it but not loaded; None where there are none.

        A few families (`passt_*`) fetch their weights inside the model: those are loaded, and the loaded values
        digested.
        """
        return self._digest

    def parameters(self) -> int:
        """Number of weights of the model; loads it."""
        self.get_ready()
        return sum(weight.numel() for weight in self._model.parameters())

    # -- encoding -----------------------------------------------------------------------------------------------------

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """All hidden states of one utterance: (layers, T, dim) at the rate that the upstream tells.

        Raises:
            BenchError: The model cannot be loaded or does not take the utterance, its hidden states are not of one
                shape, or their number is not what its rate promises.
        """
        import torch

        self.get_ready()
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        seconds = len(wave) / self.sample_rate
        try:
            with torch.no_grad(), exact:
                samples = torch.from_numpy(np.array(wave, dtype=np.float32)).to(self.device)
                states = self._model.to(self.device)([samples])["hidden_states"]
                rates = self._model.get_downsample_rates("hidden_states")
        except FAILURES as error:
            raise BenchError(f"{self.name} cannot encode {seconds:.3f} s: {told(error)}", "is it too short?") from error
        hop = self._hop(rates, len(states))
        layers = self._stacked(states)
        if abs(layers.shape[1] - len(wave) / hop) > FRAME_SLACK:
            raise BenchError(
                f"{self.name} gives {layers.shape[1]} frames for {seconds:.3f} s, where its rate of one in {hop} "
                f"samples promises {len(wave) / hop:.0f}",
                "its frame rate is not known then; models through transformers are right with hf:",
            )
        return Features(layers, self.sample_rate / hop)

    def _hop(self, rates: Any, layers: int) -> int:
        """Samples from frame to frame, the same in every layer."""
        hops = {int(rate) for rate in (rates if isinstance(rates, list | tuple) else [rates] * layers)}
        if len(hops) != 1 or min(hops) <= 0:
            raise BenchError(
                f"the layers of {self.name} have different rates: one frame in {sorted(hops)} samples",
                "layers of one frame rate are needed; use another upstream",
            )
        return hops.pop()

    def _stacked(self, states: Any) -> NDArray[np.float32]:
        shapes = [tuple(state.shape) for state in states]
        if not shapes or len(set(shapes)) != 1 or len(shapes[0]) != 3 or shapes[0][0] != 1:
            raise BenchError(
                f"the layers of {self.name} differ in shape: {sorted(set(shapes))}",
                "layers of one length and dimension are needed; use another upstream",
            )
        return np.concatenate([np.asarray(state.float().cpu().numpy(), dtype=np.float32) for state in states])

    # -- loading ------------------------------------------------------------------------------------------------------

    def get_ready(self) -> None:
        """Load the model, see `Upstream.get_ready`.

        Raises:
            BenchError: s3prl cannot load it.
            MissingError: There is no such device.
        """
        import torch

        if self._model is not None:
            return
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise MissingError(f"{self.name} shall run on {self.device!r}, but torch finds no GPU", "use --device cpu")
        function, given, known = function_of(self._entry), self._argument(), self._files
        for path in () if self._folder is not None else known or ():
            refuse_code(path)
        try:
            with as_data(), recorded_downloads() as asked:
                model = function(*given).eval()
        except FAILURES as error:
            raise BenchError(
                f"s3prl cannot load {self.name}: {told(error)}", "does the checkpoint suit the name, and is it whole?"
            ) from error
        surplus = [] if known is None else [path.name for path in asked if path not in known]
        if surplus or (known == () and sum(weight.numel() for weight in model.parameters())):
            raise BenchError(
                f"{self.name} has weights that its checkpoint does not hold" + "".join(f", {name}" for name in surplus),
                "they would not be in the identity of the features: please report it",
            )
        if self._folder is not None:
            self._check_extractor(model, self._folder)
            model = model.float()  # whatever precision the weights are stored in
        self._model = model

    def _argument(self) -> tuple[str, ...]:
        """What the entry is given, checked."""
        if self._folder is not None:
            self._check_complete(self._folder)
            return (str(self._folder.files[0].parent),)
        return () if self._file is None else (str(self._file),)

    def _check_complete(self, checkpoint: Checkpoint) -> None:
        """Refuse weights that transformers would make up, and weights of the encoder that it would leave out."""
        import transformers

        model_class, _ = TRANSFORMERS[self._entry.name]
        try:
            with as_data():
                _, info = getattr(transformers, model_class).from_pretrained(
                    checkpoint.files[0].parent,
                    use_safetensors=checkpoint.safetensors,
                    local_files_only=True,
                    ignore_mismatched_sizes=True,  # refused below, with the name of the weight
                    output_loading_info=True,
                )
        except FAILURES as error:
            raise BenchError(
                f"the weights of {checkpoint.label!r} cannot be loaded: {told(error)}", "download it again"
            ) from error
        mismatched = [key[0] if isinstance(key, tuple) else key for key in info["mismatched_keys"]]
        missing = [key for key in info["missing_keys"] if key != "masked_spec_embed"]  # which only training uses
        surplus = [key for key in info["unexpected_keys"] if ENCODER_WEIGHT.search(str(key))]
        found = (("missing", missing), ("of another shape", mismatched), ("left over", surplus))
        wrong = [f"{len(keys)} {what}, such as {min(map(str, keys))!r}" for what, keys in found if keys]
        if wrong:
            raise BenchError(
                f"the weights of {checkpoint.label!r} do not fit its config.json: {'; '.join(wrong)}",
                f"s3prl would go on with made-up weights; is it whole? hf:{checkpoint.label} checks it too",
            )

    def _check_extractor(self, model: Any, checkpoint: Checkpoint) -> None:
        """s3prl takes the extractor of another model, without an error, where it cannot read the checkpoint's own."""
        import transformers

        kind = transformers.Wav2Vec2FeatureExtractor
        extractor = next((value for value in vars(model).values() if isinstance(value, kind)), None)
        for key in ("do_normalize", "sampling_rate"):
            own, used = checkpoint.preprocessor.get(key), getattr(extractor, key, None)
            if own is not None and own != used:
                raise BenchError(
                    f"s3prl prepares the waveform for {checkpoint.label!r} with {key} {used!r}, not its own {own!r}",
                    f"use --upstream hf:{checkpoint.label}",
                )
