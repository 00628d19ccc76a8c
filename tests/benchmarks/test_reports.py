"""From the figures of benchmarks to tables and history: right on fixed figures. No times are asserted."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest

from benchmarks import history, report
from benchmarks.measuring import Measurement, against, ratio_of
from benchmarks.record import UnknownRecord, checked, record_of

ROOT = Path(__file__).parents[2]
ROWS = [
    Measurement("tracing", "resnet50", "trace", "ms", 20.44, "torch.jit.trace", 204.4, 0.1),
    Measurement("replay", "chain-1000", "call", "ms", 3.0, "torch.jit.trace", 2.0, 1.5),
    Measurement("replay", "a|b", "call", "ms", 1234.0, "TorchLens", note="TorchLens raises KeyError"),
    Measurement("check", "mlp", "trace with its check", "ms", 6.0, "trace without", 2.0, 3.0, own=True),
    Measurement("files", "open", "growth", "MB", 4.0),
]


def record(ratio=1.5, date="2026-01-01T00:00:00+00:00", commit="0123456789abcdef", **more):
    rows = copy.deepcopy([row.as_json() for row in ROWS])
    rows[1]["ratio"] = ratio
    machine = {"processor": "Made up", "cores": 2, "system": "Linux", "architecture": "x86_64"}
    return {
        "schema": "tracelab.benchmarks",
        "version": 1,
        "size": "quick",
        "date": date,
        "commit": commit,
        "subject": "<b>A commit</b>",
        "machine": machine,
        "versions": {"python": "3.11.0", "torch": "2.13.0"},
        "failed": {"layouts": "node is not there"},
        "measurements": rows,
        **more,
    }


def test_a_table_has_a_line_for_each_figure_and_the_worse_ratio_stands_out():
    assert report.tables(record())["replay.md"] == (
        "| case | what | tracelab | compared with | its figure | ratio |\n"
        "|---|---|---:|---|---:|---:|\n"
        "| chain-1000 | call | 3 ms | torch.jit.trace | 2 ms | **1.50** |\n"
        "| a\\|b | call | 1,234 ms | TorchLens (TorchLens raises KeyError) | – |  |\n"
    )


def test_the_losses_name_the_peers_that_are_better_and_no_costs_of_our_own():
    assert report.tables(record())["losses.md"] == (
        "In 1 of the 2 comparisons of this run a peer is better by more than 5 %:\n\n"
        "| case | what | ratio | better is |\n|---|---|---:|---|\n"
        "| Replay: chain-1000 | call | 1.50 | torch.jit.trace |\n"
    )


def test_without_losses_that_is_said():
    assert "In none of the 2 comparisons" in report.tables(record(ratio=0.9))["losses.md"]


def test_a_peer_that_is_better_by_no_more_than_noise_is_said_apart():
    text = report.tables(record(ratio=1.02))["losses.md"]
    assert "In none of the 2 comparisons of this run is a peer better by more than 5 %." in text
    assert (
        "In 1 more it is better by less, which may be the machine's noise:\n\n- Replay: chain-1000, call (1.02)" in text
    )


def test_memory_that_did_not_grow_is_no_figure():
    rows = [Measurement("check", "many", "peak memory", "MB", 6.9, note="20 inputs of 0.5 MB took 0.0 MB")]
    text = report.tables(record(measurements=[row.as_json() for row in rows]))["check.md"]
    assert "| 20 inputs of 0.5 MB took less than can be measured |" in text


def test_no_heading_of_a_table_is_empty():
    for text in report.tables(record()).values():
        assert "| |" not in text.partition("|---")[0]


def test_the_machine_the_date_the_versions_and_what_failed_stand_above():
    text = report.tables(record())["machine.md"]
    for part in ("2026-01-01", "`--quick`", "`0123456789`", "Made up, 2 cores", "torch 2.13.0", "layouts (node is not"):
        assert part in text


def test_writing_takes_away_the_tables_of_benchmarks_that_are_gone(tmp_path):
    (tmp_path / "old.md").write_text("gone", encoding="utf-8")
    (tmp_path / "benchmarks.json").write_text("{}", encoding="utf-8")
    report.write(record(), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*report.tables(record()), "benchmarks.json"}


def test_the_tables_of_the_page_are_those_of_the_figures_beside_them():
    folder = ROOT / "docs" / "measured"
    data = checked(json.loads((folder / "benchmarks.json").read_text(encoding="utf-8")))
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert there == report.tables(data)
    shown = re.findall(r"include\} measured/(\S+)", (ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))
    assert set(shown) == set(there)


def test_a_record_is_read_back_as_it_was_written():
    data = record_of(ROWS, {"layouts": "why"}, full=False)
    assert checked(json.loads(json.dumps(data))) == data
    assert [Measurement(**row) for row in data["measurements"]] == ROWS
    assert {"python", "torch"} <= set(data["versions"])


@pytest.mark.parametrize("change", [{"schema": "other"}, {"version": 2}])
def test_a_record_of_another_schema_or_version_is_refused(change):
    with pytest.raises(UnknownRecord):
        checked(record(**change))


def test_a_ratio_is_the_median_of_those_of_the_rounds():
    # A slow round slows both: the medians of the times alone would say 10 / 3.
    assert ratio_of([10.0, 1.0, 20.0], [5.0, 2.0, 10.0]) == 2.0


def test_a_peer_that_raises_is_a_note():
    def broken():
        raise KeyError("x")

    (row,) = against("replay", "case", "call", lambda: None, {"peer": broken}, 1)
    assert (row.theirs, row.ratio, row.note) == (None, None, "peer raises KeyError")


def days(*ratios):
    return [record(ratio, f"2026-01-{day:02}T00:00:00+00:00", f"{day:040}") for day, ratio in enumerate(ratios, 1)]


def test_a_growth_of_a_fifth_over_what_was_usual_raises_the_alarm():
    (loud,) = history.alarms(history.series_of(days(1.0, 1.1, 0.9, 1.0, 1.21)))
    assert loud.key == ROWS[1].key
    assert loud.growth == pytest.approx(0.21)


@pytest.mark.parametrize("ratios", [(1.0, 1.0, 1.0, 1.19), (1.0, 1.0, 2.0), (1.0, 1.0, 1.0, 0.2)])
def test_less_growth_a_short_history_and_better_figures_raise_none(ratios):
    assert not history.alarms(history.series_of(days(*ratios)))


def test_a_figure_without_a_peer_is_followed_on_one_machine_only():
    records = days(1.0, 1.0, 1.0, 1.0)
    records[0]["machine"] = {"processor": "Another"}
    points = {series.key: len(series.points) for series in history.series_of(records)}
    assert points[ROWS[1].key] == 4
    assert points[ROWS[4].key] == 3


def test_the_page_draws_each_figure_and_escapes_what_commits_say(tmp_path):
    text = history.page(history.series_of(days(1.0, 1.0, 1.0, 1.0, 2.0)))
    assert text.count("<svg") == len(ROWS)
    assert text.index("class=alarm") < text.index("<h2>Tracing</h2>")
    assert "<b>A commit</b>" not in text
    assert "&lt;b&gt;A commit" in text
    assert text == history.page(history.series_of(days(1.0, 1.0, 1.0, 1.0, 2.0)))


def test_the_command_ends_with_1_where_there_is_an_alarm(tmp_path, capsys):
    for number, data in enumerate(days(1.0, 1.0, 1.0, 1.0, 2.0)):
        (tmp_path / f"{number}.json").write_text(json.dumps(data), encoding="utf-8")
    (tmp_path / "other.json").write_text("[]", encoding="utf-8")
    assert history.main([str(tmp_path), str(tmp_path / "page.html")]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("+100%  Replay: chain-1000, call, against torch.jit.trace: 2 times")
    assert "other.json is left out" in said.err
    assert history.main([str(tmp_path), str(tmp_path / "page.html"), "--alarm", "1.5"]) == 0
