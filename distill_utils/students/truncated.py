"""The largest student: the first layers of a fine-tuned transformer, distilled on the task."""

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_utils.checks import as_texts, at_least_one
from distill_utils.students.student import Student
from distill_utils.teachers.teacher import MAX_TOKENS, Teacher, token_ids

DROPOUT = 0.1
# What a configuration says that decides no answer, and may differ between a teacher fresh from training and one read.
NO_MATTER = ("_name_or_path", "transformers_version", "architectures", "dtype", "problem_type", "id2label", "label2id")


class TruncatedTransformer(Student):
    """A transformer cut down to its first layers, head and word embeddings kept; it starts at its teacher's weights.

    The word embeddings stay as they are. Used like every student: `fit`, `predict`, `save_pretrained`.
    """

    equal_lengths = True

    def __init__(self, model, tokenizer, labels: tuple[str, ...], *, max_tokens: int = MAX_TOKENS):
        at_least_one(max_tokens=max_tokens)
        if len(labels) != model.config.num_labels:
            raise ValueError(
                f"{len(labels)} class names for a model of {model.config.num_labels} classes: give one each"
            )
        super().__init__(None, labels, layers=len(_layers(model)), max_tokens=max_tokens)
        self.model, self.tokenizer = model, tokenizer
        self.model.get_input_embeddings().weight.requires_grad_(False)
        for module in self.model.modules():  # a teacher fresh from training and one read from disk may differ here
            if isinstance(module, torch.nn.Dropout):
                module.p = DROPOUT
        self._start = deepcopy(model.state_dict())
        self.eval()

    @classmethod
    def of(cls, teacher: Teacher, layers: int) -> "TruncatedTransformer":
        """The first `layers` layers of a teacher. Raises ValueError when it has fewer, or no layers at hand."""
        if not teacher.has_weights:
            raise teacher.lacks("a student made of its layers")
        model = deepcopy(teacher.model).cpu().float()
        kept = _layers(model)
        if not 1 <= layers <= len(kept):
            raise ValueError(f"cannot keep {layers} layers: this teacher has {len(kept)}")
        del kept[layers:]
        model.config.num_hidden_layers = layers
        names = tuple(model.config.id2label[k] for k in range(model.config.num_labels))
        return cls(model, teacher.tokenizer, names, max_tokens=teacher.max_tokens)

    @property
    def identity(self) -> list:
        """What the training depends on beside its texts and the weights it starts from, for the cache."""
        model = json.loads(self.model.config.to_json_string(use_diff=False))
        model = {key: value for key, value in model.items() if key not in NO_MATTER and "dropout" not in key}
        return [*super().identity, model]

    def reset_parameters(self) -> None:
        """Go back to the weights it was cut with."""
        self.model.load_state_dict(self._start)

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Token ids of all texts, end to end, int32 (n_tokens,), and how many each text has, int64 (n_texts,)."""
        tokens = token_ids(self.tokenizer, as_texts(texts), self.config["max_tokens"])
        counts = np.array([len(row) for row in tokens], np.int64)
        return np.fromiter((token for row in tokens for token in row), np.int32, counts.sum()), counts

    def forward(self, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Logits (n_texts, n_classes) from the token ids of texts of one length, laid end to end."""
        return self.model(input_ids=rows.view(len(counts), -1)).logits

    def _write(self, folder: Path) -> None:  # in the hub's layout
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    @classmethod
    def _read(cls, folder: Path, note: dict) -> "TruncatedTransformer":
        model = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return cls(model, tokenizer, note["labels"], max_tokens=note["config"]["max_tokens"])


def _layers(model) -> torch.nn.ModuleList:
    """The stack of layers, by whatever name the architecture gives it."""
    encoder = getattr(model.base_model, "encoder", None) or model.base_model.transformer
    return encoder.layer
