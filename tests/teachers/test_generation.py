"""A GPT-2 of one layer learns to write the task's texts."""

from collections import Counter

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from distill_utils.teachers import CheckpointError, generation
from distill_utils.teachers.generation import generate

TEXTS = ["i don't feel 4.5-star today", "we don't sing", "we sing", "we sing"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    words = ["<end>", "<unk>", *dict.fromkeys(" ".join(TEXTS).split())]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", unk_token="<unk>").save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(words),
        n_positions=64,
        n_embd=32,
        n_layer=1,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    return str(folder)


def test_it_writes_what_it_has_read(checkpoint, monkeypatch):
    monkeypatch.setattr(generation, "LEARNING_RATE", 1e-2)
    made = Counter(generate(checkpoint, TEXTS, 200, seed=0, steps=60))
    assert sum(made.values()) == 200 and set(TEXTS) <= set(made)
    assert sum(made[text] for text in set(TEXTS)) > 180  # the rest mixes them
    assert 30 < made[TEXTS[0]] < 70  # a quarter begins with its first word
    assert 75 < made["we sing"] < 125 and 30 < made["we don't sing"] < 70


def test_texts_begin_as_the_task_s_and_stay_short(checkpoint):
    made = generate(checkpoint, TEXTS, 50, seed=0, steps=0, max_new_tokens=3, batch_size=8)
    assert len(made) == 50 and {text.split()[0] for text in made} == {"i", "we"}
    assert max(len(text.split()) for text in made) == 4


def test_a_seed_decides(checkpoint):
    def made(seed):
        return generate(checkpoint, TEXTS, 20, seed=seed, steps=2)

    assert made(1) == made(1) != made(2)


def test_without_texts_there_is_nothing_to_learn(checkpoint):
    with pytest.raises(ValueError, match="needs texts"):
        generate(checkpoint, [" "], 5, seed=0)


def test_pickled_weights_are_refused(checkpoint, tmp_path):
    model, tokenizer = generation.load_language_model(checkpoint)
    model.config.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="model.safetensors"):
        generate(str(tmp_path), TEXTS, 5, seed=0)


def test_an_unreachable_hub_is_one_clear_line(hub_out_of_reach, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)  # the hub's client waits longer before each new attempt
    with pytest.raises(CheckpointError, match=r"^cannot load the language model 'gpt2' .*: connect to the hub, or .*$"):
        generate("gpt2", TEXTS, 5, seed=0)
