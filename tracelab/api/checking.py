"""What traced functions and traced modules have in common: they are checked against their Python code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import Any

from tracelab.check.cases import combined
from tracelab.check.checking import check
from tracelab.check.findings import CheckInput
from tracelab.check.report import CheckReport
from tracelab.compat.modes import keeps_modes

_FEWEST = 8
"""So many inputs are tried on each of several recordings, or more."""


class Checking:
    """`check` of everything that was traced."""

    checked: tuple[bool, str] | None
    recordings: Callable[[str | None], list[Any]]
    as_recorded: Callable[[Any, str | None], AbstractContextManager[None]]
    _method: Any

    @keeps_modes
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
            The report; `report.ok` says whether inputs were tried and no difference was found. `report.assumptions`
            gives each assumption of the trace with an input for which it does not hold. Of inputs of another form than
            the example, a difference of which a call is told (by an `AssumptionWarning` or an error) is no error of the
            report. Of several recordings, each is tried on inputs like its own, and a given input by the first that
            takes it.

        Raises:
            TracelabError: There is no Python function to compare with (after loading from a file), or an option is
                wrong.

        >>> traced = tracelab.trace(lambda x: x.view(x.shape[0] * 2, -1), torch.ones(2, 4))
        >>> report = traced.check()
        >>> report.ok, report.findings
        (True, [])
        """
        cases = self.recordings(method)
        several = len(cases) > 1
        share = max_examples if not several else max(_FEWEST, max_examples // len(cases))

        def checked(case: Any, left: list[CheckInput] | None = None) -> CheckReport:
            return check(
                case,
                inputs,
                executor,
                tolerance=tolerance,
                max_examples=share,
                allow=allow,
                progress=progress,
                method=method,
                left=left,
            )

        if not several:
            report = checked(self)
            self.checked = (report.ok, report.headline)
            return report
        reports: list[CheckReport] = []
        given = inputs is not None
        tried = self._of_this_mode(cases, method) if given else cases
        for case in tried:
            # What one recording does not take is tried by the next, as at a call.
            left: list[CheckInput] | None = [] if given and case is not tried[-1] else None
            with self.as_recorded(case, method):
                reports.append(checked(case, left))
            if given:
                inputs = left
            if given and not left:
                break
        if not reports:
            # No recording is one of this mode: the whole says so of each input.
            reports, tried = [checked(self)], [self]
        pairs = list(zip(reports, tried, strict=False))
        # A recording that takes none of the inputs has nothing to tell, but how many are for none.
        shown = [pair for pair in pairs if pair[0].tried or not given] or pairs
        numbers = {id(case): number for number, case in enumerate(cases, 1)}
        recordings = {numbers[id(case)]: case.label for _, case in shown}
        report = combined([each for each, _ in shown], recordings, given=given)
        if given:
            report.unrecorded = reports[-1].unrecorded
        self.checked = (report.ok, report.headline)
        return report

    def _of_this_mode(self, cases: list[Any], method: str | None) -> list[Any]:
        """The recordings that a call may take now: those that depend on no mode, or on that of now."""
        name, training = method or self._method, getattr(self, "training", False)
        return [case for case in cases if case._missed_mode(name, training) is None]
