"""The teacher of a task of your own: fine-tuned, read from a folder, or a table that stands for it; what it tells."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from distill_utils.experiment import Experiment
from distill_utils.results.calibration import expected_calibration_error
from distill_utils.switch.routers import calibrate_temperature
from distill_utils.teachers import Labeller, Teacher, fine_tune, from_table
from distill_utils.teachers.teacher import NOTE
from distill_utils.texts.files import is_data_file
from distill_utils.word_order import SERIES, Sensitivity, expectation, wos


def teacher_of(task: Experiment, name: str, *, text_column: str, label_column: str) -> Labeller:
    """A table of answers, a teacher that was saved in a folder, or else a checkpoint, fine-tuned on the task's texts.

    Raises DataError or CheckpointError, in one line, when it cannot be had.
    """
    path = Path(name).expanduser()
    if is_data_file(path):
        return from_table(path, task.names, text_column=text_column, label_column=label_column)
    if (path / NOTE).is_file():
        return Teacher.from_pretrained(path)
    texts = task.texts["train"]
    recipe = task.profile.own_recipe(len(texts))
    return fine_tune(str(path) if path.is_dir() else name, texts, task.labels["train"], task.names, recipe)


def answers(task: Experiment, split: str) -> bool:
    """Whether the teacher answers every text of a split; a table may not."""
    return len(task.teacher.answerable(task.texts[split])) == len(task.texts[split])


def calibration(task: Experiment) -> pd.DataFrame:
    """How far the teacher's confidence is from its accuracy on test, as it is and at the temperature of validation."""
    heat = calibrate_temperature(task.teacher.cached_logits(task.texts["validation"]), task.labels["validation"])
    logits, labels = task.teacher.cached_logits(task.texts["test"]), task.labels["test"]
    rows = []
    for what, temperature in (("as it is", 1.0), ("at the temperature of validation", heat)):
        said = softmax(logits.astype(np.float64) / temperature, axis=1)
        rows.append(
            {
                "teacher": what,
                "temperature": temperature,
                "confidence %": 100 * said.max(axis=1).mean(),
                "accuracy %": 100 * (said.argmax(axis=1) == labels).mean(),
                "calibration error": expected_calibration_error(said, labels),
            }
        )
    return pd.DataFrame(rows)


def sensitivity(task: Experiment) -> tuple[pd.DataFrame, str]:
    """The task's word-order sensitivity among the tasks of the series, least first; and what it leads us to expect.

    Measured on validation texts, of one sentence or more. Where it cannot be measured, the sentence says why.
    """
    found, why = None, "A table cannot be asked about shuffled texts: word-order sensitivity is not measured."
    if task.teacher.any_text:
        try:
            found = _measured(task)
        except ValueError as error:  # no text of some class is eligible
            why = f"Word-order sensitivity is not measured: {error}."
    rows = [{"task": name, "WOS": value} for name, value in SERIES.items()]
    if found:
        rows.append({"task": "yours", "WOS": found.wos, "95% interval": f"{found.low:.2f} .. {found.high:.2f}"})
        rows[-1] |= {"texts": found.n_texts, "flips %": found.flips}
    rows.sort(key=lambda row: row["WOS"])
    frame = pd.DataFrame(rows, dtype=object)
    return frame, expectation(found) if found else why


def _measured(task: Experiment) -> Sensitivity:
    return wos(
        task.teacher.predict,
        task.texts["validation"],
        task.labels["validation"],
        len(task.names),
        seeds=5,
        documents=True,
        max_texts=task.profile.shuffled,
    )
