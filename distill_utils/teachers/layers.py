"""The stack of layers in a transformer, by whatever name its architecture gives it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch.utils.checkpoint import checkpoint


def layers_of(model) -> torch.nn.ModuleList:
    """The layers: the list of modules that holds most of the weights."""
    stacks = [module for module in model.modules() if isinstance(module, torch.nn.ModuleList)]
    return max(stacks, key=lambda stack: sum(weight.numel() for weight in stack.parameters()))


@contextmanager
def computed_twice(model) -> Iterator[None]:
    """Until it ends, layers keep their input only and are computed again for the gradient: less memory, more time.

    The gradient is the same to the last bit, dropout included. Unlike the library's own switch it works for every
    architecture (MPNet has none).
    """
    layers = layers_of(model)
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward  # the class's own shows again
