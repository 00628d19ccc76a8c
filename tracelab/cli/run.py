"""`tracelab run`: run the graph of a file on inputs, whole or up to a node."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from safetensors.torch import save

from tracelab.cli.files import graph_of, opened
from tracelab.cli.inputs import arguments_of, tensors_of
from tracelab.cli.terminal import node_data, say, say_json
from tracelab.errors import TracelabFileError
from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.start import run_traced
from tracelab.graph.types import tensor_type

_STATISTICS = ("count", "min", "max", "mean", "std", "zeros", "nans", "infs")


def run(options: argparse.Namespace) -> int:
    """Print what it gives; the status is 1 where a node made a NaN."""
    found = opened(options.file)
    arguments = arguments_of(graph_of(found), options.inputs)
    done = run_traced(found, (), arguments, until=options.upto, statistics=options.stats)
    tensors = dict(tensors_of(done.outputs))
    if options.output:
        content = save({name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()})
        try:
            Path(options.output).write_bytes(content)
        except OSError as error:
            raise TracelabFileError(f"cannot write to {options.output}: {error.strerror or error}") from None
    records = done.records if options.stats else []
    if options.json:
        types = {name: tensor_type(tensor).short for name, tensor in tensors.items()}
        nan = done.first_nan.outputs[0].name if done.first_nan is not None else None
        data = {"outputs": types, "nodes": [_data(record) for record in records], "first_nan": nan}
        say_json(data)
    else:
        say(str(done))
        for record in records:
            for value, figures in record.statistics.items():
                say(f"  {value.name}  {record.node.kind}  {figures}")
        for name, tensor in tensors.items():
            say(f"{name}: {tensor_type(tensor).short}")
    return 0 if done.first_nan is None else 1


def _data(record: NodeRecord) -> dict[str, Any]:
    node = record.node
    return {
        **node_data(node),
        "seconds": record.seconds,
        "outputs": {
            value.name: {name: getattr(each, name) for name in _STATISTICS} for value, each in record.statistics.items()
        },
    }
