"""Charts: readable axes whatever the values, and text that stays text."""

from hypothesis import given
from hypothesis import strategies as st

from onepass.report.charts import Axis, line_chart, reliability_chart, tag


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6))
def test_an_axis_has_three_to_nine_ticks_inside_its_range(low: float, width: float) -> None:
    ticks = Axis(low, low + width, 0, 100).ticks()
    assert 3 <= len(ticks) <= 9
    assert all(low - width / 1e6 <= tick <= low + width * (1 + 1e-6) for tick in ticks)


@given(low=st.floats(1e-6, 1), ratio=st.floats(30, 1e6))
def test_a_logarithmic_axis_has_two_to_twelve_ticks_inside_its_range(low: float, ratio: float) -> None:
    axis = Axis(low, low * ratio, 0, 100, log=True)
    assert 2 <= len(axis.ticks()) <= 12
    assert all(-1e-6 <= axis.at(tick) <= 100 + 1e-6 for tick in axis.ticks())


def test_epochs_are_whole_numbers() -> None:
    assert Axis(1, 3, 0, 100, whole=True).ticks() == [1, 2, 3]


def test_a_hundred_thousand_epochs_are_drawn_by_few_points_with_both_ends() -> None:
    points = [(epoch, 1 / epoch) for epoch in range(1, 100_001)]
    drawn = line_chart("loss", {"train": points}, "epoch", Axis(0, 1, 0, 0), (7, "kept"))
    assert len(drawn) < 20_000
    assert "48.0,24.0 " in drawn and " 424.0,226.0" in drawn


def test_ticks_of_shares_are_whole_percent() -> None:
    axis = Axis(0.9, 1, 0, 100, share=True)
    assert [axis.name(tick) for tick in axis.ticks()] == [f"{number}\u202f%" for number in range(90, 101, 2)]
    assert Axis(0, 1, 0, 100).name(0.07) == "0.07"


def test_bars_of_a_reliability_chart_are_below_all_points_of_it() -> None:
    drawn = reliability_chart("", [(0.5, 0.5, 0.4, 0.6, 0.25), (0.55, 0.5, 0.4, 0.6, 0.75)])
    assert drawn.rindex('class="share"') < drawn.index('class="ideal"') < drawn.index('class="dot"')


def test_text_and_attributes_are_escaped() -> None:
    assert tag("text", "<b>", aria_label='"><b>') == '<text aria-label="&#34;&gt;&lt;b&gt;">&lt;b&gt;</text>'
