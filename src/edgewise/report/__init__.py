"""The report of an evaluation: one HTML file that needs nothing beside it."""

from edgewise.report.crops import Crop, crop_pair
from edgewise.report.extremes import Extremes, extremes
from edgewise.report.page import Table, render, write_report

__all__ = ["Crop", "Extremes", "Table", "crop_pair", "extremes", "render", "write_report"]
