"""Student and teacher share the work: the student on everything, the teacher on what a router finds difficult."""

from distill_utils.switch.cascade import Cascade
from distill_utils.switch.costs import in_teacher_words, one_thread, speed_up
from distill_utils.switch.curves import area, cost_curve, curve, measure_latency, measure_seconds, summary
from distill_utils.switch.in_use import InUse, Target
from distill_utils.switch.switch import Switch
from distill_utils.switch.trial import Trial, compete

__all__ = [
    "Cascade",
    "InUse",
    "Switch",
    "Target",
    "Trial",
    "area",
    "compete",
    "cost_curve",
    "curve",
    "in_teacher_words",
    "measure_latency",
    "measure_seconds",
    "one_thread",
    "speed_up",
    "summary",
]
