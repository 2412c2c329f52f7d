"""What a model costs in use: measured, raw text in, nothing from a cache."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from distill_utils.switch import measure_latency, measure_seconds, one_thread
from distill_utils.teachers import resolve_checkpoint


@dataclass(frozen=True)
class Cost:
    """Bytes on disk, seconds for one text alone, seconds a text when all come at once."""

    bytes: int
    latency: float
    seconds: float


def measure(answer: Callable[[list[str]], object], texts: list[str], size: int, *, singles: int = 50) -> Cost:
    """Time a model on texts, one thread: `singles` of them one by one, then all at once."""
    with one_thread():
        return Cost(size, measure_latency(answer, texts[:singles]), measure_seconds(answer, texts))


def bytes_on_disk(model: object) -> int:
    """What `save_pretrained` writes, in bytes; of an adapted teacher the checkpoint counts too, of scikit-learn pickle.

    Nothing is kept.
    """
    if not hasattr(model, "save_pretrained"):
        return len(pickle.dumps(model))
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        written = bytes_in(Path(folder))
    adapter = getattr(model, "adapter", None)
    base = Path(resolve_checkpoint(model.name)) if adapter else None
    return written + (bytes_in(base) if base and base.is_dir() else 0)


def bytes_in(folder: Path) -> int:
    """Of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def human_bytes(count: float) -> str:
    """330000 -> "330 KB", 91000000 -> "91 MB"."""
    unit = next((unit for unit in ("B", "KB", "MB") if count < 999.5 * 1000 ** ("B", "KB", "MB").index(unit)), "GB")
    return f"{count / 1000 ** ('B', 'KB', 'MB', 'GB').index(unit):.3g} {unit}"
