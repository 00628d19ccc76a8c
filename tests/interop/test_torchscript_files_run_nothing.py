"""A TorchScript file of anybody's: reading it runs none of its code, or it is refused in a sentence."""

from __future__ import annotations

import contextlib
import io
import random
import re
import zipfile

import pytest
import torch
from torch import nn

import tracelab
from tracelab import TracelabFileError


class Speaking(nn.Module):
    """It prints as it is read."""

    def __init__(self):
        super().__init__()
        self.shift = torch.ones(2)

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return (self.shift, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        self.shift = state[0]
        self.training = state[1]
        print("the file ran")

    def forward(self, x):
        return x + self.shift


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Speaking()

    def forward(self, x):
        return self.inner(x) * 2


def content_of(module):
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    return file.getvalue()


def rewritten(content, change):
    """The archive with entries as `change(name, content)` gives them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            for name, entry in change(info.filename, old.read(info)):
                new.writestr(zipfile.ZipInfo(name), entry)
    return made.getvalue()


@pytest.mark.parametrize("module", [Speaking, Outer])
def test_a_file_whose_class_would_print_is_read_and_prints_nothing(module, capfd):
    content = content_of(module())
    graph = tracelab.read(io.BytesIO(content))
    assert "the file ran" not in capfd.readouterr().out
    wanted = torch.jit.load(io.BytesIO(content))(torch.ones(2))
    assert torch.equal(graph.to_callable()(torch.ones(2)), wanted)


def test_it_is_read_by_its_path(tmp_path, capfd):
    path = tmp_path / "model.pt"
    path.write_bytes(content_of(Speaking()))
    assert [node.kind for node in tracelab.read(path).nodes][-1] == "aten::add"
    assert "the file ran" not in capfd.readouterr().out


BODY = "    self.shift = (state)[0]\n    self.training = (state)[1]\n"


def with_body(body):
    """The archive of a `Speaking` whose `__setstate__` is another one."""

    def change(name, entry):
        if name.endswith(".py") and BODY.encode() in entry:
            head, _, rest = entry.partition(BODY.encode())
            # Of what it did before, the call of `print` goes, too.
            return [(name, head + body.encode() + rest[rest.index(b"    return None") :])]
        return [(name, entry)]

    return rewritten(content_of(Speaking()), change)


@pytest.mark.parametrize(
    "body",
    [
        "    shift, training, = state\n    self.shift = shift\n    self.training = training\n",
        "    a = (state)[0]\n    b = a\n    self.shift = b\n    self.training = True\n",
        f"{BODY}    _0 = torch.add((state)[0], 1)\n    print(_0)\n",
        f"    print(ops.prim.data((state)[0]))\n{BODY}".replace("ops.prim.data", "torch.neg"),
    ],
)
def test_state_that_is_taken_apart_is_placed(body, capfd):
    graph = tracelab.read(io.BytesIO(with_body(body)))
    assert torch.equal(graph.to_callable()(torch.ones(2)), torch.full((2,), 2.0))
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("    self.shift = torch.mul((state)[0], 2)\n    self.training = (state)[1]\n", "`shift` is made by code"),
        ("    self.training = (state)[1]\n", "`shift` is not in the saved state"),
        (f"{BODY}    _0 = torch.add_((state)[0], 1)\n", "calls `torch.add_`, which may change"),
        (f"{BODY}    _0 = torch.neg((state)[0], out=(state)[0])\n", "calls `torch.neg`, which may change"),
        (f"{BODY}    _0 = (self).forward((state)[0], )\n", "calls `self.forward`, which may change"),
        (f"{BODY}    if (state)[1]:\n      print(1)\n    else:\n      pass\n", "holds more than assignments and calls"),
        (f"{BODY}    ops.mine.write((state)[0])\n", "calls `ops.mine.write`, which may change"),
        ("    state = torch.neg((state)[0])\n    self.shift = state\n    self.training = True\n", "is made by code"),
        (f"{BODY}\tprint(1)\n", "is not written as torch writes it"),
        (f'{BODY}    """\n    print(1)\n    """\n', "is not written as torch writes it"),
        (f"{BODY}    print(1)\r    print(2)\n", "is not written as torch writes it"),
        (f'{BODY}    print("__setstate__")\n', ""),
        (f"{BODY}    return None\n  def other(self) -> int:\n    return self.__setstate__\n", "elsewhere, too"),
    ],
)
def test_code_that_makes_state_is_refused_and_does_not_run(body, sentence, capfd):
    content = with_body(body)
    if sentence:
        with pytest.raises(TracelabFileError, match=f"its class Speaking has a `__setstate__`.*{sentence}.*trust=True"):
            tracelab.read(io.BytesIO(content))
    else:
        tracelab.read(io.BytesIO(content))
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("seed", range(0, 400, 40))
def test_mutants_of_its_code_print_nothing(seed, capfd):
    content = content_of(Speaking())
    words = [b"\n", b"  ", b"print(1)\n", b"__setstate__", b"def ", b"#", b'"', b"'", b"(", b":", b"\r", b"\0", b"\\\n"]
    words += [b"    print(2)\n", b"\x0c", b"class A(Module):\n", b'    torch.save((state)[0], "x")\n']
    for number in range(seed, seed + 40):
        chance = random.Random(number)

        def change(name, entry, chance=chance):
            if not name.endswith(".py"):
                return [(name, entry)]
            for _ in range(chance.randint(1, 4)):
                place = chance.randrange(len(entry))
                if chance.random() < 0.7:
                    place = entry.rfind(b"\n", 0, place) + 1
                cut = chance.choice([0, 0, 0, 1, 5, 40])
                entry = entry[:place] + chance.choice(words) + entry[place + cut :]
            return [(name, entry)]

        with contextlib.suppress(tracelab.TracelabError):
            tracelab.read(io.BytesIO(rewritten(content, change)))
    assert capfd.readouterr().out == ""


def test_a_file_that_is_trusted_is_read(capfd):
    graph = tracelab.read(io.BytesIO(content_of(Speaking())), trust=True)
    assert graph.to_callable()(torch.zeros(2)).tolist() == [1, 1]
    assert "the file ran" in capfd.readouterr().out


def test_code_under_a_name_in_other_letters_is_found(capfd):
    content = rewritten(content_of(Speaking()), lambda name, entry: [(name.replace("/code/", "/CODE/"), entry)])
    with pytest.raises(TracelabFileError):
        tracelab.read(io.BytesIO(content))
    assert "the file ran" not in capfd.readouterr().out


def test_an_entry_that_is_there_twice_in_other_letters_is_refused():
    content = content_of(nn.Linear(2, 2))
    doubled = rewritten(content, lambda name, entry: [(name, entry), (name.upper(), entry)])
    with pytest.raises(TracelabFileError, match="twice"):
        tracelab.read(io.BytesIO(doubled))


def test_an_object_of_an_extension_is_refused():
    def change(name, entry):
        # Of several classes of one name in a process, torch calls the later ones by a number, too.
        linear = rb"__torch__\.torch\.nn\.modules\.linear(\.___torch_mangle_\d+)?\nLinear"
        return [(name, re.sub(linear, b"__torch__.torch.classes.ext\nEvil", entry))]

    content = rewritten(content_of(nn.Linear(2, 2)), change)
    with pytest.raises(TracelabFileError, match=r"of a class of an extension.*trust=True"):
        tracelab.read(io.BytesIO(content))


def test_a_file_without_such_code_is_read_as_before():
    layer = nn.Linear(2, 2)
    graph = tracelab.read(io.BytesIO(content_of(layer)))
    x = torch.randn(3, 2)
    assert torch.equal(graph.to_callable()(x), layer(x))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_damaged_file_is_refused_in_one_sentence(kept):
    content = content_of(nn.Linear(2, 2))
    with pytest.raises(TracelabFileError):
        tracelab.read(io.BytesIO(content[: int(len(content) * kept)]))
