"""Make the gallery: for each architecture an explorer in one HTML file, and a thumbnail. Weights are random, and small.

    python docs/gallery/make.py FOLDER [NAME ...]

The site's build runs it. A file may have 400 KB at most: a model that gives more is refused.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))

import models

LARGEST = 400_000
"""Bytes that a page may have."""


@dataclass(frozen=True)
class Entry:
    """One architecture of the gallery."""

    name: str
    title: str
    family: str
    about: str
    trace: Callable[[], Any]


ENTRIES = [
    Entry("resnet18", "ResNet-18", "vision", "residual blocks of convolutions", models.resnet),
    Entry("unet", "U-Net", "vision", "down and up, with skips", models.unet),
    Entry("vit", "Vision Transformer", "vision", "patches as tokens", models.vit),
    Entry("gpt", "GPT", "language", "a decoder with learned positions", models.gpt),
    Entry("llama", "Llama", "language", "rotary positions, grouped queries, a gated MLP", models.llama),
    Entry("mixtral", "Mixtral", "language", "a mixture of experts", models.mixtral),
    Entry("bert", "BERT", "language", "an encoder", models.bert),
    Entry("t5", "T5", "language", "an encoder and a decoder", models.t5),
    Entry("whisper", "Whisper", "audio", "from a spectrogram to text", models.whisper),
    Entry("denoiser", "Diffusion denoiser", "diffusion", "a U-Net that is told the time step", models.denoiser),
    Entry("gcn", "Graph convolution", "graph", "messages between the nodes of a graph", models.graph_network),
    Entry("training", "A training step", "training", "forward, backward and AdamW", models.training_step),
]


def make(folder: Path, names: list[str] | None = None) -> Iterator[tuple[Entry, int, str]]:
    """Write pages and thumbnails; gives each entry with the size of its page and a line about its graph."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in ENTRIES:
        if names and entry.name not in names:
            continue
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = entry.trace()
        page = traced.to_html().encode()
        if len(page) > LARGEST:
            raise SystemExit(f"{entry.name}: the page has {len(page):,} bytes, more than {LARGEST:,}")
        (folder / f"{entry.name}.html").write_bytes(page)
        traced.to_svg(folder / f"{entry.name}.svg", max_boxes=8)
        summary = json.loads(traced.to_json())["summary"]
        numbers = f"{summary['ops']:,} operators, {summary['parameters']:,} parameters"
        yield entry, len(page), numbers


def main(arguments: list[str]) -> None:
    logging.disable(logging.WARNING)
    for entry, size, numbers in make(Path(arguments[0]), arguments[1:]):
        print(f"{time.process_time():6.1f} s  {entry.name:10} {size / 1e3:6.0f} KB  {numbers}")


if __name__ == "__main__":
    main(sys.argv[1:])
