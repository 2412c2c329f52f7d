"""Checkpoints as they are found: other heads, no padding token, few positions; and what is saved of a teacher."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tiny_checkpoints import WORDS, tiny_bert, tiny_gpt2, tiny_mpnet
from transformers.utils import logging

from distill_utils.teachers import CheckpointError, Recipe, Teacher, fine_tune, teacher
from distill_utils.teachers.checkpoints import load_checkpoint, most_tokens

NAMES = ("red", "green")
TEXTS = ["the pie is red", "green apple", "so red", "the apple is green", "red", "green", "is red so", "is green"]
LABELS = np.array([0, 1] * 4)
RECIPE = Recipe(epochs=20, learning_rate=1e-2, batch_size=4, dropout=0.0)
LONG = " ".join(["the", "red", "apple", "so"] * 50)


def learn(folder: str, cache) -> Teacher:
    found = fine_tune(folder, TEXTS, LABELS, NAMES, RECIPE, folder=cache)
    assert found.class_names == NAMES and (found.predict(TEXTS) == LABELS).all()
    return found


def test_a_head_for_other_classes_makes_place_for_a_new_one(tmp_path):
    folder = tiny_bert(tmp_path / "bert", num_labels=5)
    with pytest.warns(UserWarning, match="tells 5 classes apart, not 2: a new one takes its place"):
        learn(folder, tmp_path)


def test_a_head_for_as_many_classes_is_kept(tmp_path):
    folder = tiny_bert(tmp_path, num_labels=3)
    model, _ = load_checkpoint(folder, ("a", "b", "c"))
    kept = load_file(tmp_path / "model.safetensors")["classifier.weight"]
    torch.testing.assert_close(model.classifier.weight.detach(), kept, rtol=0, atol=0)


@pytest.mark.parametrize("problem", ["multi_label_classification", "regression"])
def test_a_leftover_problem_type_is_reset(tmp_path, problem):
    found = learn(tiny_bert(tmp_path / "bert", problem_type=problem), tmp_path)
    assert found.model.config.problem_type == "single_label_classification"


def test_a_checkpoint_with_one_output_learns_classes_and_is_no_teacher_before(tmp_path):
    folder = tiny_bert(tmp_path / "bert", num_labels=1)
    model = teacher.AutoModelForSequenceClassification.from_pretrained(folder)
    with pytest.raises(CheckpointError, match="'score' has one output: a teacher tells two classes or more apart"):
        Teacher(model, teacher.AutoTokenizer.from_pretrained(folder), name="score")
    with pytest.warns(UserWarning, match="tells 1 classes apart"):
        learn(folder, tmp_path)


def test_weights_in_half_precision_are_trained_in_float32(tmp_path):
    folder = tiny_bert(tmp_path / "bert")
    weights = load_file(tmp_path / "bert" / "model.safetensors")
    save_file(
        {name: w.half() for name, w in weights.items()}, tmp_path / "bert" / "model.safetensors", {"format": "pt"}
    )
    config = tmp_path / "bert" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"dtype": "float16"}))
    assert {p.dtype for p in load_checkpoint(folder, NAMES)[0].parameters()} == {torch.float32}
    learn(folder, tmp_path)


def test_without_a_padding_token_the_end_token_pads(tmp_path):
    found = learn(tiny_gpt2(tmp_path / "gpt2", eos_token="[SEP]"), tmp_path)
    texts = ["red", "the pie is so so green", ""]  # of three lengths, in one batch
    one_by_one = np.concatenate([found.logits([text]) for text in texts])
    np.testing.assert_allclose(found.logits(texts), one_by_one, atol=1e-4)
    assert np.isfinite(one_by_one).all()


def test_without_padding_and_end_token_there_is_one_line(tmp_path):
    with pytest.raises(CheckpointError, match="no padding token and no end token"):
        load_checkpoint(tiny_gpt2(tmp_path), NAMES)


def test_weights_that_are_not_the_configuration_s_are_refused(tmp_path):
    folder = tiny_bert(tmp_path, layers=1)
    config = tmp_path / "config.json"
    whole = json.loads(config.read_text())
    config.write_text(json.dumps(whole | {"num_hidden_layers": 2}))
    with pytest.raises(CheckpointError, match=r"16 of its weights are missing .*bert\.encoder\.layer\.1"):
        load_checkpoint(folder, NAMES)
    config.write_text(json.dumps(whole | {"vocab_size": 99}))
    with pytest.raises(CheckpointError, match=r"1 of its weights .*word_embeddings"):
        load_checkpoint(folder, NAMES)


@pytest.mark.parametrize(
    ("make", "positions"), [(tiny_bert, 64), (tiny_mpnet, 64), (lambda f: tiny_gpt2(f, eos_token="[SEP]"), 64)]
)
def test_a_model_reads_as_far_as_it_has_positions(tmp_path, make, positions):
    model, tokenizer = load_checkpoint(make(tmp_path), NAMES)
    assert most_tokens(model) == positions
    found = Teacher(model, tokenizer, name="short", max_tokens=128)
    assert found.max_tokens == 64 and Teacher(model, tokenizer, name="short", max_tokens=16).max_tokens == 16
    read = " ".join(LONG.split()[: positions - tokenizer.num_special_tokens_to_add()])
    np.testing.assert_allclose(found.logits([LONG]), found.logits([read]), atol=1e-6)
    assert np.abs(found.logits([LONG]) - found.logits([" ".join(read.split()[:-1])])).max() > 1e-6


def test_long_texts_train_a_model_of_few_positions(tmp_path):
    found = fine_tune(tiny_mpnet(tmp_path / "mpnet"), [LONG, "green"], [0, 1], NAMES, Recipe(epochs=1), folder=tmp_path)
    assert found.max_tokens == 64


@pytest.fixture(scope="module", params=[tiny_bert, tiny_mpnet, lambda f: tiny_gpt2(f, eos_token="[SEP]")])
def saved_and_loaded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    model, tokenizer = load_checkpoint(request.param(folder / "checkpoint"), ("b", "a"))
    before = Teacher(model, tokenizer, name="a name", max_tokens=9, train_seconds=3.5)
    before.save_pretrained(folder / "teacher")
    return before, Teacher.from_pretrained(folder / "teacher")


def test_a_saved_teacher_is_whole(saved_and_loaded):
    before, after = saved_and_loaded
    for what in ("name", "max_tokens", "train_seconds", "class_names", "n_classes", "fingerprint", "count_parameters"):
        found = [getattr(one, what) for one in (before, after)]
        assert len({value() if callable(value) else value for value in found}) == 1, what
    assert after.class_names == ("b", "a")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS[4:]), max_size=20).map(" ".join)), max_size=4
    )
)
def test_a_saved_teacher_answers_as_before(saved_and_loaded, texts):
    before, after = saved_and_loaded
    np.testing.assert_array_equal(after.logits(texts), before.logits(texts))


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json", "teacher.json"])
def test_a_damaged_teacher_is_refused(tmp_path, file):
    Teacher(*load_checkpoint(tiny_bert(tmp_path / "bert"), NAMES), name="x").save_pretrained(tmp_path / "teacher")
    whole = (tmp_path / "teacher" / file).read_bytes()
    (tmp_path / "teacher" / file).write_bytes(whole[:-20] + bytes(20))
    with pytest.raises(CheckpointError, match="damaged .*: fine-tune it again") as error:
        Teacher.from_pretrained(tmp_path / "teacher")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_teacher_is_the_same_in_either_number_format(tmp_path, monkeypatch, dtype):
    """The keys of its answers, and the answers at the precision they are kept."""
    plain = Teacher(*load_checkpoint(tiny_bert(tmp_path / "bert"), NAMES), name="x")
    monkeypatch.setattr(teacher, "fast_dtype", lambda: dtype)
    other = Teacher(*load_checkpoint(tmp_path / "bert", NAMES), name="x")
    assert {p.dtype for p in other.model.parameters()} == {dtype}
    assert other.fingerprint == plain.fingerprint
    np.testing.assert_allclose(other.logits(TEXTS), plain.logits(TEXTS), atol=2e-2)
    kept = other.cached_logits(TEXTS, tmp_path)
    assert kept.dtype == np.float32 and (kept == kept.astype(np.float16)).all()


def test_a_fingerprint_does_not_depend_on_what_was_asked_before(tmp_path):
    folder = tiny_bert(tmp_path)
    fresh, asked = (Teacher(*load_checkpoint(folder, NAMES), name="x") for _ in range(2))
    asked.logits(["the pie", LONG])
    with torch.no_grad():
        asked.model.classifier.weight.copy_(fresh.model.classifier.weight)
    assert asked.fingerprint == fresh.fingerprint


def test_reading_a_teacher_shows_no_bar_of_its_weights(tmp_path, capfd):
    learn(tiny_bert(tmp_path / "bert"), tmp_path).save_pretrained(tmp_path / "saved")
    logging.enable_progress_bar()  # as in a new kernel
    capfd.readouterr()
    Teacher.from_pretrained(tmp_path / "saved")
    assert capfd.readouterr() == ("", "")
