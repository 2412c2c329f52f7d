"""The students: classifiers small enough to read, raw text in, labels out."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from distill_utils.cache import read_note, written_together
from distill_utils.checks import as_names, as_texts
from distill_utils.texts.words import Vocabulary

PREDICTION_BATCH = 256  # texts
NOTE, WEIGHTS = "student.json", "student.safetensors"


class Student(nn.Module):
    """What all students share: raw text in, class numbers out; saving and loading. Subclasses say the rest.

    `equal_lengths` asks for training batches of texts of one length, so that nothing needs padding. `threads` is how
    many a training step can make use of (None: all). `half` lets training multiply in bfloat16 where the processor has
    units for it; weights, sums and predictions are float32.

    labels: the class names, in the order of their numbers. Raises ValueError unless they are two or more, each once.
    """

    equal_lengths: bool = False
    threads: int | None = None
    half: bool = False
    kinds: ClassVar[dict[str, type["Student"]]] = {}  # by name, as `save_pretrained` notes them

    def __init_subclass__(cls):
        Student.kinds[cls.__name__] = cls

    def __init__(self, vocabulary: Vocabulary | None, labels: tuple[str, ...], **config):
        super().__init__()
        self.vocabulary, self.labels, self.config = vocabulary, as_names(labels), config
        self._views = None

    def __getstate__(self) -> dict:  # views are of one student's weights, not of its copy's
        return self.__dict__ | {"_views": None}

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of all texts, end to end, int32 (n_rows,), and how many each text has, int64 (n_texts,)."""
        return self.vocabulary.encode(as_texts(texts))

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes). Texts of one length go together.

        Raises ValueError for one string, or for a text that is none.
        """
        rows, counts = self.encode(texts)
        ends, logits = np.cumsum(counts), np.empty((len(counts), len(self.labels)), np.float32)
        training = self.training
        self.eval()
        try:
            with torch.inference_mode():
                for batch in length_batches(counts, PREDICTION_BATCH):
                    words = rows[(ends - counts)[batch][:, None] + np.arange(counts[batch[0]])]
                    logits[batch] = self(torch.from_numpy(words.ravel()), torch.from_numpy(counts[batch])).numpy()
        finally:
            self.train(training)
        return logits

    def predict(self, texts: list[str]) -> np.ndarray:
        """Class numbers, int64, shape (len(texts),)."""
        return self.predict_logits(texts).argmax(axis=1)

    def _arrays(self, layers: Iterable[nn.Module]) -> list[np.ndarray]:
        """Layers' weights for numpy: views of them, so that whatever changes them is seen; anew for other tensors."""
        weights = [weight for layer in layers for weight in layer._parameters.values()]  # quicker than parameters()
        places = [weight.data_ptr() for weight in weights]
        if self._views is None or self._views[0] != places:
            arrays = [weight.detach().float().cpu().numpy() for weight in weights]
            if [array.ctypes.data for array in arrays] != places:  # copies: weights of half precision, or on a GPU
                return arrays
            self._views = places, arrays
        return self._views[1]

    def count_parameters(self) -> tuple[int, int]:
        """All parameters, and those outside the embedding tables."""
        return count_parameters(self)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `student.safetensors` and `student.json` (kind, configuration, labels, words), both or neither."""
        note = {"kind": type(self).__name__, "config": self.config, "labels": self.labels}
        if self.vocabulary is not None:
            note["words"] = self.vocabulary.words
        with written_together(Path(folder), NOTE, note) as staged:
            self._write(staged)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "Student":
        """Read what `save_pretrained` wrote; `Student.from_pretrained` reads every kind. `fit` would start it anew.

        Raises ValueError when a file is missing or damaged, or the folder holds another kind.
        """
        folder = Path(folder).expanduser()
        note = read_note(folder, NOTE)
        if "export" in note:
            raise ValueError(
                f"{folder} holds an export, for its predictor.py: give a folder that save_pretrained wrote"
            )
        name = note.get("kind")
        kind = Student.kinds.get(name)
        if kind is None or not issubclass(kind, cls):
            remedy = "import its class first" if kind is None else f"use {name}.from_pretrained"
            raise ValueError(f"the student in {folder} is of the kind {name}, not {cls.__name__}: {remedy}")
        try:
            return kind._read(folder, note).eval()
        except (KeyError, TypeError, RuntimeError) as error:  # by another version: all is as it was written
            raise ValueError(f"{NOTE} in {folder} does not fit its weights: save it again") from error

    def _write(self, folder: Path) -> None:
        """Write the weights to an empty folder."""
        (folder / WEIGHTS).write_bytes(save(self.state_dict()))

    @classmethod
    def _read(cls, folder: Path, note: dict) -> "Student":
        student = cls(Vocabulary(note["words"]), note["labels"], **note["config"])
        student.load_state_dict(load_file(folder / WEIGHTS))
        return student


def start_table(values: np.ndarray, vocabulary: Vocabulary, what: str) -> np.ndarray:
    """What a word table starts from, (n_words, m). Raises ValueError unless it has a row a word, of finite numbers."""
    found = np.asarray(values)
    if found.ndim != 2 or len(found) != len(vocabulary) or not np.isfinite(found).all():
        words = len(vocabulary)
        raise ValueError(f"{what} of shape {found.shape}: give finite numbers, a row for each of the {words} words")
    return found


@torch.no_grad()
def start_words(table: torch.Tensor, word_logits: np.ndarray | None, word_vectors: np.ndarray | None) -> None:
    """Add to a word table, (n_words, d), a teacher's logits of each word, then its word vectors, as far as they fit."""
    starts = []
    if word_logits is not None:
        # What all words share (the teacher's answer to any odd text) says nothing of a word: take it off.
        logits = word_logits - word_logits.mean(axis=1, keepdims=True)
        starts.append(logits - np.median(logits, axis=0))
    if word_vectors is not None:
        starts.append(word_vectors)
    column = 0
    for start in starts:
        start = start[:, : table.shape[1] - column]
        end = column + start.shape[1]
        if start.size and start.std() > 0:  # a teacher that says the same of every word tells them apart by nothing
            table[:, column:end] += torch.as_tensor(0.3 * start / start.std(), dtype=torch.float32)
        column = end


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
