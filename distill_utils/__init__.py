"""Distil a transformer into a tiny text classifier, one idea a module.

The flow runs one way, and so do the imports:

tasks         labelled texts, from a folder, the hub, or `miniature` (generated) -- with split hygiene
profiles      smoke, laptop, full: how much of everything a run uses
teachers      a transformer, fine-tuned once; its soft labels, computed once
corruption    sentences broken on purpose: practice for a teacher that is to judge grammar
augmentation  more texts for the teacher to label; `rewriting`, `lexicon` and `generation` make new ones
encoding      words to row numbers
students      tiny classifiers: raw text in, labels out; `truncation` cuts a transformer down to one
distillation  the KL loss and the one training loop, for hard and soft labels alike
experiment    one task under one protocol: teacher, transfer set, students over seeds, board
word_order    shuffled words, and what a classifier loses by them
switch        the student on every text, the teacher where one of the `routers` says so
scoreboard    every result as one row; paired tests; the blog's claims
figures       every plot
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("distill_utils")
except PackageNotFoundError:  # a checkout on the path, not installed
    __version__ = "0+checkout"
