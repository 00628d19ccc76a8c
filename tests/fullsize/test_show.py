"""`tracelab show config.json`: a model of transformers without its weights, and files that are none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tracelab.cli import main

pytest.importorskip("transformers")

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 50,
    "torch_dtype": "float16",
}


@pytest.fixture
def configuration(tmp_path):
    def write(content, name="config.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def refused(capsys, *words):
    assert main(["show", *map(str, words), "--no-browser"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("tracelab: ").strip()


def test_it_prints_what_the_model_costs_and_writes_the_explorer(configuration, tmp_path, capsys):
    page = tmp_path / "net.html"
    path = configuration(LLAMA)
    assert main(["show", str(path.parent), "-o", str(page), "--batch", "2", "--length", "8", "--no-browser"]) == 0
    printed = capsys.readouterr().out
    assert "LlamaForCausalLM, batch 2, length 8, float16" in printed
    assert "decode, one token" in printed
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no configuration: it is not JSON"),
        ("[1]", "is no configuration of transformers: it names no model_type"),
        ({"hidden_size": 3}, "is no configuration of transformers: it names no model_type"),
        ({**LLAMA, "num_hidden_layers": 10**9}, "is absurd: num_hidden_layers is 1,000,000,000"),
        ({**LLAMA, "vocab_size": 10**30}, "is absurd: vocab_size is a number of more than 18 digits"),
    ],
)
def test_a_file_that_is_no_configuration(configuration, capsys, content, message):
    path = configuration(content)
    assert refused(capsys, path) == f"{path} {message}"


def test_bytes_that_are_no_text(configuration, capsys):
    path = configuration("")
    path.write_bytes(b"\xff\xfe\x00")
    assert refused(capsys, path) == f"{path} is no configuration: it is not JSON"


def test_code_of_the_file_is_not_run(configuration, tmp_path, capsys):
    (tmp_path / "own.py").write_text("raise SystemExit('it ran')")
    path = configuration({**LLAMA, "auto_map": {"AutoModelForCausalLM": "own.Model"}})
    assert refused(capsys, path).startswith(
        f"{path} needs Python code of its own (auto_map), which tracelab does not run"
    )


def test_a_type_that_transformers_does_not_know(configuration, capsys):
    assert refused(capsys, configuration({"model_type": "nope"})).endswith("knows no model of the type 'nope'")


def test_sizes_that_do_not_fit_together(configuration, capsys):
    path = configuration({**LLAMA, "num_attention_heads": 0})
    assert refused(capsys, path).startswith("transformers cannot build the model (ZeroDivisionError")


def test_kernels_and_backbones_of_the_hub_are_not_asked_for(configuration, tmp_path, capsys):
    from tracelab.interop.configurations import build_model, read_configuration

    path = configuration({**LLAMA, "_attn_implementation": "someone/kernel", "attn_implementation": "someone/kernel"})
    assert build_model(read_configuration(str(path))).config._attn_implementation == "sdpa"


def test_a_class_that_is_no_model_is_not_made(configuration):
    from tracelab.interop.configurations import build_model, read_configuration

    path = configuration({**LLAMA, "architectures": ["Trainer"]})
    assert type(build_model(read_configuration(str(path)))).__name__ == "LlamaForCausalLM"


def test_a_name_of_the_hub_is_not_looked_for_there(capsys):
    said = refused(capsys, "meta-llama/no-such-model-of-a-test")
    assert "which is not asked: download its configuration first (hf download" in said


def test_a_name_in_the_local_cache_is_found(configuration, monkeypatch):
    from tracelab.interop.configurations import read_configuration

    path = configuration(LLAMA)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda name, file: str(path))
    assert read_configuration("someone/something")["model_type"] == "llama"


def test_a_missing_file(tmp_path, capsys):
    path = tmp_path / "none.json"
    assert refused(capsys, path) == f"there is no file {path}"


@pytest.mark.parametrize(
    ("option", "message"), [("--batch", "batch=0 is no size"), ("--length", "length=0 is no size")]
)
def test_sizes_that_are_none(configuration, capsys, option, message):
    assert refused(capsys, configuration(LLAMA), option, "0").startswith(message)


def test_a_dtype_that_is_none(configuration, capsys):
    assert refused(capsys, configuration(LLAMA), "--dtype", "int8").startswith("dtype='int8' is no floating dtype")


def test_without_transformers_one_sentence_says_so(configuration):
    path = configuration(LLAMA)
    code = "import sys; sys.modules['transformers'] = None; from tracelab.cli import main; sys.exit(main(sys.argv[1:]))"
    ended = subprocess.run([sys.executable, "-c", code, "show", str(path)], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert ended.stderr == (
        "tracelab: a configuration file of transformers needs transformers to build the model: "
        "pip install transformers\n"
    )


@pytest.mark.parametrize("kind", ["vit", "t5", "whisper"])
@pytest.mark.slow
def test_models_of_pictures_sound_and_translation(configuration, kind):
    from tracelab.api.configuration import trace_configuration

    traced = trace_configuration(str(configuration({"model_type": kind})), 1, 16)
    assert traced.estimate().prefill.flops > 10**8
