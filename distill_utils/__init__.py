"""Distil a transformer into a tiny text classifier, one idea a module.

The flow runs one way, and so do the imports:

tasks         labelled texts, from a folder, the hub, or `miniature` (generated) -- with split hygiene
profiles      smoke, laptop, full: how much of everything a run uses
teachers      a transformer, fine-tuned once; its soft labels, computed once
augmentation  more texts for the teacher to label: the transfer set
encoding      words to row numbers
students      tiny classifiers: raw text in, labels out
distillation  the KL loss and the one training loop, for hard and soft labels alike
scoreboard    every result as one row; paired tests; the blog's claims
figures       every plot
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("distill_utils")
except PackageNotFoundError:  # a checkout on the path, not installed
    __version__ = "0+checkout"
