"""What is made while tracing, but not seen, is told where it is used; inference mode is a region of the graph."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import tracelab
from support.replay import agrees


def test_what_a_thread_computes_is_told_where_it_is_used():
    def by_thread(x):
        found = []
        thread = threading.Thread(target=lambda: found.append(x * 2))
        thread.start()
        thread.join()
        return x + found[0]

    with pytest.warns(tracelab.TracerWarning, match="by another thread"):
        traced = tracelab.trace(by_thread, torch.ones(2), check_trace=False)
    (warning,) = traced.graph.warnings
    assert warning.kind == "constant"
    assert "x + found[0]" in warning.text


def test_so_it_is_for_a_pool():
    def by_pool(x):
        with ThreadPoolExecutor(2) as pool:
            return x + sum(pool.map(lambda n: x * n, (1.0, 2.0)))

    with pytest.warns(tracelab.TracerWarning, match="by another thread"):
        tracelab.trace(by_pool, torch.ones(2), check_trace=False)


def test_what_leaks_out_of_a_call_that_stays_one_node_is_told():
    kept = []

    class Leaky(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            kept.append(x.detach() * 3)
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    with pytest.warns(tracelab.TracerWarning, match="inside a call that stays one node"):
        tracelab.trace(lambda x: Leaky.apply(x) + kept[-1], torch.ones(2), check_trace=False)


def test_a_tensor_from_before_is_a_constant_in_silence():
    weight = torch.ones(2)

    def uses(x):
        thread = threading.Thread(target=lambda: weight * 2)
        thread.start()
        thread.join()
        return x + weight

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tracelab.trace(uses, torch.ones(2), check_trace=False)


def test_inference_mode_is_a_region():
    def infers(x):
        with torch.inference_mode():
            y = x * 2
        return y

    x = torch.ones(2, requires_grad=True)
    traced = tracelab.trace(infers, x, check_trace=False)
    assert [node.name for node in traced.graph.nodes] == ["EnterContext", "mul", "ExitContext"]
    assert not traced(x).requires_grad
    assert traced(x).is_inference()
    agrees(traced, infers, x)


@pytest.mark.parametrize("decorator", [torch.inference_mode(), torch.inference_mode(False)])
def test_a_decorated_function_is_such_a_region(decorator):
    inner = decorator(lambda x: x * 2)
    traced = tracelab.trace(lambda x: inner(x), torch.ones(2), check_trace=False)
    assert traced(torch.ones(2)).is_inference() == inner(torch.ones(2)).is_inference()


def test_a_tensor_that_a_module_makes_as_it_is_imported_is_a_constant_in_silence(tmp_path, monkeypatch):
    (tmp_path / "mod_tl_table.py").write_text("import torch\ntable = torch.ones(2) * 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def reads(x):
        from mod_tl_table import table

        return x + table

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(reads, torch.ones(2), check_trace=False)
    assert traced(torch.ones(2)).tolist() == [4, 4]


def test_backward_hooks_matter_to_no_one_without_gradients():
    net = torch.nn.Linear(2, 2)
    net.register_full_backward_hook(lambda module, *gradients: None)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        tracelab.trace(net, torch.ones(1, 2), check_trace=False)
