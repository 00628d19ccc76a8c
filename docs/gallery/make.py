"""Make the gallery: for each architecture an explorer in one HTML file, and thumbnails for light and dark pages.

Weights are random, and small. A thumbnail shows one of the blocks that repeat, or the model where none does.

    python docs/gallery/make.py FOLDER [NAME ...]

The site's build runs it. A file may have 400 KB at most: a model that gives more is refused.
"""

from __future__ import annotations

import html
import json
import logging
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))

import known_models
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

    @property
    def tags(self) -> str:
        return TAGS[self.name]


ENCODER, DECODER, CONVOLUTIONS = "encoder transformer attention", "decoder transformer attention", "convolution cnn"
TAGS = {
    **dict.fromkeys(("resnet18", "resnet50", "mobilenet", "convnext", "unet"), CONVOLUTIONS),
    **dict.fromkeys(("vit", "swin", "dinov2", "segformer", "clip", "vilt", "bert", "deberta", "patchtst"), ENCODER),
    **dict.fromkeys(("gpt", "gpt2", "llama", "llama70b", "mistral", "qwen3", "gemma3"), DECODER),
    **dict.fromkeys(("mixtral", "deepseek"), f"{DECODER} moe"),
    **dict.fromkeys(("t5", "bart"), f"{ENCODER} {DECODER}"),
    "mamba": "decoder ssm",
    "lstm": "recurrent rnn",
    "whisper": f"{ENCODER} {DECODER} speech",
    "wav2vec2": f"{ENCODER} speech",
    "encodec": "encoder decoder speech",
    "denoiser": f"{CONVOLUTIONS} attention",
    "vae": "encoder decoder",
    "gcn": "gnn",
    "training": "optimizer gradients",
}
"""Words that the search finds, beside those of the cards."""

ENTRIES = [
    Entry("resnet18", "ResNet-18", "vision", "residual blocks of convolutions", models.resnet),
    Entry("resnet50", "ResNet-50", "vision", "residual blocks with bottlenecks", models.resnet50),
    Entry("mobilenet", "MobileNet V2", "vision", "inverted residuals, depthwise convolutions", known_models.mobilenet),
    Entry("convnext", "ConvNeXt", "vision", "convolutions in the manner of transformers", known_models.convnext),
    Entry("unet", "U-Net", "vision", "segmentation: down and up, with skips", models.unet),
    Entry("vit", "Vision Transformer", "vision", "patches as tokens", known_models.vit),
    Entry("swin", "Swin", "vision", "attention in windows", known_models.swin),
    Entry("dinov2", "DINOv2", "vision", "an encoder that learns without labels", known_models.dinov2),
    Entry("segformer", "SegFormer", "vision", "segmentation by a transformer", known_models.segformer),
    Entry("clip", "CLIP", "vision and language", "two towers, one space", known_models.clip),
    Entry("vilt", "ViLT", "vision and language", "words and patches in one encoder", known_models.vilt),
    Entry("gpt", "GPT", "language", "a decoder with learned positions", models.gpt),
    Entry("gpt2", "GPT-2", "language", "a decoder, as transformers has it", known_models.gpt2),
    Entry("llama", "Llama", "language", "rotary positions, grouped queries, a gated MLP", known_models.llama),
    Entry("llama70b", "Llama 3 70B", "language", "the published size; no weights, no cache", known_models.llama_70b),
    Entry("mistral", "Mistral", "language", "a decoder with a sliding window", known_models.mistral),
    Entry("qwen3", "Qwen 3", "language", "a decoder with normed queries and keys", known_models.qwen3),
    Entry("gemma3", "Gemma 3", "language", "a decoder with four norms a layer", known_models.gemma3),
    Entry("mixtral", "Mixtral", "language", "a decoder with a mixture of experts", known_models.mixtral),
    Entry("deepseek", "DeepSeek V3", "language", "latent attention, shared and routed experts", known_models.deepseek),
    Entry("mamba", "Mamba", "language", "a state space instead of attention", known_models.mamba),
    Entry("lstm", "LSTM tagger", "language", "a recurrent network in both directions", models.lstm),
    Entry("bert", "BERT", "language", "an encoder", known_models.bert),
    Entry("deberta", "DeBERTa V2", "language", "an encoder with relative positions", known_models.deberta),
    Entry("t5", "T5", "language", "an encoder and a decoder", known_models.t5),
    Entry("bart", "BART", "language", "an encoder and a decoder", known_models.bart),
    Entry("whisper", "Whisper", "audio", "from a spectrogram to text", known_models.whisper),
    Entry("wav2vec2", "wav2vec 2.0", "audio", "an encoder of waveforms", known_models.wav2vec2),
    Entry("encodec", "EnCodec", "audio", "a codec with residual quantization", known_models.encodec),
    Entry("denoiser", "Diffusion denoiser", "diffusion", "a U-Net that is told the time step", models.denoiser),
    Entry("vae", "Variational autoencoder", "generation", "a code that is drawn", models.vae),
    Entry("gcn", "Graph convolution", "graph", "messages between the nodes of a graph", models.graph_network),
    Entry("patchtst", "PatchTST", "time series", "patches of a series as tokens", known_models.patchtst),
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
        page = framed(traced.to_html(), entry.title).encode()
        if len(page) > LARGEST:
            raise SystemExit(f"{entry.name}: the page has {len(page):,} bytes, more than {LARGEST:,}")
        (folder / f"{entry.name}.html").write_bytes(page)
        root = first_repeated(traced.graph)
        for name, theme in ((entry.name, "print"), (f"{entry.name}-dark", "dark")):
            figure = traced.figure(root=root, depth=1, theme=theme, symbolic=False)
            figure.save(folder / f"{name}.svg")
        summary = json.loads(traced.to_json())["summary"]
        numbers = f"{summary['ops']:,} operators, {summary['parameters']:,} parameters"
        yield entry, len(page), numbers


def first_repeated(graph: Any) -> str:
    """The path of the first of the outermost blocks that repeat, `layers.0`; empty where none does."""
    scopes: dict[str, Any] = {}
    for node in graph.nodes:
        scope = node.scope
        while scope is not None and scope.path:
            scopes.setdefault(scope.path, scope)
            scope = scope.parent
    inner = {path.rpartition(".")[0] for path in scopes}
    for path in sorted(scopes, key=lambda path: path.count(".")):
        twin = scopes.get(path[:-1] + "1")
        if path.endswith(".0") and path in inner and twin and twin.class_name == scopes[path].class_name:
            return path
    return ""


STYLE = """
      header { display: flex; gap: 0.8rem; align-items: center; height: 2rem; padding: 0 0.6rem; }
      header, h1 { font: 13px system-ui, sans-serif; }
      h1 { position: static; width: auto; height: auto; font-weight: 600; clip-path: none; }
      #tracelab { height: calc(100vh - 2rem); }
"""


def framed(page: str, title: str) -> str:
    """An explorer's page with the title of the gallery, and a way back to it."""
    title = html.escape(title)
    page, titles = re.subn(r"<title>.*?</title>", lambda _: f"<title>{title} · tracelab gallery</title>", page, count=1)
    header = f'<header><a href="../index.html">← Gallery</a><h1>{title}</h1></header>'
    page, headers = re.subn(r"<header><h1>.*?</h1></header>", lambda _: header, page, count=1)
    page, styles = re.subn(r"\n *</style>", lambda _: f"{STYLE}    </style>", page, count=1)
    if (titles, headers, styles) != (1, 1, 1):
        raise SystemExit("the page of an explorer has another form than the gallery knows")
    return page


def main(arguments: list[str]) -> None:
    logging.disable(logging.WARNING)
    for entry, size, numbers in make(Path(arguments[0]), arguments[1:]):
        print(f"{time.process_time():6.1f} s  {entry.name:10} {size / 1e3:6.0f} KB  {numbers}")


if __name__ == "__main__":
    main(sys.argv[1:])
