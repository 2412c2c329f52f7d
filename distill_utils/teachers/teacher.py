"""The teacher: a fine-tuned classifier that labels texts, each of them once."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_utils.cache import LogitStore, cache_dir, sha256_of
from distill_utils.checks import as_texts
from distill_utils.dtypes import fast_dtype
from distill_utils.progress import hush_libraries
from distill_utils.teachers import recordings
from distill_utils.teachers.adapters import Adapter
from distill_utils.teachers.checkpoints import CheckpointError, check_files, give_padding, most_tokens
from distill_utils.teachers.labeller import Labeller
from distill_utils.teachers.layers import layers_of
from distill_utils.texts.words import plain

MAX_TOKENS = 128
NOTE = "teacher.json"  # of a saved teacher: its name, and the hash of each file


@dataclass(frozen=True)
class Truncation:
    """What a teacher does not read: how many texts are cut, and the share of all tokens that goes, 0 to 1."""

    n_texts: int
    n_truncated: int
    share_of_tokens_lost: float
    max_tokens: int

    def __str__(self) -> str:
        if not self.n_truncated:
            return f"all {self.n_texts:,} texts fit into the teacher's {self.max_tokens} tokens"
        return (
            f"{self.n_truncated:,} of {self.n_texts:,} texts are longer than the teacher's {self.max_tokens} tokens: "
            f"it does not read {self.share_of_tokens_lost:.1%} of all tokens"
        )


class Teacher(Labeller):
    """A fine-tuned classifier and its tokenizer. It labels texts; it never runs inside student training.

    It reads the first `max_tokens` tokens of a text, or as many as the model has positions for. An `adapter`, merged
    into the model's weights, is all that is saved of it; with one, the model may be given as its outline (see
    `load_checkpoint`), and its weights are read when they are needed. Raises CheckpointError for a model with one
    output.
    """

    has_weights = True

    def __init__(
        self,
        model,
        tokenizer,
        *,
        name: str,
        max_tokens: int = MAX_TOKENS,
        train_seconds: float = 0.0,
        adapter: Adapter | None = None,
    ):
        if model.config.num_labels < 2:
            raise CheckpointError(f"{name!r} has one output: a teacher tells two classes or more apart")
        give_padding(model, tokenizer)
        self.outline, self.tokenizer, self.name = model, tokenizer, name  # the model itself, where it has weights
        self.max_tokens = min(max_tokens, most_tokens(model) or max_tokens)
        self.train_seconds, self.adapter = train_seconds, adapter
        self.key: str | None = None  # of the call of `fine_tune` or `teach` that made it
        self.recipe: object | None = None  # of that call
        self.recorded = True  # whether answers that came with the library may be read
        self._stores: dict[Path, LogitStore] = {}
        self._settle()

    def _settle(self) -> None:
        """Move to the GPU, where there is one, and to the number format that is fast here."""
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.outline.device.type != "meta":
            self._ready(self.outline)

    def _ready(self, model):
        return model.eval().to(device=self.device, dtype=fast_dtype())

    @property
    def model(self):
        """The model with its weights: of an outline they are read now, if its adapter is not among the last used."""
        return self.outline if self.outline.device.type != "meta" else _whole(self)

    def __getstate__(self) -> dict:  # for a machine that may have no GPU; answers at hand stay here
        model = self.model if self.device.type == "cpu" else deepcopy(self.model).cpu()
        return self.__dict__ | {"outline": model, "_stores": {}}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._settle()

    @property
    def n_classes(self) -> int:
        """The number of classes it tells apart."""
        return self.outline.config.num_labels

    @property
    def class_names(self) -> tuple[str, ...]:
        """Its classes by name, in the order of the logits' columns."""
        return tuple(self.outline.config.id2label[number] for number in range(self.n_classes))

    @property
    def n_layers(self) -> int:
        """The number of its layers."""
        return len(layers_of(self.outline))

    @property
    def word_table(self) -> np.ndarray:
        """Its own vector of each token, float32, (n_tokens, d), at the precision it computes in."""
        if self.outline.device.type == "meta":
            return self.adapter.word_table().to(fast_dtype()).float().numpy()
        return self.model.get_input_embeddings().weight.detach().float().cpu().numpy()

    def count_parameters(self) -> tuple[int, int]:
        """All parameters, and those outside the token, position and segment embeddings."""
        total = sum(p.numel() for p in self.outline.parameters())
        embeddings = sum(m.weight.numel() for m in self.outline.modules() if isinstance(m, torch.nn.Embedding))
        return total, total - embeddings

    @torch.inference_mode()
    def logits(self, texts: Iterable[str], batch_size: int = 64) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes). Sorted by length, so that batches hold little padding.

        Raises ValueError when `texts` is not a list of texts.
        """
        tokens, model = token_ids(self.tokenizer, as_texts(texts), self.max_tokens), self.model
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        logits = np.empty((len(tokens), self.n_classes), np.float32)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            inputs = self.tokenizer.pad({"input_ids": [tokens[i] for i in batch]}, return_tensors="pt").to(self.device)
            logits[batch] = model(**inputs).logits.float().cpu().numpy()
        return logits

    def truncation(self, texts: Iterable[str]) -> Truncation:
        """How much of the texts it does not read; marks that the tokenizer adds are no tokens of a text."""
        texts = [plain(text) for text in as_texts(texts)]
        found = self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] if texts else []
        lengths = np.array([len(ids) for ids in found], np.int64)
        cut = np.maximum(lengths - (self.max_tokens - self.tokenizer.num_special_tokens_to_add()), 0)
        lost = float(cut.sum() / max(lengths.sum(), 1))
        return Truncation(len(texts), int((cut > 0).sum()), lost, self.max_tokens)

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides its labels: weights, tokenizer, truncation; the same for either `fast_dtype`."""
        if not hasattr(self, "_fingerprint"):
            digest = hashlib.sha256(f"{self.max_tokens}".encode())
            if self.adapter:  # its checkpoint is known by its files: no need to read 110M weights
                digest.update(self.adapter.fingerprint.encode())
                self._fingerprint = digest.hexdigest()[:32]
                return self._fingerprint
            tokenizer = json.loads(self.tokenizer.backend_tokenizer.to_str())
            tokenizer |= {"truncation": None, "padding": None}  # how it was last called, not what it is
            digest.update(json.dumps(tokenizer, sort_keys=True).encode())
            for name, weight in sorted(self.model.state_dict().items()):
                digest.update(name.encode())
                if weight.is_floating_point():  # as a bfloat16 machine has it
                    weight = weight.bfloat16().view(torch.int16)
                digest.update(weight.cpu().numpy().tobytes())
            self._fingerprint = digest.hexdigest()[:32]
        return self._fingerprint

    def _store(self, folder: Path) -> LogitStore:
        """What is kept in `folder`, read once."""
        if folder not in self._stores:
            recorded = recordings.find(f"logits/{self.fingerprint}") if self.recorded else []
            self._stores[folder] = LogitStore(folder, self.n_classes, recorded)
        return self._stores[folder]

    def at_hand(self, texts: Iterable[str]) -> list[str]:
        """Those of the texts whose labels are recorded, in order; all of a teacher that uses no recordings."""
        texts = as_texts(texts)
        if not self.recorded:
            return texts
        store = self._store(cache_dir() / "logits" / self.fingerprint)
        return [text for text, known in zip(texts, store.recorded(map(plain, texts)), strict=True) if known]

    def answers(self) -> str:
        """Where the answers asked for so far came from, each text once: "141,402 recorded, 12 computed now"."""
        counts = sum((store.origins for store in self._stores.values()), Counter())
        kept = f"{counts['kept']:,} kept from earlier, " if counts["kept"] else ""
        return f"{counts['recorded']:,} recorded, {kept}{counts['computed']:,} computed now"

    def save_pretrained(self, folder: str | Path) -> None:
        """Write weights (safetensors; of an adapted teacher the adapter alone), and a note with every file's hash."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        note = {"name": self.name, "max_tokens": self.max_tokens, "train_seconds": self.train_seconds}
        if self.adapter:
            note |= {"class_names": self.class_names, "adapter": self.adapter.save(folder)}
        else:
            self.model.float().save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
            self.model.to(fast_dtype())
        note["files"] = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.name != NOTE}
        (folder / NOTE).write_text(json.dumps(note, indent=1))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "Teacher":
        """Read what `save_pretrained` wrote.

        Of an adapted teacher no weights are read before they are needed. Raises CheckpointError when a file does not
        match the note, or an adapter's checkpoint cannot be had.
        """
        folder = Path(folder)
        hush_libraries()
        try:
            note = json.loads((folder / NOTE).read_text())
            check_files(folder, note["files"])
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"the teacher in {folder} is damaged ({error}): fine-tune it again") from error
        adapter = None
        if "adapter" in note:
            adapter = Adapter.load(folder, note["adapter"])
            model, tokenizer = adapter.outline(tuple(note["class_names"]))
        else:
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForSequenceClassification.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True
            )
        rest = {key: note[key] for key in ("name", "max_tokens", "train_seconds")}
        return cls(model, tokenizer, **rest, adapter=adapter)


@lru_cache(maxsize=2)  # not all of a course's transformers at once: MPNet is 440 MB
def _whole(teacher: Teacher):
    """The model of an adapted teacher; the one that was last asked for longest ago lets its weights go."""
    return teacher._ready(teacher.adapter.onto(teacher.class_names)[0])


def token_ids(tokenizer, texts: list[str], max_tokens: int) -> list[list[int]]:
    """The token ids of each text as students see it, cut at `max_tokens`; where there are none, one of padding."""
    if not texts:
        return []
    found = tokenizer([plain(text) for text in texts], truncation=True, max_length=max_tokens)["input_ids"]
    return [ids or [tokenizer.pad_token_id] for ids in found]
