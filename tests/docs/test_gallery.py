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
    for file in (f"{name}.html", f"{name}.svg", f"{name}-dark.svg"):
        assert (first / file).read_bytes() == (second / file).read_bytes()


@pytest.mark.usefixtures("built")
def test_a_page_has_the_title_of_the_model_and_a_way_back(maker, tmp_path):
    list(maker.make(tmp_path, ["vae"]))
    page = (tmp_path / "vae.html").read_text(encoding="utf-8")
    assert "<title>Variational autoencoder · tracelab gallery</title>" in page
    assert '<a href="../index.html">← Gallery</a><h1>Variational autoencoder</h1>' in page


def test_a_title_cannot_become_markup(maker):
    page = "<title>x</title><style>\n</style><header><h1>x</h1></header>"
    assert "<b>" not in maker.framed(page, "<b>bold</b>")


def test_a_page_of_another_form_is_refused(maker):
    with pytest.raises(SystemExit, match="another form"):
        maker.framed("<title>x</title>", "x")


@pytest.mark.usefixtures("built")
def test_the_thumbnail_of_a_language_model_is_one_of_its_layers(maker, tmp_path):
    list(maker.make(tmp_path, ["llama", "gpt2"]))
    llama, gpt2 = ((tmp_path / f"{name}.svg").read_text(encoding="utf-8") for name in ("llama", "gpt2"))
    assert "LlamaAttention" in llama
    assert "GPT2Attention" in gpt2


def test_models_with_a_decoder_are_found_by_the_word(maker):
    found = {entry.name for entry in maker.ENTRIES if "decoder" in f"{entry.about} {entry.tags}"}
    assert {"llama", "llama70b", "deepseek", "whisper", "gpt2", "t5"} <= found
    assert not {"resnet18", "bert", "vit"} & found


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
