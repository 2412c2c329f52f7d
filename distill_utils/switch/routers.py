"""Routers: which texts does a student find difficult? What they find, `switch` sends to the teacher.

A router gives each text a difficulty, (texts, student_logits) -> (n,); higher means: ask the teacher first. Any such
function will do; `Doubt` and `DeferralHead` can be saved with their switch, too.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import entr, expit, log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from distill_utils.checks import as_labels, as_logits, as_outcomes, as_texts, at_least_one
from distill_utils.texts.words import Vocabulary
from distill_utils.word_order import shuffle

Router = Callable[[list[str], np.ndarray], np.ndarray]


def confidence(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Difficulty (n,) as 1 - the largest probability, from logits (n, n_classes) (Schwartz et al., 2020).

    The temperature makes probabilities honest; it changes the order of texts only with more than two classes. Raises
    ValueError for logits of another shape or not finite, and a temperature that is not above 0.
    """
    return _sorted_probabilities(logits, temperature)[:, 1:].sum(axis=1)


def margin(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Difficulty (n,) as 1 - (p1 - p2), the two largest probabilities, from logits (n, n_classes)."""
    probabilities = _sorted_probabilities(logits, temperature)
    return probabilities[:, 1:].sum(axis=1) + probabilities[:, 1]


RULES = {"confidence": confidence, "margin": margin}


@dataclass(frozen=True)
class Doubt:
    """The student's own doubt as a router: "confidence" or "margin", at a temperature.

    Raises ValueError for another rule, or a temperature that is not above 0.
    """

    rule: str = "confidence"
    temperature: float = 1.0

    def __post_init__(self):
        if self.rule not in RULES:
            raise ValueError(f"unknown router {self.rule!r}: use one of {', '.join(RULES)}, or a function")
        if not 0 < self.temperature < np.inf:
            raise ValueError(f"temperature={self.temperature}: give a number above 0")

    def __call__(self, texts: list[str], student_logits: np.ndarray) -> np.ndarray:
        """Difficulty (n,)."""
        return RULES[self.rule](student_logits, self.temperature)

    def state(self) -> tuple[dict, dict[str, np.ndarray]]:
        """All that decides its answers: a note for JSON, and arrays."""
        return asdict(self), {}

    @classmethod
    def of_state(cls, note: dict, arrays: dict[str, np.ndarray]) -> "Doubt":
        """The router that `state` describes."""
        return cls(**note)


def calibrate_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood on validation texts (Guo et al., 2017, section 4.2).

    logits: (n, n_classes); labels: (n,) class numbers. Sought between 0.02 and 50. Where every text is right, colder
    would always be better: then one text in n + 2 counts as of any class (Platt, 1999, section 2.2). Raises ValueError
    when they do not match, and for no text at all.
    """
    logits = as_logits(logits).astype(np.float64)
    if not len(logits):
        raise ValueError("0 texts: give the logits of some validation texts")
    labels, rows = as_labels(labels, logits.shape[1], len(logits)), np.arange(len(logits))
    unsure = 1 / (len(logits) + 2) if (logits.argmax(axis=1) == labels).all() else 0.0

    def loss(log_temperature: float) -> float:
        log_p = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -(1 - unsure) * log_p[rows, labels].mean() - unsure * log_p.mean()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.02), np.log(50)), method="bounded").x))


def shuffle_consistency(
    predict: Callable[[list[str]], np.ndarray], texts: list[str], n_shuffles: int, random: np.random.Generator
) -> np.ndarray:
    """Difficulty (n,) as the share of shuffled versions on which the prediction changes: the blog's detector.

    predict: texts -> (n,) class numbers, by the teacher, so it costs 1 + n_shuffles teacher runs a text. Raises
    ValueError when n_shuffles is below 1, or not every text gets a number.
    """
    at_least_one(n_shuffles=n_shuffles)
    texts = as_texts(texts)
    shuffled = [shuffle(text, random=random) for _ in range(n_shuffles) for text in texts]
    found = as_labels(predict([*texts, *shuffled]), n_texts=len(texts) + len(shuffled), what="predictions")
    found = found.reshape(1 + n_shuffles, len(texts))
    return (found[1:] != found[0]).mean(axis=0)


class DeferralHead:
    """A router that learns where the student is wrong and the teacher right (Jitkrittum et al., 2023).

    Logistic regression on the student's sorted probabilities, margin and entropy, the text's length and its share
    of words outside the student's vocabulary. Calibrate the switch on other texts than those it was fitted on.
    """

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.weights: dict[str, np.ndarray] = {}  # of the scaler and of the regression

    def fit(
        self, texts: list[str], student_logits: np.ndarray, student_correct: np.ndarray, teacher_correct: np.ndarray
    ) -> "DeferralHead":
        """Learn from validation texts; student_correct, teacher_correct: (n,) of 0 and 1.

        Raises ValueError when lengths differ, and when deferring helps on none of the texts, or on all.
        """
        texts = as_texts(texts)
        features = self._features(texts, student_logits)
        helps = oracle_scores(student_correct, teacher_correct) > 0
        if helps.shape != (len(texts),):
            raise ValueError(f"{len(texts)} texts and outcomes of shape {helps.shape}: give one of each a text")
        if helps.all() or not helps.any():
            raise ValueError(f"the teacher corrects {helps.sum()} of {len(helps)} texts: give more validation texts")
        scaler = StandardScaler().fit(features)
        model = LogisticRegression(max_iter=1000).fit(scaler.transform(features), helps)
        self.weights = {
            "mean": scaler.mean_,
            "scale": scaler.scale_,
            "weight": model.coef_[0],
            "bias": model.intercept_,
        }
        return self

    def __call__(self, texts: list[str], student_logits: np.ndarray) -> np.ndarray:
        """The probability that the teacher corrects the student, (n,). Raises ValueError before `fit`."""
        if not self.weights:
            raise ValueError("the learned head has learned nothing yet: call fit(texts, student_logits, ...) first")
        features = self._features(as_texts(texts), student_logits)
        if features.shape[1] != len(self.weights["mean"]):
            raise ValueError(
                f"logits of {features.shape[1] - 4} classes, but the learned head was fitted on "
                f"{len(self.weights['mean']) - 4}: give logits of the student it was fitted with"
            )
        scaled = (features - self.weights["mean"]) / self.weights["scale"]
        return expit(scaled @ self.weights["weight"] + self.weights["bias"])

    def state(self) -> tuple[dict, dict[str, np.ndarray]]:
        """All that decides its answers: a note for JSON, and arrays."""
        return {"words": self.vocabulary.words}, self.weights

    @classmethod
    def of_state(cls, note: dict, arrays: dict[str, np.ndarray]) -> "DeferralHead":
        """The router that `state` describes."""
        head = cls(Vocabulary(note["words"]))
        head.weights = arrays
        return head

    def _features(self, texts: list[str], logits: np.ndarray) -> np.ndarray:  # (n, n_classes + 4)
        probabilities = _sorted_probabilities(as_logits(logits, len(texts)))
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

    1 where only the teacher is right, -1 where only the student is, else 0. Raises ValueError when lengths differ, or
    there are other values than 0 and 1.
    """
    student_correct, teacher_correct = as_outcomes(student_correct), as_outcomes(teacher_correct)
    if student_correct.shape != teacher_correct.shape or student_correct.ndim != 1:
        raise ValueError(
            f"outcomes of shape {student_correct.shape} (student) and {teacher_correct.shape} (teacher): give one of "
            "each a text"
        )
    return teacher_correct - student_correct


def _sorted_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities (n, n_classes), largest first; in float64, where 1 - p of a sure student is not yet 0."""
    logits = as_logits(logits).astype(np.float64)
    if not temperature > 0:
        raise ValueError(f"temperature={temperature}: give a number above 0")
    return np.sort(softmax(logits / temperature, axis=1), axis=1)[:, ::-1]
