"""Student and teacher share the work: the student on everything, the teacher on what a router finds difficult."""

from distill_utils.switch.switch import Switch, area, cost_curve, curve, measure_seconds

__all__ = ["Switch", "area", "cost_curve", "curve", "measure_seconds"]
