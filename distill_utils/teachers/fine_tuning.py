"""Fine-tuning: a checkpoint and labelled texts become a teacher, once."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments, set_seed

from distill_utils.cache import cache_dir, room_to_write
from distill_utils.checks import as_labels, as_names, as_texts
from distill_utils.progress import is_quiet
from distill_utils.teachers import recordings
from distill_utils.teachers.adapters import Adapter, with_adapter
from distill_utils.teachers.checkpoints import (
    CheckpointError,
    identity,
    load_checkpoint,
    most_tokens,
    resolve_checkpoint,
)
from distill_utils.teachers.dtypes import fast_dtype
from distill_utils.teachers.layers import computed_twice
from distill_utils.teachers.teacher import MAX_TOKENS, Teacher, token_ids
from distill_utils.texts.words import plain

STEP_TOKENS = 3072  # in a training step; beyond, layers are computed twice rather than kept: 2 GB at 256 tokens x 16


@dataclass(frozen=True)
class Recipe:
    """How a teacher is fine-tuned. learning_rate is the peak of a linear warm-up and decay.

    adapter_rank: 0 trains all weights; from 1 on an adapter of that rank over the checkpoint, which is a few MB to keep
    (see `adapters`).
    """

    epochs: float = 1.0
    learning_rate: float = 1e-4
    batch_size: int = 32
    warmup: float = 0.1  # share of all steps
    weight_decay: float = 0.01
    dropout: float = 0.1
    max_tokens: int = MAX_TOKENS
    seed: int = 0
    adapter_rank: int = 0


def fine_tune(
    checkpoint: "str | Teacher",
    texts: Iterable[str],
    labels: Iterable[int],
    class_names: tuple[str, ...],
    recipe: Recipe | None = None,
    *,
    faults: list[list[int]] | None = None,
    folder: Path | None = None,
    recorded: bool = True,
) -> Teacher:
    """Fine-tune a checkpoint (or go on with a teacher) on labelled texts, or read what the same call made before.

    texts: as students see them (`plain`). labels: class numbers, (n_texts,), from 0 to len(class_names) - 1.

    The cache key covers the checkpoint, the data, the class names and the recipe. An interrupted run continues from
    its last saved step. A teacher is not changed: its copy learns on, head included. Batches hold texts of like length,
    token embeddings stay as pre-trained: on Emotion that costs no accuracy and, against a stock Trainer run, well over
    half the time goes.

    faults: 0 or 1 for each word between spaces of each text. A second head, dropped at the end, then learns which
    words are at fault, beside the labels: a hint for every word and not only one a text (as in ELECTRA: Clark et
    al., 2020).

    recorded: whether a teacher that came with the library may be read instead, and its answers (see `recordings`).

    Raises CheckpointError when the checkpoint cannot be had, and ValueError when texts, labels and class names do not
    fit together.
    """
    recipe, class_names = recipe or Recipe(), as_names(class_names)
    texts = [plain(text) for text in as_texts(texts)]
    labels = as_labels(labels, len(class_names), len(texts))
    if not texts:
        raise ValueError("no texts to learn from: give some, with a label each")
    begun = checkpoint if isinstance(checkpoint, Teacher) else None
    if recipe.adapter_rank and (begun or faults):
        raise ValueError("an adapter is trained over a checkpoint, without faults: take adapter_rank=0 to go on")
    if begun:
        if begun.n_classes != len(class_names):
            raise ValueError(f"the teacher to go on with knows {begun.n_classes} classes, not {len(class_names)}")
        name, start = begun.name, begun.fingerprint
    else:
        name, source = checkpoint, resolve_checkpoint(checkpoint)
        start = identity(name, source)
    key = _key(name, start, asdict(recipe), texts, labels.tolist(), class_names, faults)
    final = (folder or cache_dir()) / "teachers" / key
    teacher = _kept(final, recordings.find(f"teachers/{key}") if recorded else [])
    if teacher is None:
        set_seed(recipe.seed)  # the new head's weights are drawn on loading
        if begun:
            model, tokenizer = deepcopy(begun.model).float(), begun.tokenizer
            model.config.id2label = dict(enumerate(class_names))
            model.config.label2id = {name: number for number, name in enumerate(class_names)}
        else:
            model, tokenizer = load_checkpoint(source, class_names)
        if recipe.adapter_rank:
            model = with_adapter(model, recipe.adapter_rank)
        partial = final.with_name(key + ".partial")
        seconds = train(model, tokenizer, texts, labels, recipe, partial=partial, faults=faults)
        adapter = None
        if recipe.adapter_rank:
            adapter = Adapter.of(model, checkpoint=name, base=start, rank=recipe.adapter_rank)
            model = model.merge_and_unload()
        rest = {"name": name, "max_tokens": recipe.max_tokens, "train_seconds": seconds}
        teacher = Teacher(model, tokenizer, **rest, adapter=adapter)
        _keep(teacher, final)
        shutil.rmtree(partial, ignore_errors=True)
    teacher.key, teacher.recorded = key, recorded
    return teacher


def _kept(own: Path, recorded: list[Path]) -> Teacher | None:
    """The teacher that came with the library, else the one kept in the cache; a damaged one there is removed."""
    if recorded:
        return Teacher.from_pretrained(recorded[0])
    try:
        return Teacher.from_pretrained(own) if own.exists() else None
    except CheckpointError:
        shutil.rmtree(own)
        return None


def _keep(teacher: Teacher, folder: Path) -> None:
    staged = folder.with_name(f"{folder.name}.{os.getpid()}.staged")
    with room_to_write(folder.parent):
        try:
            teacher.save_pretrained(staged)
            os.replace(staged, folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


class _LabelledTokens(torch.utils.data.Dataset):
    """Token ids, a label and perhaps the faults by row, tokenised once."""

    def __init__(self, tokens: list[list[int]], labels: np.ndarray, faults: list[list[int]] | None):
        self.tokens, self.labels, self.faults = tokens, labels, faults

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, row: int) -> dict:
        found = {"input_ids": self.tokens[row], "labels": int(self.labels[row])}
        return found if self.faults is None else found | {"faults": self.faults[row]}


class LengthBatches(torch.utils.data.Sampler):
    """Batches of rows of like length, in random order, drawn anew each epoch.

    Trainer's own "group_by_length" runs from the longest to the shortest text again and again; on Emotion that
    order cost the teacher about a point of accuracy.
    """

    POOL = 50  # batches sorted together: large enough for little padding, small enough for varied batches

    def __init__(self, lengths: list[int], batch_size: int, seed: int):
        self.lengths, self.batch_size, self.seed, self.epoch = np.asarray(lengths), batch_size, seed, 0
        self.sampler = self  # where accelerate looks for set_epoch

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next (Trainer calls it, also when it resumes)."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self):
        random = np.random.default_rng([self.seed, self.epoch])
        rows = random.permutation(len(self.lengths))
        pool = self.batch_size * self.POOL
        rows = np.concatenate(
            [
                part[np.argsort(self.lengths[part], kind="stable")]
                for part in (rows[i : i + pool] for i in range(0, len(rows), pool))
            ]
        )
        for batch in random.permutation(len(self)):
            yield rows[batch * self.batch_size : (batch + 1) * self.batch_size].tolist()


NO_WORD = -100  # cross_entropy's own mark for "do not count"


def _token_faults(offsets: list[tuple[int, int]], text: str, faults: list[int]) -> list[int]:
    """Each token's fault is that of the word it lies in, given where tokens start and end; NO_WORD for marks."""
    return [faults[text.count(" ", 0, start)] if end else NO_WORD for start, end in offsets]


class _Pad(DataCollatorWithPadding):
    """Pads token ids, and the faults beside them."""

    def __call__(self, rows: list[dict]) -> dict[str, torch.Tensor]:
        faults = [torch.tensor(row.pop("faults")) for row in rows if "faults" in row]
        batch = super().__call__(rows)
        if faults:
            batch["faults"] = torch.nn.utils.rnn.pad_sequence(faults, batch_first=True, padding_value=NO_WORD)
        return batch


class _LengthTrainer(Trainer):
    """The Trainer with `LengthBatches`; where a batch has faults, their loss is added."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if (faults := inputs.pop("faults", None)) is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        outputs = model(**inputs, output_hidden_states=True)
        guesses = model.fault_head(outputs.hidden_states[-1])  # (n_texts, n_tokens, 2)
        return outputs.loss + torch.nn.functional.cross_entropy(guesses.transpose(1, 2), faults, ignore_index=NO_WORD)

    def get_train_dataloader(self) -> torch.utils.data.DataLoader:
        lengths = [len(row) for row in self.train_dataset.tokens]
        batches = LengthBatches(lengths, self.args.train_batch_size, self.args.seed)
        return self.accelerator.prepare(
            torch.utils.data.DataLoader(
                self.train_dataset,
                batch_sampler=batches,
                collate_fn=self.data_collator,
                pin_memory=self.args.dataloader_pin_memory,
            )
        )


def train(
    model,
    tokenizer,
    texts: list[str],
    labels: np.ndarray,
    recipe: Recipe,
    *,
    partial: Path,
    faults: list[list[int]] | None = None,
) -> float:
    """Fine-tune `model` in place with the Hugging Face Trainer; returns the seconds it took.

    `partial` holds the checkpoint an interrupted run continues from; for `faults` see `fine_tune`. Without a GPU, a
    batch of long texts keeps little of the forward pass and computes it again: slower, the same weights, less memory.
    """
    set_seed(recipe.seed)
    # A third of all weights, and the words a small training set never shows keep their pre-trained neighbours.
    model.get_input_embeddings().weight.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = recipe.dropout
    max_tokens = min(recipe.max_tokens, most_tokens(model) or recipe.max_tokens)
    tokens = token_ids(tokenizer, texts, max_tokens)
    if faults:
        model.fault_head = torch.nn.Linear(model.config.hidden_size, 2)
        whole = tokenizer(list(texts), truncation=True, max_length=max_tokens, return_offsets_mapping=True)
        faults = [_token_faults(*row) for row in zip(whole["offset_mapping"], texts, faults, strict=True)]
    steps = max(1, round(recipe.epochs * np.ceil(len(tokens) / recipe.batch_size)))
    long = not torch.cuda.is_available() and recipe.batch_size * max(map(len, tokens)) > STEP_TOKENS
    arguments = TrainingArguments(
        output_dir=str(partial),
        max_steps=steps,
        learning_rate=recipe.learning_rate,
        seed=recipe.seed,
        per_device_train_batch_size=recipe.batch_size,
        warmup_steps=round(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        optim="adamw_torch_fused",
        use_cpu=not torch.cuda.is_available(),
        bf16=fast_dtype() == torch.bfloat16,
        save_strategy="steps",
        save_steps=max(50, steps // 5),
        save_total_limit=1,
        report_to="none",
        logging_strategy="no",
        disable_tqdm=is_quiet(),
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    trainer = _LengthTrainer(
        model,
        arguments,
        train_dataset=_LabelledTokens(tokens, labels, faults),
        data_collator=_Pad(tokenizer),
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)  # its summary is a line of raw numbers
    start = time.perf_counter()
    with room_to_write(partial.parent), computed_twice(model) if long else nullcontext():
        trainer.train(resume_from_checkpoint=_last_checkpoint(partial))
    if faults:
        del model.fault_head
    return time.perf_counter() - start


def _last_checkpoint(partial: Path) -> str | None:
    """The newest checkpoint that was written to its end (Trainer writes its state last)."""
    whole = [state.parent for state in partial.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda folder: int(folder.name.split("-")[1]))) if whole else None


def _key(*parts) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
