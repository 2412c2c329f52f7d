"""Routers, worked out by hand and on texts made for each."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from distill_utils.switch.routers import (
    DeferralHead,
    Doubt,
    calibrate_temperature,
    confidence,
    margin,
    oracle_scores,
    random_scores,
    shuffle_consistency,
)
from distill_utils.texts.words import Vocabulary


def logits_of(*probabilities):
    return np.log(np.array(probabilities, np.float32))


def test_confidence_and_margin_by_hand():
    logits = logits_of([0.5, 0.3, 0.2], [0.1, 0.8, 0.1])
    np.testing.assert_allclose(confidence(logits), [0.5, 0.2], atol=1e-6)
    np.testing.assert_allclose(margin(logits), [0.8, 0.3], atol=1e-6)
    squared = np.array([0.25, 0.09, 0.04]) / 0.38  # temperature 1/2 squares the odds
    np.testing.assert_allclose(confidence(logits, 0.5)[0], 1 - squared[0], atol=1e-6)


def test_two_classes_have_one_order_at_any_temperature():
    logits = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    order = np.argsort(confidence(logits))
    for difficulty in (margin(logits), confidence(logits, 0.3), confidence(logits, 5.0)):
        np.testing.assert_array_equal(np.argsort(difficulty), order)
    three = np.array([[3.0, 2.0, -9.0], [3.4, 2.0, 2.0]])  # two rivals cost more when all is flattened
    assert np.diff(confidence(three, 0.5)) < 0 < np.diff(confidence(three, 5.0))


def test_sure_students_are_still_told_apart():
    assert np.diff(confidence(np.array([[60.0, 0.0], [50.0, 0.0]], np.float32))) > 0


def test_the_temperature_undoes_a_known_scaling():
    random = np.random.default_rng(0)
    honest = random.normal(size=(4000, 3)) * 2
    labels = (honest + random.gumbel(size=honest.shape)).argmax(axis=1)  # drawn from the softmax
    found = calibrate_temperature(4 * honest, labels)
    assert found == pytest.approx(4, rel=0.1)
    assert calibrate_temperature(honest, labels) == pytest.approx(found / 4, rel=1e-3)
    grid = np.linspace(3, 5, 401)
    losses = [-log_softmax(4 * honest / t, axis=1)[np.arange(4000), labels].mean() for t in grid]
    assert found == pytest.approx(grid[np.argmin(losses)], abs=0.01)


def test_a_student_that_is_never_wrong_is_not_sure_of_everything():
    """Of 18 texts all are right, at logits 6 and 0: with one in 20 of unknown class 1 - p is half of that."""
    logits = 6.0 * np.eye(2)[np.arange(18) % 2]
    temperature = calibrate_temperature(logits, np.arange(18) % 2)
    assert 1 / (1 + np.exp(6 / temperature)) == pytest.approx(1 / 40, rel=1e-3)


def test_shuffle_consistency_is_the_share_of_changed_predictions():
    first_word_is_a = lambda texts: np.array([text.split()[:1] == ["a"] for text in texts], int)  # noqa: E731
    texts = ["a b", "b b", "b a .", "a b c d e f g h"]
    found = shuffle_consistency(first_word_is_a, texts, 40, np.random.default_rng(0))
    assert found[:3].tolist() == [1, 0, 1] and 0.7 < found[3] < 1  # a text of two words has one other order
    assert shuffle_consistency(first_word_is_a, [], 3, np.random.default_rng(0)).shape == (0,)


def test_the_learned_head_finds_the_texts_that_only_the_teacher_knows():
    random = np.random.default_rng(0)
    strange = random.random(300) < 0.2  # the student does not know their words, but is as sure as ever
    texts = [f"the film is {'zorgly' if odd else 'good'}" for odd in strange]
    logits = random.normal(size=(300, 2)).astype(np.float32)
    student = ~strange & (random.random(300) < 0.95)  # where both fail, deferring is of no use
    head = DeferralHead(Vocabulary(["the", "film", "is", "good"]))
    scores = head.fit(texts[:200], logits[:200], student[:200], (strange | student)[:200])(texts[200:], logits[200:])
    assert scores[strange[200:]].min() > scores[~strange[200:]].max()
    with pytest.raises(ValueError, match="corrects 0 of 300 texts: give more"):
        head.fit(texts, logits, student, student)


def test_the_learned_head_reads_length_and_probabilities():
    random = np.random.default_rng(1)
    logits, words = random.normal(size=(300, 3)), random.integers(1, 30, size=300)
    texts = ["good " * count for count in words]
    for hard in (words > 20, margin(logits) > 0.8):
        scores = DeferralHead(Vocabulary(["good"])).fit(texts, logits, ~hard, np.ones(300))(texts, logits)
        assert np.median(scores[hard]) > 0.8 and np.median(scores[~hard]) < 0.1


def test_the_learned_head_counts_the_words_that_the_student_counts():
    texts = ["the film is GOOD", "don’t\u3000like it😍", "很好"]
    features = DeferralHead(Vocabulary(["good", "dont", "😍", "好"]))._features(texts, np.zeros((3, 2), np.float32))
    np.testing.assert_allclose(features[:, -2], np.log1p([4, 4, 2]))
    np.testing.assert_allclose(features[:, -1], [3 / 4, 2 / 4, 1 / 2])


def test_random_scores_are_drawn_from_their_seed():
    assert (random_scores(50, 1) == random_scores(50, 1)).all() and (random_scores(50, 1) != random_scores(50, 2)).all()


def test_the_learned_head_is_logistic_regression_on_its_features():
    random = np.random.default_rng(1)
    logits, texts = random.normal(size=(300, 3)), ["good " * count for count in random.integers(1, 30, size=300)]
    hard = margin(logits) > 0.8
    head = DeferralHead(Vocabulary(["good"])).fit(texts, logits, ~hard, np.ones(300))
    features = head._features(texts, logits)
    library = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features, hard)
    np.testing.assert_allclose(head(texts, logits), library.predict_proba(features)[:, 1], rtol=1e-6)


def test_doubt_is_confidence_or_margin_at_a_temperature():
    logits = np.random.default_rng(0).normal(size=(20, 3))
    np.testing.assert_array_equal(Doubt()(None, logits), confidence(logits))
    np.testing.assert_array_equal(Doubt("confidence", 2.0)(None, logits), confidence(logits, 2.0))
    np.testing.assert_array_equal(Doubt("margin", 2.0)(None, logits), margin(logits / 2))


THREE = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confidence(np.array([[np.nan, 0]])), "logits are not finite"),
        (lambda: confidence(np.zeros(3)), r"logits of shape \(3,\)"),
        (lambda: margin(np.zeros((2, 2)), 0), "temperature=0: give a number above 0"),
        (lambda: Doubt("confidence", -1), "temperature=-1: give a number above 0"),
        (lambda: calibrate_temperature(THREE, [0, 1]), "3 texts and 2 labels: give one a text"),
        (lambda: calibrate_temperature(THREE, [0, 1, 2]), "labels hold 2 .text 2., but the 2 classes"),
        (lambda: calibrate_temperature(THREE, ["a", "b", "a"]), "labels are class numbers"),
        (lambda: calibrate_temperature(np.zeros((0, 2)), []), "0 texts: give"),
        (lambda: oracle_scores([0, 1], [0, 1, 1]), r"outcomes of shape \(2,\) .student. and \(3,\) .teacher."),
        (lambda: oracle_scores([0, 2], [0, 1]), "outcomes are 0 .wrong. and 1 .right."),
        (lambda: DeferralHead(Vocabulary(["a"]))(["a"], THREE[:1]), "has learned nothing yet: call fit"),
        (lambda: DeferralHead(Vocabulary(["a"])).fit("a", THREE, [0] * 3, [1] * 3), "one string is not a list"),
        (lambda: DeferralHead(Vocabulary(["a"])).fit(["a"] * 3, THREE[:2], [0] * 3, [1] * 3), "logits of shape"),
        (
            lambda: DeferralHead(Vocabulary(["a"])).fit(["a"] * 3, THREE, [0, 1], [1, 1]),
            "3 texts and outcomes of shape",
        ),
        (lambda: shuffle_consistency(len, "a b", 1, None), "one string is not a list"),
        (lambda: shuffle_consistency(len, ["a b"], 0, None), "n_shuffles=0: give"),
        (lambda: shuffle_consistency(lambda texts: np.zeros((2, 2)), ["a"], 1, None), r"predictions of shape \(2, 2\)"),
        (lambda: shuffle_consistency(lambda texts: [0], ["a"], 1, None), "2 texts and 1 predictions: give one a text"),
    ],
)
def test_routers_name_what_they_cannot_use(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_the_learned_head_wants_the_classes_it_was_fitted_on():
    head = DeferralHead(Vocabulary(["a"])).fit(["a"] * 3, THREE, [0, 1, 1], [1, 1, 1])
    with pytest.raises(ValueError, match="logits of 3 classes, but the learned head was fitted on 2"):
        head(["a"], np.zeros((1, 3)))
