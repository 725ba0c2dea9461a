"""Every made corpus by the name of the corpus."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from trees import cmu, podcasts
from trees.expected import Expected

ONE_A_MODULE = (
    *("aesdd", "ased", "baved", "cafe", "crema-d", "emodb", "emovo", "iemocap", "m3ed", "meld", "msp-improv", "nemo"),
    *("ravdess", "resd", "savee", "shemo", "subesco", "tess", "turev-db", "urdu"),
)
CATALOGUE: Mapping[str, Expected] = {
    **{name: importlib.import_module(f"trees.{name.replace('-', '_')}").EXPECTED for name in ONE_A_MODULE},
    "biic-podcast": podcasts.EXPECTED_BIIC,
    "cmu-mosei": cmu.EXPECTED_MOSEI,
    "cmu-mosi": cmu.EXPECTED_MOSI,
    "msp-podcast": podcasts.EXPECTED_MSP,
}
