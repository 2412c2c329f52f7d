"""Exercises that check themselves: right, or which way an answer is wrong, without giving the right one away."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from numbers import Real

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import softmax

from distill_utils import switch
from distill_utils.results.scoreboard import paired_bootstrap
from distill_utils.students import kl_to_soft_labels
from distill_utils.texts.words import normalise, words_of

# 1.5: which of the transfer sets holds a text that it must not hold?
HELD_OUT = {
    "validation": ["i feel a bit lost without her", "i am feeling rather proud of my garden"],
    "test": ["i feel so loved today", "i left the party feeling ignored"],
}
TRANSFER_SETS = {
    "fragments": ["i feel so", "proud of my garden", "feeling ignored"],
    "reviews": ["a film that left me cold", "I feel  so LOVED today", "i felt nothing at the end"],
    "word probes": ["i feel loved", "i feel ignored", "i feel proud"],
    "forum": ["i feel sorry for the dog", "i am feeling rather proud of my garden", "so it goes"],
}
# 2.5: scores in percent.
CANDIDATES = {
    "A": {"validation": 86.1, "test": 85.0},
    "B": {"validation": 87.3, "test": 85.6},
    "C": {"validation": 86.9, "test": 86.8},
    "D": {"validation": 84.2, "test": 86.1},
}
# 3.5 and 3.6: validation texts, how hard a student finds them, and who is right.
DIFFICULTY = np.array([0.05, 0.40, 0.62, 0.62, 0.10, 0.33, 0.48, 0.05, 0.71, 0.22])
STUDENT_RIGHT = np.array([1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1])
TEACHER_RIGHT = np.array([1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0])


@dataclass(frozen=True)
class Verdict:
    """What became of an answer: right is None where there is none yet; line says it."""

    right: bool | None
    line: str

    def __repr__(self) -> str:
        return self.line


class _Wrong(Exception):
    """Which way an answer is wrong."""


class _Missing(Exception):
    """The dots of the starter are still there."""


def check(number: str, answer: object) -> Verdict:
    """Check the answer to an exercise, a value or a function; dots or None count as no answer yet.

    Raises ValueError when there is no such exercise.
    """
    if number not in CHECKS:
        raise ValueError(f"there is no exercise {number!r}: there are {', '.join(CHECKS)}")
    try:
        return Verdict(True, f"Exercise {number}: right. {CHECKS[number](_given(answer))}")
    except _Missing:
        return Verdict(None, f"Exercise {number}: no answer yet. Put yours in the place of the dots, and run it again.")
    except _Wrong as wrong:
        line = str(wrong)
    except Exception as error:  # whatever a reader's function does
        line = f"it stopped with {type(error).__name__}: {' '.join(str(error).split())}"
    return Verdict(False, f"Exercise {number}: not yet. {line[0].upper()}{line[1:].rstrip('.')}.")


def _given(answer: object) -> object:
    """The answer, if there is one; also of what a function gave, and of each part of a pair or list."""
    if answer is None or answer is ...:
        raise _Missing
    if isinstance(answer, (tuple, list)):
        for part in answer:
            _given(part)
    return answer


def _number(answer: object, right: float, within: float, slips: dict[float, str] | None = None) -> None:
    """One number; `slips`: what a usual mistake comes to -> what it forgets."""
    if not isinstance(answer, (Real, np.generic, torch.Tensor)) or isinstance(answer, bool):
        raise _Wrong(f"give one number: this is a {type(answer).__name__}")
    answer = float(answer)
    if abs(answer - right) <= within:
        return
    for value, hint in (slips or {}).items():
        if abs(answer - value) <= within:
            raise _Wrong(hint)
    raise _Wrong("too large" if answer > right else "too small")


def _array(answer: object, shape: tuple[int, ...], what: str) -> np.ndarray:
    found = np.asarray(answer.detach() if isinstance(answer, torch.Tensor) else answer, np.float64)
    if found.shape != shape:
        raise _Wrong(f"{what}: shape {shape} is asked for, and this has {found.shape}")
    return found


def _pair(answer: object, what: str) -> tuple:
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise _Wrong(f"give two things: {what}")
    return tuple(answer)


def _matches(found: np.ndarray, slips: Iterable[tuple[object, str]], otherwise: str) -> None:
    """Name the usual mistake that gives these numbers."""
    for value, hint in slips:
        value = np.asarray(value, np.float64)
        if value.shape == found.shape and np.allclose(found, value, atol=1e-5):
            raise _Wrong(hint)
    raise _Wrong(otherwise)


# Part 1: the student, its loss, its texts.


def _half_the_words(answer: object) -> str:
    _number(
        answer,
        2500 * 16 + 374,
        0,
        {
            2500 * 16: "that is the word table; the two layers on top are missing",
            80_374 / 2: "the two layers on top do not shrink with the vocabulary",
            80_374: "that is the student with 5,000 words",
        },
    )
    return "Nearly all of the student is its word table."


def _kl_to_a_hard_label(answer: object) -> str:
    _number(
        answer,
        -np.log(0.1),
        0.006,
        {
            -np.log10(0.1): "that is with logarithms to base 10; the loss uses natural ones",
            -np.log2(0.1): "that is with logarithms to base 2; the loss uses natural ones",
            np.log(0.1): "KL is never negative: look at the sign",
            -np.log(0.7): "that is what the likeliest class would cost; which class does the label name?",
            0.1: "that is the student's probability; what is the loss?",
        },
    )
    return "With a hard label KL is the cross-entropy: minus the logarithm of the right class's probability."


def _kl(answer: Callable) -> str:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 0.3, 0.1], [-1.0, 3.0, 0.2], [0.4, 0.4, 0.9]])
    soft = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    right = float(kl_to_soft_labels(logits, soft))
    found = _array(_given(answer(logits, soft)), (), "one number for the whole batch")
    log_q, n_texts, n_classes = F.log_softmax(logits, dim=-1), *logits.shape
    reverse = (log_q.exp() * (log_q - soft.log())).sum(dim=-1).mean()
    slips = [
        (n_texts * right, "you add up over the texts; the library takes their mean"),
        (right / n_classes, "you take the mean over texts and classes; add up over the classes first"),
        (reverse, "that is KL(student || teacher): the teacher's probabilities stand in front"),
        (-(soft * log_q).sum(dim=-1).mean(), "that is the cross-entropy; the teacher's own entropy is missing"),
        (-right, "look at the sign"),
        (kl_to_soft_labels(logits.T, soft.T), "the softmax runs over the texts: it belongs over the classes"),
    ]
    if not np.allclose(found, right, atol=1e-5):
        raw = "no logarithm can be taken of a logit: make probabilities of them first"
        _matches(found, slips, raw if np.isnan(found) else "too large" if found > right else "too small")
    hard = F.one_hot(torch.tensor([0, 1, 1, 2]), 3).float()
    found = _array(_given(answer(logits, hard)), (), "one number for the whole batch")
    if not np.allclose(found, kl_to_soft_labels(logits, hard), atol=1e-5):
        raise _Wrong("on soft labels it is right; on hard ones it is not: 0 log 0 has to count as 0")
    return "The same as the library's, on soft and on hard labels."


def _soften(answer: Callable) -> str:
    logits = np.array([[4.0, 2.0, 0.0], [1.0, 1.0, -1.0]])
    right = softmax(logits / 2, axis=1)
    found = _array(_given(answer(logits, 2.0)), logits.shape, "a row a text, a column a class")
    cold = softmax(logits, axis=1)
    slips = [
        (cold, "the temperature changes nothing yet"),
        (softmax(logits * 2, axis=1), "a temperature above 1 has to flatten, and this sharpens"),
        (cold / 2, "rows have to sum to 1: divide the logits, not the probabilities"),
        (cold**0.5, "the idea is right, but rows have to sum to 1"),
        (softmax(logits / 2, axis=0), "the softmax runs over the texts: it belongs over the classes"),
    ]
    if not np.allclose(found, right, atol=1e-5):
        _matches(found, slips, "the numbers are others: divide the logits, then make probabilities of each row")
    return "The order of the classes stays, the distances shrink."


def _leaks(answer: object) -> str:
    if isinstance(answer, str) or not isinstance(answer, Iterable) or not set(answer) <= set(TRANSFER_SETS):
        raise _Wrong(f"give a set of names, out of {', '.join(TRANSFER_SETS)}")
    held_out = {normalise(text) for texts in HELD_OUT.values() for text in texts}
    leaking = {name for name, texts in TRANSFER_SETS.items() if held_out & {normalise(text) for text in texts}}
    if extra := set(answer) - leaking:
        raise _Wrong(
            f"{len(extra)} of yours does not leak: sharing words with a held-out text is no leak, being that text is"
        )
    if len(leaking - set(answer)):
        raise _Wrong(
            "one is missing: case and spaces make no other text, and validation is held out, too, since choices are "
            "made on it"
        )
    return "The library compares texts in one case and with single spaces, with validation and test."


def _predicted(answer: object, *, expected: tuple[float, float], within: float, amiss: str, read: str) -> str:
    """A guess and what was measured: that has to lie in `expected`, and the guess near it."""
    guess, measured = _pair(answer, "your guess, and what was measured")
    for value in (guess, measured):
        if not isinstance(value, (Real, np.generic)):
            raise _Wrong("give two numbers: your guess, and what was measured")
    if not expected[0] <= measured <= expected[1]:
        raise _Wrong(f"{measured:.4g} is not what this run should give: {amiss}")
    off = float(guess - measured)
    if abs(off) > within:
        raise _Wrong(f"your guess is too {'high' if off > 0 else 'low'}, by {abs(off):.3g}. {read}")
    return f"Off by {abs(off):.2g}. {read}"


def _best_of_three(answer: object) -> str:
    right = 0.5 * 0.8463  # the mean of the largest of three standard normal numbers
    _number(
        answer,
        right,
        0.03,
        {
            0.5: "that is one spread; draw three scores, take the best, and average that over many draws",
            1.0: "that is two spreads; draw three scores, take the best, and average that over many draws",
            0.0: "the best of three is above their mean, nearly always",
        },
    )
    return "Nothing got better, and the table says so all the same. Report the mean and the spread."


# Part 2: other tasks, other students, other texts.


def _always_yes(answer: object) -> str:
    accuracy, mcc = _pair(answer, "accuracy and MCC, in percent")
    try:
        _number(accuracy, 70, 0.5, {0.7: "in percent, please"})
    except _Wrong as wrong:
        raise _Wrong(f"the accuracy: {wrong}") from None
    try:
        _number(mcc, 0, 0.5, {70: "that is the accuracy again; MCC is a correlation, and yes is said to everything"})
    except _Wrong as wrong:
        raise _Wrong(f"the MCC: {wrong}") from None
    return "That is why CoLA is scored by MCC."


def _one_bag(answer: object) -> str:
    pairs = [_pair(pair, "two sentences a pair") for pair in answer] if isinstance(answer, (list, tuple)) else []
    if len(pairs) < 2:
        raise _Wrong("give a list of two pairs of sentences")
    for one, other in pairs:
        a, b = words_of(one), words_of(other)
        if a == b:
            raise _Wrong(f"{one!r} and {other!r} have the same words in the same order")
        if alone := set(a) ^ set(b):
            raise _Wrong(f"a bag of words can tell {one!r} from its twin: {sorted(alone)} stand in one of them only")
        if sorted(a) != sorted(b):
            raise _Wrong(f"a word stands in {one!r} more often than in its twin")
    return "A bag of words gives both of a pair the same answer, however it is trained."


def _size_of_a_bilstm(answer: object) -> str:
    gates, top = 4 * 100 * (200 + 100), (2 * 100 * 200 + 200) + (200 * 2 + 2)
    _number(
        answer,
        2 * (gates + 8 * 100) + top,
        0,
        {
            gates + 800 + top: "that LSTM reads in one direction",
            2 * (gates + 400) + top: "PyTorch has two bias vectors a gate, one for the word and one for the state",
            2 * (gates + 800): "the two layers on top are missing",
            2 * gates + top: "the bias vectors of the gates are missing",
            2 * (gates + 800) + (100 * 200 + 200) + 402: "the first layer on top sees both directions",
        },
    )
    return "The word table of 10,000 words would be seven times as large."


def _pseudo(answer: Callable) -> str:
    soft = np.array([[0.4, 0.35, 0.25], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    found = _given(answer(soft))
    if np.shape(found) == (3,):
        raise _Wrong("those are class numbers: a hard label is a row, 1 at its class and 0 elsewhere")
    found, right = _array(found, soft.shape, "a row a text, a column a class"), np.eye(3)[soft.argmax(axis=1)]
    if not np.array_equal(found, right):
        slips = [
            (np.round(soft), "a row without a 1 is left: a class wins with less than one half, too"),
            (soft > 0.5, "a row without a 1 is left: a class wins with less than one half, too"),
            (soft, "these are the soft labels still"),
            (np.eye(3)[soft.argmax(axis=0)], "the largest of each column was taken; take that of each row"),
        ]
        _matches(found, slips, "each row has one 1, at the class that the teacher finds likeliest")
    return "The same texts and the same loss, with the softness gone: the control for it."


def _chosen_on_validation(answer: object) -> str:
    name, score = _pair(answer, "the name, and the score to report")
    if name not in CANDIDATES:
        raise _Wrong(f"the name is one of {', '.join(CANDIDATES)}")
    best = max(CANDIDATES, key=lambda one: CANDIDATES[one]["validation"])
    if name != best:
        tested = name == max(CANDIDATES, key=lambda one: CANDIDATES[one]["test"])
        raise _Wrong("you chose by the test score: then it is no test any more" if tested else "another one is better")
    _number(score, CANDIDATES[best]["test"], 0.05, {CANDIDATES[best]["validation"]: "that score made you choose it"})
    return "The validation score of what was chosen by it is too good on average; the test score is not."


def _paired(answer: Callable) -> str:
    random = np.random.default_rng(5)
    theirs = (random.random(500) < 0.85).astype(int)
    ours = np.where(random.random(500) < 0.06, 1 - theirs, theirs)
    right = np.array(paired_bootstrap(ours, theirs))
    found = _array(_given(answer(ours, theirs, np.random.default_rng(0))), (3,), "points, low end, high end")
    width, wanted = found[2] - found[1], right[2] - right[1]
    if np.allclose(100 * found, right, atol=0.5) and width < 0.1:
        raise _Wrong("that is a share; give points, out of 100")
    if abs(found[0] + right[0]) < 0.01:
        raise _Wrong("look at the sign: ours minus theirs")
    _number(found[0], right[0], 0.01)
    if width > 1.5 * wanted:
        raise _Wrong("the interval is too wide: both models answered the same texts, so redraw texts, not answers")
    if width < 0.75 * wanted:
        raise _Wrong("the interval is too narrow: redraw as many texts as there are; 95% lie between 2.5 and 97.5%")
    if abs(found[1:] - right[1:]).max() > 0.6:
        raise _Wrong("the interval lies elsewhere: its ends are the 2.5 and the 97.5 percentile of the differences")
    return "An interval that holds 0 is a tie at this test size."


# Part 3: word order, and the switch.


def _wos_of_four(answer: object) -> str:
    _number(
        answer,
        0.2,
        0.005,
        {
            0.3: "that is the formula for two classes; chance is one in four here",
            0.15: "that is the share that was lost; divide by what could be lost",
            0.8: "that is what is left, not what was lost",
            20: "sensitivity is a share: 1 means no better than chance",
        },
    )
    return "With two classes the same loss would be 0.30."


def _bigrams(answer: Callable) -> str:
    random = np.random.default_rng(0)
    for text in ("we liked this film", "my sister never saw a worse ending than that one"):
        words = text.split()
        pieces = {words[i]: words[i : i + 2] for i in range(0, len(words), 2)}
        results = [_given(answer(text, random)) for _ in range(30)]
        for result in results:
            if not isinstance(result, str):
                raise _Wrong(f"give a text back: this is a {type(result).__name__}")
            found = result.split()
            if sorted(found) != sorted(words):
                raise _Wrong("some words are lost, or stand there twice: cut into pieces that do not overlap")
            kept = [word for word in found if word in pieces for word in pieces[word]]
            if kept != found:
                raise _Wrong("pieces are torn: the first and the second word stay together, the third and the fourth")
        if text in results:
            raise _Wrong("sometimes nothing has changed: draw again until the order is another one")
    if len(set(results)) == 1:
        raise _Wrong("the order is the same each time: draw it from the generator that is handed in")
    return "Longer pieces keep more of the grammar, so less is lost by shuffling them."


def _speed(answer: object) -> str:
    _number(
        answer,
        float(switch.cost_curve(0.1, 1 / 50, 1)),
        0.02,
        {
            10.0: "the student's own time is missing: it answers every text",
            1 / (0.1 + 0.9 / 50): "the student answers every text, the deferred ones too",
            50.0: "that is the student alone",
            0.12: "that is the time a text takes, in teacher runs; how many times faster is that?",
        },
    )
    return "A student twice as fast would make it 9.1: the share that is deferred is what costs."


def _threshold(answer: object) -> str:
    if not isinstance(answer, (Real, np.generic)) or isinstance(answer, bool):
        raise _Wrong(f"give one number: this is a {type(answer).__name__}")
    share = (DIFFICULTY >= answer).mean()
    if share > 0.25:
        raise _Wrong(f"{share:.0%} of the texts are at or above it: too many for the budget")
    if share < 0.1:
        raise _Wrong(f"{share:.0%} of the texts are at or above it: the budget allows more")
    return "Two texts are equally hard, and both together are too many: so less is deferred than the budget allows."


def _best_switch(answer: object) -> str:
    share = lambda right: 100 * right.mean()  # noqa: E731
    _number(
        answer,
        share(STUDENT_RIGHT | TEACHER_RIGHT),
        0.1,
        {
            share(TEACHER_RIGHT): "that is the teacher alone: the student is right on some texts that it misses",
            share(STUDENT_RIGHT): "that is the student alone",
            share(STUDENT_RIGHT & TEACHER_RIGHT): "that is where both are right; one of them is enough",
            (STUDENT_RIGHT | TEACHER_RIGHT).mean(): "in percent, please",
        },
    )
    return "More than the teacher alone: a switch may be better than its teacher."


def _curve(answer: Callable) -> str:
    difficulty, student, teacher = np.array([0.3, 0.9, 0.1, 0.6, 0.7]), [1, 0, 1, 1, 0], [0, 1, 1, 0, 1]
    outcomes = np.array(student), np.array(teacher)
    right = switch.curve(difficulty, *outcomes)[1]
    found = np.asarray(_given(answer(difficulty, *outcomes)), np.float64)
    if found.shape == (5,):
        raise _Wrong("five numbers for five texts: from none deferred to all of them there are six")
    found = _array(found, (6,), "an accuracy for 0, 1, 2, ... texts deferred")
    if not np.allclose(found, right):
        slips = [
            (right / 100, "in percent, please"),
            (switch.curve(-difficulty, *outcomes)[1], "the simplest texts are deferred first: turn the order round"),
            (right[::-1], "it begins with none deferred, that is, with the student alone"),
            (switch.curve(-np.arange(5), *outcomes)[1], "the texts are deferred as they come: sort by difficulty"),
        ]
        _matches(found, slips, "after k deferrals the k hardest texts get the teacher's answer, the rest the student's")
    return "The area under it is one number for a router."


CHECKS: dict[str, Callable[[object], str]] = {
    "1.1": _half_the_words,
    "1.2": _kl_to_a_hard_label,
    "1.3": _kl,
    "1.4": _soften,
    "1.5": _leaks,
    "1.6": partial(
        _predicted,
        expected=(10, 35),
        within=10,
        amiss="shuffle the labels before they become rows, and leave the texts as they are",
        read="Labels that do not belong to their texts teach how frequent each class is, and nothing else.",
    ),
    "1.7": _best_of_three,
    "2.1": _always_yes,
    "2.2": _one_bag,
    "2.3": _size_of_a_bilstm,
    "2.4": _pseudo,
    "2.5": _chosen_on_validation,
    "2.6": partial(
        _predicted,
        expected=(-20, 25),
        within=15,
        amiss="train a bag of words, pooling='mean', and score it by MCC",
        read="What the words do not say, a bag of words cannot learn, however many labels it sees.",
    ),
    "2.7": _paired,
    "3.1": _wos_of_four,
    "3.2": _bigrams,
    "3.3": partial(
        _predicted,
        expected=(0, 0),
        within=0.05,
        amiss="a bag of words, pooling='mean', is asked for",
        read="A bag of words cannot see the order, so nothing is lost: its sensitivity is 0 on every task.",
    ),
    "3.4": _speed,
    "3.5": _threshold,
    "3.6": _best_switch,
    "3.7": _curve,
}
