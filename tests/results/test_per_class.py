"""Each class on its own, against counts made by hand."""

import numpy as np
import pytest

from distill_utils.results.per_class import confusion_counts, per_class

NAMES = ("a", "b", "c", "d")
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
SAID = np.array([0, 0, 0, 1, 1, 0, 1, 2, 0, 2])


def test_precision_recall_and_f1_by_hand():
    found = per_class(LABELS, SAID, NAMES).set_index("class")
    assert found["texts"].tolist() == [4, 2, 4, 0]
    assert found["precision"].tolist() == pytest.approx([60, 100 / 3, 100, 0])  # 3 of 5, 1 of 3, 2 of 2, none
    assert found["recall"].tolist() == pytest.approx([75, 50, 50, 0])  # 3 of 4, 1 of 2, 2 of 4
    assert found["F1"].tolist() == pytest.approx([2 * 60 * 75 / 135, 40, 200 / 3, 0])


def test_confusion_rows_are_labels():
    assert confusion_counts(LABELS, SAID, 4).tolist() == [[3, 1, 0, 0], [1, 1, 0, 0], [1, 1, 2, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("labels, said", [([0, 1], [0]), ([0, 4], [0, 0]), ([0, 1], [0, 4]), ([], [])])
def test_what_does_not_fit_is_refused(labels, said):
    for function, last in ((per_class, NAMES), (confusion_counts, 4)):
        with pytest.raises(ValueError, match="^[^\n]+$"):
            function(labels, said, last)
