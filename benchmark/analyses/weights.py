"""Which layers a head listens to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.text import clean


def layer_weights(cell: Cell) -> NDArray[np.float64]:
    """The learnt weight of each layer: (seeds, layers), the mean over folds; each row sums to one.

    Raises:
        BenchError: The cell is incomplete, there is one layer only, or the head learns no weights; the message says
            which.
    """
    cell.refuse_incomplete()
    name = clean(cell.name)
    if cell.upstream.layers == 1:
        raise BenchError(f"no layer weights of {name}: {clean(cell.upstream.name)} has one layer")
    found = []
    for seed in cell.seeds:
        for fold in cell.task.folds:
            selection = cell.records[fold, seed].selection
            if selection is None or selection.layer_weights is None:
                raise BenchError(f"no layer weights of {name}: {clean(cell.downstream.name)} learns none")
            found.append(selection.layer_weights)
    lengths = sorted({len(weights) for weights in found})
    if len(lengths) > 1:
        raise BenchError(f"the units of {name} have weights of {', '.join(map(str, lengths))} layers")
    weights = np.array(found, dtype=np.float64).reshape(len(cell.seeds), len(cell.task.folds), -1)
    return np.asarray(weights.mean(axis=1))
