"""Which operators a graph from a file may run: those that compute on tensors; others after the user's word."""

from __future__ import annotations

import io
import json
import math
import zipfile

import pytest
import torch

import tracelab
from tracelab import TracelabError
from tracelab.graph.allowed_operators import refusal

ALLOWED_NAMESPACES = {"aten", "prim", "prims", "quantized", "rngprims", "inductor_prims", "torchvision", "torch_nn"}


def with_operator(name, args):
    """The file of a trace whose one operator is another one."""
    file = io.BytesIO()
    tracelab.save(tracelab.trace(torch.relu, torch.ones(4), check_trace=False), file)
    made = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "graph.json":
                graph = json.loads(content)
                (node,) = (item for item in graph["graphs"][0][1]["nodes"] if "operator" in (item["run"] or {}))
                node.update(kind=name.partition(".")[0], overload=name.partition(".")[2], args=args)
                node["run"] = {"operator": name}
                content = json.dumps(graph).encode()
            new.writestr(info, content)
    return io.BytesIO(made.getvalue())


def schemas():
    return torch._C._jit_get_all_schemas()


def test_every_overload_of_torch_is_classified_and_packages_are_refused():
    counts = {"allowed": 0, "refused": 0}
    for schema in schemas():
        reason = refusal(schema)
        counts["refused" if reason else "allowed"] += 1
        if not reason:
            assert schema.name.partition("::")[0] in ALLOWED_NAMESPACES, schema
    assert counts["allowed"] > 2500
    assert counts["refused"] > 600


def test_no_allowed_overload_takes_an_object_of_the_process():
    for schema in schemas():
        if refusal(schema) == "":
            types = " ".join(str(item.type) for item in (*schema.arguments, *schema.returns))
            assert not any(word in types for word in ("RRef", "Future", "Storage")), schema
            assert "file" not in " ".join(argument.name for argument in schema.arguments), schema


@pytest.mark.parametrize(
    "name",
    [
        "inductor::_reinterpret_tensor",
        "inductor::resize_storage_bytes_",
        "prim::rpc_sync",
        "prim::PythonOp",
        "aten::save",
        "aten::from_file",
        "aten::gcd.int",
        "aten::floordiv.int",
        "aten::__lshift__.int",
        "aten::_reshape_alias",
        "aten::_sparse_csr_tensor_unsafe",
        "aten::fbgemm_linear_fp16_weight",
        "aten::set_.source_Storage",
        "c10d::send",
        "profiler::_record_function_enter",
        "mkldnn::data_ptr",
    ],
)
def test_an_operator_that_does_more_than_compute_is_refused(name):
    base, _, overload = name.partition(".")
    found = [schema for schema in schemas() if (schema.name, schema.overload_name) == (base, overload)]
    assert all(refusal(schema) for schema in found)


@pytest.mark.parametrize(
    "name",
    ["aten::relu", "aten::add_.Tensor", "aten::arange", "aten::_softmax", "aten::_to_copy", "aten::_foreach_add_.List"],
)
def test_an_operator_that_computes_is_allowed(name):
    base, _, overload = name.partition(".")
    (schema,) = (item for item in schemas() if (item.name, item.overload_name) == (base, overload))
    assert refusal(schema) == ""


def test_a_file_that_reinterprets_memory_loads_and_refuses_to_run():
    file = with_operator("inductor::_reinterpret_tensor", [{"value": 0}, [10**9], [1]])
    with pytest.raises(
        TracelabError, match=r"inductor::_reinterpret_tensor .*allow=\{'inductor::_reinterpret_tensor'\}"
    ):
        tracelab.load(file)(torch.ones(4))


def test_a_file_that_divides_the_least_number_is_an_error_and_no_crash():
    file = with_operator("aten::gcd.int", [-(2**63), -1])
    with pytest.raises(TracelabError, match="works on plain numbers"):
        tracelab.load(file)(torch.ones(4))


def divide(x, a, b):
    return x + math.gcd(int(a), int(b))


def test_a_script_that_divides_the_least_number_is_an_error_and_no_crash():
    run = tracelab.from_torchscript(torch.jit.script(divide)).to_callable()
    assert run(torch.zeros(1), torch.tensor(4), torch.tensor(6)).item() == 2
    with pytest.raises(TracelabError, match="at the edge of what 64 bits hold"):
        run(torch.zeros(1), torch.tensor(-(2**63)), torch.tensor(-1))


def test_an_operator_runs_that_the_user_allowed():
    with torch.library._scoped_library("tracelab_allowed_test", "DEF") as library:
        library.define("thrice(Tensor x) -> Tensor")
        library.impl("thrice", lambda x: x * 3, "CompositeExplicitAutograd")
        traced = tracelab.trace(lambda x: torch.ops.tracelab_allowed_test.thrice(x), torch.ones(2))
        file = io.BytesIO()
        tracelab.save(traced, file)
        with pytest.raises(TracelabError, match="is of a package, tracelab_allowed_test"):
            tracelab.load(io.BytesIO(file.getvalue()))(torch.ones(2))
        loaded = tracelab.load(io.BytesIO(file.getvalue()), allow={"tracelab_allowed_test::thrice"})
        assert loaded(torch.ones(2)).tolist() == [3, 3]
