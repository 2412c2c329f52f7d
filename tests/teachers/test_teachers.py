"""Teachers on a one-layer BERT: fine-tuning, labelling, caches, interrupts, and weights that must not be trusted."""

import ctypes
import json
import platform
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from tiny_checkpoints import tiny_bert, tiny_gpt2, tiny_mpnet, tiny_t5
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_utils import teachers
from distill_utils.cache import sha256_of
from distill_utils.teachers import (
    CheckpointError,
    Recipe,
    Teacher,
    checkpoints,
    fine_tune,
    fine_tuning,
)
from distill_utils.teachers.adapters import with_adapter
from distill_utils.teachers.fine_tuning import LengthBatches
from distill_utils.teachers.layers import computed_twice, layers_of
from distill_utils.teachers.teacher import token_ids

NAMES = ("r", "g")
TEXTS = [f"{'so ' * (i % 3)}the {'apple' if i % 4 < 2 else 'pie'} is {'red' if i % 2 else 'green'}" for i in range(96)]
LABELS = np.array([1 - i % 2 for i in range(96)])
RECIPE = Recipe(epochs=8, learning_rate=5e-3, batch_size=8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def trained(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return fine_tune(checkpoint, TEXTS, LABELS, NAMES, RECIPE, folder=folder), folder


@pytest.fixture
def raw(checkpoint):
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=2)
    return Teacher(model, AutoTokenizer.from_pretrained(checkpoint), name="raw")


def test_fine_tuning_learns_the_task(trained):
    assert (trained[0].predict(["the pie is red", "so the apple is green"]) == [0, 1]).all()
    assert (trained[0].logits(TEXTS).argmax(1) == LABELS).mean() > 0.95
    assert trained[0].model.config.id2label == {0: "r", 1: "g"}


def test_the_second_call_reads_the_first_ones_teacher(trained, checkpoint, monkeypatch):
    monkeypatch.setattr(fine_tuning, "train", lambda *_, **__: pytest.fail("trained again"))
    again = fine_tune(checkpoint, TEXTS, LABELS, NAMES, RECIPE, folder=trained[1])
    np.testing.assert_array_equal(again.logits(TEXTS[:5]), trained[0].logits(TEXTS[:5]))
    assert again.fingerprint == trained[0].fingerprint and again.train_seconds > 0
    assert not list(trained[1].rglob("*.bin")) and not list(trained[1].rglob("*.partial"))


@pytest.mark.parametrize(
    "change",
    [
        {"labels": 1 - LABELS},
        {"texts": TEXTS[::-1]},
        {"recipe": replace(RECIPE, seed=1)},
        {"class_names": ("g", "r")},
        {"class_names": ("r", "green")},
        {"class_names": (*NAMES, "b")},
    ],
)
def test_other_data_or_recipe_is_another_teacher(trained, checkpoint, monkeypatch, change):
    class Trained(Exception):
        pass

    def record(*_, **__):
        raise Trained

    monkeypatch.setattr(fine_tuning, "train", record)
    arguments = {"texts": TEXTS, "labels": LABELS, "class_names": NAMES, "recipe": RECIPE, **change}
    with pytest.raises(Trained):
        fine_tune(checkpoint, **arguments, folder=trained[1])


def test_a_truncated_teacher_is_trained_again(checkpoint, tmp_path):
    recipe = Recipe(epochs=1)
    fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path)
    weights = next(tmp_path.rglob("model.safetensors"))
    whole = sha256_of(weights)
    weights.write_bytes(weights.read_bytes()[:-10])
    fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path)
    assert sha256_of(weights) == whole


def test_an_interrupted_fine_tuning_goes_on_where_it_stopped(checkpoint, tmp_path, monkeypatch):
    recipe = Recipe(epochs=20, batch_size=8)  # 240 steps, a checkpoint every 50
    drawn = []
    next_batch = LengthBatches.__iter__

    def interrupted(self):
        for batch in next_batch(self):
            drawn.append(batch)
            if len(drawn) == 150:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(LengthBatches, "__iter__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "a")
    resumed = fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "a")
    assert 100 < len(drawn) - 150 < 190  # not the whole 240 again
    monkeypatch.setattr(LengthBatches, "__iter__", next_batch)
    straight = fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "b")
    np.testing.assert_allclose(resumed.logits(TEXTS), straight.logits(TEXTS), atol=1e-4)


def test_two_runs_that_want_the_same_teacher_make_it_once(checkpoint, tmp_path, monkeypatch):
    learn, waits, trained, told = fine_tuning.train, threading.Event(), [], []

    def slowly(*args, **kwargs):
        trained.append(args)
        assert waits.wait(60)
        return learn(*args, **kwargs)

    def tell(line):
        told.append(line)
        waits.set()

    monkeypatch.setattr(fine_tuning, "train", slowly)
    monkeypatch.setattr(fine_tuning, "tell", tell)
    make = partial(fine_tune, checkpoint, TEXTS, LABELS, NAMES, Recipe(batch_size=8), folder=tmp_path)
    with ThreadPoolExecutor(2) as runs:
        one, other = (run.result(120) for run in [runs.submit(make), runs.submit(make)])
    assert len(trained) == 1
    assert told == ["Another run is making this teacher: waiting for it."]
    np.testing.assert_array_equal(one.logits(TEXTS), other.logits(TEXTS))


def test_a_long_training_says_once_how_long(checkpoint, tmp_path, monkeypatch, capsys):
    recipe = Recipe(epochs=2, batch_size=8)
    fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "short")
    assert "minutes on this machine" not in capsys.readouterr().out
    monkeypatch.setattr(fine_tuning._SayHowLong, "LONG", 0)
    fine_tune(checkpoint, TEXTS, LABELS, NAMES, recipe, folder=tmp_path / "long")
    lines = [line for line in capsys.readouterr().out.splitlines() if "minutes on this machine" in line]
    assert len(lines) == 1 and lines[0].startswith(f"a transformer (bert) learns from {len(TEXTS)} texts: about 0 min")


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("make", [tiny_bert, tiny_mpnet, lambda folder: tiny_gpt2(folder, eos_token="[SEP]")])
def test_long_texts_are_computed_twice_and_change_no_weight(tmp_path, monkeypatch, make, rank):
    folder = make(tmp_path / "checkpoint")
    if rank and "gpt2" in json.loads((tmp_path / "checkpoint" / "config.json").read_text())["model_type"]:
        pytest.skip("no adapters for GPT-2")

    def learn(step_tokens):
        monkeypatch.setattr(fine_tuning, "STEP_TOKENS", step_tokens)
        fine_tuning.set_seed(0)
        model, tokenizer = checkpoints.load_checkpoint(folder, NAMES)
        model = with_adapter(model, rank) if rank else model
        layer, seen = layers_of(model)[0], []
        next(layer.children()).register_forward_hook(lambda *_: seen.append(1))
        recipe = Recipe(epochs=2, learning_rate=1e-3, batch_size=16)  # dropout must fall on the same places, too
        fine_tuning.train(model, tokenizer, TEXTS[:16], LABELS[:16], recipe, partial=tmp_path / str(step_tokens))
        assert layer.forward.__func__ is type(layer).forward  # as it was
        return model.state_dict(), len(seen)

    longest = max(map(len, token_ids(AutoTokenizer.from_pretrained(folder), TEXTS[:16], 64)))
    kept, steps = learn(16 * longest)
    again, passes = learn(16 * longest - 1)
    assert (steps, passes) == (2, 4)
    torch.testing.assert_close(again, kept, rtol=0, atol=0)


def test_layers_forget_how_they_saved_memory_when_interrupted(checkpoint):
    model, _ = checkpoints.load_checkpoint(checkpoint, NAMES)
    with pytest.raises(KeyboardInterrupt), computed_twice(model):
        assert "forward" in vars(layers_of(model)[0])
        raise KeyboardInterrupt
    assert "forward" not in vars(layers_of(model)[0])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_blocks_go_back_to_the_system(checkpoint):
    model, _ = checkpoints.load_checkpoint(checkpoint, NAMES)

    def resident() -> float:
        return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20  # MB

    ctypes.CDLL(None).malloc_trim(0)  # what earlier tests freed would be taken first
    torch.ones(6 << 20)  # freed at once: its 24 MB are a common size from now on, says glibc's own rule
    before = resident()
    with computed_twice(model):
        blocks = [(torch.ones(2 << 20), torch.ones(1 << 18)) for _ in range(60)]  # 8 MB, and 1 MB between them
        held = resident() - before
        small = [little for _, little in blocks]
        del blocks
        # 60 MB of 540 stay; some of either may lie in memory that the process had before.
        assert held > 350 and resident() - before < held / 3 and len(small) == 60


def test_length_batches_cover_every_row_once_an_epoch():
    lengths = np.random.default_rng(0).integers(3, 60, size=1001).tolist()
    batches = LengthBatches(lengths, 10, seed=0)
    first = list(batches)
    assert sorted(row for batch in first for row in batch) == list(range(1001)) and len(first) == len(batches) == 101
    assert first == list(batches)
    batches.set_epoch(1)
    assert first != list(batches)
    padding = sum(max(lengths[r] for r in b) * len(b) for b in first) / sum(lengths)
    assert padding < 1.1


def test_logits_do_not_depend_on_the_batch(raw):
    one_by_one = []
    for text in TEXTS[:7]:
        inputs = raw.tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            one_by_one.append(raw.model.float()(**inputs).logits[0].numpy())
    np.testing.assert_allclose(raw.logits(TEXTS[:7], batch_size=3), one_by_one, atol=1e-5)


def test_soft_labels_are_the_softmax_in_the_order_asked_for(raw, tmp_path):
    logits = raw.logits(TEXTS[:6]).astype(np.float16).astype(np.float32)  # as they are kept
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(raw.soft_labels(TEXTS[:6], tmp_path), expected, atol=1e-6)
    np.testing.assert_allclose(raw.soft_labels(TEXTS[5::-1], tmp_path), expected[::-1], atol=1e-6)


def test_labelling_is_cached_by_text_and_an_interrupt_loses_one_chunk(raw, tmp_path, monkeypatch):
    texts = [f"red apple {i}" for i in range(10)]
    monkeypatch.setattr("distill_utils.teachers.Teacher.chunk", 4)
    plain, seen = Teacher.logits, []

    def interrupted(self, chunk):
        if len(seen) == 4:
            raise KeyboardInterrupt
        seen.extend(chunk)
        return plain(self, chunk)

    monkeypatch.setattr(Teacher, "logits", interrupted)
    with pytest.raises(KeyboardInterrupt):
        raw.cached_logits(texts, tmp_path)
    seen.append("go on")
    raw.cached_logits(texts + texts, tmp_path)
    assert sorted(seen) == sorted([*texts, "go on"])  # each text once


def test_the_cache_belongs_to_one_teacher(raw, checkpoint, tmp_path):
    before = raw.cached_logits(TEXTS[:3], tmp_path)
    with torch.no_grad():
        raw.model.classifier.bias += 1
    other = Teacher(raw.model, raw.tokenizer, name="raw")
    np.testing.assert_allclose(other.cached_logits(TEXTS[:3], tmp_path), before + 1, atol=2e-3)


def test_hub_out_of_reach_names_the_ways_out(hub_out_of_reach, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)  # the hub's client waits longer before each new attempt
    with pytest.raises(CheckpointError, match=r"connect to it, or give a local folder, or install") as error:
        fine_tune("nobody/nothing", TEXTS, LABELS, NAMES, folder=tmp_path)
    assert "\n" not in str(error.value)


def test_pickled_weights_are_refused(checkpoint, tmp_path):
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=2)
    AutoTokenizer.from_pretrained(checkpoint).save_pretrained(tmp_path)
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="model.safetensors"):
        checkpoints.load_checkpoint(str(tmp_path), NAMES)


def test_t5_writes_its_labels(tmp_path):
    found, size = teachers.written_labels(tiny_t5(tmp_path), ["red apple", "green"], ("red", "green"))
    assert found.shape == (2,) and set(found) <= {-1, 0, 1} and size > 0


def test_parameters_are_those_of_the_arithmetic(raw):
    tables = (11 + 64 + 2) * 32
    attention, feed_forward, norms = 4 * (32 * 32 + 32), 2 * (32 * 32 + 32), 3 * 2 * 32
    heads = (32 * 32 + 32) + (32 * 2 + 2)
    assert raw.count_parameters() == (
        tables + attention + feed_forward + norms + heads,
        attention + feed_forward + norms + heads,
    )
