"""A student of the MLP's size that reads in order: gated convolutions over a word table."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from distill_utils.checks import as_texts, at_least, at_least_one
from distill_utils.students.student import Student, start_table, start_words
from distill_utils.texts.words import Vocabulary, words_of

AT_ONCE = 128  # texts, in prediction: what they come to in between stays in the processor's cache


class GatedCNN(Student):
    """A word table, gated convolutions, each channel's maximum and mean over the text, the classes.

    In every layer a filter looks at `width` neighbouring words, and a second one says how much of its answer passes
    (gated linear units: Dauphin et al., 2017); a layer's input is added to its output where the sizes agree. Nothing is
    seen beyond the text: its ends are marked for the first layer, and zeros for those above.

    The first `frequent` words of the vocabulary have `embedding_size` numbers each, the others only `rare_size` of
    them (after Baevski and Auli, 2019), which buys many more words; frequent=None gives all words alike. An unknown
    word gets a row by its last three letters, one of `endings`. `most_words` says how many words fit a budget.

    word_dropout: how many words are left out in training. word_logits: what the teacher says of each word on its own,
    (n_words, n_classes); they start the first columns of the table. word_vectors: (n_words, m); they start the next m.
    """

    threads = 1  # as for the MLP, batches are too small to share

    def __init__(
        self,
        vocabulary: Vocabulary,
        labels: tuple[str, ...],
        *,
        embedding_size: int = 16,
        frequent: int | None = None,
        rare_size: int = 4,
        endings: int = 64,
        channels: int = 16,
        layers: int = 2,
        width: int = 3,
        dropout: float = 0.1,
        word_dropout: float = 0.0,
        word_logits: np.ndarray | None = None,
        word_vectors: np.ndarray | None = None,
    ):
        at_least_one(embedding_size=embedding_size, rare_size=rare_size, endings=endings, channels=channels)
        at_least_one(layers=layers, width=width)
        if width % 2 == 0 or rare_size > embedding_size:
            raise ValueError(
                f"width={width}, rare_size={rare_size}: give an odd width, and at most embedding_size={embedding_size}"
            )
        if frequent is not None:
            at_least(0, frequent=frequent)
        super().__init__(
            vocabulary,
            labels,
            embedding_size=embedding_size,
            frequent=frequent,
            rare_size=rare_size,
            endings=endings,
            channels=channels,
            layers=layers,
            width=width,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        # Rows: the mark of an end, the frequent words; then in a table of their own the rare and the unknown words.
        n_frequent = len(vocabulary) if frequent is None else min(frequent, len(vocabulary))
        self.embedding = nn.Embedding(1 + n_frequent, embedding_size)
        self.rare = nn.Embedding(len(vocabulary) - n_frequent + endings, rare_size)
        sizes = [embedding_size] + [channels] * layers
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, 2 * after, width, padding=width // 2)
            for before, after in zip(sizes[:-1], sizes[1:], strict=True)
        )
        self.output = nn.Linear(2 * channels, len(self.labels))
        self._marks = max(1, width // 2)  # behind each text
        self.dropout = nn.Dropout(dropout)
        self.word_dropout = nn.Dropout(word_dropout)
        self.word_logits = None if word_logits is None else start_table(word_logits, vocabulary, "word_logits")
        self.word_vectors = None if word_vectors is None else start_table(word_vectors, vocabulary, "word_vectors")
        self.reset_parameters()

    @classmethod
    def most_words(cls, parameters: int, n_classes: int, **config) -> int:
        """How many words fit a budget of parameters, all of them counted. config: as the constructor takes it.

        Raises ValueError when not one does.
        """
        nothing = cls(Vocabulary([]), tuple(map(str, range(n_classes))), **config)
        left = parameters - nothing.count_parameters()[0]
        size, rare_size, frequent = (nothing.config[name] for name in ("embedding_size", "rare_size", "frequent"))
        if frequent is None or left < frequent * size:
            frequent, rare_size = 0, size
        if left < size:
            raise ValueError(f"{parameters} parameters hold no word: give {parameters - left + size} or more")
        return frequent + (left - frequent * size) // rare_size

    def reset_parameters(self) -> None:
        """Draw all weights anew from torch's global random stream."""
        for layer in (*self.convolutions, self.output):
            layer.reset_parameters()
        n_frequent, size = self.embedding.weight.shape
        table = torch.empty(n_frequent + len(self.rare.weight), size)
        nn.init.normal_(table, std=0.1)
        start_words(table[1 : 1 + len(self.vocabulary)], self.word_logits, self.word_vectors)
        with torch.no_grad():
            self.embedding.weight.copy_(table[:n_frequent])
            self.rare.weight.copy_(table[n_frequent:, : self.config["rare_size"]])

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of words and marks, end to end, int32 (n_rows,), and how many each text has, int64 (n_texts,).

        Row 0 is the mark of an end, width // 2 of them behind each text (one at least); then words in order.
        """
        endings, marks = self.config["endings"], self._marks
        rows, counts = self.vocabulary.encode(as_texts(texts), keep_unknown=True, endings=endings)
        rows = (rows + 1) % (len(self.vocabulary) + endings + 1)
        if marks != 1:
            rows, counts = np.repeat(rows, np.where(rows == 0, marks, 1)), counts + (marks - 1)
        return rows.astype(np.int32, copy=False), counts

    def forward(self, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Logits (n_texts, n_classes) from the row numbers (n_rows,) of texts laid end to end and their counts."""
        marks = self._marks
        rows = F.pad(rows, (marks, 0))  # the first text has marks before it, too
        within = (rows > 0).float()[:, None]  # (n_rows, 1): what is seen beyond a text's end is taken away
        zeros = self.config["embedding_size"] - self.config["rare_size"]
        table = torch.cat([self.embedding.weight, F.pad(self.rare.weight, (0, zeros))])
        kept = self.word_dropout(within) + (1 - within)  # words are left out, marks are not
        states = kept * self.dropout(F.embedding(rows, table))
        for convolution in self.convolutions:
            passed, gate = _convolved(states, convolution).chunk(2, dim=1)  # (n_rows, channels) each
            gated = passed * gate.sigmoid()
            states = (states + gated if states.shape == gated.shape else gated) * within
        return self.output(self.dropout(self._pooled(states[marks:], counts, marks)))

    def _pooled(self, states: torch.Tensor, counts: torch.Tensor, marks: int) -> torch.Tensor:
        """Of each text the maximum, at least 0, and the mean of its words' states: (n_texts, 2 * channels)."""
        most = torch.segment_reduce(states, "max", lengths=counts)
        mean = torch.segment_reduce(states, "sum", lengths=counts) / (counts - marks).clamp(min=1)[:, None]
        return torch.cat([most, mean], dim=1)

    def filters(self, text: str) -> np.ndarray:
        """What each filter of the first layer lets pass at each word of a text, in its middle: (n_words, channels)."""
        rows, counts = self.encode([text])
        words, rare, weight, bias = self._arrays([self.embedding, self.rare, self.convolutions[0]])
        states = self._looked_up(np.concatenate((np.zeros(self._marks, np.int32), rows)), words, rare)
        channels, before = len(weight) // 2, weight.shape[1]
        passed = _gated(states, weight, bias) - (states if channels == before else 0)
        return passed[self._marks : counts[0]]

    def fires_on(self, texts: list[str], most: int = 5) -> dict[int, list[str]]:
        """The neighbouring words on which each filter of the first layer fires most, strongest first.

        A dictionary from filters to windows, `most` each; the filter with the highest value of all comes first. Raises
        ValueError when the texts hold no word.
        """
        at_least_one(most=most)
        side = self.config["width"] // 2
        windows, passed = [], []
        for text in as_texts(texts):
            words = words_of(text)
            windows += [" ".join(words[max(0, place - side) : place + side + 1]) for place in range(len(words))]
            passed.append(self.filters(text))
        if not windows:
            raise ValueError("no word in these texts: give some that a filter can fire on")
        passed = np.concatenate(passed)
        ordered = {}
        for number in np.argsort(-passed.max(axis=0), kind="stable").tolist():
            strongest = np.argsort(-passed[:, number], kind="stable")
            ordered[number] = list(dict.fromkeys(windows[place] for place in strongest))[:most]
        return ordered

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes), without torch: look-ups and a few products."""
        rows, counts = self.encode(texts)
        if len(counts) <= AT_ONCE:
            return self._predicted(rows, counts)
        firsts = range(0, len(counts), AT_ONCE)
        parts = np.split(rows, np.cumsum(np.add.reduceat(counts, firsts))[:-1])
        return np.concatenate(
            [self._predicted(part, counts[i : i + AT_ONCE]) for part, i in zip(parts, firsts, strict=True)]
        )

    @staticmethod
    def _looked_up(rows: np.ndarray, words: np.ndarray, rare: np.ndarray) -> np.ndarray:
        """The numbers of each row, (n_rows, embedding_size)."""
        states = words.take(rows, axis=0, mode="clip")
        places = np.flatnonzero(rows >= len(words))
        if len(places):
            states[places] = 0
            states[places, : rare.shape[1]] = rare[rows[places] - len(words)]
        return states

    @np.errstate(over="ignore")  # a gate that is quite shut
    def _predicted(self, rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What `forward` gives, by numpy."""
        modules, marks = self._modules, self._marks
        convolutions = modules["convolutions"]._modules.values()
        words, rare, *filters, output, bias = self._arrays(
            [modules["embedding"], modules["rare"], *convolutions, modules["output"]]
        )
        rows = np.concatenate((np.zeros(marks, np.int32), rows))
        states = self._looked_up(rows, words, rare)
        beyond = np.flatnonzero(rows == 0)
        for weight, shift in zip(filters[::2], filters[1::2], strict=True):
            states = _gated(states, weight, shift)
            states[beyond] = 0
        starts, n_channels = np.cumsum(counts) - counts + marks, states.shape[1]
        pooled = np.empty((len(counts), 2 * n_channels), np.float32)
        np.maximum.reduceat(states, starts, axis=0, out=pooled[:, :n_channels])
        np.add.reduceat(states, starts, axis=0, out=pooled[:, n_channels:])
        pooled[:, n_channels:] /= np.maximum(counts - marks, 1)[:, None]
        return pooled @ output.T + bias


def _convolved(states: torch.Tensor, layer: nn.Conv1d) -> torch.Tensor:
    """What the layer gives of states (n_rows, n_before), by one product, which takes a third off a step of training."""
    (width,) = layer.kernel_size
    padded = F.pad(states, (0, 0, width // 2, width // 2))
    windows = torch.cat([padded[place : place + len(states)] for place in range(width)], dim=1)
    return torch.addmm(layer.bias, windows, layer.weight.permute(2, 1, 0).flatten(0, 1))


def _gated(states: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A layer by numpy, (n_rows, channels), from states (n_rows, n_before) and the weights of nn.Conv1d."""
    channels, before, width = len(weight) // 2, *weight.shape[1:]
    beside = np.zeros((width // 2, before), np.float32)
    padded = np.concatenate((beside, states, beside))
    windows = np.concatenate([padded[place : place + len(states)] for place in range(width)], axis=1)
    weight = weight.transpose(2, 1, 0).reshape(width * before, 2 * channels)
    passed, gate = windows @ weight[:, :channels], windows @ weight[:, channels:]
    passed += bias[:channels]
    gate += bias[channels:]
    shut = np.exp(-gate)
    shut += 1
    passed /= shut  # times the gate's sigmoid
    if channels == before:
        passed += states
    return passed
