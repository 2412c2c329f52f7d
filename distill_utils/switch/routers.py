"""Routers: which texts does a student find difficult? What they find, `switch` sends to the teacher.

A router gives each text a difficulty, (texts, student_logits) -> (n,); higher means: ask the teacher first.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import entr, log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from distill_utils.texts.words import Vocabulary
from distill_utils.word_order import shuffle

Router = Callable[[list[str], np.ndarray], np.ndarray]


def confidence(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Difficulty (n,) as 1 - the largest probability, from logits (n, n_classes) (Schwartz et al., 2020).

    The temperature makes probabilities honest; it changes the order of texts only with more than two classes.
    """
    return _sorted_probabilities(logits, temperature)[:, 1:].sum(axis=1)


def margin(logits: np.ndarray) -> np.ndarray:
    """Difficulty (n,) as 1 - (p1 - p2), the two largest probabilities, from logits (n, n_classes)."""
    probabilities = _sorted_probabilities(logits)
    return probabilities[:, 1:].sum(axis=1) + probabilities[:, 1]


def calibrate_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood on validation texts (Guo et al., 2017, section 4.2).

    logits: (n, n_classes); labels: (n,) class numbers. Sought between 0.02 and 50.
    """
    logits, rows = np.asarray(logits, np.float64), np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.02), np.log(50)), method="bounded").x))


def shuffle_consistency(
    predict: Callable[[list[str]], np.ndarray], texts: list[str], n_shuffles: int, random: np.random.Generator
) -> np.ndarray:
    """Difficulty (n,) as the share of shuffled versions on which the prediction changes: the blog's detector.

    predict: texts -> (n,) class numbers, by the teacher, so it costs 1 + n_shuffles teacher runs a text.
    """
    shuffled = [shuffle(text, random=random) for _ in range(n_shuffles) for text in texts]
    found = np.asarray(predict([*texts, *shuffled])).reshape(1 + n_shuffles, len(texts))
    return (found[1:] != found[0]).mean(axis=0)


class DeferralHead:
    """A router that learns where the student is wrong and the teacher right (Jitkrittum et al., 2023).

    Logistic regression on the student's sorted probabilities, margin and entropy, the text's length and its share
    of words outside the student's vocabulary. Calibrate the switch on other texts than those it was fitted on.
    """

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))

    def fit(
        self, texts: list[str], student_logits: np.ndarray, student_correct: np.ndarray, teacher_correct: np.ndarray
    ) -> "DeferralHead":
        """Learn from validation texts; student_correct, teacher_correct: (n,) of 0 and 1.

        Raises ValueError when deferring helps on none of the texts, or on all.
        """
        helps = oracle_scores(student_correct, teacher_correct) > 0
        if helps.all() or not helps.any():
            raise ValueError(f"the teacher corrects {helps.sum()} of {len(helps)} texts: give more validation texts")
        self.model.fit(self._features(texts, student_logits), helps)
        return self

    def __call__(self, texts: list[str], student_logits: np.ndarray) -> np.ndarray:
        """The probability that the teacher corrects the student, (n,)."""
        return self.model.predict_proba(self._features(texts, student_logits))[:, 1]

    def _features(self, texts: list[str], logits: np.ndarray) -> np.ndarray:  # (n, n_classes + 4)
        probabilities = _sorted_probabilities(logits)
        n_words = self.vocabulary.encode(texts, keep_unknown=True)[1] - 1  # without the closing mark
        unknown = 1 - self.vocabulary.encode(texts)[1] / np.maximum(n_words, 1)
        return np.column_stack(
            [probabilities, margin(logits), entr(probabilities).sum(axis=1), np.log1p(n_words), unknown]
        )


def random_scores(n: int, seed: int) -> np.ndarray:
    """Difficulty (n,) by chance: what a router has to beat."""
    return np.random.default_rng(seed).random(n)


def oracle_scores(student_correct: np.ndarray, teacher_correct: np.ndarray) -> np.ndarray:
    """The best difficulty (n,) there is, a bound, since it looks at the labels: from (n,) of 0 and 1 each.

    1 where only the teacher is right, -1 where only the student is, else 0.
    """
    return np.asarray(teacher_correct, np.float64) - np.asarray(student_correct, np.float64)


def _sorted_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities (n, n_classes), largest first; in float64, where 1 - p of a sure student is not yet 0."""
    return np.sort(softmax(np.asarray(logits, np.float64) / temperature, axis=1), axis=1)[:, ::-1]
