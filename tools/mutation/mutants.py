"""Mutants: one small change each to a module's syntax tree, inside a function (tables and constants are left alone)."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef
# What no test can reach, and what only the type checker reads.
_UNREACHABLE = {"assert_never", "cast"}
_CONTEXT = 30


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change to one node.

    Attributes:
        path: of the module.
        function: the outermost function around it: qualified name and first line, as in its code object.
        number: of the change, in the order of the file.
        lines: those of the code whose tests are asked (one-based, both included).
        change: what was there, and what is there now.
        module: the tree of the module as it is.
        node: the node that changes.
        changed: what takes its place.
    """

    path: Path
    function: tuple[str, int]
    number: int
    lines: tuple[int, int]
    change: str
    module: ast.Module
    node: ast.AST
    changed: ast.AST

    @property
    def name(self) -> str:
        """What to call it in a report."""
        return f"{self.path.as_posix()}:{self.lines[0]} {self.function[0]}: {self.change}"

    def code(self) -> CodeType:
        """The function as it is with the change."""
        pending = [compile(_with(self.module, self.node, self.changed), str(self.path), "exec", dont_inherit=True)]
        while pending:
            one = pending.pop()
            if (one.co_qualname, one.co_firstlineno) == self.function:
                return one
            pending += [const for const in one.co_consts if isinstance(const, CodeType)]
        raise LookupError(self.name)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    number = 0
    for name, function in _functions(tree, ""):
        first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
        for statement, node in _places(function):
            lines = _lines(statement, node)
            for changed in _changes(node):
                before = ast.unparse(node)
                number += 1
                change = _difference(before, ast.unparse(changed))
                yield Mutant(path, (name, first), number, lines, change, tree, node, changed)


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{child.name}", child
        elif isinstance(child, ast.ClassDef) and not _is_protocol(child):
            yield from _functions(child, f"{prefix}{child.name}.")


def _is_protocol(one: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in one.bases)


def _places(function: _Function) -> Iterator[tuple[ast.stmt, ast.AST]]:
    """Every node of the body that may change, with the statement that it is in."""
    pending: list[tuple[ast.stmt, ast.AST]] = [(one, one) for one in reversed(function.body)]
    while pending:
        statement, node = pending.pop()
        if _is_text(node) or _is_unreachable(node):
            continue
        yield statement, node
        children = [child for child in ast.iter_child_nodes(node) if not _is_annotation(node, child)]
        pending += [(child if isinstance(child, ast.stmt) else statement, child) for child in reversed(children)]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_unreachable(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _UNREACHABLE


def _is_annotation(node: ast.AST, child: ast.AST) -> bool:
    return child in (getattr(node, "annotation", None), getattr(node, "returns", None))


def _lines(statement: ast.stmt, node: ast.AST) -> tuple[int, int]:
    """The lines that run with the node: all of a simple statement, the node's own in the head of a compound one."""
    first = getattr(node, "lineno", statement.lineno)
    last = getattr(node, "end_lineno", None) or first
    if hasattr(statement, "body") or isinstance(statement, ast.Match):
        return first, last
    return statement.lineno, statement.end_lineno or last


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                yield _but(node, ops=[*ops[:index], _COMPARISONS[type(op)](), *ops[index + 1 :]])
        case ast.BoolOp(op=ast.And()):
            yield _but(node, op=ast.Or())
        case ast.BoolOp(op=ast.Or()):
            yield _but(node, op=ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _OPERATIONS:
            yield _but(node, op=_OPERATIONS[type(op)]())
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield _but(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[_, *_] as ifs):
            for index, _ in enumerate(ifs):
                yield _but(node, ifs=[*ifs[:index], *ifs[index + 1 :]])
        case ast.match_case(guard=ast.expr() as guard):
            yield _but(node, guard=ast.UnaryOp(ast.Not(), guard))
            yield _but(node, guard=None)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)):
            yield ast.Constant(f"XX{value}XX")
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Call(args=args, keywords=keywords):
            for index, value in enumerate(args):
                if not isinstance(value, ast.Starred | ast.GeneratorExp) and not _is_none(value):
                    yield _but(node, args=[*args[:index], ast.Constant(None), *args[index + 1 :]])
            for index, keyword in enumerate(keywords):
                if keyword.arg:
                    yield _but(node, keywords=[*keywords[:index], *keywords[index + 1 :]])
        case ast.Expr(value=ast.Call() as call) if not _is_unreachable(call):
            yield ast.Pass()
        case ast.Raise() | ast.AugAssign():
            yield ast.Pass()
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) if not _is_none(value):
            yield _but(node, value=ast.Constant(None))
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield _but(node, value=ast.Constant(None))
        case _:
            return


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _but(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _difference(before: str, after: str) -> str:
    """Both texts, cut to where they differ."""
    same = next((place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    first = max(0, same - _CONTEXT)
    ends = (" ".join(one[first : same + 2 * _CONTEXT].split()) for one in (before, after))
    return " -> ".join(f"...{one}" if first else one for one in ends)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._old:
            return ast.copy_location(self._new, node)
        changed = copy.copy(node)  # the transformer writes into what it visits
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(changed, name, list(value))
        return self.generic_visit(changed)


def _with(tree: ast.Module, old: ast.AST, new: ast.AST) -> ast.Module:
    swapped = _Swap(old, new).visit(tree)
    assert isinstance(swapped, ast.Module)  # noqa: S101 - the root is never what changes
    return ast.fix_missing_locations(swapped)
