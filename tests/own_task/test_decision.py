"""The rule that names a model: worked out on a hundred validation texts."""

import numpy as np
import pytest

from distill_utils.own_task.decision import Candidate, advice, smallest_as_good

LABELS = np.tile([0, 1], 100)


def right_but(n: int, name: str = "m", parameters: int = 1, first: int = 0) -> Candidate:
    """A model that is wrong on `n` texts from `first` on."""
    said = LABELS.copy()
    said[first : first + n] = 1 - said[first : first + n]
    return Candidate(name, parameters, said[None])


def test_the_smallest_that_is_level_with_the_best():
    best, level, small = right_but(10, "best", 900), right_but(11, "level", 50, first=5), right_but(60, "small", 5)
    assert smallest_as_good("accuracy", LABELS, [best, level, small]).name == "level"
    assert smallest_as_good("accuracy", LABELS, [best, small]).name == "best"


def test_of_equal_sizes_the_one_that_scores_more():
    assert smallest_as_good("accuracy", LABELS, [right_but(12, "a"), right_but(11, "b")]).name == "b"


def test_one_standard_error_is_where_level_ends():
    # 4 of 200 texts lost and none won: 2 points, and the standard error is 100 * sqrt(0.02 * 0.98 / 200) = 0.99.
    best = right_but(0, "best", 9)
    assert smallest_as_good("accuracy", LABELS, [best, right_but(4, "four", 1)]).name == "best"
    # 14 lost and 10 won: 2 points again, but the standard error is 100 * sqrt(0.12 / 200) = 2.4.
    other = right_but(10, "best", 9, first=50)
    assert smallest_as_good("accuracy", LABELS, [other, right_but(14, "many", 1)]).name == "many"


def sentence(student, teacher, linear=None, twin=None, tolerance=1.0):
    bad = right_but(90, "TF-IDF")
    linear, twin = linear or bad, twin or right_but(90, "twin")
    return advice("accuracy", LABELS, student, teacher=teacher, linear=linear, twin=twin, tolerance=tolerance)


def test_the_student_alone_when_even_the_low_end_is_allowed():
    line = sentence(right_but(5, "S"), right_but(5, "T"), tolerance=2)
    assert line.startswith("Take the S, alone: on validation it is level with T (95% interval -1.5 .. +1.5)")
    assert sentence(right_but(20, "S"), right_but(5, "T"), tolerance=20).startswith("Take the S, alone")


def test_equal_answers_to_few_texts_rule_out_little():
    """Of 200 texts, none differs: 3 in 200 may (the rule of three), which is more than one point."""
    line = sentence(right_but(5, "S"), right_but(5, "T"))
    assert line.startswith("Take the switch") and "a loss of more than 1 is not ruled out" in line


def test_the_switch_when_the_interval_reaches_further_or_the_mean_does():
    assert "More validation texts" in sentence(right_but(10, "S"), right_but(9, "T", first=100))
    line = sentence(right_but(20, "S"), right_but(5, "T"))
    assert line.startswith("Take the switch, with the S: on validation it is 7.5 points below T") and "More" not in line


def test_controls_that_are_level_are_named():
    student, teacher = right_but(10, "S"), right_but(10, "T")
    assert "But" not in sentence(student, teacher)
    line = sentence(student, teacher, linear=right_but(11, "TF-IDF", first=3), twin=right_but(10, "twin"))
    assert "But on validation TF-IDF and twin cannot be told from it" in line
    assert "But" not in sentence(student, teacher, twin=student)  # chosen on hard labels: it is its own twin


def test_without_the_teachers_answers_nothing_is_compared():
    assert "did not answer the validation texts" in sentence(right_but(1, "S"), None)


def test_it_is_one_line():
    assert all("\n" not in sentence(right_but(n, "S"), right_but(5, "T")) for n in (5, 6, 60))


@pytest.mark.parametrize("metric", ["macro_f1", "matthews_correlation"])
def test_it_goes_by_the_metric_asked_for(metric):
    """Of a rare class one model finds nothing, the other half at the price of some of the common one."""
    labels = np.repeat([0, 1], [180, 20])
    common = Candidate("common", 1, np.zeros((1, 200), int))
    rare = Candidate("rare", 2, np.concatenate([np.repeat([0, 1], [165, 15]), np.repeat([0, 1], [8, 12])])[None])
    assert smallest_as_good("accuracy", labels, [common, rare]).name == "common"
    assert smallest_as_good(metric, labels, [common, rare]).name == "rare"
