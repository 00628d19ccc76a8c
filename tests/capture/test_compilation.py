"""What torch's compiler runs to look at code is no part of a trace."""

import math
import subprocess
import sys

import pytest
import torch

import tracelab

PROGRAM = """
import torch, tracelab

def function(x):
    return torch.cond(x.sum() > 0, lambda x: x * 2, lambda x: -x, (x,))

traced = tracelab.trace(function, torch.ones(3))
print([node.kind for node in traced.graph.nodes if not node.kind.startswith("prim::Tuple")])
print(traced.graph.nodes[-2].source.line)
print(traced(torch.ones(3)).tolist(), traced(-torch.ones(3)).tolist())
print(torch.cond.__code__.co_filename.endswith("cond.py"))
"""


def test_the_first_cond_of_a_process_is_one_node_with_both_branches_alive(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    out = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == [
        "['aten::sum', 'aten::gt', 'prim::PythonOp']",
        "5",
        "[2.0, 2.0, 2.0] [1.0, 1.0, 1.0]",
        "True",
    ]


@pytest.mark.parametrize("already_compiled", [False, True])
def test_a_compiled_function_is_recorded_as_what_it_runs(already_compiled):
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: x * 2 + 1, backend="eager")
    if already_compiled:
        compiled(torch.ones(3))
    graph = tracelab.trace(lambda x: compiled(x).relu(), torch.ones(3), check_trace=False).graph
    assert [node.kind for node in graph.nodes] == ["aten::mul", "aten::add", "aten::relu"]


AFTER = """
import math, sys, torch, tracelab

def step(x):
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    (x * w).sum().backward()
    optimizer.step()
    return w.detach()

print("torch._dynamo" in sys.modules)
tracelab.trace(step, torch.ones(3))
print("torch._dynamo" in sys.modules)
print(torch.compile(lambda x: x * math.sqrt(x.shape[0]) + x.round(), backend="eager", fullgraph=True)(torch.ones(4)))
"""


def test_a_compiler_that_the_traced_code_was_first_to_import_works_after_it(tmp_path):
    (tmp_path / "program.py").write_text(AFTER)
    out = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["False", "True", "tensor([3., 3., 3., 3.])"]


def test_a_compiler_that_is_imported_in_the_middle_runs_nothing_else(tmp_path):
    program = """
import torch, tracelab
def function(x):
    return torch.compile(lambda x: x * 2 + 1, backend="eager")(x).relu()
graph = tracelab.trace(function, torch.ones(3), check_trace=False).graph
print([node.kind for node in graph.nodes])
print(torch.compiler.is_compiling(), torch._dynamo.eval_frame._stance.stance)
"""
    (tmp_path / "program.py").write_text(program)
    out = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["['aten::mul', 'aten::add', 'aten::relu']", "False default"]


def test_a_module_that_is_imported_inside_takes_the_originals(tmp_path, monkeypatch):
    (tmp_path / "late_module.py").write_text(
        "import torch\nfrom math import sqrt\nfrom torch import round\nTABLE = torch.arange(3) * 2\n"
        "NAME = __spec__.loader\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def function(x):
        import late_module

        return x * late_module.TABLE

    graph = tracelab.trace(function, torch.ones(3)).graph
    late_module = sys.modules.pop("late_module")
    assert (late_module.sqrt, late_module.round) == (math.sqrt, torch.round)
    assert late_module.__loader__ is late_module.NAME
    assert [node.kind for node in graph.nodes] == ["prim::Constant", "aten::mul"]


def test_a_module_that_fails_to_import_raises_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("import torch\ntorch.arange(3) / None\n")
    monkeypatch.syspath_prepend(tmp_path)

    def function(x):
        try:
            import broken_module  # noqa: F401
        except TypeError:
            return x * 2

    before = torch.round
    graph = tracelab.trace(function, torch.ones(3)).graph
    assert [node.kind for node in graph.nodes] == ["aten::mul"]
    assert torch.round is before
    assert not any(type(finder).__module__.startswith("tracelab") for finder in sys.meta_path)


def rounded(x):
    return torch.round(x) * math.sqrt(4.0)


def test_a_function_may_be_scripted_inside():
    traced = tracelab.trace(lambda x: torch.jit.script(rounded)(x) + 1, torch.ones(3))
    assert [node.kind for node in traced.graph.nodes] == ["prim::CallFunction", "aten::add"]
    assert traced(torch.tensor([1.6])).tolist() == [5.0]


def test_a_condition_inside_of_vmap_is_refused_with_the_way_out():
    def chosen(rows):
        return torch.vmap(lambda x: torch.cond(x.sum() > 0, lambda x: x * 2, lambda x: -x, (x,)))(rows)

    rows = torch.tensor([[1.0, 2.0], [-3.0, 1.0]])
    assert chosen(rows).tolist() == [[2.0, 4.0], [3.0, -1.0]]
    with pytest.raises(tracelab.TracelabError, match=r"torch.where\(condition, this, that\) does the same"):
        tracelab.trace(chosen, rows)


def test_a_trace_waits_for_a_thread_that_imports_the_compiler(tmp_path):
    # As the explorer of one cell does, to name the sizes, when the next cell is run at once.
    program = """
import sys, threading, time, torch, tracelab
thread = threading.Thread(target=__import__, args=("torch._dynamo.source",))
thread.start()
while "torch._dynamo" not in sys.modules:
    time.sleep(0.001)
print([node.kind for node in tracelab.trace(lambda x: x + 1, torch.ones(3)).graph.nodes])
thread.join()
"""
    (tmp_path / "program.py").write_text(program)
    out = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["['aten::add']"]
