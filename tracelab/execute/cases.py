"""Several recordings of one callable: a call takes the first whose assumptions hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from torch import Tensor

from tracelab.errors import AssumptionError, InputError
from tracelab.execute.codegen.guards import Guarded, violated
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.case_labels import case_labels
from tracelab.graph.graph import Graph
from tracelab.graph.structure import InputTree


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
        """Why this recording is not one of this mode; None where it is, or does not depend on it."""
        return None

    def _cases_of(self, method: str) -> list[Self]:
        return list(self._family.get(method, (self,)))

    def _add_case(self, method: str, case: Self) -> None:
        family = self._family.setdefault(method, [self])
        family.append(case)
        case._family = self._family

    def _fitting(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the first recording gives whose assumptions hold; the call is recorded where there is none."""
        missed: list[InputError] = []
        training = getattr(self, "training", False)
        for case in [self] if self._alone else self._cases_of(method):
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
        return self._recorded_anew(method, args, kwargs, missed)

    def _recorded_anew(
        self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], missed: list[InputError]
    ) -> Any:
        """The call in Python, which is recorded; here there is no Python function."""
        raise missed[0]


def flat_inputs(
    owner: Cases, tree: InputTree, args: tuple[Any, ...], kwargs: dict[str, Any], name: str
) -> list[Tensor]:
    """The tensors of a call; `NotThisCase` where another recording may take it, `InputError` where none can."""
    try:
        return tree.flatten(args, kwargs, name)
    except InputError as error:
        if owner.policy.on_violation == "retrace":
            raise NotThisCase(error) from None
        raise


class NotThisCase(Exception):
    """The arguments do not nest as they did in this recording."""

    def __init__(self, reason: InputError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class NoRecording(AssumptionError):
    """A call, under a check, for which another recording would be made."""


def mode_of(graph: Graph) -> bool | None:
    """Whether a module was in training mode when it was recorded; None where the recording does not depend on it."""
    return next((item.constant for item in _modes(graph)), None)


def _modes(graph: Graph) -> Iterator[Assumption]:
    return (item for item in graph.assumptions if item.kind is AssumptionKind.TRAINING and item.probe is None)


def other_mode(name: str, graph: Graph, training: bool) -> AssumptionError | None:
    """Why a recording is not one of this mode; None where it is, or does not depend on it."""
    for item in _modes(graph):
        if item.constant is not training:
            was, now = ("training", "evaluation") if item.constant else ("evaluation", "training")
            return violated(f"{name} was in {was} mode when it was traced and is in {now} mode at this call", item)
    return None
