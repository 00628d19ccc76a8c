"""`tracelab check`: a file's graph on inputs, by itself or against another file."""

from __future__ import annotations

import argparse
from typing import Any

from tracelab.api.comparing import compare
from tracelab.check.findings import CallInputs
from tracelab.cli.files import graph_of, opened
from tracelab.cli.inputs import arguments_of
from tracelab.cli.terminal import node_name, say, say_json
from tracelab.comparison.values_data import ComparedValue
from tracelab.errors import AssumptionError, InputError, TracelabError
from tracelab.execute.run.failures import NodeError
from tracelab.execute.run.lookup import place
from tracelab.execute.run.start import run_traced
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.types import counted


def run(options: argparse.Namespace) -> int:
    """Print the faults; the status is 1 where there are any."""
    found = opened(options.file)
    arguments = arguments_of(graph_of(found), options.inputs)
    faults = _alone(found, arguments) if options.against is None else _against(found, options, arguments)
    if options.json:
        say_json({"faults": faults})
    else:
        for fault in faults:
            say(f"{fault['kind']}: {fault['message']}")
        if not faults:
            say("no fault found")
    return 1 if faults else 0


def _alone(found: Any, arguments: dict[str, Any]) -> list[dict[str, str]]:
    faults = []
    raised: Exception | None = None
    if not isinstance(found, Graph):
        found.on_violation = "raise"
        try:
            found(**arguments)
        except AssumptionError as error:
            faults.append({"kind": "assumption", "message": str(error), "node": ""})
        except InputError:
            raise
        except Exception as error:
            raised = error
    try:
        bad = run_traced(found, (), arguments).first_nonfinite
    except NodeError as error:
        if isinstance(error.__cause__, TracelabError):
            # It may not run at all, which says nothing of the inputs.
            raise
        return [*faults, _error(error)]
    if raised is not None:
        raise raised
    if bad is not None:
        message = f"{place(bad)} made a NaN or an infinity"
        faults.append({"kind": "not finite", "message": message, "node": node_name(bad)})
    again = compare(found, found, CallInputs((), arguments), rtol=0.0, atol=0.0)
    if again.first_divergent is not None:
        message = f"{place(again.first_divergent)} gave other values"
        faults.append({"kind": "not deterministic", "message": message, "node": node_name(again.first_divergent)})
    return faults


def _against(found: Any, options: argparse.Namespace, arguments: dict[str, Any]) -> list[dict[str, str]]:
    other = opened(options.against)
    inputs = CallInputs((), arguments)
    if input_tree_of(graph_of(other)).names != input_tree_of(graph_of(found)).names:
        # An exporter has names of its own for inputs: their order says which is which.
        inputs = CallInputs(tuple(arguments.values()), {})
    compared = compare(found, other, inputs, rtol=options.rtol, atol=options.atol)
    if not options.json and compared.by_order:
        rows = counted(len(compared.rows), "value")
        say(f"the two have operators of other names: {rows} compared, paired by order")
    faults = [
        {"kind": "difference", "message": f"{place(row.node)}: {row.differs}{_how_far(row)}", "node": row.a.name}
        for row in compared.rows
        if row.differs
    ]
    if compared.failed is not None:
        faults.append(_error(compared.failed))
    return faults


def _how_far(row: ComparedValue) -> str:
    found = row.distance
    return "" if found is None else f" (max abs {found.max_abs:.4g}, max rel {found.max_rel:.4g})"


def _error(error: NodeError) -> dict[str, str]:
    return {"kind": "error", "message": str(error), "node": node_name(error.node)}
