"""A data set like one of your own, for whoever has none at hand: generated, three unbalanced classes, two files."""

import csv
import io
from pathlib import Path

import numpy as np

from distill_utils.cache import write_atomically
from distill_utils.texts import miniature
from distill_utils.texts.tasks import TASKS

KEPT = {"joy": 1.0, "anger": 0.6, "fear": 0.35}  # the emotions that it has, and the share of their texts


def write_example(folder: Path, *, rows: int = 900, unlabelled: int = 800, seed: int = 0) -> tuple[Path, Path]:
    """Write `example.csv` (columns `text`, `label`) and `example.txt` (texts alone); the same bytes every time.

    `rows` emotion-like texts are generated and the classes of KEPT thinned out; some rows repeat, one with another
    label, as real files have it.
    """
    made = miniature.generate("emotion", seed=seed, train=rows, validation=rows // 2, test=0, unlabelled=unlabelled)
    names, random = TASKS["emotion"].labels, np.random.default_rng(seed)
    texts, numbers = (train + validation for train, validation in zip(made["train"], made["validation"], strict=True))
    labelled = [(text, names[number]) for text, number in zip(texts, numbers, strict=True)]
    labelled = [pair for pair in labelled if random.random() < KEPT.get(pair[1], 0)]
    labelled += [*labelled[:5], (labelled[5][0], next(name for name in KEPT if name != labelled[5][1]))]
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("text", "label"), *labelled])
    paths = folder / "example.csv", folder / "example.txt"
    write_atomically(paths[0], table.getvalue().encode())
    write_atomically(paths[1], "".join(f"{text}\n" for text in made["unsupervised"][0]).encode())
    return paths
