"""Exact arithmetic: an evaluator of our own over Python's syntax tree, in decimal numbers, with bounds on time and size."""

from __future__ import annotations

import ast
import decimal
import operator
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integrations.tools.base import Setup, Tool, function
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

LONGEST = 500
_MOST_NODES = 300
_LARGEST_POWER = 200
_LARGEST = Decimal("1e60")
_CONTEXT = decimal.Context(prec=50, rounding=decimal.ROUND_HALF_EVEN, Emax=400, Emin=-400)
_CONSTANTS = {
    "pi": Decimal("3.14159265358979323846264338327950288"),
    "e": Decimal("2.71828182845904523536028747135266250"),
}


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if abs(exponent) > _LARGEST_POWER:
        raise ToolError(f"Powers above {_LARGEST_POWER} are not calculated.")
    return _CONTEXT.power(base, exponent)


_BINARY: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: (left / right).to_integral_value(decimal.ROUND_FLOOR),
    ast.Mod: lambda left, right: left - right * (left / right).to_integral_value(decimal.ROUND_FLOOR),
    ast.Pow: _power,
}


def _round(value: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    if places != int(places) or not 0 <= places <= 20:
        raise ToolError("round takes 0 to 20 places.")
    return value.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


def _mean(*values: Decimal) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


def _sum(*values: Decimal) -> Decimal:
    return sum(values, Decimal(0))


# Name -> (function, fewest, most arguments)
_FUNCTIONS: dict[str, tuple[Callable[..., Decimal], int, int]] = {
    "round": (_round, 1, 2),
    "min": (min, 1, 200),
    "max": (max, 1, 200),
    "sum": (_sum, 1, 200),
    "mean": (_mean, 1, 200),
    "average": (_mean, 1, 200),
    "abs": (abs, 1, 1),
    "sqrt": (lambda value: value.sqrt(), 1, 1),
    "floor": (lambda value: value.to_integral_value(decimal.ROUND_FLOOR), 1, 1),
    "ceil": (lambda value: value.to_integral_value(decimal.ROUND_CEILING), 1, 1),
    "ln": (lambda value: value.ln(), 1, 1),
    "log10": (lambda value: value.log10(), 1, 1),
    "exp": (lambda value: value.exp(), 1, 1),
}


def evaluate(expression: str) -> str:
    """The value of an expression as plain text, for example "0.1 + 0.2" -> "0.3". Raises `ToolError` with a sentence."""
    text = expression.strip().replace("^", "**").replace("×", "*").replace("÷", "/").replace("−", "-")
    if not text or len(text) > LONGEST:
        raise ToolError(f"Give an expression of 1 to {LONGEST} characters, such as (1200 - 80) * 0.19.")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ToolError(f"“{text[:100]}” is not an expression. Write it like (1200 - 80) * 0.19.") from None
    if sum(1 for _ in ast.walk(tree)) > _MOST_NODES:
        raise ToolError("The expression has too many parts. Calculate it in steps.")
    try:
        with decimal.localcontext(_CONTEXT):
            return _plain(_value(tree.body, text))
    except (decimal.DivisionByZero, decimal.DivisionUndefined, ZeroDivisionError):
        raise ToolError("This divides by zero.") from None
    except decimal.DecimalException:
        raise ToolError("This has no result among the numbers, or it is too large.") from None
    except RecursionError:
        raise ToolError("The expression is nested too deeply. Calculate it in steps.") from None


def _value(node: ast.expr, text: str) -> Decimal:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            # The digits as they were written: 0.1 stays a tenth.
            return _bounded(Decimal((ast.get_source_segment(text, node) or str(node.value)).replace("_", "")))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, text)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, text)
        case ast.BinOp(left=left, op=symbol, right=right) if type(symbol) in _BINARY:
            return _bounded(_BINARY[type(symbol)](_value(left, text), _value(right, text)))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_call(name, [_value(one, text) for one in _spread(arguments)]))
    known = ", ".join(_FUNCTIONS)
    raise ToolError(f"Only numbers, + - * / // % **, brackets and these functions are understood: {known}.")


def _spread(arguments: list[ast.expr]) -> list[ast.expr]:
    """`sum([1, 2])` means `sum(1, 2)`."""
    if len(arguments) == 1 and isinstance(arguments[0], ast.List | ast.Tuple):
        return arguments[0].elts
    return arguments


def _call(name: str, values: list[Decimal]) -> Decimal:
    work, fewest, most = _FUNCTIONS[name]
    if not fewest <= len(values) <= most:
        raise ToolError(f"{name} takes {fewest} to {most} numbers." if fewest != most else f"{name} takes one number.")
    return work(*values)


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > _LARGEST:
        raise ToolError("The numbers become too large.")
    return value


def _plain(value: Decimal) -> str:
    if value == value.to_integral_value():
        return f"{value.quantize(Decimal(1)):f}" if abs(value) < Decimal("1e40") else f"{value:E}"
    return f"{_CONTEXT.create_decimal(value).normalize(decimal.Context(prec=28)):f}"


def _calculate(arguments: dict[str, Any], context: ToolContext) -> str:
    expression = str(arguments["expression"])
    return f"{expression.strip()} = {evaluate(expression)}"


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "calculate",
            "Calculate an arithmetic expression exactly. Use it for every sum, percentage and average instead of guessing.",
            {
                "expression": {
                    "type": "string",
                    "description": "Numbers, + - * / // % **, brackets, round(x, places), min, max, sum, mean, sqrt, abs, floor, ceil",
                }
            },
            _calculate,
            required=("expression",),
        )
    ]


TOOL = Tool(
    key="calculator",
    name="Calculator",
    description="Calculates exactly, also with money: sums, percentages, averages.",
    icon="calculator",
    effect="reads",
    functions=_functions,
)
