"""Small randomly initialised models of every supported architecture, saved as published checkpoints are."""

from __future__ import annotations

import contextlib
from pathlib import Path

CONVOLUTIONS = {"conv_dim": [16] * 7, "num_feat_extract_layers": 7}
SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "vocab_size": 12,
    "initializer_range": 0.2,  # far enough from zero that every weight shows in the output
    **CONVOLUTIONS,
}
LARGE_LIKE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
WHISPER = {
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "vocab_size": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "init_std": 0.2,
}
MOONSHINE = {
    "hidden_size": 24,
    "intermediate_size": 32,
    "encoder_num_hidden_layers": 3,
    "decoder_num_hidden_layers": 1,
    "encoder_num_attention_heads": 4,
    "decoder_num_attention_heads": 4,
    "vocab_size": 64,
    "pad_token_id": 0,
    "initializer_range": 0.1,  # its residual stream grows with more, and with it the rounding
}
W2V_BERT = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "conv_depthwise_kernel_size": 7,
    "left_max_position_embeddings": 8,
    "right_max_position_embeddings": 4,
    "vocab_size": 12,
    "initializer_range": 0.2,
}
# name -> (prefix of the classes, settings, waveform normalised?)
ARCHITECTURES = {
    "wav2vec2-base": ("Wav2Vec2", SMALL, False),
    "wav2vec2-large": ("Wav2Vec2", {**SMALL, **LARGE_LIKE}, True),
    "hubert-base": ("Hubert", SMALL, True),
    "hubert-large": ("Hubert", {**SMALL, **LARGE_LIKE}, True),
    "wavlm-base": ("WavLM", {**SMALL, "num_buckets": 32}, False),
    "wavlm-large": ("WavLM", {**SMALL, **LARGE_LIKE, "num_buckets": 32}, True),
    "data2vec-audio": (
        "Data2VecAudio",
        {**SMALL, "num_conv_pos_embeddings": 2, "conv_pos_kernel_size": 5},
        True,
    ),
    "distilhubert": ("Hubert", {**SMALL, "num_hidden_layers": 2, "feat_proj_layer_norm": False}, False),
    "moonshine": ("Moonshine", MOONSHINE, False),
    "wav2vec2-bert": ("Wav2Vec2Bert", W2V_BERT, False),
    "whisper": ("Whisper", WHISPER, False),
}
EXTRACTORS = {"Whisper": "WhisperFeatureExtractor", "Wav2Vec2Bert": "SeamlessM4TFeatureExtractor"}


@contextlib.contextmanager
def quiet_transformers():
    """Without progress bars: these tests look at what is printed."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    yield
    logging.set_verbosity(level)
    logging.enable_progress_bar()


def save_model(folder: Path, architecture: str, *, head: str = "Model", half: bool = False, **settings) -> Path:
    """Save a random model and its feature extractor.

    Args:
        folder: Made.
        architecture: A key of ARCHITECTURES.
        head: "Model", or what the model is for: "ForCTC", "ForConditionalGeneration".
        half: In float16.
        settings: Changes of the configuration.
    """
    import torch
    import transformers

    prefix, base, normalise = ARCHITECTURES[architecture]
    torch.manual_seed(len(architecture))
    with quiet_transformers():
        config = getattr(transformers, f"{prefix}Config")(**{**base, **settings})
        model = getattr(transformers, f"{prefix}{head}")(config)
        (model.half() if half else model).save_pretrained(folder)
        if prefix in EXTRACTORS:
            getattr(transformers, EXTRACTORS[prefix])(feature_size=80).save_pretrained(folder)
        else:
            transformers.Wav2Vec2FeatureExtractor(do_normalize=normalise).save_pretrained(folder)
    return folder
