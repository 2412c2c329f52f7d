"""Recorded teachers and answers: found by the cache's keys, counted, and never trusted when they are damaged."""

import gc
import json
import weakref

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tiny_checkpoints import tiny_bert
from transformers import AutoModelForSequenceClassification

from distill_utils.teachers import Recipe, Teacher, fine_tune, fine_tuning, recordings

NAMES = ("r", "g")
TEXTS = [f"{'so ' * (i % 3)}the {'apple' if i % 4 < 2 else 'pie'} is {'red' if i % 2 else 'green'}" for i in range(12)]
LABELS = np.array([1 - i % 2 for i in range(12)])
RECIPE = Recipe(epochs=1, batch_size=4, adapter_rank=2)


class Live(Exception):
    """Something was computed."""


def live(*_, **__):
    raise Live


@pytest.fixture
def checkpoint(tmp_path):
    return tiny_bert(tmp_path / "bert")


@pytest.fixture
def recorded(checkpoint, tmp_path, monkeypatch):
    """A recording of a teacher and its answers to six texts, made in another cache than the tests'; its folder."""
    monkeypatch.setattr(recordings, "FOLDER", tmp_path / "recordings")
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "cache of the maker"))
    teacher = fine_tune(checkpoint, TEXTS, LABELS, NAMES, RECIPE)
    teacher.cached_logits(TEXTS[:6])
    folder = recordings.record("fruit", teacher, {"scores": {"test": 50.0}})
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "cache of the reader"))
    return folder


def read(checkpoint, **change) -> Teacher:
    arguments = {"texts": TEXTS, "labels": LABELS, "class_names": NAMES, "recipe": RECIPE, **change}
    return fine_tune(checkpoint, **arguments)


def test_a_recorded_teacher_answers_without_training_or_computing(recorded, checkpoint, monkeypatch):
    computed = read(checkpoint, recorded=False).logits(TEXTS[:6])
    for place, name in ((fine_tuning, "train"), (Teacher, "logits")):
        monkeypatch.setattr(place, name, live)
    teacher = read(checkpoint)
    np.testing.assert_array_equal(teacher.cached_logits(TEXTS[:6]), computed.astype(np.float16))
    assert teacher.answers() == f"{len(set(TEXTS[:6]))} recorded, 0 computed now"
    with pytest.raises(Live):
        teacher.cached_logits(TEXTS[:7])


def test_texts_whose_answers_are_at_hand_are_those_recorded(recorded, checkpoint):
    teacher, asked = read(checkpoint), [*TEXTS[8:3:-1], TEXTS[0].replace(" ", "\xa0")]
    known = [text for text in asked if text.replace("\xa0", " ") in TEXTS[:6]]
    assert teacher.at_hand(asked) == known and 2 < len(known) < len(asked)
    teacher.cached_logits(["a new one"])
    assert teacher.at_hand(["a new one"]) == read(checkpoint).at_hand(["a new one"]) == []  # kept, by chance
    assert read(checkpoint, recorded=False).at_hand(asked) == asked


def test_recorded_answers_need_no_weights(recorded, checkpoint, monkeypatch, tmp_path):
    made = read(checkpoint, recorded=False)
    with monkeypatch.context() as patch:
        patch.setattr(AutoModelForSequenceClassification, "from_pretrained", live)
        teacher = read(checkpoint)
        assert teacher.soft_labels(TEXTS[:6]).shape == (6, 2) and teacher.predict(TEXTS[:6]).shape == (6,)
        assert teacher.truncation(TEXTS[:6]) == made.truncation(TEXTS[:6])
        for what in ("class_names", "n_classes", "n_layers", "max_tokens", "fingerprint", "name", "title", "key"):
            assert getattr(teacher, what) == getattr(made, what), what
        np.testing.assert_array_equal(teacher.word_table, made.word_table)
        assert teacher.count_parameters() == made.count_parameters()
        teacher.save_pretrained(tmp_path / "saved")
        with pytest.raises(Live):
            teacher.logits(TEXTS)
    # What was said without weights is so of the weights.
    np.testing.assert_array_equal(teacher.logits(TEXTS), made.logits(TEXTS))
    weights = sum(weight.numel() for weight in teacher.model.parameters())
    tables = [part.weight for part in teacher.model.modules() if isinstance(part, torch.nn.Embedding)]
    assert teacher.count_parameters() == (weights, weights - sum(table.numel() for table in tables))
    np.testing.assert_array_equal(teacher.word_table, teacher.model.get_input_embeddings().weight.detach().numpy())
    again = Teacher.from_pretrained(tmp_path / "saved")
    np.testing.assert_array_equal(again.logits(TEXTS), made.logits(TEXTS))


def test_a_teacher_that_was_just_trained_keeps_no_weights_but_the_last_two_that_computed(checkpoint, tmp_path):
    made = [
        fine_tune(checkpoint, TEXTS, LABELS, NAMES, Recipe(epochs=0.1, seed=seed, adapter_rank=2), folder=tmp_path)
        for seed in range(3)
    ]
    models = [weakref.ref(teacher.model) for teacher in made]
    gc.collect()
    assert [model() is None for model in models] == [True, False, False]
    first = made[0].logits(TEXTS)
    gc.collect()
    assert [model() is None for model in models] == [True, True, False]
    np.testing.assert_array_equal(made[0].logits(TEXTS), first)


def test_answers_are_counted_by_text(recorded, checkpoint):
    teacher = read(checkpoint)
    new = ["the pie", "so so", "the pie"]
    teacher.soft_labels(TEXTS[:6])
    teacher.predict([*TEXTS[:2], *new])
    assert teacher.answers() == f"{len(set(TEXTS[:6]))} recorded, 2 computed now"
    later = read(checkpoint)
    later.predict(["the pie", TEXTS[0], "green"])
    assert later.answers() == "1 recorded, 1 kept from earlier, 1 computed now"


def test_nothing_is_written_to_a_recording(recorded, checkpoint):
    before = {path: path.read_bytes() for path in recorded.rglob("*.*")}
    read(checkpoint).predict([*TEXTS, "so"])
    assert {path: path.read_bytes() for path in recorded.rglob("*.*")} == before


def test_all_live_on_request(recorded, checkpoint, tmp_path, monkeypatch):
    teacher = read(checkpoint, recorded=False)
    teacher.predict(TEXTS[:2])
    assert teacher.answers() == "0 recorded, 2 computed now"
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(fine_tuning, "train", live)
    with pytest.raises(Live):
        read(checkpoint, recorded=False)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.array([1 - LABELS[0], *LABELS[1:]])},
        {"texts": ["another text", *TEXTS[1:]]},
        {"class_names": ("r", "green")},
        {"recipe": Recipe(epochs=1, batch_size=4, adapter_rank=3)},
        {"recipe": Recipe(epochs=1, batch_size=4, adapter_rank=2, seed=1)},
    ],
    ids=["a label", "a text", "a class name", "the rank", "the seed"],
)
def test_other_data_or_recipe_runs_live(recorded, checkpoint, monkeypatch, change):
    monkeypatch.setattr(fine_tuning, "train", live)
    with pytest.raises(Live):
        read(checkpoint, **change)


def test_another_checkpoint_runs_live(recorded, checkpoint, tmp_path, monkeypatch):
    config = tmp_path / "bert" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"layer_norm_eps": 1e-3}))
    monkeypatch.setattr(fine_tuning, "train", live)
    with pytest.raises(Live):
        read(checkpoint)


def flip(path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("file", ["teachers/*/adapter.safetensors", "teachers/*/teacher.json"])
def test_a_damaged_teacher_is_refused_and_trained_anew(recorded, checkpoint, monkeypatch, file):
    flip(next(recorded.glob(file)), -30)
    with pytest.warns(UserWarning, match="the recording fruit is damaged and not used") as told:
        teacher = read(checkpoint)
    assert "\n" not in str(told[0].message)
    expected = read(checkpoint, recorded=False)
    np.testing.assert_array_equal(teacher.logits(TEXTS), expected.logits(TEXTS))


@pytest.mark.parametrize("place", [-1, 40, 200], ids=["a logit", "the header", "a key"])
def test_damaged_answers_are_refused_and_computed_anew(recorded, checkpoint, place):
    expected = read(checkpoint).logits(TEXTS[:6])
    chunk = next(recorded.glob("logits/*/*.safetensors"))
    flip(chunk, min(place, chunk.stat().st_size - 2))
    teacher = read(checkpoint)
    with pytest.warns(UserWarning, match="damaged and not used .*install it again"):
        found = teacher.cached_logits(TEXTS[:6])
    np.testing.assert_array_equal(found, expected.astype(np.float16))
    assert teacher.answers().startswith("0 recorded") and chunk.exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"files": {}}', None])
def test_without_its_manifest_a_recording_is_not_trusted(recorded, checkpoint, monkeypatch, damage):
    manifest = recorded / "manifest.json"
    manifest.unlink()
    if damage is not None:
        manifest.write_bytes(damage)
    monkeypatch.setattr(fine_tuning, "train", live)
    with pytest.warns(UserWarning, match="damaged and not used"), pytest.raises(Live):
        read(checkpoint)


def test_a_file_that_the_manifest_does_not_name_is_not_read(recorded, checkpoint):
    chunk = next(recorded.glob("logits/*/*.safetensors"))
    chunk.with_name("chunk-ffff.safetensors").write_bytes(chunk.read_bytes())
    with pytest.warns(UserWarning, match="other files than manifest.json names"):
        read(checkpoint).cached_logits(TEXTS[:2])


def test_a_recording_holds_no_texts_and_half_precision(recorded):
    whole = b"".join(path.read_bytes() for path in recorded.rglob("*.*"))
    assert b"apple" not in whole and b"the pie" not in whole
    chunk = load_file(next(recorded.glob("logits/*/*.safetensors")))
    assert chunk["logits"].dtype == np.float16 and chunk["logits"].shape == (len(set(TEXTS[:6])), 2)


def test_a_manifest_says_what_it_was_told_and_names_every_file(recorded):
    manifest = json.loads((recorded / "manifest.json").read_text())
    assert manifest["scores"] == {"test": 50.0} and manifest["answers"] == len(set(TEXTS[:6]))
    found = {path.relative_to(recorded).as_posix() for path in recorded.rglob("*.*")} - {"manifest.json"}
    assert set(manifest["files"]) == found and len(found) == 3


def test_recorded_again_it_is_the_same_and_an_interrupt_keeps_the_old_one(recorded, checkpoint, monkeypatch, tmp_path):
    def files():
        return {path.relative_to(recorded): path.read_bytes() for path in recorded.rglob("*.*")}

    before = files()
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "a third"))
    teacher = read(checkpoint, recorded=False)
    for text in reversed(TEXTS[:6]):  # in another order, in chunks of one
        teacher.cached_logits([text])
    recordings.record("fruit", teacher, {"scores": {"test": 50.0}})
    again = files()
    for path in before:
        if path.name != "teacher.json" and path.name != "manifest.json":  # they say how long it took
            assert again[path] == before[path]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(recordings, "sha256_of", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        recordings.record("fruit", teacher, {})
    assert files() == again and [path.name for path in recordings.FOLDER.iterdir()] == ["fruit"]


def test_only_small_teachers_are_recorded(checkpoint):
    whole = fine_tune(checkpoint, TEXTS, LABELS, NAMES, Recipe(epochs=1))
    with pytest.raises(ValueError, match="made with an adapter_rank"):
        recordings.record("large", whole, {})
