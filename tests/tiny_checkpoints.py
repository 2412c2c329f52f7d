"""Checkpoints small enough to make in a test: random weights, a vocabulary of a dozen words."""

import os
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2Model,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from distill_utils import dtypes

# More threads gain nothing here, and on a busy machine they wait for one another: forty times slower was seen.
torch.set_num_threads(1)
# Processors with bfloat16 units would round what these tests compare to the last digits.
dtypes.CPUINFO = Path(os.devnull)

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "green", "apple", "pie", "is", "the", "so"]


def word_tokenizer(*, marks: bool = True, **special: str) -> PreTrainedTokenizerFast:
    """Splits words and punctuation; with `marks` each text begins with [CLS] and ends with [SEP]."""
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if marks:
        tokenizer.post_processor = processors.TemplateProcessing(
            "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        special |= {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", **special)


def tiny_bert(folder, layers: int = 1, **config) -> str:
    """A BERT in `folder`."""
    torch.manual_seed(0)
    sizes = {"vocab_size": len(WORDS), "hidden_size": 32, "num_hidden_layers": layers, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 32, "max_position_embeddings": 64}
    BertForSequenceClassification(BertConfig(**sizes, **config)).save_pretrained(folder)
    word_tokenizer().save_pretrained(folder)
    return str(folder)


def tiny_mpnet(folder, layers: int = 2) -> str:
    """An MPNet without a head in `folder`, as all-mpnet-base-v2 comes; like RoBERTa it counts positions from 2."""
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    MPNetModel(config, add_pooling_layer=False).save_pretrained(folder)
    word_tokenizer().save_pretrained(folder)
    return str(folder)


def tiny_gpt2(folder, **special: str) -> str:
    """A GPT-2 in `folder`, whose tokenizer has no padding token and adds no marks; `special` such as eos_token."""
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(WORDS), n_positions=64, n_embd=32, n_layer=1, n_head=2)
    GPT2Model(config).save_pretrained(folder)
    word_tokenizer(marks=False, **special).save_pretrained(folder)
    return str(folder)


def tiny_t5(folder) -> str:
    """A T5 of one layer in `folder`, whose every answer is the word "red"."""
    vocabulary = {word: i for i, word in enumerate(["<pad>", "</s>", "<unk>", "red", "green", "apple"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    config = T5Config(
        vocab_size=6,
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        tie_word_embeddings=False,
    )
    model = T5ForConditionalGeneration(config)
    with torch.no_grad():  # after the answer only the end is likely: the decoder sees "red" before it
        model.lm_head.weight.zero_()
        model.decoder.final_layer_norm.weight.fill_(1.0)
    model.generation_config.forced_bos_token_id = 3
    model.generation_config.forced_eos_token_id = 1
    model.generation_config.suppress_tokens = [2, 4, 5]
    model.save_pretrained(folder)
    return str(folder)
