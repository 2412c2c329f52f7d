"""The course's tasks and students: what is trained on what, with a function as the teacher."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from distill_utils import course
from distill_utils.experiment import Experiment
from distill_utils.profiles import PROFILES
from distill_utils.results.scoreboard import Scoreboard
from distill_utils.teachers import from_callable
from distill_utils.texts.tasks import TASKS, load_task

SIZES = replace(
    PROFILES["smoke"],
    distil_epochs=1,
    conv_epochs=3,
    bilstm_epochs=1,
    bilstm_words=10**9,
    bilstm_hard_epochs=2,
    bilstm_seeds=1,
)


@pytest.fixture(scope="module", params=["sst2", "imdb"])
def task(request) -> Experiment:
    found = Experiment(load_task(request.param, source="miniature"), replace(SIZES, pool=40), seeds=2, words=500)
    found.further = ["a text further on", "and one more"]
    answer = found.names[1]
    found.teach(teacher=from_callable(lambda texts: [answer] * len(texts), found.names, name=f"says {answer}"))
    return found


def test_students_read_the_texts_of_their_kind(task, monkeypatch):
    asked, train = [], task.train_all

    def quickly(lessons):
        asked.extend(dict(lesson) for lesson in lessons.values())
        return train({kind: lesson | {"epochs": 1} for kind, lesson in lessons.items()})

    monkeypatch.setattr(task, "train_all", quickly)
    students = course.distil(task, course.BAG, course.PAIRS, course.CONV, course.BILSTM)
    assert {kind: len(found) for kind, found in students.items()} == {
        "MLP-D, bag of words": 2,
        "MLP-D": 2,
        "Gated CNN-D": 2,
        "Bi-LSTM-D": 1,
    }
    own = [] if task.data.task.name == "imdb" else task.texts["train"]  # IMDB's pool has a piece of each of these
    texts = own + task.pool + task.further
    assert all(lesson["texts"] == texts for lesson in asked)
    how = [tuple(lesson[name] for name in ("epochs", "batch_size", "learning_rate")) for lesson in asked]
    length, rate = (1, 3e-3) if own else (2, 1e-2)  # IMDB's pieces are longer than the texts of other tasks
    assert how[2] == (3, 64, 1e-2)
    assert how[0] == (task.profile.passes(length * len(texts)), 64, rate)
    assert students["MLP-D, bag of words"][0].config["pooling"] == "mean" != students["MLP-D"][0].config["pooling"]
    assert all(task.board[kind].teacher == task.teacher_name for kind in students)


def test_imdb_alone_is_asked_about_pieces_only_and_others_about_their_transfer_set(task, monkeypatch):
    asked, answer = [], task.teacher.soft_labels
    monkeypatch.setattr(task.teacher, "soft_labels", lambda texts: asked.append(texts) or answer(texts))
    course.distil(task, course.PAIRS)
    own = [] if task.data.task.name == "imdb" else task.texts["train"]
    assert asked == [own + task.pool + task.further]


@pytest.mark.parametrize("name", ["emotion", "sst2", "cola", "imdb"])
def test_reviews_are_read_where_they_are_needed(name, monkeypatch):
    read, load = [], course.load_task
    monkeypatch.setattr(course, "load_task", lambda name, source: read.append(name) or load(name, source=source))
    assert list(course.experiments([name], PROFILES["smoke"], seeds=1)) == read == [name]


@pytest.mark.parametrize("name", ["imdb", "sst2", "cola"])
def test_further_texts_are_short_and_new(name, monkeypatch):
    monkeypatch.setattr(course, "PIECES", {"smoke": 300})
    monkeypatch.setattr(course, "FRAGMENTS", {"smoke": 300})
    monkeypatch.setattr(course, "REWRITTEN", {"smoke": True})
    one, again = (course.experiments([name], PROFILES["smoke"], seeds=1)[name] for _ in range(2))
    known = {*one.texts["train"], *one.pool, *one.held_out}
    assert len(set(one.further)) == len(one.further) > 100 and not set(one.further) & known
    assert max(len(text.split()) for text in one.further) <= 60 and one.further == again.further
    assert one.vocabulary.words == Experiment(one.data, PROFILES["smoke"], seeds=1).vocabulary.words or name == "imdb"
    taught = one.further_taught
    assert taught == one.further[: len(taught)] and (
        1 < len(one.further) / len(taught) < 5 if name == "cola" else not taught
    )


def test_a_text_is_read_once_however_often_it_was_drawn():
    sizes = SimpleNamespace(name="smoke")
    one = SimpleNamespace(held_out=["a test text"], texts={"train": ["a"]}, pool=["b"], profile=sizes)
    assert course._unread(one, "some", lambda: ["c", "A  test text", "a", "c", "b", "d"]) == ["c", "d"]


def test_a_bilstm_on_labels_has_passes_of_its_own(task):
    kinds = {
        kind: course.settings(task, kind, ["a text"])["epochs"] for kind in (course.BILSTM, "Bi-LSTM, hard labels")
    }
    assert kinds == {"Bi-LSTM-D": 1, "Bi-LSTM, hard labels": 2}


def test_a_gated_cnn_makes_fewer_passes_over_many_texts():
    one = SimpleNamespace(
        profile=replace(SIZES, conv_epochs=8, texts_seen=6000), data=SimpleNamespace(task=TASKS["sst2"])
    )
    epochs = [course.settings(one, "Gated CNN, hard labels", ["a"] * n)["epochs"] for n in (100, 1000, 10**6)]
    assert epochs == [8, 6, 2]


def test_a_bilstm_makes_fewer_passes_over_many_words():
    sizes = replace(SIZES, bilstm_epochs=5, bilstm_words=6000)
    one = SimpleNamespace(profile=sizes, seeds=1, data=SimpleNamespace(task=TASKS["sst2"]))
    texts = {n: ["three words each"] * n for n in (100, 500, 667, 10**5)}
    assert [course.settings(one, course.BILSTM, some)["epochs"] for some in texts.values()] == [5, 4, 3, 2]
    one.profile = replace(sizes, bilstms={"sst2": {"dropout": 0.0}})
    assert [course.settings(one, course.BILSTM, some)["epochs"] for some in texts.values()] == [5, 4, 3, 1]


@pytest.mark.parametrize(
    ("kind", "dropout", "few", "many"),
    [
        (course.BAG, None, (10, 3e-3), (10, 3e-3)),
        (course.CONV, None, (10, 1e-2), (20, 1.4e-2)),
        (course.BILSTM, 0.0, (10, 2e-3), (20, 5e-3)),
        (course.BILSTM, 0.3, (10, 2e-3), (10, 2e-3)),
    ],
)
def test_students_take_fewer_and_larger_steps_through_half_a_million_texts(kind, dropout, few, many):
    sizes = replace(SIZES, student_batch=10, conv_batch=10, bilstm_batch=10, bilstms={"cola": {"dropout": dropout}})
    one = SimpleNamespace(profile=sizes, seeds=1, data=SimpleNamespace(task=TASKS["cola"]), texts={"train": ["a"]})
    steps = [course.settings(one, kind, ["a"] * n) for n in (499_999, 500_000)]
    assert [(step["batch_size"], step["learning_rate"]) for step in steps] == [few, many]


@pytest.mark.parametrize(
    ("name", "texts", "match"),
    [("cola", ["own"], False), ("cola", ["own", "own the"], True), ("sst2", ["a", "b"], False)],
)
def test_what_cola_reads_beyond_its_own_texts_is_mostly_broken(name, texts, match):
    one = SimpleNamespace(profile=SIZES, seeds=1, data=SimpleNamespace(task=TASKS[name]), texts={"train": ["own"]})
    for kind in (course.BAG, course.PAIRS, course.CONV, course.BILSTM):
        assert course.settings(one, kind, texts)["match"] is match


def test_the_dial_moves_the_label_out_of_the_words():
    words, order = (course.dialled(share, PROFILES["laptop"], seeds=1) for share in (0.0, 1.0))
    for one in (words, order):
        assert one.data.source == "miniature" and one.board.data_source == "miniature"
        assert one.profile.teachers == ("minilm",) and one.profile.recipe("sst2") == PROFILES["laptop"].dial
        assert {split: len(texts) for split, texts in one.texts.items()}["test"] == 300
    assert words.texts["test"] != order.texts["test"]
    # With the label in single words, word counts find it; with the label in the order, they find it less often.
    scores = []
    for one in (words, order):
        one.baselines()
        scores.append(one.board["TF-IDF + logistic regression"].score)
    assert scores[0] > scores[1] + 5


def test_a_point_counts_the_share_and_the_lead(task):
    board = Scoreboard("t", "accuracy", "file")
    board.add("says", 90.0), board.add(course.BAG, [80.0, 82.0])
    one = SimpleNamespace(
        labels={"test": np.array([0, 0, 0, 1, 1])},
        score=lambda answers: 60.0,
        board=board,
        teacher_name="says",
        data=task.data,
        retention=lambda model: (100 * 81 / 90, 1.5),
    )
    found = course.point(one, "x", 0.25)
    assert found["retention"] == pytest.approx(90) and found["of the lead"] == pytest.approx(100 * 21 / 30)
    assert (found["wos"], found["kind"], found["student"], found["teacher"], found["std"]) == (
        0.25,
        "real",
        81,
        90,
        1.5,
    )


def test_a_teacher_that_never_changes_its_mind_is_insensitive(task):
    monkey = SimpleNamespace(
        **vars(task) | {"teacher": SimpleNamespace(predict=lambda texts: _by_letters(task, texts))}
    )
    found = course.sensitivity(monkey, 1, most=8)
    assert found.wos == 0 and found.n == 1 and found.n_texts <= (4 if task.data.task.name == "imdb" else 8)


def _by_letters(task, texts):
    """The label of the validation text with the same letters, whatever their order."""
    known = dict(zip(map("".join, map(sorted, task.texts["validation"])), task.labels["validation"], strict=True))
    return np.array([known.get("".join(sorted(text)), 0) for text in texts])
