"""A checkpoint becomes answers: checked, fine-tuned once, its soft labels computed once."""

from distill_utils.dtypes import precision
from distill_utils.teachers.callables import from_callable
from distill_utils.teachers.checkpoints import CheckpointError, resolve_checkpoint
from distill_utils.teachers.fine_tuning import Committee, Recipe, fine_tune, teach, teach_by_committee
from distill_utils.teachers.in_pieces import InPieces
from distill_utils.teachers.labeller import Labeller
from distill_utils.teachers.tables import from_table
from distill_utils.teachers.teacher import Teacher, Truncation
from distill_utils.teachers.text_to_text import written_labels

__all__ = [
    "CheckpointError",
    "Committee",
    "InPieces",
    "Labeller",
    "Recipe",
    "Teacher",
    "Truncation",
    "fine_tune",
    "from_callable",
    "from_table",
    "precision",
    "resolve_checkpoint",
    "teach",
    "teach_by_committee",
    "written_labels",
]
