"""Random programs that read and write tensors by every kind of index, as Python source.

Each line is made for the tensors that the lines before it left, at the example's sizes. A line may raise there: it is
the last one then, and the trace has to raise as well.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch
from torch import Tensor

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


class Whole:
    """A whole number of a class of its own."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"Whole({self.number})"


STARTS = ["x * 1", "x * 1", "x.clone()", "(x * 1).transpose(0, -1)", "(x * 1)[None]", "(x * 1)[..., ::2]"]
NAMES = {"torch": torch, "np": numpy, "Whole": Whole}


@dataclass
class IndexProgram:
    """A function of a tensor, a number, a table of indices and a flag, and the inputs to run it on."""

    seed: int
    inputs: list[Inputs]
    """The example's, and those of two replays."""
    lines: list[str] = field(default_factory=list)
    start: str = "x * 1"
    names: list[str] = field(default_factory=lambda: ["y"])

    def __str__(self) -> str:
        body = "\n".join(f"    {line}" for line in self.lines)
        shapes = ", ".join(str(tuple(x.shape)) for x, *_ in self.inputs)
        return f"# seed {self.seed}: {shapes}\n{self.source(body)}"

    def source(self, body: str) -> str:
        made = [name for name in self.names if name == "y" or any(line.split(" ")[0] == name for line in self.lines)]
        return f"def program(x, k, j, b):\n    y = {self.start}\n{body}\n    return {', '.join(made)},\n"

    @property
    def function(self) -> Callable[..., Any]:
        space: dict[str, Any] = dict(NAMES)
        exec(self.source("\n".join(f"    {line}" for line in self.lines)), space)
        program: Callable[..., Any] = space["program"]
        return program


def index_programs(seeds: range) -> Iterator[IndexProgram]:
    return map(index_program, seeds)


def index_program(seed: int) -> IndexProgram:
    draw = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    rank = draw.choice([0, 1, 2, 2, 3, 3, 3, 4])
    kind = draw.choice([torch.float32] * 4 + [torch.float64, torch.int64, torch.int64, torch.bool, torch.complex64])
    inputs = [_inputs(draw, generator, rank, kind, least) for least in (1, 1, 0)]
    program = IndexProgram(seed, inputs, start=draw.choice(STARTS if rank else ["x * 1"]))
    x, k, j, b = program.inputs[0]
    space: dict[str, Any] = {**NAMES, "x": x, "k": k, "j": j, "b": b}
    exec(f"y = {program.start}", space)
    for _ in range(draw.choice([1, 1, 2, 2, 3])):
        if not _add_line(program, draw, space):
            break
    return program


def _add_line(program: IndexProgram, draw: random.Random, space: dict[str, Any]) -> bool:
    """Add one line, most often one that runs; false after one that raises."""
    while True:
        name = draw.choice(program.names)
        maker = Line(draw, space[name], name)
        if draw.random() < 0.2:
            maker = _part(maker, space) or maker
        line = maker.written(f"z{len(program.names)}")
        code = compile(line, "<line>", "exec")
        try:
            exec(code, space)
        except Exception:
            if draw.random() < 0.9:
                continue
            program.lines.append(line)
            return False
        program.lines.append(line)
        made = line.split(" ")[0]
        if made.isidentifier():
            program.names.append(made)
        return True


def _part(line: Line, space: dict[str, Any]) -> Line | None:
    """For a line that indexes twice: `y[1:][0] = 2`."""
    part = f"{line.name}[{line.index()}]"
    try:
        return Line(line.draw, eval(part, space), part)
    except Exception:
        return None


def _inputs(draw: random.Random, generator: torch.Generator, rank: int, kind: torch.dtype, least: int) -> Inputs:
    size = [draw.choice([least, 1, 2, 3, 3, 4, 5]) for _ in range(rank)]
    x = (torch.randn(size, generator=generator) * 3).to(kind)
    table = torch.tensor([draw.choice([0, 0, -1, 1]) for _ in range(draw.randint(1, 3))])
    return x, torch.tensor(draw.choice([0, 0, -1, 1])), table, torch.tensor(draw.random() < 0.7)


class Line:
    """One line that reads or writes the tensor called `name`."""

    def __init__(self, draw: random.Random, tensor: Tensor, name: str) -> None:
        self.draw = draw
        self.tensor = tensor
        self.name = name

    def written(self, new: str) -> str:
        place = f"{self.name}[{self.index()}]"
        form = self.draw.choice(["read", "read", "write", "write", "write", "add"])
        if form == "read":
            return f"{new} = {place}"
        if form == "add":
            return f"{place} {self.draw.choice(['+=', '*=', '-='])} {self.draw.choice(['1', '2', place, 'k'])}"
        return f"{place} = {self.value(place)}"

    # Values ------------------------------------------------------------------------------------------------

    def value(self, place: str) -> str:
        one = self.draw.choice([f"{place}", f"{place} * 2", f"{place}.sum()", f"{place}[..., :1]"])
        size = f"{self.name}.numel()"
        return self.draw.choice(
            [
                *(
                    "2",
                    "-1.5",
                    "True",
                    "np.int64(3)",
                    "np.float64(0.5)",
                    size,
                    f"{size} / 3",
                    "k.item()",
                    "float('nan')",
                ),
                *("k", "b", "torch.tensor(2.5)", "torch.tensor([[[7]]])", "x.sum()", "[1]", "2j", "np.array(1)"),
                *(one, one, one, f"({one})[None]", f"({one})[None, None]", f"({place})[None, None, None] * 3"),
                *(f"({one}).double()", f"({one}).to(torch.int32)", f"torch.ones_like({place})[None]"),
                *(f"{place}.flip(0)", f"torch.arange(float({self.name}.dim())).sum()", "torch.ones(1, 1, 1, 1, 1)"),
                f"{self.name}.new_ones(1, 1, {size if self.tensor.dim() < 2 else f'{self.name}.size(-1)'})",
            ]
        )

    # Indices -----------------------------------------------------------------------------------------------

    def index(self) -> str:
        """Entries for some of the dimensions, with an ellipsis, None and bools between them."""
        entries: list[str] = []
        dim = 0
        ellipsis = self.draw.random() < 0.25
        used = self.draw.randint(0, self.tensor.dim()) if self.draw.random() < 0.95 else self.tensor.dim() + 1
        while dim < used or not entries:
            what = self.draw.random()
            if what < 0.1 or self.tensor.dim() == 0:
                entries.append(self.draw.choice(["None", "None", "True", "False", "b", "b[None][0].to(torch.uint8)"]))
                if self.tensor.dim() == 0:
                    break
                continue
            if ellipsis and what < 0.3:
                entries.append("...")
                dim += self.tensor.dim() - used
                used, ellipsis = self.tensor.dim(), False
                continue
            entry, taken = self.entry(dim)
            entries.append(entry)
            dim += taken
        if self.draw.random() < 0.05:
            entries.append("None")
        if len(entries) == 1:
            return entries[0] if self.draw.random() < 0.8 else f"{entries[0]},"
        if self.draw.random() < 0.04:
            return f"[{', '.join('slice(1, None)' if ':' in entry else entry for entry in entries)}]"
        return ", ".join(entries)

    def entry(self, dim: int) -> tuple[str, int]:
        what = self.draw.choice(["slice", "slice", "number", "list", "table", "mask"])
        if what == "mask":
            return self.mask(dim)
        if what == "slice":
            return self.slice(dim), 1
        return (self.number(dim) if what == "number" else self.list(dim) if what == "list" else self.table(dim)), 1

    def size(self, dim: int) -> str:
        return f"{self.name}.size({dim})" if dim < self.tensor.dim() else f"{self.name}.numel()"

    def number(self, dim: int) -> str:
        size = self.size(dim)
        plain = str(self.draw.choice([0, 0, 0, 1, -1, -1, 2, -2, 7]))
        return self.draw.choice(
            [
                *(plain, plain, "k", "k.item()", f"{size} - 1", f"{size} // 2", f"-{size}", f"np.int64({plain})"),
                *(f"Whole({plain})", "k.to(torch.int16)", "j[0]", f"np.array({plain})", f"torch.tensor({plain})"),
            ]
        )

    def slice(self, dim: int) -> str:
        if self.draw.random() < 0.3:
            return ":"
        step = self.draw.choice(["", "", "", ":", ":1", ":2", ":3", ":np.int64(2)", ":k * k + 1", f":{self.size(dim)}"])
        return f"{self.bound(dim)}:{self.bound(dim)}{step}"

    def bound(self, dim: int) -> str:
        size = self.size(dim)
        plain = str(self.draw.choice([0, 1, 2, 3, 5, -1, -2, -3, -7, 10**30]))
        return self.draw.choice(
            [
                *("", "", "", plain, plain, plain, f"{size} // 2", f"{size} - 1", f"-({size} // 2)", size, "k", "b"),
                *("k.item()", "k[None]", f"np.int64({min(int(plain), 9)})", f"Whole({plain})", f"{size} + 2", "True"),
            ]
        )

    def list(self, dim: int) -> str:
        few = [self.draw.choice([0, 0, 0, -1, 1]) for _ in range(self.draw.choice([1, 2, 2, 3]))]
        size = self.size(dim)
        length = self.tensor.size(dim) if dim < self.tensor.dim() else 2
        flags = [self.draw.random() < 0.5 for _ in range(length)]
        return self.draw.choice(
            [
                *(str(few), str(few), str((*few, 0)), f"range({len(few) - 1})", f"np.array({few})", "[]"),
                *(f"[{few}, {few}]", f"[[{few[0]}], [0]]", f"[{size} - 1, 0]", f"[[{size} // 2, -1], [0, 0]]"),
                *("[k, 0]", "[k.item(), -1]", "[[k], [0]]", "[j[0].item()]", "[0.5, 0.2]", f"[np.int64({few[0]})]"),
                *(
                    f"np.array({flags})",
                    f"{flags}",
                    f"np.array({few}, dtype=np.int32)",
                    "np.array([[0], [-1]])[::-1].copy()",
                ),
            ]
        )

    def table(self, dim: int) -> str:
        size = self.size(dim)
        return self.draw.choice(
            [
                *(
                    "j",
                    "j",
                    "j[:1]",
                    "j[:, None]",
                    "j[None]",
                    "j.int()",
                    "torch.tensor([0, -1])",
                    "torch.tensor([[0], [-1]])",
                ),
                *(f"torch.arange({size})", f"torch.arange({size}).flip(0)", f"torch.arange({size} // 2)", "j[j > 5]"),
                f"torch.arange({size})[:, None]",
            ]
        )

    def mask(self, dim: int) -> tuple[str, int]:
        left = self.tensor.dim() - dim
        if left < 1:
            return "b", 1
        count = self.draw.randint(1, min(left, 2))
        others = [other for other in range(self.tensor.dim()) if not dim <= other < dim + count]
        values = f"{self.name}.sum({others})" if others else self.name
        counted = " + ".join(
            f"torch.arange({self.size(dim + place)})" + "[:, None]" * (count - 1 - place) for place in range(count)
        )
        made = self.draw.choice([f"({values} > 0)", f"({values} > 0)", f"({counted} > 0)", f"(({counted}) % 2 == 0)"])
        return made + self.draw.choice(["", "", "", "", ".to(torch.uint8)"]), count
