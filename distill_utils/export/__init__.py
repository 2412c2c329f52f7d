"""A trained student as a folder that runs without this library, without torch and without transformers."""

from distill_utils.export.folder import export

__all__ = ["export"]
