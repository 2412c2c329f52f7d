"""The students: classifiers small enough to read, raw text in, labels out."""

import json
from pathlib import Path

import numpy as np
import scipy.sparse
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from distill_utils.texts.words import Vocabulary, length_batches, pieces

PREDICTION_BATCH = 256  # texts
MAX_WORDS = 60  # a Bi-LSTM reads no further at once: it learns from short texts


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


class MLP(Student):
    """Word embeddings pooled over the text, one hidden ReLU layer, the classes.

    pooling "mean" is the blog's student: a bag of words, blind to order. "pairs" adds to each word's vector the
    rotated vector of the word before it (rotation marks the order: Sahlgren et al., 2008) and keeps each
    dimension's maximum, so "feel loved" and "loved to feel" differ. Both cost the same: with 5,000 words and 6
    classes 80,374 parameters.

    word_logits: what the teacher says of each word on its own, (n_words, n_classes); they start the first columns
    of the embeddings. word_vectors: (n_words, m); they start the next m columns.
    """

    threads = 1  # its batches are too small to share: two threads take longer than one

    def __init__(
        self,
        vocabulary: Vocabulary,
        labels: tuple[str, ...],
        *,
        pooling: str = "mean",
        embedding_size: int = 16,
        hidden: int = 16,
        word_logits: np.ndarray | None = None,
        word_vectors: np.ndarray | None = None,
    ):
        if pooling not in ("mean", "pairs"):
            raise ValueError(f"unknown pooling {pooling!r}: use 'mean' or 'pairs'")
        super().__init__(vocabulary, labels, pooling=pooling, embedding_size=embedding_size, hidden=hidden)
        self.embedding = nn.Embedding(len(vocabulary), embedding_size)
        self.hidden = nn.Linear(embedding_size, hidden)
        self.output = nn.Linear(hidden, len(labels))
        self.word_logits, self.word_vectors = word_logits, word_vectors
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew from torch's global random stream."""
        for layer in (self.hidden, self.output):
            layer.reset_parameters()
        # Small: a rare word is hardly trained, and a large random vector would stay as noise in every text.
        nn.init.normal_(self.embedding.weight, std=0.1)
        column = 0
        if self.word_logits is not None:
            # What all words share (the teacher's answer to any odd text) says nothing of a word: take it off.
            logits = self.word_logits - self.word_logits.mean(axis=1, keepdims=True)
            column = self._start_columns(column, logits - np.median(logits, axis=0))
        if self.word_vectors is not None:
            self._start_columns(column, self.word_vectors)

    def _start_columns(self, column: int, start: np.ndarray) -> int:
        start = start[:, : self.embedding.embedding_dim - column]
        end = column + start.shape[1]
        with torch.no_grad():
            self.embedding.weight[:, column:end] += torch.as_tensor(0.3 * start / start.std(), dtype=torch.float32)
        return end

    def forward(self, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Logits (n_texts, n_classes) from the row numbers (n_words,) of texts laid end to end and their counts."""
        starts = counts.cumsum(0) - counts  # (n_texts,)
        if self.config["pooling"] == "mean":
            pooled = F.embedding_bag(rows, self.embedding.weight, starts, mode="mean")  # no known words: zeros
        else:
            words = self.embedding(rows)  # (n_words, embedding_size)
            before = words.roll((1, self.config["embedding_size"] // 2), dims=(0, 1))
            before = before.index_fill(0, starts[counts > 0], 0.0)  # a first word has none before it
            pooled = torch.segment_reduce(words + before, "max", lengths=counts, initial=0)
        return self.output(torch.relu(self.hidden(pooled)))

    def train(self, mode: bool = True):
        """Switch between training and use; weights copied for `predict` are dropped, since training changes them."""
        self._ready = None
        return super().train(mode)

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes), without torch: look-ups and two small products."""
        if self._ready is None:
            self._ready = self._prepare()
        words, before, hidden, hidden_bias, output, output_bias = self._ready
        rows, counts = self.vocabulary.encode(texts)
        ends = np.cumsum(counts)
        if self.config["pooling"] == "mean" and len(texts) != 1:
            starts = np.concatenate(([0], ends)).astype(np.int32)
            ones = np.ones(len(rows), np.float32)
            summed = scipy.sparse.csr_array((ones, rows, starts), shape=(len(texts), len(words))) @ words
            pooled = summed / np.maximum(counts, 1)[:, None]
        elif self.config["pooling"] == "mean":  # a sparse matrix costs more to set up than one text to add
            pooled = words[rows].sum(axis=0, keepdims=True) / max(len(rows), 1)
        else:
            pooled = np.zeros((len(texts), words.shape[1]), np.float32)
            if len(rows):
                firsts = (ends - counts)[counts > 0]
                previous = np.concatenate(([0], rows[:-1]))
                previous[firsts] = len(before) - 1  # the row of zeros
                pairs = words[rows] + before[previous]
                pooled[counts > 0] = np.maximum(np.maximum.reduceat(pairs, firsts), 0)
        return np.maximum(pooled @ hidden + hidden_bias, 0) @ output + output_bias

    def _prepare(self) -> tuple[np.ndarray, ...]:
        table, *layers = [weight.detach().float().cpu().numpy() for weight in self.state_dict().values()]
        before = np.roll(table, self.config["embedding_size"] // 2, axis=1)
        before = np.concatenate([before, np.zeros_like(before[:1])])
        hidden, hidden_bias, output, output_bias = layers
        return table, before, hidden.T.copy(), hidden_bias, output.T.copy(), output_bias


class BiLSTM(Student):
    """Word embeddings, a bidirectional LSTM, each dimension's maximum over the text, one ReLU layer, the classes.

    It reads in order, with a mark for each unknown word. A text of more than MAX_WORDS words is read in pieces, whose
    logits are averaged: on a long text the maximum would meet values it never met in training.

    hidden=150 makes 0.66M parameters outside the embeddings of 300 numbers, hidden=300 1.7M (Tang et al., 2019,
    section 4.2, pool nothing and keep the last state).

    word_vectors: where the embeddings start, (n_words, embedding_size), such as `teachers.word_vectors`.
    """

    equal_lengths = True

    def __init__(
        self,
        vocabulary: Vocabulary,
        labels: tuple[str, ...],
        *,
        embedding_size: int = 300,
        hidden: int = 150,
        dense: int = 400,
        dropout: float = 0.3,
        word_vectors: np.ndarray | None = None,
    ):
        config = {"embedding_size": embedding_size, "hidden": hidden, "dense": dense, "dropout": dropout}
        super().__init__(vocabulary, labels, **config)
        self.embedding = nn.Embedding(len(vocabulary) + 2, embedding_size)  # last: an unknown word, the end
        self.lstm = nn.LSTM(embedding_size, hidden, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * hidden, dense)
        self.output = nn.Linear(dense, len(labels))
        self.dropout = nn.Dropout(dropout)
        self.word_vectors = word_vectors
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew from torch's global random stream."""
        for layer in (self.lstm, self.dense, self.output):
            layer.reset_parameters()
        nn.init.normal_(self.embedding.weight, std=0.1)
        if self.word_vectors is not None:
            start = torch.as_tensor(self.word_vectors, dtype=torch.float32)
            with torch.no_grad():
                self.embedding.weight[: len(start)] = 0.1 * start / start.std()

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Like `Vocabulary.encode`, with unknown words and a closing mark (so no text is empty), cut at MAX_WORDS."""
        rows, counts = self.vocabulary.encode(texts, keep_unknown=True)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)  # of a word in its text
        return rows[places < MAX_WORDS], np.minimum(counts, MAX_WORDS)

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes); of a long text, the mean over its pieces."""
        parts = [pieces(text, MAX_WORDS) for text in texts]
        counts = np.array([len(part) for part in parts], np.int64)
        logits = super().predict_logits([piece for part in parts for piece in part])
        if not len(texts) or counts.max() == 1:
            return logits
        return np.add.reduceat(logits, np.cumsum(counts) - counts) / counts[:, None].astype(np.float32)

    def forward(self, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Logits (n_texts, n_classes) from the row numbers of texts of one length, laid end to end."""
        words = self.dropout(self.embedding(rows.view(len(counts), -1)))  # (n_texts, length, embedding_size)
        states, _ = self.lstm(words)  # (n_texts, length, 2 * hidden)
        pooled = self.dropout(states.amax(dim=1))
        return self.output(self.dropout(torch.relu(self.dense(pooled))))


class Ensemble:
    """Trained students that answer together: the mean of their logits, at the sum of their costs."""

    def __init__(self, members: list[Student]):
        self.members = members

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes)."""
        return np.mean([member.predict_logits(texts) for member in self.members], axis=0)

    def predict(self, texts: list[str]) -> np.ndarray:
        """Class numbers, int64, shape (len(texts),)."""
        return self.predict_logits(texts).argmax(axis=1)


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """All parameters of a model, and those outside its embedding tables."""
    total = sum(p.numel() for p in model.parameters())
    return total, total - sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Embedding))
