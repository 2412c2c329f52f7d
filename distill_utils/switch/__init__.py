"""Student and teacher share the work: the student on everything, the teacher on what a router finds difficult."""

from distill_utils.switch.curves import area, cost_curve, curve, measure_latency, measure_seconds
from distill_utils.switch.switch import Switch

__all__ = ["Switch", "area", "cost_curve", "curve", "measure_latency", "measure_seconds"]
