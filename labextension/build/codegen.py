"""Writes the TypeScript types, the document's reader and VIEW_DOCUMENT.md from `tracelab/protocol`.

`npm run codegen` calls it; with `--check` it writes nothing and fails where a file is not what it would write.
"""

from __future__ import annotations

import ast
import enum
import inspect
import pathlib
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE.parent))

from tracelab.protocol import marks, panel, runs, view_document  # noqa: E402

WIDTH = 120


@dataclass
class Field:
    """A field of an object."""

    name: str
    type: Any
    required: bool
    doc: str


@dataclass
class Definition:
    """An object, an enumeration, an alias or a constant of a module of the protocol."""

    name: str
    item: Any
    doc: str
    bases: list[str]
    fields: list[Field]


def definitions(module: types.ModuleType) -> list[Definition]:
    """What a module of the protocol defines, in its order."""
    body = ast.parse(inspect.getsource(module)).body
    found = []
    for statement, doc in zip(body, docs(body), strict=True):
        if isinstance(statement, ast.ClassDef):
            item = getattr(module, statement.name)
            bases = [base.id for base in statement.bases if isinstance(base, ast.Name) and base.id != "TypedDict"]
            text = ast.get_docstring(statement) or ""
            found.append(Definition(statement.name, item, text, bases, list(fields(statement, item))))
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            found.append(Definition(name, getattr(module, name), doc, [], []))
    return found


def fields(statement: ast.ClassDef, item: Any) -> Iterator[Field]:
    hints = {} if issubclass(item, enum.Enum) else typing.get_type_hints(item, include_extras=True)
    for line, doc in zip(statement.body, docs(statement.body), strict=True):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            hint = hints[line.target.id]
            optional = typing.get_origin(hint) is typing.NotRequired
            yield Field(line.target.id, typing.get_args(hint)[0] if optional else hint, not optional, doc)


def docs(body: list[ast.stmt]) -> list[str]:
    """The string that stands behind each statement."""
    found = []
    for following in [*body[1:], None]:
        is_doc = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        found.append(inspect.cleandoc(following.value.value) if is_doc else "")  # type: ignore[union-attr]
    return found


def is_object(item: Any) -> bool:
    return isinstance(item, type) and typing.is_typeddict(item)


def is_union(item: Any) -> bool:
    return typing.get_origin(item) in (typing.Union, types.UnionType)


def unmarked(hint: Any) -> tuple[Any, list[Any]]:
    """A type and the marks on it."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *found = typing.get_args(hint)
        return inner, found
    return hint, []


# Types of TypeScript --------------------------------------------------------------------------------------------

PLAIN = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null", Any: "unknown"}


def typescript(hint: Any, aliases: dict[Any, str]) -> str:
    """A Python type in TypeScript."""
    hint, _ = unmarked(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if is_object(hint):
        return str(hint.__name__)
    if (name := aliases.get(hint)) is not None:
        return name
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " | ".join(f"'{arg}'" for arg in args)
    if is_union(hint):
        return " | ".join(typescript(arg, aliases) for arg in args)
    inner = [typescript(arg, aliases) for arg in args]
    if origin is list:
        return f"({inner[0]})[]" if " " in inner[0] and not inner[0].startswith("[") else f"{inner[0]}[]"
    if origin is dict:
        return f"Record<{inner[0]}, {inner[1]}>"
    if origin is tuple:
        return f"[{', '.join(inner)}]"
    raise TypeError(f"there is no TypeScript for {hint}")


def comment(text: str, indent: str = "") -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) == 1 and len(text) + len(indent) < WIDTH - 8:
        yield f"{indent}/** {text} */"
    elif lines:
        yield f"{indent}/**"
        yield from (f"{indent} * {line}".rstrip() for line in lines)
        yield f"{indent} */"


def types_module(module: types.ModuleType) -> str:
    """All that a module of the protocol defines, as TypeScript."""
    found = definitions(module)
    aliases = {each.item: each.name for each in found if is_union(each.item) or typing.get_origin(each.item) is tuple}
    lines = [*header(module), *comment(inspect.getdoc(module) or "")]
    for each in found:
        chunk = list(definition(each, aliases))
        if chunk:
            lines += ["", *comment(each.doc), *chunk]
    return "\n".join(lines) + "\n"


def definition(each: Definition, aliases: dict[Any, str]) -> Iterator[str]:
    if is_object(each.item):
        above = f" extends {', '.join(each.bases)}" if each.bases else ""
        yield f"export interface {each.name}{above} {{"
        for field in each.fields:
            yield from comment(field.doc, "  ")
            yield f"  {field.name}{'' if field.required else '?'}: {typescript(field.type, aliases)};"
        yield "}"
    elif isinstance(each.item, type) and issubclass(each.item, enum.IntEnum):
        yield f"export enum {each.name} {{"
        yield from (f"  {member.name.capitalize()} = {member.value}," for member in each.item)
        yield "}"
    elif isinstance(each.item, (str, int)):
        yield f"export const {each.name} = {quoted(each.item)};"
    elif each.item in aliases:
        plain = {item: name for item, name in aliases.items() if item != each.item}
        written = typescript(each.item, plain)
        if len(written) > 100:
            written = "".join(f"\n  | {part}" for part in written.split(" | "))
            yield f"export type {each.name} ={written};"
        else:
            yield f"export type {each.name} = {written};"


def quoted(item: str | int) -> str:
    return str(item) if isinstance(item, int) else f"'{item}'"


def header(module: types.ModuleType) -> list[str]:
    path = module.__name__.replace(".", "/")
    return [f"// Written by `npm run codegen` from {path}.py."]


# The reader -----------------------------------------------------------------------------------------------------


class Reader:
    """The checks of a document, object by object."""

    def __init__(self) -> None:
        self.defined = {each.name: each for each in definitions(view_document)}
        self.tables = dict(self.find_tables())
        self.used: set[str] = set()

    def find_tables(self) -> Iterator[tuple[str, list[str] | None]]:
        """Each table, and its columns, or None of a list."""
        for field in self.defined["ViewDocument"].fields:
            inner, found = unmarked(field.type)
            for mark in found:
                if isinstance(mark, marks.Table):
                    own = self.defined[inner.__name__].fields if is_object(inner) else None
                    columns = None if own is None else [column.name for column in own if column.required]
                    yield mark.name, columns

    def check(self, hint: Any) -> str:
        """The check of a type: an expression of what `checks.ts` offers."""
        inner, found = unmarked(hint)
        for mark in found:
            if isinstance(mark, marks.Index):
                return self.call("optionalIndex" if mark.optional else "index", f"'{mark.table}'")
            if isinstance(mark, marks.OneOf):
                return self.call("range", str(len(mark.members)))
            if isinstance(mark, marks.Parent):
                return self.name("parents")
            if isinstance(mark, marks.Rows):
                return self.call("rows", f"'{mark.table}'", self.check(inner))
        if is_object(inner):
            return f"{inner.__name__[0].lower()}{inner.__name__[1:]}"
        if inner in (int, str):
            return self.name("integer" if inner is int else "text")
        if inner is Any:
            return self.name("anything")
        if is_union(inner):
            kinds = {"null" if arg is type(None) else PLAIN[arg] for arg in typing.get_args(inner)}
            return self.call("oneOf", *(f"'{kind}'" for kind in sorted(kinds)))
        args = [self.check(arg) for arg in typing.get_args(inner)]
        made = {list: "list", tuple: "tuple", dict: "record"}[typing.get_origin(inner)]
        return self.call(made, *(args[1:] if made == "record" else args))

    def name(self, check: str) -> str:
        self.used.add(check)
        return check

    def call(self, check: str, *args: str) -> str:
        return f"{self.name(check)}({', '.join(args)})"

    def objects(self) -> Iterator[str]:
        """Each object after those that it is made of."""
        for each in self.defined.values():
            if not is_object(each.item):
                continue
            yield ""
            yield f"const {self.check(each.item)} = {self.name('object')}("
            for required in (True, False):
                rows = [
                    f"    {field.name}: {self.check(field.type)},"
                    for field in each.fields
                    if field.required is required
                ]
                if rows:
                    yield from ("  {", *rows, "  },")
            yield ");"

    def module(self) -> str:
        body = list(self.objects())
        names = sorted({*self.used, "readAs"})
        tables = [f"  {name}: {'null' if columns is None else columns}," for name, columns in self.tables.items()]
        lines = [
            *header(view_document),
            "/** Reading a document that nobody vouches for: it may be cut off, or written by hand to hurt. */",
            "",
            f"import {{ {', '.join(names)} }} from './checks';",
            "import { upgrade } from './upgrade';",
            "import { FORMAT, VERSION, type ViewDocument } from './viewdocument';",
            "",
            "export { DocumentError } from './checks';",
            "",
            "/** Tables whose rows are named by integers, and their columns, of equal length. */",
            "const TABLES = {",
            *tables,
            "};",
            *body,
            "",
            "/**",
            " * Returns the document with its type, or throws a `DocumentError` whose message is one sentence.",
            " * Every index of what it returns is in range, so that the rest of the code need not look again.",
            " */",
            "export function readDocument(raw: unknown): ViewDocument {",
            "  return readAs<ViewDocument>(raw, { format: FORMAT, version: VERSION, upgrade }, TABLES, viewDocument);",
            "}",
        ]
        return "\n".join(lines) + "\n"


# VIEW_DOCUMENT.md -----------------------------------------------------------------------------------------------


def words(hint: Any) -> str:
    """A type in words, of one item."""
    inner, found = unmarked(hint)
    rows = ""
    for mark in found:
        if isinstance(mark, marks.Index):
            return f"row of `{mark.table}`{' or -1' if mark.optional else ''}"
        if isinstance(mark, marks.OneOf):
            return f"[{mark.members.__name__}](#{mark.members.__name__.lower()})"
        if isinstance(mark, marks.Parent):
            return "earlier row each; -1 for the first"
        if isinstance(mark, marks.Rows):
            rows = f", one for each of `{mark.table}`"
    if is_object(inner):
        return f"[{inner.__name__}](#{inner.__name__.lower()})"
    if inner is Any:
        return "anything"
    if inner in (int, float, str, type(None)):
        return {int: "integer", float: "number", str: "text"}.get(inner, "null")
    if is_union(inner):
        return " or ".join(words(arg) for arg in typing.get_args(inner))
    args = typing.get_args(inner)
    origin = typing.get_origin(inner)
    if origin is dict:
        return f"object of {words(args[1])}"
    if origin is tuple:
        return f"[{', '.join(words(arg) for arg in args)}]"
    item = words(args[0])
    return f"list of ({item}){rows}" if " " in item and not item.startswith("[") else f"list of {item}{rows}"


def guide() -> str:
    """The format in words."""
    found = [each for each in definitions(view_document) if isinstance(each.item, type)]
    # The document first, then what it is made of.
    found = [found[-1], *found[:-1]]
    lines = [
        "<!-- Written by `npm run codegen` from tracelab/protocol/view_document.py. -->",
        "",
        f"# The view document, version {view_document.VERSION}",
        "",
        f"`{view_document.MIME_TYPE}`",
        "",
        inspect.getdoc(view_document) or "",
        "",
        "Python writes it (`tracelab/render/view_document`), TypeScript reads it (`labextension/src/protocol`).",
        "A reader that meets a newer `version`, a missing column, columns of unequal length or an index out of range",
        "shows one sentence in place of the picture.",
        "To see a document: `print(tracelab.trace(model, x).to_json())`.",
    ]
    for each in found:
        lines += ["", f"## {each.name}", "", each.doc, ""]
        if issubclass(each.item, enum.Enum):
            lines += [f"- {member.value}: {member.name.lower()}" for member in each.item]
            continue
        lines += ["| Field | Type | |", "| --- | --- | --- |"]
        for field in each.fields:
            name = f"`{field.name}`" + ("" if field.required else " (optional)")
            lines.append(f"| {name} | {words(field.type)} | {' '.join(field.doc.split())} |")
    return "\n".join(lines) + "\n"


def outputs() -> dict[str, str]:
    """Every file that is written, by its path in `labextension/`."""
    return {
        "src/protocol/viewdocument.ts": types_module(view_document),
        "src/protocol/runmessages.ts": types_module(runs),
        "src/protocol/panelmessages.ts": types_module(panel),
        "src/protocol/validate.ts": Reader().module(),
        "VIEW_DOCUMENT.md": guide(),
    }


def main() -> int:
    different = []
    for path, text in outputs().items():
        place = HERE / path
        if place.exists() and place.read_text(encoding="utf-8") == text:
            continue
        different.append(path)
        if "--check" not in sys.argv:
            place.write_text(text, encoding="utf-8", newline="\n")
    if different:
        print(", ".join(different), "differ: run `npm run codegen`" if "--check" in sys.argv else "written")
    return 1 if different and "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
