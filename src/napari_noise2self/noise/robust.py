"""What is typical of numbers some of which are outliers."""

from __future__ import annotations

MEDIAN_TO_STD = 1.4826
"""Standard deviation of Gaussian numbers over the median of their absolute deviations."""
