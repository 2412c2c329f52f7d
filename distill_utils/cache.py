"""What is computed once and kept: content-addressed files, written whole or not at all, verified on read."""

import errno
import hashlib
import os
import warnings
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save


class CacheError(OSError):
    """The cache cannot be written; the message is one line: where, why, and what to do."""


def cache_dir() -> Path:
    """`$DISTILL_CACHE`, or `~/.cache/distill_utils`."""
    return Path(os.environ.get("DISTILL_CACHE") or Path.home() / ".cache" / "distill_utils")


@contextmanager
def room_to_write(folder: Path):
    """Turn a full disk or an unwritable folder into one clear CacheError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CacheError(
                f"no space left in {folder}: free some, or point $DISTILL_CACHE elsewhere; "
                "what is cached so far is kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise CacheError(
                f"cannot write to {folder}: point $DISTILL_CACHE at a folder that can be written"
            ) from error
        raise


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to a neighbour of `path`, then rename it: a reader sees the whole file or none."""
    with room_to_write(path.parent):
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            partial.write_bytes(data)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(folder: Path, key: str, data: bytes) -> None:
    """Write `data` under `key`; the file's name also holds the hash of its bytes."""
    write_atomically(folder / f"{key}-{hashlib.sha256(data).hexdigest()[:32]}.safetensors", data)


def recall(folder: Path, pattern: str = "*") -> list[bytes]:
    """What was kept under the keys that match `pattern`; files cut short by a crash are removed, with a warning."""
    whole = []
    for path in sorted(folder.glob(f"{pattern}-*.safetensors")):
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest()[:32] == path.stem.rpartition("-")[2]:
            whole.append(data)
        else:
            warnings.warn(f"a cached file in {folder.name} is damaged: computing its content again", stacklevel=3)
            path.unlink()
    return whole


class LogitStore:
    """Logits by text, in chunk files; the texts of a damaged chunk count as missing.

    Kept at float16 precision, so that it does not matter which number format a machine computed them in.
    """

    def __init__(self, folder: Path, n_classes: int):
        self.folder, self.n_classes = folder, n_classes
        self._rows: dict[bytes, np.ndarray] = {}
        for data in recall(folder):
            chunk = load(data)
            self._rows.update(zip(map(bytes, chunk["keys"]), chunk["logits"], strict=True))

    def missing(self, texts: Iterable[str]) -> list[str]:
        """The texts without logits here, each once, in order."""
        return [text for text in dict.fromkeys(texts) if _key(text) not in self._rows]

    def add(self, texts: list[str], logits: np.ndarray) -> None:
        """Keep logits, shape (len(texts), n_classes), on disk and in memory."""
        if not texts:
            return
        keys, logits = [_key(text) for text in texts], np.ascontiguousarray(logits, dtype=np.float16)
        data = save({"keys": np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1), "logits": logits})
        keep(self.folder, "chunk", data)
        self._rows.update(zip(keys, logits, strict=True))

    def get(self, texts: list[str]) -> np.ndarray:
        """Logits of texts that are all here, float32, shape (len(texts), n_classes)."""
        rows = np.stack([self._rows[_key(t)] for t in texts]) if texts else np.empty((0, self.n_classes))
        return rows.astype(np.float32)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
