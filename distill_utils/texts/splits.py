"""Train, validation and test: what is missing is drawn from train, no text is in two of them, each can be used."""

import warnings

import numpy as np
import pandas as pd

from distill_utils.texts.readers import SPLITS, DataError
from distill_utils.texts.words import normalise

SHARE = 0.1  # of train, for a split that is missing


def fill_splits(frames: dict[str, pd.DataFrame], classes: tuple[str, ...], *, stratified: bool, seed: int) -> dict:
    """All three splits, in their order, and the unlabelled texts: each split that is missing is drawn from train.

    frames: {split: `text`, and `label` as class numbers}. A stratified draw takes a tenth of each class, one text at
    least, and no text that train repeats or another split has; the other draw takes a tenth of all rows.

    Raises DataError when a class has too few texts to be in every split.
    """
    frames = dict(frames)
    missing = [split for split in ("test", "validation") if split not in frames]
    if stratified and missing:
        counts = np.bincount(_drawable(frames)["label"], minlength=len(classes))
        if (few := np.flatnonzero(counts <= len(missing))).size:
            given = [split for split in ("validation", "test") if split in frames]
            own = f" in train that are not in {given[0]}" if given else ""
            raise DataError(
                f"{_first(few, classes)} has {counts[few[0]]} different text(s){own} and needs {len(missing) + 1}, one "
                f"each for {', '.join(['train', *missing[:-1]])} and {missing[-1]}: add some, or take the class out"
            )
    for split in missing:
        train = frames["train"]
        if stratified:
            groups = [rows for _, rows in _drawable(frames).groupby("label")]
            drawn = [rows.sample(max(1, round(SHARE * len(rows))), random_state=seed) for rows in groups]
            rows = pd.concat(drawn).index.sort_values()
        else:
            rows = train.sample(frac=1.0, random_state=seed).index[: max(1, round(SHARE * len(train)))]
        frames[split], frames["train"] = train.loc[rows], train.drop(rows)
    return {split: frames[split] for split in (*SPLITS, "unsupervised") if split in frames}


def drop_overlaps(frames: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """Remove from each split the texts that occur in a later one (train before validation before test).

    Texts are compared lower-cased with white space folded. Returns the frames and {split: rows removed}.
    """
    kept, dropped, held_out = {}, {}, set()
    for split in ("test", "validation", "train", "unsupervised"):
        if split not in frames:
            continue
        keys = frames[split]["text"].map(normalise)
        leaks = keys.isin(held_out)
        kept[split], dropped[split] = frames[split][~leaks].reset_index(drop=True), int(leaks.sum())
        if split != "train":  # the unlabelled pool may repeat train: the teacher has seen those texts anyway
            held_out |= set(keys)
    return {split: kept[split] for split in frames}, dropped


def check_splits(frames: dict[str, pd.DataFrame], dropped: dict[str, int], classes: tuple[str, ...]) -> None:
    """Raise DataError when the removal of overlaps left no validation text, or a class without a training text."""
    if frames["validation"].empty:
        raise DataError("the validation split has no text of its own: test has all of them; give it other texts")
    gone = np.flatnonzero(np.bincount(frames["train"]["label"], minlength=len(classes)) == 0)
    if gone.size:
        own = " of its own: validation or test may have them all" if dropped["train"] else ""
        raise DataError(f"{_first(gone, classes)} has no text in train{own}; add some, or take the class out")


def warn_of_contradictions(train: pd.DataFrame) -> None:
    """Say, in one line, how many training texts stand there with more than one label."""
    n_labels = train.groupby(train["text"].map(normalise))["label"].transform("nunique")
    if (found := train["text"][n_labels > 1]).size:
        example = " ".join(found.iloc[0].split())[:60]
        warnings.warn(
            f"{found.size} rows of train have a text that train has with another label, too: the first is {example!r}",
            stacklevel=3,
        )


def _drawable(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The training rows that may serve another split: one for each text, and none that a split has already."""
    keys = frames["train"]["text"].map(normalise)
    taken = [key for split in ("validation", "test") if split in frames for key in frames[split]["text"].map(normalise)]
    return frames["train"][~keys.duplicated() & ~keys.isin(taken)]


def _first(numbers: np.ndarray, classes: tuple[str, ...]) -> str:
    return f"class {classes[numbers[0]][:40]!r}" + (f" (and {len(numbers) - 1} more)" if len(numbers) > 1 else "")
