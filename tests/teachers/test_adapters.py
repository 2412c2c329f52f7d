"""A teacher as an adapter over its checkpoint: what is trained, what is kept, and that nothing is lost on the way."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_checkpoints import tiny_bert, tiny_gpt2, tiny_mpnet

from distill_utils.teachers import CheckpointError, Recipe, Teacher, adapters, fine_tune, fine_tuning
from distill_utils.teachers.adapters import Adapter, with_adapter
from distill_utils.teachers.checkpoints import identity, load_checkpoint
from distill_utils.teachers.fine_tuning import LengthBatches, set_seed, train

NAMES = ("r", "g")
TEXTS = [f"{'so ' * (i % 3)}the {'apple' if i % 4 < 2 else 'pie'} is {'red' if i % 2 else 'green'}" for i in range(48)]
LABELS = np.array([1 - i % 2 for i in range(48)])
RECIPE = Recipe(epochs=10, learning_rate=3e-2, batch_size=8, dropout=0.0, adapter_rank=2)


@pytest.fixture(scope="module", params=[tiny_bert, tiny_mpnet])
def checkpoint(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def trained(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return fine_tune(checkpoint, TEXTS, LABELS, NAMES, RECIPE, folder=folder), folder


@pytest.mark.parametrize(
    ("make", "maps", "head"),
    [
        (
            tiny_bert,
            {"self.query", "self.key", "self.value", "attention.output.dense", "intermediate.dense", "output.dense"},
            {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"},
        ),
        (
            tiny_mpnet,
            {"attn.q", "attn.k", "attn.v", "attn.o", "intermediate.dense", "output.dense"},
            {f"classifier.{part}.{kind}" for part in ("dense", "out_proj") for kind in ("weight", "bias")},
        ),
    ],
)
def test_attention_feed_forward_and_head_learn_and_nothing_else(tmp_path, make, maps, head):
    adapted = with_adapter(load_checkpoint(make(tmp_path), NAMES)[0], rank=3)
    learns = {name.removeprefix("base_model.model.") for name, w in adapted.named_parameters() if w.requires_grad}
    low = {name for name in learns if "lora_" in name}
    assert {name.replace("modules_to_save.default.", "") for name in learns - low} == head
    inside = {name.partition(".lora_")[0].partition(".layer.0.")[2] for name in low if ".layer.0." in name}
    assert len(inside) == 6 and all(name.endswith(tuple(maps)) for name in inside)
    assert {w.shape[0] for name, w in adapted.named_parameters() if "lora_A" in name} == {3}
    assert adapted.peft_config["default"].lora_alpha == 6


def test_an_adapter_learns_the_task_and_the_checkpoint_stays(trained, checkpoint):
    teacher, _ = trained
    assert (teacher.predict(TEXTS) == LABELS).all() and teacher.class_names == NAMES
    base = load_checkpoint(checkpoint, NAMES)[0].state_dict()
    for name, weight in teacher.model.state_dict().items():
        stays = "embeddings" in name or "LayerNorm" in name or "relative_attention" in name or name.endswith("bias")
        if stays and "classifier" not in name and "pooler" not in name:
            torch.testing.assert_close(weight, base[name], rtol=0, atol=0)
        elif "layer" in name:
            assert not torch.equal(weight, base[name]), name


def test_adapter_and_checkpoint_give_the_answers_of_the_model_that_was_trained(checkpoint, tmp_path):
    set_seed(0)
    model, tokenizer = load_checkpoint(checkpoint, NAMES)
    adapted = with_adapter(model, 2)
    train(adapted, tokenizer, TEXTS, LABELS, RECIPE, partial=tmp_path / "partial")
    adapter = Adapter.of(adapted, checkpoint=checkpoint, base=identity(checkpoint, checkpoint), rank=2)
    adapted.eval()
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        answers = adapted(**inputs).logits.numpy()  # the adapter beside the frozen weights, not merged
    saved = Teacher(adapted.merge_and_unload(), tokenizer, name=checkpoint, adapter=adapter)
    saved.save_pretrained(tmp_path / "teacher")
    again = Teacher.from_pretrained(tmp_path / "teacher")
    again.model.float()
    np.testing.assert_allclose(again.logits(TEXTS), answers, atol=2e-5)
    assert np.abs(answers).max() > 1  # it had opinions
    for name, weight in saved.model.state_dict().items():
        torch.testing.assert_close(weight.float(), again.model.state_dict()[name].float(), rtol=0, atol=0)


def test_what_is_read_back_is_the_same_teacher(trained, checkpoint, monkeypatch):
    teacher, folder = trained
    monkeypatch.setattr(fine_tuning, "train", lambda *_, **__: pytest.fail("trained again"))
    again = fine_tune(checkpoint, TEXTS, LABELS, NAMES, RECIPE, folder=folder)
    np.testing.assert_array_equal(again.logits([*TEXTS, ""]), teacher.logits([*TEXTS, ""]))
    for what in ("name", "max_tokens", "train_seconds", "class_names", "fingerprint", "count_parameters"):
        found = [getattr(one, what) for one in (again, teacher)]
        assert len({value() if callable(value) else value for value in found}) == 1, what
    assert again.train_seconds > 0


def test_the_adapter_is_small_and_in_float16(trained, checkpoint, tmp_path):
    folder = next((trained[1] / "teachers").iterdir())
    assert {path.name for path in folder.iterdir()} == {"adapter.safetensors", "teacher.json"}
    weights = load_file(folder / "adapter.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float16}
    assert not [name for name in weights if "embeddings" in name or "LayerNorm" in name]
    trained[0].save_pretrained(tmp_path)
    for file in folder.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()  # the same bytes, whenever it is saved


def test_another_rank_is_another_teacher_and_full_fine_tuning_too(checkpoint, tmp_path, monkeypatch):
    keys = []

    def record(*_, partial, **__):
        keys.append(partial.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(fine_tuning, "train", record)
    for rank in (0, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            fine_tune(checkpoint, TEXTS, LABELS, NAMES, Recipe(adapter_rank=rank), folder=tmp_path)
    assert len(set(keys)) == 3


def test_a_fingerprint_knows_the_adapter_its_checkpoint_and_the_tokens_read(trained):
    teacher = trained[0]
    weights = dict(teacher.adapter.weights)
    name = next(iter(weights))
    changed = [
        {"weights": weights | {name: weights[name] + 1}},
        {"base": "another"},
        {"rank": 4},
    ]
    found = [Teacher(teacher.model, teacher.tokenizer, name="x", adapter=teacher.adapter).fingerprint]
    found += [
        Teacher(
            teacher.model, teacher.tokenizer, name="x", adapter=Adapter(**vars(teacher.adapter) | change)
        ).fingerprint
        for change in changed
    ]
    shorter = Teacher(teacher.model, teacher.tokenizer, name="x", max_tokens=8, adapter=teacher.adapter)
    assert found[0] == teacher.fingerprint and len({*found, shorter.fingerprint}) == 5


def test_an_interrupted_adapter_goes_on_where_it_stopped(checkpoint, tmp_path, monkeypatch):
    recipe = Recipe(epochs=10, batch_size=8, learning_rate=1e-3, adapter_rank=2)  # 60 steps, a checkpoint after 50
    drawn, next_batch = [], LengthBatches.__iter__

    def interrupted(self):
        for batch in next_batch(self):
            drawn.append(batch)
            if len(drawn) == 55:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(LengthBatches, "__iter__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "a")
    resumed = fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "a")
    assert 10 <= len(drawn) - 55 < 20  # not the whole 60 again
    monkeypatch.setattr(LengthBatches, "__iter__", next_batch)
    straight = fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "b")
    np.testing.assert_allclose(resumed.logits(TEXTS), straight.logits(TEXTS), atol=1e-3)


def test_over_another_checkpoint_it_is_refused(tmp_path):
    folder = tiny_bert(tmp_path / "bert")
    fine_tune(folder, TEXTS, LABELS, NAMES, Recipe(epochs=1, adapter_rank=2), folder=tmp_path)
    saved = next((tmp_path / "teachers").iterdir())
    config = tmp_path / "bert" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"layer_norm_eps": 1e-3}))
    with pytest.raises(CheckpointError, match="was trained over another .*: fine-tune it again"):
        Teacher.from_pretrained(saved)


def test_a_damaged_adapter_is_trained_again(tmp_path):
    arguments = (tiny_bert(tmp_path / "bert"), TEXTS, LABELS, NAMES, Recipe(epochs=1, adapter_rank=2))
    fine_tune(*arguments, folder=tmp_path)
    file = next((tmp_path / "teachers").iterdir()) / adapters.WEIGHTS
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    fine_tune(*arguments, folder=tmp_path)
    assert file.read_bytes() == whole  # and a second training gives the same bytes


def test_what_an_adapter_cannot_be_trained_over(trained, tmp_path):
    with pytest.raises(CheckpointError, match="the layers of GPT2ForSequenceClassification hold no linear maps"):
        fine_tune(tiny_gpt2(tmp_path, eos_token="[SEP]"), TEXTS, LABELS, NAMES, RECIPE, folder=tmp_path)
