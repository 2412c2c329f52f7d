"""A checkpoint becomes answers: checked, fine-tuned once, its soft labels computed once."""

from distill_utils.teachers.fine_tuning import (
    CheckpointError,
    Recipe,
    Teacher,
    fine_tune,
    resolve_checkpoint,
    written_labels,
)

__all__ = ["CheckpointError", "Recipe", "Teacher", "fine_tune", "resolve_checkpoint", "written_labels"]
