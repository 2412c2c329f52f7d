"""A trained student as a folder that runs without this library, without torch and without transformers."""

from distill_utils.export.folder import export
from distill_utils.export.page import show

__all__ = ["export", "show"]
