"""The stack of layers in a transformer, by whatever name its architecture gives it."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch.utils.checkpoint import checkpoint

M_MMAP_THRESHOLD = -3  # from malloc.h


def layers_of(model) -> torch.nn.ModuleList:
    """The layers: the list of modules that holds most of the weights."""
    stacks = [module for module in model.modules() if isinstance(module, torch.nn.ModuleList)]
    return max(stacks, key=lambda stack: sum(weight.numel() for weight in stack.parameters()))


def cut(model, layers: int) -> None:
    """Keep the first `layers` layers of a model, in place; 0 keeps all. Raises ValueError when it has fewer."""
    kept = layers_of(model)
    if not 0 <= layers <= len(kept):
        raise ValueError(f"cannot keep {layers} layers: this transformer has {len(kept)}")
    if layers:
        del kept[layers:]
        model.config.num_hidden_layers = layers


@contextmanager
def computed_twice(model) -> Iterator[None]:
    """Until it ends, layers keep their input only and are computed again for the gradient: less memory, more time.

    The gradient is the same to the last bit, dropout included. Unlike the library's own switch it works for every
    architecture (MPNet has none).
    """
    layers = layers_of(model)
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    _return_freed_blocks_from(2 << 20)
    try:
        yield
    finally:
        _return_freed_blocks_from(32 << 20)  # where glibc's own rule ends
        for layer in layers:
            del layer.forward  # the class's own shows again


def _return_freed_blocks_from(size: int) -> None:
    """Have the C library give freed blocks of `size` bytes or more back to the system, where it can be told (glibc).

    Left alone it soon keeps blocks of up to 32 MB in a heap with holes: half of what a step of MPNet's took.
    """
    try:
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, size)
    except (AttributeError, OSError, TypeError):  # another C library
        pass
