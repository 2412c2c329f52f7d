"""Splits: drawn from each class, without overlaps, and refused in one line where that cannot be."""

import numpy as np
import pandas as pd
import pytest

from distill_utils.texts.readers import DataError
from distill_utils.texts.splits import check_splits, drop_overlaps, fill_splits, warn_of_contradictions


def rows(**texts):
    """A frame: letter=3 gives three texts of a class, numbered in the order of the letters."""
    found = [(f"{name} {i}", label) for label, (name, n) in enumerate(texts.items()) for i in range(n)]
    return pd.DataFrame(found, columns=["text", "label"])


def fill(train, **given):
    classes = tuple("abcdefghij"[: train["label"].max() + 1])
    return fill_splits({"train": train, **given}, classes, stratified=True, seed=0)


def counts(frames):
    return {split: np.bincount(frame["label"]).tolist() for split, frame in frames.items()}


@pytest.mark.parametrize("seed", range(5))
def test_each_class_is_in_every_split(seed):
    frames = fill_splits({"train": rows(a=290, b=10)}, ("a", "b"), stratified=True, seed=seed)
    assert counts(frames) == {"train": [235, 8], "validation": [26, 1], "test": [29, 1]}
    texts = [text for frame in frames.values() for text in frame["text"]]
    assert sorted(texts) == sorted(rows(a=290, b=10)["text"])


def test_another_seed_draws_others():
    first, second = (
        fill_splits({"train": rows(a=50, b=50)}, ("a", "b"), stratified=True, seed=seed)["test"] for seed in (0, 1)
    )
    assert set(first["text"]) != set(second["text"])


def test_ten_rows_are_enough():
    assert counts(fill(rows(a=7, b=3))) == {"train": [5, 1], "validation": [1, 1], "test": [1, 1]}


def test_a_given_split_stays():
    test = rows(a=2, b=1).assign(text=["x", "y", "z"])
    frames = fill(rows(a=20, b=2), test=test)
    assert counts(frames) == {"train": [18, 1], "validation": [2, 1], "test": [2, 1]}
    pd.testing.assert_frame_equal(frames["test"], test)


@pytest.mark.parametrize(
    "train, message",
    [
        (
            rows(a=20, b=2),
            "class 'b' has 2 different text(s) and needs 3, one each for train, test and validation: add",
        ),
        (rows(a=1, b=1), "class 'a' (and 1 more) has 1 different text(s) and needs 3"),
        (rows(a=20, b=5).replace({"text": r"^b .*"}, "same", regex=True), "class 'b' has 1 different text(s)"),
        (rows(a=5, b=5).assign(text="the same"), "class 'a' (and 1 more) has 1 different text(s)"),
    ],
)
def test_a_class_that_is_too_small_is_named(train, message):
    with pytest.raises(DataError) as error:
        fill(train)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_texts_of_a_given_split_are_not_drawn():
    train = rows(a=20, b=3)
    with pytest.raises(
        DataError, match=r"class 'b' has 1 different text\(s\) in train that are not in test and needs 2"
    ):
        fill(train, test=train[train["label"] == 1][:2])
    with pytest.raises(DataError) as error:  # test is train
        fill(train, test=train)
    assert str(error.value) == (
        "class 'a' (and 1 more) has 0 different text(s) in train that are not in test and needs 2, one each for train "
        "and validation: add some, or take the class out"
    )


def test_repeated_texts_are_drawn_once_and_leave_train():
    train = pd.concat([rows(a=30, b=4), *[rows(a=0, b=1)] * 20], ignore_index=True)  # "b 0" 21 times
    for seed in range(4):
        frames, dropped = drop_overlaps(fill_splits({"train": train}, ("a", "b"), stratified=True, seed=seed))
        held_out = [*frames["validation"]["text"], *frames["test"]["text"]]
        assert len(set(held_out)) == len(held_out)
        assert dropped["train"] == (20 if "b 0" in held_out else 0)
        assert counts(frames)["train"][1] >= 2


def test_overlaps_are_dropped_on_the_training_side():
    frame = lambda *texts: pd.DataFrame({"text": texts})  # noqa: E731
    kept, dropped = drop_overlaps(
        {
            "train": frame("a", "B  b", "c"),
            "validation": frame("b b", "d"),
            "test": frame("D", "e"),
            "unsupervised": frame("e", "c", "x"),
        }
    )
    assert {split: list(found.text) for split, found in kept.items()} == {
        "train": ["a", "c"],
        "validation": ["b b"],
        "test": ["D", "e"],
        "unsupervised": ["c", "x"],
    }
    assert dropped == {"train": 1, "validation": 1, "test": 0, "unsupervised": 1}


@pytest.mark.parametrize(
    "train, validation, test, message",
    [
        (rows(a=3, b=2), rows(x=2), rows(a=0, b=2), "class 'b' has no text in train of its own: validation or test"),
        (rows(a=3), rows(x=2), rows(y=2), "class 'b' has no text in train; add some, or take the class out"),
        (rows(a=2, b=2), rows(a=1, b=1), rows(a=1, b=2), "the validation split has no text of its own: test has all"),
        (rows(a=2, b=1), rows(x=2), rows(a=2, b=1), r"class 'a' \(and 1 more\) has no text in train of its own"),
    ],
)
def test_what_the_removal_of_overlaps_empties_is_named(train, validation, test, message):
    frames, dropped = drop_overlaps({"train": train, "validation": validation, "test": test})
    with pytest.raises(DataError, match=message):
        check_splits(frames, dropped, ("a", "b"))


def test_a_text_with_two_labels_is_said():
    train = rows(a=4, b=4)
    train["text"] = ["Fine ", *train["text"][1:7], "fine"]
    with pytest.warns(
        UserWarning, match="^2 rows of train have a text that train has with another label, too: .*'Fine'"
    ):
        warn_of_contradictions(train)


def test_a_text_repeated_with_one_label_is_not(recwarn):
    warn_of_contradictions(pd.concat([rows(a=4, b=4)] * 2))
    assert not recwarn
