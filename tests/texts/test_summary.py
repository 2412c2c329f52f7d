"""What is said of a data set, against one counted by hand."""

import numpy as np
import pytest

from distill_utils.texts.summary import class_counts, facts, too_small


def test_classes_are_counted_the_most_frequent_first():
    found = class_counts({"train": np.array([1, 1, 1, 0]), "test": np.array([0, 0, 2])}, ("a", "b", "c"))
    assert found["class"].tolist() == ["b", "a", "c"]
    assert found["train"].tolist() == [3, 1, 0] and found["test"].tolist() == [0, 2, 1]
    assert found["share %"].tolist() == [75, 25, 0]


def test_facts_by_hand():
    texts = ["One two", "one  TWO", "one two", "drei vier fünf", "a b c d"]
    found = facts(texts, np.array([0, 0, 1, 1, 0]))
    assert found["texts"] == 5
    assert found["repeated"] == 2  # the second and the third are the first
    assert found["contradicting"] == 3  # all three, since the third has another label
    assert found["median words"] == 2
    assert found["not ASCII %"] == pytest.approx(100 / 13)


def test_texts_without_words_are_no_division_by_zero():
    assert facts(["...", "!"], np.array([0, 1]))["not ASCII %"] == 0


def test_small_classes_are_named_with_the_weight_of_a_text():
    labels = np.repeat([0, 1], [30, 4])
    assert too_small(labels, ("a", "b", "c")) == [
        "class 'b' has 4 test text(s), and one of them is 25 points of its recall: read its scores as a hint",
        "class 'c' has no test text: nothing is known of it",
    ]


def test_no_texts_and_other_lengths_are_refused():
    with pytest.raises(ValueError, match="0 texts"):
        facts([], np.array([], int))
    with pytest.raises(ValueError, match="2 texts and 1 labels"):
        facts(["a", "b"], np.array([0]))
