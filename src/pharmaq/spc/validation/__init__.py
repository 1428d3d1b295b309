"""Validation of analytical procedures: straight calibration lines and their limits."""

from pharmaq.spc.validation.line import CalibrationLine, InversePrediction, calibration_line

__all__ = ["CalibrationLine", "InversePrediction", "calibration_line"]
