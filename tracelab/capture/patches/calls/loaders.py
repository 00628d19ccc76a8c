"""Loaders, datasets, tokenizers and readers of images: what they give to a cell is data, an input of its graph.

In a function that is traced their work is a part of the trace, as it ever was; only what loaders hand to their workers
is plain.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import torch

from tracelab.capture.data_inputs import drawn
from tracelab.capture.patches.code import Code
from tracelab.capture.patches.many import Group, Late
from tracelab.capture.recording.recorder import active, recording_paused
from tracelab.capture.recording.replacement import Replacement
from tracelab.capture.values import concrete
from tracelab.compat.loaders import SEED, iterator_class

_READERS = (
    ("transformers.tokenization_utils_base", "PreTrainedTokenizerBase", "__call__"),
    ("transformers.image_processing_base", "ImageProcessingMixin", "__call__"),
    ("transformers.image_processing_utils", "BaseImageProcessor", "__call__"),
    ("transformers.processing_utils", "ProcessorMixin", "__call__"),
    ("torchvision.io.image", "", "read_image"),
    ("torchvision.io.image", "", "decode_image"),
    ("torchvision.transforms.functional", "", "to_tensor"),
    ("torchvision.transforms.functional", "", "pil_to_tensor"),
    ("torchaudio", "", "load"),
)
"""Functions that make tensors of texts, images and files, where their modules are imported: module, class, name."""

_swapped: dict[Any, Code] = {}


def _data(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or not recorder.graph.cell:
            return original(*args, **kwargs)
        # The frame below is of the function's own file: see `Code`.
        return drawn(recorder, lambda: original(*args, **kwargs), sys._getframe(2))

    return call


def _begun(original: Callable[..., Any]) -> Callable[..., Any]:
    def begin(loader: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or not recorder.graph.cell:
            return original(loader)
        with recorder.draws.apart(), recording_paused(recorder):
            return original(loader)

    return begin


def _plain_seed(original: Callable[..., Any]) -> Callable[..., Any]:
    def init(iterator: Any, *args: Any, **kwargs: Any) -> None:
        original(iterator, *args, **kwargs)
        if active.recorder is not None:
            # The workers' seed is drawn by an operator; in a worker, nothing is recorded.
            setattr(iterator, SEED, concrete(getattr(iterator, SEED)))

    return init


def _sources() -> Iterator[Replacement]:
    for function in (*_items_of(torch.utils.data.Dataset), *filter(None, map(_reader, _READERS))):
        if function not in _swapped:
            _swapped[function] = Code(function, _data)
        yield _swapped[function]


def _items_of(cls: type) -> Iterator[FunctionType]:
    """The functions by which datasets of all classes give an item."""
    children: list[type] = cls.__subclasses__()
    for child in children:
        function = vars(child).get("__getitem__")
        if isinstance(function, FunctionType):
            yield function
        yield from _items_of(child)


def _reader(place: tuple[str, str, str]) -> FunctionType | None:
    module, owner, name = place
    space = vars(sys.modules[module]) if module in sys.modules else {}
    if owner:
        space = vars(space[owner]) if owner in space else {}
    function = space.get(name)
    return function if isinstance(function, FunctionType) else None


SOURCES = Late(Group(_sources, each=True))
"""What gives data to cells: classes of datasets may be made at any time, and looking at all of them takes a while."""

LOADERS = (
    Code(torch.utils.data.DataLoader.__iter__, _begun),
    Code(iterator_class.__init__, _plain_seed),
    Code(iterator_class.__next__, _data),
    SOURCES,
)
"""Keep the making of data out of the graph of a cell, and let workers be seeded with a plain number."""
