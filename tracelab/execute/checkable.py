"""What traced functions and traced modules have in common: they are checked against their Python code."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from tracelab.check.report import CheckReport


class Checkable:
    """`check` of everything that was traced."""

    checked: tuple[bool, str] | None = None
    """Whether the last check found no fault, and what it said in a few words; None before the first."""

    def check(
        self,
        inputs: Iterable[Any] | None = None,
        executor: Executor | None = None,
        *,
        tolerance: float = 1e-5,
        tries: int = 32,
        allow: Collection[str] = (),
        progress: bool | None = None,
        method: str | None = None,
    ) -> CheckReport:
        """Run it and the Python function that it was made from on many inputs, and say where they part.

        - `inputs`: any iterable; each item as in `trace`, a tensor or a tuple of the arguments (or
          `tracelab.CallInputs(args, kwargs)`). They are drawn as they are needed. Without, `tries` inputs are made from
          the example inputs: other sizes, values and signs; integers stay within the range of the example.
        - `executor`: any `concurrent.futures.Executor`; a Dask cluster's is `client.get_executor()`. Without, a pool
          of processes takes over where many inputs take long.
        - `tolerance`: relative, of outputs. `allow`: kinds of findings that are no faults (`{"randomness"}`).
        - `progress`: show a bar; by default where there are many inputs. `method`: which traced method of a module.

        Inputs are cloned; random state, buffers, gradients and attributes are as before afterwards. An input on which
        the Python function raises is a finding where it was given, and no counterexample where it was made. Raises
        `TracelabError` where there is no Python function (after loading from a file).

        >>> report = traced.check()
        >>> report.ok, [finding.line for finding in report.findings]
        (False, ['net.py:12'])
        """
        from tracelab.check.checking import check

        report = check(
            self, inputs, executor, tolerance=tolerance, tries=tries, allow=allow, progress=progress, method=method
        )
        self.checked = (report.ok, report.headline)
        return report
