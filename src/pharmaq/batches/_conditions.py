"""Conditions on variables, written as text and evaluated without running it."""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_QUOTED = re.compile(r"`([^`]+)`")
_COMPARISONS: dict[type, Any] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SIGNS: dict[type, Any] = {ast.USub: operator.neg, ast.UAdd: operator.pos}


class Condition:
    """A comparison of variables, such as ``"spray_rate > 0 and temperature >= 45"``.

    Numbers, names of variables, ``+ - * /``, comparisons, ``and``, ``or``, ``not`` and
    parentheses are known; names that are no words stand in backticks.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            msg = f"a condition must be text such as 'spray_rate > 0', got {text!r}"
            raise InputTypeError(msg)
        self.text = text
        self._names: dict[str, str] = {}
        try:
            self._tree = ast.parse(_QUOTED.sub(self._word, text).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise InputError(self._refusal("cannot be read")) from None
        if not self._is_true_or_false(self._tree):
            raise InputError(self._refusal("compares nothing, or holds what no condition may"))

    def _word(self, match: re.Match[str]) -> str:
        word = f"_quoted{len(self._names)}"
        self._names[word] = match[1]
        return word

    def _refusal(self, problem: str) -> str:
        return (
            f"condition {self.text!r} {problem}; write comparisons of variables and numbers, "
            "joined by and, or, not, such as 'spray_rate > 0 and temperature >= 45'; names "
            "that are no words stand in `backticks`"
        )

    @property
    def variables(self) -> list[str]:
        """Names of the variables, in order of appearance."""
        words = [node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)]
        return list(dict.fromkeys(self._names.get(word, word) for word in words))

    def evaluate(self, columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Return where the condition holds; nowhere that one of its variables is missing."""
        unknown = [name for name in self.variables if name not in columns]
        if unknown:
            msg = f"condition {self.text!r} names {unknown!r}; known are {list(columns)!r}"
            raise InputError(msg)
        with np.errstate(divide="ignore", invalid="ignore"):
            holds = np.asarray(self._truth(self._tree, columns))
        known = [~np.isnan(columns[name]) for name in self.variables]
        return holds & np.logical_and.reduce(known) if known else holds

    def _is_true_or_false(self, node: ast.AST) -> bool:
        if isinstance(node, ast.BoolOp):
            return all(map(self._is_true_or_false, node.values))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._is_true_or_false(node.operand)
        return isinstance(node, ast.Compare) and all(
            (
                all(type(op) in _COMPARISONS for op in node.ops),
                all(map(self._is_number, [node.left, *node.comparators])),
                any(isinstance(part, ast.Name) for part in ast.walk(node)),
            )
        )

    def _is_number(self, node: ast.AST) -> bool:
        if isinstance(node, ast.BinOp):
            known = type(node.op) in _ARITHMETIC
            return known and self._is_number(node.left) and self._is_number(node.right)
        if isinstance(node, ast.UnaryOp):
            return type(node.op) in _SIGNS and self._is_number(node.operand)
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int | float) and not isinstance(node.value, bool)
        return isinstance(node, ast.Name)

    def _truth(self, node: Any, columns: Mapping[str, NDArray[np.float64]]) -> Any:
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return join.reduce([self._truth(part, columns) for part in node.values])
        if isinstance(node, ast.UnaryOp):
            return np.logical_not(self._truth(node.operand, columns))
        sides = [self._number(part, columns) for part in [node.left, *node.comparators]]
        pairs = zip(node.ops, sides[:-1], sides[1:], strict=True)
        return np.logical_and.reduce([_COMPARISONS[type(op)](a, b) for op, a, b in pairs])

    def _number(self, node: Any, columns: Mapping[str, NDArray[np.float64]]) -> Any:
        if isinstance(node, ast.BinOp):
            left, right = self._number(node.left, columns), self._number(node.right, columns)
            return _ARITHMETIC[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            return _SIGNS[type(node.op)](self._number(node.operand, columns))
        if isinstance(node, ast.Constant):
            number: Any = node.value
            return np.float64(number)
        return columns[self._names.get(node.id, node.id)]
