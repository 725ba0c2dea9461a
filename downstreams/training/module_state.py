"""The part of a module's state that training changes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def trained(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def changing(module: nn.Module) -> dict[str, Tensor]:
    """What training can change, by name: all of the state but frozen parameters."""
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in module.state_dict().items() if name not in frozen}


def restore(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put a module into the state that `changing` told."""
    module.load_state_dict({**module.state_dict(), **state})
