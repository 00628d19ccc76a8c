"""What a cell draws from its data is an input of its graph; what makes the data is no part of it."""

from __future__ import annotations

import pytest
import torch

BEFORE = """
import random
from torch.utils.data import DataLoader, Dataset, TensorDataset
from tqdm import tqdm
torch.manual_seed(0)
X, Y = torch.randn(8, 3), torch.randint(0, 2, (8,))
linear = nn.Linear(3, 2)
pairs = TensorDataset(X, Y)
class Rows(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, index):
        return {"x": X[index] + random.random(), "name": str(index)}
def collate(rows):
    return torch.stack([row["x"] for row in rows]), [row["name"] for row in rows]
"""


@pytest.fixture
def shell(shell):
    assert shell.run(BEFORE).error is None
    return shell


def inputs(shell):
    return [value.name for value in shell.graph.user_inputs]


def operators(shell):
    return [node.kind for node in shell.graph.nodes if node.kind.startswith("aten::")]


@pytest.mark.parametrize(
    ("loop", "names"),
    [
        ("for xb, yb in DataLoader(pairs, batch_size=4): y = linear(xb)", ["xb", "xb.1"]),
        ("for xb, yb in tqdm(DataLoader(pairs, batch_size=4)): y = linear(xb)", ["xb", "xb.1"]),
        ("for n, (xb, yb) in enumerate(DataLoader(pairs, batch_size=4)): y = linear(xb)", ["xb", "xb.1"]),
        (
            "for n, batch in tqdm(enumerate(DataLoader(pairs, batch_size=4))): y = linear(batch[0])",
            ["batch.0", "batch.0.1"],
        ),
        ("for batch in DataLoader(Rows(), batch_size=4): y = linear(batch['x'])", ['batch["x"]', 'batch["x"].1']),
        ("for xb, name in DataLoader(Rows(), batch_size=4, collate_fn=collate): y = linear(xb)", ["xb", "xb.1"]),
        ("xb, yb = next(iter(DataLoader(pairs, batch_size=4)))\ny = linear(xb)", ["xb"]),
        ("ys = [linear(xb) for xb, yb in DataLoader(pairs, batch_size=4)]", ["xb", "xb.1"]),
        ("xb, yb = pairs[2]\ny = linear(xb)", ["xb"]),
        ("row = Rows()[1]\ny = linear(row['x'])", ['row["x"]']),
    ],
)
def test_a_batch_is_an_input_named_by_its_variable(shell, loop, names):
    shell.trace(loop)
    assert inputs(shell) == names
    assert operators(shell) == ["aten::linear"] * len(names)
    assert shell.graph.warnings == []


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_make_no_difference(shell, workers):
    shell.trace(f"for xb, yb in DataLoader(pairs, batch_size=4, shuffle=True, num_workers={workers}): y = linear(xb)")
    assert inputs(shell) == ["xb", "xb.1"]
    assert shell.graph.warnings == []


def test_a_replay_takes_other_batches(shell):
    shell.trace("ys = []\nfor xb, yb in DataLoader(pairs, batch_size=4):\n    ys.append(linear(xb))")
    first, second = torch.randn(5, 3), torch.randn(2, 3)
    linear, traced = shell.space["linear"], shell.space["_trace"]
    for given in (traced(first, second), traced(**{"xb": first, "xb.1": second})):
        torch.testing.assert_close(given, [linear(first), linear(second)])


def test_numbers_that_a_dataset_draws_are_no_assumption(shell):
    shell.trace("for batch in DataLoader(Rows(), batch_size=4):\n    y = linear(batch['x'])")
    assert [item.kind for item in shell.graph.assumptions if item.kind == "random"] == []


def test_numbers_that_the_cell_draws_are_one(shell):
    shell.trace("for batch in DataLoader(Rows(), batch_size=4):\n    y = linear(batch['x']) * random.random()")
    assert [item.kind for item in shell.graph.assumptions if item.kind == "random"] == ["random"]


def test_a_check_gives_the_trace_the_data_that_the_cell_drew(shell):
    out = shell.trace("for xb, yb in DataLoader(pairs, batch_size=4):\n    y = linear(xb)", "--check")
    assert "check: the trace gives what the cell gave on the same inputs" in out


def test_what_a_tokenizer_makes_is_data(shell):
    pytest.importorskip("transformers")
    ran = shell.run(
        "from tokenizers import Tokenizer, models, pre_tokenizers\n"
        "from transformers import PreTrainedTokenizerFast\n"
        "inner = Tokenizer(models.WordLevel({'a': 0, 'b': 1, '[UNK]': 2}, unk_token='[UNK]'))\n"
        "inner.pre_tokenizer = pre_tokenizers.Whitespace()\n"
        "tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token='[UNK]')\n"
        "embedding = nn.Embedding(3, 4)"
    )
    assert ran.error is None
    shell.trace("batch = tokenizer('a b a', return_tensors='pt')\ny = embedding(batch['input_ids'])")
    assert inputs(shell) == ["batch.input_ids"]
    assert operators(shell) == ["aten::embedding"]


def test_in_a_function_the_work_of_a_loader_is_a_part_of_the_trace(shell):
    shell.run("import tracelab\ntraced = tracelab.trace(lambda x: next(iter(DataLoader(list(x), batch_size=2))), X)")
    assert "aten::stack" in [node.kind for node in shell.space["traced"].graph.nodes]
