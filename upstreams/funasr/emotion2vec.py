"""emotion2vec and data2vec 2.0 through FunASR's implementation, every hidden state a layer.

Both are one architecture: convolutions, a "prenet" of transformer blocks and a trunk of more of them, with ALiBi biases
in the attention; emotion2vec puts learnt utterance tokens before the frames, data2vec 2.0 has none. Published
features are the output of the last block, without those tokens (`extract_features` of FunASR's class, mask off), of
one utterance at a time, whose waveform is normalised first where the settings say so.

Layers, as for the encoders of transformers: layer 0 is what enters the first block (prenet first), layer i what leaves
block i, and the last layer is what `extract_features` returns. The utterance tokens are cut off from each.

An utterance is always encoded alone: FunASR's class cuts no padding off, and its positional convolutions see it.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import itertools
import logging
import re
import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.types import Features
from upstreams.funasr.checkpoint_files import FunASRCheckpoint

log = logging.getLogger(__name__)

PACKAGE = "funasr"
IMPLEMENTATION = "funasr.models.emotion2vec.model"
FRONT_END = "modality_encoders.AUDIO"
# Weights of the encoder. What else a checkpoint holds (decoder, teacher, classes of a fine-tuned model) is not used.
ENCODER_WEIGHT = re.compile(
    r"^(blocks|norm)\."
    r"|^modality_encoders\.AUDIO\.(local_encoder|project_features|relative_positional_encoder|context_encoder)\."
    r"|^modality_encoders\.AUDIO\.(extra_tokens|alibi_scale|alibi_bias)$"
)


@contextlib.contextmanager
def implementation() -> Iterator[Any]:
    """FunASR's class `Emotion2vec`, importable while the context lasts.

    `import funasr` imports every one of its several hundred modules (half a minute, and notices on stdout). So its
    package is entered without running its `__init__`, unless somebody has imported it before; afterwards nothing of it
    is left in `sys.modules`, so that whoever wants all of it gets all of it.

    Raises:
        MissingError: funasr, or a package that its module needs, is not installed or is broken.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise MissingError(
            "the upstreams 'emotion2vec:' and 'data2vec2:' need the package funasr, which is not installed",
            f"pip install 'serbench[{PACKAGE}]'",
        )
    before = {name for name in sys.modules if name.partition(".")[0] == PACKAGE}
    if not before:
        package = types.ModuleType(PACKAGE)
        package.__spec__, package.__path__ = spec, list(spec.submodule_search_locations or ())
        sys.modules[PACKAGE] = package
    try:
        yield _import_class()
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE and name not in before]:
            del sys.modules[name]


def _import_class() -> Any:
    notices = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(notices):
            warnings.simplefilter("ignore")  # it uses what Python and others have deprecated
            module = importlib.import_module(IMPLEMENTATION)
    except (ImportError, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        raise MissingError(
            f"funasr is installed, but its {IMPLEMENTATION} cannot be imported: {reason}",
            "pip install 'serbench[funasr]'; a torchaudio that does not suit torch is not needed: "
            "pip uninstall torchaudio",
        ) from error
    if notices.getvalue():
        log.debug("funasr says: %s", notices.getvalue().strip())
    return module.Emotion2vec


class FunASR(Upstream):
    """What the two names share: all but what their weights were trained on.

    Args:
        model: A folder with config.yaml and model.pt, or with one .pt file of fairseq, or a Hub id.
        name: The row on the leaderboard; without it the prefix and the Hub id or the folder's name without its path.
        revision: Branch, tag or commit on the Hub.

    Raises:
        UsageError: The settings are not those of such a model.
        MissingError: The folder or its files are missing, or cannot be downloaded.
        BenchError: A file cannot be read.
    """

    libraries = ("funasr", "numpy", "torch")
    extra = "funasr"
    sample_rate = 16_000
    prefix: ClassVar[str]

    def __init__(self, model: str, *, name: str | None = None, revision: str | None = None) -> None:
        self._checkpoint = FunASRCheckpoint(model, revision)
        self._settings = self._checkpoint.settings
        self.name = name or f"{self.prefix}{self._checkpoint.label}"
        self.layers = self._settings.blocks + 1
        self.dim = self._settings.embed_dim
        self.frame_rate = self.sample_rate / self._settings.hop
        self.min_duration = self._settings.field / self.sample_rate
        self._model: Any = None

    @property
    def params(self) -> dict[str, Any]:
        """The model. The files themselves are in `weights_sha256`, wherever they were found."""
        model = self._checkpoint.label if self.name.startswith(self.prefix) else self.name
        return {"model": model}

    def weights_sha256(self) -> str:
        """Digest of the weights and of config.yaml; nothing is loaded."""
        return self._checkpoint.sha256

    def parameters(self) -> int:
        """Number of the encoder's weights, counted on a model without memory for them."""
        return sum(weight.numel() for weight in self._empty().parameters())

    def encode(self, wave: NDArray[np.float32]) -> Features:
        """All hidden states: (layers, T, dim) at 50 Hz for every published checkpoint.

        Raises:
            BenchError: The weights cannot be loaded, or do not fit the settings.
        """
        import torch

        self.get_ready()
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            source = torch.from_numpy(np.array(wave, dtype=np.float32)).to(self.device)
            if self._settings.normalize:
                source = torch.nn.functional.layer_norm(source, source.shape)
            layers = self._hidden_states(self._model.to(self.device), source[None])
        return Features(np.ascontiguousarray(layers.cpu().numpy()), self.frame_rate)

    def _hidden_states(self, model: Any, source: Any) -> Any:
        """(layers, T, dim) of a waveform (1, n)."""
        import torch

        blocks = [*model.modality_encoders["AUDIO"].context_encoder.blocks, *model.blocks]
        states: list[Any] = []
        with contextlib.ExitStack() as hooks:
            hooks.enter_context(blocks[0].register_forward_pre_hook(lambda _, inputs: states.append(inputs[0])))
            for block in blocks:
                hooks.enter_context(block.register_forward_hook(lambda _, __, output: states.append(output[0])))
            last = model.extract_features(source)["x"]
        tokens = self._settings.modalities.audio.num_extra_tokens
        return torch.cat([*(state[:, tokens:] for state in states[:-1]), last])

    # -- loading ------------------------------------------------------------------------------------------------------

    def _empty(self) -> Any:
        """FunASR's model without memory for its weights; torch's random generators are not touched."""
        import torch

        with implementation() as cls, torch.device("meta"), torch.random.fork_rng(devices=[]):
            try:
                return cls(model_conf=self._settings.for_funasr())
            except Exception as error:  # whatever it makes of settings that contradict themselves
                raise self._unusable(f"FunASR refuses its settings: {error}") from error

    def get_ready(self) -> None:
        """Load the model, see `Upstream.get_ready`.

        Raises:
            BenchError: The weights cannot be loaded, or do not fit the settings.
            MissingError: There is no such device.
        """
        import torch

        if self._model is not None:
            return
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise MissingError(f"{self.name} shall run on {self.device!r}, but torch finds no GPU", "use --device cpu")
        model = self._empty()
        state = self._checkpoint.state()
        # fairseq's older checkpoints store the scale of the biases with a dimension less.
        model.modality_encoders["AUDIO"].upgrade_state_dict_named(state, FRONT_END)
        expected = model.state_dict()
        self._check_complete(state, expected)
        # A copy: what was read is still on disk, where the file may change.
        weights = {name: state[name].detach().to(torch.float32, copy=True) for name in expected}
        model.load_state_dict(weights, assign=True)
        self._model = model.eval().requires_grad_(requires_grad=False)

    def _check_complete(self, state: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
        """Refuse what FunASR loads in silence: weights that are missing, of another shape, or left over."""

        def fits(name: str) -> bool:
            return bool(getattr(state[name], "shape", None) == expected[name].shape)

        found = (
            ("missing", [name for name in expected if name not in state]),
            ("of another shape", [name for name in expected if name in state and not fits(name)]),
            ("left over", [name for name in state if name not in expected and ENCODER_WEIGHT.search(name)]),
        )
        wrong = [f"{len(names)} {what}, such as {min(names)!r}" for what, names in found if names]
        if wrong:
            raise self._unusable("its weights do not fit its settings: " + "; ".join(wrong))

    def _unusable(self, what: str) -> BenchError:
        reason = " ".join(itertools.islice(what.split(), 40))
        return BenchError(
            f"{self._checkpoint.label!r} in {self._checkpoint.folder} cannot be used, {reason}",
            "weights and settings must come from one model; download it again, or give another folder",
        )


class Emotion2vec(FunASR):
    """emotion2vec and emotion2vec+, through FunASR: `emotion2vec:` and a Hub id or a folder; every layer.

    Ma et al., "emotion2vec: Self-Supervised Pre-Training for Speech Emotion Representation", Findings of ACL 2024,
    arXiv:2312.15185. Pre-trained from data2vec 2.0 on IEMOCAP, MELD, CMU-MOSEI, MEAD and MSP-Podcast 1.8 (table 1), so
    on the first three and on MSP-Podcast its score is that of a model which has heard the test utterances.
    """

    name = "emotion2vec:"
    version = 1
    prefix = "emotion2vec:"
    trained_on = ("iemocap", "meld", "cmu-mosei", "msp-podcast")
    extra = "funasr"


class Data2Vec2(FunASR):
    """data2vec 2.0 for speech, through FunASR: `data2vec2:` and a folder or a Hub id; every layer.

    Baevski et al., "Efficient Self-supervised Learning with Contextualized Target Representations for Vision, Speech
    and Language", ICML 2023, arXiv:2212.07525. Meta publishes files of fairseq, base_libri.pt (LibriSpeech) and
    large_vox.pt (Libri-Light); FunASR's class takes their weights as they are.

    Raises:
        UsageError: The model has utterance tokens, so it is an emotion2vec.
    """

    name = "data2vec2:"
    version = 1
    prefix = "data2vec2:"
    extra = "funasr"

    def __init__(self, model: str, *, name: str | None = None, revision: str | None = None) -> None:
        super().__init__(model, name=name, revision=revision)
        tokens = self._settings.modalities.audio.num_extra_tokens
        if tokens:
            raise UsageError(
                f"{self._checkpoint.label!r} has {tokens} utterance tokens, which data2vec 2.0 has not",
                f"is it emotion2vec? --upstream {Emotion2vec.prefix}{model}",
            )
