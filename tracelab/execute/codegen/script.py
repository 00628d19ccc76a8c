"""A graph as one Python file that needs torch and nothing else: for a bug report."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from tracelab.errors import TracelabError
from tracelab.execute.codegen.code import Code, state_inputs
from tracelab.graph import intrinsics
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.kinds import REGIONS, SET_ATTRIBUTE

_OWN = frozenset("torch inf nan Regions inference_mode Undo AssumptionError arguments".split())

_REGIONS = '''
class Regions:
    """Gradient modes and contexts that are open."""

    def __init__(self):
        self.outer, self.modes, self.contexts = torch.is_grad_enabled(), [], []

    def enter_grad_mode(self, enabled):
        self.modes.append(torch.is_grad_enabled())
        torch.set_grad_enabled(enabled)

    def leave_grad_mode(self):
        torch.set_grad_enabled(self.modes.pop() if self.modes else self.outer)

    def enter(self, context):
        context.__enter__()
        self.contexts.append(context)

    def leave(self):
        if self.contexts:
            self.contexts.pop().__exit__(None, None, None)

    def close(self):
        while self.contexts:
            self.leave()
        torch.set_grad_enabled(self.outer)

    restore = close
'''

_SET_BUFFER = '''
buffers = {}


def set_buffer(name, tensor):
    """The code puts another tensor in the place of a buffer."""
    buffers[name] = tensor
'''

_LOAD = '''
def load(path):
    """The tensors of a safetensors file."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header, data = json.loads(file.read(size)), bytearray(file.read())
    dtypes = {
        "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
        "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
        "BOOL": torch.bool, "C64": torch.complex64,
    }
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            empty = torch.empty(entry["shape"], dtype=dtypes[entry["dtype"]])
            count, dtype = empty.numel(), empty.dtype
            flat = torch.frombuffer(data, dtype=dtype, offset=first, count=count) if count else empty
            found[name] = flat.clone().reshape(entry["shape"])
    return found
'''

_DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
    torch.complex64,
)


def script_of(
    graph: Graph, inputs: Sequence[Tensor], state: Mapping[str, Tensor], weights: str
) -> tuple[str, dict[str, Tensor]]:
    """The file's text, and the tensors that lie beside it in the safetensors file `weights`.

    With an empty `weights` tensors are random ones of the same shape, mean and spread, from a seed, and none are given.

    Raises:
        TracelabError: The graph runs what a file of torch alone cannot hold.
    """
    code = Code(graph, optimized=False)
    head = ["import torch"]
    lines: list[str] = []
    for name, item in code.namespace.items():
        if name in _OWN or name in code.devices or name in code.constants:
            continue
        imported, line = _definition(graph, name, item)
        head += [imported] if imported else []
        lines.append(line)
    lines += [f"{name} = torch.device({str(device)!r})" for name, device in code.devices.items()]
    named: dict[str, Tensor] = {}
    for value, tensor in zip(graph.user_inputs, inputs, strict=True):
        named[f"inputs.{value.name}"] = tensor
    for value in state_inputs(graph):
        named[f"state.{value.path or value.name}"] = state.get(value.path, graph.state.get(value))  # type: ignore[arg-type]
    arguments = [*named]
    constants = {f"constants.{name}": graph.state[value] for name, value in code.constants.items()}
    named.update(constants)
    for name, tensor in named.items():
        if tensor is None or tensor.layout is not torch.strided or tensor.is_meta or tensor.dtype not in _DTYPES:
            raise TracelabError(f"a script holds plain tensors with data, and `{name.partition('.')[2]}` is none")
    parts = [
        f'"""A part of {graph.name}, which runs with torch {torch.__version__} and nothing else."""\n',
    ]
    if weights:
        head += ["import json", "import os"]
    if "inf" in code.text or "nan" in code.text:
        lines.append("inf, nan = float('inf'), float('nan')")
    parts.append("from __future__ import annotations\n")
    parts.append("\n".join(sorted(dict.fromkeys(head))) + "\n")
    if any(node.kind in REGIONS for node in graph.nodes):
        parts.append(_REGIONS)
    if any(node.kind == SET_ATTRIBUTE for node in graph.nodes):
        parts.append(_SET_BUFFER)
    if weights:
        parts.append(_LOAD)
        parts.append(f"\ntensors = load(os.path.join(os.path.dirname(os.path.abspath(__file__)), {weights!r}))")
    else:
        parts.append("\ntorch.manual_seed(0)\ntensors = {")
        parts += [f"    {name!r}: {_random(tensor)}," for name, tensor in named.items()]
        parts.append("}")
    parts += [f"tensors[{name!r}] = {_placed(name, tensor)}" for name, tensor in named.items() if _is_special(tensor)]
    parts += [f"{name} = tensors[{'constants.' + name!r}]" for name in code.constants]
    parts += lines
    parts.append(f"\n\n{code.text}\n")
    parts.append(f"names = {arguments!r}" if len(str(arguments)) < 100 else "names = " + _column(arguments))
    parts.append("torch.manual_seed(0)")
    parts.append("result = forward(*(tensors[name] for name in names))")
    parts.append('if __name__ == "__main__":\n    print(result)\n')
    return "\n".join(parts), named if weights else {}


def _column(names: list[str]) -> str:
    return "[\n" + "".join(f"    {name!r},\n" for name in names) + "]"


def _definition(graph: Graph, name: str, item: Any) -> tuple[str, str]:
    """The import, and the line, that give an object its name."""
    if isinstance(item, type) and issubclass(item, tuple) and hasattr(item, "_fields"):
        return "import collections", f"{name} = collections.namedtuple({item.__name__!r}, {list(item._fields)!r})"
    module, path = getattr(item, "__module__", None) or "", getattr(item, "__qualname__", "")
    if module.partition(".")[0] in ("torch", "builtins", "math", "_operator", "operator") and path.isidentifier():
        try:
            if getattr(import_module(module), path, None) is item:
                return f"import {module}", f"{name} = {module}.{path}"
        except ImportError:
            pass
    if module == intrinsics.__name__ and inspect.isfunction(item) and _needs_torch_alone(item):
        source = inspect.getsource(item)
        return "", source if item.__name__ == name else f"{source}\n\n{name} = {item.__name__}"
    user = next((node for node in graph.nodes if _names(node, item)), None)
    what = "a generator" if isinstance(item, torch.Generator) else f"`{path or type(item).__name__}`"
    if inspect.isfunction(item) and not module.startswith("tracelab"):
        what = f"the Python function {what}"
    where = f" (%{user.outputs[0].name})" if user is not None and user.outputs else ""
    raise TracelabError(
        f"a script of torch alone cannot hold {what}, which {user.kind if user is not None else 'the graph'}{where} "
        "uses: extract a part without it"
    )


def _needs_torch_alone(function: FunctionType) -> bool:
    """Whether its source stands for itself, so that a script may hold it."""
    found = inspect.getclosurevars(function)
    return not found.nonlocals and set(found.globals) <= {"torch"}


def _names(node: Node, item: Any) -> bool:
    return node.target is item or any(arg is item for arg in (*node.args, *(node.kwargs or {}).values()))


def _random(tensor: Tensor) -> str:
    """Code for a tensor like this one."""
    shape, dtype = list(tensor.shape), tensor.dtype
    if dtype is torch.bool:
        return f"torch.rand({shape}) < 0.5"
    if dtype.is_complex:
        return f"torch.randn({shape}, dtype={dtype})"
    if not dtype.is_floating_point:
        low, high = (int(tensor.min()), int(tensor.max()) + 1) if tensor.numel() else (0, 1)
        return f"torch.randint({low}, {high}, {shape}, dtype={dtype})"
    finite = tensor.detach().double()
    finite = finite[finite.isfinite()]
    mean = float(finite.mean()) if finite.numel() else 0.0
    spread = float(finite.std(correction=0)) if finite.numel() else 1.0
    return f"(torch.randn({shape}) * {spread:.6g} + {mean:.6g}).to({dtype})"


def _is_special(tensor: Tensor) -> bool:
    return tensor.device.type != "cpu" or tensor.requires_grad or not tensor.is_contiguous()


def _placed(name: str, tensor: Tensor) -> str:
    text = f"tensors[{name!r}]"
    if tensor.device.type != "cpu":
        text += f".to({str(tensor.device)!r})"
    if not tensor.is_contiguous():
        strides, sizes = tensor.stride(), tuple(tensor.shape)
        if 0 in strides:
            ones = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in strides)
            index = ", ".join("0:1" if item.stop == 1 else ":" for item in ones)
            text = f"{text}[{index}].expand({sizes})"
        else:
            text = f"torch.empty_strided({sizes}, {tuple(strides)}, dtype={tensor.dtype}).copy_({text})"
    if tensor.requires_grad:
        text += ".detach().requires_grad_()"
    return text


def tensors_to_save(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as a safetensors file holds them."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in named.items()}
