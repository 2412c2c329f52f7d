"""Answers moved to another mix of classes: by hand for two classes, by counting for more."""

import numpy as np
import pytest
import torch

from distill_utils.students import MLP, match_shares
from distill_utils.students.shares import bias_to_shares
from distill_utils.texts.words import Vocabulary

FOUR = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [0.0, 4.0]])  # class 1 leads by 1, 2, 3, 4


@pytest.mark.parametrize(
    ("shares", "bias"),
    [
        ([0.25, 0.75], [0.75, -0.75]),  # the line at 1.5, between the leads 1 and 2
        ([0.5, 0.5], [1.25, -1.25]),
        ([0.0, 1.0], [0.25, -0.25]),  # half a unit below the smallest lead, so that class 0 wins none
        ([1.0, 0.0], [2.25, -2.25]),  # and half a unit above the largest
    ],
)
def test_two_classes_by_hand(shares, bias):
    np.testing.assert_allclose(bias_to_shares(FOUR, np.array(shares)), bias)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_each_class_gets_its_share(n_classes):
    random = np.random.default_rng(n_classes)
    logits = 2 * random.normal(size=(2000, n_classes)) + 3 * random.normal(size=n_classes)
    shares = random.dirichlet(np.full(n_classes, 3.0))
    answers = (logits + bias_to_shares(logits, shares)).argmax(axis=1)
    np.testing.assert_allclose(np.bincount(answers, minlength=n_classes) / 2000, shares, atol=0.002)


def test_a_student_keeps_what_it_learned_and_moves_the_line():
    student = MLP(Vocabulary(["red", "green", "pie"]), ("r", "g"))
    with torch.no_grad():
        student.output.bias += torch.tensor([0.0, 9.0])  # as if it had read of green things only
    texts = ["red", "green", "pie", "red pie", "green pie", "red green", "pie red green", "red red pie"]
    before = student.predict_logits(texts)
    assert (before.argmax(axis=1) == 1).all()
    match_shares(student, texts, np.array([0.75, 0.25]))
    after = student.predict_logits(texts)
    assert np.bincount(after.argmax(axis=1)).tolist() == [6, 2]
    moved = after - before
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-5)


@pytest.mark.parametrize("shares", [[0.7, 0.7], [1.2, -0.2], [0.5, 0.3, 0.2], [np.nan, 1.0]])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="numbers of 0 or more, one a class, that sum to 1"):
        bias_to_shares(FOUR, np.array(shares))


def test_no_texts_are_refused():
    with pytest.raises(ValueError, match="0 texts"):
        bias_to_shares(np.empty((0, 2)), np.array([0.5, 0.5]))
