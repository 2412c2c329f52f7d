"""The students: classifiers small enough to read, raw text in, labels out."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from distill_utils.texts.words import Vocabulary

PREDICTION_BATCH = 256  # texts


class Student(nn.Module):
    """What all students share: raw text in, class numbers out; saving and loading. Subclasses say the rest.

    `equal_lengths` asks for training batches of texts of one length, so that nothing needs padding. `threads` is how
    many a training step can make use of (None: all).
    """

    equal_lengths: bool = False
    threads: int | None = None

    def __init__(self, vocabulary: Vocabulary | None, labels: tuple[str, ...], **config):
        super().__init__()
        self.vocabulary, self.labels, self.config = vocabulary, tuple(labels), config

    @property
    def identity(self) -> list:
        """All but the weights that tells this student from another, for the cache."""
        return [type(self).__name__, self.config, self.vocabulary.words]

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of all texts, end to end, int32 (n_rows,), and how many each text has, int64 (n_texts,)."""
        return self.vocabulary.encode(texts)

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes). Texts of one length go together."""
        rows, counts = self.encode(texts)
        ends, logits = np.cumsum(counts), np.empty((len(texts), len(self.labels)), np.float32)
        with torch.inference_mode():
            for batch in length_batches(counts, PREDICTION_BATCH):
                words = rows[(ends - counts)[batch][:, None] + np.arange(counts[batch[0]])]
                logits[batch] = self(torch.from_numpy(words.ravel()), torch.from_numpy(counts[batch])).numpy()
        return logits

    def predict(self, texts: list[str]) -> np.ndarray:
        """Class numbers, int64, shape (len(texts),)."""
        return self.predict_logits(texts).argmax(axis=1)

    def count_parameters(self) -> tuple[int, int]:
        """All parameters, and those outside the embedding tables."""
        return count_parameters(self)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `student.safetensors` and `student.json` (configuration, words, labels)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.state_dict(), folder / "student.safetensors")
        note = {"config": self.config, "labels": self.labels, "words": self.vocabulary.words}
        (folder / "student.json").write_text(json.dumps(note))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "Student":
        """Read what `save_pretrained` wrote."""
        note = json.loads((Path(folder) / "student.json").read_text())
        student = cls(Vocabulary(note["words"]), tuple(note["labels"]), **note["config"])
        student.load_state_dict(load_file(Path(folder) / "student.safetensors"))
        return student.eval()


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """All parameters of a model, and those outside its embedding tables."""
    total = sum(p.numel() for p in model.parameters())
    return total, total - sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Embedding))


def length_batches(lengths: np.ndarray, batch_size: int, random: np.random.Generator | None = None) -> list[np.ndarray]:
    """Batches of rows of exactly one length, so that nothing needs padding; with `random` drawn anew, in any order."""
    rows = np.arange(len(lengths)) if random is None else random.permutation(len(lengths))
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    groups = np.split(rows, np.flatnonzero(np.diff(lengths[rows])) + 1) if len(rows) else []
    batches = [group[i : i + batch_size] for group in groups for i in range(0, len(group), batch_size)]
    return batches if random is None else [batches[i] for i in random.permutation(len(batches))]
