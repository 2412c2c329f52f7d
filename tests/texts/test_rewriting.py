"""EDA and Tang et al.'s rules: what they may do to a text, by hand-worked examples; where words' kin come from."""

import random
from collections import Counter
from types import SimpleNamespace

import nltk
import numpy as np
import pytest
import torch
from tiny_checkpoints import tiny_bert
from transformers import AutoModel, AutoTokenizer

from distill_utils.teachers import resolve_checkpoint
from distill_utils.texts import lexicon, rewriting
from distill_utils.texts.lexicon import TAGGER, WORDNET, at_hand, neighbours, pos_tags, word_vectors
from distill_utils.texts.rewriting import eda, tang
from distill_utils.texts.words import words_of

TEXTS = ["i don't want a 4.5-star movie today", "A Movie, they're re-reading: good!", "we sing", "oh", ""]
LIKE = {"movie": ["film", "picture show"], "good": ["great"], "sing": ["hum"]}
needs_wordnet = pytest.mark.skipif(not at_hand(WORDNET), reason="WordNet not at hand: set $NLTK_DATA")
needs_tagger = pytest.mark.skipif(not at_hand(TAGGER), reason="NLTK's tagger not at hand: set $NLTK_DATA")


@pytest.fixture
def no_nltk_data(monkeypatch, tmp_path):
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])


@pytest.fixture
def only(monkeypatch):
    """Every version by one EDA operation."""

    def choose(operation):
        fixed = SimpleNamespace(**{name: getattr(random, name) for name in dir(random) if name[0] != "_"})
        fixed.choices = lambda _, k: [operation] * k
        monkeypatch.setattr(rewriting, "random", fixed)

    return choose


def test_eda_replaces_words_in_the_case_and_punctuation_they_had(no_nltk_data, only):
    only("replace")
    made = eda(TEXTS, 30, seed=0, neighbours=LIKE, alpha=1.0)
    assert set(made[:30]) == {f"i don't want a 4.5-star {new} today" for new in LIKE["movie"]}
    assert set(made[30:60]) == {f"A {new}, they're re-reading: great!" for new in ("Film", "Picture show")}
    assert made[60:] == ["we hum"] * 30 + ["oh"] * 30 + [""] * 30


def test_eda_changes_alpha_of_the_words_and_at_least_one(no_nltk_data, only):
    only("replace")
    words = [f"w{i}" for i in range(20)]
    texts, like = [" ".join(words), "w1 w2"], {word: ["new"] for word in words}
    changed = [version.split().count("new") for version in eda(texts, 5, seed=0, neighbours=like, alpha=0.1)]
    assert changed == [2] * 5 + [1] * 5


def test_eda_inserts_synonyms_anywhere(no_nltk_data, only):
    only("insert")
    made = eda(["we sing"], 60, seed=0, neighbours=LIKE)
    assert set(made) == {"hum we sing", "we hum sing", "we sing hum"}


def test_eda_swaps_neighbours_without_adding_capitals(no_nltk_data, only):
    only("swap")
    assert set(eda(["i sing"], 20, seed=0, neighbours=LIKE)) == {"sing i"}
    made = eda(TEXTS[:1], 50, seed=0, neighbours=LIKE)
    assert all(Counter(version.split()) == Counter(TEXTS[0].split()) for version in made) and len(set(made)) > 3


def test_eda_deletes_alpha_of_the_words_but_never_the_last(no_nltk_data, only):
    only("delete")
    made = eda(TEXTS, 50, seed=0, neighbours=LIKE)
    assert {len(version.split()) for version in made[:50]} == {6} and len(set(made[:50])) > 3
    assert made[150:] == ["oh"] * 50 + [""] * 50


def test_eda_draws_all_four_operations(no_nltk_data):
    sizes = Counter(len(version.split()) - 2 for version in eda(["we sing"], 400, seed=0, neighbours={"sing": ["hum"]}))
    assert all(70 < sizes[change] < 130 for change in (-1, 1)) and 160 < sizes[0] < 240


def test_stop_words_have_no_synonyms(no_nltk_data):
    made = " ".join(eda(["i am not so sad"], 100, seed=0, neighbours={word: ["XX"] for word in "i am not so".split()}))
    assert "XX" not in made.upper()


def test_without_wordnet_and_neighbours_eda_says_what_to_do(no_nltk_data):
    assert not at_hand(WORDNET)
    with pytest.raises(ValueError, match=r"^no synonyms: point \$NLTK_DATA .* or give neighbours=$"):
        eda(TEXTS, 1, seed=0)


@needs_wordnet
def test_wordnet_comes_first_where_it_is_at_hand(only):
    only("replace")
    made = set(eda(["the Movie!"], 100, seed=0, neighbours={"movie": ["wrong"]}))
    assert {"the Film!", "the Picture!", "the Motion picture!"} <= made and "the Wrong!" not in made


@pytest.mark.parametrize("make", [lambda *a, **k: eda(*a, neighbours=LIKE, **k), tang])
def test_a_seed_decides_and_leaves_python_s_generator_alone(no_nltk_data, make):
    random.seed(7)
    expected = random.random()
    random.seed(7)
    assert make(TEXTS, 20, seed=1) == make(TEXTS, 20, seed=1) != make(TEXTS, 20, seed=2)
    assert random.random() == expected
    assert len(make(TEXTS, 20, seed=1)) == 20 * len(TEXTS)
    assert make([], 20, seed=1) == make(TEXTS, 0, seed=1) == []


@pytest.mark.parametrize("make", [lambda *a, **k: eda(*a, neighbours=LIKE, **k), tang])
def test_apostrophes_and_hyphens_survive(no_nltk_data, make):
    whole = {word for text in TEXTS for word in text.split()} | {"film", "great", "hum", "picture", "show", "_"}
    whole |= {"Film,", "Picture", "show,", "great!"}
    made = {word for version in make(TEXTS, 200, seed=0) for word in version.split()}
    assert {"don't", "4.5-star", "they're", "re-reading:"} <= made
    assert {word.lower() for word in made} <= {word.lower() for word in whole}


def test_tang_masks_every_word_and_the_student_sees_none(no_nltk_data):
    made = tang(TEXTS, 2, seed=0, p_mask=1.0, p_ngram=0.0)
    assert made[0] == made[1] == "_ _ _ _ _ _ _" and made[-2:] == ["", ""]
    assert not any(map(words_of, made))


@pytest.mark.models
def test_a_teacher_reads_the_mask_as_one_token_of_its_own():
    tokenizer = AutoTokenizer.from_pretrained(resolve_checkpoint("minilm"))
    assert tokenizer.tokenize("a _ film") == ["a", "_", "film"]


def test_rules_read_curly_quotes_and_scripts_without_spaces(no_nltk_data, only):
    texts = ["We “sing” don’t\xa0we", "我很高兴。"]
    assert tang(texts, 1, seed=0, p_mask=0.0, p_pos=0.0, p_ngram=0.0) == ['We "sing" don\'t we', "我很高兴。"]
    assert tang(texts, 1, seed=0, p_mask=1.0, p_ngram=0.0) == ["_ _ _ _", "_ _ _ _"]
    only("replace")
    like = {"sing": ["hum"], "dont": ["never"], "很": ["真"]}  # as a vocabulary writes them
    made = eda(texts, 20, seed=0, neighbours=like, alpha=0.1)
    assert set(made[:20]) == {'We "hum" don\'t we', 'We "sing" never we'}
    assert set(made[20:]) == {"我很高兴。"}  # a single letter is too short for a synonym
    only("swap")
    assert all(
        sorted(words_of(text)) == ["兴", "很", "我", "高"] and " " not in text
        for text in eda(texts, 9, seed=0, neighbours=like)[9:]
    )


def test_tang_without_chances_changes_nothing(no_nltk_data):
    assert tang(TEXTS, 2, seed=0, p_mask=0.0, p_pos=0.0, p_ngram=0.0) == [text for text in TEXTS for _ in range(2)]


def test_tang_keeps_1_to_5_neighbouring_words(no_nltk_data):
    text = "one two three four five six seven"
    made = tang([text, "oh"], 200, seed=0, p_mask=0.0, p_pos=0.0, p_ngram=1.0)
    assert {len(version.split()) for version in made[:200]} == {1, 2, 3, 4, 5} and set(made[200:]) == {"oh"}
    assert all(f" {version} " in f" {text} " for version in made[:200])
    assert {"one", "seven"} <= set(made)


def test_tang_replaces_by_frequency_within_a_part_of_speech(monkeypatch):
    tags = {"cat": "N", "dog": "N", "sees": "V", "hears": "V", "the": "D"}
    monkeypatch.setattr(rewriting, "pos_tags", lambda _: tags)
    texts = ["the cat sees the dog", "the dog hears the dog", "the dog sees the dog"]
    made = tang(texts, 400, seed=0, p_mask=0.0, p_pos=1.0, p_ngram=0.0)
    assert {tuple(tags[word] for word in version.split()) for version in made} == {("D", "N", "V", "D", "N")}
    counts = Counter(word for version in made for word in version.split())
    assert 0.80 < counts["dog"] / (counts["dog"] + counts["cat"]) < 0.86  # 5 of 6
    assert 0.62 < counts["sees"] / (counts["sees"] + counts["hears"]) < 0.72  # 2 of 3


def test_tang_s_chances_hold(no_nltk_data):
    made = tang([" ".join(f"w{i}" for i in range(50))], 400, seed=0)
    whole = [version.split() for version in made if len(version.split()) > 5]
    assert 0.69 < len(whole) / 400 < 0.81  # 0.75
    assert 0.09 < np.mean([word == "_" for words in whole for word in words]) < 0.11
    moved = [word not in ("_", f"w{i}") for words in whole for i, word in enumerate(words)]
    assert 0.088 < np.mean(moved) < 0.108  # a tenth, of which 1 in 50 is drawn again


def test_without_a_tagger_an_ending_is_a_part_of_speech(no_nltk_data):
    words = "i they singing walked, slowly cats cat"
    assert list(pos_tags([words]).values()) == ["stop", "stop", "ing", "ed", "ly", "s", ""]


@needs_tagger
def test_tags_come_from_a_sample_of_texts_then_from_words_alone(monkeypatch):
    monkeypatch.setattr(lexicon, "TAGGED_TEXTS", 1)
    tags = pos_tags(["i feel good.", "quickly"])
    assert tags == {"i": "PRP", "feel": "VBP", "good.": "JJ", "quickly": "RB"}


@pytest.mark.parametrize("batch_size", [3, 100])
def test_neighbours_are_those_of_brute_force(batch_size):
    vectors = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    vectors[4] = 0.0  # a word without pieces
    words = [f"w{i}" for i in range(10)]
    table = neighbours(words, vectors, k=3, batch_size=batch_size)
    assert list(table) == words
    for i in set(range(10)) - {4}:
        cosine = {
            words[j]: vectors[i] @ vectors[j] / np.linalg.norm(vectors[i]) / (np.linalg.norm(vectors[j]) or 1.0)
            for j in range(10)
            if j != i
        }
        assert table[words[i]] == sorted(cosine, key=cosine.get, reverse=True)[:3]


def test_few_words_have_few_neighbours():
    assert neighbours(["a", "b"], np.eye(2), k=5) == {"a": ["b"], "b": ["a"]}
    assert neighbours(["a"], np.eye(1)) == {} == neighbours([], np.zeros((0, 3)))


def test_a_word_s_vector_is_the_mean_of_its_pieces(tmp_path):
    source = tiny_bert(tmp_path)
    model, tokenizer = AutoModel.from_pretrained(source, dtype=torch.bfloat16), AutoTokenizer.from_pretrained(source)
    table = model.get_input_embeddings().weight.detach().float().numpy()
    vectors = word_vectors(table, tokenizer, ["red", "apple-pie", " "])
    np.testing.assert_array_equal(vectors[0], table[4])
    np.testing.assert_allclose(vectors[1], (table[6] + table[1] + table[7]) / 3, atol=1e-7)
    assert not vectors[2].any() and vectors.dtype == np.float32
    assert word_vectors(table, tokenizer, []).shape == (0, 32)
