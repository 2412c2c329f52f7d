"""Corrupted twins: one fault each, of the kinds that are promised."""

from collections import Counter

import numpy as np
import pytest

from distill_utils.texts import corruption
from distill_utils.texts.corruption import FUNCTION_WORDS, OTHER_FORM, corrupt, edited, other_words, with_twins

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


def test_sentences_and_their_twins():
    sentences = ["He likes the film .", "Too short", "It is good, I think!"]
    texts = with_twins(sentences, seed=0)
    assert len(texts) == 6 and texts[0] == sentences[0] and texts[3] == sentences[2]
    assert all(text.endswith(" .") and text != texts[0] for text in texts[1:3])
    assert all(text.endswith("!") and text != texts[3] for text in texts[4:])
    assert texts == with_twins(sentences, seed=0) != with_twins(sentences, seed=1)


def test_twins_are_plain_in_any_script():
    texts = with_twins(["I don’t\xa0like “it” at all.", "我很高兴。"], seed=0)
    assert texts[0] == 'I don\'t like "it" at all.' and "我 很 高 兴。" in texts


def test_what_cannot_be_broken_comes_back():
    assert corrupt(["go", "go", "go"], np.random.default_rng(0)) == ["go", "go", "go"]
    assert with_twins(["go go go"], seed=0) == ["go go go"]


OWN = ["The dog chased Mary.", "A cat was sleeping under the (old) table, quietly.", "John quickly opened this box"]


def test_other_words_have_the_same_ending_and_grammar_stays():
    families = [{"dog", "cat", "old", "table", "box"}, {"Mary", "John"}, {"chased", "opened"}, {"quietly", "quickly"}]
    seen = set()
    for row, text in enumerate(other_words(OWN, 50, seed=0, rate=0.5)):
        for word, new in zip(OWN[row // 50].split(), text.split(), strict=True):
            bare, other = word.strip(".,()"), new.strip(".,()")
            assert new == word.replace(bare, other)  # the marks around it stay
            assert other == bare or any({bare, other} <= family for family in families), (word, new)
            seen |= {bare} if other != bare else set()
    assert seen == set.union(*families)  # "sleeping" alone ends as it does, and words of grammar stay


def test_the_other_word_is_drawn_by_its_frequency():
    found = Counter(
        text.split()[1] for text in other_words(["the cat", "the dog", "the dog", "the dog"], 1000, seed=0, rate=1.0)
    )
    assert set(found) == {"cat", "dog"} and found["dog"] / 4000 == pytest.approx(3 / 4, abs=0.03)
    assert other_words(["the cat", "the dog"], 3, seed=0, rate=0.0) == 3 * ["the cat"] + 3 * ["the dog"]


def test_an_edit_is_one_of_five_and_small():
    (words,), kinds = [text.split() for text in ["the boys saw their teacher"]], Counter()
    for text in edited(["the boys saw their teacher"], 2000, seed=0):
        new = text.split()
        gone, put = Counter(words) - Counter(new), Counter(new) - Counter(words)
        shape = (sum(gone.values()), sum(put.values()))
        assert set(put) <= {"the", "their"}
        if shape == (0, 0):
            places = [at for at, (a, b) in enumerate(zip(words, new, strict=True)) if a != b]
            shape = "same" if not places else "swap" if len(places) == 2 and places[1] - places[0] == 1 else "move"
        kinds[shape] += 1
    assert set(kinds) == {(1, 0), (0, 1), (1, 1), "same", "swap", "move"}
    assert kinds[1, 0] / 2000 == pytest.approx(1 / 5, abs=0.03) == kinds[0, 1] / 2000
    assert kinds["swap"] > 0.2 * 2000  # a word that moves by one place is one, too


def test_new_sentences_follow_the_seed_and_empty_texts_give_none():
    for make in (other_words, edited):
        assert make(OWN, 4, seed=0) == make(OWN, 4, seed=0) != make(OWN, 4, seed=1)
        assert len(make(OWN, 4, seed=0)) == 12 and make(OWN, 0, seed=0) == make([], 3, seed=0) == []
        with pytest.raises(ValueError, match="n"):
            make(OWN, -1, seed=0)
    assert edited(["", "go"], 2, seed=0) == ["go", "go"]
