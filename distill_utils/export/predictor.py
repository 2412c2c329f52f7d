"""An exported student: raw text in, labels and probabilities out. Needs numpy; for a Bi-LSTM onnxruntime, too.

python predictor.py "i feel so loved today"        # or one text a line, from standard input

from predictor import Predictor

predictor = Predictor()
predictor.predict(["i feel so loved today"])         # class names
predictor.probabilities(["i feel so loved today"])   # (n_texts, n_classes)

distill_utils writes this file beside the student; words.py, beside it too, says what a word is.
"""

import argparse
import hashlib
import importlib.util
import io
import json
import sys
from pathlib import Path

import numpy as np

NOTE = "student.json"
GRAPHS = "student.onnx", "student.int8.onnx"
ARRAYS = "student.npz", "student.int8.npz"
BATCH = 256  # texts


class Predictor:
    """The student of a folder, by default the one this file lies in; int8: its weights in a quarter of the space.

    Raises ValueError when a file is missing or damaged, ImportError when a Bi-LSTM finds no onnxruntime.
    """

    def __init__(self, folder: str | Path | None = None, *, int8: bool = False):
        self.folder = Path(__file__).parent if folder is None else Path(folder)
        try:
            note = json.loads((self.folder / NOTE).read_text(encoding="utf-8"))
            self.kind, self.config, self.labels = note["kind"], note["config"], tuple(note["labels"])
            self._hashes, words, self._longest = note["files"], note["words"], note.get("max_words")
            reader = {"MLP": self._mlp, "GatedCNN": self._gated_cnn, "BiLSTM": self._onnx}[self.kind]
            note["export"]
        except OSError as error:
            raise ValueError(f"no {NOTE} in {self.folder}: give a folder that distill_utils exported to") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{NOTE} in {self.folder} is damaged, or no export's: export the student again") from error
        self._read("words.py")
        spec = importlib.util.spec_from_file_location("student_words", self.folder / "words.py")
        self._rules = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._rules)
        self.vocabulary = self._rules.Vocabulary(words)
        data = self._read((GRAPHS if self.kind == "BiLSTM" else ARRAYS)[int8])
        self._logits = reader(data)

    def predict(self, texts: list[str]) -> list[str]:
        """The class name of each text."""
        return [self.labels[number] for number in self.logits(texts).argmax(axis=1)]

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """The probability of each class, float32, shape (n_texts, n_classes)."""
        logits = self.logits(texts)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes). Raises ValueError for what is not a list of strings."""
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError('give a list of strings, such as ["a text", "another"]')
        return self._logits(list(texts)) if len(texts) else np.empty((0, len(self.labels)), np.float32)

    def rows(self, texts: list[str]) -> np.ndarray:
        """What the ONNX graphs read: row numbers of words, int64 (n_texts, longest text), with -1 behind short texts.

        A Bi-LSTM's texts end in a row of their own, and are cut at `max_words`.
        """
        endings = self.config.get("endings", 1)
        rows, counts = self.vocabulary.encode(texts, keep_unknown=self.kind != "MLP", endings=endings)
        if self.kind == "GatedCNN":  # its graph marks the ends itself
            rows, counts = rows[rows < len(self.vocabulary) + endings], counts - 1
        places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        found = np.full((len(texts), max(1, counts.max(initial=1))), -1, np.int64)
        found[np.repeat(np.arange(len(texts)), counts), places] = rows
        return found[:, : self._longest]

    def _read(self, name: str) -> bytes:
        """A file's bytes, which have the hash that was noted."""
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise ValueError(f"{name} is missing in {self.folder}: copy it there too, or export again") from error
        if hashlib.sha256(data).hexdigest() != self._hashes.get(name):
            raise ValueError(f"{name} in {self.folder} is damaged: copy it anew, or export again")
        return data

    def _mlp(self, data: bytes):
        """Logits of texts by numpy alone."""
        found = _weights(data)
        table, hidden, output = (found[name] for name in ("embedding", "hidden", "output"))
        mean, shift = self.config["pooling"] == "mean", table.shape[1] // 2

        def logits(texts: list[str]) -> np.ndarray:
            rows, counts = self.vocabulary.encode(texts)
            starts = (np.cumsum(counts) - counts)[counts > 0]
            pooled = np.zeros((len(texts), table.shape[1]), np.float32)  # what a text of unknown words stays at
            if len(starts):
                words = table[rows]
                if mean:
                    pooled[counts > 0] = np.add.reduceat(words, starts) / counts[counts > 0, None]
                else:
                    before = np.roll(words, (1, shift), axis=(0, 1))
                    before[starts] = 0
                    pooled[counts > 0] = np.maximum(np.maximum.reduceat(words + before, starts), 0)
            hidden_values = np.maximum(pooled @ hidden.T + found["hidden.bias"], 0)
            return hidden_values @ output.T + found["output.bias"]

        return logits

    def _gated_cnn(self, data: bytes):
        """Logits of texts by numpy alone: all texts of a batch end to end, with marks of their ends between them."""
        found, width, endings = _weights(data), self.config["width"], self.config["endings"]
        frequent, rare = found["embedding"], found["rare"]
        table = np.zeros((len(frequent) + len(rare), frequent.shape[1]), np.float32)  # row 0 is the mark
        table[: len(frequent)], table[len(frequent) :, : rare.shape[1]] = frequent, rare
        marks = max(1, width // 2)
        layers = []
        for number in range(self.config["layers"]):
            weight = found[f"convolutions.{number}"]  # (2 * channels, n_before, width)
            layers.append((weight.transpose(2, 1, 0).reshape(-1, len(weight)), found[f"convolutions.{number}.bias"]))

        @np.errstate(over="ignore")  # a gate that is quite shut
        def read(texts: list[str]) -> np.ndarray:
            rows, counts = self.vocabulary.encode(texts, keep_unknown=True, endings=endings)
            rows, counts = (rows + 1) % len(table), counts + (marks - 1)
            rows = np.concatenate((np.zeros(marks, np.int32), np.repeat(rows, np.where(rows == 0, marks, 1))))
            starts = np.cumsum(counts) - counts + marks
            states, within = table[rows], (rows > 0)[:, None]
            for weight, bias in layers:
                beside = np.zeros((width // 2, states.shape[1]), np.float32)
                padded = np.concatenate((beside, states, beside))
                windows = [padded[place : place + len(states)] for place in range(width)]
                passed, gate = np.split(np.concatenate(windows, axis=1) @ weight + bias, 2, axis=1)
                gated = passed / (1 + np.exp(-gate))
                states = (states + gated if states.shape == gated.shape else gated) * within
            most = np.maximum.reduceat(states, starts)  # 0 at least: what stands at a mark
            mean = np.add.reduceat(states, starts) / np.maximum(counts - marks, 1)[:, None].astype(np.float32)
            return np.concatenate((most, mean), axis=1) @ found["output"].T + found["output.bias"]

        return lambda texts: np.concatenate([read(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)])

    def _onnx(self, data: bytes):
        """Logits of texts by ONNX Runtime; a long text is read in pieces, whose logits are averaged."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError("this student needs onnxruntime: pip install onnxruntime") from error
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

        def logits(texts: list[str]) -> np.ndarray:
            parts = [self._rules.pieces(text, self._longest) for text in texts]
            counts = np.array([len(part) for part in parts])
            pieces = [piece for part in parts for piece in part]
            found = np.empty((len(pieces), len(self.labels)), np.float32)
            order = sorted(range(len(pieces)), key=lambda place: len(pieces[place]))  # like lengths together
            for start in range(0, len(pieces), BATCH):
                batch = order[start : start + BATCH]
                found[batch] = session.run(None, {"rows": self.rows([pieces[place] for place in batch])})[0]
            return np.add.reduceat(found, np.cumsum(counts) - counts) / counts[:, None].astype(np.float32)

        return logits


def _weights(data: bytes) -> dict[str, np.ndarray]:
    """An archive's arrays, float32: those in int8 times their scales."""
    with np.load(io.BytesIO(data)) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    return {name: value * found.get(f"{name}.scale", np.float32(1)) for name, value in found.items()}


def main(arguments: list[str] | None = None) -> None:
    """The command line: of each text its classes, the most likely first."""
    parser = argparse.ArgumentParser(description="Classify texts: those given, or one a line from standard input.")
    parser.add_argument("texts", nargs="*", metavar="TEXT")
    parser.add_argument("--int8", action="store_true", help="use the weights in a quarter of the space")
    given = parser.parse_args(arguments)
    try:
        predictor = Predictor(int8=given.int8)
    except (ValueError, ImportError) as error:
        sys.exit(str(error))
    texts = given.texts or [line.rstrip("\r\n") for line in sys.stdin]
    sys.stdout.reconfigure(encoding="utf-8")
    for row in predictor.probabilities(texts):
        order = np.argsort(-row, kind="stable")
        print("  ".join(f"{predictor.labels[number]} {row[number]:.1%}" for number in order))


if __name__ == "__main__":
    main()
