"""What is said where an assumption does not hold: what was assumed, what it is now, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tracelab.graph.assumptions import Assumption, AssumptionKind, Words, shown, value_shown
from tracelab.graph.types import counted

_LONG = 60
_MOST = 3
"""So many recordings or values are named."""

_RETRACE = 'on_violation="retrace"'
_INPUT = f"trace again on such an input, or with {_RETRACE}, which records such calls as they come"
_STATE = (
    "the code keeps state that the trace does not follow: pass it in and return it, keep it in a buffer, or, where it "
    f"takes few values, trace with {_RETRACE}"
)
_MODE = f"trace again in that mode, or with {_RETRACE}, which keeps a recording of each"
_WAYS = {
    AssumptionKind.STATE: _STATE,
    AssumptionKind.GRAD: f"trace again where that is so, or with {_RETRACE}, which keeps a recording of each",
    AssumptionKind.MODE: _MODE,
    AssumptionKind.TRAINING: _MODE,
    AssumptionKind.RANDOM: "draw with torch, seed in the traced code, or pass the numbers in as an input",
    AssumptionKind.VARIABLE: "trace the cell again, or make it a tensor in another cell, which is an input of this one",
    AssumptionKind.UNSEEN: "make it with torch in the traced code itself, or pass it in as an input",
}


def way_out(item: Assumption | None) -> str:
    """What to do about an assumption that does not hold."""
    return _INPUT if item is None else _WAYS.get(item.kind, _INPUT)


def may_be_wrong(item: Assumption | None) -> str:
    """The rest of a sentence that told what does not hold: what follows, and the way out."""
    return f", so that the trace may be wrong for it: {way_out(item)}"


def difference(item: Assumption, now: Any, name: str) -> str:
    """What was assumed when `name` was traced, where, and what it is now."""
    place = f" ({item.line}: `{item.code}`)" if item.line else ""
    traced = f"when {name} was traced{place}"
    now_text = _cut(now)
    match item.kind:
        case AssumptionKind.RANDOM:
            source = item.about.removeprefix("what ")
            return f"{source} numbers {traced}, and draws others at this call"
        case AssumptionKind.IDENTITY:
            call = item.about.removeprefix("whether ").partition(" ")[0]
            return f"{call} gave back its argument itself {traced} and makes another tensor at this call"
        case AssumptionKind.UNSEEN:
            return f"{item.about} was one tensor {traced} and is another at this call"
    then = _cut(value_shown(item))
    if isinstance(now, Words) and now_text == "another tensor":
        return f"{item.about} was one tensor {traced} and is another at this call"
    if isinstance(now, Words) and now_text.removeprefix("another ") == then.removeprefix("a "):
        return f"{item.about} was {then} {traced} and is {then} with other contents at this call"
    return f"{item.about} was {then} {traced} and is {now_text} at this call"


def none_fits(missed: Sequence[tuple[str, Assumption | None]]) -> str:
    """Why no recording takes a call: of one, its sentence; of several, what each differs in.

    Args:
        missed: Of each recording, the sentence that says why it does not fit, and the assumption that does not hold.

    >>> none_fits([("x.dtype was torch.float32", None)])
    'x.dtype was torch.float32'
    """
    if len(missed) == 1:
        return missed[0][0]
    parts = [f"recording {number}: {_short(*each)}" for number, each in enumerate(missed[:_MOST], 1)]
    more = [f"and {len(missed) - _MOST} more"] if len(missed) > _MOST else []
    return "; ".join([*parts, *more])


def _short(sentence: str, item: Assumption | None) -> str:
    return sentence if item is None else f"{item.about} was {_cut(item.constant)}"


def too_many(missed: Sequence[tuple[str, Assumption | None]]) -> str:
    """That there is no room for another recording, and what keeps changing."""
    values: dict[str, list[Assumption]] = {}
    for _, item in missed:
        if item is not None:
            values.setdefault(item.about, []).append(item)
    made = len(missed)
    there_are = f"there {'is' if made == 1 else 'are'} {counted(made, 'recording')} (max_traces)"
    none = "it does not fit" if made == 1 else "none fits"
    often = max(values, key=lambda about: len({repr(item.constant) for item in values[about]}), default="")
    if often:
        items = values[often]
        place = f" ({items[0].line}: `{items[0].code}`)" if items[0].line else ""
        were = _listed(dict.fromkeys(_cut(item.constant) for item in items))
        changing = f"`{often}` keeps changing{place}: it was {were} in {'it' if made == 1 else 'them'}"
    else:
        changing = f"its arguments keep changing ({missed[-1][0]})"
    return (
        f"{there_are}, and {none} this call: {changing}; the call ran the Python function itself: trace with a larger "
        "max_traces, or compute with tensors what changes"
    )


def _listed(words: Iterable[str]) -> str:
    names = list(words)
    shown_names = names if len(names) <= _MOST + 1 else [*names[:_MOST], f"{len(names) - _MOST} more"]
    return shown_names[0] if len(shown_names) == 1 else f"{', '.join(shown_names[:-1])} and {shown_names[-1]}"


def _cut(item: Any) -> str:
    text = shown(item)
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."
