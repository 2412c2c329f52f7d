"""The paired interval of any metric: against scikit-learn, against redrawing texts one by one, and at its limits."""

import numpy as np
import pytest

from distill_utils.results.intervals import OF_CONFUSIONS, paired_difference
from distill_utils.results.scoreboard import METRICS, paired_bootstrap, score


def answers(seed: int, n: int = 300, seeds: int = 1, classes: int = 4):
    random = np.random.default_rng(seed)
    labels = random.choice(classes, n, p=[0.7, 0.2, 0.08, 0.02][:classes])
    right = random.random((seeds, n)) < 0.7
    return labels, np.where(right, labels, random.integers(0, classes, (seeds, n)))


def test_it_knows_every_metric_of_the_board():
    assert set(OF_CONFUSIONS) == set(METRICS)


@pytest.mark.parametrize("metric", METRICS)
def test_the_difference_is_that_of_the_scores_averaged_over_seeds(metric):
    labels, a = answers(0, seeds=3)
    _, b = answers(1)
    expected = np.mean([score(metric, labels, row) for row in a]) - score(metric, labels, b[0])
    assert paired_difference(metric, labels, a, b[0])[0] == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_is_that_of_texts_redrawn_one_by_one(metric):
    labels, a = answers(2)
    _, b = answers(3)
    random, found = np.random.default_rng(7), []
    for _ in range(900):
        rows = random.integers(0, len(labels), len(labels))
        found.append(score(metric, labels[rows], a[0][rows]) - score(metric, labels[rows], b[0][rows]))
    _, low, high = paired_difference(metric, labels, a, b)
    assert [low, high] == pytest.approx(np.percentile(found, [2.5, 97.5]).tolist(), abs=0.9)


def test_accuracy_agrees_with_the_bootstrap_of_the_board():
    labels, a = answers(4, seeds=2)
    _, b = answers(5, seeds=2)
    ours = paired_difference("accuracy", labels, a, b, draws=10_000)
    assert ours == pytest.approx(paired_bootstrap(a == labels, b == labels), abs=0.35)


def test_a_model_against_itself_and_one_class_alone():
    labels, a = answers(6)
    assert paired_difference("macro_f1", labels, a, a) == (0, -300 / len(labels), 300 / len(labels))
    same = np.zeros(5, int)  # Matthews' correlation of constant answers is 0, as in scikit-learn
    assert paired_difference("matthews_correlation", same, same, same)[0] == 0
    assert paired_difference("macro_f1", same, same, 1 + same)[0] == 100  # F1 1 of the one class; then 0 of two


@pytest.mark.parametrize(
    "metric, labels, a, b",
    [("f1", [0], [0], [0]), ("accuracy", [], [], []), ("accuracy", [0, 1], [0], [0, 1]), ("accuracy", [0.5], [0], [0])],
)
def test_what_does_not_fit_is_refused(metric, labels, a, b):
    with pytest.raises(ValueError, match="^[^\n]+$"):
        paired_difference(metric, labels, a, b)
