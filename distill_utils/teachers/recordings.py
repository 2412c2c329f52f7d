"""Teachers and their answers that come with the library: a second place, read only, for what the cache would hold.

A recording is a folder: `teachers/<key>` and `logits/<fingerprint>` as in the cache, and a manifest that says how it
was made and holds the hash of each file. It is found by the cache's own keys, so other data, another recipe or another
checkpoint never finds it. It holds logits by text hash, no texts.
"""

import json
import os
import shutil
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from distill_utils.cache import LogitStore, cache_dir, keep, sha256_of
from distill_utils.teachers.checkpoints import CheckpointError, check_files

if TYPE_CHECKING:
    from distill_utils.teachers.teacher import Teacher

FOLDER = Path(__file__).parent.parent / "recordings"
MANIFEST = "manifest.json"


def find(entry: str) -> list[Path]:
    """The folders recorded as `entry`, such as "logits/<fingerprint>"; damaged ones are left out, with a warning."""
    found = []
    for folder in sorted(FOLDER.glob(f"[!.]*/{entry}")):
        recording = folder.parent.parent
        try:
            files = json.loads((recording / MANIFEST).read_text(encoding="utf-8"))["files"]
            wanted = {name: expected for name, expected in files.items() if name.startswith(f"{entry}/")}
            if {f"{entry}/{path.name}" for path in folder.iterdir()} != set(wanted):
                raise CheckpointError(f"{entry} holds other files than {MANIFEST} names")
            check_files(recording, wanted)
            found.append(folder)
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            warnings.warn(
                f"the recording {recording.name} is damaged and not used ({error}): install it again", stacklevel=3
            )
    return found


def record(name: str, teacher: "Teacher", about: dict, cache: Path | None = None) -> Path:
    """Keep a teacher from `fine_tune` or `teach`, and all its answers that are in the cache, as the recording `name`.

    It takes the place of an older one, whole or not at all. about: how it was made, for the manifest. The same teacher
    and answers give the same bytes. Returns the folder. Raises ValueError for a teacher without an adapter: too large.
    """
    if teacher.adapter is None or teacher.key is None:
        raise ValueError(f"cannot record {teacher.name!r}: record one made with an adapter_rank")
    answers = LogitStore((cache or cache_dir()) / "logits" / teacher.fingerprint, teacher.n_classes)
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=FOLDER, prefix=f".{name}-") as staged:
        staged = Path(staged)
        teacher.save_pretrained(staged / "teachers" / teacher.key)
        keep(staged / "logits" / teacher.fingerprint, "chunk", answers.as_chunk())
        files = {path.relative_to(staged).as_posix(): sha256_of(path) for path in sorted(staged.rglob("*.*"))}
        manifest = about | {"answers": len(answers), "files": files}
        (staged / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        os.chmod(staged, 0o755)
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        os.replace(staged, FOLDER / name)
    return FOLDER / name
