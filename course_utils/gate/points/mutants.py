"""Point 7, the making: every small change of a solution, one at a time, on the syntax tree.

cosmic-ray and mutmut mutate the files of a package and start its test command for each mutant;
neither takes the source of a notebook cell or an in-process judge, and neither knows ``axis=`` or
``keepdims=``. Hence this pass.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from course_utils.ground.stub import solution_regions


@dataclass(frozen=True)
class Mutant:
    """A solution cell with one change.

    Attributes:
        old, new: the changed statement, before and after (its head, for one with a body).
        span: where the changed expression or statement stands in the source.
        text: what stands there instead.
    """

    old: str
    new: str
    span: tuple[int, int]
    text: str

    @property
    def change(self) -> str:
        return f"{self.old} -> {self.new}"


_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Pow: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_NAMES = {
    "max": "min", "min": "max", "sum": "mean", "mean": "sum", "maximum": "minimum",
    "minimum": "maximum", "argmax": "argmin", "argmin": "argmax", "zeros": "ones",
    "ones": "zeros", "zeros_like": "ones_like", "ones_like": "zeros_like", "amax": "amin",
    "amin": "amax", "add_": "sub_", "sub_": "add_", "mul_": "div_", "div_": "mul_",
}  # fmt: skip
_SYMMETRIC = {
    "maximum", "minimum", "max", "min", "isinstance", "isclose", "allclose", "array_equal",
    "logaddexp", "add", "multiply", "add_", "mul_", "super", "print",
}  # fmt: skip
_AXES = ("axis", "dim", "axes")
_NOT_CODE = ("annotation", "returns", "decorator_list", "type_comment")


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of an exercise's cells, changed inside their solution regions only."""
    tree = ast.parse(source)
    inside = _region_lines(source)
    starts = list(accumulate((len(line) for line in source.splitlines(keepends=True)), initial=0))
    for statement, parent, field, index, node in list(_sites(tree)):
        if node.lineno not in inside:
            continue
        old = _head(statement)
        for changed in _changes(node, field):
            _put(parent, field, index, changed)
            new = _head(changed if node is statement else statement)
            if new != old:
                text = ast.unparse(changed)
                yield Mutant(
                    old,
                    new if new != "pass" else "(removed)",
                    (offset(source, starts, node.lineno, node.col_offset),
                     offset(source, starts, node.end_lineno, node.end_col_offset)),
                    f"({text})" if isinstance(changed, ast.expr) else text,
                )  # fmt: skip
            _put(parent, field, index, node)


def spliced(source: str, *some: Mutant) -> str:
    """The source with the changes of one or several mutants, which lie apart."""
    for mutant in sorted(some, key=lambda one: one.span, reverse=True):
        start, end = mutant.span
        source = source[:start] + mutant.text + source[end:]
    return source


def offset(source: str, starts: list[int], line: int | None, column: int | None) -> int:
    """Where in a text a syntax tree's line and column (in bytes) are."""
    assert line is not None and column is not None
    whole = source[starts[line - 1] : starts[line]]
    return starts[line - 1] + len(whole.encode()[:column].decode())


_Site = tuple[ast.stmt, ast.AST, str, int | None, "ast.expr | ast.stmt | ast.keyword"]


def _sites(tree: ast.AST, statement: ast.stmt | None = None) -> Iterator[_Site]:
    """Every expression, keyword and statement, with its statement and its place in the parent."""
    if isinstance(tree, (ast.Raise, ast.Assert)):
        return
    for field, value in ast.iter_fields(tree):
        if field in _NOT_CODE:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.comprehension):
                yield from _sites(node, statement)
                continue
            if not isinstance(node, (ast.expr, ast.stmt, ast.keyword)) or _is_docstring(node):
                continue
            own = node if isinstance(node, ast.stmt) else statement
            if own is not None:
                yield own, tree, field, index, node
            if not (isinstance(node, ast.keyword) and node.arg in _AXES):
                yield from _sites(node, own)


def _changes(node: ast.expr | ast.stmt | ast.keyword, field: str) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    if isinstance(node, ast.BinOp):
        yield from _of_binary(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node.operand
    elif isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _other_constants(node.value))
    elif isinstance(node, ast.keyword):
        yield from _of_axis(node)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.stmt):
        yield from _of_statement(node)
    if field == "test" and not isinstance(node, (ast.Compare, ast.UnaryOp)):
        assert isinstance(node, ast.expr)
        yield ast.UnaryOp(ast.Not(), node)


def _of_binary(node: ast.BinOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.MatMult):
        yield ast.BinOp(node.right, node.op, node.left)
    elif type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)


def _of_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for i, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            yield ast.Compare(node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]],
                              node.comparators)  # fmt: skip


def _other_constants(value: object) -> tuple[float, ...]:
    if isinstance(value, bool):
        return (not value,)
    if not isinstance(value, (int, float)):
        return ()
    if value == 0:
        return (1,)
    return (0, 2) if value == 1 else (2 * value,)


def _of_axis(node: ast.keyword) -> Iterator[ast.AST]:
    """Another axis for a constant one, all of them for a variable one."""
    if node.arg not in _AXES:
        return
    try:
        axis = ast.literal_eval(node.value)
    except ValueError:
        yield ast.keyword(node.arg, ast.Constant(None))
        return
    if isinstance(axis, int):
        yield ast.keyword(node.arg, ast.Constant(1 if axis == 0 else 0))


def _of_call(node: ast.Call) -> Iterator[ast.AST]:
    """The opposite function, and two arguments in each other's place."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _NAMES and (isinstance(function, ast.Attribute) or name in ("max", "min")):
        other: ast.expr = ast.Name(_NAMES[name], ast.Load())
        if isinstance(function, ast.Attribute):
            other = ast.Attribute(function.value, _NAMES[name], ast.Load())
        yield ast.Call(other, node.args, node.keywords)
    if len(node.args) >= 2 and name not in _SYMMETRIC:
        i = 1 if name == "where" and len(node.args) == 3 else 0
        args = list(node.args)
        args[i], args[i + 1] = args[i + 1], args[i]
        yield ast.Call(function, args, node.keywords)


def _of_statement(node: ast.stmt) -> Iterator[ast.AST]:
    stores = isinstance(node, ast.Assign) and isinstance(
        node.targets[0], (ast.Subscript, ast.Attribute)
    )
    calls = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if stores or calls or isinstance(node, (ast.AugAssign, ast.Break, ast.Continue)):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign) and type(node.op) in _OPERATORS:
        yield ast.AugAssign(node.target, _OPERATORS[type(node.op)](), node.value)
    if isinstance(node, ast.Return) and isinstance(node.value, (ast.BinOp, ast.Call)):
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _head(statement: ast.AST) -> str:
    """A statement on one line; of one with a body, the line that opens it."""
    text = ast.unparse(ast.fix_missing_locations(statement))
    if hasattr(statement, "body"):
        text = text.partition("\n")[0]
    return " ".join(text.split())


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _region_lines(source: str) -> set[int]:
    """The numbers of the lines inside solution regions."""
    return {number + 1 for region in solution_regions(source) for number in region[:-1]}
