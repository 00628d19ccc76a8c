"""Writes view documents of fifteen real models as JSON, for the benchmarks and the pictures.

python labextension/benchmarks/trace_models.py FOLDER
"""

from __future__ import annotations

import pathlib
import sys
import warnings
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "architectures")]

import torch  # noqa: E402
from test_architectures import inputs, small_config  # noqa: E402
from transformers import AutoModel  # noqa: E402

import tracelab  # noqa: E402
from support.examples import models as zoo  # noqa: E402
from tracelab.render.view_document.document import document_bytes, view_document  # noqa: E402


def architecture(name: str) -> zoo.Case:
    config = small_config(name)
    model = AutoModel.from_config(config).eval()
    return zoo.Case(model, kwargs=inputs(model, config, 2, 7))


def gpt2_of_12_layers() -> zoo.Case:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=60, n_embd=48, n_layer=12, n_head=12, n_positions=64, use_cache=False)
    return zoo.Case(GPT2LMHeadModel(config).eval(), (zoo.ids(2, 7),))


MODELS: dict[str, Callable[[], zoo.Case]] = {
    **{name: zoo.HAND_WRITTEN[name] for name in ("resnet18", "resnet50", "unet", "lstm", "vae", "encoder-train")},
    "gpt2": gpt2_of_12_layers,
    **{build.__name__: build for build in (zoo.bert, zoo.t5, zoo.vit, zoo.llama, zoo.whisper)},
    **{name: (lambda name=name: architecture(name)) for name in ("deberta-v2", "mobilevit", "mixtral")},
}


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for name, build in MODELS.items():
        torch.manual_seed(0)
        case = build()
        graph, *_ = tracelab.trace_graph(case.model, case.inputs, case.kwargs, strict=False)
        data = document_bytes(view_document(graph))
        (folder / f"{name}.json").write_bytes(data)
        print(f"{name}: {len(data) / 1024:.0f} KB, {len(graph.nodes)} nodes", flush=True)


if __name__ == "__main__":
    main()
