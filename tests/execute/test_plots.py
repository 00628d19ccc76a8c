"""Plots of runs and profiles: the numbers that are drawn."""

from __future__ import annotations

import math
import sys

import pytest
import torch
from torch import nn

import tracelab

pytest.importorskip("matplotlib")


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16))
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.body(x))


WEIGHTS = 4 * (16 * 64 + 64 + 64 * 16 + 16 + 16 * 2 + 2)


@pytest.fixture(scope="module")
def run():
    x = torch.randn(8, 16)
    made = tracelab.trace(Net(), x).run(x, statistics=True, gradients=True)
    made.backward()
    return made


@pytest.fixture(scope="module")
def profile():
    x = torch.randn(8, 16)
    return tracelab.trace(Net(), x).profile(x, repeat=2)


def test_the_memory_that_is_drawn_ends_at_the_peak_of_the_run(run):
    axes = run.plot("memory").axes[0]
    tops = [collection.get_datalim(axes.transData).ymax for collection in axes.collections]
    assert max(tops) == pytest.approx(run.peak_memory / 1024)


def test_the_lowest_layer_of_memory_is_the_weights(run):
    axes = run.plot("memory").axes[0]
    assert axes.collections[0].get_datalim(axes.transData).ymax == pytest.approx(WEIGHTS / 1024)


def test_weights_are_held_to_the_end_of_a_run(run):
    layer = run.plot("memory").axes[0].collections[0]
    heights = {round(float(y), 9) for _, y in layer.get_paths()[0].vertices} - {0.0}
    assert heights == {round(WEIGHTS / 1024, 9)}
    assert all(record.allocated >= WEIGHTS for record in run.records)


def test_the_layers_of_memory_have_names(run):
    legend = run.plot("memory").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["weights", "activations", "freed at the node"]


def test_the_peak_is_told_with_its_line(run):
    (annotation,) = run.plot("memory").axes[0].texts
    at = max(run.records, key=lambda record: record.peak)
    place = f"{at.node.source.short_file}:{at.node.source.line}"
    assert annotation.get_text().endswith(f"{at.node.kind.rpartition('::')[2]}, {place}")


def test_the_unit_of_memory_is_that_of_its_peak(run):
    assert run.plot("memory").axes[0].get_ylabel() == "KiB"
    assert "KiB" in run.plot("memory").axes[0].texts[0].get_text()


def test_a_peak_that_no_line_called_is_told_with_its_module():
    x = torch.ones(2, 4)
    made = tracelab.trace(nn.Sequential(nn.Linear(4, 64), nn.ReLU()), x).run(x)
    (annotation,) = made.plot("memory").axes[0].texts
    assert annotation.get_text().endswith("relu, in 1")


def test_the_only_node_of_a_run_is_drawn_as_wide_as_a_node():
    made = tracelab.trace(torch.exp, torch.ones(64)).run(torch.ones(64))
    axes = made.plot("memory").axes[0]
    limits = [collection.get_datalim(axes.transData) for collection in axes.collections]
    assert {(limit.xmin, limit.xmax) for limit in limits} == {(-0.5, 0.5)}
    assert axes.get_xlim() == (-0.5, 0.5)


def test_the_table_of_a_run_has_the_numbers_of_its_plots(run):
    pytest.importorskip("pandas")
    table = run.to_pandas()
    mean, spread, _, norms = run.plot("statistics").axes
    assert list(table["weights"]) == [WEIGHTS] * len(run.records)
    assert list(table["mean"]) == list(mean.lines[0].get_ydata())
    assert list(table["std"]) == list(spread.lines[0].get_ydata())
    assert list(table["gradient_norm"]) == list(norms.lines[0].get_ydata())


def test_bars_of_time_are_as_wide_as_the_time_of_their_modules(run):
    axes = run.plot("time").axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    whole = sum(record.seconds for record in run.records) * 1e3
    # The root, and of the modules in it body (of three) and head.
    assert len(widths) == 6
    assert widths[0] == pytest.approx(whole)
    levels = [round(bar.get_y() + bar.get_height() / 2) for bar in axes.patches]
    assert sum(width for width, level in zip(widths, levels, strict=True) if level == 1) == pytest.approx(whole)


def test_statistics_are_those_of_the_records(run):
    mean, spread, zeros, _ = run.plot("statistics").axes
    found = [next(iter(record.statistics.values())) for record in run.records]
    assert list(mean.lines[0].get_ydata()) == [item.mean for item in found]
    assert list(spread.lines[0].get_ydata()) == [item.std for item in found]
    assert list(zeros.lines[0].get_ydata()) == [100 * item.zeros / item.count for item in found]


def test_gradient_norms_are_drawn_after_backward(run):
    norms = run.backward()
    drawn = run.plot("statistics").axes[3].lines[0].get_ydata()
    assert list(drawn) == [norms[record.node.outputs[0]].norm for record in run.records]


def statistics(function, x):
    return tracelab.trace(function, x).run(x, statistics=True).plot("statistics").axes


def test_statistics_of_whole_numbers_are_left_out_where_there_are_others():
    mean, *_ = statistics(lambda x: torch.arange(3) * 1000 + x.exp(), torch.zeros(3))
    assert list(mean.lines[0].get_xdata()) == [2, 3]


def test_statistics_of_whole_numbers_alone_are_drawn():
    mean, *_ = statistics(lambda x: x + 1, torch.ones(3, dtype=torch.int64))
    assert list(mean.lines[0].get_ydata()) == [2.0]


def test_empty_tensors_have_no_point():
    mean, *_ = statistics(lambda x: torch.cat([torch.empty(0) * 2, x.exp()]), torch.zeros(2))
    drawn = list(mean.lines[0].get_ydata())
    assert drawn == [1.0, 1.0]


def test_a_node_that_made_nan_is_marked_and_the_line_has_a_gap():
    mean, *_ = statistics(lambda x: (x - 2).log().relu(), torch.ones(2))
    line, marks = mean.lines
    assert [math.isnan(y) for y in line.get_ydata()] == [False, True, True]
    assert list(marks.get_xdata()) == [1, 2]
    assert [text.get_text() for text in mean.get_legend().get_texts()] == ["NaN or infinity"]


def test_shares_of_zeros_begin_at_nothing():
    _, spread, zeros = statistics(torch.exp, torch.ones(3))
    assert spread.get_ylim()[0] == 0
    assert zeros.get_ylim() == (0, 1)


def test_labels_are_inside_of_the_figure():
    net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 2))
    x = torch.randn(4, 16)
    figure = tracelab.trace(net, x).run(x, statistics=True).plot("statistics")
    figure._repr_png_()
    assert all(axes.yaxis.label.get_window_extent().x0 >= 0 for axes in figure.axes)


def test_a_run_without_data_says_that_it_has_no_statistics():
    made = tracelab.trace(Net(), torch.ones(2, 16)).run(torch.ones(2, 16), device="meta", statistics=True)
    with pytest.raises(tracelab.TracelabError, match="a run without data has no statistics"):
        made.plot("statistics")


def test_without_gradients_there_is_no_plot_of_them():
    made = tracelab.trace(Net(), torch.ones(2, 16)).run(torch.ones(2, 16), statistics=True)
    assert len(made.plot("statistics").axes) == 3


def test_without_statistics_one_sentence_says_how_to_get_them():
    made = tracelab.trace(Net(), torch.ones(2, 16)).run(torch.ones(2, 16))
    with pytest.raises(tracelab.TracelabError, match="run it with statistics=True"):
        made.plot("statistics")


def test_the_points_of_the_roofline_are_operations_by_byte_and_by_second(profile):
    axes = profile.plot("roofline").axes[0]
    drawn = sorted(tuple(point) for scatter in axes.collections for point in scatter.get_offsets().tolist())
    rows = [row for row in profile.nodes if row.flops]
    expected = sorted((row.flops / row.bytes, row.flops / row.seconds / 1e9) for row in rows)
    assert drawn == [pytest.approx(point) for point in expected]


def test_the_roof_is_the_peak_of_the_device(profile):
    roof = profile.plot("roofline").axes[0].lines[0].get_ydata()
    assert roof[1] == roof[2] == pytest.approx(profile.peak.flops / 1e9)


def test_names_of_points_do_not_cover_each_other(profile):
    figure = profile.plot("roofline")
    figure._repr_png_()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 3
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])


def test_ticks_of_the_roofline_are_plain_numbers(profile):
    figure = profile.plot("roofline")
    figure._repr_png_()
    ticks = [tick.get_text() for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis) for tick in axis.get_ticklabels()]
    assert all(float(tick) > 0 for tick in ticks)


def test_a_profile_without_products_has_no_roofline():
    profile = tracelab.trace(torch.exp, torch.ones(2)).profile(torch.ones(2), repeat=1)
    with pytest.raises(tracelab.TracelabError, match="no matrix product"):
        profile.plot("roofline")


def test_the_icicle_is_as_wide_as_the_profile(profile):
    assert profile.plot("icicle").axes[0].patches[0].get_width() == pytest.approx(profile.seconds * 1e3)


def test_a_plot_that_is_none_is_refused(run, profile):
    with pytest.raises(tracelab.InputError, match="no plot 'pie': there are memory, time, statistics"):
        run.plot("pie")
    with pytest.raises(tracelab.InputError, match="no plot 'pie': there are icicle, roofline"):
        profile.plot("pie")


def test_pyplot_knows_of_no_plot(run, profile):
    from matplotlib import pyplot, rcParams

    before = dict(rcParams)
    for made in (run.plot("memory"), run.plot("time"), run.plot("statistics"), profile.plot("roofline")):
        assert made._repr_png_().startswith(b"\x89PNG")
    assert pyplot.get_fignums() == []
    assert dict(rcParams) == before


def test_without_matplotlib_one_sentence_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(tracelab.TracelabError, match=r"a plot needs matplotlib: pip install 'tracelab\[plots\]'"):
        run.plot("memory")
