"""Looking after a library's file: whether it is sound, and making it sound again."""

from engine.library.upkeep.check import HealthReport, Problem, verify
from engine.library.upkeep.repair import RepairReport, repair

__all__ = ["HealthReport", "Problem", "RepairReport", "repair", "verify"]
