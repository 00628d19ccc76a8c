"""Private names of torch: they stand in `tracelab.compat` alone, and one that is missing is one sentence."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tracelab.compat import names
from tracelab.compat.table import NAMES, OF_INSTANCES, OLDER, OPTIONAL, TESTED
from tracelab.errors import TorchVersionError

ROOT = Path(names.__file__).parents[1]
OUTSIDE = sorted(path for path in ROOT.rglob("*.py") if path.parent.name != "compat")
PRIVATE_MODULE = re.compile(r"torch\.(_(?!_)|jit\b)")
PATH = re.compile(r"torch\.(_(?!_)\w+|jit)(\.\w+)*\.?")

NOT_OF_TORCH = {"_actions", "_fields", "_getframe", "_get_os_path", "_render_traceback_", "_repr_mimebundle_"}
"""Private or unusual attributes of Python's, of the Jupyter server's and of IPython's objects."""
NOT_OF_TORCH |= {"_get_running_loop", "_set_running_loop"}
"""Of asyncio, which documents them for those who write event loops."""
NOT_OF_TORCH |= {"_asyncio_future_blocking", "_current_frames"}
"""Of asyncio's futures, and of `sys`."""
NOT_OF_TORCH |= {"_bit_generator", "_from_config", "_model_mapping"}
"""Of NumPy's and of transformers' classes."""


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _texts(tree: ast.Module) -> Iterator[ast.Constant]:
    """The strings of a file that are no docstrings."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node


def _private_paths(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            found = [ast.unparse(node)]
        else:
            continue
        yield from ((node.lineno, name) for name in found if PRIVATE_MODULE.match(name))
    for text in _texts(tree):
        if PATH.fullmatch(text.value):
            yield text.lineno, text.value


def test_no_other_room_names_a_private_part_of_torch() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}" for path in OUTSIDE for line, name in _private_paths(_tree(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import torch._dynamo",
        "import torch.jit",
        "from torch._C import DispatchKey",
        "from torch import _C",
        "from torch import jit",
        "f(torch._C._nn.linear)",
        "torch.jit.script(f)",
        "sys.modules['torch._functorch.apis']",
        "importlib.import_module('torch.jit')",
        "f'torch._C._nn.{name}'",
    ],
)
def test_each_way_to_name_one_is_seen(code: str) -> None:
    assert list(_private_paths(ast.parse(code)))


def _own_names() -> set[str]:
    """Private names that the package gives its own objects."""
    own: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(_tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                own.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                own |= {node.attr} if ast.unparse(node.value) in ("self", "cls") else set()
    return own


def test_private_attributes_of_objects_of_torch_are_listed() -> None:
    known = _own_names() | OF_INSTANCES | NOT_OF_TORCH
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in OUTSIDE
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in known
    ]
    assert found == []


def test_what_other_rooms_read_of_objects_is_looked_up_at_import() -> None:
    looked_up = {path.rpartition(".")[2] for path, name in NAMES.items() if name.at_import}
    assert OF_INSTANCES - looked_up == {"_wrapped_number"}


INSTANCE_ONLY = {path for path in NAMES if ".autocast." in path}
"""Attributes that torch sets in `__init__`, of classes that are not made here to look."""


@pytest.mark.parametrize("path", sorted(NAMES.keys() - INSTANCE_ONLY))
def test_this_torch_has_every_name(path: str) -> None:
    assert names.needed(path) is not None or path.endswith("_python_cu")


@pytest.mark.parametrize("path", sorted(OPTIONAL - OLDER))
def test_this_torch_has_every_optional_name(path: str) -> None:
    assert names.optional(path) is not None


def test_every_name_tells_what_needs_it_and_which_versions_have_it() -> None:
    for name in NAMES.values():
        assert name.versions == TESTED
        assert (ROOT / "compat" / f"{name.file}.py").exists()
        sentence = names.missing(name.path)
        assert sentence.startswith(f"{name.feature} needs {name.path}, which torch {torch.__version__} does not have: ")
        assert sentence.endswith("install torch 2.11 to 2.14 (pip install 'torch>=2.11,<2.15'), or a newer tracelab")


def test_the_error_is_an_import_error_and_one_of_ours() -> None:
    from tracelab import TracelabError

    assert issubclass(TorchVersionError, TracelabError)
    assert issubclass(TorchVersionError, ImportError)


TAKE_OUT = """
import importlib, json, os, sys, types
import torch
import torch.nn.modules.lazy
import torch.utils._device

def take_out(path):
    '''Let torch have nothing at this path.'''
    owner_path, _, name = path.rpartition('.')
    home_path, _, owner_name = owner_path.rpartition('.')
    if owner_path.endswith('()'):
        fresh = without(found(owner_path.removesuffix('()'))(), name)
        return setattr(found(home_path), owner_name.removesuffix('()'), lambda: fresh)
    sys.modules.pop(path, None)
    owner = found(owner_path)
    if path.startswith('torch.ops.'):
        # torch is lost in its own operators without their attributes: another object in the place of one.
        return setattr(found(home_path), owner_name, without(owner, name))
    try:
        delattr(owner, name)
    except (AttributeError, TypeError):
        # So it is for what is written in C.
        setattr(found(home_path), owner_name, types.SimpleNamespace())
        if owner_path in sys.modules:
            sys.modules[owner_path] = types.SimpleNamespace()

def without(item, name):
    return types.SimpleNamespace(**{key: part for key, part in vars(item).items() if key != name})

def found(path):
    head, *rest = path.split('.')
    item = sys.modules[head]
    for part in rest:
        item = getattr(item, part)
    return item
"""

SAYS = """
import tracelab
from tracelab.compat import modes, names, script

def says(path, feature):
    error = None
    try:
        feature()
    except Exception as raised:
        error = raised
    while error is not None and not isinstance(error, tracelab.compat.names.TorchVersionError):
        error = error.__cause__ or error.__context__
    assert str(error) == names.missing(path), (path, error)
"""

EACH_AT_IMPORT = (
    TAKE_OUT
    + """
from tracelab.compat.table import NAMES

for path, name in NAMES.items():
    if not name.at_import:
        continue
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        take_out(path)
        try:
            importlib.import_module(f'tracelab.compat.{name.file}')
            said = ['nothing', '']
        except Exception as error:
            said = [type(error).__name__, str(error)]
        print(json.dumps([path, *said]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
)


def _run(script: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", script], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="each name is taken out in a fork of one process")
def test_each_name_that_is_missing_at_import_is_one_sentence() -> None:
    said = [json.loads(line) for line in _run(EACH_AT_IMPORT).splitlines()]
    # A class that is written in C is taken out whole, so that the first of its names is missed.
    of_tensors = [path for path in NAMES if path.startswith("torch.Tensor.")]
    wanted = [
        [path, "TorchVersionError", names.missing(of_tensors[0] if path in of_tensors else path)]
        for path, name in NAMES.items()
        if name.at_import
    ]
    assert said == wanted


def test_importing_the_package_says_it_too() -> None:
    script = (
        TAKE_OUT
        + """
take_out('torch._C.DispatchKey.PreDispatch')
import tracelab
try:
    tracelab.trace
except ImportError as error:
    print(error)
"""
    )
    assert _run(script) == names.missing("torch._C.DispatchKey.PreDispatch") + "\n"


WITHOUT_FEATURES = (
    TAKE_OUT
    + """
import io, warnings
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

lazy = nn.LazyLinear(3)
fake = FakeTensorMode().from_tensor(torch.ones(2, 3))
script_file = io.BytesIO()
with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    scripted = torch.jit.script(nn.Linear(3, 2))
    torch.jit.save(scripted, script_file)

from tracelab.compat.table import NAMES
for path, name in NAMES.items():
    if not name.at_import and name.file != 'dynamo' and '.autocast.' not in path:
        take_out(path)

import tracelab
from tracelab.interop.torchscript.program import read_torchscript

# All else works.
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
x = torch.randn(5, 3)
traced = tracelab.trace(model, x)
assert traced.check().ok
assert len(traced.run(x)) > 0
held = io.BytesIO()
traced.save(held)
held.seek(0)
assert torch.equal(tracelab.load(held)(x), model(x))
"""
    + SAYS
    + """
says('torch._C.CompilationUnit', lambda: read_torchscript(io.BytesIO(script_file.getvalue())))
says('torch._C.ScriptModule._has_method', lambda: script.has_method(object(), 'forward'))
says('torch._C.ScriptModule._method_names', lambda: script.method_names(object()))
says('torch._subclasses.fake_tensor.FakeTensor', lambda: traced.run(fake))
says('torch.nn.modules.lazy.LazyModuleMixin._infer_parameters', lambda: tracelab.trace(lazy, x))
says('torch._C._jit_resolve_packet', lambda: tracelab.trace(lambda x: torch.diag_embed(x, x.shape[0] - 5), x))
region = types.SimpleNamespace(device='cpu', fast_dtype=torch.bfloat16)
says('torch.amp.autocast_mode.autocast._enabled', lambda: modes.autocast_options(region))
says('torch.jit.save', lambda: names.needed('torch.jit.save'))
print('done', flush=True)
os._exit(0)
"""
)


def test_what_one_feature_needs_is_missed_when_that_feature_is_used() -> None:
    assert _run(WITHOUT_FEATURES) == "done\n"


WITHOUT_COMPILER = (
    TAKE_OUT
    + SAYS
    + """
import torch._dynamo.convert_frame, torch._dynamo.exc

x = torch.randn(5, 3)
traced = tracelab.trace(torch.nn.Linear(3, 4), x)
take_out('torch._dynamo.exc.TorchDynamoException')
says('torch._dynamo.exc.TorchDynamoException', lambda: traced.with_backend('inductor')(torch.randn(5, 7)))
take_out('torch._dynamo.convert_frame.CatchErrorsWrapper')
says('torch._dynamo.convert_frame.CatchErrorsWrapper', lambda: tracelab.trace(torch.nn.Linear(3, 4), x))
print('done')
"""
)


def test_so_it_is_for_the_compiler() -> None:
    assert _run(WITHOUT_COMPILER) == "done\n"
