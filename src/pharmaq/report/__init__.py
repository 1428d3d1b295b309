"""Results as self-contained HTML pages: no network, readable anywhere, printable on A4."""

from pharmaq.report.calibration import calibration_report
from pharmaq.report.files import write_calibration

__all__ = ["calibration_report", "write_calibration"]
