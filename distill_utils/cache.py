"""What is computed once and kept: content-addressed files, written whole or not at all, verified on read."""

import errno
import hashlib
import inspect
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
from safetensors.numpy import load, save

from distill_utils.checks import as_logits, as_texts

# The last two: a file stands where the folder should, or one of its parents.
UNWRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.EEXIST, errno.ENOTDIR)

KEY_BYTES = 8  # of a text's hash: among millions of texts two share one with a chance of one in millions
ORIGINS = ("kept", "recorded", "computed")


class CacheError(OSError):
    """The cache cannot be written; the message is one line: where, why, and what to do."""


def cache_dir() -> Path:
    """`$DISTILL_CACHE`, or `~/.cache/distill_utils`. Raises CacheError when `~` is meant and there is no home."""
    given = os.environ.get("DISTILL_CACHE")
    try:
        return Path(given or "~/.cache/distill_utils").expanduser()
    except RuntimeError as error:  # not a temporary folder instead: hours of training would go with it
        meant = f"$DISTILL_CACHE is {given!r}, but there is" if given else "there is"
        raise CacheError(f"{meant} no home folder here: point $DISTILL_CACHE at a folder, by its full path") from error


@contextmanager
def room_to_write(folder: Path, instead: str = "point $DISTILL_CACHE at"):
    """Turn a full disk or an unwritable folder into one clear CacheError; `instead` begins what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):  # said before the work whose result would be kept here
            raise PermissionError(errno.EACCES, "Permission denied")
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CacheError(
                f"no space left in {folder}: free some, or {instead} another folder; what is there so far is kept"
            ) from error
        if error.errno in UNWRITABLE:
            raise CacheError(
                f"cannot write to {folder} ({error.strerror}): {instead} a folder that can be written"
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


@contextmanager
def written_together(folder: Path, name: str, note: dict) -> Iterator[Path]:
    """A folder to write files to; they move to `folder` when all are whole, and last `name`: the note and their hashes.

    An error on the way leaves `folder` as it was, and `read_note` refuses what an interrupted move left.
    """
    folder = folder.expanduser()
    with room_to_write(folder, "give"), TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        staged = Path(partial)
        yield staged
        files = [path for path in sorted(staged.rglob("*")) if path.is_file()]
        hashes = {path.relative_to(staged).as_posix(): sha256_of(path) for path in files}
        note = json.loads(json.dumps(note | {"files": hashes}, default=np.generic.item))
        (staged / name).write_text(json.dumps(note | {"sha256": _sha256_of_note(note)}), encoding="utf-8")
        for path in [*files, staged / name]:
            target = folder / path.relative_to(staged)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)


def read_note(folder: Path, name: str) -> dict:
    """The note that `written_together` left. Raises ValueError when it or a file it names is not as it was written."""
    folder = folder.expanduser()
    try:
        note = json.loads((folder / name).read_text(encoding="utf-8"))
        written, files = note.pop("sha256"), dict(note["files"])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(f"no {name} in {folder}: give a folder that save_pretrained wrote") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{name} in {folder} is damaged, or of another version: save it again") from error
    if _sha256_of_note(note) != written:
        raise ValueError(f"{name} in {folder} was changed by hand: load what was saved, change that, save it again")
    for file, expected in files.items():
        if not (folder / file).is_file():
            raise ValueError(f"{file} is missing in {folder}: copy it there too, or save it again")
        if sha256_of(folder / file) != expected:
            raise ValueError(f"{file} in {folder} is not the one that {name} was written with: save it again")
    return note


def _sha256_of_note(note: dict) -> str:
    return hashlib.sha256(json.dumps(note, sort_keys=True).encode()).hexdigest()


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
            with room_to_write(folder):
                path.unlink()
    return whole


def kept_texts(
    what: str, make: Callable[[], list[str]], *, out_of: Iterable[Iterable[str]], by: Iterable[ModuleType]
) -> list[str]:
    """The texts that `make` gives, kept until what they are made of changes: the texts `out_of`, or the code `by`.

    what: all else that decides them, such as a number. Raises CacheError where they cannot be written.
    """
    digest = hashlib.sha256(f"{what}, numpy {np.__version__}".encode())  # whose random numbers may change
    for source in (*map(inspect.getsource, by), *map("\x1e".join, out_of)):
        digest.update(hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest())
    folder, key = cache_dir() / "texts", digest.hexdigest()[:32]
    for data in recall(folder, key):
        found = load(data)
        whole, ends = found["utf8"].tobytes().decode("utf-8", "surrogatepass"), found["ends"].tolist()
        return [whole[start:end] for start, end in pairwise([0, *ends])]
    texts = make()
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)  # in characters
    utf8 = np.frombuffer("".join(texts).encode("utf-8", "surrogatepass"), np.uint8)
    keep(folder, key, save({"utf8": utf8, "ends": ends}))
    return texts


class LogitStore:
    """Logits by text, in chunk files; the texts of a damaged chunk count as missing.

    Kept at float16 precision, so that it does not matter which number format a machine computed them in. `recorded`:
    folders of the same kind that are only read, and first.
    """

    def __init__(self, folder: Path, n_classes: int, recorded: Iterable[Path] = ()):
        self.folder, self.n_classes = folder, n_classes
        self._places: dict[bytes, int] = {}  # of each text's logits in the table
        self._table = np.empty((0, n_classes), np.float16)
        self._origins, self._asked = np.empty(0, np.uint8), np.empty(0, bool)  # of each row of the table
        for place, origin in ((folder, "kept"), *((place, "recorded") for place in recorded)):
            for data in recall(place):
                chunk = load(data)
                logits = as_logits(chunk["logits"], len(chunk["keys"]), n_classes)
                self._take(list(map(bytes, chunk["keys"][:, :KEY_BYTES])), logits, origin)  # older ones are longer

    def __len__(self) -> int:
        return len(self._places)

    def _take(self, keys: list[bytes], logits: np.ndarray, origin: str) -> None:
        self._places.update(zip(keys, range(len(self._table), len(self._table) + len(keys)), strict=True))
        self._table = np.concatenate((self._table, logits.astype(np.float16, copy=False)))
        self._origins = np.concatenate((self._origins, np.full(len(keys), ORIGINS.index(origin), np.uint8)))
        self._asked = np.concatenate((self._asked, np.zeros(len(keys), bool)))

    @property
    def origins(self) -> Counter:
        """How many texts asked for with `at` were "recorded", "kept" here before, or "computed" since: each once."""
        counts = np.bincount(self._origins[self._asked], minlength=len(ORIGINS)).tolist()
        return Counter(dict(zip(ORIGINS, counts, strict=True)))

    def places(self, texts: Iterable[str]) -> np.ndarray:
        """Where the logits of each text stand, for `at`, int64 (n_texts,); -1: not here."""
        return np.fromiter((self._places.get(_key(text), -1) for text in as_texts(texts)), np.int64)

    def recorded(self, texts: Iterable[str]) -> np.ndarray:
        """Whether the logits of each text are recorded, (n_texts,) of booleans."""
        places = self.places(texts)
        found = np.zeros(len(places), bool)
        found[places >= 0] = self._origins[places[places >= 0]] == ORIGINS.index("recorded")
        return found

    def add(self, texts: list[str], logits: np.ndarray) -> None:
        """Keep logits, shape (len(texts), n_classes), on disk and in memory. Raises ValueError when they do not fit."""
        texts = as_texts(texts)
        logits = np.ascontiguousarray(as_logits(logits, len(texts), self.n_classes), dtype=np.float16)
        if not texts:
            return
        keys = [_key(text) for text in texts]
        keep(self.folder, "chunk", _chunk(keys, logits))
        self._take(keys, logits, "computed")

    def at(self, places: np.ndarray) -> np.ndarray:
        """The logits at `places`, float32, (n_places, n_classes). Raises KeyError for a place of -1."""
        if len(places) and places.min() < 0:
            raise KeyError(f"{(places < 0).sum()} of {len(places)} texts have no logits here")
        self._asked[places] = True
        return self._table[places].astype(np.float32)

    def as_chunk(self) -> bytes:
        """All that is here as one chunk, in the order of its keys."""
        keys = sorted(self._places)
        return _chunk(keys, self._table[[self._places[key] for key in keys]])


def _chunk(keys: list[bytes], logits: np.ndarray) -> bytes:
    return save({"keys": np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES), "logits": logits})


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()[:KEY_BYTES]
