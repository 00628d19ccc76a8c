"""What torch's compiler runs to look at code is no part of a trace."""

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
