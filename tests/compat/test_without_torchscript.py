"""tracelab where `torch.jit` raises or is gone, and where warnings of what is deprecated are errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.sampling import sampled_pairs

USED_BY_TORCH = ["is_scripting", "annotate", "_trace", "_builtins"]
"""What torch itself asks of `torch.jit` as eager code runs."""

POISON = f"""
import torch, torch.jit
# torch's compiler, which its counter of FLOPs imports, asks for more of it as it is imported.
import torch._dynamo

class Poison:
    def __init__(self, name):
        object.__setattr__(self, 'name', name)
    def _raise(self, *args, **kwargs):
        raise RuntimeError('torch.jit.' + object.__getattribute__(self, 'name') + ' was used')
    __call__ = __getattribute__ = __setattr__ = __instancecheck__ = __subclasscheck__ = _raise
    __iter__ = __eq__ = __hash__ = __bool__ = __enter__ = __mro_entries__ = _raise

def poison():
    for name in list(vars(torch.jit)):
        if not name.startswith('__') and name not in {USED_BY_TORCH}:
            setattr(torch.jit, name, Poison(name))

def take_out():
    for name in list(vars(torch.jit)):
        if not name.startswith('__') and name not in {USED_BY_TORCH}:
            delattr(torch.jit, name)
"""

SUBJECTS = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.register_buffer('scale', torch.ones(4))

    def forward(self, x):
        batch, width = x.shape
        with torch.no_grad():
            offset = x.mean()
        return (self.norm(self.linear(x)) * self.scale + offset).view(batch * 2, width // 2)

class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return 2 * ctx.saved_tensors[0] * gradient

def pool(x):
    y = torch.nn.functional.max_pool1d(x[None], 2)[0]
    return torch.vmap(torch.sin)(Squared.apply(y)) + x.shape[0]

model, x = nn.Sequential(Block(), nn.ReLU(), nn.Linear(2, 2)), torch.randn(6, 4)
"""

WORK = """
import io, tracelab

traced, function = tracelab.trace(model, x), tracelab.trace(pool, x)
other = torch.randn(10, 4)
assert torch.equal(traced(other), model(other))
assert torch.equal(function(other), pool(other))
traced(other).sum().backward()
assert str(traced.graph) and traced.code and repr(traced)

assert traced.check().ok, traced.check()
assert function.check().ok, function.check()

held = io.BytesIO()
traced.save(held)
held.seek(0)
loaded = tracelab.load(held)
assert torch.equal(loaded(other), model(other))

assert 'svg' in traced.to_svg() and 'svg' in loaded.to_svg()
assert '<html' in traced.to_html() and traced.to_json() and traced.to_dot()
assert traced.summary()

assert tracelab.diff(traced, loaded) is not None
assert tracelab.compare(traced, loaded, x) is not None
run = traced.run(x, gradients=True)
assert len(run) > 3 and str(run)
run.backward(torch.ones_like(run.outputs))
assert str(traced.profile(x))
"""

MAGICS = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_line_magic('load_ext', 'tracelab')
shell.push({'model': model, 'x': x})
assert shell.run_cell('%%trace\\ny = model(x)\\nz = y * 2').success
assert shell.run_cell('%trace model(x)').success
"""


def _run(script: str, folder: Path, *options: str) -> None:
    """Run a script from a file: traces show lines of code."""
    file = folder / "script.py"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *options, str(file)], capture_output=True, text=True, timeout=600, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Warning" not in done.stderr, done.stderr


BEFORE, AFTER = "before tracelab is imported", "after tracelab is imported"
CASES = [(way, moment) for way in ("poison", "take_out") for moment in (BEFORE, AFTER)]


@pytest.mark.parametrize(("way", "moment"), sampled_pairs(CASES, [("poison", AFTER), ("take_out", BEFORE)]))
def test_all_but_torchscript_works_without_it(way: str, moment: str, tmp_path: Path) -> None:
    first = (
        f"{way}()\n" if moment.startswith("before") else f"import tracelab.api.tracing, tracelab.api.files\n{way}()\n"
    )
    _run(POISON + SUBJECTS + first + f"{way}()\n" + WORK + MAGICS, tmp_path)


SCRIPTS = """
import io, warnings, tracelab
import torch
from tracelab.interop.torchscript.program import read_torchscript

def double(x):
    return x * 2

class Halves(torch.nn.Module):
    def forward(self, x):
        return x / 2

with warnings.catch_warnings():
    # Whoever scripts is told by torch; here that is this test.
    warnings.simplefilter('ignore')
    scripted = torch.jit.script(double)
    module = torch.jit.script(Halves())
    file = io.BytesIO()
    torch.jit.save(module, file)

x = torch.ones(3)
traced = tracelab.trace(lambda x: scripted(x) + module(x), x)
assert torch.equal(traced(x), x * 2.5)
held = io.BytesIO()
traced.save(held)
held.seek(0)
assert torch.equal(tracelab.load(held, allow={'torchscript'})(x), x * 2.5)
assert len(tracelab.from_torchscript(module).nodes) == 1
assert len(tracelab.from_torchscript(scripted).nodes) == 1
assert len(read_torchscript(io.BytesIO(file.getvalue())).nodes) == 1
"""


@pytest.mark.parametrize("work", [SUBJECTS + WORK, SCRIPTS], ids=["all but TorchScript", "TorchScript"])
def test_no_warning_of_torch_comes_because_of_us(work: str, tmp_path: Path) -> None:
    _run(work, tmp_path, "-W", "error::FutureWarning", "-W", "error::DeprecationWarning")
