"""Models of transformers from their configuration files: built on the meta device, without weights and network.

A configuration is data. Nothing that it names is imported or fetched: not the code of `auto_map`, not kernels or
backbones of the hub. transformers is no dependency; where it is not installed, one sentence says so.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tracelab.errors import InputError, TracelabFileError

MOST_BYTES = 8 * 2**20
"""A configuration file is smaller: one of tens of kilobytes is large."""
MOST_PARTS = 4096
"""Layers, blocks, experts: each is an object in Python."""
_LARGEST = 2**32
_PARTS = re.compile(r"layer|block|depth|stage|expert|hidden_states|labels$", re.IGNORECASE)
_NOT_PARTS = re.compile(r"dim|size|width|epsilon|eps|block_size|_every|_step|intermediate|channels", re.IGNORECASE)
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_AUTOMATIC = ("AutoModelForCausalLM", "AutoModelForImageTextToText", "AutoModelForImageClassification", "AutoModel")
"""What a type is used for, most first, where a configuration names no class."""
_OF_PAIRS = ("AutoModelForSeq2SeqLM", "AutoModelForSpeechSeq2Seq")
"""And those of an encoder and a decoder."""
_DROPPED = frozenset(
    "attn_implementation _attn_implementation experts_implementation _experts_implementation quantization_config "
    "use_kernels name_or_path _name_or_path use_pretrained_backbone backbone_kwargs".split()
)
"""Fields that choose what is imported or fetched, and not what the model is."""


def read_configuration(place: str) -> dict[str, Any]:
    """A configuration from a file, from a folder that has one, or from the local cache of the hub by its name.

    Raises:
        TracelabFileError: There is none, or it is not one; the message says why.
    """
    path = Path(place)
    # Of pathlib's, these questions raise for a name that is too long.
    if os.path.isdir(path):
        path = path / "config.json"
    if not os.path.isfile(path):
        path = _cached(place, path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise TracelabFileError(f"{place} is too large for a configuration: it has more than 8 MiB")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TracelabFileError(f"{place} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise TracelabFileError(f"{place} is no configuration: it is not JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("model_type"), str):
        raise TracelabFileError(f"{place} is no configuration of transformers: it names no model_type")
    if _mentions(content, "auto_map") or content.get("trust_remote_code"):
        raise TracelabFileError(
            f"{place} needs Python code of its own (auto_map), which tracelab does not run: "
            "build the model yourself under torch.device('meta') and trace it"
        )
    _refuse_absurd(content, place, "")
    return content


def _cached(place: str, path: Path) -> Path:
    if place.endswith(".json") or not _NAME.fullmatch(place) or os.path.exists(path) or place.startswith("."):
        raise TracelabFileError(f"there is no file {place}")
    found: Any = None
    try:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(place, "config.json")
    except ImportError:
        pass
    except (ValueError, OSError):
        raise TracelabFileError(f"there is no file {place}") from None
    if not isinstance(found, str):
        raise TracelabFileError(
            f"there is no file {place}, and no model of that name in the local cache of the hub, which is not asked: "
            f"download its configuration first (hf download {place} config.json), or give the path of a config.json"
        )
    return Path(found)


def build_model(configuration: dict[str, Any], dtype: torch.dtype | None = None) -> nn.Module:
    """The model of a configuration, on the meta device and in evaluation mode.

    Args:
        configuration: What the file holds.
        dtype: The floating dtype of its weights; None for that of the file, else bfloat16.

    Raises:
        TracelabFileError: transformers is not installed or does not know the model, or cannot make it.
    """
    try:
        with _offline():
            import transformers
            from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    except ImportError:
        raise TracelabFileError(
            "a configuration file of transformers needs transformers to build the model: pip install transformers"
        ) from None
    kind = configuration["model_type"]
    try:
        cls = CONFIG_MAPPING[kind]
    except KeyError:
        raise TracelabFileError(
            f"transformers {transformers.__version__} knows no model of the type {kind[:60]!r}"
        ) from None
    try:
        config = cls.from_dict(_cleaned(configuration))
        wanted = dtype or _dtype_of(configuration)
        with _offline(), torch.device("meta"):
            # The chosen class, else what the type is most used for.
            chosen = _class(transformers, configuration)
            if chosen is not None and chosen.config_class is type(config):
                model = chosen._from_config(config, dtype=wanted)
            else:
                model = _automatic(transformers, config, wanted)
    except Exception as error:
        # What a configuration may hold is checked by transformers, in many ways.
        words = " ".join(str(error).split())[:200]
        raise TracelabFileError(f"transformers cannot build the model ({type(error).__name__}: {words})") from error
    made: nn.Module = model.eval()
    return made


def example_inputs(model: Any, batch: int, length: int) -> dict[str, torch.Tensor]:
    """Inputs of a model of transformers on the meta device: `length` tokens of text, else as its configuration says.

    Raises:
        InputError: It takes something else than text, pictures or sound.
    """
    config, name = model.config, model.main_input_name

    def of(*names: str, default: Any = None) -> Any:
        for part in (config, *(getattr(config, sub, None) for sub in ("vision_config", "audio_config", "encoder"))):
            for key in names:
                if isinstance(getattr(part, key, None), (int, list, tuple)):
                    return getattr(part, key)
        return default

    ids = torch.zeros(batch, length, dtype=torch.long, device="meta")
    found: dict[str, torch.Tensor] = {}
    dtype = next((item.dtype for item in model.parameters() if item.is_floating_point()), torch.float32)
    if name == "input_ids":
        found[name] = ids
    elif name == "pixel_values":
        size = of("image_size", "input_size", default=224)
        height, width = size if isinstance(size, (list, tuple)) else (size, size)
        found[name] = torch.zeros(batch, of("num_channels", default=3), height, width, dtype=dtype, device="meta")
    elif name == "input_features" and of("num_mel_bins") is not None:
        frames = 2 * of("max_source_positions", default=length)
        found[name] = torch.zeros(batch, of("num_mel_bins"), frames, dtype=dtype, device="meta")
    elif name == "input_values":
        found[name] = torch.zeros(batch, 16_000, dtype=dtype, device="meta")
    else:
        raise InputError(
            f"{type(model).__name__} takes {name!r}, of which no example is known: build and trace it yourself"
        )
    if getattr(config, "is_encoder_decoder", False):
        found["decoder_input_ids"] = ids
    return found


@contextmanager
def _offline() -> Iterator[None]:
    """Nothing asks the hub."""
    try:
        from huggingface_hub import constants
    except ImportError:
        yield
        return
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _class(transformers: Any, configuration: dict[str, Any]) -> Any:
    """The class that the configuration names first, where it is a model of transformers' own."""
    names = configuration.get("architectures")
    name = names[0] if isinstance(names, list) and names else None
    if not isinstance(name, str) or not name.isidentifier():
        return None
    found = getattr(transformers, name, None)
    known = isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)
    return found if known else None


def _automatic(transformers: Any, config: Any, dtype: torch.dtype) -> Any:
    pair = (
        ["AutoModelForSeq2SeqLM", "AutoModelForSpeechSeq2Seq"] if getattr(config, "is_encoder_decoder", False) else []
    )
    for name in (*pair, *_AUTOMATIC):
        auto = getattr(transformers, name, None)
        if auto is not None and type(config) in auto._model_mapping:
            return auto.from_config(config, dtype=dtype)
    raise ValueError(f"it has no model for {type(config).__name__}")


def _cleaned(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _cleaned(child) for key, child in item.items() if key not in _DROPPED}
    return [_cleaned(child) for child in item] if isinstance(item, list) else item


def _mentions(item: Any, key: str) -> bool:
    if isinstance(item, dict):
        return key in item or any(_mentions(child, key) for child in item.values())
    return isinstance(item, list) and any(_mentions(child, key) for child in item)


def _dtype_of(configuration: dict[str, Any]) -> torch.dtype:
    named = configuration.get("dtype") or configuration.get("torch_dtype")
    found = getattr(torch, named.removeprefix("torch."), None) if isinstance(named, str) else None
    return found if isinstance(found, torch.dtype) and found.is_floating_point else torch.bfloat16


def _refuse_absurd(item: Any, place: str, where: str) -> None:
    if isinstance(item, dict):
        for key, child in item.items():
            _refuse_absurd(child, place, str(key))
    elif isinstance(item, list):
        if len(item) > 16 * MOST_PARTS:
            raise TracelabFileError(f"{place} is absurd: {where} has {len(item):,} items")
        for child in item:
            _refuse_absurd(child, place, where)
    elif isinstance(item, int) and not isinstance(item, bool):
        parts = _PARTS.search(where) and not _NOT_PARTS.search(where)
        if abs(item) > (MOST_PARTS if parts else _LARGEST):
            shown = f"{item:,}" if abs(item) < 10**18 else "a number of more than 18 digits"
            raise TracelabFileError(f"{place} is absurd: {where} is {shown}")
