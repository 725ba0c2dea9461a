"""Encoders of transformers, built from the files of a checkpoint: every weight is in its place, or it is an error."""

from __future__ import annotations

import contextlib
import importlib
import itertools
from collections.abc import Iterator
from typing import Any

from benchmark.errors import BenchError
from upstreams.checkpoints import Checkpoint
from upstreams.pretrained.families import ENCODER_WEIGHT, Family

# What config.json may say that the encoder must not heed. SpecAugment masks in training only, but its vector would be
# expected among the weights, and many published checkpoints have none. The adapter is a head that shortens the output
# for translation, with the feed-forward block before it; the encoder ends there. Old configurations hold what
# transformers should return by default.
IGNORED = {
    "mask_time_prob": 0.0,
    "mask_feature_prob": 0.0,
    "add_adapter": False,
    "use_intermediate_ffn_before_adapter": False,
    "output_attentions": False,
    "output_hidden_states": False,
    "return_dict": True,
}


class Encoder:
    """The encoder of a checkpoint, as transformers builds it.

    Args:
        checkpoint: The files.
        family: Its architecture.
    """

    def __init__(self, checkpoint: Checkpoint, family: Family) -> None:
        self._checkpoint = checkpoint
        self._family = family

    def parameters(self) -> int:
        """Number of the encoder's weights, counted on a model without memory for them.

        Raises:
            BenchError: No model can be made as the configuration says.
        """
        import torch

        encoder, config = self._class(), self._config()
        try:
            with torch.device("meta"), _quiet():
                return sum(weight.numel() for weight in encoder(config).parameters())
        except Exception as error:  # whatever transformers makes of a configuration that contradicts itself
            raise self._unusable("its config.json is refused", error) from error

    def weight_names(self) -> set[str]:
        """Names of the encoder's weights, of a model without memory for them."""
        import torch

        encoder, config = self._class(), self._config()
        with torch.device("meta"), _quiet():
            return set(encoder(config).state_dict())

    def extractor(self) -> Any:
        """The feature extractor, with the checkpoint's own settings.

        Raises:
            BenchError: They are refused.
        """
        import transformers

        try:
            return getattr(transformers, self._family.extractor).from_dict(self._checkpoint.preprocessor)
        except Exception as error:  # as in `parameters`
            raise self._unusable("the settings of its feature extractor are refused", error) from error

    def load(self) -> Any:
        """The model in float32 and eval mode, on the CPU.

        Raises:
            BenchError: The weights cannot be loaded, or do not fit the configuration.
        """
        import torch

        folder = self._checkpoint.files[0].parent
        encoder, config = self._class(), self._config()
        try:
            # Loading draws from torch's global generator, on which somebody else may rely.
            with _quiet(), torch.random.fork_rng(devices=[]):
                # A class of transformers itself and weights_only: neither code nor pickled objects of a checkpoint run.
                model, info = encoder.from_pretrained(
                    folder,
                    config=config,
                    dtype=torch.float32,
                    # "sdpa" takes half the time of "eager" on a CPU and is as reproducible; WavLM, whose positions
                    # enter the attention, has no other than its own.
                    attn_implementation="sdpa" if encoder._supports_sdpa else "eager",
                    key_mapping=dict(self._family.names) or None,
                    use_safetensors=self._checkpoint.safetensors,
                    weights_only=True,
                    local_files_only=True,
                    ignore_mismatched_sizes=True,  # refused below, with the name of the weight
                    output_loading_info=True,
                )
        except Exception as error:  # whatever its readers make of a file that anybody may have written
            raise self._unusable("its weights cannot be loaded", error) from error
        self._check_complete(info)
        _settle(model)
        return model.eval()

    def _class(self) -> Any:
        module, _, name = self._family.encoder.partition(":")
        return getattr(importlib.import_module(f"transformers.models.{module}"), name)

    def _config(self) -> Any:
        """The configuration as transformers reads it, without what only training and heads use."""
        import transformers

        settings = {key: value for key, value in self._checkpoint.config.items() if key not in IGNORED}
        try:
            config = getattr(transformers, self._family.config).from_dict(settings)
        except Exception as error:  # as above
            raise self._unusable("its config.json is refused", error) from error
        for key, value in IGNORED.items():
            setattr(config, key, value)
        return config

    def _check_complete(self, info: dict[str, Any]) -> None:
        """Refuse weights that transformers would have made up, and weights of the encoder that it would leave out."""
        surplus = [key for key in info["unexpected_keys"] if ENCODER_WEIGHT.search(str(key))]
        mismatched = [key[0] if isinstance(key, tuple) else key for key in info["mismatched_keys"]]
        found = (("missing", info["missing_keys"]), ("of another shape", mismatched), ("left over", surplus))
        wrong = [f"{len(keys)} {what}, such as {min(map(str, keys))!r}" for what, keys in found if keys]
        if wrong:
            raise BenchError(
                f"the weights of {self._checkpoint.label!r} do not fit its config.json: " + "; ".join(wrong),
                f"weights and config.json in {self._checkpoint.folder} must come from one model; download it again",
            )

    def _unusable(self, what: str, error: BaseException) -> BenchError:
        told = str(error) if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {error}"
        reason = " ".join(itertools.islice(told.split(), 40))
        return BenchError(
            f"{self._checkpoint.label!r} cannot be used, {what}: {reason}",
            f"download it again into {self._checkpoint.folder}, or give another folder",
        )


def _settle(model: Any) -> None:
    """Compute once what is computed of weights alone.

    The positional convolutions normalise theirs in every forward pass, for a second of speech 3 % of it.
    """
    from torch.nn.utils import parametrize

    for module in model.modules():
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing progress bars and reports while a model is made; what matters is checked."""
    logging: Any = importlib.import_module("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
