"""Students saved and loaded: the same answers to any text, or one line that says why not."""

import json
import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_utils.students import MLP, BiLSTM, Ensemble, GatedCNN, InPieces, Student
from distill_utils.texts.words import Vocabulary

WORDS = ["red", "green", "apple", "pie", "is", "the", "so", "don't", "école"]
NAMES = ("no", "yes", "ça, peut-être")


def mlp(pooling: str) -> MLP:
    return MLP(Vocabulary(WORDS), NAMES, pooling=pooling, embedding_size=6, hidden=4)


def bilstm() -> BiLSTM:
    return BiLSTM(Vocabulary(WORDS), NAMES, embedding_size=6, hidden=4, dense=5, dropout=0.5)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> dict[str, tuple]:
    """Of each kind a student, untrained, and what comes back from its folder."""
    torch.manual_seed(0)
    students = {
        "mean": mlp("mean"),
        "pairs": mlp("pairs"),
        "bilstm": bilstm(),
        "gated cnn": GatedCNN(Vocabulary(WORDS), NAMES, embedding_size=6, frequent=3, width=5),
        "ensemble": Ensemble([mlp("mean"), bilstm()]),
        "in pieces": InPieces(mlp("pairs"), 3),
    }
    found = {}
    for name, student in students.items():
        folder = tmp_path_factory.mktemp(name)
        student.save_pretrained(folder)
        found[name] = student, Student.from_pretrained(folder), folder
    return found


KINDS = ("mean", "pairs", "bilstm", "gated cnn", "ensemble", "in pieces")
SOME = st.lists(st.text(max_size=20) | st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=3)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(texts=SOME)
def test_a_saved_and_loaded_student_gives_equal_logits_on_any_text(saved, kind, texts):
    student, loaded, _ = saved[kind]
    texts = [*texts, "", "red apple pie " * 40]
    np.testing.assert_array_equal(loaded.predict_logits(texts), student.predict_logits(texts))


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_back_is_the_same_student(saved, kind):
    student, loaded, folder = saved[kind]
    assert type(loaded) is type(student) and (loaded.labels, loaded.config) == (NAMES, student.config)
    assert loaded.count_parameters() == student.count_parameters() and not loaded.training
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_a_bilstm_drops_as_much_as_before(saved):
    assert saved["bilstm"][1].dropout.p == 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_no_texts_and_a_single_string(saved, kind):
    student = saved[kind][0]
    assert student.predict_logits([]).shape == (0, 3) and student.predict([]).dtype == np.int64
    for call in (student.predict, student.predict_logits):
        with pytest.raises(ValueError, match="one string is not a list of texts"):
            call("good movie")


def test_a_folder_of_another_kind_is_named(saved):
    with pytest.raises(ValueError, match="is of the kind BiLSTM, not MLP: use BiLSTM.from_pretrained") as error:
        MLP.from_pretrained(saved["bilstm"][2])
    assert "\n" not in str(error.value)


def change_a_byte(path):
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda folder: (folder / "student.json").unlink(),
            "no student.json in .*: give a folder that",
        ),
        (lambda folder: (folder / "student.json").write_text("{"), "student.json in .* is damaged, .*: save it again"),
        (lambda folder: (folder / "student.json").write_text('{"labels": []}'), "is damaged, .*: save it again"),
        (lambda folder: (folder / "student.safetensors").unlink(), "student.safetensors is missing in .*: copy"),
        (lambda folder: change_a_byte(folder / "student.safetensors"), "is not the one that .*: save it again"),
    ],
)
def test_a_damaged_folder_is_named_in_one_line(tmp_path, damage, message):
    mlp("pairs").save_pretrained(tmp_path)
    damage(tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        MLP.from_pretrained(tmp_path)
    assert "\n" not in str(error.value)


def test_a_note_of_another_version_is_named_in_one_line(tmp_path, monkeypatch):
    later = mlp("pairs")
    later.config["heads"] = 3
    later.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="student.json in .* does not fit its weights: save it again") as error:
        Student.from_pretrained(tmp_path)
    assert "\n" not in str(error.value)
    mlp("pairs").save_pretrained(tmp_path)
    monkeypatch.delitem(Student.kinds, "MLP")
    with pytest.raises(ValueError, match="is of the kind MLP, not Student: import its class first"):
        Student.from_pretrained(tmp_path)


@pytest.mark.parametrize(("key", "change"), [("words", sorted), ("labels", lambda labels: labels[::-1])])
def test_a_note_in_another_order_is_not_read_as_if_it_fitted(tmp_path, key, change):
    mlp("pairs").save_pretrained(tmp_path)
    note = json.loads((tmp_path / "student.json").read_text())
    assert change(note[key]) != note[key]
    (tmp_path / "student.json").write_text(json.dumps(note | {key: change(note[key])}))
    with pytest.raises(ValueError, match="student.json in .* was changed by hand: load what was saved"):
        Student.from_pretrained(tmp_path)
    (tmp_path / "student.json").write_text(json.dumps(note, indent=2, sort_keys=True))  # an editor may lay it out anew
    assert Student.from_pretrained(tmp_path).labels == NAMES


def test_a_home_folder_and_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    mlp("pairs").save_pretrained("~/student")
    assert (tmp_path / "student" / "student.json").is_file()
    assert Student.from_pretrained("~/student").labels == NAMES
    with pytest.raises(OSError, match=r"cannot write to .*student.json \(File exists\): give a folder that can be"):
        mlp("pairs").save_pretrained(tmp_path / "student" / "student.json")


@pytest.mark.parametrize("moved", [0, 1])
def test_an_interrupted_save_leaves_the_old_student_or_none(tmp_path, monkeypatch, moved):
    old, new = mlp("pairs"), mlp("pairs")
    old.save_pretrained(tmp_path)
    replace, calls = os.replace, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) > moved:
            raise KeyboardInterrupt
        replace(*args)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        new.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["student.json", "student.safetensors"]  # no debris
    if moved == 0:
        loaded = MLP.from_pretrained(tmp_path)
        np.testing.assert_array_equal(loaded.predict_logits(["red pie"]), old.predict_logits(["red pie"]))
    else:
        with pytest.raises(ValueError, match="save it again"):
            MLP.from_pretrained(tmp_path)


def test_saving_again_replaces_what_was_there(tmp_path):
    mlp("mean").save_pretrained(tmp_path)
    student = bilstm()
    student.save_pretrained(tmp_path)
    np.testing.assert_array_equal(
        Student.from_pretrained(tmp_path).predict_logits(["red pie"]), student.predict_logits(["red pie"])
    )


def test_numpys_numbers_are_saved(tmp_path):
    MLP(Vocabulary(WORDS), NAMES, embedding_size=np.int64(6), hidden=np.int32(4)).save_pretrained(tmp_path)
    assert MLP.from_pretrained(tmp_path).config == {"pooling": "mean", "embedding_size": 6, "hidden": 4}


def test_an_ensemble_holds_students_of_the_same_classes():
    one = mlp("mean")
    assert Ensemble([one, bilstm()]).labels == NAMES
    other = MLP(Vocabulary(WORDS), NAMES[::-1], embedding_size=6, hidden=4)
    with pytest.raises(ValueError, match="student 0 of the ensemble and student 1 know .* in another order"):
        Ensemble([one, other])
    with pytest.raises(ValueError, match="member 1 of the ensemble is a NoneType: give students"):
        Ensemble([one, None])
    assert len(Ensemble(member for member in [one, bilstm()]).members) == 2
    with pytest.raises(ValueError, match="of no students: give one or more"):
        Ensemble([])
    with pytest.raises(ValueError, match="fit each of its students"):
        Ensemble([one]).encode(["red"])


def test_a_student_in_pieces_is_the_mean_of_its_answers():
    student = mlp("pairs")
    whole = InPieces(student, 3)
    text, parts = "the apple is so red", ["the apple", "is so red"]
    np.testing.assert_allclose(whole.predict_logits([text])[0], student.predict_logits(parts).mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(whole.predict_logits(["so red"]), student.predict_logits(["so red"]))
    assert whole.labels == NAMES and whole.count_parameters() == student.count_parameters()
    with pytest.raises(ValueError, match="not trained as one: fit the student"):
        whole.encode(["so"])
    with pytest.raises(ValueError, match="longest=0"):
        InPieces(student, 0)
