"""The checkpoint of an emotion2vec or data2vec 2.0 model: its files, their digest, and the settings that it needs.

Two layouts are read. FunASR's is a folder with config.yaml and model.pt. fairseq's is one .pt file that holds its
configuration beside the weights; a config.yaml beside it goes first. Nothing in either is run: YAML is safe-loaded, the
weights load with `weights_only`, keys that are not known here are not used, and the list of convolutions, which
fairseq and FunASR hand to `eval`, is read as a list of numbers before.
"""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import digest, file_sha256
from benchmark.io.yamls import read_yaml, validate
from upstreams.checkpoints import download, locate, refuse_pointers

CONFIG = "config.yaml"
WEIGHTS = "model.pt"
PATTERN = "*.pt"
# What `model:` in config.yaml must say. It is compared, never imported.
FUNASR_CLASS = "Emotion2vec"
# Where the weights are in a file; FunASR looks in this order.
NESTED = ("state_dict", "model_state_dict", "model")
HOW_TO_GIVE = f"give a folder with {CONFIG} and {WEIGHTS}, or with one .pt file of fairseq, or a Hub id (owner/model)"
MOST_CONVOLUTIONS = 64

Convolution = tuple[int, int, int]  # channels, kernel, stride
Count = Annotated[StrictInt, Field(ge=0, le=1_000)]
Size = Annotated[StrictInt, Field(ge=1, le=100_000)]


def parse_convolutions(text: Any) -> tuple[Convolution, ...]:
    """Read a list of convolutions, such as "[(512, 10, 5)] + [(512, 3, 2)] * 4", without evaluating it.

    Args:
        text: Lists of (channels, kernel, stride), joined by "+" and repeated by "*" and a number.

    Raises:
        ValueError: It is anything else.
    """

    def number(node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int and 0 < node.value <= 100_000:
            return node.value
        raise ValueError("a number is expected")

    def convolution(node: ast.expr) -> Convolution:
        if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 3:
            channels, kernel, stride = map(number, node.elts)
            return channels, kernel, stride
        raise ValueError("(channels, kernel, stride) is expected")

    def convolutions(node: ast.expr) -> list[Convolution]:
        found: list[Convolution]
        if isinstance(node, ast.List | ast.Tuple):
            found = [convolution(element) for element in node.elts]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            found = convolutions(node.left) + convolutions(node.right)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            found = convolutions(node.left) * min(number(node.right), MOST_CONVOLUTIONS + 1)
        else:
            raise ValueError("a list is expected")
        if not 0 < len(found) <= MOST_CONVOLUTIONS:
            raise ValueError(f"1 to {MOST_CONVOLUTIONS} convolutions are expected")
        return found

    if not isinstance(text, str) or len(text) > 1_000:
        raise ValueError("a list of convolutions is expected, in one line of text")
    try:
        return tuple(convolutions(ast.parse(text.strip(), mode="eval").body))
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("a list of convolutions is expected") from error


class _Settings(BaseModel):
    """Keys that are not known here concern training, and are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Audio(_Settings):
    """The front end, its positions, and the transformer blocks before those of the trunk ("prenet")."""

    feature_encoder_spec: Annotated[tuple[Convolution, ...], BeforeValidator(parse_convolutions)]
    extractor_mode: Literal["default", "layer_norm"]
    conv_pos_width: Size
    conv_pos_groups: Size
    conv_pos_depth: Annotated[StrictInt, Field(ge=1, le=1_000)]
    conv_pos_pre_ln: StrictBool
    prenet_depth: Count
    num_extra_tokens: Count
    use_alibi_encoder: StrictBool
    learned_alibi: Literal[False]  # FunASR's class fails with a learnt bias
    learned_alibi_scale_per_head: StrictBool
    learned_alibi_scale_per_layer: StrictBool
    num_alibi_heads: Size


class Modalities(_Settings):
    """The one modality that FunASR's class has."""

    audio: Audio


class Settings(_Settings):
    """What decides the features, of `model_conf` in config.yaml or of `cfg` in a file of fairseq.

    Attributes:
        normalize: Whether the waveform of an utterance is normalised to zero mean and unit variance.
    """

    depth: Annotated[StrictInt, Field(ge=1, le=1_000)]
    embed_dim: Size
    num_heads: Size
    mlp_ratio: Annotated[float, Field(gt=0, le=1_000)]
    norm_eps: Annotated[float, Field(gt=0, le=1)]
    norm_affine: StrictBool
    layer_norm_first: StrictBool
    normalize: StrictBool
    modalities: Modalities

    @property
    def blocks(self) -> int:
        """Number of transformer blocks: those of the prenet and those of the trunk."""
        return self.modalities.audio.prenet_depth + self.depth

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        hop = 1
        for _, _, stride in self.modalities.audio.feature_encoder_spec:
            hop *= stride
        return hop

    @property
    def field(self) -> int:
        """Samples that the first frame needs."""
        field, hop = 1, 1
        for _, kernel, stride in self.modalities.audio.feature_encoder_spec:
            field += (kernel - 1) * hop
            hop *= stride
        return field

    def for_funasr(self) -> dict[str, Any]:
        """The `model_conf` that FunASR's class takes: these settings, and nothing that only training needs."""
        audio = self.modalities.audio
        return {
            **self.model_dump(exclude={"modalities"}),
            "modalities": {
                "audio": {
                    **audio.model_dump(exclude={"feature_encoder_spec"}),
                    "feature_encoder_spec": repr(list(audio.feature_encoder_spec)),  # goes through `eval` there
                    "model_depth": self.depth,
                    "alibi_scale": 1.0,  # the first value of a weight
                    "learned_alibi_scale": True,
                    "init_extra_token_zero": True,
                    "local_grad_mult": 1.0,
                    "decoder": None,
                    **dict.fromkeys(("prenet_layerdrop", "prenet_dropout"), 0.0),
                    **dict.fromkeys(("start_drop_path_rate", "end_drop_path_rate"), 0.0),
                }
            },
            **dict.fromkeys(("start_drop_path_rate", "end_drop_path_rate", "dropout_input", "layerdrop"), 0.0),
            **dict.fromkeys(
                ("encoder_dropout", "attention_dropout", "activation_dropout", "post_mlp_drop"),
                0.0,
            ),
        }


class FunASRCheckpoint:
    """A checkpoint in a folder, or on the Hugging Face Hub, from where it is downloaded into the Hub's own cache.

    Making one reads config.yaml; the weights are fetched when they are first asked for, which is at once where there
    is no config.yaml. An existing folder goes before a Hub id.

    Attributes:
        label: What to call it: the Hub id, or the folder's own name without its path.
        folder: Where the files lie.
        settings: What decides the features.

    Args:
        model: A folder, or a Hub id such as "emotion2vec/emotion2vec_base".
        revision: Branch, tag or commit on the Hub; None for its main branch.

    Raises:
        MissingError: `model` is neither a folder nor a Hub id, or its files are neither there nor to be had.
        UsageError: Its settings are not those of such a model, or a revision is given for a folder.
        BenchError: A file cannot be read.
    """

    def __init__(self, model: str, revision: str | None = None) -> None:
        self.folder, self._hub_id = locate(model, revision, (CONFIG,), HOW_TO_GIVE)
        self.label = self._hub_id or self.folder.resolve().name
        self.settings = self._read_settings()

    def _read_settings(self) -> Settings:
        where = f"{CONFIG} of {self.label!r}"
        if (self.folder / CONFIG).is_file():
            content = read_yaml(self.folder / CONFIG)
            if content.get("model") != FUNASR_CLASS:
                raise UsageError(
                    f"{where} is of a model {content.get('model')!r}", f"this upstream reads FunASR's {FUNASR_CLASS!r}"
                )
            return validate(Settings, content.get("model_conf"), f"model_conf in {where}")
        configuration = self.load().get("cfg")
        if not isinstance(configuration, Mapping):
            raise MissingError(
                f"{self.label!r} has no settings: {self.folder} holds no {CONFIG}, and {self.weights.name} no "
                "configuration of fairseq",
                HOW_TO_GIVE,
            )
        model, task = configuration.get("model"), configuration.get("task")
        if not isinstance(model, Mapping) or not isinstance(task, Mapping):
            raise UsageError(f"the configuration in {self.weights.name} of {self.label!r} has no model and no task")
        return validate(
            Settings,
            {**model, **{key: task[key] for key in ("normalize",) if key in task}},
            f"the configuration in {self.weights.name} of {self.label!r}",
        )

    @cached_property
    def weights(self) -> Path:
        """The file of the weights, downloaded first where it must be.

        Raises:
            MissingError: There is none, or several of which none is called model.pt, or it cannot be downloaded.
        """
        found = self._weight_files()
        if not found and self._hub_id is not None:
            # The folder of a snapshot is named after its commit, so the weights are those of the config read before.
            self.folder = download(self._hub_id, self.folder.name, (PATTERN,), HOW_TO_GIVE)
            found = self._weight_files()
        if len(found) != 1:
            several = (
                f", and {', '.join(path.name for path in found)}: which is meant?" if found else " and no .pt file"
            )
            raise MissingError(f"{self.label!r} has no weights: {self.folder} holds no {WEIGHTS}{several}", HOW_TO_GIVE)
        refuse_pointers(self.label, found, HOW_TO_GIVE)
        return found[0]

    def _weight_files(self) -> list[Path]:
        preferred = self.folder / WEIGHTS
        return [preferred] if preferred.is_file() else sorted(self.folder.glob(PATTERN))

    @cached_property
    def sha256(self) -> str:
        """Digest of the weights and of config.yaml, whatever the folder and the weights are called."""
        files = {"weights": self.weights, CONFIG: self.folder / CONFIG}
        return digest({name: file_sha256(path) for name, path in files.items() if path.is_file()})

    def load(self) -> Mapping[str, Any]:
        """What the file of the weights holds; tensors of a newer file stay on disk until they are used.

        Raises:
            BenchError: It cannot be read, or holds more than tensors and plain values.
        """
        import torch

        path = self.weights
        try:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        except Exception as error:  # whatever its readers make of a file that anybody may have written
            reason = str(error).strip().split("\n")[0]
            raise BenchError(
                f"the weights {path.name} of {self.label!r} cannot be loaded, or hold more than tensors and plain "
                f"values: {reason}",
                "download it again; a file with objects of other packages is never loaded here, because loading can "
                f"run code: if you trust it, save its weights alone, {{'model': ...}}, as {WEIGHTS} with a {CONFIG}",
            ) from error
        if not isinstance(content, Mapping):
            raise BenchError(f"{path.name} of {self.label!r} holds {type(content).__name__}, not weights by name")
        return content

    def state(self) -> dict[str, Any]:
        """The weights by name, out of what `load` returns."""
        state: Any = self.load()
        for key in NESTED:
            if isinstance(state.get(key), Mapping):
                state = state[key]
        return dict(state)
