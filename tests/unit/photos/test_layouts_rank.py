"""Of the layouts that recognise a root, the one with the lowest rank reads it, whoever was registered first."""

from pathlib import Path

import pytest

from onepass.photos import Layout, Photo, PhotoTable, find_photos, register_layout
from onepass.photos.layouts import layout as registry


def layout(name: str, rank: int, *, recognises: bool = True) -> Layout:
    """A layout whose one photo is called as it is."""
    return Layout(name, rank, lambda _: recognises, lambda _: PhotoTable([Photo(name, "", "", "")]))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_lowest_rank_that_recognises_a_root_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    monkeypatch.setattr(registry, "LAYOUTS", [])
    known = [layout("blind", 1, recognises=False), layout("low", 2), layout("high", 30)]
    for place in order:
        assert register_layout(known[place]) is known[place]
    assert list(find_photos(str(tmp_path))) == [Photo("low", "", "", "")]


def test_a_layout_of_ones_own_goes_before_the_shipped_ones_by_its_rank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "LAYOUTS", list(registry.LAYOUTS))
    (tmp_path / "labels.csv").write_text("file,label\n")
    register_layout(layout("late", 1000))
    assert list(find_photos(str(tmp_path))) == []  # the CSV's
    register_layout(layout("early", 0))
    assert list(find_photos(str(tmp_path))) == [Photo("early", "", "", "")]
