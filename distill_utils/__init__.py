"""Distil a transformer into a tiny text classifier, one room a step of the flow, one idea a module.

The flow runs one way, and so do the imports:

texts        labelled texts from a folder, the hub or a generator; what a word is; more texts to label
teachers     a transformer, checked and fine-tuned once; its soft labels, computed once
scale        a teacher that labels files on many machines
students     tiny classifiers, raw text in, labels out; the KL loss and the one training loop
word_order   shuffled words, and what a classifier loses by them
switch       the student on every text, the teacher where a router says so
export       a student as a folder that runs without this library, and as a web page
results      every result as one row, paired tests, the blog's claims, every plot

Beside them: `profiles` (how much of everything a run uses), `experiment` (one task under one protocol), `own_task`
(a task of your own, from a notebook's parameters to the folder that is handed over), `exercises` and `questions`
(what a reader answers, and what is said to it),
`checks` (what public functions ask of their arguments), `cache` (what is computed once) and `progress` (what one
sees of a long step).
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("distill_utils")
except PackageNotFoundError:  # a checkout on the path, not installed
    __version__ = "0+checkout"
