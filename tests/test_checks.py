"""What people pass as texts, labels and probabilities: taken as it is meant, or refused in one line."""

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset

from distill_utils.checks import (
    above_zero,
    as_labels,
    as_logits,
    as_names,
    as_outcomes,
    as_soft_labels,
    as_texts,
    at_least,
    at_least_one,
    same_classes,
)


def refused(message, check, *args, **options):
    with pytest.raises(ValueError, match=message) as error:
        check(*args, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "texts",
    [
        ["a b", "", "c"],
        ("a b", "", "c"),
        pd.Series(["a b", "", "c"], index=[7, 3, 5]),
        pd.Series(["a b", "", "c"], dtype="category"),
        np.array(["a b", "", "c"]),
        np.array(["a b", "", "c"], object),
        Dataset.from_dict({"text": ["a b", "", "c"]})["text"],
        (text for text in ["a b", "", "c"]),
        {"a b": 1, "": 2, "c": 3}.keys(),
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_lists_of_texts_of_every_kind_are_one_list(texts):
    found = as_texts(texts)
    assert found == ["a b", "", "c"] and {type(text) for text in found} == {str}


def test_no_texts_are_texts():
    assert as_texts([]) == as_texts(pd.Series([], dtype=str)) == as_texts(np.array([])) == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("good movie", r"one string is not a list of texts: give a list, such as \['good movie'\]"),
        (b"good", "one string is not a list"),
        (["a", None], "text 1 is None, of type NoneType: give strings"),
        (pd.Series(["a", "b", None]), "text 2 is nan, of type float: give strings"),
        (np.array(["a", np.nan], object), "text 1 is nan"),
        ([1, 2], "text 0 is 1, of type int"),
        ([["good", "movie"]], r"text 0 is \['good', 'movie'\], of type list"),
        ([{"text": "a\nb"}], "text 0 is .* of type dict"),
        (pd.DataFrame({"text": ["a"], "label": [0]}), "a DataFrame is not a list of texts: give"),
        (np.array([["a"], ["b"]]), "a ndarray is not a list of texts"),
        (np.array("a"), "a ndarray is not a list of texts"),
        ({"text": ["a"]}, "a dict is not a list of texts"),
        ({"a", "b"}, "a set is not a list of texts"),
        (None, "a NoneType is not a list of texts"),
        (3, "a int is not a list of texts"),
    ],
)
def test_what_is_no_list_of_texts_is_named(texts, message):
    refused(message, as_texts, texts)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 2, 1],
        (0, 2, 1),
        np.array([0, 2, 1], np.uint8),
        torch.tensor([0, 2, 1]),
        pd.Series([0, 2, 1], index=[5, 6, 7]),
        pd.Series([0, 2, 1], dtype="Int64"),
        pd.Series([0, 2, 1], dtype=object),
        Dataset.from_dict({"label": [0, 2, 1]})["label"],
    ],
)
def test_class_numbers_of_every_kind_are_one_array(labels):
    found = as_labels(labels, 3, 3)
    assert found.tolist() == [0, 2, 1] and found.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, -1], r"labels hold -1 \(text 1\), but the 2 classes are numbered 0 to 1"),
        ([2, 0], r"labels hold 2 \(text 0\), but the 2"),
        (["neg", "pos"], "labels are class numbers, not such as 'neg': give the numbers"),
        (pd.Series(["neg", "pos"]), "not such as 'neg'"),
        ([0.0, 1.0], "not of type float64: give whole numbers"),
        ([0, np.nan], "not of type float64"),
        ([0, None], "not such as None"),
        ([True, False], "not of type bool"),
        ([[0], [1]], r"labels of shape \(2, 1\): give one class number a text"),
        (np.eye(2), r"labels of shape \(2, 2\)"),
        (1, r"labels of shape \(\)"),
        (None, "a NoneType is not a list of labels"),
        ({1, 0}, "a set is not a list of labels"),
        ([[0], [0, 1]], "labels are rows of unequal lengths"),
        ([2**70, 0], "labels are class numbers, not such as 1180591620717411303424"),
        ([0, 1, 1], "2 texts and 3 labels: give one a text"),
    ],
)
def test_what_is_no_class_number_is_named(labels, message):
    refused(message, as_labels, labels, 2, 2)


def test_without_a_number_of_classes_any_whole_number_will_do():
    assert as_labels([7, -1]).tolist() == [7, -1] and as_labels([]).shape == (0,)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("ab", "one string is not a list of class names"),
        ([0, 1], "class name 0 is of type int: class names are strings"),
        (["a"], "give two or more, each of them once"),
        (["a", "b", "a"], "give two or more, each of them once"),
        ([], "give two or more"),
    ],
)
def test_what_are_no_class_names_is_named(names, message):
    refused(message, as_names, names)


GOOD = [[0.25, 0.75], [1.0, 0.0]]


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor, pd.DataFrame, lambda rows: np.array(rows, order="F")])
def test_probabilities_of_every_kind_are_one_array(kind):
    found = as_soft_labels(kind(GOOD), 2, 2)
    assert found.tolist() == GOOD and found.dtype == np.float32 and found.flags.c_contiguous


def test_tensors_are_taken_as_they_come_from_a_model():
    rows = torch.tensor(GOOD, requires_grad=True)
    assert as_soft_labels(rows, 2, 2).tolist() == GOOD and as_soft_labels(rows.bfloat16(), 2, 2).tolist() == GOOD
    assert as_logits(rows).tolist() == GOOD and as_labels(torch.tensor([1, 0])).tolist() == [1, 0]


def test_probabilities_may_be_rounded():
    assert as_soft_labels(np.array([[0.333, 0.333, 0.333]]), 1, 3).shape == (1, 3)
    assert as_soft_labels(np.array([[1 / 3] * 3], np.float16), 1, 3).shape == (1, 3)


@pytest.mark.parametrize(
    ("soft_labels", "message"),
    [
        ([[np.nan, 1], [0, 1]], r"soft labels are not finite: row 0 is \[nan, 1.0\]"),
        ([[0, 1], [np.inf, 0]], "soft labels are not finite: row 1"),
        ([[2.5, -1], [0, 3]], r"row 0 is \[2.5, -1.0\]: they look like logits, so give their softmax"),
        ([[2.5, 1], [0, 3]], "they look like logits"),
        (np.log([[0.5, 0.5], [0.9, 0.1]]), "they look like log-probabilities, so give their exponential"),
        ([[50, 50], [10, 90]], "they look like percentages, so divide them by 100"),
        ([[0.9, 0.1], [0.9, 0.9]], r"row 1 is \[0.9, 0.9\]: they look like .* scores of each class for itself"),
        ([[0], [1]], r"shape \(2, 1\) look like class numbers: give one_hot\(labels, 2\)"),
        ([0, 1], "look like class numbers: give one_hot"),
        ([[0.2, 0.3, 0.5]] * 2, r"shape \(2, 3\): the student has 2 classes"),
        ([[0.5, 0.5]], "2 texts and 1 rows of soft labels: there must be one row a text"),
        ([["a", "b"]] * 2, "soft labels are probabilities, not of type"),
        (1.0, r"soft labels of shape \(\)"),
        ([[0.5, 0.5], [1]], "soft labels are rows of unequal lengths"),
    ],
)
def test_what_are_no_probabilities_is_named(soft_labels, message):
    refused(message, as_soft_labels, soft_labels, 2, 2)


def test_logits_are_finite_and_of_the_shape_asked_for():
    assert as_logits([[1, 2]]).tolist() == [[1, 2]] and as_logits(np.zeros((0, 2)), 0, 2).shape == (0, 2)
    refused(
        r"logits of shape \(2,\): give one row a text, one column a class: \(n_texts, n_classes\)", as_logits, [1, 2]
    )
    refused(r"logits of shape \(1, 2\): .* \(1, 3\)", as_logits, [[1, 2]], 1, 3)
    refused("logits are numbers, not of type", as_logits, [["a", "b"]])
    refused(r"logits are not finite: row 1 is \[nan, 0.0\]", as_logits, [[1, 2], [np.nan, 0]])


def test_outcomes_are_0_and_1():
    assert as_outcomes([True, False]).tolist() == [1.0, 0.0] and as_outcomes([[0, 1.0]]).dtype == np.float64
    for wrong in ([0, 2], [0.5], [np.nan], ["right"]):
        refused("outcomes are 0 .wrong. and 1 .right.", as_outcomes, wrong)


def test_amounts_are_whole_and_above_0():
    at_least_one(epochs=1, batch_size=np.int64(3))
    for wrong in (0, -1, 1.5, True, "2", None):
        refused(f"batch_size={wrong!r}: give a whole number, 1 or more", at_least_one, epochs=1, batch_size=wrong)
    at_least(0, seed=0)
    refused("seed=-1: give a whole number, 0 or more", at_least, 0, seed=-1)


def test_numbers_above_0_are_finite():
    above_zero(temperature=0.5, rate=np.float32(2))
    for wrong in (0, -1.0, float("inf"), float("nan"), "1", None, True):
        refused(f"rate={wrong!r}: give a number above 0", above_zero, temperature=1, rate=wrong)


def test_classes_of_two_models_are_compared_by_place():
    same_classes(("a", "b"), ("a", "b"), "student", "teacher")
    many = tuple(f"class {number}" for number in range(1000))
    refused(r"1000 and 1000 classes, the same in another order \(class 0 is", same_classes, many, many[::-1], "a", "b")
    refused(r"know 2 and 3 classes, not the same \(one ends", same_classes, ("a", "b"), ("a", "b", "c"), "x", "y")
    with pytest.raises(ValueError) as error:
        same_classes(many, many[::-1], "student", "teacher")
    assert len(str(error.value)) < 250
