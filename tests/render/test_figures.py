"""Figures: what is drawn, how it is named, and the files that it becomes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

import tracelab
from tracelab.cli import main
from tracelab.demo import GPT
from tracelab.render.figure.scene import Line, Rectangle
from tracelab.render.figure.text_width import text_width

SVG = "{http://www.w3.org/2000/svg}"


def rotated(x):
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.up = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.up(self.norm(x)).relu()


class Net(nn.Module):
    """Three blocks that are alike, and one of another size behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.blocks = nn.ModuleList([Block() for _ in range(3)])
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.head(rotated(x))


@pytest.fixture(scope="module")
def traced():
    return tracelab.trace(Net(), torch.ones(2, 5, 4))


def all_boxes(figure):
    outline = figure.outline

    def inside(frame):
        return [*frame.boxes, *(box for inner in frame.frames for box in inside(inner))]

    return [*outline.inputs, *inside(outline.root), *outline.outputs]


def titles(figure):
    return [f"{box.title} {box.subtitle}".strip() for box in all_boxes(figure)]


def lines(figure):
    """`tail -> head: label` by the titles of boxes."""
    names = {box.key: box.title for box in all_boxes(figure)}
    return [f"{names[link.tail]} -> {names[link.head]}: {link.label}".rstrip(": ") for link in figure.outline.links]


def frames(figure):
    found = []

    def walk(frame):
        for inner in frame.frames:
            found.append(inner)
            walk(inner)

    walk(figure.outline.root)
    return found


# What is drawn -----------------------------------------------------------------------------------------------


def test_at_depth_1_modules_and_functions_are_boxes(traced):
    assert titles(traced.figure(depth=1)) == [
        "x float32[x.0, x.1, 4]",
        "first Linear",
        "blocks.0 … blocks.2 Block × 3",
        "rotated()",
        "head Linear",
        "output float32[x.0, x.1, 2]",
    ]


def test_a_function_is_told_from_a_module(traced):
    kinds = {box.title: box.kind for box in all_boxes(traced.figure(depth=1))}
    assert (kinds["rotated()"], kinds["head"]) == ("function", "module")


def test_a_function_has_a_dashed_border(traced):
    assert [item.dashed for item in traced.figure(depth=1).scene.items if isinstance(item, Rectangle)].count(True) == 1


def test_lines_have_the_sizes_that_flow(traced):
    assert lines(traced.figure(depth=1)) == [
        "x -> first",
        "first -> blocks.0 … blocks.2: x.0 × x.1 × 8",
        "blocks.0 … blocks.2 -> rotated(): x.0 × x.1 × 8",
        "rotated() -> head: x.0 × x.1 × 8",
        "head -> output",
    ]


def test_sizes_have_the_names_that_are_given(traced):
    figure = traced.figure(depth=1, dims={"x": ("batch", "length", None)})
    assert "batch × length × 8" in figure.svg
    assert "float32[batch, length, 4]" in figure.svg


def test_without_symbolic_sizes_are_those_of_the_trace(traced):
    assert "first -> blocks.0 … blocks.2: 2 × 5 × 8" in lines(traced.figure(depth=1, symbolic=False))


def test_at_depth_2_blocks_that_are_alike_are_one_frame(traced):
    figure = traced.figure(depth=2)
    blocks, function = sorted(frames(figure), key=lambda frame: frame.is_function)
    assert (blocks.title, blocks.times) == ("blocks.0 … blocks.2  Block × 3", 3)
    assert [box.title for box in blocks.boxes] == ["norm", "up", "relu", "add"]
    assert function.is_function


def test_no_side_of_a_frame_goes_through_a_label():
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(n_layer=2, n_embd=64, n_head=4, vocab_size=100, bos_token_id=1, eos_token_id=1)
    ids = torch.randint(0, 100, (2, 9))
    figure = tracelab.trace(transformers.GPT2LMHeadModel(config).eval(), ids).figure(depth=3, orientation="vertical")
    items = figure.scene.items
    frames_drawn = [item for item in items if isinstance(item, Rectangle) and item.radius == 5.0]
    labels = [item for item in items if isinstance(item, Line) and item.size == 7.0]
    assert frames_drawn
    assert labels
    for frame in frames_drawn:
        for label in labels:
            half = text_width(label.text, label.size) / 2
            if frame.y < label.y < frame.y + frame.height:
                for side in (frame.x, frame.x + frame.width):
                    assert not label.x - half < side < label.x + half, label.text


def test_what_follows_repeated_blocks_comes_from_the_one_that_is_drawn(traced):
    assert "add -> neg: x.0 × x.1 × 4" not in lines(traced.figure(depth=2))
    assert any(line.startswith("add -> slice") for line in lines(traced.figure(depth=2)))


def test_without_repeats_each_block_is_drawn(traced):
    names = titles(traced.figure(depth=1, repeats=False))
    assert [name for name in names if "Block" in name] == ["blocks.0 Block", "blocks.1 Block", "blocks.2 Block"]


def test_blocks_of_other_sizes_are_not_one():
    net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 8))
    assert titles(tracelab.trace(net, torch.ones(1, 4)).figure(depth=1))[1:3] == ["0 Linear", "1 … 2 Linear × 2"]


def test_blocks_side_by_side_are_not_one():
    class Sides(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.side0, self.side1 = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.side0(x) + self.side1(x)

    assert titles(tracelab.trace(Sides(), torch.ones(1, 4)).figure(depth=1))[1:3] == ["side0 Linear", "side1 Linear"]


def test_the_root_is_drawn_alone(traced):
    figure = traced.figure(root="blocks.1", depth=1)
    assert [box.title for box in figure.outline.root.boxes] == ["norm", "up", "relu", "add"]
    assert (len(figure.outline.inputs), len(figure.outline.outputs)) == (1, 1)


def test_a_root_where_nothing_ran_is_refused_with_those_that_there_are(traced):
    with pytest.raises(tracelab.InputError, match=r"in a module 'layer': there are first, blocks.0"):
        traced.figure(root="layer")


def test_a_figure_without_a_depth_opens_as_far_as_25_boxes():
    figure = tracelab.trace(GPT(layers=4), torch.randint(0, 50, (2, 9))).figure()
    deeper = tracelab.trace(GPT(layers=4), torch.randint(0, 50, (2, 9))).figure(depth=3)
    assert len(figure.outline) <= 25 < len(deeper.outline)


def test_what_changes_nothing_is_not_drawn():
    traced = tracelab.trace(lambda x: x[:, :].contiguous().to(torch.float32).exp(), torch.ones(2, 3))
    assert titles(traced.figure())[1:-1] == ["exp"]


def test_a_cast_is_drawn():
    assert titles(tracelab.trace(lambda x: x.to(torch.float64).exp(), torch.ones(2)).figure())[1:-1] == ["to", "exp"]


def test_what_no_output_depends_on_is_not_drawn():
    def wasteful(x):
        x.exp().sum()
        return x.sin()

    assert titles(tracelab.trace(wasteful, torch.ones(2)).figure())[1:-1] == ["sin"]


def test_outputs_of_one_structure_are_one_box():
    traced = tracelab.trace(lambda x: {"states": [x.sin(), x.cos()], "sum": x.sum()}, torch.ones(2), strict=False)
    figure = traced.figure()
    assert [(box.title, box.subtitle) for box in figure.outline.outputs] == [
        ("states", "2 tensors"),
        ("sum", "float32[]"),
    ]


def test_a_write_is_drawn_before_what_reads_it():
    def bumped(x):
        y = x * 2
        y.add_(1)
        return y.exp()

    assert [re.sub(":.*", "", line) for line in lines(tracelab.trace(bumped, torch.ones(2)).figure())] == [
        "x -> mul",
        "mul -> add_",
        "add_ -> exp",
        "exp -> output",
    ]


def test_the_sizes_of_a_convolution_are_rounded_up():
    traced = tracelab.trace(nn.Conv2d(3, 8, 3, stride=2, padding=1), torch.ones(2, 3, 32, 32))
    figure = traced.figure(dims={"input": ("batch", None, "height", "width")})
    assert "float32[batch, 8, ⌈height/2⌉, ⌈width/2⌉]" in figure.svg


def test_a_size_that_is_not_known_is_a_question_mark():
    traced = tracelab.trace(lambda x: (x.nonzero() + 1) * 2, torch.ones(2, 3))
    assert "?" in " ".join(lines(traced.figure()))


@pytest.mark.parametrize(
    "options",
    [{"orientation": "up"}, {"theme": "pink"}, {"depth": 0}, {"depth": True}],
    ids=lambda one: next(iter(one)),
)
def test_an_option_that_is_none_is_refused(traced, options):
    with pytest.raises(tracelab.InputError, match=next(iter(options))):
        traced.figure(**options)


def test_too_many_boxes_are_refused():
    def chain(x):
        for step in range(500):
            x = x + step
        return x

    with pytest.raises(tracelab.InputError, match=r"would have 500 boxes: give a smaller depth, or a root"):
        tracelab.trace(chain, torch.ones(2)).figure()


# Where it lies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_text_lies_in_the_figure_and_in_its_box(traced, orientation, depth):
    from tracelab.render.figure.text_width import text_width

    scene = traced.figure(depth=depth, orientation=orientation).scene
    for item in scene.items:
        if isinstance(item, Line):
            width = text_width(item.text, item.size, item.bold)
            left = item.x - width / 2 if item.anchor == "middle" else item.x
            assert left >= 0
            assert left + width <= scene.width
            assert item.size * 0.7 <= item.y <= scene.height
    boxes = [item for item in scene.items if isinstance(item, Rectangle)]
    for box in boxes:
        assert min(box.x, box.y) >= 0
        assert box.x + box.width <= scene.width + 0.01
        assert box.y + box.height <= scene.height + 0.01


def test_orientation_is_that_of_the_flow(traced):
    tall, wide = traced.figure(depth=1), traced.figure(depth=1, orientation="horizontal")
    assert tall.size[1] > tall.size[0]
    assert wide.size[0] > wide.size[1]


def test_our_widths_are_not_less_than_those_of_the_font():
    pytest.importorskip("matplotlib")
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    from tracelab.render.figure.text_width import text_width

    for text in ("Conv2d", "blocks.0 … blocks.11  Block × 12", "WMWM", "⌈height/2⌉"):
        for weight in ("normal", "bold"):
            path = TextPath((0, 0), text, size=9, prop=FontProperties(family="DejaVu Sans", weight=weight))
            assert path.get_extents().width <= text_width(text, 9, weight == "bold") + 0.5


# As files ----------------------------------------------------------------------------------------------------


def test_the_svg_has_no_more_than_shapes_and_text(traced):
    root = ElementTree.fromstring(traced.figure().svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "rect",
        "path",
        "polygon",
        "text",
    }


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"]; a -> b [label="', "\\N\x00\x1b[31m", "a & b", "𝒳漢字"]
)
def test_names_are_text_and_nothing_else(name):
    net = nn.Sequential()
    net.add_module(name.replace(".", ""), nn.Linear(2, 2))
    figure = tracelab.trace(net, torch.ones(1, 2)).figure()
    texts = [element.text for element in ElementTree.fromstring(figure.svg).iter(f"{SVG}text")]
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name.replace(".", ""))
    assert shown in texts
    assert figure.pdf()[:5] == b"%PDF-"


def test_latex_takes_names_literally():
    net = nn.Sequential()
    net.add_module("a_b$%{#}\\", nn.Linear(2, 2))
    tikz = tracelab.trace(net, torch.ones(1, 2)).figure().tikz
    assert r"{a\_b\$\%\{\#\}\textbackslash{}}" in tikz
    assert tikz.count(r"\begin{tikzpicture}") == tikz.count(r"\end{tikzpicture}") == 1


def test_tikz_has_no_mark_that_the_first_encoding_of_latex_lacks():
    traced = tracelab.trace(lambda x: {"left part": x + 1}, torch.ones(2), strict=False)
    assert "{[''left part'']}" in traced.figure().tikz


def test_a_notebook_shows_the_svg(traced):
    figure = traced.figure()
    assert figure._repr_svg_() == figure.svg


@pytest.mark.parametrize(
    ("name", "start"), [("f.svg", b"<svg"), ("f.pdf", b"%PDF"), ("f.png", b"\x89PNG"), ("F.TEX", b"% In the")]
)
def test_the_ending_says_what_is_written(traced, tmp_path, name, start):
    traced.figure().save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_folder_that_is_not_there_is_one_sentence(traced, tmp_path):
    with pytest.raises(tracelab.TracelabFileError, match=r"cannot write to .*: No such file"):
        traced.figure().save(tmp_path / "no" / "f.svg")


def test_the_fonts_are_in_the_pdf(traced):
    pdf = traced.figure().pdf()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(tmp_path):
    code = (
        "import torch, tracelab, hashlib, sys\n"
        "net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())\n"
        "figure = tracelab.trace(net, torch.ones(2, 4)).figure()\n"
        "for made in (figure.svg.encode(), figure.tikz.encode(), figure.pdf(), figure.png()):\n"
        "    print(hashlib.sha256(made).hexdigest())\n"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0].count("\n") == 4
    assert printed[0] == printed[1]


def test_matplotlib_is_as_it_was(traced):
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib import pyplot

    with matplotlib.rc_context({"font.size": 3.0}):
        before = dict(matplotlib.rcParams)
        traced.figure().pdf()
        assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


def test_without_matplotlib_one_sentence_says_what_to_install(traced, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        tracelab.TracelabError, match=r"a figure as PDF needs matplotlib: pip install 'tracelab\[figures\]'"
    ):
        traced.figure().pdf()


# On the command line -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(traced, tmp_path_factory):
    path = tmp_path_factory.mktemp("figures") / "net.tlab"
    traced.save(path)
    return str(path)


@pytest.mark.parametrize(
    ("option", "start"), [("--svg", b"<svg"), ("--pdf", b"%PDF"), ("--png", b"\x89PNG"), ("--tikz", b"% In the")]
)
def test_show_writes_a_figure(file, tmp_path, option, start, capsys):
    path = tmp_path / "figure"
    assert main(["show", file, option, str(path), "--depth", "1"]) == 0
    assert path.read_bytes().startswith(start)
    assert capsys.readouterr().out == f"the figure: {path}\n"


@pytest.mark.parametrize(("form", "ending"), [("svg", "svg"), ("pdf", "pdf"), ("png", "png"), ("tikz", "tex")])
def test_export_writes_a_figure(file, tmp_path, form, ending, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["export", file, "--to", form, "--orientation", "horizontal"]) == 0
    assert (tmp_path / f"net.{ending}").stat().st_size > 500


def test_a_wrong_root_on_the_command_line_is_one_sentence(file, tmp_path, capsys):
    assert main(["show", file, "--svg", str(tmp_path / "a.svg"), "--root", "no"]) == 2
    assert capsys.readouterr().err.startswith("tracelab: nothing ran in a module 'no': there are first")


class CastingBlock(Block):
    """A block whose result goes through a cast that changes nothing, and whose input does, too."""

    def forward(self, x):
        return super().forward(x.to(torch.float32)).to(x.dtype)


class Positioned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Embedding(9, 8)
        self.blocks = nn.ModuleList([CastingBlock() for _ in range(3)])

    def forward(self, x):
        position_ids = (torch.arange(x.shape[1]) + 1).unsqueeze(0)
        x = x + self.places(position_ids)
        for block in self.blocks:
            x = block(x)
        return x


@pytest.fixture(scope="module")
def positioned():
    return tracelab.trace(Positioned(), torch.ones(2, 5, 8))


def test_what_makes_positions_is_one_box_named_as_in_the_code(positioned):
    assert lines(positioned.figure(depth=1, symbolic=False))[:1] == ["position_ids -> places: int64[1, 5]"]
    assert not {"arange", "unsqueeze"} & set(titles(positioned.figure(depth=5, repeats=False)))


def test_one_operator_that_makes_positions_stands_for_itself():
    def gathered(x):
        return x[torch.arange(3)]

    assert "arange" in titles(tracelab.trace(gathered, torch.ones(5)).figure())


def test_what_makes_several_tensors_from_sizes_alone_is_called_constants():
    def shifted(x):
        rows = torch.arange(x.shape[0]) + 1
        columns = torch.arange(x.shape[1]) + 1
        return x + rows.unsqueeze(1) + columns

    found = titles(tracelab.trace(shifted, torch.ones(2, 3)).figure())
    assert found.count("constants") == 1
    assert "arange" not in found


def test_blocks_that_hand_on_through_what_changes_nothing_are_one(positioned):
    assert "blocks.0 … blocks.2 CastingBlock × 3" in titles(positioned.figure(depth=1))


def test_a_cast_that_changes_nothing_is_no_box(positioned):
    assert "to" not in titles(positioned.figure(depth=5, repeats=False))


def test_a_dropout_that_drops_nothing_is_no_box():
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 4)).eval()
    traced = tracelab.trace(net, torch.ones(2, 4))
    assert lines(traced.figure(depth=2, symbolic=False)) == ["input -> 0", "0 -> 2: 2 × 4", "2 -> output"]
