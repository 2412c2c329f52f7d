"""What is trained on a teacher's answers."""

from distill_utils.students.bilstm import BiLSTM
from distill_utils.students.conv import GatedCNN
from distill_utils.students.distillation import (
    balanced_weights,
    fit,
    fit_all,
    fit_each,
    kl_to_soft_labels,
    mse_to_logits,
    one_hot,
)
from distill_utils.students.ensemble import Ensemble
from distill_utils.students.in_pieces import InPieces
from distill_utils.students.mlp import MLP
from distill_utils.students.shares import match_shares
from distill_utils.students.student import Student, count_parameters

__all__ = [
    "MLP",
    "BiLSTM",
    "Ensemble",
    "GatedCNN",
    "InPieces",
    "Student",
    "balanced_weights",
    "count_parameters",
    "fit",
    "fit_all",
    "fit_each",
    "kl_to_soft_labels",
    "match_shares",
    "mse_to_logits",
    "one_hot",
]
