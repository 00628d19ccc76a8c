"""Libraries take the numbers of a traced cell, read from a tensor or its size, as they take plain ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy
import pandas
import pytest
import torch

import tracelab

BEFORE = """
import array, bisect, collections, datetime, heapq, io, itertools, json, math, random, re, sqlite3, struct, textwrap
import decimal, fractions, zlib
from collections import Counter, OrderedDict, deque
import numpy as np, pandas as pd
places = torch.tensor([1, 2, 3, 0])
grid = torch.ones(3, 4)
values = torch.tensor([5.0, 3.0, 9.0])
table = pd.DataFrame({"a": np.arange(8), "b": np.arange(8.0)})
column = pd.Series(np.arange(8.0))
words = list("abcdefgh")
def rows():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table found (k)")
    connection.executemany("insert into found values (?)", [(n,), (n + 1,)])
    return connection.execute("select k from found where k <= ?", (n,)).fetchall()
def filled():
    other = table.copy()
    other["c"] = n
    other.loc[0, "a"] = n
    return other
"""
WHOLE = """
table.head(n)|table.tail(n)|table.iloc[n]|table.iloc[:n]|table.iloc[n, 0]|table.loc[n, "a"]|table.at[n, "b"]
table.sample(n, random_state=n)|table.nlargest(n, "a")|table.rolling(n).mean()|table.shift(n)|table.diff(n)
table.assign(c=n)|table.clip(n, 5)|table.round(n)|table.replace(n, 7)|table.set_index("a").loc[n]|filled()
column[n]|column.iloc[n]|column.rolling(window=n, min_periods=n).sum()|column.where(column > n, n)
pd.Series(n, index=[0, 1])|pd.date_range("2020-01-01", periods=n)|pd.Timedelta(days=n)|pd.Timestamp(2020, n, n)
pd.RangeIndex(n)|pd.qcut(table.a, n)|pd.to_numeric([n])|pd.api.types.is_integer(n)
np.random.default_rng(n).normal(size=n)|np.random.RandomState(0).permutation(n)|np.datetime64(n, "D")
np.percentile(table.to_numpy(), n)|np.eye(n)|np.histogram(column, bins=n)[0]
deque(words, maxlen=n)|Counter([n, n, 1])|Counter({n: 2})|OrderedDict([(n, 1)])|json.dumps({n: 1})|{n: "a"}
heapq.nlargest(n, words)|Counter(words).most_common(n)|bisect.bisect([1, 2, 5], n)
random.Random(0).sample(words, n)|list(itertools.permutations(range(4), n))[:3]|list(itertools.islice(words, n))
decimal.Decimal(n) / 7|datetime.timedelta(days=1) * n|fractions.Fraction(n, 7)|math.ldexp(1.5, n)|pow(3, n, 5)
"%0*d" % (n, 7)|struct.pack("i", n)|array.array("i", [n])|bytes(n)|n.to_bytes(2, "big")
rows()|zlib.compress(b"abc", n)|re.sub("a", "b", "aaaaa", count=n)|textwrap.wrap("a b c d e", width=n)
type(n) is int|n == 3|n in (1, 5)|not n|[k for k in range(6) if k > n]|list(filter(lambda k: k < n, range(6)))
io.BytesIO(b"abcdef").read(n)|words[n]|words[:n]|"ab" * n|f"{n:>4}"|list(range(n))
"""
READS = {"number": "n = places.max().item()", "size": "n = grid.shape[0]", "count": "n = grid.numel() // 4"}


@pytest.fixture
def shell(shell):
    assert shell.run(BEFORE).error is None
    return shell


def expressions(text: str) -> list[str]:
    return [part for line in text.strip().splitlines() for part in line.split("|")]


def same(mine: Any, theirs: Any) -> bool:
    if type(mine) is not type(theirs):
        return False
    if isinstance(mine, pandas.DataFrame):
        return mine.equals(theirs) and list(mine.dtypes) == list(theirs.dtypes)
    if isinstance(mine, (pandas.Series, pandas.Index)):
        return mine.equals(theirs) and mine.dtype == theirs.dtype
    if isinstance(mine, numpy.ndarray):
        return mine.dtype == theirs.dtype and numpy.array_equal(mine, theirs)
    return repr(mine) == repr(theirs)


def traces_as_it_runs(shell, cell: str) -> None:
    """Check that a traced cell leaves in `found` what the plain one does, and warns of nothing."""
    assert shell.run(cell).error is None
    wanted = shell.space.pop("found")
    shell.trace(cell)
    assert same(shell.space["found"], wanted)
    assert [str(warning) for warning in shell.graph.warnings] == []


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("expression", expressions(WHOLE))
def test_a_library_takes_a_whole_number(shell, read, expression):
    traces_as_it_runs(shell, f"{READS[read]}\nfound = {expression}")


@pytest.mark.parametrize(
    "expression",
    expressions("""
pd.Timedelta(seconds=v)|pd.to_timedelta(v, unit="s")|pd.to_numeric([v])|table.assign(c=v)|table.clip(v, 9)
column.where(column > v, v)|column.replace(0.0, v)|column.quantile(v / 10)|np.percentile(column, v)
heapq.nlargest(1, [v, 1.0])|type(v) is float|v.imag|decimal.Decimal(v)|random.Random(v).random()|v > 3 and v < 9|v * 1j
"""),
)
def test_a_library_takes_a_fraction(shell, expression):
    traces_as_it_runs(shell, f"v = values.mean().item()\nfound = {expression}")


def test_a_table_that_the_cell_makes_itself_takes_a_number(shell):
    shell.trace("n = places.max().item()\nmade = pd.DataFrame({'a': range(9)})\nfirst = made.diff(n).head(n)")
    assert len(shell.space["first"]) == 3


def test_a_number_that_a_table_takes_and_a_tensor_is_told_where_it_is_given_to_the_tensor(shell):
    shell.trace("n = places.max().item()\nfirst = table.head(n)\npart = grid[:, :n]")
    (warning,) = shell.graph.warnings
    assert warning.source.text.strip() == "part = grid[:, :n]"


def test_only_the_size_that_a_table_takes_is_assumed(shell):
    shell.trace(
        "count, width = grid.shape\nfirst = table.head(width)\npart = grid[:, :width]\n"
        "sums = grid.sum(1).reshape(1, count)"
    )
    trace = shell.space["_trace"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert trace(torch.ones(5, 4))["sums"].shape == (1, 5)
    with pytest.warns(tracelab.AssumptionWarning):
        trace(torch.ones(4, 6))


@pytest.mark.parametrize(
    "made",
    ["nn.Linear(grid.shape[1], 2)", "nn.Sequential(nn.Linear(grid.size(-1), 3), nn.Linear(3, 2))"],
)
def test_modules_that_are_made_for_a_size_warn_of_nothing_and_assume_that_size(shell, made):
    shell.trace(f"net = {made}\nout = net(grid)")
    assert shell.graph.warnings == []
    trace = shell.space["_trace"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert trace(torch.ones(7, 4)).shape == (7, 2)
    told = [item for item in shell.graph.assumptions if item.kind == "number"]
    assert [item.constant for item in told] == [4]


def test_a_data_set_and_its_loader_that_a_cell_makes_warn_of_nothing(shell):
    shell.trace(
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "for xb, yb in DataLoader(TensorDataset(grid, torch.zeros(3)), batch_size=2):\n    z = xb + yb[:, None]"
    )
    assert shell.graph.warnings == []


def test_a_value_that_a_function_reads_from_a_variable_of_the_notebook_is_told_there(shell):
    shell.run("def scaled(x):\n    return x * factor")
    shell.trace("factor = float(values.mean())\ny = scaled(grid)")
    (warning,) = shell.graph.warnings
    assert warning.source.text.strip() == "return x * factor"
    with pytest.warns(tracelab.AssumptionWarning):
        shell.space["_trace"](**{"values": torch.ones(3), "grid": torch.ones(3, 4)})


def test_tensors_that_a_number_chooses_are_told(shell):
    shell.trace("n = places.max().item()\nchosen = [t for t in [grid, values] if t.dim() < n]")
    (warning,) = shell.graph.warnings
    assert "decides what runs here" in str(warning)
