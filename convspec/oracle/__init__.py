"""The oracle: whether an implementation computes what the spec says, and if not, why."""

from __future__ import annotations

from convspec.oracle.check import check
from convspec.oracle.report import Difference, OperationReport, Report
from convspec.oracle.target import load

__all__ = ["Difference", "OperationReport", "Report", "check", "load"]
