"""Fine-tuning: a checkpoint and labelled texts become a teacher, once; a smaller one learns what a teacher says."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed

from distill_utils.cache import cache_dir, room_to_write
from distill_utils.checks import as_labels, as_names, as_texts
from distill_utils.dtypes import fast_dtype
from distill_utils.progress import is_quiet, tell
from distill_utils.teachers import recordings
from distill_utils.teachers.adapters import Adapter, with_adapter
from distill_utils.teachers.checkpoints import (
    CheckpointError,
    identity,
    load_checkpoint,
    most_tokens,
    resolve_checkpoint,
)
from distill_utils.teachers.labeller import Labeller
from distill_utils.teachers.layers import computed_twice, cut
from distill_utils.teachers.teacher import MAX_TOKENS, Teacher, token_ids
from distill_utils.texts.augmentation import sample
from distill_utils.texts.words import plain

STEP_TOKENS = 3072  # in a training step; beyond, layers are computed twice rather than kept: 2 GB at 256 tokens x 16


@dataclass(frozen=True)
class Recipe:
    """How a teacher is fine-tuned. learning_rate is the peak of a linear warm-up and decay.

    adapter_rank: 0 trains all weights; from 1 on an adapter of that rank over the checkpoint, which is a few MB to keep
    (see `adapters`). layers: how many of the checkpoint's are kept, the first ones; 0 keeps all.
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
    layers: int = 0

    @property
    def key(self) -> dict[str, float]:
        """What is hashed: 2 and 2.0 epochs are one recipe."""
        return {name: float(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Committee:
    """Teachers that differ in nothing but their seeds, and how one more learns what they say on average.

    texts: unlabelled ones from which it learns, at most, beside the training texts.
    """

    members: int
    texts: int
    recipe: Recipe


def fine_tune(
    checkpoint: str,
    texts: Iterable[str],
    labels: Iterable[int],
    class_names: tuple[str, ...],
    recipe: Recipe | None = None,
    *,
    folder: Path | None = None,
    recorded: bool = True,
) -> Teacher:
    """Fine-tune a checkpoint on labelled texts, or read what the same call made before.

    texts: as students see them (`plain`). labels: class numbers, (n_texts,), from 0 to len(class_names) - 1.

    The cache key covers the checkpoint, the data, the class names and the recipe. An interrupted run continues from
    its last saved step. Batches hold texts of like length, token embeddings stay as pre-trained: on Emotion that costs
    no accuracy and, against a stock Trainer run, well over half the time goes.

    recorded: whether a teacher that came with the library may be read instead, and its answers (see `recordings`).

    Raises CheckpointError when the checkpoint cannot be had, and ValueError when texts, labels and class names do not
    fit together.
    """
    recipe, class_names, texts = recipe or Recipe(), as_names(class_names), _as_read(texts)
    labels = as_labels(labels, len(class_names), len(texts))
    lesson = _Lesson(texts, class_names, lambda: labels, labels.tolist())
    return _made(checkpoint, lesson, recipe, folder, recorded)


def teach(
    start: "str | Teacher",
    texts: Iterable[str],
    teacher: Labeller,
    recipe: Recipe | None = None,
    *,
    folder: Path | None = None,
    recorded: bool = True,
) -> Teacher:
    """Have a smaller transformer learn a teacher's soft labels, or read what the same call made before.

    start: a checkpoint; or a fine-tuned teacher, whose copy goes on from what it knows, cut to the recipe's `layers`.
    texts: what the teacher is asked about, without labels. The rest is as for `fine_tune`.

    Raises CheckpointError when the checkpoint cannot be had, and ValueError when it has fewer layers, when start tells
    other classes apart than the teacher, or when its adapter is of another rank than the recipe's.
    """
    recipe, texts = recipe or Recipe(), _as_read(texts)
    if isinstance(start, Teacher):
        if start.class_names != teacher.class_names:
            raise ValueError(f"start knows the classes {start.class_names}, the teacher {teacher.class_names}")
        rank = start.adapter.rank if start.adapter else 0
        if recipe.adapter_rank not in (0, rank):
            raise ValueError(f"start has an adapter of rank {rank}, the recipe asks for {recipe.adapter_rank}: take 0")
    lesson = _Lesson(texts, teacher.class_names, lambda: teacher.soft_labels(texts, folder), teacher.fingerprint)
    return _made(start, lesson, recipe, folder, recorded)


def teach_by_committee(
    checkpoint: str,
    texts: Iterable[str],
    labels: Iterable[int],
    class_names: tuple[str, ...],
    recipe: Recipe,
    committee: Committee,
    *,
    unlabelled: Iterable[str] = (),
    folder: Path | None = None,
    recorded: bool = True,
) -> Teacher:
    """Fine-tune a checkpoint once a seed, and teach it anew what these members say on average; or read that one.

    recipe: of the members, whose seeds are 0 to committee.members - 1. The one that learns sees the training texts
    without their labels, and a sample of `unlabelled`; its soft labels are the mean of the members' probabilities
    (Hinton et al., 2015). Members are trained only where that is needed. The rest, and the errors, are as for
    `fine_tune`.
    """
    class_names, texts = as_names(class_names), _as_read(texts)
    labels = as_labels(labels, len(class_names), len(texts))
    every = texts + [plain(text) for text in sample(unlabelled, committee.texts, seed=0)]
    recipes = [replace(recipe, seed=seed) for seed in range(committee.members)]
    known = identity(checkpoint, resolve_checkpoint(checkpoint))
    keys = [_key(checkpoint, known, each.key, texts, labels.tolist(), class_names) for each in recipes]

    def on_average() -> np.ndarray:
        members = (
            fine_tune(checkpoint, texts, labels, class_names, each, folder=folder, recorded=recorded)
            for each in recipes
        )
        return np.mean([member.soft_labels(every, folder) for member in members], axis=0)

    lesson = _Lesson(every, class_names, on_average, keys)
    return _made(checkpoint, lesson, committee.recipe, folder, recorded)


@dataclass(frozen=True)
class _Lesson:
    """What is learnt: labels are computed when they are needed, and known by `key`."""

    texts: list[str]
    class_names: tuple[str, ...]
    labels: Callable[[], np.ndarray]
    key: list[int] | list[str] | str


def _as_read(texts: Iterable[str]) -> list[str]:
    texts = [plain(text) for text in as_texts(texts)]
    if not texts:
        raise ValueError("no texts to learn from: give some, with a label each")
    return texts


def _made(start: "str | Teacher", lesson: _Lesson, recipe: Recipe, folder: Path | None, recorded: bool) -> Teacher:
    begun, source = (start, None) if isinstance(start, Teacher) else (None, resolve_checkpoint(start))
    name, known = (begun.name, begun.fingerprint) if begun else (start, identity(start, source))
    key = _key(name, known, recipe.key, lesson.texts, lesson.key, lesson.class_names)
    final = (folder or cache_dir()) / "teachers" / key
    teacher = _kept(final, recordings.find(f"teachers/{key}") if recorded else [])
    if teacher is None:
        with _in_turn(final):
            teacher = _kept(final) or _trained(begun, name, source, known, lesson, recipe, final)
    teacher.key, teacher.recipe, teacher.recorded = key, recipe, recorded
    return teacher


@contextmanager
def _in_turn(final: Path) -> Iterator[None]:
    """Two runs that want the same teacher would train over each other: the second waits, and finds it made."""
    lock = FileLock(final.parent.with_name("locks") / f"{final.name}.lock", mode=0o666)  # for all who share a cache
    with room_to_write(Path(lock.lock_file).parent):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            tell("Another run is making this teacher: waiting for it.")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _trained(
    begun: Teacher | None, name: str, source: str | None, known: object, lesson: _Lesson, recipe: Recipe, final: Path
) -> Teacher:
    """The teacher, trained from a copy of `begun` or from a checkpoint, and kept."""
    labels = lesson.labels()
    set_seed(recipe.seed)  # the new head's weights are drawn on loading
    adapter = begun.adapter if begun and recipe.adapter_rank else None
    if adapter:
        model, tokenizer = adapter.over(lesson.class_names, recipe.layers)
    else:
        if begun:
            model, tokenizer = deepcopy(begun.model).float(), begun.tokenizer
        else:
            model, tokenizer = load_checkpoint(source, lesson.class_names)
        cut(model, recipe.layers)
        if recipe.adapter_rank:
            model = with_adapter(model, recipe.adapter_rank)
    partial = final.with_name(f"{final.name}.partial")
    seconds = train(model, tokenizer, lesson.texts, labels, recipe, partial=partial)
    if recipe.adapter_rank:
        over = (adapter.checkpoint, adapter.base) if adapter else (name, known)
        layers = recipe.layers or (adapter.layers if adapter else 0)
        adapter = Adapter.of(model, *over, rank=recipe.adapter_rank, layers=layers)
        model, tokenizer = adapter.outline(lesson.class_names)  # read again when it is needed
    rest = {"name": name, "max_tokens": recipe.max_tokens, "train_seconds": seconds}
    teacher = Teacher(model, tokenizer, **rest, adapter=adapter)
    _keep(teacher, final)
    shutil.rmtree(partial, ignore_errors=True)
    return teacher


def _kept(own: Path, recorded: list[Path] = ()) -> Teacher | None:
    """The teacher that came with the library, else the one kept in the cache; a damaged one there is removed."""
    if recorded:
        return Teacher.from_pretrained(recorded[0])
    try:
        return Teacher.from_pretrained(own) if own.exists() else None
    except CheckpointError:
        shutil.rmtree(own)
        return None


def _keep(teacher: Teacher, folder: Path) -> None:
    staged = folder.with_name(f"{folder.name}.staged")
    with room_to_write(folder.parent):
        try:
            teacher.save_pretrained(staged)
            os.replace(staged, folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


class _LabelledTokens(torch.utils.data.Dataset):
    """Token ids and a label by row, tokenised once; a label is a class number, or a row of probabilities."""

    def __init__(self, tokens: list[list[int]], labels: np.ndarray):
        self.tokens, self.labels = tokens, labels.tolist()

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, row: int) -> dict:
        return {"input_ids": self.tokens[row], "labels": self.labels[row]}


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


class _LengthTrainer(Trainer):
    """The Trainer with `LengthBatches`, and a loss that takes class numbers and probabilities alike."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = torch.nn.functional.cross_entropy(outputs.logits.float(), labels)
        return (loss, outputs) if return_outputs else loss

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


class _SayHowLong(TrainerCallback):
    """One line after the first steps of a long training: what it does, and how long that takes."""

    FIRST = 3  # steps that are timed
    LONG = 120  # seconds

    def __init__(self, what: str):
        self.what, self.timed = what, 0

    def on_step_begin(self, args, state, control, **_):
        if self.timed == 0:
            self.start = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        self.timed += 1
        if self.timed == self.FIRST:
            left = (time.perf_counter() - self.start) / self.FIRST * (state.max_steps - state.global_step)
            if left > self.LONG:
                tell(f"{self.what}: about {left / 60:.0f} minutes on this machine; stopped, it goes on from there")


def train(
    model,
    tokenizer,
    texts: list[str],
    labels: np.ndarray,
    recipe: Recipe,
    *,
    partial: Path,
) -> float:
    """Fine-tune `model` in place with the Hugging Face Trainer; returns the seconds it took.

    labels: class numbers, (n_texts,), or probabilities, (n_texts, n_classes). `partial` holds the checkpoint an
    interrupted run continues from. Without a GPU, a batch of long texts keeps little of the forward pass and computes
    it again: slower, the same weights, less memory.
    """
    set_seed(recipe.seed)
    # A third of all weights, and the words a small training set never shows keep their pre-trained neighbours.
    model.get_input_embeddings().weight.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = recipe.dropout
    max_tokens = min(recipe.max_tokens, most_tokens(model) or recipe.max_tokens)
    tokens = token_ids(tokenizer, texts, max_tokens)
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
        train_dataset=_LabelledTokens(tokens, labels),
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)  # its summary is a line of raw numbers
    trainer.add_callback(_SayHowLong(f"a transformer ({model.config.model_type}) learns from {len(texts):,} texts"))
    start = time.perf_counter()
    with room_to_write(partial.parent), computed_twice(model) if long else nullcontext():
        trainer.train(resume_from_checkpoint=_last_checkpoint(partial))
    return time.perf_counter() - start


def _last_checkpoint(partial: Path) -> str | None:
    """The newest checkpoint that was written to its end (Trainer writes its state last)."""
    whole = [state.parent for state in partial.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda folder: int(folder.name.split("-")[1]))) if whole else None


def _key(*parts) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
