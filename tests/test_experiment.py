"""The protocol of parts 2 and 3 on a one-layer BERT: what is trained on what, and what the board then says."""

from collections import Counter
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tiny_checkpoints import tiny_bert

from distill_utils import experiment
from distill_utils.experiment import Experiment, tuned_tfidf
from distill_utils.profiles import PROFILES
from distill_utils.students.distillation import one_hot
from distill_utils.teachers import Recipe, from_callable, from_table, labeller
from distill_utils.texts.miniature import generate
from distill_utils.texts.tasks import load_task


def frame(n: int, start: str) -> pd.DataFrame:
    texts = [
        f"{start} {'so ' * (i // 4)}the {'apple' if i % 4 < 2 else 'pie'} is {'red' if i % 2 else 'green'}"
        for i in range(n)
    ]
    return pd.DataFrame({"text": texts, "label": [i % 2 for i in range(n)]})


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Experiment:
    folder = tmp_path_factory.mktemp("data") / "sst2"
    folder.mkdir()
    splits = {"train": frame(40, "a"), "validation": frame(12, "b"), "test": frame(16, "c")}
    splits["unsupervised"] = frame(100, "d")[["text"]]
    for split, found in splits.items():
        found.to_parquet(folder / f"{split}.parquet")
    checkpoint = tiny_bert(tmp_path_factory.mktemp("bert"), layers=2)
    recipes = {"sst2": Recipe(epochs=8, learning_rate=5e-3, batch_size=8)}
    bilstm = {"embedding_size": 4, "hidden": 4, "dense": 4}
    profile = replace(
        PROFILES["smoke"], source="folder", teachers=(checkpoint,), recipes=recipes, pool=40, bilstm=bilstm
    )
    data = load_task("sst2", data_dir=str(folder.parent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(labeller.TITLES, checkpoint, "tiny")
        found = Experiment(
            data, profile, seeds=2, blog={"MLP-D": 86.0}, words=10_000, more=["c the pie is red", "x y z"]
        )
        found.teach()
    return found


def test_the_pool_is_cut_and_holds_no_held_out_text(small):
    held = {text for split in ("validation", "test") for text in small.texts[split]}
    assert not held & set(small.pool)
    assert len([text for text in small.pool if text.startswith("d")]) == 20  # half of 40
    assert small.leaks == ("c the pie is red" in held) and "x y z" in small.pool


def test_the_word_table_keeps_its_size_when_the_vocabulary_grows(small):
    assert small.mlp().embedding.embedding_dim == 8  # 80,000 numbers for 10,000 words
    assert small.bilstm().embedding.embedding_dim == 4


def test_the_gated_cnn_has_the_mlps_size_and_the_most_frequent_words(small):
    seen = Counter(word for text in small.texts["train"] + small.pool for word in text.split())
    task = copy(small)
    conv = {"embedding_size": 4000, "endings": 1, "channels": 2, "layers": 1}
    task.profile = replace(small.profile, conv=conv | {"rare_size": 4000})
    found = task.conv(taught=True)
    # Of 80,400, the layer takes 4 * (3 * 4000 + 1), the classes 10: rows for an end, an ending and 6 words are left.
    assert found.count_parameters() == (48_014 + 8 * 4000, 48_014)
    assert sorted(seen[word] for word in found.vocabulary.words) == sorted(seen.values())[-6:]
    probed = small.mlp(taught=True)
    rows = [probed.vocabulary.words.index(word) for word in found.vocabulary.words]
    np.testing.assert_array_equal(found.word_logits, probed.word_logits[rows])
    assert task.conv().word_logits is None and len(small.conv().vocabulary) == len(seen)


def test_taught_students_start_from_the_teacher(small):
    logits = small.teacher.logits(["the red"])
    assert logits.shape == (1, 2)
    start = small.mlp(taught=True, pooling="mean")
    assert small.mlp(taught=True).word_vectors is None
    assert start.word_logits.shape == (len(small.vocabulary), 2) and start.word_vectors.shape[1] == 6
    assert small.bilstm(taught=True).word_vectors.shape == (len(small.vocabulary), 4)
    assert small.bilstm().word_vectors is None and small.mlp().word_logits is None


def test_a_taught_student_goes_on_the_board(small):
    texts, soft = small.transfer()
    assert texts == small.texts["train"] + small.pool
    np.testing.assert_allclose(soft, small.teacher.soft_labels(texts))
    students = small.train(lambda: small.mlp(taught=True), texts, soft, epochs=20, batch_size=8)
    assert len(students) == 2 and len(small.train(small.mlp, texts, soft, epochs=1, only=1)) == 1
    row = small.record("MLP-D", students, small.teacher_name)
    accuracy = [100 * np.mean(student.predict(small.texts["test"]) == small.labels["test"]) for student in students]
    assert row.score == pytest.approx(np.mean(accuracy), abs=0.01) and row.n_seeds == 2 and row.blog_score == 86.0
    kept, _ = small.retention("MLP-D")
    assert kept == pytest.approx(100 * row.score / small.board["tiny"].score)
    assert small.correct(students).mean(axis=1) * 100 == pytest.approx(accuracy)
    assert small.validation(students)[0] == pytest.approx(
        np.mean([100 * np.mean(s.predict(small.texts["validation"]) == small.labels["validation"]) for s in students])
    )


def test_students_of_another_mix_are_moved_to_that_of_the_labels(small):
    one_class = np.broadcast_to(np.float32([0.1, 0.9]), (40, 2))
    lesson = {"make": small.mlp, "texts": small.texts["train"], "soft_labels": one_class, "epochs": 60}
    found = small.train_all({"moved": lesson | {"match": True}, "left": lesson})
    share = {name: [model.predict(small.texts["train"]).mean() for model in models] for name, models in found.items()}
    assert share["left"] == [1.0, 1.0]
    assert share["moved"] == pytest.approx([0.5, 0.5], abs=0.2)  # many texts here are one to it: ties


def test_hard_labels_are_one_hot_rows(small):
    np.testing.assert_array_equal(small.hard, one_hot(small.labels["train"], 2))


def test_baselines(small):
    small.baselines()
    assert small.board["majority class"].score == 50.0
    linear = tuned_tfidf(small)
    assert small.board["TF-IDF + logistic regression"].score == small.score(linear.predict(small.texts["test"]))


def test_of_models_that_are_not_run_only_the_blogs_score_is_noted(small):
    small.blog = {"BERT": 91.4, "RoBERTa": 93.0, "T5-base": 93.5}
    small.others()
    bert = small.board["BERT"]
    assert bert.score is None and bert.blog_score == 91.4 and bert.data_source == "the blog"
    assert bert.parameters == 109_483_778  # BERT-base with two classes
    assert small.board["T5-base"].score is None and small.board["T5-base"].parameters == 222_903_552
    assert small.board.table().note.startswith("In the blog: BERT 91.4, RoBERTa 93.0, T5-base 93.5.")
    assert not {"BERT", "RoBERTa", "T5-base"} & {row[0] for row in small.board.table().rows}
    with pytest.raises(StopIteration):
        small.board["DistilBERT"]  # not in this blog table


def test_the_bilstm_knows_words_that_the_mlp_has_no_room_for(small):
    task = copy(small)
    task.known = len(small.vocabulary) - 2
    found = task.bilstm(taught=True)
    assert found.vocabulary.words == small.vocabulary.words[:-2] and len(found.word_vectors) == task.known
    assert len(task.mlp().vocabulary) == len(small.vocabulary)


def test_a_second_teacher_stands_beside_the_first_and_changes_nothing_of_it(small):
    before, board = small.teacher, [result.model for result in small.board.results]
    quick = Recipe(epochs=1, learning_rate=5e-3)
    small.profile = replace(small.profile, small=small.profile.teachers[0], small_recipes={"sst2": quick})
    other = small.beside()
    assert other.teacher is not before and other.teacher.fingerprint != before.fingerprint
    assert small.teacher is before and [result.model for result in small.board.results] == board
    assert other.pool is small.pool and other.vocabulary is small.vocabulary and other.seeds == small.seeds
    assert [result.model for result in other.board.results] == [other.teacher_name]
    small.profile = replace(small.profile, small=None)
    half = small.beside()
    assert half.teacher_name.endswith("layers-D") and half.board[half.teacher_name].score is not None


@pytest.fixture
def fresh(small) -> Experiment:
    """The same task, without a teacher."""
    return Experiment(small.data, small.profile, seeds=1, words=100)


def test_a_table_as_teacher_teaches_what_it_answers(fresh, tmp_path):
    known = [*fresh.texts["train"][:30], *fresh.pool[:5], *fresh.texts["validation"]]
    pd.DataFrame({"text": known, "negative": 0.25, "positive": 0.75}).to_csv(tmp_path / "mine.csv", index=False)
    teacher = fresh.teach(teacher=from_table(tmp_path / "mine.csv", fresh.names))
    assert teacher is fresh.teacher and fresh.teacher_name == "mine.csv"
    assert fresh.board["mine.csv"].score is None  # it has no answer to the test texts
    texts, soft = fresh.transfer()
    assert set(texts) == set(known[:35]) and np.allclose(soft, [0.25, 0.75])
    for pooling in ("mean", "pairs"):
        start = fresh.mlp(taught=True, pooling=pooling)
        assert start.word_logits is None and start.word_vectors is None
    assert fresh.bilstm(taught=True).word_vectors is None and fresh.conv(taught=True).word_logits is None
    students = fresh.train(lambda: fresh.mlp(taught=True), texts, soft, epochs=1)
    assert fresh.record("MLP-D", students, fresh.teacher_name).teacher == "mine.csv"
    with pytest.raises(ValueError, match="mine.csv is no transformer at hand: a word vector"):
        fresh.word_vectors(fresh.vocabulary)


def test_a_function_as_teacher_is_asked_about_words_only_when_told_to(fresh):
    asked = []

    def says(texts):
        asked.extend(texts)
        return ["positive" if "red" in text else "negative" for text in texts]

    fresh.teach(teacher=from_callable(says, fresh.names, name="api of test_experiment"))
    row = fresh.board["api of test_experiment"]
    assert row.score == 100.0 and row.parameters is None and set(asked) == set(fresh.texts["test"])
    before = len(asked)
    assert fresh.mlp(taught=True, pooling="mean").word_logits is None and len(asked) == before
    start = fresh.mlp(taught=True, pooling="mean", probes=True)
    words = fresh.vocabulary.words
    assert start.word_vectors is None and len(asked) > before
    assert start.word_logits[words.index("red")].argmax() == 1 and start.word_logits[words.index("green")].argmax() == 0


def test_a_ready_teacher_knows_the_same_classes(fresh):
    with pytest.raises(ValueError, match="^the classes are .*'negative', 'positive'.*, the teacher's .*: give"):
        fresh.teach(teacher=from_callable(len, fresh.names[::-1], name="api"))


def test_smaller_transformers_stand_beside_the_teacher(small):
    quick = Recipe(epochs=1, learning_rate=5e-3, adapter_rank=2)
    recipes = {"sst2": quick}
    profile = replace(
        small.profile,
        recipes=recipes,
        small=small.profile.teachers[0],
        small_recipes=recipes,
        taught_recipes=recipes,
        half_recipes=recipes,
        lesson={},
    )
    task = Experiment(small.data, profile, seeds=1, words=100)
    teacher = task.teach()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(labeller.TITLES, small.profile.teachers[0], "tiny")
        task.teacher_name = "whole"
        found = task.smaller()
    assert list(found) == ["tiny", "tiny-D", "whole, 1 layers-D"]
    assert [task.board[name].teacher for name in found] == [None, "whole", "whole"]
    assert all(model.adapter for model in (teacher, *found.values()))
    assert found["whole, 1 layers-D"].count_parameters()[0] < found["tiny"].count_parameters()[0]
    lesson = task.lesson()
    assert lesson[: len(task.texts["train"])] == task.texts["train"] and len(lesson) == len(task.texts["train"])


def test_only_the_small_transformer_reads_further_texts_and_only_with_answers_at_hand(small, monkeypatch):
    quick, read = Recipe(epochs=1), []
    recipes = {"small_recipes": {"sst2": quick}, "taught_recipes": {"sst2": quick}, "half_recipes": {"sst2": quick}}
    task = copy(small)
    task.profile = replace(small.profile, small=small.profile.teachers[0], lesson={}, **recipes)
    task.further, task.further_taught = ["a b", "c", "d e"], ["a b", "c"]
    monkeypatch.setattr(small.teacher, "at_hand", lambda texts: [text for text in texts if " " in text])
    monkeypatch.setattr(experiment, "teach", lambda start, texts, *_, **__: read.append(texts) or small.teacher)
    task.smaller()
    assert read == [[*task.lesson(), "a b"], task.lesson()]
    assert task.transfer()[0] == [*task.texts["train"], *task.pool, "a b", "d e"]


@pytest.mark.models
def test_texts_in_capitals_are_taught_as_well(tmp_path):  # case 01: 54.6 points fell to 29.6
    rows = pd.DataFrame(dict(zip(("text", "label"), generate("emotion")["train"], strict=True)))
    rows = rows[rows["label"] < 2].head(400)  # sadness and joy
    train, held, answers = rows[:160], rows[160:], []
    for write in (str, str.upper):
        path = tmp_path / f"{write.__name__}.csv"
        train.assign(text=train["text"].map(write)).to_csv(path, index=False)
        one = Experiment(load_task(path), PROFILES["smoke"], seeds=1)
        one.teach()
        students = one.train(lambda one=one: one.mlp(taught=True), *one.transfer(), epochs=20, batch_size=32)
        answers.append(students[0].predict(held["text"].map(write)))
    np.testing.assert_array_equal(answers[1], answers[0])
    majority = held["label"].value_counts(normalize=True).max()
    assert np.mean(answers[1] == held["label"]) > majority + 0.15
