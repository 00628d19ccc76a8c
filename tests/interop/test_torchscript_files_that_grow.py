"""Small TorchScript files that would overflow torch's stack, or keep it busy for ever, are refused in one sentence."""

from __future__ import annotations

import collections
import io
import re
import time
import zipfile
from typing import NamedTuple

import pytest
import torch
from torch import nn

import tracelab
from tracelab import TracelabFileError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return x + self.w


@pytest.fixture(scope="module")
def entries():
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(Net()), file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def named(entries, ending):
    return next(name for name in entries if name.endswith(ending))


def archive_of(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_code(entries, lines, more="", files=()):
    """The archive with these lines as the body of `forward`, more methods, and more files of code."""
    name = next(name for name in entries if re.search(r"code/.*\.py$", name))
    head = re.match(r"(?s).*?def forward\(.*?\) -> Tensor:\n", entries[name].decode())[0]
    body = "".join(f"    {line}\n" for line in lines)
    root = name.partition("/")[0]
    own = re.search(r"self: ([\w.]+)", head)[1]
    extra = {f"{root}/code/{path}": text.encode() for path, text in dict(files).items()}
    return archive_of({**entries, name: (head + body + more.replace("SELF", own)).encode(), **extra})


def refused(content, sentence):
    with pytest.raises(TracelabFileError, match=sentence) as error:
        tracelab.read(io.BytesIO(content))
    assert "\n" not in str(error.value)


DEEP = {
    "lists": ["y = " + "[" * 5000 + "]" * 5000, "return x"],
    "brackets": ["return " + "(" * 3000 + "x" + ")" * 3000],
    "calls": ["return " + "torch.neg(" * 3000 + "x" + ")" * 3000],
    "words": ["y = " + "not " * 3000 + "True", "return x"],
    "signs": ["return " + "-" * 30000 + "x"],
    "sums": ["return x" + " + x" * 30000],
    "members": ["return self" + ".w" * 30000],
    "items": ["return x" + "[0]" * 30000],
    "choices": ["return " + "x if True else " * 3000 + "x"],
    "elifs": ["if True:", "  y = x", *["elif True:", "  y = x"] * 3000, "else:", "  y = x", "return y"],
    "blocks": [*["  " * i + "if True:" for i in range(1500)], "  " * 1500 + "y = x", "return x"],
    "a type": ["y: " + "List[" * 3000 + "int" + "]" * 3000 + " = []", "return x"],
}


@pytest.mark.parametrize("kind", DEEP)
def test_code_that_is_nested_too_deeply(kind, entries):
    refused(with_code(entries, DEEP[kind]), "in code/.*, its code is (nested too deeply|none that torch writes)")


@pytest.mark.parametrize(
    "pickle",
    [
        b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".",
        b"\x80\x02N" + b"\x85" * 200_000 + b".",
        b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
        b"\x80\x02" + b"}N" * 100_000 + b"N" + b"s" * 99_999 + b"s.",
        # Each list is put into the one before it while it is still empty.
        b"\x80\x02]r\0\0\0\0"
        + b"".join(
            b"j" + (i - 1).to_bytes(4, "little") + b"]r" + i.to_bytes(4, "little") + b"a" for i in range(1, 60_000)
        )
        + b".",
    ],
    ids=["lists", "tuples", "marks", "dicts", "lists by memo"],
)
@pytest.mark.parametrize("entry", ["data.pkl", "constants.pkl"])
def test_a_pickle_that_is_nested_too_deeply(pickle, entry, entries):
    refused(archive_of({**entries, named(entries, "/" + entry): pickle}), f"in {entry}, it ")


def test_a_structure_that_holds_itself(entries):
    pickle = b"\x80\x02]q\0h\0a."
    refused(archive_of({**entries, named(entries, "/data.pkl"): pickle}), "a structure in it holds itself")


def functions(depth):
    lines = [f"  _0 = __torch__.fns.f{i - 1}\n  return _0(_0(a, ), )\n" for i in range(1, depth)]
    bodies = ["  return torch.neg(a)\n", *lines]
    text = "".join(f"def f{i}(a: Tensor) -> Tensor:\n{body}" for i, body in enumerate(bodies))
    return [f"_0 = __torch__.fns.f{depth - 1}", "return _0(x, )"], "", {"__torch__/fns.py": text}


def methods(depth):
    bodies = [
        "torch.neg(a)",
        *(f"(self).m{i}((self).m{i}(a, ), )" for i in range(depth - 1)),
    ]
    text = "".join(
        f"  def m{i}(self: SELF,\n    a: Tensor) -> Tensor:\n    return {body}\n" for i, body in enumerate(bodies)
    )
    return [f"return (self).m{depth - 1}(x, )"], text, {}


@pytest.mark.parametrize("made", [functions, methods])
@pytest.mark.parametrize("depth", [16, 40])
def test_calls_that_grow_without_bound(made, depth, entries):
    start = time.perf_counter()
    refused(with_code(entries, *made(depth)), "instructions once its calls are followed")
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize("made", [functions, methods])
def test_calls_that_grow_a_little_are_read(made, entries):
    graph = tracelab.read(io.BytesIO(with_code(entries, *made(6))))
    assert [node.kind for node in graph.nodes] == ["aten::neg"] * 32


def named_tuples(depth):
    kinds = ["Tensor", *(f"__torch__.nt.P{i}" for i in range(depth - 1))]
    text = "".join(f"class P{i}(NamedTuple):\n  a : {kind}\n  b : {kind}\n" for i, kind in enumerate(kinds))
    lines = [
        f"_{i} = __torch__.nt.P{i}({f'_{i - 1}' if i else 'x'}, {f'_{i - 1}' if i else 'x'}, )" for i in range(depth)
    ]
    return [*lines, "return x"], "", {"__torch__/nt.py": text}


@pytest.mark.parametrize(
    "made",
    [
        (["x = (x, x)"] * 60 + ["return x"],),
        (["if True:"] + ["  x = (x, x)"] * 60 + ["return x"],),
        (["y = (x, [x])", *["y = ([y], y)"] * 60, "return x"],),
        (["y, z = x, x", *["y, z = (z, y), (y, z)"] * 60, "return x"],),
        named_tuples(40),
    ],
)
def test_types_that_grow_without_bound(made, entries):
    refused(with_code(entries, *made), "its code makes a type of too many parts")


def test_lists_that_grow_without_bound(entries):
    lines = ["y = [x]", *["y = torch.add(y, y)"] * 40, "return y[0]"]
    refused(with_code(entries, lines), "the script makes a list of more than 1,000,000 items")


def test_lists_of_one_list_that_grow_without_bound(entries):
    lines = ["y0 = [x]"]
    for i in range(40):
        lines += [f"y{i + 1} = [y{i}]", f"_{i} = torch.append(y{i + 1}, y{i})"]
    refused(with_code(entries, [*lines, "return x"]), "the script makes a structure of more than 1,000,000 items")


@pytest.mark.parametrize("line", ["s = torch.add(s, s)", "n = torch.mul(n, n)"])
def test_texts_and_numbers_that_grow_are_no_constants(line, entries):
    start = time.perf_counter()
    lines = ['s = "aaaaaaaa"', "n = 12345", *[line] * 60, "return x"]
    with_bound = with_code(entries, lines)
    tracelab.read(io.BytesIO(with_bound))
    assert time.perf_counter() - start < 60


class Pair(NamedTuple):
    first: torch.Tensor
    second: tuple[torch.Tensor, torch.Tensor]


class Usual(nn.Module):
    """What people write: members with words of Python's, named tuples, text with brackets, nested blocks."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleDict({"try": nn.Linear(3, 3), "lambda": nn.ReLU()})
        self.layers = nn.ModuleList([nn.Linear(3, 3) for _ in range(4)])

    def forward(self, x):
        text = "([{([{([{" + "'\"\\"
        for part in self.parts.values():
            x = part(x)
        for layer in self.layers:
            x = layer(x) + len(text)
        pair = Pair(x, (x, x * 2))
        return pair.first, pair.second, [x] * 3, {"a": (x, text)}


def test_usual_code_is_read_as_before():
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(Usual()), file)
    graph = tracelab.read(io.BytesIO(file.getvalue()))
    kinds = collections.Counter(node.kind for node in graph.nodes)
    assert kinds["aten::linear"] == 5


def test_deep_modules_are_read_as_before():
    net = nn.ReLU()
    for _ in range(40):
        net = nn.Sequential(net)
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(net), file)
    assert [node.kind for node in tracelab.read(io.BytesIO(file.getvalue())).nodes] == ["aten::relu"]


# What may run ----------------------------------------------------------------------------------------------


def test_an_operator_that_is_allowed_runs(entries, tmp_path):
    (tmp_path / "numbers").write_bytes(torch.arange(10.0).numpy().tobytes())
    content = with_code(entries, [f'return torch.from_file("{tmp_path}/numbers", False, 10)'])
    with pytest.raises(tracelab.TracelabError, match=r"load it with allow=\{'aten::from_file'\}"):
        tracelab.read(io.BytesIO(content)).to_callable()(torch.ones(3))
    graph = tracelab.read(io.BytesIO(content), allow={"aten::from_file"})
    assert graph.to_callable()(torch.ones(3)).tolist() == list(range(10))


def test_words_of_torchs_own_faults_are_no_reason(entries, monkeypatch):
    def fails(content):
        raise RuntimeError("isTuple() INTERNAL ASSERT FAILED at ivalue.h:1234, please report a bug to PyTorch.")

    monkeypatch.setattr("tracelab.compat.script.read", fails)
    with pytest.raises(TracelabFileError, match="cannot be read: torch's reader gives up on it") as error:
        tracelab.read(io.BytesIO(archive_of(entries)))
    assert "ASSERT" not in str(error.value)
