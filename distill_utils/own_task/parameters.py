"""What the notebook is asked for, checked before anything is loaded."""

from dataclasses import dataclass
from pathlib import Path

from distill_utils import profiles
from distill_utils.profiles import ProfileError
from distill_utils.teachers.checkpoints import PUBLISHED
from distill_utils.texts.example import write_example
from distill_utils.texts.files import is_data_file
from distill_utils.texts.tasks import METRICS, TASKS

KINDS = {
    "profile": str,
    "dataset": str,
    "text_column": str,
    "label_column": str,
    "unlabelled": str,
    "teacher": str,
    "metric": str,
    "seeds": int,
    "budget": float,
    "max_loss": float,
    "output": str,
}
BUDGET = 0.1  # where neither budget nor max_loss is asked for


@dataclass(frozen=True)
class Request:
    """The notebook's parameters as they will be used; `limits` goes to `Switch.calibrate`."""

    run: profiles.Run
    dataset: str
    unlabelled: Path | None
    folder: Path
    limits: dict[str, float]
    generated: bool

    def __str__(self) -> str:
        where = self.folder.name if self.folder.is_absolute() else self.folder.as_posix()  # no path of one machine
        line = f"Profile {self.run.profile.name} ({self.run.reason}). The hand-over goes to {where}/."
        if self.generated:
            line += "\nThis is NOT your data: no data set was named, so a small generated one is written and used."
        return line


def read(namespace: dict) -> Request:
    """Check a notebook's parameters, given its globals(). Raises ProfileError for the first that cannot be used.

    Without a data set the generated example (`texts.example`) is written beside the hand-over and used.
    """
    profiles.check_parameters(namespace, **KINDS)
    asked = {name: namespace[name] for name in KINDS}
    if asked["metric"] not in METRICS:
        raise ProfileError(f"parameter metric is {asked['metric']!r}: give one of {', '.join(METRICS)}")
    limits = _limits(asked["budget"], asked["max_loss"])
    for name in ("dataset", "unlabelled"):
        _must_exist(name, asked[name])
    if asked["teacher"] not in PUBLISHED:
        _must_exist("teacher", asked["teacher"], empty=False)
    dataset, unlabelled, generated = asked["dataset"], asked["unlabelled"], not asked["dataset"]
    checkpoint = "auto" if is_data_file(Path(asked["teacher"])) else asked["teacher"]
    run = profiles.start(asked["profile"], dataset, teacher=checkpoint)
    folder = Path(asked["output"]).expanduser() if asked["output"] else run.output / "your_own_task"
    if generated:
        written = write_example(folder.parent / "example")
        dataset, unlabelled = str(written[0]), unlabelled or str(written[1])
    return Request(run, dataset, Path(unlabelled) if unlabelled else None, folder, limits, generated)


def _limits(budget: float, max_loss: float) -> dict[str, float]:
    if budget >= 0 and max_loss >= 0:
        raise ProfileError(f"budget={budget:g} and max_loss={max_loss:g} exclude each other: set one of them to -1")
    if budget > 1:
        raise ProfileError(f"parameter budget is {budget:g}: it is a share of the texts, from 0 to 1")
    if max_loss >= 0:
        return {"max_loss": float(max_loss)}
    return {"budget": float(budget) if budget >= 0 else BUDGET}


def _must_exist(name: str, value: str, empty: bool = True) -> None:
    """A path must lead somewhere; names of tasks and hub ids are looked for later."""
    path = Path(value).expanduser()
    looks_like_a_path = is_data_file(path) or path.suffix == ".txt" or value.startswith((".", "~", "/"))
    if not value and not empty:
        raise ProfileError(f"parameter {name} is empty: give minilm, mpnet, a hub id, a folder, or a table of answers")
    if value and value not in TASKS and looks_like_a_path and not path.exists():
        raise ProfileError(f"parameter {name} is {value!r}: no such file or folder (paths start at notebooks/)")
