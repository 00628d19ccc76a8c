"""The weights of a trace that nobody holds any more go at once, not with Python's next garbage collection."""

import contextlib
import copy
import gc
import io
import pickle
import warnings
import weakref

import pytest
import torch
from torch import nn

import tracelab

USES = {
    "nothing": lambda traced, x: None,
    "a call": lambda traced, x: traced(x),
    "a call that is watched": lambda traced, x: traced(x.requires_grad_()).sum().backward(),
    "a check": lambda traced, x: traced.check(max_examples=2),
    "a run": lambda traced, x: traced.run(x),
    "a profile": lambda traced, x: traced.profile(x),
    "its shapes": lambda traced, x: traced.shapes(),
    "a page": lambda traced, x: traced.to_html(),
    "a figure": lambda traced, x: traced.figure(),
    "the printed graph": lambda traced, x: str(traced.graph),
    "a summary": lambda traced, x: str(traced.summary()),
    "a file": lambda traced, x: tracelab.save(traced, io.BytesIO()),
    "a copy": lambda traced, x: copy.deepcopy(traced)(x),
    "a pickle": lambda traced, x: pickle.loads(pickle.dumps(traced))(x),
    "a difference": lambda traced, x: tracelab.diff(traced, traced),
    "another mode": lambda traced, x: traced.eval()(x),
    "another device": lambda traced, x: traced.to("meta"),
}


@contextlib.contextmanager
def no_collection():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("check", [False, True])
def test_a_module_goes_with_its_trace(use, check):
    x = torch.ones(2, 4)
    # What torch makes at its first profile of a process stays.
    USES[use](tracelab.trace(nn.Linear(4, 4), x), x)
    with warnings.catch_warnings(), no_collection():
        warnings.simplefilter("ignore")
        model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.BatchNorm1d(4))
        weight = weakref.ref(model[0].weight)
        traced = tracelab.trace(model, x, check_trace=check)
        USES[use](traced, x.clone())
        del model, traced
        assert weight() is None


@pytest.mark.parametrize("use", [name for name in USES if name not in ("another mode", "another device")])
def test_a_captured_tensor_goes_with_the_trace_of_a_function(use):
    x = torch.ones(2, 4)
    with warnings.catch_warnings(), no_collection():
        warnings.simplefilter("ignore")
        held = torch.randn(4, 4)
        weight = weakref.ref(held)
        traced = tracelab.trace(lambda x, held=held: (x @ held).view(x.shape[0], -1), x)
        USES[use](traced, x.clone())
        del held, traced
        assert weight() is None


def test_a_node_is_as_it_was_while_its_graph_is_gone():
    nodes = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2)).graph.nodes
    node = nodes[0]
    assert [user.kind for user in node.users] == ["aten::add"]
    assert node.graph is None
    with pytest.raises(tracelab.TracelabError, match="nobody holds the graph of aten::relu any more"):
        node.replace_all_uses_with(node)
