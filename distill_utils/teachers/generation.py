"""Texts that a language model writes after reading the task's own (Tang, Lu and Lin, 2019)."""

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

from distill_utils.checks import as_texts
from distill_utils.progress import bar, hush_libraries
from distill_utils.teachers.checkpoints import CheckpointError
from distill_utils.teachers.teacher import MAX_TOKENS
from distill_utils.texts.words import plain

BATCH = 32  # texts in a step of fine-tuning
LEARNING_RATE = 5e-5


def generate(
    checkpoint: str,
    texts: list[str],
    n_texts: int,
    *,
    seed: int,
    steps: int = 300,
    max_new_tokens: int = 32,
    batch_size: int = 256,
) -> list[str]:
    """`n_texts` new texts by a causal language model ("gpt2", or a local folder), fine-tuned on `texts` first.

    Each begins with the first token of a text drawn from `texts`, and is then sampled freely, without top-k or
    temperature, until the model ends it or for `max_new_tokens`. Made for a GPU. The same seed gives the same texts on
    the same machine.

    Raises CheckpointError when the checkpoint cannot be had. Source: Tang, Lu and Lin (2019), who write 800,000.
    """
    hush_libraries()
    model, tokenizer = load_language_model(checkpoint)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    set_seed(seed)
    tokens = [ids for ids in tokenizer([" ".join(plain(text).split()) for text in as_texts(texts)])["input_ids"] if ids]
    if not tokens:
        raise ValueError("a language model needs texts to learn from: there are none")
    fine_tune_language_model(model, tokens, end=tokenizer.eos_token_id, steps=steps, seed=seed)
    firsts = np.random.default_rng(seed).choice([ids[0] for ids in tokens], size=n_texts)
    return write(model, tokenizer, firsts, max_new_tokens=max_new_tokens, batch_size=batch_size)


def load_language_model(checkpoint: str):
    """A causal language model and its tokenizer; safetensors only, no remote code.

    Raises CheckpointError when the hub is out of reach or the folder holds no safetensors weights.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        model = AutoModelForCausalLM.from_pretrained(checkpoint, use_safetensors=True, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"cannot load the language model {checkpoint!r} ({type(error).__name__}): connect to the hub, or give a "
            "local folder with config.json, a tokenizer and model.safetensors"
        ) from error
    return model, tokenizer


def fine_tune_language_model(model, tokens: list[list[int]], *, end: int, steps: int, seed: int) -> None:
    """Fine-tune in place for `steps` batches of texts drawn with repeats; each text is followed by the `end` token."""
    random, optimizer = np.random.default_rng(seed), torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    model.train()
    for _ in bar(range(steps), what="the language model reads the task"):
        batch = [torch.tensor([*tokens[row][:MAX_TOKENS], end]) for row in random.integers(0, len(tokens), size=BATCH)]
        ids = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=end)  # (BATCH, longest)
        real = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in batch], batch_first=True)
        labels = ids.masked_fill(real == 0, -100)  # the padding is no text; the end token is
        ids, real, labels = (part.to(model.device) for part in (ids, real, labels))
        model(input_ids=ids, attention_mask=real, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


@torch.inference_mode()
def write(model, tokenizer, firsts: np.ndarray, *, max_new_tokens: int, batch_size: int) -> list[str]:
    """One text for each first token in `firsts` (n_texts,), on one line with single spaces."""
    written = []
    for start in bar(range(0, len(firsts), batch_size), what="the language model writes"):
        prompts = torch.as_tensor(firsts[start : start + batch_size], device=model.device)[:, None]  # (batch, 1)
        ids = model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            do_sample=True,
            top_k=0,
            max_new_tokens=max_new_tokens,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
        )
        # Cleaning up would glue "do n't" together, which some tasks write apart.
        found = tokenizer.batch_decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        written += [" ".join(text.split()) for text in found]
    return written
