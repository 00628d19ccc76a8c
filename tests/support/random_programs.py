"""Random programs: modules whose `forward` writes in place, takes views, calls opaque code and changes modes.

A program is made line by line, and each line runs as it is made, so that only lines that run are kept. What a program
does is then observed from outside: results, dtypes, gradients, aliasing, what its inputs and its module hold, and the
random state that it leaves.
"""

from __future__ import annotations

import linecache
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import tracelab
from support.observed_calls import calm, observed_call, part_in_autograd
from support.shrinking import shrunk_lines
from tracelab.execute.module import ReplayModule, mirror
from tracelab.graph import Graph

# Opaque calls ----------------------------------------------------------------------------------------------------


class Both(torch.autograd.Function):
    """Two results in memory of their own."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y, x + y

    @staticmethod
    def backward(ctx, product, total):
        x, y = ctx.saved_tensors
        return (product * y + total).sum_to_size(x.shape), (product * x + total).sum_to_size(y.shape)


class Same(torch.autograd.Function):
    """Gives back its input."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


class ViewOfSecond(torch.autograd.Function):
    """The second result is a view of the second argument."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.shape = y.shape
        return x * 2, y.view(-1)

    @staticmethod
    def backward(ctx, first, second):
        return first * 2, second.reshape(ctx.shape)


class WritesFirst(torch.autograd.Function):
    """Writes into its argument and gives it back."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.add_(1)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class WritesSecond(torch.autograd.Function):
    """Writes into its second argument, and gives it back as the second result."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.mark_dirty(y)
        y.mul_(2)
        return x + 1, y

    @staticmethod
    def backward(ctx, first, second):
        return first, second * 2


class WritesUnsaid(torch.autograd.Function):
    """Writes into its second argument, and tells nobody."""

    @staticmethod
    def forward(ctx, x, y):
        y.data.mul_(0.5)
        return x * 3

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 3, None


class WithNumber(torch.autograd.Function):
    """A tensor, a number and a word."""

    @staticmethod
    def forward(ctx, x):
        return x * 2, x.dim(), "word"

    @staticmethod
    def backward(ctx, gradient, *_):
        return gradient * 2


KEPT: list[Tensor] = []
"""What opaque code keeps between two calls of it."""


class Keeps(torch.autograd.Function):
    """Keeps its argument where other code finds it."""

    @staticmethod
    def forward(ctx, x):
        KEPT.append(x)
        return x + 1

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class WritesKept(torch.autograd.Function):
    """Writes into all that was kept."""

    @staticmethod
    def forward(ctx, x):
        for tensor in KEPT:
            tensor.data.add_(1)
        return x * 1

    @staticmethod
    def backward(ctx, gradient):
        return gradient


def scripted(x: Tensor, y: Tensor) -> Tensor:
    z = torch.sin(x) * 2 + y
    return torch.sub(z, y, alpha=2)


def scripted_write(x: Tensor) -> Tensor:
    y = x.view(-1)
    y.mul_(0.5)
    return y + 1


def scripted_same(x: Tensor) -> Tensor:
    return x


_SCRIPTS = {function.__name__: torch.jit.script(function) for function in (scripted, scripted_write, scripted_same)}

# The module ------------------------------------------------------------------------------------------------------


class Host(nn.Module):
    """What a program runs in: parameters, buffers, and a tensor that is neither."""

    def __init__(self) -> None:
        super().__init__()
        made = torch.Generator().manual_seed(7)
        self.weight = nn.Parameter(torch.rand(4, 4, generator=made) - 0.5)
        self.bias = nn.Parameter(torch.rand(4, generator=made) - 0.5)
        self.register_buffer("mean", torch.rand(4, generator=made))
        self.register_buffer("variance", torch.rand(4, generator=made) + 0.5)
        self.register_buffer("table", torch.rand(4, 4, generator=made))
        self.register_buffer("count", torch.tensor(0))
        self.captured = torch.rand(4, generator=made)


def inputs_of() -> list[Tensor]:
    """Two matrices, of which one asks for gradients, and a vector."""
    made = torch.Generator().manual_seed(5)
    a, b = (torch.rand(4, 4, generator=made) - 0.5 for _ in range(2))
    return [a.requires_grad_(), b, torch.rand(4, generator=made)]


def _namespace() -> dict[str, Any]:
    functions = (Both, Same, ViewOfSecond, WritesFirst, WritesSecond, WritesUnsaid, WithNumber, Keeps, WritesKept)
    return {
        **{function.__name__: function for function in functions},
        **_SCRIPTS,
        "torch": torch,
        "F": functional,
        "math": math,
        "checkpoint": checkpoint,
    }


# Lines -----------------------------------------------------------------------------------------------------------

# {v} {u}: new names; {f}: a tensor of floats; {g}: one of the same shape; {h}: any other; {w}: one to write to;
# {x}: one to write to, of the same shape as the last; {m}: a matrix of floats; {four}: rows of four floats;
# {leaf}: a leaf that asks for gradients, {inner}: what was made from one; {n}: a traced number; {k}: a constant.
_TABLE = """
pure: {v} = {f} + {k}
pure: {v} = {f} * {g}
pure: {v} = torch.sub({f}, {g}, alpha=2)
pure: {v} = torch.add(input={f}, other={g}, alpha=2)
pure: {v} = {f}.sin()
pure: {v} = torch.tanh({f})
pure: {v} = {f}.sum()
pure: {v} = {f}.sum(dim=0)
pure: {v} = torch.where({f} > 0, {f}, {g})
pure: {v} = {m} @ {m}.t()
pure: {v} = F.linear({four}, self.weight, self.bias)
pure: {v} = F.linear(input={four}, weight=self.weight)
pure: {v} = torch.clamp({f}, min=-0.5, max=0.5)
pure: {v} = F.relu({f})
pure: {v} = F.softmax({f}, dim=-1)
pure: {v} = torch.einsum("ij,kj->ik", {m}, {m})
pure: {v} = {f}.clone()
pure: {v} = {f}.clone(memory_format=torch.preserve_format)
pure: {v} = {f} > {g}
pure: {v} = F.layer_norm({four}, (4,))
pure: {v} = F.layer_norm(input={four}, normalized_shape=(4,), weight=self.bias)
view: {v} = {f}[0]
view: {v} = {f}[-1:]
view: {v} = {f}[..., 0]
view: {v} = {f}.select(0, 0)
view: {v} = {f}.select(dim=-1, index=0)
view: {v} = {f}.view(-1)
view: {v} = {f}.reshape(-1)
view: {v} = {f}.flatten()
view: {v} = {f}.transpose(0, -1)
view: {v} = torch.transpose(input={f}, dim0=0, dim1=-1)
view: {v} = {m}.t()
view: {v} = {m}.permute(1, 0)
view: {v} = {m}.T
view: {v} = {f}.unsqueeze(0)
view: {v} = {f}.squeeze()
view: {v} = torch.squeeze(input={f})
view: {v}, {u} = {f}.chunk(2)
view: {v}, {u} = torch.chunk(input={f}, chunks=2, dim=0)
view: {v}, {u} = {f}.split(2)
view: {v}, {u} = torch.split({f}, split_size_or_sections=[1, 3], dim=0)
view: {v} = {f}.unbind(0)[-1]
view: {v}, *{u} = {f}.unbind(dim=0)
view: {v} = {m}.diagonal()
view: {v} = {f}.as_strided((2, 2), (1, 1))
view: {v} = torch.as_strided(input={f}, size=(2,), stride=(1,))
view: {v} = {f}.expand(2, *{f}.shape)
view: {v} = {f}.expand_as({h})
view: {v} = {f}.narrow(0, 0, 1)
view: {v} = torch.narrow(input={f}, dim=0, start=1, length=1)
view: {v} = {f}.movedim(0, -1)
view: {v} = {f}.unfold(0, 2, 1)
view: {v} = {f}.view_as({g})
view: {v} = torch.real({f})
view: {v} = torch.ops.aten.alias.default({f})
view: {v} = torch.ops.aten._unsafe_view.default({f}, [-1])
view: {v} = torch.broadcast_tensors({f}, {h})[0]
view: {v}, {u} = torch.broadcast_tensors({f}, {h})
view: {v} = torch.meshgrid({f}, {f}, indexing="ij")[0]
view: {v} = {m}[{m}.shape[0] // 2 :]
maybe: {v} = {f}.contiguous()
maybe: {v} = {f}.to(torch.float32)
maybe: {v} = {f}.to(dtype=torch.float32)
maybe: {v} = {f}.type_as({h})
maybe: {v} = {f}.float()
maybe: {v} = F.dropout({f}, 0.5, training=False)
maybe: {v} = F.dropout({f}, p=0.5, training=False)
maybe: {v} = torch.atleast_2d({f})
maybe: {v} = F.pad({f}, (0, 0))
maybe: {v} = F.rrelu({f}, training=False)
maybe: {v} = torch.dropout(input={f}, p=0.5, train=False)
detached: {v} = {f}.detach()
detached: {v} = {f}.data
detached: {w}.data.add_({k})
detached: {w}.detach().mul_({k})
detached: {w}.data = {x}.clone()
detached: {w}.data = {x}.detach()
in place: {w}.add_({k})
in place: {w}.mul_({g})
in place: {w} += {k}
in place: {w}.zero_()
in place: {w}.copy_({h})
in place: {w}[0] = {k}
in place: {w}[0].fill_({k})
in place: {w}[:1] = {h}
in place: {w}.add_(other={x}, alpha=2)
in place: torch.relu_({w})
in place: {w}.clamp_(min=0.0)
in place: {w}.masked_fill_({w} > 0, {k})
in place: {w}.index_fill_(0, torch.tensor([0]), {k})
in place: {w}[{w} > 0] = {k}
in place: {v} = {w}.mul_({k})
in place: {v} = F.relu({w}, inplace=True)
shape in place: {w}.t_()
shape in place: {w}.unsqueeze_(0)
shape in place: {w}.squeeze_()
shape in place: {w}.transpose_(0, -1)
shape in place: {w}.set_({x}.clone())
shape in place: {w}.set_({x})
shape in place: {w}.detach_()
foreach: torch._foreach_add_([{w}, {x}], {k})
foreach: torch._foreach_mul_([{w}, {x}], [2.0, 0.5])
foreach: torch._foreach_copy_([{w}], [{x}])
foreach: torch._foreach_add_(self=[{w}], other=[{x}], alpha=2)
foreach: {v}, {u} = torch._foreach_mul([{f}, {h}], 2.0)
out: torch.add({f}, {g}, out={x})
out: torch.sin({f}, out={x})
out: {v} = torch.mul({f}, {k}, out={x})
out: torch.cat([{f}.reshape(-1)[:2], {h}.reshape(-1)[:2]], out=self.mean)
out: torch.max({four}, 0, out=(self.mean, torch.empty(0, dtype=torch.long)))
out: {v}, {u} = torch.max(input={four}, dim=0, out=(self.variance, torch.empty(0, dtype=torch.long)))
opaque: {v}, {u} = Both.apply({f}, {g})
opaque: {v} = Same.apply({f})
opaque: {v}, {u} = ViewOfSecond.apply({f}, {h})
opaque: {v} = WritesFirst.apply({w})
opaque: {v}, {u} = WritesSecond.apply({f}, {w})
opaque: {v} = WritesUnsaid.apply({f}, {w})
opaque: {v}, {n}, _ = WithNumber.apply({f})
opaque: {v} = Keeps.apply({f})
opaque: {v} = WritesKept.apply({f})
opaque: {v} = torch.vmap(torch.sin)({f})
opaque: {v} = torch.func.grad(lambda x: x.sin().sum())({f})
opaque: {v} = checkpoint(torch.sin, {f}, use_reentrant=False)
script: {v} = scripted({f}, {g})
script: {v} = scripted_write({w})
script: {v} = scripted_same({f})
random: {v} = torch.rand_like({f})
random: {v} = torch.randn(4, 4)
random: {v} = F.dropout({f}, 0.5, training=True)
random: {v} = F.dropout({f}, p=0.5, training=True)
random: {w}.bernoulli_(0.5)
random: {w}.normal_(mean=0.0, std=1.0)
random: torch.manual_seed({i})
random: generator = torch.Generator().manual_seed({i})
random: {v} = torch.rand(4, generator=generator)
random: {w}.uniform_(generator=generator)
random: {v} = F.rrelu({f}, training=True)
norm: {v} = F.batch_norm({four}, self.mean, self.variance, training=True)
norm: {v} = F.batch_norm({four}, self.mean, self.variance, self.bias, self.bias, False)
norm: {v} = F.batch_norm({four}, self.table[0], self.table[1], training=True)
norm: {v} = F.batch_norm(input={four}, running_mean=self.mean, running_var=self.variance, training=True)
norm: {v} = torch.batch_norm({four}, None, None, running_mean=self.mean, running_var=self.variance, \
training=True, momentum=0.1, eps=1e-5, cudnn_enabled=False)
norm: {v} = torch.native_batch_norm({four}, None, None, self.mean, self.variance, True, 0.1, 1e-5)[0]
norm: {v} = F.instance_norm({m}.reshape(1, 4, -1), self.mean, self.variance, use_input_stats=True)
norm: {v} = torch.instance_norm(input={m}.reshape(1, 4, -1), weight=None, bias=None, running_mean=self.mean, \
running_var=self.variance, use_input_stats=True, momentum=0.1, eps=1e-5, cudnn_enabled=False)
lists: {v} = torch.stack([{f}, {g}])
lists: {v} = torch.cat(({f}, {g}))
lists: {v} = torch.cat(tensors=[{f}, {g}], dim=-1)
lists: {v}, {u} = torch.max({m}, dim=0)
lists: {v} = {m}.max(dim=0).values
lists: {v}, {u} = torch.var_mean({m}, dim=0)
lists: {v}, {u} = torch.sort({f})
constant: {v} = torch.tensor([1.0, 2.0, 3.0, 4.0])
constant: {v} = torch.zeros(4)
constant: {v} = torch.full((4, 4), {k})
constant: {v} = torch.ones_like({f})
constant: {v} = torch.arange(4, dtype=torch.float32)
constant: {v} = self.captured
constant: {v} = self.captured * 2
number: {n} = {f}.shape[0]
number: {n} = {f}.numel()
number: {n} = {n} * 2 + 1
number: {n} = max({n} // 2, 3)
number: {v} = {f} * {n}
number: {v} = {f} / {f}.shape[-1]
number: {v} = {f}.reshape({f}.shape[0], -1)
number: {v} = torch.full(({f}.shape[0],), 0.5)
number: {v} = torch.full(size=({f}.shape[0] + 1,), fill_value={n})
number: {v} = torch.add({f}, {f}, alpha={n})
number: {v} = {f} * math.sqrt({n})
number: {v} = {f} * {f}.sum().item()
number: {v} = torch.narrow({f}, dim=0, start=0, length={f}.shape[0] // 2)
dtype: {v} = {f}.double()
dtype: {v} = {f}.to(torch.bfloat16)
dtype: {v} = {f}.to(dtype=torch.float64, copy=True)
dtype: {v} = {f}.long()
dtype: torch.set_default_dtype(torch.float64)
dtype: torch.set_default_dtype(torch.float32)
autograd: {v} = {f}.detach().requires_grad_()
autograd: {v} = {f}.detach().clone().requires_grad_(True)
autograd: {v} = torch.zeros(4, requires_grad=True)
autograd: {f}.sum().backward()
autograd: {f}.sum().backward(retain_graph=True)
autograd: {f}.backward(gradient=torch.ones_like({f}), retain_graph=True)
autograd: torch.autograd.backward([{f}.sum()], retain_graph=True)
autograd: {v} = torch.autograd.grad({f}.sum(), {leaf}, retain_graph=True)[0]
autograd: {v} = torch.autograd.grad(outputs={f}.sum(), inputs=[{leaf}], allow_unused=True)[0]
autograd: {v} = torch.autograd.grad({f}.sum(), {h}, create_graph=True)[0]
autograd: {inner}.retain_grad()
autograd: ({v} := {f} * 2.0).register_hook(lambda gradient: gradient * 2)
grad: {v} = {leaf}.grad
grad: {v} = {leaf}.grad * 2
grad: {leaf}.grad = None
grad: {leaf}.grad = torch.ones_like({leaf})
grad: {leaf}.grad.zero_()
grad: {leaf}.grad.add_({k})
state: with torch.no_grad(): self.weight.mul_({k})
state: with torch.no_grad(): self.bias[0] = {k}
state: self.weight.data.add_({k})
state: self.weight.data = {four}[:1].clone().repeat(4, 1)
state: self.weight.requires_grad_(False)
state: self.table.mul_({k})
state: self.table[0] = {k}
state: self.count += 1
state: self.count.add_(1)
state: self.mean = self.mean * {k}
state: self.mean.copy_({h})
state: {v} = self.table[1]
state: {v} = self.mean + 1
state: {v} = self.weight
state: {v} = self.table
state: self.captured.add_({k})
statement: torch.set_grad_enabled(False)
statement: torch.set_grad_enabled(True)
"""
TEMPLATES = [
    (feature, template)
    for line in _TABLE.replace("\\\n", "").strip().splitlines()
    for feature, template in [line.split(": ", 1)]
]
_WEIGHTS = {"pure": 2, "view": 2, "in place": 3, "autograd": 2, "grad": 2, "script": 2, "out": 2, "statement": 4}
"""How much likelier than one of other features a line of a feature is."""

REGIONS = (
    "torch.no_grad()",
    "torch.enable_grad()",
    "torch.set_grad_enabled(False)",
    "torch.set_grad_enabled(True)",
    'torch.autocast("cpu", dtype=torch.bfloat16)',
    'torch.autocast("cpu", enabled=False)',
    'torch.autograd.profiler.record_function("part")',
)
FEATURES = [*dict.fromkeys(feature for feature, _ in TEMPLATES), "repeated", "region", "nested region"]
_STATE = ("self.weight", "self.bias", "self.mean", "self.table")


# Making a program ------------------------------------------------------------------------------------------------


@dataclass
class Program:
    """The text of one module's `forward`, and what it uses."""

    seed: int
    lines: list[str]
    returned: str
    features: Counter[str] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)

    @property
    def text(self) -> str:
        body = "".join(f"    {line}\n" for line in self.lines)
        return f"def forward(self, a, b, c):\n{body}    return {self.returned}\n"

    def __str__(self) -> str:
        return f"# seed {self.seed}\n{self.text}"


def programs(seeds: Iterable[int], length: int = 16) -> Iterator[Program]:
    """One program for each seed whose program runs from beginning to end."""
    for seed in seeds:
        program = _Maker(seed, length).made()
        if "raised" not in observed(module_of(program)):
            yield program


class _Maker:
    """Makes one program, line by line."""

    def __init__(self, seed: int, length: int) -> None:
        self.random = random.Random(seed)
        self.length = length
        self.space: dict[str, Any] = {**_namespace(), "self": Host()}
        self.space.update(zip("abc", inputs_of(), strict=True))
        self.program = Program(seed, [], "")
        self.names = ["a", "b", "c"]
        self.numbers: list[str] = []
        self.repeatable: list[str] = []
        self.open: list[Any] = []
        self.count = 0

    def made(self) -> Program:
        KEPT.clear()
        with calm():
            try:
                for _ in range(self.length):
                    self.step()
            finally:
                while self.open:
                    self.leave()
            self.program.returned = self.returned()
        return self.program

    def step(self) -> None:
        choice = self.random.random()
        if choice < 0.08 and len(self.open) < 2:
            self.enter(self.random.choice(REGIONS))
        elif choice < 0.2 and self.open:
            self.leave()
        elif choice < 0.32 and self.repeatable:
            # The same expression under another name.
            names, expression = self.random.choice(self.repeatable).split(" = ", 1)
            fresh = re.sub(r"\bv\d+", lambda _: self.fresh(), names)
            self.keep(f"{fresh} = {expression}", "repeated", "")
        else:
            for _ in range(8):
                weights = [_WEIGHTS.get(feature, 1) for feature, _ in TEMPLATES]
                ((feature, template),) = self.random.choices(TEMPLATES, weights)
                line = self.filled(template)
                if line is not None and self.keep(line, feature, template):
                    return

    def enter(self, region: str) -> None:
        context = eval(region, self.space)
        context.__enter__()
        self.program.lines.append("    " * len(self.open) + f"with {region}:")
        self.open.append(context)
        self.program.features["nested region" if len(self.open) > 1 else "region"] += 1

    def leave(self) -> None:
        if self.program.lines[-1].endswith(":"):
            self.program.lines.append("    " * len(self.open) + "pass")
        self.open.pop().__exit__(None, None, None)

    def keep(self, line: str, feature: str, template: str) -> bool:
        """Run a line; it is part of the program if it did not raise."""
        before = dict(self.space)
        try:
            exec(line, self.space)
        except Exception:
            self.space = before
            return False
        self.program.lines.append("    " * len(self.open) + line)
        self.program.features[feature] += 1
        self.program.templates[template] += 1
        for name in dict.fromkeys(re.findall(r"\b[vn]\d+\b", line)):
            item = self.space.get(name)
            if isinstance(item, Tensor) and name not in self.names and item.numel() <= 64:
                self.names.append(name)
            elif isinstance(item, int) and name not in self.numbers and abs(item) < 64:
                self.numbers.append(name)
        if re.match(r"v\d+(, \*?v\d+)* = ", line) and feature != "repeated":
            self.repeatable.append(line)
        return True

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def filled(self, template: str) -> str | None:
        """A line of this form; None where there is nothing to fill it with."""
        last: Tensor | None = None
        chosen: dict[str, str] = {}
        places = re.findall(r"\{(\w+)\}", template)
        for place in places:
            if place in chosen:
                continue
            found = self.chosen(place, last, template)
            if found is None:
                return None
            chosen[place] = found
            if place not in ("v", "u", "n", "k", "i"):
                last = eval(found, self.space)
        return template.format(**chosen)

    def chosen(self, place: str, last: Tensor | None, template: str) -> str | None:
        if place in ("v", "u"):
            return self.fresh()
        if place == "k":
            return self.random.choice(["0.5", "2.0", "-1.5", "3"])
        if place == "i":
            return str(self.random.randrange(5))
        if place == "n":
            if re.match(r"(\{v\}, )?\{n\}(, _)? = (?!.*\{n\})", template):
                self.count += 1
                return f"n{self.count}"
            return self.random.choice(self.numbers) if self.numbers else None
        found = [name for name in (*self.names, *_STATE) if _fits(place, eval(name, self.space), last)]
        # What was made last is likelier, so that effects meet.
        return self.random.choice(found[-6:] if self.random.random() < 0.5 else found) if found else None

    def returned(self) -> str:
        tensors = [name for name in self.names if isinstance(self.space[name], Tensor)]
        names = self.random.sample(tensors, min(len(tensors), self.random.randint(1, 5)))
        form = self.random.randrange(6)
        if form == 0:
            return names[0]
        if form == 1:
            return f"[{', '.join(names)}]"
        if form == 2:
            pairs = ", ".join(f"{name!r}: {name}" for name in names)
            return f"{{{pairs}}}"
        if form == 3:
            return f"({names[0]}, [{', '.join(names)}], ({names[-1]},))"
        return f"({', '.join(names)},)"


def _fits(place: str, item: Any, last: Any) -> bool:
    try:
        return _FITS[place](item, last)
    except RuntimeError:
        # Autograd refuses even to say whether it needs a gradient: one of several views, whose base was written.
        return False


def _is_float(item: Any) -> bool:
    return isinstance(item, Tensor) and item.is_floating_point() and item.numel() > 0


_FITS: dict[str, Callable[[Any, Any], bool]] = {
    "f": lambda item, last: _is_float(item),
    "h": lambda item, last: _is_float(item),
    "g": lambda item, last: _is_float(item) and item.shape == last.shape,
    "w": lambda item, last: _is_float(item) and not (item.is_leaf and item.requires_grad),
    "x": lambda item, last: _is_float(item) and item.shape == last.shape and item is not last,
    "m": lambda item, last: _is_float(item) and item.dim() == 2,
    "four": lambda item, last: _is_float(item) and item.dim() == 2 and item.shape[1] == 4 and item.shape[0] > 1,
    "inner": lambda item, last: _is_float(item) and part_in_autograd(item) == "inner",
    "leaf": lambda item, last: _is_float(item) and item.is_leaf and item.requires_grad,
}


# Running it ------------------------------------------------------------------------------------------------------


def module_of(program: Program) -> nn.Module:
    """A new module that runs the program."""
    filename = f"<program {program.seed} {hash(program.text)}>"
    linecache.cache[filename] = (len(program.text), None, program.text.splitlines(keepends=True), filename)
    space = _namespace()
    exec(compile(program.text, filename, "exec"), space)
    return type("Host", (Host,), {"forward": space["forward"]})()


class Traced:
    """The trace of a program; each `replay` runs an edited copy of its graph on a module that nothing ran on yet."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.module = module_of(program)
        with calm():
            self.graph = tracelab.trace(self.module, tuple(inputs_of()), check_trace=False, strict=False).graph

    def fresh(self) -> tuple[Graph, nn.Module]:
        """A copy of the graph, and a module that nothing ran on, whose tensors the copy holds."""
        KEPT.clear()
        graph = self.graph.copy()
        fresh = module_of(self.program)
        for value, tensor in graph.state.items():
            if tensor is self.module.captured:
                graph.state[value] = fresh.captured
        return graph, fresh

    def replay(self, edit: Callable[[Graph], Any] = lambda graph: graph) -> nn.Module:
        graph, fresh = self.fresh()
        edit(graph)
        replay = mirror(ReplayModule, fresh, {"forward": graph})
        replay.captured = fresh.captured
        return replay


def observed(module: nn.Module, grad: bool = True) -> dict[str, Any]:
    """All that can be seen of one call of a program's module, or of its replay."""
    KEPT.clear()
    held = {**dict(module.named_parameters()), "captured": module.captured}
    return observed_call(module, inputs_of(), lambda: {**held, **dict(module.named_buffers())}, grad)


# Making it small -------------------------------------------------------------------------------------------------


def shrunk(program: Program, fails: Callable[[Program], bool]) -> Program:
    """A program with fewer lines that still fails."""

    def still_fails(lines: list[str]) -> bool:
        tried = Program(program.seed, lines, program.returned)
        return _compiles(tried) and fails(tried)

    return Program(program.seed, shrunk_lines(program.lines, still_fails), program.returned)


def _compiles(program: Program) -> bool:
    try:
        compile(program.text, "program", "exec")
    except SyntaxError:
        return False
    return "raised" not in observed(module_of(program))
