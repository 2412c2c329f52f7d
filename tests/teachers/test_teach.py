"""A smaller transformer that learns a teacher's answers: what it starts from, and what it is known by."""

import pickle

import numpy as np
import pytest
import torch
from tiny_checkpoints import tiny_bert, tiny_mpnet

from distill_utils.teachers import (
    Committee,
    Recipe,
    Teacher,
    fine_tune,
    fine_tuning,
    from_callable,
    teach,
    teach_by_committee,
)
from distill_utils.teachers.fine_tuning import _LengthTrainer
from distill_utils.teachers.layers import layers_of

TEXTS = [f"the {'pie ' * (i % 5)}is {'red' if i % 2 else 'green'}" for i in range(60)]
LABELS = np.array([i % 2 for i in range(60)])
NAMES = ("green", "red")


def unsure(texts):
    """Red with 70%, green with 90%."""
    return [[0.3, 0.7] if "red" in text else [0.9, 0.1] for text in texts]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> str:
    return tiny_mpnet(tmp_path_factory.mktemp("mpnet"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=[0, 2], ids=["whole", "adapter"])
def teacher(request, checkpoint, cache) -> Teacher:
    recipe = Recipe(epochs=6, learning_rate=5e-3, batch_size=8, adapter_rank=request.param)
    return fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=cache)


@pytest.mark.parametrize("rank", [0, 4])
def test_it_learns_probabilities_not_classes(checkpoint, tmp_path, rank):
    api = from_callable(unsure, NAMES, name="api")
    rate = 1e-2 if rank else 1e-3
    recipe = Recipe(epochs=20, learning_rate=rate, batch_size=8, dropout=0.0, adapter_rank=rank)
    found = teach(checkpoint, TEXTS, api, recipe, folder=tmp_path)
    says = found.soft_labels(["the pie is red", "the pie is green"], tmp_path)
    np.testing.assert_allclose(says[:, 1], [0.7, 0.1], atol=0.05)
    assert found.class_names == NAMES


def test_the_loss_is_that_of_torch_for_either_kind_of_label():
    logits, hard = torch.randn(5, 3, generator=torch.manual_seed(0)), torch.tensor([0, 2, 1, 1, 0])

    class Outputs:
        def __init__(self, **_):
            self.logits = logits

    for labels in (hard, torch.eye(3)[hard]):
        loss = _LengthTrainer.compute_loss(None, Outputs, {"labels": labels})
        torch.testing.assert_close(loss, torch.nn.CrossEntropyLoss()(logits, hard))


def test_the_first_layers_start_with_what_the_teacher_knows(teacher, cache):
    rank = teacher.adapter.rank if teacher.adapter else 0
    still = Recipe(epochs=0.1, learning_rate=0.0, layers=1, adapter_rank=rank)
    half = teach(teacher, TEXTS, teacher, still, folder=cache)
    assert len(layers_of(half.model)) == 1 and len(layers_of(teacher.model)) == 2
    for name, weight in half.model.state_dict().items():
        torch.testing.assert_close(weight, teacher.model.state_dict()[name], atol=1e-6, rtol=1e-5)
    assert half.fingerprint != teacher.fingerprint


def test_the_first_layers_are_kept_and_read(teacher, cache):
    rank = teacher.adapter.rank if teacher.adapter else 0
    recipe = Recipe(epochs=6, learning_rate=5e-3, batch_size=8, layers=1, adapter_rank=rank)
    half = teach(teacher, TEXTS, teacher, recipe, folder=cache)
    assert (half.logits(TEXTS).argmax(1) == LABELS).all()
    again = Teacher.from_pretrained(cache / "teachers" / half.key)
    np.testing.assert_allclose(again.logits(TEXTS), half.logits(TEXTS), atol=1e-5)
    assert again.fingerprint == half.fingerprint and (again.adapter is None) == (rank == 0)
    if rank:  # and go on once more, without a word about layers
        further = teach(half, TEXTS, teacher, Recipe(adapter_rank=rank), folder=cache)
        read = Teacher.from_pretrained(cache / "teachers" / further.key)
        np.testing.assert_allclose(read.logits(TEXTS), further.logits(TEXTS), atol=1e-5)


def test_another_teacher_lesson_or_start_is_another_student(checkpoint, tmp_path, monkeypatch):
    keys = []

    def record(*_, partial, **__):
        keys.append(partial.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(fine_tuning, "train", record)
    api, other = (from_callable(unsure, NAMES, name=name) for name in ("api", "other"))
    rebuilt = from_callable(unsure, NAMES, name="api")
    bert = tiny_bert(tmp_path / "bert")
    calls = [(checkpoint, TEXTS, api), (checkpoint, TEXTS, other), (checkpoint, TEXTS[1:], api), (bert, TEXTS, api)]
    for arguments in [*calls, (checkpoint, iter(TEXTS), rebuilt)]:
        with pytest.raises(KeyboardInterrupt):
            teach(*arguments, folder=tmp_path)
    assert len(set(keys)) == 4 and keys[0] == keys[-1]


def test_two_epochs_are_two_epochs_however_written():
    assert Recipe(epochs=2).key == Recipe(epochs=2.0).key != Recipe(epochs=2.5).key


def test_what_cannot_be_taught_is_one_line(teacher, checkpoint, cache):
    api = from_callable(unsure, NAMES[::-1], name="api")
    with pytest.raises(ValueError, match=r"^start knows the classes \('green', 'red'\), the teacher "):
        teach(teacher, TEXTS, api, folder=cache)
    with pytest.raises(ValueError, match="^start has an adapter of rank .*, the recipe asks for 3"):
        teach(teacher, TEXTS, teacher, Recipe(adapter_rank=3), folder=cache)
    with pytest.raises(ValueError, match="^cannot keep 9 layers: this transformer has 2"):
        teach(checkpoint, TEXTS, teacher, Recipe(layers=9), folder=cache)
    with pytest.raises(ValueError, match="^no texts to learn from"):
        teach(checkpoint, [], teacher, folder=cache)


MEMBER = Recipe(epochs=1, learning_rate=5e-3, batch_size=8, seed=7)
PUPIL = Recipe(epochs=1, learning_rate=1e-3, batch_size=8, dropout=0.0)


def test_a_committees_pupil_learns_the_mean_of_what_its_members_say(checkpoint, tmp_path, monkeypatch):
    lessons = []
    train = fine_tuning.train

    def listening(model, tokenizer, texts, labels, recipe, **rest):
        lessons.append((texts, labels, recipe))
        return train(model, tokenizer, texts, labels, recipe, **rest)

    monkeypatch.setattr(fine_tuning, "train", listening)
    more = ["a red pie", "a green pie", "pie"]
    call = (checkpoint, TEXTS, LABELS, NAMES, MEMBER, Committee(members=3, texts=2, recipe=PUPIL))
    pupil = teach_by_committee(*call, unlabelled=more, folder=tmp_path)
    assert [recipe.seed for _, _, recipe in lessons] == [0, 1, 2, PUPIL.seed]
    texts, labels, _ = lessons[-1]
    assert texts[: len(TEXTS)] == TEXTS and len(set(texts[len(TEXTS) :]) & set(more)) == 2 == len(texts) - len(TEXTS)
    members = [
        fine_tune(checkpoint, TEXTS, LABELS, NAMES, Recipe(**vars(MEMBER) | {"seed": seed}), folder=tmp_path)
        for seed in range(3)
    ]
    says = [torch.softmax(torch.from_numpy(member.logits(texts)), dim=-1).numpy() for member in members]
    assert np.abs(says[0] - says[1]).max() > 1e-3  # they differ, so their mean is none of them
    np.testing.assert_allclose(labels, sum(says) / 3, atol=2e-3)

    again = teach_by_committee(*call, unlabelled=more, folder=tmp_path)
    assert len(lessons) == 4 and again.fingerprint == pupil.fingerprint


def test_a_committees_pupil_is_found_without_its_members(checkpoint, tmp_path, monkeypatch):
    committee = Committee(members=2, texts=0, recipe=PUPIL)
    pupil = teach_by_committee(checkpoint, TEXTS, LABELS, NAMES, MEMBER, committee, folder=tmp_path)
    for folder in (tmp_path / "teachers").iterdir():
        if folder.name != pupil.key:
            folder.rename(tmp_path / folder.name)
    monkeypatch.setattr(fine_tuning, "train", None)
    found = teach_by_committee(checkpoint, TEXTS, LABELS, NAMES, MEMBER, committee, folder=tmp_path)
    assert found.key == pupil.key
    changed = [
        (TEXTS, LABELS, MEMBER, Committee(members=1, texts=0, recipe=PUPIL)),
        (TEXTS, LABELS, MEMBER, Committee(members=2, texts=0, recipe=MEMBER)),
        (TEXTS, 1 - LABELS, MEMBER, committee),
        (TEXTS, LABELS, PUPIL, committee),
    ]
    for texts, labels, recipe, others in changed:
        with pytest.raises(TypeError):  # it would train
            teach_by_committee(checkpoint, texts, labels, NAMES, recipe, others, folder=tmp_path)


def test_a_teacher_read_from_disk_travels_with_its_weights(teacher, cache):
    read = Teacher.from_pretrained(cache / "teachers" / teacher.key)
    there = pickle.loads(pickle.dumps(read))  # as it goes to the workers of a cluster
    np.testing.assert_allclose(there.logits(TEXTS), teacher.logits(TEXTS), atol=1e-5)
    assert there.fingerprint == teacher.fingerprint and there.class_names == NAMES
