"""The generated corpora: same everywhere, no leaks, and every dial does what it says. No models here."""

import hashlib
import re
import time
from dataclasses import replace

import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import matthews_corrcoef
from sklearn.pipeline import make_pipeline

from distill_utils.texts import miniature
from distill_utils.texts.miniature import DIALS, Dials, generate

TASKS = ("emotion", "sst2", "cola", "imdb")
SMALL = {"train": 30, "validation": 20, "test": 40, "unlabelled": 50}
CUES = {
    "emotion": miniature._EMOTION_CUES,
    "sst2": miniature._SENTIMENT_CUES,
    "imdb": miniature._SENTIMENT_CUES,
}


@pytest.fixture(scope="module")
def corpora():
    started = time.process_time()
    corpora = {task: generate(task) for task in TASKS}
    assert time.process_time() - started < 4  # about 1 s on an idle core
    return corpora


def words(text):
    return re.findall(r"[\w-]+", text.lower())


def five_grams(text):
    tokens = words(text)
    return {tuple(tokens[i : i + 5]) for i in range(len(tokens) - 4)}


def held_out_words(corpus, task):
    """Cue words of the test split, all of them (with repeats) and those that train lacks."""
    cues = set(" ".join(CUES[task].values()).split())
    known = {word for text in corpus["train"][0] for word in words(text)}
    used = [word for text in corpus["test"][0] for word in words(text) if word in cues]
    return used, [word for word in used if word not in known]


def bag_of_words_score(corpus, metric, ngrams=(1, 1)):
    """What a linear model on word counts makes of the test split."""
    (texts, labels), (test_texts, test_labels) = corpus["train"], corpus["test"]
    model = make_pipeline(CountVectorizer(binary=True, ngram_range=ngrams), LogisticRegression(max_iter=500))
    return metric(test_labels, model.fit(texts, labels).predict(test_texts))


def accuracy(labels, predictions):
    return sum(a == b for a, b in zip(labels, predictions, strict=True)) / len(labels)


@pytest.mark.parametrize(
    ("task", "digest"),
    [
        ("emotion", "9fe4e20f8a5da5df"),
        ("sst2", "35cc11c29014b4c8"),
        ("cola", "08b7758bfee51408"),
        ("imdb", "899f1dec34e804d8"),
    ],
)
def test_the_same_seed_writes_the_same_texts_on_every_machine_and_python(task, digest):
    corpus = generate(task, seed=7, **SMALL)
    assert hashlib.sha256(repr(corpus).encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize("task", TASKS)
def test_another_seed_writes_other_texts(task):
    one, two = (set(generate(task, seed=seed, **SMALL)["test"][0]) for seed in (0, 1))
    assert len(one & two) < len(one) / 10


@pytest.mark.parametrize("task", TASKS)
def test_splits_have_the_sizes_asked_for_and_share_no_text(corpora, task):
    corpus = corpora[task]
    assert {name: len(texts) for name, (texts, _) in corpus.items()} == {
        "train": 400,
        "validation": 200,
        "test": 600,
        "unsupervised": 4000,
    }
    texts = [text for split, _ in corpus.values() for text in split]
    assert len(texts) == len(set(texts))
    assert all(text == " ".join(text.split()) and "{" not in text for text in texts)


@pytest.mark.parametrize("task", TASKS)
def test_labels_are_complete_and_no_class_dominates(corpora, task):
    classes, largest = (6, 0.40) if task == "emotion" else (2, 0.57)
    assert corpora[task]["unsupervised"][1] == []
    for name in ("train", "validation", "test"):
        texts, labels = corpora[task][name]
        assert len(labels) == len(texts) and set(labels) == set(range(classes))
        assert max(labels.count(label) for label in set(labels)) <= largest * len(labels)


@pytest.mark.parametrize("task", TASKS)
def test_the_test_split_does_not_depend_on_the_other_sizes(task):
    others = {**SMALL, "train": 90, "validation": 5, "unlabelled": 0}
    assert generate(task, **SMALL)["test"] == generate(task, **others)["test"]


@pytest.mark.parametrize("task", TASKS)
def test_most_test_texts_share_no_five_gram_with_train(corpora, task):
    known = set().union(*map(five_grams, corpora[task]["train"][0]))
    shared = [text for text in corpora[task]["test"][0] if five_grams(text) & known]
    assert len(shared) < 0.35 * len(corpora[task]["test"][0])


@pytest.mark.parametrize("task", sorted(CUES))
def test_held_out_cue_words_are_in_the_pool_but_not_in_train(corpora, task):
    used, unseen = held_out_words(corpora[task], task)
    assert abs(len(unseen) / len(used) - DIALS[task].unseen) < 0.05
    pool = {word for text in corpora[task]["unsupervised"][0] for word in words(text)}
    assert set(unseen) <= pool


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_unseen_dial_goes_all_the_way(share):
    corpus = generate("sst2", dials=replace(DIALS["sst2"], unseen=share), unlabelled=0)
    used, unseen = held_out_words(corpus, "sst2")
    assert len(unseen) / len(used) == share


@pytest.mark.parametrize(
    ("kinds", "rules"), [(miniature._EMOTION_CUES, miniature._EMOTION), (miniature._SENTIMENT_CUES, miniature._IMDB)]
)
def test_a_cue_word_belongs_to_one_class_and_no_frame_uses_it(kinds, rules):
    cues = " ".join(kinds.values()).split()
    assert len(cues) == len(set(cues))
    frames = {
        word
        for alternatives in rules.values()
        for parts in alternatives
        for part in parts[::2]
        for word in part.split()
    }
    assert frames.isdisjoint(cues)


def test_no_cola_word_is_in_two_parts_of_speech():
    texts = [text for kind, text in miniature._COLA_CUES.items() if kind != "malformed"]
    lexicon = " ".join(texts).split()
    assert len(lexicon) == len(set(lexicon))


@pytest.mark.parametrize("task", ["emotion", "sst2", "imdb"])
def test_single_words_carry_the_label_when_their_dial_says_so(task):
    corpus = generate(task, dials=Dials(words=1, negation=0, order=0, unseen=0), unlabelled=0, train=1000)
    assert bag_of_words_score(corpus, accuracy) > 0.95


@pytest.mark.parametrize("task", ["sst2", "imdb"])
def test_a_bag_of_words_is_blind_to_order(task):
    corpus = generate(task, dials=Dials(words=0, negation=0, order=1, unseen=0), unlabelled=0, train=1000)
    assert abs(bag_of_words_score(corpus, accuracy) - 0.5) < 0.07


def test_cola_breaks_sentences_without_touching_their_words(corpora):
    assert abs(bag_of_words_score(corpora["cola"], matthews_corrcoef)) < 0.15
    assert abs(bag_of_words_score(generate("cola", train=2000, unlabelled=0), matthews_corrcoef)) < 0.15


def test_cola_words_and_negation_are_other_ways_to_break_a_sentence():
    malformed = generate("cola", dials=Dials(words=1, negation=0, order=0, unseen=0), unlabelled=0)
    assert bag_of_words_score(malformed, accuracy) > 0.95
    negated = generate("cola", dials=Dials(words=0, negation=1, order=0, unseen=0), unlabelled=0)
    texts, labels = negated["test"]
    assert all(text.startswith("No ") == bool(label) for text, label in zip(texts, labels, strict=True))


def test_emotion_and_sst2_leave_room_above_a_tfidf_baseline(corpora):
    for task in ("emotion", "sst2"):
        (texts, labels), (test_texts, test_labels) = corpora[task]["train"], corpora[task]["test"]
        model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=500))
        assert accuracy(test_labels, model.fit(texts, labels).predict(test_texts)) < 0.80


def test_with_order_scales_the_other_two_shares():
    dials = Dials(words=0.6, negation=0.2, order=0.2, unseen=0.3).with_order(0.6)
    assert (dials.words, dials.negation, dials.order, dials.unseen) == pytest.approx((0.3, 0.1, 0.6, 0.3))
    assert DIALS["cola"].with_order(0.25).words == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generate("mnli"), "choose one of emotion, sst2, cola, imdb"),
        (lambda: generate("sst2", train=-1), "train texts must be 0 or more, not -1"),
        (lambda: Dials(words=0.5, negation=0.2, order=0.2, unseen=0), "must sum to 1, not 0.9"),
        (lambda: Dials(words=1.5, negation=-0.5, order=0, unseen=0), "between 0 and 1"),
        (lambda: DIALS["sst2"].with_order(1.5), "between 0 and 1"),
    ],
)
def test_impossible_values_stop_with_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
