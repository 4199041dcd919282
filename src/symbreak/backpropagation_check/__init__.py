"""A person's own back-propagation beside ours, stage by stage: where it goes wrong, and how."""

from symbreak.backpropagation_check.check import check_backpropagation
from symbreak.backpropagation_check.report import (
    BackpropagationError,
    BackpropagationReport,
    StageReport,
)

__all__ = ["BackpropagationError", "BackpropagationReport", "StageReport", "check_backpropagation"]
