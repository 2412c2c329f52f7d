"""A truncated transformer against its teacher, on a BERT of three layers."""

import numpy as np
import pytest
import torch
from tiny_checkpoints import tiny_bert
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_utils.students import count_parameters
from distill_utils.students.distillation import fit, kl_to_soft_labels
from distill_utils.students.truncated import TruncatedTransformer
from distill_utils.teachers import Teacher

TEXTS = ["the apple is red", "pie", "so so the pie is green", "the pie is green", "green apple"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory) -> Teacher:
    folder = tiny_bert(tmp_path_factory.mktemp("bert"), layers=3)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, id2label={0: "r", 1: "g"})
    return Teacher(model, AutoTokenizer.from_pretrained(folder), name="tiny")


def test_with_all_layers_it_is_the_teacher(teacher):
    np.testing.assert_allclose(
        TruncatedTransformer.of(teacher, 3).predict_logits(TEXTS), teacher.logits(TEXTS), atol=1e-5
    )


def test_it_keeps_the_first_layers(teacher):
    student = TruncatedTransformer.of(teacher, 1)
    cut, whole = student.model.bert.encoder.layer, teacher.model.bert.encoder.layer
    assert len(cut) == 1 and len(whole) == 3  # the teacher stays as it was
    torch.testing.assert_close(cut[0].output.dense.weight, whole[0].output.dense.weight)
    per_layer = sum(p.numel() for p in whole[0].parameters())
    assert count_parameters(student)[0] == teacher.count_parameters()[0] - 2 * per_layer
    assert student.labels == ("r", "g")


def test_it_learns_soft_labels_and_leaves_the_word_embeddings(teacher, tmp_path):
    student = TruncatedTransformer.of(teacher, 1)
    before = student.model.get_input_embeddings().weight.detach().clone()
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6], [0.5, 0.5]], np.float32)
    options = {"seed": 0, "epochs": 20, "batch_size": 2, "learning_rate": 5e-3, "folder": tmp_path}
    kl = lambda: kl_to_soft_labels(torch.from_numpy(student.predict_logits(TEXTS)), torch.from_numpy(soft))  # noqa: E731
    untrained = kl()
    fit(student, TEXTS, soft, **options)
    assert kl() < 0.5 * untrained
    torch.testing.assert_close(student.model.get_input_embeddings().weight, before)
    again = fit(TruncatedTransformer.of(teacher, 1), TEXTS, soft, **options)  # from the cache
    np.testing.assert_allclose(again.predict_logits(TEXTS), student.predict_logits(TEXTS), atol=1e-6)


def test_save_and_load(teacher, tmp_path):
    student = TruncatedTransformer.of(teacher, 2)
    student.save_pretrained(tmp_path)
    loaded = TruncatedTransformer.from_pretrained(tmp_path)
    np.testing.assert_allclose(loaded.predict_logits(TEXTS), student.predict_logits(TEXTS), atol=1e-6)
    assert loaded.labels == student.labels and not list(tmp_path.glob("*.bin"))


def test_it_cannot_keep_more_layers_than_there_are(teacher):
    with pytest.raises(ValueError, match="cannot keep 4 layers: this teacher has 3"):
        TruncatedTransformer.of(teacher, 4)


def test_what_its_configuration_decides_is_in_its_identity(teacher):
    student, heads, further = (TruncatedTransformer.of(teacher, 1) for _ in range(3))
    assert student.identity == heads.identity
    heads.model.config.num_attention_heads = 4  # with weights of the same shapes
    further.config["max_tokens"] += 1
    assert student.identity != heads.identity and student.identity != further.identity
    student.predict(TEXTS)  # the tokenizer remembers how far it was last asked to read
    assert student.identity == TruncatedTransformer.of(teacher, 1).identity


def test_it_has_a_name_for_each_class(teacher):
    with pytest.raises(ValueError, match="3 class names for a model of 2 classes: give one each"):
        TruncatedTransformer(teacher.model, teacher.tokenizer, ("a", "b", "c"))
    with pytest.raises(ValueError, match="max_tokens=0: give a whole number"):
        TruncatedTransformer(teacher.model, teacher.tokenizer, ("a", "b"), max_tokens=0)


def test_it_sees_the_text_that_its_teacher_sees(teacher):
    student = TruncatedTransformer.of(teacher, 3)
    odd, straight = ["the\u00a0apple is\u3000red", "green\u200b pie"], ["the apple is red", "green pie"]
    np.testing.assert_array_equal(student.predict_logits(odd), student.predict_logits(straight))
    np.testing.assert_array_equal(teacher.logits(odd), teacher.logits(straight))
