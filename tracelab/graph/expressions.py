"""Expressions of the user's code in one spelling, and what is true where they are false."""

from __future__ import annotations

import ast
import functools

_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@functools.lru_cache(maxsize=1024)
def tidy(text: str) -> str:
    """An expression with the usual spaces; text that is none as it is.

    >>> tidy("x.shape[0]>4")
    'x.shape[0] > 4'
    """
    parsed = _parsed(text)
    return text if parsed is None else _written(parsed, text)


@functools.lru_cache(maxsize=1024)
def negated(text: str) -> str:
    """What is true where an expression is false.

    >>> negated("mask is None"), negated("x.dim()==2 and not done")
    ('mask is not None', 'x.dim() != 2 or done')
    """
    parsed = _parsed(text)
    return f"not ({text})" if parsed is None else _written(_negated(parsed), text)


@functools.lru_cache(maxsize=1024)
def condition(text: str) -> str:
    """What was asked for its truth, where Python gives the place of the whole statement or choice.

    That is so where the condition is no comparison. Of `a and b` it is not known which was asked.

    >>> condition("if x.any():"), condition("while not done(x):"), condition("y if x.shape[0] % 2 else z")
    ('x.any()', 'done(x)', 'x.shape[0] % 2')
    """
    asked = _asked(text)
    while isinstance(asked, ast.UnaryOp) and isinstance(asked.op, ast.Not):
        asked = asked.operand
    return text if asked is None or isinstance(asked, (ast.BoolOp, ast.IfExp)) else _written(asked, text)


@functools.lru_cache(maxsize=1024)
def sought(text: str) -> str:
    """What is looked for in a container, where an expression is that; empty text otherwise.

    >>> sought("x.shape[0] in (2, 3)"), sought("x.shape[0] > 2")
    ('x.shape[0]', '')
    """
    parsed = _parsed(text)
    if isinstance(parsed, ast.Compare) and len(parsed.ops) == 1 and isinstance(parsed.ops[0], (ast.In, ast.NotIn)):
        return _written(parsed.left, text)
    return ""


def _asked(text: str) -> ast.expr | None:
    """The condition of a statement or choice; None where the text is neither."""
    whole = _parsed(text)
    if whole is not None:
        return whole.test if isinstance(whole, ast.IfExp) else None
    lines = text.removeprefix("el")
    for code in (lines, f"{lines}\n    pass"):
        try:
            (statement,) = ast.parse(code).body
        except (SyntaxError, ValueError):
            continue
        return statement.test if isinstance(statement, (ast.If, ast.While, ast.Assert)) else None
    return None


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _written(parsed: ast.expr, text: str) -> str:
    written = ast.unparse(parsed)
    if "'" in written and '"' not in written and "'" not in text:
        written = written.replace("'", '"')
    return written


def _negated(parsed: ast.expr) -> ast.expr:
    match parsed:
        case ast.Compare(left=left, ops=[operator], comparators=right):
            return ast.Compare(left, [_OPPOSITE[type(operator)]()], right)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return inner
        case ast.BoolOp(op=operator, values=parts):
            return ast.BoolOp(
                ast.And() if isinstance(operator, ast.Or) else ast.Or(), [_negated(part) for part in parts]
            )
    return ast.UnaryOp(ast.Not(), parsed)
