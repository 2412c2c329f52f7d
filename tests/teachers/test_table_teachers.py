"""A table as a teacher: probabilities, labels and votes, looked up by text; every fault in one line with its place."""

import json

import numpy as np
import pandas as pd
import pytest

from distill_utils.teachers import Teacher, from_table
from distill_utils.teachers.columns import FLOOR
from distill_utils.texts.tables import DataError

CLASSES = ("good", "bad", "mixed")


@pytest.fixture
def write(tmp_path):
    """Write a CSV, a JSONL or a parquet file: write(name, rows) -> path."""

    def make(name, rows):
        path = tmp_path / name
        if name.endswith(".csv"):
            path.write_text("\n".join(rows))
        elif name.endswith(".jsonl"):
            path.write_text("\n".join(json.dumps(row) for row in rows))
        else:
            pd.DataFrame(rows).to_parquet(path)
        return path

    return make


def test_a_column_a_class_in_the_order_of_the_class_names(write):
    teacher = from_table(write("a.csv", ["bad,text,mixed,good", "0.25,one,0.25,0.5", "0,two,0.9,0.1"]), CLASSES)
    np.testing.assert_allclose(teacher.soft_labels(["two", "one"]), [[0.1, 0, 0.9], [0.5, 0.25, 0.25]], atol=1e-6)
    np.testing.assert_allclose(teacher.logits(["two"]), [np.log([0.1, FLOOR, 0.9])], rtol=1e-6)
    np.testing.assert_array_equal(teacher.predict(["one", "two", "one"]), [0, 2, 0])
    assert teacher.logits([]).shape == teacher.soft_labels([]).shape == (0, 3)


def test_what_a_table_is_and_is_not(write):
    teacher = from_table(write("mine.csv", ["text,label", "one,good"]), CLASSES)
    assert (teacher.name, teacher.title, teacher.class_names, teacher.n_classes) == ("mine.csv",) * 2 + (CLASSES, 3)
    assert not teacher.has_weights and not teacher.any_text and Teacher.has_weights and Teacher.any_text
    assert teacher.count_parameters() == (None, None) and teacher.train_seconds == 0.0
    with pytest.raises(ValueError, match=r"^mine.csv is no transformer at hand: .* is not to be had from it$"):
        teacher.truncation(["one"])


def test_a_prefix_and_other_column_names(write):
    path = write("a.parquet", {"t": ["one"], "p_good": [0.5], "p_bad": [0.5], "p_mixed": [0.0], "good": ["x"]})
    assert from_table(path, CLASSES, text_column="t", prefix="p_").soft_labels(["one"]).tolist() == [[0.5, 0.5, 0]]


def test_rows_that_nearly_sum_to_1_are_made_to(write):
    path = write("a.csv", ["text,good,bad,mixed", "one,0.333,0.333,0.333", "two,0.5,0.25,0.259"])
    soft = from_table(path, CLASSES).soft_labels(["one", "two"])
    np.testing.assert_allclose(soft, [[1 / 3] * 3, np.array([0.5, 0.25, 0.259]) / 1.009], rtol=1e-6)


def test_a_label_is_one_vote_and_comes_back_one_hot(write):
    path = write("a.csv", ["text,label", "one, bad ", "two,mixed"])
    np.testing.assert_array_equal(from_table(path, CLASSES).soft_labels(["one", "two"]), [[0, 1, 0], [0, 0, 1]])


def test_votes_are_counted_over_rows_and_in_a_cell(write):
    rows = [{"text": "one", "label": ["good", "bad", "good"]}, {"text": "one", "label": "good"}]
    teacher = from_table(write("a.jsonl", [*rows, {"text": "two", "label": "bad"}]), CLASSES)
    np.testing.assert_allclose(teacher.soft_labels(["one", "two"]), [[0.75, 0.25, 0], [0, 1, 0]], atol=1e-6)


def test_rows_of_one_text_are_averaged(write):
    path = write("a.csv", ["text,good,bad,mixed", "one,1,0,0", "one,0,1,0", "one,0.5,0,0.5", "one,0.5,0,0.5"])
    np.testing.assert_allclose(from_table(path, CLASSES).soft_labels(["one"]), [[0.5, 0.25, 0.25]], atol=1e-6)


def test_texts_are_known_by_their_plain_form(write):
    teacher = from_table(write("a.jsonl", [{"text": "it\u2019s\u00a0fine", "label": "good"}]), CLASSES)
    assert teacher.predict(["it's fine"]).tolist() == [0]


@pytest.mark.parametrize(
    ("class_names", "labels", "numbers"),
    [
        (CLASSES, [2, 0], [2, 0]),  # class numbers, as no class is named by a number
        (("1", "2", "3"), [1, 3], [0, 2]),  # names, whatever their type
        (("1", "2", "3"), [1.0, 3.0], [0, 2]),
    ],
)
def test_numbers_as_labels(write, class_names, labels, numbers):
    teacher = from_table(write("a.parquet", {"text": ["one", "two"], "label": labels}), class_names)
    assert teacher.predict(["one", "two"]).tolist() == numbers


def test_a_text_without_an_answer(write):
    teacher = from_table(write("a.csv", ["text,label", "one,good"]), CLASSES)
    with pytest.raises(ValueError, match=r"^a.csv has no answer for 2 of 3 texts, the first is 'two': add them"):
        teacher.soft_labels(["one", "two", "three"])
    assert teacher.answerable(["two", "one", "one"]) == ["one", "one"]


HEAD = "text,good,bad,mixed"
ONE_LINE = [
    ([HEAD, "a,1,0,0", "b,0.5,0.5,0.5"], {}, "a.csv, line 3: the probabilities 0.5, 0.5, 0.5 sum to 1.5, not to 1"),
    ([HEAD, "a,0.5,0.4,0.08"], {}, "sum to 0.98, not to 1"),
    ([HEAD, "a,1.5,-0.5,0"], {}, "the probabilities 1.5, -0.5, 0 are not all 0 or more"),
    ([HEAD, "a,high,0.5,0"], {}, "a.csv, line 2: the probabilities nan, 0.5, 0 are not all numbers"),
    ([HEAD, "a,,0.5,0.5"], {}, "are not all numbers"),
    ([HEAD, "a,inf,0.5,0.5"], {}, "are not all numbers"),
    ([HEAD, ",1,0,0"], {}, "a.csv, line 2: the text is empty"),
    (["text,good,bad", "a,1,0"], {}, "a.csv has no column 'mixed' of probabilities: it has 'text', 'good', 'bad'"),
    (["text,p_good,p_bad,p_mixed", "a,1,0,0"], {}, "no column 'good' of probabilities, nor a column 'label' of labels"),
    (["text,label", "a,good"], {"prefix": "p_"}, "no column 'p_good' of probabilities: it has 'text', 'label'"),
    (["text,p_good,p_bad,p_mixed,p_odd", "a,1,0,0,0"], {"prefix": "p_"}, "a column 'p_odd', which is of no class"),
    (
        ["text,label", "a,good", "b,great"],
        {},
        "a.csv, line 3: the label 'great' is no class (the classes are good",
    ),
    (["text,label", "a,"], {}, "a.csv, line 2: there is no label"),
    (["text,label", "a,3"], {}, "the label '3' is no class"),
    (
        ["review,label", "a,good"],
        {},
        "no column 'text': it has 'review', 'label'; say which with text_column",
    ),
]


@pytest.mark.parametrize(("rows", "options", "line"), ONE_LINE, ids=[line for _, _, line in ONE_LINE])
def test_a_table_that_cannot_be_used(write, rows, options, line):
    with pytest.raises(DataError) as error:
        from_table(write("a.csv", rows), CLASSES, **options)
    assert line in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"text": 5, "label": "good"}, "the text is a int, not a string"),
        ({"text": "a", "label": {"good": 1}}, "is no class"),
        ({"text": "a", "label": []}, "there is no label"),
        ({"text": "a", "label": ["good", None]}, "there is no label"),
    ],
)
def test_cells_of_other_types(write, row, line):
    with pytest.raises(DataError, match=line):
        from_table(write("a.jsonl", [row]), CLASSES)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"^cannot open 'gone.csv'"):
        from_table(tmp_path / "gone.csv", CLASSES)
