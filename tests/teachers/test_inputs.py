"""What teachers are given: texts and labels of every form, or one line that says what is wrong with them."""

import numpy as np
import pandas as pd
import pytest
from tiny_checkpoints import tiny_bert, tiny_t5

from distill_utils.teachers import Recipe, Teacher, fine_tune, fine_tuning, teacher, text_to_text, written_labels
from distill_utils.teachers.checkpoints import load_checkpoint

TEXTS = ["the pie is red", "green apple", "so red", "the apple is green"]
LABELS = np.array([0, 1, 0, 1])
NAMES = ("red", "green")
RECIPE = Recipe(epochs=2, batch_size=4)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def raw(checkpoint):
    return Teacher(*load_checkpoint(checkpoint, NAMES), name="raw")


@pytest.mark.parametrize(
    "form",
    [tuple, np.array, pd.Series, lambda texts: pd.Series(texts, index=[9, 9, 3, 1])],
    ids=["tuple", "array", "Series", "index"],
)
def test_texts_come_in_every_list_like_form(raw, tmp_path, form):
    expected = raw.logits(TEXTS)
    np.testing.assert_array_equal(raw.logits(form(TEXTS)), expected)
    np.testing.assert_allclose(raw.cached_logits(form(TEXTS), tmp_path), expected, atol=2e-3)
    assert raw.soft_labels(form(TEXTS), tmp_path).shape == (4, 2) and len(raw.predict(form(TEXTS))) == 4


@pytest.mark.parametrize("ask", ["logits", "cached_logits", "soft_labels", "predict"])
def test_one_string_is_not_a_list_of_texts(raw, ask):
    with pytest.raises(ValueError, match="one string is not a list of texts") as error:
        getattr(raw, ask)("the pie is red")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ask", ["logits", "cached_logits", "soft_labels"])
def test_no_texts_no_rows(raw, ask):
    assert getattr(raw, ask)([]).shape == (0, 2) and getattr(raw, ask)(pd.Series([], dtype=str)).dtype == np.float32
    assert raw.predict([]).shape == (0,)


def test_an_empty_text_has_an_answer(raw, tmp_path):
    alone, beside = raw.logits([""]), raw.logits(["", "the pie is red"])
    assert np.isfinite(alone).all()
    np.testing.assert_allclose(beside[0], alone[0], atol=1e-5)
    np.testing.assert_allclose(raw.cached_logits([""], tmp_path), alone, atol=2e-3)


@pytest.mark.parametrize("form", [list, tuple, pd.Series, lambda labels: np.array(labels, np.uint8)])
def test_labels_come_in_every_list_like_form(checkpoint, tmp_path, form):
    plain = fine_tune(checkpoint, TEXTS, LABELS, NAMES, RECIPE, folder=tmp_path)
    again = fine_tune(checkpoint, pd.Series(TEXTS), form(LABELS), list(NAMES), RECIPE, folder=tmp_path)
    assert again.fingerprint == plain.fingerprint
    assert len(list((tmp_path / "teachers").iterdir())) == 1  # one key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": "the pie is red"}, "one string is not a list of texts"),
        ({"texts": [*TEXTS[:3], None]}, "text 3 is None"),
        ({"texts": [], "labels": []}, "no texts to learn from"),
        ({"labels": [0, 1, 0, 2]}, r"labels hold 2 \(text 3\), but the 2 classes are numbered 0 to 1"),
        ({"labels": [0, -1, 0, 1]}, r"labels hold -1 \(text 1\)"),
        ({"labels": ["red", "green", "red", "green"]}, "class numbers, not such as 'red'"),
        ({"labels": [0.5, 1.0, 0.0, 1.0]}, "class numbers, not of type float64"),
        ({"labels": np.eye(2, dtype=int)[LABELS]}, r"labels of shape \(4, 2\)"),
        ({"labels": LABELS[:3]}, "4 texts and 3 labels"),
        ({"class_names": "red"}, "one string is not a list of class names"),
        ({"class_names": ("red", "red")}, "two or more, each of them once"),
        ({"class_names": ("red",), "labels": [0, 0, 0, 0]}, "two or more, each of them once"),
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_from_is_said_before_anything_is_trained(
    checkpoint, tmp_path, monkeypatch, change, message
):
    monkeypatch.setattr(fine_tuning, "train", lambda *_, **__: pytest.fail("trained"))
    arguments = {"texts": TEXTS, "labels": LABELS, "class_names": NAMES, **change}
    with pytest.raises(ValueError, match=message) as error:
        fine_tune(checkpoint, **arguments, folder=tmp_path)
    assert "\n" not in str(error.value)


def test_renamed_classes_are_trained_anew(checkpoint, tmp_path):
    first = fine_tune(checkpoint, TEXTS, LABELS, NAMES, RECIPE, folder=tmp_path)
    renamed = fine_tune(checkpoint, TEXTS, LABELS, ("rot", "grün"), RECIPE, folder=tmp_path)
    more = fine_tune(checkpoint, TEXTS, LABELS, (*NAMES, "blue"), RECIPE, folder=tmp_path)
    assert [teacher.class_names for teacher in (first, renamed, more)] == [NAMES, ("rot", "grün"), (*NAMES, "blue")]
    assert more.logits(TEXTS).shape == (4, 3)


def test_teachers_read_texts_as_students_do(raw, checkpoint, tmp_path, monkeypatch):
    """With a rule that makes two texts one, each place that reads a text must follow it."""
    for module in (teacher, fine_tuning, text_to_text):
        monkeypatch.setattr(module, "plain", lambda text: text.replace("RED", "red"))
    np.testing.assert_array_equal(raw.logits(["so RED"]), raw.logits(["so red"]))
    raw.cached_logits(["so RED", "so red"], tmp_path)
    monkeypatch.setattr(Teacher, "logits", lambda *_: pytest.fail("asked again"))
    np.testing.assert_array_equal(*raw.cached_logits(["so RED", "so red"], tmp_path))
    monkeypatch.undo()
    for module in (teacher, fine_tuning):
        monkeypatch.setattr(module, "plain", lambda text: text.replace("RED", "red"))
    texts = [text.replace("red", "RED") for text in TEXTS]
    learnt = [fine_tune(checkpoint, given, LABELS, NAMES, RECIPE, folder=tmp_path) for given in (texts, TEXTS)]
    assert learnt[0].fingerprint == learnt[1].fingerprint and len(list((tmp_path / "teachers").iterdir())) == 1


def test_t5_is_asked_in_the_same_way(tmp_path, monkeypatch):
    folder = tiny_t5(tmp_path)
    for texts in (["red apple", ""], pd.Series(["red apple", ""]), np.array(["red apple", ""])):
        assert written_labels(folder, texts, NAMES)[0].shape == (2,)
    assert written_labels(folder, [], NAMES)[0].shape == (0,)
    with pytest.raises(ValueError, match="one string is not a list of texts"):
        written_labels(folder, "red apple", NAMES)
    with pytest.raises(ValueError, match="one string is not a list of class names"):
        written_labels(folder, ["red apple"], "red")
