"""Labels as names: one class for the spellings of one label, and no class lost."""

import warnings

import numpy as np
import pytest

from distill_utils.texts.labels import classes_of, name_of, numbers_of, warn_of_look_alikes


def read(*values, class_names=()):
    """The classes that values make, and the class of each value."""
    names = [name_of(value, class_names) for value in values]
    classes = classes_of(names, class_names)
    return classes, [classes[number] if number >= 0 else None for number in numbers_of(names, classes)]


@pytest.mark.parametrize(
    "values, classes",
    [
        ((1, 1.0, "1", "1.0", np.int64(1), np.float32(1), 2), ("1", "2")),
        (("10", "9", "-1", "-0", "0"), ("-1", "0", "9", "10")),  # by size
        ((True, "true", "True", "TRUE", np.True_, False, "FALSE"), ("false", "true")),
        (("007", "7", "010"), ("007", "010", "7")),
        (("1.0", "1.1", "1.10"), ("1.0", "1.1", "1.10")),
        (("1.0", "2.0", "2"), ("1", "2")),
        (("1.0", "2.0", "other"), ("1.0", "2.0", "other")),
        (("True", "true", "Fake"), ("Fake", "True", "true")),
        (("None", "NA", "nan", "null", "N/A"), ("N/A", "NA", "None", "nan", "null")),
        ((" good", "good ", "bad\t", "bad"), ("bad", "good")),
        (("good", "Good"), ("Good", "good")),
        (("caf\u00e9", "cafe\u0301", "tea"), ("caf\u00e9", "tea")),  # one letter, or a letter and its accent
        (("spam\u200b", "\ufeffspam", "spam", "\u200e ham"), ("ham", "spam")),  # copied with marks that nobody sees
        (("very  good", "very\u00a0good", "very\ngood", "bad"), ("bad", "very good")),
        (("❤\ufe0f", "👩\u200d🚀"), ("❤\ufe0f", "👩\u200d🚀")),  # within a name they are part of it
        ((True, 1, "1.0", 0, "FALSE"), ("false", "true")),
        ((0, 1, "1.0"), ("0", "1")),
        ((True, 2), ("2", "True")),
        (("9007199254740993", "9007199254740992"), ("9007199254740992", "9007199254740993")),
        ((0.5, "0.50"), ("0.5", "0.50")),
    ],
)
def test_spellings_of_one_label_are_one_class_and_others_stay_apart(values, classes):
    found, names = read(*values)
    assert found == classes
    assert set(names) == set(classes)


@pytest.mark.parametrize("value", [None, float("nan"), "", "  ", "\u00a0"])
def test_no_label(value):
    assert name_of(value) is None and name_of(value, ("ham", "spam")) is None


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, ("x",), np.array([1]), b"\xff"])
def test_several_labels_are_refused(value):
    with pytest.raises(ValueError, match="is not one label"):
        name_of(value)


def test_numbers_stand_for_class_names_in_their_order():
    classes, names = read(1, 0, 1.0, "0", "spam", " ham ", class_names=("spam", "ham"))
    assert classes == ("spam", "ham")
    assert names == ["ham", "spam", "ham", "spam", "spam", "ham"]


def test_names_that_are_numbers_are_not_taken_for_class_numbers():
    classes, names = read(0, 4, class_names=("1", "2", "3", "4", "5"))  # stars: number 0 is one star
    assert classes == ("1", "5") and names == ["1", "5"]
    assert name_of("5", ("1", "2", "3", "4", "5")) == "5"


@pytest.mark.parametrize("value", [-1, 3, 0.5, True])
def test_a_number_without_a_name_is_no_class(value):
    stars = ("-1", "0.5", "True")  # even where a class has that name
    assert numbers_of([name_of(value, stars)], stars).tolist() == [-1]


def test_a_label_that_train_does_not_have():
    assert numbers_of(["2.0", "3", "x"], ("1", "2")).tolist() == [1, -1, -1]
    assert numbers_of(["TRUE", "maybe"], ("false", "true")).tolist() == [1, -1]


def test_a_truth_value_is_1_in_another_file():
    assert numbers_of(["1", "0.0", "2", "yes"], ("false", "true")).tolist() == [1, 0, -1, -1]
    assert numbers_of(["True", "FALSE", "01"], ("0", "1")).tolist() == [1, 0, -1]
    assert numbers_of(["True"], ("1", "2")).tolist() == [-1]


@pytest.mark.parametrize(
    "classes, said",
    [
        (("Ham", "ham", "spam"), "'Ham' and 'ham'"),
        (("1", "1.0", "two"), "'1' and '1.0'"),
        (("❤", "❤\ufe0f"), "'❤' and '❤\ufe0f'"),
        (("it's", "it’s", "No", "no"), "\"it's\" and 'it’s'; 'No' and 'no'"),
    ],
)
def test_names_that_look_alike_are_said(classes, said):
    with pytest.warns(UserWarning) as found:
        warn_of_look_alikes(classes)
    assert [str(one.message) for one in found] == [
        f"class names that look alike: {said}; if they mean one class, write one name"
    ]


@pytest.mark.parametrize("classes", [("007", "010", "7"), ("1.1", "1.10"), ("-1", "1"), ("no", "none")])
def test_names_that_only_resemble_are_not(classes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_look_alikes(classes)
