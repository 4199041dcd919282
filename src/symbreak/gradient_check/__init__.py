"""Is the gradient the derivative of J? Numerical differences, judged block by block."""

from symbreak.gradient_check.check import check_gradient
from symbreak.gradient_check.report import BlockReport, GradientError, GradientReport

__all__ = ["BlockReport", "GradientError", "GradientReport", "check_gradient"]
