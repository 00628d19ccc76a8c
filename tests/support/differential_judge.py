"""Judging one program: each call of its trace beside the same call of plain Python."""

from __future__ import annotations

import enum
import random
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

import tracelab
from support.differential_programs import Inputs, Program
from support.observed_calls import calm
from tracelab.capture.patches.table import patched
from tracelab.compat.modes import dispatch_modes, function_modes


class Verdict(enum.IntEnum):
    """From best to worst."""

    RIGHT = 0
    TOLD = 1
    """Another result, and the call said so."""
    FALSE_ALARM = 2
    """The same result, and the call warned."""
    REFUSED = 3
    """Tracing raised an error of tracelab's."""
    CRASH = 4
    """An error that is not tracelab's, where plain Python raises none."""
    SILENT = 5
    """Another result, and the call said nothing."""
    SPOILED = 6
    """Plain Python, the program's state or torch is not as it was."""


@dataclass
class Judgement:
    """The verdict of each call of a program."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    words: dict[Verdict, str] = field(default_factory=dict)
    """For each verdict, what the first call that got it says."""

    def add(self, verdict: Verdict, word: str = "") -> None:
        self.verdicts[verdict] += 1
        self.words.setdefault(verdict, word)

    @property
    def worst(self) -> Verdict:
        return max(self.verdicts, default=Verdict.RIGHT)


@dataclass
class Variation:
    """One way to call: other inputs, another mode around or of the module."""

    name: str
    inputs: Inputs
    around: Callable[[], Any] = torch.enable_grad
    train: bool | None = None
    frozen: bool = False
    """Whether no parameter asks for gradients."""


def variations(program: Program) -> Iterator[Variation]:
    """The calls that a trace is judged by."""
    x, y, i = program.inputs()

    def floats(change: Callable[[Tensor], Tensor]) -> Inputs:
        return _changed(x, change), _changed(y, change), i

    yield Variation("the same", (x, y, i))
    yield Variation("negated", floats(torch.neg))
    yield Variation("scaled", (*floats(lambda tensor: tensor * 3 + 1)[:2], (i + 1) % 4))
    yield Variation("zeros", (*floats(torch.zeros_like)[:2], i * 0))
    yield Variation("again", (x, y, i))
    for size in (5, 1, 0, 2):
        yield Variation(f"first size {size}", _sized(program, 0, size))
    for size in (4, 1, 7):
        yield Variation(f"last size {size}", _sized(program, -1, size))
    yield Variation("more indices", (x, y, torch.arange(5) % 4))
    yield Variation("one index", (x, y, i.flatten()[:1]))
    for dtype in (torch.float64, torch.bfloat16, torch.int64, torch.complex64):
        yield Variation(str(dtype), floats(lambda tensor, dtype=dtype: tensor.to(dtype)))
    yield Variation("one of another dtype", (x, _changed(y, Tensor.double), i))
    yield Variation("indices of int32", (x, y, i.int()))
    yield Variation("more dimensions", (_changed(x, lambda tensor: tensor[None]), y, i))
    yield Variation("both of more dimensions", floats(lambda tensor: torch.stack([tensor, tensor * 2])))
    yield Variation("fewer dimensions", (_changed(x, lambda tensor: tensor[0]), _changed(y, lambda t: t[0]), i))
    yield Variation("other strides", floats(_strided))
    yield Variation("a part of other memory", floats(_embedded))
    yield Variation("gradients flipped", (_asking(x, not x.requires_grad), y, i))
    yield Variation("other gradients flipped", (x, _asking(y, not y.requires_grad), i))
    yield Variation("no leaf", (x.detach().clone().requires_grad_() * 1, y, i))
    yield Variation("a parameter", (nn.Parameter(x.detach().clone()), y, i))
    yield Variation("twice the same", (x, x, i))
    yield Variation("no_grad", (x, y, i), torch.no_grad)
    yield Variation("inference mode", (x, y, i), torch.inference_mode)
    yield Variation("autocast", (x, y, i), lambda: torch.autocast("cpu", dtype=torch.bfloat16))
    yield Variation("meta", tuple(map(_on_meta, (x, y, i))))  # type: ignore[arg-type]
    yield Variation("other mode", (x, y, i), train=program.form == "evaluated")
    yield Variation("frozen", (x, y, i), frozen=True)
    yield Variation("once more", (x, y, i))


def _changed(tensor: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    made = change(tensor.detach())
    return _asking(made, tensor.requires_grad)


def _asking(tensor: Tensor, asks: bool) -> Tensor:
    made = tensor.detach().clone(memory_format=torch.preserve_format)
    return made.requires_grad_(asks and (made.is_floating_point() or made.is_complex()))


def _on_meta(tensor: Tensor) -> Tensor:
    return tensor.detach().to("meta").requires_grad_(tensor.requires_grad)


def _strided(tensor: Tensor) -> Tensor:
    return tensor.t().contiguous().t() if tensor.dim() == 2 else tensor.transpose(0, -1).contiguous().transpose(0, -1)


def _embedded(tensor: Tensor) -> Tensor:
    return torch.cat([tensor, tensor], -1)[..., : tensor.size(-1)] if tensor.dim() else tensor


def _sized(program: Program, dim: int, size: int) -> Inputs:
    """The inputs with another size wherever the first tensor's stands."""
    before = program.shapes[0][dim]
    made = torch.Generator().manual_seed(3)
    x, y = (
        torch.rand([size if each == before else each for each in shape], generator=made).sub_(0.3).requires_grad_(asks)
        for shape, asks in zip(program.shapes[:2], program.gradients, strict=True)
    )
    return x, y, torch.randint(0, 4, program.shapes[2], generator=made)


# One call ---------------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What a call did."""

    error: BaseException | None = None
    told: list[str] = field(default_factory=list)
    leaves: list[Any] = field(default_factory=list)
    """Results, what the inputs hold afterwards, gradients, and the state."""
    shape: str = ""
    """How the results nest."""


def call(
    function: Callable[..., Any], inputs: Inputs, around: Callable[[], Any], state: Callable[[], list[Any]]
) -> Seen:
    """Call it and look at everything that it did."""
    seen = Seen()
    given = (
        tuple(map(_fresh, inputs)) if inputs[0] is not inputs[1] else (2 * (_fresh(inputs[0]),) + (_fresh(inputs[2]),))
    )
    with calm(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        # `torch.manual_seed` looks for other devices, too.
        torch.default_generator.manual_seed(7)
        try:
            with around():
                result = function(*given)
            leaves: list[Any] = []
            seen.shape = _structure(result, leaves)
            seen.leaves = [*map(_kept, leaves), *map(_kept, given), torch.rand(1).item()]
            seen.leaves += _gradients([*leaves], [*given, *_parameters(state())])
            seen.leaves += [_kept(tensor) for tensor in state()]
        except Exception as error:
            seen.error = error
    for item in said:
        if issubclass(item.category, tracelab.AssumptionWarning):
            seen.told.append(str(item.message))
    return seen


def _fresh(tensor: Tensor) -> Tensor:
    if tensor.is_meta:
        return torch.empty_like(tensor).requires_grad_(tensor.requires_grad)
    if not tensor.is_leaf:
        return _fresh(tensor.detach()).requires_grad_() * 1
    made = tensor.detach().clone(memory_format=torch.preserve_format)
    if made.stride() != tensor.stride():
        whole = tensor.detach().untyped_storage().clone()
        made = torch.empty(0, dtype=tensor.dtype).set_(whole, tensor.storage_offset(), tensor.shape, tensor.stride())
    made.requires_grad_(tensor.requires_grad)
    return nn.Parameter(made, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else made


def _structure(item: Any, leaves: list[Any]) -> str:
    if isinstance(item, Mapping):
        return f"{type(item).__name__}{[(key, _structure(item[key], leaves)) for key in item]}"
    if isinstance(item, (tuple, list)):
        return f"{type(item).__name__}{[_structure(child, leaves) for child in item]}"
    leaves.append(item)
    return "tensor" if isinstance(item, Tensor) else type(item).__name__


def _kept(item: Any) -> Any:
    if not isinstance(item, Tensor):
        return item
    return item.detach().clone(), item.requires_grad, item.is_leaf


def _parameters(state: Sequence[Any]) -> list[Tensor]:
    return [item for item in state if isinstance(item, nn.Parameter)]


def _gradients(results: list[Any], given: list[Tensor]) -> list[Any]:
    with torch.enable_grad():
        total = sum(
            (result.abs() if result.is_complex() else result).double().mul(place + 1.5).sum()
            for place, result in enumerate(results)
            if isinstance(result, Tensor) and result.requires_grad and not result.is_inference()
        )
        asked = [tensor for tensor in given if tensor.requires_grad]
        if not isinstance(total, Tensor) or not asked or not total.requires_grad:
            return []
        try:
            made = torch.autograd.grad(total, asked, allow_unused=True)
        except Exception as error:
            return [type(error).__name__]
    return [None if _is_nothing(gradient) else gradient for gradient in made]


def _is_nothing(gradient: Tensor | None) -> bool:
    """Whether no gradient came, or zeros, which mean the same."""
    return gradient is None or gradient.is_meta or not gradient.any()


def differs(found: Seen, wanted: Seen, values: bool = True) -> str:
    """How two calls that both gave something differ; empty where they do not."""
    if found.shape != wanted.shape:
        return f"{found.shape} for {wanted.shape}"
    if len(found.leaves) != len(wanted.leaves):
        return f"{len(found.leaves)} tensors for {len(wanted.leaves)}"
    for place, (one, other) in enumerate(zip(found.leaves, wanted.leaves, strict=True)):
        if not _same(one, other, values):
            return f"{place}: {_shown(one)} for {_shown(other)}"
    return ""


def _same(one: Any, other: Any, values: bool = True) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_same(*pair, values) for pair in zip(one, other, strict=True))
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return type(one) is type(other) and (one == other or one != one)
    if (one.shape, one.dtype, one.device, one.requires_grad) != (
        other.shape,
        other.dtype,
        other.device,
        other.requires_grad,
    ):
        return False
    if one.is_meta or not values:
        # On the meta device, what operators give of tensors that are elsewhere is memory as it was found.
        return True
    if not (one.is_floating_point() or one.is_complex()):
        return torch.equal(one, other)
    loose = 2e-2 if one.dtype in (torch.bfloat16, torch.float16) else 1e-4
    return torch.allclose(one, other, rtol=loose, atol=loose / 10, equal_nan=True)


def _shown(item: Any) -> str:
    if isinstance(item, tuple):
        return f"{_shown(item[0])} requires_grad={item[1]} is_leaf={item[2]}"
    if not isinstance(item, Tensor):
        return repr(item)
    values = (
        ""
        if item.is_meta
        else f" {[round(each, 4) if not isinstance(each, complex) else each for each in item.flatten()[:4].tolist()]}"
    )
    return f"{str(item.dtype).removeprefix('torch.')}{list(item.shape)}{values}"


RAISED = "both raise"
"""What they did before they raised may differ."""


# A whole program --------------------------------------------------------------------------------------------------


class Run:
    """A program in plain Python, called as often as its trace."""

    def __init__(self, program: Program) -> None:
        self.function, self.space = program.make()
        self.host = host_of(self.function)

    def state(self) -> list[Any]:
        return _state_of(self.host)

    def everything(self) -> list[Any]:
        """All of the state, of Python too."""
        found: list[Any] = []
        for module in self.host.modules():
            for name in sorted(vars(module)):
                if name not in ("_parameters", "_buffers", "_modules") and not name.endswith(
                    ("hooks", "_kwargs", "called", "_hooks_always_called")
                ):
                    found.append(name)
                    _plain(vars(module)[name], found)
        for name in ("TABLES", "COUNT", "HISTORY"):
            _plain(self.space[name], found)
        return [*found, *map(_kept, self.state())]


def _state_of(module: nn.Module) -> list[Any]:
    return [*module.parameters(), *module.buffers()]


def _plain(item: Any, found: list[Any]) -> None:
    if isinstance(item, Mapping):
        for key in item:
            _plain(key, found)
            _plain(item[key], found)
    elif isinstance(item, (tuple, list)):
        for child in item:
            _plain(child, found)
    elif isinstance(item, (set, frozenset)):
        _plain(sorted(map(repr, item)), found)
    elif isinstance(item, Tensor):
        found.append(_kept(item))
    elif type(item).__name__ == "Plain":
        _plain(vars(item), found)
    elif isinstance(item, (int, float, str, bool, type(None), torch.SymInt, torch.SymFloat, torch.SymBool)):
        found.append(item)


def host_of(function: Any) -> nn.Module:
    """The module that a program keeps its state in."""
    if isinstance(function, nn.Module):
        return function
    if hasattr(function, "__self__"):
        return function.__self__
    if hasattr(function, "args"):
        return function.args[0]
    if function.__defaults__:
        return function.__defaults__[-1]
    return next(
        (cell.cell_contents for cell in function.__closure__ or () if isinstance(cell.cell_contents, nn.Module)),
        nn.Identity(),
    )


def _torch_now() -> list[Any]:
    return [
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.is_autocast_enabled("cpu"),
        function_modes(),
        dispatch_modes(),
        patched.verify(),
    ]


ALL = 99


def judged(program: Program, calls: int = ALL) -> Judgement:
    """The verdicts of so many calls of a program, which its seed chooses; the first is as it was traced."""
    found = Judgement()
    once = Run(program)
    plain = torch.enable_grad
    wanted = call(once.function, program.inputs(), plain, once.state)
    if wanted.error is not None:
        # Autograd refuses what it gave.
        return found
    traced, run = _traced(program, found)
    if traced is None:
        return found
    if (now := _torch_now()) != [True, torch.float32, False, 0, 0, []]:
        found.add(Verdict.SPOILED, f"torch is changed: {now}")
    if problem := _list_differs(run.everything(), once.everything()):
        found.add(Verdict.SPOILED, f"the state after the trace is not that of a call: {problem}")
    beside = Run(program)
    after = call(beside.function, program.inputs(), plain, beside.state)
    if problem := differs(after, wanted) or str(after.error or ""):
        found.add(Verdict.SPOILED, f"Python after the trace: {problem}")
    stateful = _is_stateful(program, beside)
    every = list(variations(program))
    chosen = random.Random(program.seed).sample(range(1, len(every)), min(calls, len(every)) - 1)
    for variation in [every[place] for place in (0, *sorted(chosen))]:
        verdict, word = _judged_call(traced, run, beside, variation)
        found.add(verdict, f"{variation.name}: {word}")
        if (stateful or variation.train is not None) and (verdict is not Verdict.RIGHT or word):
            # From here on their state differs: both begin anew.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                traced, run = _traced(program, found)
            if traced is None:
                return found
            beside = Run(program)
            call(beside.function, program.inputs(), plain, beside.state)
    return found


def _is_stateful(program: Program, beside: Run) -> bool:
    """Whether a call leaves anything behind, or may where it raises."""
    before = beside.everything()
    other = Run(program)
    for _ in range(2):
        call(other.function, program.inputs(), torch.enable_grad, other.state)
    sets = re.search(r"self\.\w+ \S?=[^=]", program.text)
    return "hook" in program.text or sets is not None or bool(_list_differs(other.everything(), before))


def _traced(program: Program, found: Judgement) -> tuple[Any, Run]:
    run = Run(program)
    with calm(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # `torch.manual_seed` looks for other devices, too.
        torch.default_generator.manual_seed(7)
        try:
            return tracelab.trace(run.function, program.inputs(), check_trace=False, strict=False), run
        except tracelab.TracelabError as error:
            found.add(Verdict.REFUSED, f"{type(error).__name__}: {error}")
        except Exception as error:
            found.add(Verdict.CRASH, f"tracing raised {type(error).__name__}: {error}")
    return None, run


def _list_differs(found: list[Any], wanted: list[Any]) -> str:
    if len(found) != len(wanted):
        return f"{len(found)} for {len(wanted)} items"
    return next((f"{_shown(a)} for {_shown(b)}" for a, b in zip(found, wanted, strict=True) if not _same(a, b)), "")


def _judged_call(traced: Any, run: Run, beside: Run, variation: Variation) -> tuple[Verdict, str]:
    said: list[str] = []
    before = beside.host.training
    if variation.train is not None:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            beside.host.train(variation.train)
            (traced if isinstance(traced, nn.Module) else run.host).train(variation.train)
        said = [str(item.message) for item in heard if issubclass(item.category, tracelab.AssumptionWarning)]
    if variation.frozen:
        beside.host.requires_grad_(False)
        run.host.requires_grad_(False)
    wanted = call(beside.function, variation.inputs, variation.around, beside.state)
    found = call(
        traced,
        variation.inputs,
        variation.around,
        run.state if not isinstance(traced, nn.Module) else lambda: _state_of(traced),
    )
    if variation.frozen:
        beside.host.requires_grad_()
        run.host.requires_grad_()
    if variation.train is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            beside.host.train(before)
            (traced if isinstance(traced, nn.Module) else run.host).train(before)
    told = said + found.told
    if wanted.error is not None:
        if found.error is not None:
            return Verdict.RIGHT, RAISED
        if variation.name in ("meta", "inference mode"):
            # A value that nothing needs was asked for on the meta device, or a tensor kept for a backward pass that
            # there is not: a trace does neither.
            return Verdict.RIGHT, RAISED
        word = f"Python raises {type(wanted.error).__name__}: {str(wanted.error)[:150]}"
        return (Verdict.TOLD, told[0]) if told else (Verdict.SILENT, word)
    if found.error is not None:
        word = f"{type(found.error).__name__}: {str(found.error)[:300]}"
        told += [note for note in getattr(found.error, "__notes__", ()) if "is a trace" in note]
        return (Verdict.TOLD if isinstance(found.error, tracelab.TracelabError) or told else Verdict.CRASH), word
    problem = differs(found, wanted, values=variation.name != "meta")
    if problem:
        return (Verdict.TOLD, told[0]) if told else (Verdict.SILENT, problem)
    return (Verdict.FALSE_ALARM, told[0]) if told else (Verdict.RIGHT, "")
