"""Pages for people: templates in ``pages/``, charts as inline SVG, small pictures. Each page is one file.

Reads what the stages wrote, and computes nothing but what a reader wants to see first. Knows nothing of DVC.
"""

from onepass.report.charts import Axis, bar_scale, interval_bar, round_down
from onepass.report.page import PAGES, decimals_for, percent, render
from onepass.report.run_report import run_report
from onepass.report.thumbnails import Thumbnail, thumbnails

__all__ = [
    "PAGES",
    "Axis",
    "Thumbnail",
    "bar_scale",
    "decimals_for",
    "interval_bar",
    "percent",
    "render",
    "round_down",
    "run_report",
    "thumbnails",
]
