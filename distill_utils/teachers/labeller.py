"""What all teachers share: texts in, logits out, and each text labelled once."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from distill_utils.cache import LogitStore, cache_dir
from distill_utils.checks import as_texts
from distill_utils.progress import bar
from distill_utils.texts.words import plain

TITLES = {"minilm": "MiniLM-L6", "mpnet": "MPNet-base", "FacebookAI/roberta-base": "RoBERTa"}


def title_of(name: str) -> str:
    """A teacher's name as tables and figures show it; of a folder the last part."""
    path = Path(name)
    return TITLES.get(name) or (path.resolve().name if path.is_absolute() or path.is_dir() else name)


class Labeller:
    """A teacher, whatever it is: a model (`Teacher`), a table, a function. Subclasses say `logits` and `fingerprint`.

    has_weights: it is a transformer at hand, with word vectors, a tokenizer and layers. any_text: it answers any text;
    a table has its own texts only, and nothing to time. chunk: texts between two writes, what an interrupt can lose.
    """

    has_weights: bool = False
    any_text: bool = True
    chunk: int = 1024
    train_seconds: float = 0.0
    name: str
    class_names: tuple[str, ...]  # in the order of the logits' columns

    @property
    def n_classes(self) -> int:
        """The number of classes it tells apart."""
        return len(self.class_names)

    @property
    def title(self) -> str:
        """Its name for tables and figures."""
        return title_of(self.name)

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides its labels."""
        raise NotImplementedError

    def logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes)."""
        raise NotImplementedError

    def cached_logits(self, texts: Iterable[str], folder: Path | None = None) -> np.ndarray:
        """Like `logits`, at float16 precision, kept on disk by teacher and text: only new texts are computed.

        Written every `chunk` texts, so a run that is killed goes on where it stopped. Raises CacheError when the
        disk is full.
        """
        texts = [plain(text) for text in as_texts(texts)]
        store = self._store((folder or cache_dir()) / "logits" / self.fingerprint)
        places = store.places(texts)
        todo = sorted(dict.fromkeys(texts[row] for row in np.flatnonzero(places < 0)), key=len)
        with bar(what="teacher labels texts", total=len(todo), unit="text") as progress:
            for start in range(0, len(todo), self.chunk):
                chunk = todo[start : start + self.chunk]
                store.add(chunk, self.logits(chunk))
                progress.update(len(chunk))
        return store.at(store.places(texts) if todo else places)

    def _store(self, folder: Path) -> LogitStore:
        """What is kept in `folder`."""
        return LogitStore(folder, self.n_classes)

    def soft_labels(self, texts: Iterable[str], folder: Path | None = None) -> np.ndarray:
        """Class probabilities (`softened` from `cached_logits`), float32, shape (n_texts, n_classes)."""
        return self.softened(self.cached_logits(texts, folder))

    def softened(self, logits: np.ndarray) -> np.ndarray:
        """The probabilities that logits of this teacher stand for, their softmax; float32, (n_texts, n_classes)."""
        return torch.softmax(torch.from_numpy(logits), dim=-1).numpy()

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """Class numbers, int64, shape (n_texts,); cached like the soft labels."""
        return self.cached_logits(texts).argmax(axis=1)

    def count_parameters(self) -> tuple[int | None, int | None]:
        """All parameters, and those outside the embeddings; None where they are not known."""
        return None, None

    def answerable(self, texts: Iterable[str]) -> list[str]:
        """Those of the texts that it can label, in order."""
        return as_texts(texts)

    def at_hand(self, texts: Iterable[str]) -> list[str]:
        """Those of the texts that students may read without waiting for hours; see `Teacher.at_hand`."""
        return self.answerable(texts)

    def truncation(self, texts: Iterable[str]) -> object:
        """How much of the texts it does not read. Raises ValueError for a teacher without weights."""
        raise self.lacks("how much of a long text it reads")

    def lacks(self, what: str) -> ValueError:
        """The error to raise for what only a transformer at hand could say."""
        return ValueError(f"{self.name} is no transformer at hand: {what} is not to be had from it")
