"""Several recordings of one callable: a call takes the first whose assumptions hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import torch
from torch import Tensor

from tracelab.errors import AssumptionError, InputError
from tracelab.execute.codegen.guards import (
    Guarded,
    can_pick,
    is_passing,
    is_silent,
    passing,
    tell,
    violated,
)
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.case_labels import case_labels
from tracelab.graph.graph import Graph
from tracelab.graph.structure import InputTree
from tracelab.graph.text.violations import may_be_wrong, none_fits


class Cases(Guarded):
    """What is traced, as far as there may be several recordings of it.

    Each recording is a traced object of its own. All of them share parameters, policy and this list.
    """

    _family: dict[str, list[Self]]
    """The recordings of each method, where there are several."""
    _alone = False
    """Whether it is asked what this recording takes, as a check does."""

    @property
    def cases(self) -> list[Self]:
        """The recordings in the order in which they were made: more than one after `on_violation="retrace"`.

        >>> double = tracelab.trace(lambda x: x * 2 if x.shape[0] > 1 else x, torch.ones(1), on_violation="retrace")
        >>> double(torch.ones(3))
        tensor([2., 2., 2.])
        >>> [case.label for case in double.cases]
        ['x.shape[0] <= 1', 'x.shape[0] > 1']
        """
        return self._cases_of(self._method)

    @property
    def label(self) -> str:
        """What is different in this recording from the others, in a few words; empty where there is no other."""
        cases = self.cases
        graphs = [case._graph_of(self._method) for case in cases]
        return case_labels(graphs)[next(at for at, case in enumerate(cases) if case is self)]

    @property
    def _method(self) -> str:
        """The method that stands for the whole."""
        raise NotImplementedError

    def _graph_of(self, method: str) -> Graph:
        raise NotImplementedError

    def _replayed(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """This recording on these arguments; `InputError` where it does not take them."""
        raise NotImplementedError

    def _missed_mode(self, method: str, training: bool) -> AssumptionError | None:
        """Why this recording is not one of the modes of the modules now; None where it is, or does not depend on it."""
        return None

    def _cases_of(self, method: str) -> list[Self]:
        return list(self._family.get(method, (self,)))

    def _add_case(self, method: str, case: Self) -> None:
        family = self._family.setdefault(method, [self])
        family.append(case)
        case._family = self._family
        self.policy.several = True

    def _fitting(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the first recording gives whose assumptions hold; the call is recorded where there is none."""
        if not (self._alone or is_silent() or torch.compiler.is_compiling() or can_pick()):
            # No assumption can be asked here.
            python = self._python_of(method)
            if python is not None:
                return python(*args, **kwargs)
        missed: list[InputError] = []
        try:
            return self._first_of([self] if self._alone else self._cases_of(method), method, args, kwargs, missed)
        except NoneFits:
            pass
        policy = self.policy
        if policy.on_violation == "retrace":
            return self._recorded_anew(method, args, kwargs, missed)
        if policy.on_violation == "raise" or is_silent():
            raise _none_fits(missed)
        if policy.on_violation == "warn":
            error = _none_fits(missed)
            tell(f"{error}{may_be_wrong(reasons(missed)[0][1])}")
        with passing():
            return self._replayed(method, args, kwargs)

    def _python_of(self, method: str) -> Callable[..., Any] | None:
        """The Python function, with the modules as they are now; None where there is none, or no call may use it."""
        return None

    def _first_of(
        self,
        cases: list[Self],
        method: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        missed: list[InputError],
    ) -> Any:
        """What the first of the recordings gives that fits; `NoneFits`, with the reasons in `missed`."""
        training = getattr(self, "training", False)
        for case in cases:
            other_mode = case._missed_mode(method, training)
            if other_mode is not None:
                missed.append(other_mode)
                continue
            try:
                return case._replayed(method, args, kwargs)
            except NotThisCase as error:
                missed.append(error.reason)
            except AssumptionError as error:
                if not any(item is error.assumption for item in case._graph_of(method).assumptions):
                    raise
                missed.append(error)
        raise NoneFits

    def _recorded_anew(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], missed: list[InputError]
    ) -> Any:
        """The call in Python, which is recorded; here there is no Python function."""
        raise missed[0]


def flat_inputs(
    owner: Cases, tree: InputTree, args: tuple[Any, ...], kwargs: dict[str, Any], name: str
) -> list[Tensor]:
    """The tensors of a call; `NotThisCase` where another recording may take it, `InputError` where none can."""
    differing: list[str] = []
    picks = owner.policy.picks and not is_passing()
    try:
        flat = tree.flatten(args, kwargs, name, differing)
    except InputError as error:
        if picks:
            raise NotThisCase(error) from None
        raise
    if differing and picks:
        raise NotThisCase(violated(differing[0], None))
    if differing:
        owner.policy.act(f"{differing[0]}{may_be_wrong(None)}")
    return flat


def reasons(missed: list[InputError]) -> list[tuple[str, Assumption | None]]:
    """Of each recording, why it does not take a call."""
    items = [getattr(error, "assumption", None) for error in missed]
    return [
        (str(error), item if isinstance(item, Assumption) else None) for error, item in zip(missed, items, strict=True)
    ]


def _none_fits(missed: list[InputError]) -> InputError:
    """The error of a call that no recording takes; of one recording, its own."""
    if len(missed) == 1:
        return missed[0]
    return violated(f"no recording fits this call ({none_fits(reasons(missed))})", reasons(missed)[0][1])


class NotThisCase(Exception):
    """The arguments do not nest as they did in this recording."""

    def __init__(self, reason: InputError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class NoneFits(Exception):
    """None of the recordings fits a call."""


class NoRecording(AssumptionError):
    """A call, under a check, for which another recording would be made."""


def modes_of(graph: Graph) -> Iterator[tuple[str, Assumption]]:
    """The modules whose modes a recording depends on, by path, and what says so: `""` is the traced module itself."""
    for item in graph.assumptions:
        if item.kind is AssumptionKind.TRAINING and item.probe is None:
            yield from ((path, item) for path in item.paths or ("",))


def other_mode(name: str, path: str, item: Assumption) -> AssumptionError:
    """What says that a recording is not one of the mode that a module is in now."""
    was, now = ("training", "evaluation") if item.constant else ("evaluation", "training")
    label = f"{name}.{path}" if path else name
    return violated(f"{label} was in {was} mode when it was traced and is in {now} mode at this call", item)
