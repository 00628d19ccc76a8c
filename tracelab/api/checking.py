"""What traced functions and traced modules have in common: they are checked against their Python code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import Any

from tracelab.check.cases import combined
from tracelab.check.checking import check
from tracelab.check.report import CheckReport

_FEWEST = 8
"""So many inputs are tried on each of several recordings, or more."""


class Checking:
    """`check` of everything that was traced."""

    checked: tuple[bool, str] | None
    recordings: Callable[[str | None], list[Any]]
    as_recorded: Callable[[Any, str | None], AbstractContextManager[None]]

    def check(
        self,
        inputs: Iterable[Any] | None = None,
        executor: Executor | None = None,
        *,
        tolerance: float = 1e-5,
        max_examples: int = 32,
        allow: Collection[str] = (),
        progress: bool | None = None,
        method: str | None = None,
    ) -> CheckReport:
        """Compare the trace with the original function on many inputs and report differences.

        Inputs are cloned; random state, buffers, gradients and attributes are as before afterwards. An input on which
        the Python function raises is a finding where it was given, and no counterexample where it was generated.

        Args:
            inputs: Any iterable; each item as in `trace`, a tensor or a tuple of the arguments (or
                `tracelab.CallInputs(args, kwargs)`). They are drawn as they are needed. Without it, inputs are
                generated from the example inputs: other sizes, values and signs, and a few of another dtype, rank or
                layout, with gradients and without data (`meta`); integers stay within the range of the example.
            executor: Any `concurrent.futures.Executor`; a Dask cluster's is `client.get_executor()`. Without one, a
                pool of processes takes over where many inputs take long.
            tolerance: The relative difference of outputs that is allowed.
            max_examples: How many inputs are generated, beside the few of another form.
            allow: Kinds of findings that do not count as errors (`{"nondeterminism"}`).
            progress: Whether to show a progress bar; by default where there are many inputs.
            method: Which traced method of a module.

        Returns:
            The report; `report.ok` says whether no difference was found. `report.assumptions` gives each assumption of
            the trace with an input for which it does not hold. Of inputs of another form than the example, a difference
            of which a call is told (by an `AssumptionWarning` or an error) is no error of the report.

        Raises:
            TracelabError: There is no Python function to compare with (after loading from a file), or an option is
                wrong.

        >>> traced = tracelab.trace(lambda x: x.view(x.shape[0] * 2, -1), torch.ones(2, 4))
        >>> report = traced.check()
        >>> report.ok, report.findings
        (True, [])
        """
        cases: list[Any] = [self] if inputs is not None else self.recordings(method)
        share = max_examples if len(cases) == 1 else max(_FEWEST, max_examples // len(cases))
        reports = []
        for case in cases:
            with self.as_recorded(case, method):
                reports.append(
                    check(
                        case,
                        inputs,
                        executor,
                        tolerance=tolerance,
                        max_examples=share,
                        allow=allow,
                        progress=progress,
                        method=method,
                    )
                )
        report = reports[0] if len(cases) == 1 else combined(reports, [case.label for case in cases])
        self.checked = (report.ok, report.headline)
        return report
