"""Shuffling, dev-r, and word-order sensitivity on examples worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distill_utils.word_order import (
    SERIES,
    Sensitivity,
    answers,
    boards,
    by_teacher,
    eligible,
    expectation,
    frame,
    ranking,
    shuffle,
    wos,
)

WORDS = [f"w{i}" for i in range(12)]


def stream():
    return np.random.default_rng(0)


def by_first_word(texts):
    return np.array([text.split()[0].startswith("good") for text in texts], int)


def by_bag_of_words(texts):
    return np.array(["good" in text.split() for text in texts], int)


def only_on(originals, labels, otherwise):
    known = dict(zip(originals, labels, strict=True))
    return lambda texts: np.array([known.get(text, otherwise) for text in texts])


def test_words_are_kept_and_their_order_always_differs():
    random, text = stream(), " ".join(WORDS)
    for _ in range(50):
        assert shuffle("one two", random=random) == "two one"
        assert shuffle("so so so good", random=random) != "so so so good"
        assert sorted(shuffle(text, random=random).split()) == sorted(WORDS)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_chunks_lie_on_a_grid_from_the_first_word_on(n):
    grid, random = [WORDS[i : i + n] for i in range(0, len(WORDS), n)], stream()
    for _ in range(20):
        found = shuffle(" ".join(WORDS), n, random=random).split()
        for chunk in grid:
            start = found.index(chunk[0])
            assert found[start : start + len(chunk)] == chunk
        assert found != WORDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two .", "two one ."),
        ("one two.", "two one."),
        ("one, two ?!? '' ", "two one, ?!? '' "),
        ("(one two...)", "two (one...)"),
    ],
)
def test_punctuation_at_the_end_stays_as_it_was(text, expected):
    assert shuffle(text, random=stream()) == expected


@pytest.mark.parametrize(
    ("text", "n"), [("", 1), ("?!", 1), ("  one  .", 1), ("no  no no!", 1), ("a  b c", 3), ("a b a b  a b", 4)]
)
def test_a_text_without_another_order_comes_back_as_it_is(text, n):
    assert shuffle(text, n, random=stream()) == text


def test_within_sentences_each_sentence_stays_in_its_place():
    text = "one two. three  four!\nAnd ... five six ? seven"
    assert shuffle(text, random=stream(), within_sentences=True) == "two one. four three!\nAnd ... six five ? seven"


def test_scripts_without_spaces_have_an_order_of_characters():
    found = shuffle("我很高兴。", random=stream())
    assert found != "我很高兴。" and sorted(found[:-1]) == sorted("我很高兴") and found[-1] == "。"
    assert shuffle("很。", random=stream()) == "很。"
    whole = shuffle("很好。不好！他。", random=stream(), within_sentences=True)
    assert whole == "好很。好不!他。"
    texts = ["我很高兴。", "很好。", "我高兴。他很好！"]
    assert eligible(texts, np.zeros(3, int), np.zeros(3, int), stream()).tolist() == [0]
    assert eligible(texts, np.zeros(3, int), np.zeros(3, int), stream(), single_sentences=False).tolist() == [0, 2]


def test_unicode_spaces_and_quotes_are_plain_before_words_are_moved():
    assert shuffle("one\u3000don’t”…", random=stream()) == "don't one\"..."


def test_dev_r_is_right_long_enough_and_one_sentence():
    texts = [
        "one two three four .",
        "one two three . ! ?",  # three words
        "one two. three four",
        "one two ! '' Three four",
        "thank you mr . smith and Mrs. Jones",
        "it costs 3.5 dollars.",
        "one two three wrong",
    ]
    labels, predictions = np.zeros(7, int), np.array([0, 0, 0, 0, 0, 0, 1])
    assert eligible(texts, labels, predictions, stream()).tolist() == [0, 4, 5]
    assert eligible(texts, labels, predictions, stream(), single_sentences=False).tolist() == [0, 2, 3, 4, 5]


def test_dev_r_is_balanced_and_drawn_at_random():
    labels = np.array([0] * 50 + [1] * 9 + [2] * 30)
    rows = eligible(["a b c d"] * 89, labels, labels, stream())
    assert np.bincount(labels[rows]).tolist() == [9, 9, 9] and len(set(rows)) == 27
    assert rows[:9].tolist() != list(range(9))
    capped = eligible(["a b c d"] * 89, labels, labels, stream(), max_texts=14)
    assert np.bincount(labels[capped]).tolist() == [4, 4, 4]


def test_sensitivity_by_hand():
    # With n=2 four words have one other order: the third word comes first.
    texts = ["good a good b", "good c bad d", "bad e bad f", "bad g bad h", "bad i good j", "good k bad"]
    labels = np.array([1, 1, 0, 0, 1, 1])  # the fifth is misread and flips, the sixth is too short
    found = wos(by_first_word, texts, labels, 2, n=2, seeds=3)
    assert found.n_texts == 4 and found.accuracy == 75
    assert found.wos_blog == found.wos == 0.5
    assert found.flips == pytest.approx(100 * 2 / 5)
    assert found.low == 0 and found.high > found.wos


def test_a_bag_of_words_has_no_sensitivity():
    texts = ["good a b c", "so good it is", "bad d e f", "it is so bad"]
    found = wos(by_bag_of_words, texts, np.array([1, 1, 0, 0]), 2)
    assert (found.accuracy, found.flips, found.wos_blog, found.wos, found.low, found.high) == (100, 0, 0, 0, 0, 0)


def test_a_predictor_that_falls_back_on_one_class_is_at_chance():
    texts, labels = [f"{i} a b c" for i in range(40)], np.arange(40) % 2
    found = wos(only_on(texts, labels, 0), texts, labels, 2)
    assert found.accuracy == 50 and found.wos == found.wos_blog == 1
    assert found.low == pytest.approx(1 - 1.96 / np.sqrt(40), abs=0.1)  # half-width of a coin's share, in 50ths
    nowhere = wos(only_on(texts, labels, -1), texts, labels, 2)
    assert nowhere.accuracy == 0 and nowhere.wos_blog == nowhere.wos == 2


def test_chance_depends_on_the_number_of_classes():
    # The blog's 0.14 on the six classes of Emotion: p = 93, so 7 of 100 texts a class change (with n=2 surely).
    numbers = [(k, k if i >= 7 else (k + 1) % 6) for k in range(6) for i in range(100)]
    found = wos(
        lambda texts: np.array([int(text[0]) for text in texts]),
        [f"{first} a {third} b" for first, third in numbers],
        np.repeat(np.arange(6), 100),
        6,
        n=2,
        seeds=1,
    )
    assert found.wos_blog == pytest.approx(0.14) and found.wos == pytest.approx(0.084)
    half = 1.96 * np.sqrt(0.07 * 0.93 / 600) / (1 - 1 / 6)
    assert (found.low, found.high) == pytest.approx((0.084 - half, 0.084 + half), abs=0.004)


def recorded(labels):
    """A predictor that gives the labels, then zeros, and what it was asked."""
    asked = []

    def predict(texts):
        asked.append(texts)
        return labels if len(asked) == 1 else np.zeros(len(texts), int)

    return predict, asked


def test_one_stream_gives_texts_of_one_length_different_orders():
    labels = np.arange(10) % 2
    predict, asked = recorded(labels)
    wos(predict, [" ".join(WORDS)] * 10, labels, 2, seeds=2)
    assert [len(texts) for texts in asked] == [10, 20] and len(set(asked[1])) == 20


def test_the_same_call_gives_the_same_numbers():
    texts, labels = [f"{w} {' '.join(WORDS)}" for w in ("good", "bad", "so", "good")], np.array([1, 0, 0, 1])

    def good_is_early(texts):
        return np.array(["good" in text.split()[:9] for text in texts], int)

    first = wos(good_is_early, texts, labels, 2)
    assert 0 < first.wos < 1
    assert wos(good_is_early, texts, labels, 2) == first


def test_a_cap_bounds_what_is_predicted():
    labels = np.array([0] * 70 + [1] * 30)
    predict, asked = recorded(labels)
    found = wos(predict, [f"{i} a b c" for i in range(100)], labels, 2, seeds=3, max_texts=11)
    assert found.n_texts == 10 and found.accuracy == 50 and 3 * 11 <= len(asked[1]) <= 3 * (10 + 11)
    assert 0 < found.flips < 100


def test_documents_are_shuffled_whole_or_by_sentence():
    texts, labels = ["good one two. Bad three", "bad one two. Good three"], np.array([1, 0])
    whole, within = recorded(labels), recorded(labels)
    wos(whole[0], texts, labels, 2, documents=True, seeds=5)
    wos(within[0], texts, labels, 2, documents=True, within_sentences=True, seeds=5)
    assert all(text.endswith((". three Bad", ". three Good")) for text in within[1][1])
    assert not all(text.endswith((". three Bad", ". three Good")) for text in whole[1][1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n=0, .* give"),
        ({"seeds": 0}, "seeds=0: give"),
        ({"labels": np.array([1, 0, 0])}, "2 texts, 3 labels, 2 predictions: give"),
        ({"n_classes": 3}, "2 classes, not 3: give"),
        ({"labels": np.array([0, 1])}, "no eligible text .* give"),  # both misread
        ({"texts": ["good a b", "bad a b c"]}, "no eligible text .* give"),
        ({"max_texts": 1}, "no eligible text .* larger max_texts"),
    ],
)
def test_bad_input_is_named_in_one_line(change, message):
    call = {"texts": ["good a b c", "bad a b c"], "labels": np.array([1, 0]), "n_classes": 2} | change
    with pytest.raises(ValueError, match=message) as error:
        wos(by_first_word, **call)
    assert "\n" not in str(error.value)


def test_a_chunk_holds_a_word():
    with pytest.raises(ValueError, match="n=0: give a whole number, 1 or more"):
        shuffle("a b", 0, random=stream())


FOUR = ["good a b c", "bad a b c"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wos(by_first_word, "good a b c", [1], 2), "one string is not a list of texts"),
        (lambda: wos(by_first_word, FOUR, ["pos", "neg"], 2), "labels are class numbers, not such as 'pos'"),
        (lambda: wos(by_first_word, FOUR, [1.0, 0.0], 2), "labels are class numbers, not of type float64"),
        (lambda: wos(by_first_word, FOUR, [2, 1], 2), "labels hold 2 .text 0., but the 2 classes are numbered 0 to 1"),
        (lambda: wos(lambda texts: ["pos", "neg"], FOUR, [1, 0], 2), "predictions are class numbers, not such as"),
        (lambda: wos(lambda texts: np.eye(2), FOUR, [1, 0], 2), r"predictions of shape \(2, 2\)"),
        (lambda: wos(by_first_word, FOUR, [1, 0], 2, max_texts=0), "max_texts=0: give"),
        (lambda: eligible("good a b c", [1], [1], stream()), "one string is not a list of texts"),
        (lambda: eligible(FOUR, ["pos", "neg"], ["pos", "neg"], stream()), "labels are class numbers"),
        (lambda: eligible(FOUR, [1, 0], ["pos", "neg"], stream()), "predictions are class numbers"),
        (lambda: shuffle(["a b"], random=stream()), "a list is not a text: shuffle one string at a time"),
    ],
)
def test_arguments_of_another_kind_are_named_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_columns_of_a_table_are_texts_and_labels():
    frame = pd.DataFrame({"text": FOUR, "label": [1, 0]}, index=[8, 9])
    assert wos(by_first_word, frame["text"], frame["label"], 2) == wos(by_first_word, FOUR, [1, 0], 2)


@pytest.mark.parametrize(
    "wos, low, high, task, unsure",
    [
        (0.1, 0.05, 0.15, "IMDB", False),
        (0.2, 0.1, 0.26, "IMDB", True),  # 0.26 is nearer to SST-2's 0.27
        (0.4, 0.3, 0.5, "SST-2", False),
        (0.9, 0.7, 1.1, "CoLA", False),
    ],
)
def test_the_expectation_is_that_of_the_nearest_task(wos, low, high, task, unsure):
    found = Sensitivity(1, 50, 2, 90.0, 5.0, wos, wos, low, high)
    line = expectation(found)
    assert line.startswith(f"WOS {wos:.2f} ({low:.2f} .. {high:.2f}) is close to {task}") and "\n" not in line
    assert ("take this as a guess" in line) == unsure


def test_the_series_values_are_those_of_part_3():
    rows = json.loads((Path(__file__).parents[1] / "results/laptop/part3.json").read_text(encoding="utf-8"))
    found = {row["task"]: row["score"] for row in rows if row["model"] == "wos, n = 1"}
    names = {"IMDB": "imdb", "SST-2": "sst2", "CoLA": "cola"}
    assert SERIES == pytest.approx({name: found[task] for name, task in names.items()}, abs=0.1)


def found(wos, low=0.0, high=1.0, n=1):
    return Sensitivity(n, 10, 2, 50.0, 40.0, 2 * wos, wos, low, high)


def test_a_ranking_says_which_neighbours_overlap():
    three = {"c": found(0.9, 0.8, 1.0), "a": found(0.1, 0.0, 0.2), "b": found(0.2, 0.15, 0.3)}
    assert ranking(three) == "a < (they overlap) b < c"
    assert ranking({"a": three["a"]}) == "a"


def test_a_sentence_in_other_orders_and_what_models_say():
    first_is_a = lambda texts: np.log([(0.8, 0.2) if text[0] == "a" else (0.1, 0.9) for text in texts])  # noqa: E731
    shown = answers("a b c d", {"one": first_is_a}, ("no", "yes"), seed=0)
    assert shown.columns == ["", "text", "one"]
    assert shown.rows[0] == ["as it is", "a b c d", "no, 80%"] and len(shown.rows) == 4
    for _, text, said in shown.rows[1:]:
        assert sorted(text.split()) == ["a", "b", "c", "d"] and text != "a b c d"
        assert said == ("no, 80%" if text[0] == "a" else "yes, 90%")
    assert [row[0] for row in shown.rows[1:]] == ["pieces of 1", "pieces of 2", "pieces of 3"]
    assert shown.rows[2][1] == "c d a b" and shown.rows[3][1] == "d a b c"  # their only other orders


def test_sensitivities_as_rows_a_table_and_boards():
    measured = {("a", 1): found(0.2), ("a", 2): found(0.1, n=2)}
    rows = frame(measured)
    assert rows[["task", "n", "wos", "wos_blog", "low", "high"]].to_numpy().tolist() == [
        ["a", 1, 0.2, 0.4, 0, 1],
        ["a", 2, 0.1, 0.2, 0, 1],
    ]
    two = by_teacher({"large": {"a": found(0.2)}, "small": {"a": found(0.3, 0.25, 0.4)}})
    assert two.columns == ["task", "large", "small"] and two.rows == [
        ["a", "0.20 (0.00 .. 1.00)", "0.30 (0.25 .. 0.40)"]
    ]
    by_class, by_blog = boards("a", "folder", {"large": list(measured.values()), "small": [found(0.3)]}, blog=0.34)
    assert [(row.model, row.score, row.blog_score) for row in by_class.results] == [
        ("wos, n = 1", 0.2, None),
        ("wos, n = 2", 0.1, None),
        ("wos, n = 1, small", 0.3, None),
    ]
    assert [(row.model, row.score, row.blog_score) for row in by_blog.results] == [
        ("wos_blog, n = 1", 0.4, 0.34),
        ("wos_blog, n = 2", 0.2, None),
        ("wos_blog, n = 1, small", 0.6, None),
    ]
    assert (by_class.metric, by_blog.metric) == ("WOS, K classes", "WOS, (100 - p) / 50")
