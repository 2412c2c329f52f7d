"""Transfer sets: what each kind may do to a text, seeds, and no held-out text."""

import subprocess
import sys

import pandas as pd
import pytest

from distill_utils.texts.augmentation import (
    fragments,
    pool_without,
    replace_words,
    sample,
    sentences,
    splice,
    transfer_set,
    word_probes,
)
from distill_utils.texts.corruption import with_twins
from distill_utils.texts.rewriting import eda, tang
from distill_utils.texts.words import Vocabulary, words_of

TEXTS = ["i feel so happy about it today", "i feel sad don't ask", "we are re-reading a book i love so much", "oh"]
WORDS = {word for text in TEXTS for word in text.split()}
CHINESE = ["我今天非常高兴，因为天气很好。", "这部电影不好看！"]


def test_word_probes_put_every_word_behind_the_commonest_opening():
    probes = word_probes(TEXTS)
    assert set(probes) == WORDS - {"don't", "re-reading"} | {"dont", "re", "reading"}
    assert next(iter(probes)) in {"i", "feel", "so"}
    assert probes["sad"] == "i feel sad" and probes["dont"] == "i feel don't" and probes["re"] == "i feel re"


@pytest.mark.parametrize(
    "texts",
    [
        ["GREAT FRIENDLY DRIVER", "LATE BROKEN PARCEL", "GREAT PARCEL"],  # case 01
        ["Great, Friendly Driver!", "Late “Broken” Parcel…", "Great,Parcel"],
        ["i don’t like it😍", "don't ÉtÉ", "\u3000don‘t\xa0like"],
        CHINESE,
        ["?!", ""],
        [],
    ],
)
def test_every_word_of_a_vocabulary_is_probed(texts):
    probes, vocabulary = word_probes(texts), Vocabulary.fit(texts, 99)
    assert list(probes) == vocabulary.words
    assert all(words_of(probe)[-1:] == [word] for word, probe in probes.items())


def test_a_probe_shows_a_word_as_it_is_mostly_written():
    probes = word_probes(["We Don’t care", "We Don't know", "we dont", "GREAT", "Great!", "“Great”"])
    assert probes["dont"] == "We Don't Don't" and probes["great"] == "We Don't Great"
    assert word_probes(CHINESE)["影"] == "我今影"


@pytest.mark.parametrize("make", [fragments, replace_words, splice])
def test_new_texts_of_scripts_without_spaces_are_made_of_characters(make):
    made = make(CHINESE, 20, seed=0)
    assert len(set(made)) > 20 and not any(" " in text for text in made)
    assert {word for text in made for word in words_of(text)} <= {word for text in CHINESE for word in words_of(text)}


MAKERS = {
    "word_probes": word_probes,
    "fragments": lambda texts: fragments(texts, 1, seed=0),
    "replace_words": lambda texts: replace_words(texts, 1, seed=0),
    "splice": lambda texts: splice(texts, 1, seed=0),
    "sentences": sentences,
    "sample": lambda texts: sample(texts, 2, seed=0),
    "pool_without": lambda texts: pool_without(texts, ["oh"]),
    "held out": lambda texts: pool_without(["oh"], texts),
    "transfer_set": lambda texts: transfer_set(texts, fragments_each=1, replaced_each=1, spliced_each=1, seed=0),
    "unlabelled": lambda texts: transfer_set(
        ["oh"], fragments_each=1, replaced_each=1, spliced_each=1, seed=0, unlabelled=texts
    ),
    "tang": lambda texts: tang(texts, 1, seed=0),
    "eda": lambda texts: eda(texts, 1, seed=0, neighbours={}),
    "corruption": lambda texts: with_twins(texts, seed=0),
    "vocabulary": lambda texts: Vocabulary.fit(texts, 9).words,
    "encoding": lambda texts: [part.tolist() for part in Vocabulary(["so"]).encode(texts)],
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_list_of_texts_is_asked_for(make):
    for texts, message in [("i feel so", "one string is not a list of texts"), (["i feel", None], "text 1 is None")]:
        with pytest.raises(ValueError, match=message):
            make(texts)
    column = pd.Series(TEXTS, index=[7, 5, 3, 1])
    assert make(column) == make(column.to_numpy(dtype=str)) == make(TEXTS)


def test_texts_without_words_are_no_error():
    for make in (fragments, replace_words, splice):
        assert not any(make(["", "\u200b"], 2, seed=0))
    assert len(splice(["a b", "\xa0"], 2, seed=0)) == 2


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
    assert pool_without(["I don’t\xa0CARE.", "ｓｔｒａße"], ["i don't care.", "strasse"]) == ([], 2)


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
    assert sentences(["One two three four.\u2028“Five six seven eight.” Nine ten don’t ask…"]) == [
        "One two three four.",
        '"Five six seven eight."',
        "Nine ten don't ask...",
    ]
    assert sentences(["我非常高兴。“天气很好！”他说。不好"]) == ["我非常高兴。", '"天气很好!"']
    documents = [" ".join(["so"] * size) for size in (9, 10, 12, 13)]
    assert [len(sentence.split()) for sentence in sentences(documents, shortest=10, longest=12)] == [10, 12]


def test_importing_it_loads_neither_nlpaug_nor_nltk():
    modules = "distill_utils.texts.augmentation, distill_utils.texts.rewriting, sys"
    done = subprocess.run(
        [sys.executable, "-c", f"import {modules}; assert not {{'nlpaug', 'nltk'}} & set(sys.modules)"]
    )
    assert done.returncode == 0


TABLE = pd.Series(["the good film", "a bad film", "one fine day"], index=[2, 0, 1])  # as a shuffled table has it


def test_a_shuffled_column_is_read_by_place():
    assert pool_without(TABLE, ["The good  film"]) == (["a bad film", "one fine day"], 1)
    assert pool_without(TABLE.tolist(), TABLE[:1]) == (["a bad film", "one fine day"], 1)
    assert sample(TABLE, 2, seed=0) == sample(TABLE.tolist(), 2, seed=0)
    sizes = {"fragments_each": 1, "replaced_each": 1, "spliced_each": 1, "seed": 0}
    expected = transfer_set(TABLE.tolist(), **sizes, unlabelled=["more"], held_out=["a bad film"])
    assert transfer_set((text for text in TABLE), **sizes, unlabelled=iter(["more"]), held_out=TABLE[1:2]) == expected


@pytest.mark.parametrize(
    "call",
    [
        word_probes,
        sentences,
        lambda texts: fragments(texts, 1, seed=0),
        lambda texts: replace_words(texts, 1, seed=0),
        lambda texts: splice(texts, 1, seed=0),
        lambda texts: sample(texts, 1, seed=0),
        lambda texts: pool_without(texts, []),
        lambda texts: pool_without(["a test text"], texts),
        lambda texts: transfer_set(["a"], fragments_each=0, replaced_each=0, spliced_each=0, seed=0, held_out=texts),
        lambda texts: transfer_set(["a"], fragments_each=0, replaced_each=0, spliced_each=0, seed=0, unlabelled=texts),
        lambda texts: Vocabulary.fit(texts, 10),
        lambda texts: Vocabulary(["a"]).encode(texts),
        lambda texts: with_twins(texts, seed=0),
        lambda texts: eda(texts, 1, seed=0, neighbours={}),
        lambda texts: tang(texts, 1, seed=0),
    ],
)
def test_one_string_is_not_a_list_of_texts(call):
    with pytest.raises(ValueError, match="one string is not a list of texts: give a list, such as"):
        call("a test text")
    with pytest.raises(ValueError, match="text 1 is nan, of type float"):
        call(["a test text", float("nan")])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fragments(["a"], -1, seed=0), "n=-1: give a whole number, 0 or more"),
        (lambda: fragments(["a"], 1, seed=0, shortest=9), "longest=8: give a whole number, 9 or more"),
        (lambda: sample(["a"], -1, seed=0), "size=-1: give a whole number, 0 or more"),
        (lambda: Vocabulary.fit(["a"], 0), "size=0: give a whole number, 1 or more"),
    ],
)
def test_amounts_are_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call()
