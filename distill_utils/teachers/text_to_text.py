"""A checkpoint that writes its label as a word: T5, run as it comes."""

from collections.abc import Iterable

import numpy as np
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from distill_utils.checks import as_names, as_texts
from distill_utils.progress import bar, hush_libraries
from distill_utils.teachers.checkpoints import CheckpointError, unreachable
from distill_utils.teachers.teacher import MAX_TOKENS
from distill_utils.texts.words import plain


@torch.inference_mode()
def written_labels(
    checkpoint: str, texts: Iterable[str], class_names: tuple[str, ...], batch_size: int = 32
) -> tuple[np.ndarray, int]:
    """Run a text-to-text checkpoint (T5) that writes its label as a word; no fine-tuning here.

    Returns class numbers, int64 (n_texts,), with -1 for an answer that is no class name, and the number of
    parameters. Raises CheckpointError when the checkpoint cannot be had, and ValueError when `texts` or `class_names`
    is one string.
    """
    texts, class_names = [plain(text) for text in as_texts(texts)], as_names(class_names)
    hush_libraries()
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        model = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, use_safetensors=True).eval()
    except (OSError, ValueError) as error:
        raise CheckpointError(unreachable(checkpoint, error)) from error
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    numbers = {name: number for number, name in enumerate(class_names)}
    found = []
    for start in bar(range(0, len(texts), batch_size), what="T5 writes labels"):
        inputs = tokenizer(
            texts[start : start + batch_size], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        ).to(device)
        answers = model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=4, do_sample=False
        )
        found += [numbers.get(a.strip(), -1) for a in tokenizer.batch_decode(answers, skip_special_tokens=True)]
    return np.array(found, np.int64), model.num_parameters()
