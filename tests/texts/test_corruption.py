"""Corrupted twins: one fault each, of the kinds that are promised."""

from collections import Counter

import numpy as np
import pytest

from distill_utils.texts import corruption
from distill_utils.texts.corruption import FUNCTION_WORDS, OTHER_FORM, corrupt, originals_and_corrupted

SENTENCE = "the gardener was planting roses in this garden"


@pytest.mark.parametrize(
    "operation, difference",
    [
        ("_swap", 0),
        ("_swap_far", 0),
        ("_move", 0),
        ("_drop", -1),
        ("_double", 1),
        ("_other_form", 0),
        ("_other_ending", 0),
    ],
)
def test_each_operation_makes_its_own_fault(operation, difference):
    words, random = SENTENCE.split(), np.random.default_rng(0)
    for _ in range(30):
        broken = getattr(corruption, operation)(list(words), random)
        assert len(broken) - len(words) == difference
        gone, new = Counter(words) - Counter(broken), Counter(broken) - Counter(words)
        if operation in ("_swap", "_swap_far", "_move"):
            assert not gone and not new
        if operation == "_swap":
            places = [i for i, (a, b) in enumerate(zip(words, broken, strict=True)) if a != b]
            assert places[1] - places[0] == 1 and len(places) == 2
        if operation in ("_drop", "_double"):
            assert set(gone + new) <= FUNCTION_WORDS
        if operation == "_other_form":
            assert OTHER_FORM[next(iter(gone))] == next(iter(new))
        if operation == "_other_ending":
            assert sum(gone.values()) == sum(new.values()) == 1 and next(iter(gone)) not in FUNCTION_WORDS


def test_a_corrupted_sentence_differs_and_follows_the_seed():
    twins = [" ".join(corrupt(SENTENCE.split(), np.random.default_rng(seed))) for seed in range(50)]
    assert SENTENCE not in twins and len(set(twins)) > 20
    assert twins[3] == " ".join(corrupt(SENTENCE.split(), np.random.default_rng(3)))


def test_originals_and_their_twins():
    sentences = ["He likes the film .", "Too short", "It is good, I think!"]
    texts, labels, faults = originals_and_corrupted(sentences, seed=0)
    assert labels.tolist() == [1, 0, 0, 1, 0, 0] and labels.dtype == np.int64
    assert texts[0] == sentences[0] and all(text.endswith(" .") and text != texts[0] for text in texts[1:3])
    assert all(text.endswith("!") for text in texts[3:]) and "Too short" not in texts
    assert [len(row) for row in faults] == [len(text.split()) for text in texts]
    assert [max(row) for row in faults] == [0, 1, 1, 0, 1, 1]


def test_faults_can_be_counted_off_at_spaces_in_any_script():
    texts, labels, faults = originals_and_corrupted(["I don’t\xa0like “it” at all.", "我很高兴。"], seed=0)
    assert texts[0] == 'I don\'t like "it" at all.' and "我 很 高 兴。" in texts
    assert [len(row) for row in faults] == [len(text.split(" ")) for text in texts]
    assert labels.sum() == 2 and all(max(row) for row, label in zip(faults, labels, strict=True) if not label)


@pytest.mark.parametrize(
    "broken, faults",
    [
        ("the roses grow well here", [0, 0, 0, 0, 0]),
        ("the grow roses well here", [0, 1, 1, 1, 0]),  # the word that moved, and where it is missed
        ("the roses well here", [0, 1, 1, 0]),  # beside the gap
        ("roses grow well here", [1, 0, 0, 0]),
        ("the roses grow well", [0, 0, 0, 1]),
        ("the roses grow the well here", [0, 0, 0, 1, 0, 0]),
        ("the roses grows well here", [0, 0, 1, 0, 0]),
    ],
)
def test_faults_are_the_words_that_were_touched(broken, faults):
    assert corruption._touched("the roses grow well here".split(), broken.split()) == faults


def test_what_cannot_be_broken_comes_back():
    assert corrupt(["go", "go", "go"], np.random.default_rng(0)) == ["go", "go", "go"]
    assert originals_and_corrupted(["go go go"], seed=0)[0] == ["go go go"]
