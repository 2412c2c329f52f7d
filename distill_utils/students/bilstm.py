"""A student that reads in order: a bidirectional LSTM."""

import numpy as np
import torch
from torch import nn

from distill_utils.checks import as_texts, at_least_one
from distill_utils.students.student import Student, start_table
from distill_utils.texts.long_texts import mean_over_pieces
from distill_utils.texts.words import Vocabulary

MAX_WORDS = 60  # it reads no further at once: it learns from short texts


class BiLSTM(Student):
    """Word embeddings, a bidirectional LSTM, each dimension's maximum over the text, one ReLU layer, the classes.

    It reads in order, with a mark for each unknown word. A text of more than MAX_WORDS words is read in pieces, whose
    logits are averaged: on a long text the maximum would meet values it never met in training.

    hidden=150 makes 0.66M parameters outside the embeddings of 300 numbers, hidden=300 1.7M (Tang et al., 2019,
    section 4.2, pool nothing and keep the last state).

    word_vectors: where the embeddings start, (n_words, embedding_size), such as `teachers.word_vectors`.
    """

    equal_lengths = True
    threads = 1  # two take nearly twice the time of the processor, and their sums differ from one thread's
    half = True  # its products are large enough to gain

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
        at_least_one(embedding_size=embedding_size, hidden=hidden, dense=dense)
        config = {"embedding_size": embedding_size, "hidden": hidden, "dense": dense, "dropout": dropout}
        super().__init__(vocabulary, labels, **config)
        # Last: an unknown word, the end. Sparse: a step of training moves only the rows that it reads.
        self.embedding = nn.Embedding(len(vocabulary) + 2, embedding_size, sparse=True)
        self.lstm = nn.LSTM(embedding_size, hidden, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * hidden, dense)
        self.output = nn.Linear(dense, len(self.labels))
        self.dropout = nn.Dropout(dropout)
        self.word_vectors = None if word_vectors is None else start_table(word_vectors, vocabulary, "word_vectors")
        if word_vectors is not None and self.word_vectors.shape[1] != embedding_size:
            numbers = self.word_vectors.shape[1]
            raise ValueError(
                f"word_vectors have {numbers} numbers a word, embedding_size is {embedding_size}: give as many"
            )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew from torch's global random stream."""
        for layer in (self.lstm, self.dense, self.output):
            layer.reset_parameters()
        nn.init.normal_(self.embedding.weight, std=0.1)
        if self.word_vectors is not None:
            start = torch.tensor(self.word_vectors, dtype=torch.float32)
            if start.std() > 0:  # vectors that are all the same tell no words apart
                with torch.no_grad():
                    self.embedding.weight[: len(start)] = 0.1 * start / start.std()

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Like `Vocabulary.encode`, with unknown words and a closing mark (so no text is empty), cut at MAX_WORDS."""
        rows, counts = self.vocabulary.encode(as_texts(texts), keep_unknown=True)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)  # of a word in its text
        return rows[places < MAX_WORDS], np.minimum(counts, MAX_WORDS)

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes); of a long text, the mean over its pieces."""
        return mean_over_pieces(super().predict_logits, texts, MAX_WORDS)

    def forward(self, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Logits (n_texts, n_classes) from the row numbers of texts of one length, laid end to end."""
        words = self.dropout(self.embedding(rows.view(len(counts), -1)))  # (n_texts, length, embedding_size)
        states, _ = self.lstm(words)  # (n_texts, length, 2 * hidden)
        pooled = self.dropout(states.amax(dim=1))
        return self.output(self.dropout(torch.relu(self.dense(pooled))))
