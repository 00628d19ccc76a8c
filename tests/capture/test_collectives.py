"""Programs of `torch.distributed`: collectives are nodes, and a replay communicates as the program does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

import tracelab
from support import examples

needs_gloo = pytest.mark.skipif(
    not dist.is_available() or not dist.is_gloo_available(), reason="this torch is built without gloo"
)
pytestmark = needs_gloo
FUNCTIONS = [
    "all_reduce_max",
    "all_gather",
    "reduce_scatter",
    "asynchronous",
    "send_and_receive",
    "broadcast_and_barrier",
]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What two processes saw, by rank."""
    folder = tmp_path_factory.mktemp("ranks")
    program = Path(examples.__file__).with_name("two_ranks.py")
    running = [
        subprocess.Popen([sys.executable, program, folder, str(rank)], stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    for process in running:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
    return [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in range(2)]


@pytest.fixture
def alone(tmp_path):
    """A process group of this process only."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield dist.group.WORLD
    dist.destroy_process_group()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("rank", [0, 1])
def test_a_replay_on_other_values_equals_eager(ranks, name, rank):
    assert ranks[rank][name]["replay"] == ranks[rank][name]["eager"]


def test_both_ranks_get_what_both_gave(ranks):
    assert ranks[0]["all_gather"]["replay"] == ranks[1]["all_gather"]["replay"] == [5, -3, 10, -6]


def test_a_collective_is_one_node(ranks):
    assert ranks[0]["all_reduce_max"]["kinds"] == ["aten::mul", "c10d::allreduce_", "prim::ListUnpack", "aten::add"]


def test_what_the_backend_computes_is_no_part_of_the_graph(ranks):
    assert [kind for kind in ranks[0]["reduce_scatter"]["kinds"] if kind.startswith("aten::copy_")] == []


def test_ranks_that_do_different_things_have_different_graphs(ranks):
    kinds = [[kind for kind in rank["send_and_receive"]["kinds"] if kind.startswith("c10d")] for rank in ranks]
    assert kinds == [["c10d::send", "c10d::recv_"], ["c10d::recv_", "c10d::send"]]


@pytest.mark.parametrize("name", ["ParallelMLP", "LearningMLP", "FunctionalMLP", "DTensor"])
def test_a_tensor_parallel_mlp_equals_the_whole_one(ranks, name):
    for rank in ranks:
        assert torch.allclose(torch.tensor(rank[name]["replay"]), torch.tensor(rank["whole"]["replay"]), atol=1e-6)


def test_gradients_of_a_tensor_parallel_mlp_are_its_rows_of_the_whole(ranks):
    parts = torch.cat([torch.tensor(rank["LearningMLP"]["gradient"]) for rank in ranks])
    assert torch.allclose(parts, torch.tensor(ranks[0]["whole"]["gradient"]), atol=1e-6)


def test_functional_collectives_are_nodes(ranks):
    kinds = ranks[0]["FunctionalMLP"]["kinds"]
    assert kinds[-2:] == ["_c10d_functional::all_reduce", "_c10d_functional::wait_tensor"]


def test_sharded_tensors_show_where_they_are_redistributed(ranks):
    layers = ["^_FromTorchTensor", "aten::linear", "^Redistribute", "^_ToTorchTensor"]
    assert ranks[0]["DTensor"]["kinds"] == [*layers, "aten::relu", *layers]


def test_the_text_names_the_group_and_the_reduction(alone):
    def largest(x):
        y = x * 2
        dist.all_reduce(y, op=dist.ReduceOp.MAX)
        return y

    graph = tracelab.trace(largest, torch.ones(2)).graph
    assert str(graph).replace(f" # {Path(__file__).name}", " #") == (
        "graph(%x : Float(2, strides=[1], requires_grad=0, device=cpu)):\n"
        "  %1 : int = prim::Constant[value=2]()\n"
        f"  %y : Float(2, strides=[1], requires_grad=0, device=cpu) = aten::mul(%x, %1) #:{_line(largest) + 1}:12\n"
        "  %2 : Tensor[] = prim::ListConstruct(%y)\n"
        f'  %3 : Any = prim::Constant[value="ProcessGroup({alone.group_name!r}, 1 ranks)"]()\n'
        '  %4 : Any = prim::Constant[value="ReduceOp.MAX"]()\n'
        "  %5 : NoneType = prim::Constant()\n"
        "  %6 : bool = prim::Constant[value=0]()\n"
        "  %7 : int = prim::Constant[value=-1]()\n"
        "  %allreduce_ : Tensor[], %allreduce_.1 : ScriptObject = c10d::allreduce_(%2, %3, %4, %5, %6, %7)"
        f" #:{_line(largest) + 2}:8\n"
        "  %allreduce_.2 : Float(2, strides=[1], requires_grad=0, device=cpu) = prim::ListUnpack(%allreduce_)"
        f" #:{_line(largest) + 2}:8\n"
        "  return (%allreduce_.2)\n"
    )


def test_a_collective_with_an_object_of_the_process_is_refused_as_it_is_saved(alone, tmp_path):
    def total(x):
        y = x * 2
        dist.all_reduce(y)
        return y

    traced = tracelab.trace(total, torch.ones(2))
    with pytest.raises(
        tracelab.TracelabFileError, match=r"it was called with a ReduceOp\.SUM, which files do not hold"
    ):
        traced.save(tmp_path / "total.tlab")
    tracelab.save(traced.graph, tmp_path / "total.tlab")
    with pytest.raises(tracelab.TracelabError, match=r"c10d::allreduce_ was called with a ReduceOp\.SUM"):
        tracelab.load(tmp_path / "total.tlab", allow={"c10d::allreduce_"})(torch.ones(2))


def test_a_functional_collective_runs_from_a_file_where_it_is_allowed(alone, tmp_path):
    import torch.distributed._functional_collectives as functional

    tracelab.trace(lambda x: functional.all_reduce(x * 2, "sum", alone) + 1, torch.ones(2)).save(tmp_path / "t.tlab")
    allow = {"_c10d_functional::all_reduce", "_c10d_functional::wait_tensor"}
    assert tracelab.load(tmp_path / "t.tlab", allow=allow)(torch.ones(2)).tolist() == [3, 3]


def _line(function) -> int:
    return function.__code__.co_firstlineno
