"""Transfer sets: what each kind may do to a text, seeds, and no held-out text."""

import subprocess
import sys

from distill_utils.texts.augmentation import (
    fragments,
    pool_without,
    replace_words,
    sentences,
    splice,
    transfer_set,
    word_probes,
)

TEXTS = ["i feel so happy about it today", "i feel sad don't ask", "we are re-reading a book i love so much", "oh"]
WORDS = {word for text in TEXTS for word in text.split()}


def test_word_probes_put_every_word_behind_the_commonest_opening():
    probes = word_probes(TEXTS)
    assert set(probes) == WORDS and next(iter(probes)) in {"i", "feel", "so"}
    assert probes["sad"] == "i feel sad"


def test_fragments_are_pieces_of_their_text():
    pieces = fragments(TEXTS, 5, seed=0)
    assert pieces and all(any(f" {piece} " in f" {text} " for text in TEXTS) for piece in pieces)
    assert all(3 <= len(piece.split()) <= 8 for piece in pieces)
    assert fragments(["oh no"], 5, seed=0) == []


def test_replaced_words_come_from_the_texts_and_are_as_many_as_asked():
    versions = replace_words(TEXTS, 300, seed=0)
    assert len(versions) == 300 * len(TEXTS) and {w for v in versions for w in v.split()} <= WORDS
    first = [version.split() for version in versions[:300]]  # of the text with seven words
    assert 5.9 < sum(map(len, first)) / 300 < 6.7  # a tenth of seven dropped: 6.3 on average
    intact = sum(v == TEXTS[0].split() for v in first) / 300
    assert intact < 0.15  # 0.6 ** 7 is 0.03, and a word may be replaced by itself


def test_without_replacing_and_dropping_nothing_changes():
    assert replace_words(TEXTS, 2, seed=0, rate=0.0, drop=0.0) == [t for t in TEXTS for _ in range(2)]


def test_splices_begin_as_one_text_and_end_as_another():
    for text, spliced in zip([t for t in TEXTS for _ in range(4)], splice(TEXTS, 4, seed=1), strict=True):
        assert spliced.split()[0] == text.split()[0]
        assert any(spliced.split()[-1] == other.split()[-1] for other in TEXTS)


def test_seeds_decide():
    for make in (fragments, replace_words, splice):
        assert make(TEXTS, 3, seed=1) == make(TEXTS, 3, seed=1) != make(TEXTS, 3, seed=2)


def test_apostrophes_and_hyphens_survive():
    made = " ".join(replace_words(TEXTS, 20, seed=0) + splice(TEXTS, 20, seed=0))
    assert "don't" in made and "re-reading" in made and "don '" not in made


def test_held_out_texts_never_enter_a_transfer_set():
    kinds, removed = transfer_set(
        TEXTS,
        fragments_each=0,
        replaced_each=1,
        spliced_each=1,
        seed=0,
        unlabelled=["a pool text", "A  TEST text"],
        held_out=["a test text", "i feel sad"],
    )
    assert removed >= 2 and "fragments" not in kinds
    assert kinds["unlabelled"] == ["a pool text"]
    assert not any(text in ("i feel sad", "A  TEST text") for found in kinds.values() for text in found)


def test_the_leakage_guard_compares_texts_without_case_and_spacing():
    kept, removed = pool_without(["a b", "A  b ", "a b c", "b", "b"], [" a B", "c"])
    assert kept == ["a b c", "b", "b"] and removed == 2
    assert pool_without(["a"], []) == (["a"], 0)


def test_sentences_end_at_marks_and_lines_but_not_after_titles():
    review = (
        "I don't know Mr. J. Smith at all. It cost 4.5 dollars, I think!  Too short.<br /><br />A 4.5-star "
        'film for "all of us." Really, see it\nas soon as possible. I don\'t know Mr. J. Smith at all.'
    )
    assert sentences([review]) == [
        "I don't know Mr. J. Smith at all.",
        "It cost 4.5 dollars, I think!",
        'A 4.5-star film for "all of us."',
        "as soon as possible.",
    ]


def test_sentences_have_4_to_40_words_or_as_many_as_asked_for():
    documents = [" ".join(["so"] * size) for size in (3, 4, 40, 41)]
    assert [len(sentence.split()) for sentence in sentences(documents)] == [4, 40]
    documents = [" ".join(["so"] * size) for size in (9, 10, 12, 13)]
    assert [len(sentence.split()) for sentence in sentences(documents, shortest=10, longest=12)] == [10, 12]


def test_importing_it_loads_neither_nlpaug_nor_nltk():
    modules = "distill_utils.texts.augmentation, distill_utils.texts.rewriting, sys"
    done = subprocess.run(
        [sys.executable, "-c", f"import {modules}; assert not {{'nlpaug', 'nltk'}} & set(sys.modules)"]
    )
    assert done.returncode == 0
