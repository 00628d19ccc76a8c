"""The gallery: small pages from random weights, the same bytes each time."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

MAKE = Path(__file__).parents[2] / "docs" / "gallery" / "make.py"


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("gallery_make_of_tests", MAKE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    before = list(sys.path)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before


@pytest.fixture
def built():
    from tracelab.render import html

    if not (Path(html.__file__).parent / "static" / "page.html").exists():
        pytest.skip("the front end is not built")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("name", ["unet", "gcn", "vae"])
def test_a_page_and_its_thumbnail_are_the_same_bytes_each_time(maker, tmp_path, name):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        assert len(list(maker.make(folder, [name]))) == 1
    for ending in ("html", "svg"):
        assert (first / f"{name}.{ending}").read_bytes() == (second / f"{name}.{ending}").read_bytes()


@pytest.mark.usefixtures("built")
def test_a_page_that_is_too_large_is_refused(maker, tmp_path, monkeypatch):
    monkeypatch.setattr(maker, "LARGEST", 1000)
    with pytest.raises(SystemExit, match=r"vae: the page has .* bytes, more than 1,000"):
        list(maker.make(tmp_path, ["vae"]))


@pytest.mark.usefixtures("built")
def test_a_card_says_how_large_the_graph_is(maker, tmp_path):
    ((entry, size, numbers),) = maker.make(tmp_path, ["vae"])
    assert (entry.title, numbers) == ("Variational autoencoder", "13 operators, 892 parameters")
    assert size == (tmp_path / "vae.html").stat().st_size


def test_each_model_has_its_own_name_and_title(maker):
    assert len({entry.name for entry in maker.ENTRIES}) == len({entry.title for entry in maker.ENTRIES})
    assert len({entry.name for entry in maker.ENTRIES}) == len(maker.ENTRIES) >= 30
