"""A fine-tuned teacher in a few MB: a low-rank adapter and a head, over a checkpoint that stays as it is.

Source: Hu et al. (2021), "LoRA: Low-Rank Adaptation of Large Language Models".
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from distill_utils.teachers.checkpoints import CheckpointError, identity, load_checkpoint, resolve_checkpoint
from distill_utils.teachers.layers import cut, layers_of

WEIGHTS = "adapter.safetensors"


def with_adapter(model, rank: int) -> PeftModel:
    """The model, frozen, with an adapter for each linear map of its layers; the head learns, as it is without one.

    Attention's maps and both of the feed-forward ones, in any architecture; scaled by 2 (alpha is twice the rank).
    """
    layers = layers_of(model)
    inside = set(layers.modules())
    maps = [name for name, part in model.named_modules() if part in inside and isinstance(part, torch.nn.Linear)]
    if not maps:
        raise CheckpointError(f"cannot add an adapter: the layers of {type(model).__name__} hold no linear maps")
    config = LoraConfig(
        task_type="SEQ_CLS", r=rank, lora_alpha=2 * rank, target_modules=maps, modules_to_save=_head(model, inside)
    )
    return get_peft_model(model, config)


def _head(model, layers: set) -> list[str]:
    """What is neither layers nor embeddings: the classifier, and BERT's pooler, which may be drawn anew."""
    found = []
    for prefix, parent in (("", model), (f"{model.base_model_prefix}.", model.base_model)):
        for name, part in parent.named_children():
            modules = set(part.modules())
            embeds = any(isinstance(module, torch.nn.Embedding) for module in modules)
            if not embeds and not modules & layers and any(True for _ in part.parameters()):
                found.append(prefix + name)
    return found


@dataclass(frozen=True)
class Adapter:
    """What was learnt over a checkpoint, at float16 precision."""

    checkpoint: str  # as `resolve_checkpoint` takes it
    base: str | dict[str, str]  # its `identity`
    rank: int
    weights: dict[str, torch.Tensor]
    layers: int = 0  # of the checkpoint that it needs, the first ones; 0: all

    @classmethod
    def of(
        cls, model: PeftModel, checkpoint: str, base: str | dict[str, str], *, rank: int, layers: int = 0
    ) -> "Adapter":
        """The adapter that `model` has learnt; what it learnt is rounded, so that both give the same answers."""
        with torch.no_grad():
            for weight in model.parameters():
                if weight.requires_grad:
                    weight.copy_(weight.half())
        state = get_peft_model_state_dict(model, save_embedding_layers=False)
        weights = {name: weight.detach().cpu().half().contiguous() for name, weight in state.items()}
        return cls(checkpoint, base, rank, weights, layers)

    def onto(self, class_names: tuple[str, ...]):
        """The checkpoint's model with the adapter merged into its weights, and its tokenizer; errors as of `over`."""
        adapted, tokenizer = self.over(class_names, self.layers)
        return adapted.merge_and_unload(), tokenizer

    def over(self, class_names: tuple[str, ...], layers: int) -> tuple[PeftModel, object]:
        """The checkpoint's first `layers` layers (0: all) with as much of the adapter as they have, and its tokenizer.

        Raises CheckpointError when the checkpoint cannot be had, or is not the one that the adapter was trained over,
        and ValueError when it has fewer layers.
        """
        model, tokenizer = load_checkpoint(self._source(), class_names)
        cut(model, layers or self.layers)
        adapted = with_adapter(model, self.rank)
        names = get_peft_model_state_dict(adapted, save_embedding_layers=False)
        set_peft_model_state_dict(adapted, {name: self.weights[name].float() for name in names})
        return adapted, tokenizer

    def outline(self, class_names: tuple[str, ...]):
        """What `onto` gives, without the weights (see `load_checkpoint`); errors as of `over`."""
        model, tokenizer = load_checkpoint(self._source(), class_names, weights=False)
        cut(model, self.layers)
        return model, tokenizer

    def word_table(self) -> torch.Tensor:
        """The checkpoint's vector of each token, float32, (n_tokens, d): what no adapter changes."""
        model = AutoModel.from_pretrained(self._source(), dtype=torch.float32, use_safetensors=True)
        return model.get_input_embeddings().weight.detach()

    def _source(self) -> str:
        source = resolve_checkpoint(self.checkpoint)
        if identity(self.checkpoint, source) != self.base:
            raise CheckpointError(f"this teacher was trained over another {self.checkpoint!r}: fine-tune it again")
        return source

    @property
    def fingerprint(self) -> str:
        """A hash of what was learnt, and over what."""
        digest = hashlib.sha256(json.dumps([self.base, self.rank, self.layers]).encode())
        for name, weight in sorted(self.weights.items()):
            digest.update(name.encode())
            digest.update(weight.numpy().tobytes())
        return digest.hexdigest()

    def save(self, folder: Path) -> dict:
        """Write the weights to `folder`; returns the rest, for a note beside them."""
        save_file(self.weights, folder / WEIGHTS)
        return {key: value for key, value in vars(self).items() if key != "weights"}

    @classmethod
    def load(cls, folder: Path, note: dict) -> "Adapter":
        """What `save` wrote."""
        return cls(**note, weights=load_file(folder / WEIGHTS))
