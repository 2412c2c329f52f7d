"""The blog's student: a word table, pooled, and one hidden layer."""

import numpy as np
import scipy.sparse
import torch
import torch.nn.functional as F
from torch import nn

from distill_utils.checks import as_texts, at_least_one
from distill_utils.students.student import Student, start_table, start_words
from distill_utils.texts.words import Vocabulary


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
        at_least_one(embedding_size=embedding_size, hidden=hidden)
        super().__init__(vocabulary, labels, pooling=pooling, embedding_size=embedding_size, hidden=hidden)
        self.embedding = nn.Embedding(len(vocabulary), embedding_size)
        self.hidden = nn.Linear(embedding_size, hidden)
        self.output = nn.Linear(hidden, len(self.labels))
        self.word_logits = None if word_logits is None else start_table(word_logits, vocabulary, "word_logits")
        self.word_vectors = None if word_vectors is None else start_table(word_vectors, vocabulary, "word_vectors")
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew from torch's global random stream."""
        for layer in (self.hidden, self.output):
            layer.reset_parameters()
        # Small: a rare word is hardly trained, and a large random vector would stay as noise in every text.
        nn.init.normal_(self.embedding.weight, std=0.1)
        start_words(self.embedding.weight, self.word_logits, self.word_vectors)

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

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes), without torch: look-ups and two small products."""
        texts = as_texts(texts)
        layers = map(self._modules.get, ("embedding", "hidden", "output"))  # quicker than getattr
        words, hidden, hidden_bias, output, output_bias = self._arrays(layers)
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
                pairs = words[rows]
                before, turn = np.empty_like(pairs), words.shape[1] // 2
                rest = words.shape[1] - turn
                before[1:, :turn], before[1:, turn:] = pairs[:-1, rest:], pairs[:-1, :rest]
                before[firsts] = 0  # a first word has none before it
                pairs += before
                pooled[counts > 0] = np.maximum(np.maximum.reduceat(pairs, firsts), 0)
        return np.maximum(pooled @ hidden.T + hidden_bias, 0) @ output.T + output_bias
