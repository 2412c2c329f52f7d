"""Weights in a quarter of the space: whole numbers from -127 to 127, with one scale a column or a row."""

import numpy as np


def quantise(weights: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights as int8, the same shape, and their scales along `axis`, float32, whose product is near the weights.

    The scales keep all axes, with 1 for those that share a scale, so that the two multiply as they are.
    """
    others = tuple(other for other in range(weights.ndim) if other != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True, initial=0)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.round(weights / scales).astype(np.int8), scales
