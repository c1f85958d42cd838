"""The product's own code as trees: parsed once in a process, however many tests look through it."""

import ast
from functools import cache


@cache
def parsed(text: str) -> ast.Module:
    """Return the tree of a module, which nobody changes."""
    return ast.parse(text)


@cache
def walked(text: str) -> tuple[ast.AST, ...]:
    """Return all that is in it."""
    return tuple(ast.walk(parsed(text)))
