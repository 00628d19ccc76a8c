"""`tracelab check`: a file's graph on inputs, by itself or against another file."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tracelab.api.comparing import compare
from tracelab.check.findings import CallInputs
from tracelab.cli.files import graph_of, opened
from tracelab.cli.inputs import arguments_of
from tracelab.cli.terminal import say
from tracelab.errors import AssumptionError
from tracelab.execute.run.lookup import place
from tracelab.execute.run.start import run_traced
from tracelab.graph.graph import Graph


def run(options: argparse.Namespace) -> int:
    """Print the faults; the status is 1 where there are any."""
    found = opened(options.file)
    arguments = arguments_of(graph_of(found), options.inputs)
    faults = _alone(found, arguments) if options.against is None else _against(found, options, arguments)
    if options.json:
        print(json.dumps({"faults": faults}, indent=2))
    else:
        for fault in faults:
            say(f"{fault['kind']}: {fault['message']}")
        if not faults:
            say("no fault found")
    return 1 if faults else 0


def _alone(found: Any, arguments: dict[str, Any]) -> list[dict[str, str]]:
    faults = []
    if not isinstance(found, Graph):
        found.on_violation = "raise"
        try:
            found(**arguments)
        except AssumptionError as error:
            faults.append({"kind": "assumption", "message": str(error)})
    bad = run_traced(found, (), arguments).first_nonfinite
    if bad is not None:
        faults.append({"kind": "not finite", "message": f"{place(bad)} made a NaN or an infinity"})
    again = compare(found, found, CallInputs((), arguments), rtol=0.0, atol=0.0)
    if again.first_divergent is not None:
        faults.append({"kind": "not deterministic", "message": f"{place(again.first_divergent)} gave other values"})
    return faults


def _against(found: Any, options: argparse.Namespace, arguments: dict[str, Any]) -> list[dict[str, str]]:
    inputs = CallInputs((), arguments)
    compared = compare(found, opened(options.against), inputs, rtol=options.rtol, atol=options.atol)
    faults = [
        {"kind": "difference", "message": f"{place(row.node)}: {row.differs} {row.distance or ''}".strip()}
        for row in compared.rows
        if row.differs
    ]
    if compared.failed is not None:
        faults.append({"kind": "error", "message": str(compared.failed)})
    return faults
