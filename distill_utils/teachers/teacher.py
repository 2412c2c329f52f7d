"""The teacher: a fine-tuned classifier that labels texts, each of them once."""

import hashlib
import json
import time
from functools import cache
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_utils.cache import LogitStore, cache_dir, sha256_of
from distill_utils.progress import bar
from distill_utils.teachers.checkpoints import CheckpointError, check_weights

MAX_TOKENS = 128
LABELLING_CHUNK = 1024  # texts between two writes: what an interrupt can lose


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
