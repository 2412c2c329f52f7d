"""What a teacher does not read of long texts, and a teacher that reads them in pieces."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from tiny_checkpoints import tiny_bert

from distill_utils.teachers import InPieces, Teacher, Truncation, from_callable, from_table
from distill_utils.teachers.checkpoints import load_checkpoint


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    model, tokenizer = load_checkpoint(tiny_bert(tmp_path_factory.mktemp("bert")), ("red", "green"))
    with torch.no_grad():
        model.classifier.weight *= 50  # answers that differ from text to text
    return Teacher(model, tokenizer, name="tiny", max_tokens=6)


def test_truncation_by_hand(teacher, capfd):
    texts = ["the apple is red", "the apple is so red", "", "so so so so so so so so so so"]  # 4, 5, 0, 10 words
    found = teacher.truncation(texts)  # 6 tokens, two of them marks: 0, 1, 0 and 6 words are cut
    assert found == Truncation(n_texts=4, n_truncated=2, share_of_tokens_lost=7 / 19, max_tokens=6)
    expected = "2 of 4 texts are longer than the teacher's 6 tokens: it does not read 36.8% of all tokens"
    assert str(found) == expected
    assert str(teacher.truncation(texts[:1])) == "all 1 texts fit into the teacher's 6 tokens"
    assert teacher.truncation([]) == Truncation(0, 0, 0.0, 6)
    teacher.truncation(["so " * 1000])
    assert capfd.readouterr() == ("", "")  # the tokenizer warns of what is too long for a model


def test_a_teacher_in_pieces_is_the_mean_of_its_answers(teacher, tmp_path):
    text = "the apple is red so is the green pie"  # 9 words: 3 pieces of 3
    parts = ["the apple is", "red so is", "the green pie"]
    whole = InPieces(teacher, 4)
    expected = np.stack([teacher.logits(parts).mean(axis=0), teacher.logits(["red"])[0]])
    np.testing.assert_allclose(whole.logits([text, "red"]), expected, atol=1e-6)
    np.testing.assert_allclose(whole.cached_logits([text, "red"], tmp_path), expected, atol=1e-2)
    assert whole.soft_labels([text], tmp_path).sum() == pytest.approx(1)
    assert not np.allclose(expected[0], teacher.logits([text])[0], rtol=1e-5)  # it reads four words of it
    assert whole.truncation([text]).n_truncated == 0 and teacher.truncation([text]).n_truncated == 1


def test_a_teacher_in_pieces_is_otherwise_its_teacher(teacher):
    whole = InPieces(teacher, 4)
    assert (whole.name, whole.class_names, whole.n_classes, whole.max_tokens) == ("tiny", ("red", "green"), 2, 6)
    assert whole.has_weights and whole.any_text and whole.count_parameters() == teacher.count_parameters()
    assert whole.fingerprint != teacher.fingerprint and deepcopy(whole).longest == 4
    with pytest.raises(ValueError, match="longest=0"):
        InPieces(teacher, 0)


def test_columns_in_pieces(tmp_path):
    api = from_callable(lambda texts: ["a" if "x" in text else "b" for text in texts], ("a", "b"), name="api")
    floor = np.log(1e-4)
    np.testing.assert_allclose(InPieces(api, 1).logits(["x y y y"]), [[3 * floor / 4, floor / 4]], rtol=1e-6)
    (tmp_path / "a.csv").write_text("text,label\nx y,a")
    with pytest.raises(ValueError, match=r"^a.csv answers its own texts only, and no pieces of them"):
        InPieces(from_table(tmp_path / "a.csv", ("a", "b")), 1)
