"""Pages for people: templates in ``pages/``, charts as inline SVG, small pictures. Each page is one file.

Reads what the stages wrote, and computes nothing but what a reader wants to see first. Knows nothing of DVC.
"""

from onepass.report.charts import Axis, bar_scale, interval_bar
from onepass.report.page import render
from onepass.report.run_report import run_report

__all__ = ["Axis", "bar_scale", "interval_bar", "render", "run_report"]
