"""What the traced code reads outside its arguments, and changes: flags, counters, caches, random numbers of Python.

A replay does none of that again. Where the code both reads and changes an attribute, a container, a global or a
variable of a closure, the recording is that of the value which it found.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch

from tracelab.capture.analysis.constants import held_numbers, is_constant
from tracelab.capture.analysis.mode_readers import mode_told_by
from tracelab.capture.outside.attributes import reads
from tracelab.capture.outside.contents import ABSENT, PLAIN, Contents, Draws, Raw, alike, as_found, same
from tracelab.capture.outside.draws import PlainDraws
from tracelab.capture.outside.positions import Position
from tracelab.capture.outside.reads import names_as_text, names_in, names_read, names_set
from tracelab.capture.outside.tables import Table, Tables, iter_changed
from tracelab.capture.recording.recorder import Recorder
from tracelab.graph.assumptions import Assumption, AssumptionKind, Words


class OutsideState:
    """Python values around the traced code, as they are before it runs.

    `owned` says that the graph belongs to a module, whose buffers a replay can set.
    """

    def __init__(self, function: Any, modules: list[tuple[torch.nn.Module, str]], owned: bool) -> None:
        self.found = Tables(function, modules)
        self.owned = {id(module) for module, _ in modules} if owned else set()
        told = dict(mode_told_by(reader) for reader in self.found.mode_readers)
        self.modes = {subject: (ask(), ask) for subject, ask in told.items()}
        """What functions of torch, fetched before, would tell."""
        self.draws = PlainDraws()

    def note(self, recorder: Recorder) -> None:
        """Note what the code changed and also reads."""
        found = recorder.graph.assumptions
        changed = list(iter_changed(self.found.tables))
        found += self._may_change(recorder, {(id(table), name) for table, name, *_ in changed})
        if changed:
            for table, name, before, now in changed:
                if (
                    self._is_read(recorder, table, name)
                    and not self._is_set_again(table, name, before)
                    and not _repeats(recorder, before, now)
                ):
                    found.append(_state(table, name, before, alike(now, before)))
        found += self._new_names(recorder)
        self._note_training(recorder)
        known = {item.subject for item in found}
        for subject, (mode, ask) in self.modes.items():
            if subject not in known:
                found.append(Assumption(AssumptionKind.MODE, subject, mode, probe=ask))
        found += map(_drawn, self.draws.drawn_from())
        if any({"sys", "argv"} <= names_in(code) for code in self.found.codes.values()):
            found.append(Assumption(AssumptionKind.ENVIRONMENT, "sys.argv", _program(), probe=_program))

    def _is_read(self, recorder: Recorder, table: Table, name: str) -> bool:
        """Whether what stood there may have decided something."""
        first = _is_read_first(recorder, table, name)
        if first is False:
            return False
        read, _ = self._names
        if name in read or table.is_local or self._reads_any:
            return True
        return first is True and table.is_library and reads(type(table.owner), name)

    def _may_change(self, recorder: Recorder, changed: set[tuple[int, str]]) -> Iterator[Assumption]:
        """Plain values that the code reads and sets, and set to what they were: another call may find others."""
        codes = self.found.codes.values()
        both = set().union(*map(names_set, codes))
        if not both:
            return
        both &= set().union(*map(names_read, codes))
        for table in self.found.tables if both else ():
            if table.is_library and table.module is None:
                continue
            for name in both & table.before.keys():
                if (
                    type(table.before[name]) in PLAIN
                    and (id(table), name) not in changed
                    and _is_read_first(recorder, table, name) is not False
                ):
                    yield _state(table, name, table.before[name], True)

    def _note_training(self, recorder: Recorder) -> None:
        """Code outside of the `forward` of a module that ran asks for the mode of one."""
        found = recorder.graph.assumptions
        asked = any("training" in names_read(code) for code in self.found.codes.values())
        if not asked or any(item.kind is AssumptionKind.TRAINING for item in found):
            return
        for module, label in self.found.roots:
            if id(module) in self.owned:
                subject, probe = f"{type(module).__name__}.training", None
            else:
                modes = [part.training for part in module.modules()]
                subject = f"{label}.training"
                probe = functools.partial(_modes, weakref.ref(module), modes, module.training)
            found.append(Assumption(AssumptionKind.TRAINING, subject, module.training, probe=probe))

    @functools.cached_property
    def _names(self) -> tuple[set[str], set[str]]:
        """What the code that was reached reads, and the words in it."""
        codes = self.found.codes.values()
        return set().union(*map(names_read, codes)), set().union(*map(names_as_text, codes))

    @functools.cached_property
    def _reads_any(self) -> bool:
        """Whether the code gets and sets attributes by names that it computes."""
        names = set().union(*map(names_in, self.found.codes.values()))
        return {"getattr", "setattr"} <= names

    def _is_set_again(self, table: Table, name: str, before: Any) -> bool:
        """Whether a replay sets it: a buffer of a traced module."""
        module = table.module
        if module is None or id(module) not in self.owned:
            return False
        return isinstance(before, torch.Tensor) and name in module._buffers

    def _new_names(self, recorder: Recorder) -> Iterator[Assumption]:
        """Attributes that were not there, though the code asks for them.

        By their name, `hasattr(self, "done")`, or as one of the class: `self.calls += 1` beside `calls = 0` in it.
        """
        for table in self.found.tables:
            if table.names is None:
                continue
            for name in table.names() - table.known:
                first = _is_read_first(recorder, table, name)
                read, text = self._names
                if first is not False and (
                    name in text
                    or self._reads_any
                    or (name in read and (table.is_function or self._has_elsewhere(table, name)))
                    or (first is True and table.is_library)
                ):
                    yield _state(table, name, ABSENT)

    def _has_elsewhere(self, table: Table, name: str) -> bool:
        return any(name in other.before for other in self.found.tables if other is not table)


def _is_read_first(recorder: Recorder, table: Table, name: str) -> bool | None:
    """Whether the code read an attribute before it set it; None where nobody knows."""
    return recorder.read_first.get((id(table.owner), name)) if table.owner is not None else None


def _state(table: Table, name: str, before: Any, settled: bool = False) -> Assumption:
    subject = f"{table.label}.{name}" if table.label else name
    if type(before) in PLAIN:
        constant = before
    elif isinstance(before, torch.Tensor):
        constant = Words("the tensor that it was")
    else:
        constant = Words(before)
    get = table.get
    if table.module is not None:
        get = _attribute(weakref.ref(table.module), before)
    probe = StateProbe(functools.partial(get, name), before, constant, settled)
    return Assumption(AssumptionKind.STATE, subject, constant, probe=probe)


class StateProbe:
    """Reads what stands there at a call, and tells it in the words of the constant."""

    def __init__(self, get: Callable[[], Any], before: Any, constant: Any, settled: bool) -> None:
        self.get, self.before, self.constant = get, before, constant
        self.settled = settled
        """Whether the code left it as it found it, but for tensors in it."""
        self.accepted: tuple[Any, ...] = ()
        """What else may stand there."""
        self.any = False

    def accept(self) -> None:
        """What stands there now is as good as what the recording found."""
        self.accepted = (as_found(self.get()),)

    def accept_any(self) -> None:
        """Any flag or number may stand there: what it decides is checked by what it is about."""
        self.any = True

    def __call__(self) -> Any:
        now, before, constant = self.get(), self.before, self.constant
        if self.any and type(now) in PLAIN:
            return constant
        if same(now, before) or any(alike(now, item) for item in self.accepted):
            return constant
        if type(now) in PLAIN:
            return now if type(now) is not type(constant) or now != constant else Words(f"{now!r}, another one")
        if isinstance(now, torch.Tensor):
            return Words("another tensor" if isinstance(before, torch.Tensor) else "a tensor")
        if isinstance(before, Draws):
            return Words("a generator that has drawn")
        if isinstance(before, Position):
            return Words(before.now)
        size = f" of {len(now)}" if hasattr(now, "__len__") and not isinstance(before, Raw) else ""
        return Words(f"{'another' if isinstance(before, (Contents, Raw)) else 'a'} {type(now).__name__}{size}")


def _attribute(owner: weakref.ref[torch.nn.Module], gone: Any) -> Callable[[str], Any]:
    def read(name: str) -> Any:
        module = owner()
        if module is None:
            return gone.container if isinstance(gone, Contents) else gone.item if isinstance(gone, Raw) else gone
        table = vars(module)
        return table[name] if name in table else module._buffers.get(name, ABSENT)

    return read


def _modes(owner: weakref.ref[torch.nn.Module], before: list[bool], whole: bool) -> Any:
    """The mode of a module and of all in it, which may differ."""
    module = owner()
    if module is None or [part.training for part in module.modules()] == before:
        return whole
    return module.training if module.training is not whole else Words("another in a part of it")


def _program() -> Words:
    """What the program was called with."""
    return Words(repr(sys.argv))


def _drawn(name: str) -> Assumption:
    subject = f"what the code drew from `{name}`"
    return Assumption(AssumptionKind.RANDOM, subject, "these numbers", probe=lambda: "another draw")


# What a replay makes again ----------------------------------------------------------------------------------------


def _repeats(recorder: Recorder, before: Any, now: Any) -> bool:
    """Whether a cache got only what each run would make again: tensors that depend on no input, by keys that hold."""
    added = before.added() if isinstance(before, Contents) else [now] if before is None else None
    return bool(added) and all(_is_made_again(recorder, item) for item in added or ())


def _is_made_again(recorder: Recorder, item: Any) -> bool:
    if isinstance(item, (tuple, list)):
        return bool(item) and all(_is_made_again(recorder, part) for part in item)
    if not isinstance(item, torch.Tensor):
        return False
    value = recorder.known(item)
    return value is not None and is_constant(value, held_numbers(recorder.graph))
