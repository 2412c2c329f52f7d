"""A checkpoint becomes answers: checked, fine-tuned once, its soft labels computed once."""

from distill_utils.teachers.checkpoints import CheckpointError, resolve_checkpoint
from distill_utils.teachers.dtypes import precision
from distill_utils.teachers.fine_tuning import Recipe, fine_tune
from distill_utils.teachers.teacher import Teacher
from distill_utils.teachers.text_to_text import written_labels

__all__ = ["CheckpointError", "Recipe", "Teacher", "fine_tune", "precision", "resolve_checkpoint", "written_labels"]
