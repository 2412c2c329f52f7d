"""One definition of a word: the written rules, and what must hold for any text at all."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_utils.texts import words
from distill_utils.texts.words import Vocabulary, normalise, pieces, plain, word_spans, words_of, write, written_words

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "text_rules.json").read_text(encoding="utf-8"))
# What is met seldom in random text: each kind of character of the rules, and what may join its neighbours.
RARE = sorted({char for vector in VECTORS for char in vector["text"]}) + list("iIsS'' \u0307\u0345\u0301\u20e3")
TEXT = st.text(st.one_of(st.sampled_from(RARE), st.characters()), max_size=25)
some = settings(max_examples=250, deadline=None)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: ascii(vector["text"]))
def test_the_written_rules(vector):
    assert plain(vector["text"]) == vector["plain"]
    assert words_of(vector["text"]) == vector["words"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("good\u00a0movie", "good movie"),  # case 02
        ("good\u202fmovie", "good movie"),
        ("good\u3000movie", "good movie"),
        ("i don’t like this film", "i don't like this film"),  # case 03
        ("“Great”", '"great"'),
        ("it😍", "it 😍"),
        ("ÉtÉ", "été"),
        ("caf\u00e9", "CAFE\u0301"),
        ("GREAT FRIENDLY DRIVER", "great friendly driver"),  # case 01
    ],
)
def test_two_ways_to_write_a_text_are_one_to_a_student(one, other):
    for fitted in (one, other):
        vocabulary = Vocabulary.fit([fitted], 9)
        rows, counts = vocabulary.encode([one, other])
        assert counts.tolist() == [len(words_of(other))] * 2 and counts[0] > 0
        assert rows[: counts[0]].tolist() == rows[counts[0] :].tolist()
    assert normalise(f" {one}\n") == normalise(other) or "😍" in one


def test_texts_that_differ_in_letters_or_punctuation_do_not_count_as_the_same():
    assert normalise("I don’t\tCARE ") == "i don't care"
    assert len({normalise(text) for text in ("resume", "résumé", "resume.", "resum e")}) == 4


def test_chinese_words_are_characters():  # case 04
    vocabulary = Vocabulary.fit(["我很高兴。", "我不高兴！"], 99)
    assert vocabulary.words == ["我", "高", "兴", "很", "不"]
    assert vocabulary.encode(["不高兴，我？"])[0].tolist() == [4, 1, 2, 0]


def test_printable_ascii_is_plain_and_comes_back_itself():
    text = "Don't stop--I'm HAPPY! " * 3
    assert plain(text) is text


def test_broken_unicode_is_no_error():
    lone = json.loads('"so\\ud83d good\\ude0d"')
    assert plain(lone) == "so  good " and words_of(lone) == ["so", "good"]
    assert Vocabulary.fit([lone], 9).encode([lone, "\udfff"])[1].tolist() == [2, 0]


@some
@given(TEXT)
def test_plain_text_stays_as_it_is(text):
    assert plain(plain(text)) == plain(text)
    assert words_of(plain(text)) == words_of(text)
    assert unicodedata.is_normalized("NFKC", plain(text))


@some
@given(TEXT)
def test_capitals_never_change_the_words(text):
    assert words_of(text.upper()) == words_of(text)
    assert words_of(plain(text).upper()) == words_of(text)


@some
@given(TEXT)
def test_words_are_the_same_whether_runs_or_whole_texts_are_read(text):
    whole = "".join(words._separated(words._fold(plain(text))))
    assert words_of(text) == whole.split()
    assert words_of(f"so {text} it") == ["so", *words_of(text), "it"]


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXT, max_size=6))
def test_encode_finds_every_word_that_fit_counted(texts):
    vocabulary = Vocabulary.fit(texts, 10_000)
    rows, counts = vocabulary.encode(texts)
    assert counts.tolist() == [len(words_of(text)) for text in texts]
    assert [vocabulary.words[row] for row in rows] == [word for text in texts for word in words_of(text)]
    kept, ends = vocabulary.encode(texts, keep_unknown=True)
    assert ends.tolist() == [count + 1 for count in counts] and len(vocabulary) not in kept


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXT, max_size=4).map(" ".join), st.integers(1, 7))
def test_pieces_keep_all_words_in_order_and_none_is_too_long(text, longest):
    found = [words_of(piece) for piece in pieces(text, longest)]
    assert [word for piece in found for word in piece] == words_of(text)
    sizes = [len(piece) for piece in found]
    assert max(sizes) <= longest and len(sizes) == max(1, -(-len(words_of(text)) // longest))
    assert max(sizes) - min(sizes) <= 1


@some
@given(TEXT)
def test_words_lie_where_their_spans_say(text):
    text = plain(text)
    spans = list(word_spans(text))
    assert [words_of(text[start:end]) for start, end in spans] == [[word] for word in words_of(text)]
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))


@some
@given(TEXT)
def test_writing_words_as_they_were_written_loses_none(text):
    assert words_of(write(written_words(text))) == words_of(text)


def test_every_character_is_the_same_plain_in_capitals_and_alone():
    skipped = ((0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0x17000, 0x18CFF), (0x20000, 0x10FFFF))  # long, and all alike
    codes = (code for code in range(0x20000) if not any(first <= code <= last for first, last in skipped))
    chars = [char for char in map(chr, codes) if unicodedata.category(char) not in ("Cn", "Co")]
    assert len(chars) > 30_000
    text = " ".join(chars)
    assert plain(plain(text)) == plain(text)
    found = words_of(text)
    assert words_of(text.upper()) == found and words_of(text.lower()) == found
    assert words_of(" ".join(found)) == found
    assert not any(char.isspace() and char != " " for char in plain(text))


def test_amounts_of_words_are_1_or_more():
    for few in (0, -1, 1.5):
        with pytest.raises(ValueError, match=f"longest={few}: give a whole number, 1 or more"):
            pieces("one two", few)
        with pytest.raises(ValueError, match=f"size={few}: give a whole number, 1 or more"):
            Vocabulary.fit(["one two"], few)


def test_180_words_joined_by_commas_are_three_pieces():  # case 27
    found = pieces(",".join(f"w{i}" for i in range(180)), 60)
    assert [len(words_of(piece)) for piece in found] == [60, 60, 60]
    assert found[0].startswith("w0,w1,") and found[1].startswith("w60,w61,") and found[2].endswith("w179")
    assert pieces("don't,won't so", 2) == ["don't,won't", "so"]
    assert pieces("很" * 5, 2) == ["很很", "很", "很很"]
    assert pieces("a “b” c", 3) == ["a “b” c"] and pieces("a “b” c", 1) == ['a "', 'b"', "c"]


def test_written_words_are_what_stands_between_spaces_or_characters():
    assert written_words("I don’t re-read, ok…") == ["I", "don't", "re-read,", "ok..."]
    assert written_words("「漢字」とAbc、だ。") == ["「漢", "字」", "と", "Abc、", "だ。"]
    assert written_words("ดีมาก ๒๕") == ["ดี", "ม", "า", "ก", "๒๕"]
    assert write(["我", "很", "iPhone", "高,", "兴。"]) == "我很 iPhone 高,兴。"
    assert write(["I", "don't"]) == "I don't" and write([]) == ""


def test_a_long_run_beyond_ascii_is_read_like_a_short_one():
    assert words_of("да" * 200 + " e\u0301" + "é" * 99) == ["да" * 200, "é" * 100]
    rows, counts = Vocabulary(["é"]).encode(["\u0301", "e\u0301", "x\u0301 e\u0301"])
    assert counts.tolist() == [0, 1, 1] and rows.tolist() == [0, 0]
    np.testing.assert_array_equal(Vocabulary(["a"]).encode(["\u0301a"] * 3)[1], [1, 1, 1])
