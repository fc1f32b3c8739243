"""What does a cell read, assign and define, and what of that always runs?

Imports, functions and classes run whenever the cell does, also under ``try:`` and ``if:``; the rest is work, which may
be answered from the store. A definition that is made from what the work assigns can only run after it.
"""

from __future__ import annotations

import ast
import copy
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rms_jupyter.flows.cells.at_once import loaded, needed_at_once

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)
_MAKERS = frozenset("namedtuple NamedTuple TypedDict TypeVar ParamSpec NewType make_dataclass".split())
_LOOKING_AROUND = frozenset({"globals", "locals", "vars", "dir", "eval", "exec"})


@dataclass
class CellShape:
    """What a cell is made of.

    Attributes
    ----------
    reads, writes : list of str
        Names it reads from outside, and names it assigns.
    certain : set of str
        Names that it assigns whatever happens.
    deleted : set of str
        Names that it deletes.
    defined : set of str
        Names of what always runs.
    first, late, work : list of ast.stmt
        What always runs; what of that is made from what the work assigns; and the work.
    tree : ast.Module
        All of it.
    obstacle : str
        Why the cell cannot be answered from the store, as far as its text tells.
    """

    reads: list[str]
    writes: list[str]
    tree: ast.Module
    certain: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    first: list[ast.stmt] = field(default_factory=list)
    late: list[ast.stmt] = field(default_factory=list)
    work: list[ast.stmt] = field(default_factory=list)
    obstacle: str = ""

    @property
    def looks_around(self) -> bool:
        """Whether it asks which names there are."""
        return not _LOOKING_AROUND.isdisjoint(_names_in(self.tree))


def shape_of(source: str) -> CellShape:
    r"""Take a cell apart.

    Raises
    ------
    SyntaxError
        As Python would.

    Examples
    --------
    >>> shape = shape_of("import math\nc = math.sqrt(a + b)")
    >>> shape.reads, shape.writes, len(shape.first)
    (['a', 'b'], ['c'], 1)
    """
    return shape_of_tree(compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))


def shape_of_tree(tree: ast.Module) -> CellShape:
    """Take the tree of a cell apart."""
    stored = _Stores(tree)
    defining = [node for node in tree.body if _is_definition(node)]
    defined = {name for node in defining for name in bound_by(node)}
    assigned_once = {name for name, count in stored.counts.items() if count == 1}
    worked = {name for node in tree.body if node not in defining for name in bound_by(node)}
    shape = CellShape(
        sorted(_reads(tree, defined - worked)),
        sorted(name for name in worked if not name.startswith("_")),
        tree,
        certain=stored.certain,
        deleted=stored.deleted,
        defined=defined - worked,
        obstacle=_obstacle(tree),
    )
    made_by = {name: node for node in defining for name in bound_by(node)}
    before: set[str] = set()
    late: set[str] = set()
    for node in tree.body:
        if node not in defining:
            shape.work.append(node)
            before |= bound_by(node)
            continue
        needed = needed_at_once(node, made_by)
        if not needed & (worked | late):
            shape.first.append(node)
        else:
            shape.late.append(node)
            late |= bound_by(node)
            if not needed & worked <= before & assigned_once:
                shape.obstacle = shape.obstacle or f"{_name_of(node)} is made from what changes in the cell"
    return shape


# What always runs ----------------------------------------------------------------------------------------------------


def _is_definition(node: ast.stmt) -> bool:
    if isinstance(node, (*_IMPORTS, *_FUNCTIONS, ast.ClassDef)):
        return True
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return _makes_code(node.value) and all(isinstance(target, ast.Name) for target in targets)
    if isinstance(node, (ast.If, ast.Try)):
        inner = list(_statements_in(node))
        is_safe = isinstance(node, ast.Try) or not any(
            isinstance(n, (ast.Call, ast.NamedExpr)) for n in ast.walk(node.test)
        )
        return is_safe and any(map(_is_definition, inner)) and all(_is_definition(n) or _is_flag(n) for n in inner)
    return False


def _makes_code(value: ast.expr | None) -> bool:
    """Whether an expression makes a function or class: a lambda, ``namedtuple("P", "x y")``, ``TypeVar("T")``."""
    if isinstance(value, ast.Call):
        called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return called in _MAKERS
    return isinstance(value, ast.Lambda)


def _is_flag(node: ast.stmt) -> bool:
    """Whether a statement only says which way it went: ``HAS_NUMBA = False``."""
    is_constant = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or (is_constant and all(isinstance(t, ast.Name) for t in node.targets))  # type: ignore[attr-defined]


def _statements_in(node: ast.If | ast.Try) -> Iterator[ast.stmt]:
    yield from node.body
    yield from node.orelse
    if isinstance(node, ast.Try):
        yield from node.finalbody
        for handler in node.handlers:
            yield from handler.body


def _name_of(node: ast.stmt) -> str:
    return min(bound_by(node), default="a definition")


# What is read and assigned -------------------------------------------------------------------------------------------


class _Stores:
    """The names that a cell assigns at its own level.

    Attributes
    ----------
    counts : dict of str to int
        How often each is written down as assigned.
    certain, deleted : set of str
        Those assigned by a statement that always runs; those deleted.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.counts: dict[str, int] = {}
        self.certain: set[str] = set()
        self.deleted: set[str] = set()
        for node in tree.body:
            simple = isinstance(node, (ast.Assign, ast.AnnAssign, *_IMPORTS, *_FUNCTIONS, ast.ClassDef))
            for name in _stored(node):
                self.counts[name] = self.counts.get(name, 0) + 1
                if simple:
                    self.certain.add(name)
            self.deleted |= {n.id for n in _own_level(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}


def bound_by(node: ast.stmt) -> set[str]:
    """Names that a statement assigns."""
    return set(_stored(node))


def _own_level(node: ast.AST) -> Iterator[ast.AST]:
    """Walk over what belongs to the cell's own level: not into functions, classes and comprehensions."""
    yield node
    if isinstance(node, _SCOPES):
        parts: list[ast.AST] = [
            *getattr(node, "decorator_list", []),
            *getattr(node, "bases", []),
            *(d for d in getattr(getattr(node, "args", None), "defaults", [])),
        ]
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        parts = [n for n in ast.walk(node) if isinstance(n, ast.NamedExpr)]
    else:
        parts = list(ast.iter_child_nodes(node))
    for part in parts:
        yield from _own_level(part)


def _stored(statement: ast.AST) -> Iterator[str]:
    """Names that a statement assigns."""
    for node in _own_level(statement):
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield node.name
        elif isinstance(node, _IMPORTS):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        elif isinstance(node, ast.AnnAssign) and node.value is None:
            continue
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _reads(tree: ast.Module, defined: set[str]) -> set[str]:
    """Names whose value may come from outside: never assigned, read before that, or assigned only in some branch."""
    flow = _Flow()
    tree = _SpelledOut().visit(copy.deepcopy(tree))
    flow.through(tree.body, set())
    table = symtable.symtable(ast.unparse(_without_awaits(tree)), "<cell>", "exec")
    return (flow.reads & _outer_reads(table)) - defined


class _SpelledOut(ast.NodeTransformer):
    """Spells out what reads a name without saying so: ``n += 1`` and ``del n``."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(_read_of(node.target), node.op, node.value)
        return ast.fix_missing_locations(ast.copy_location(ast.Assign([node.target], value), node))

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        reads = [ast.Expr(_read_of(target)) for target in node.targets if isinstance(target, ast.Name)]
        return [*(ast.fix_missing_locations(ast.copy_location(read, node)) for read in reads), node]


def _read_of(name: ast.Name) -> ast.Name:
    return ast.Name(name.id, ast.Load())


class _Flow:
    """Follows statements in the order in which they run: what is read that need not have been assigned there?"""

    def __init__(self) -> None:
        self.reads: set[str] = set()

    def through(self, statements: Sequence[ast.stmt], assigned: set[str]) -> set[str]:
        """Go through a block; return what is assigned behind it, whichever way was taken."""
        for node in statements:
            assigned = self._one(node, assigned)
        return assigned

    def _one(self, node: ast.stmt, assigned: set[str]) -> set[str]:
        if isinstance(node, (ast.If, ast.While)):
            assigned = assigned | self._read(node.test, assigned)
            body, other = self.through(node.body, set(assigned)), self.through(node.orelse, set(assigned))
            return body & other if isinstance(node, ast.If) else assigned
        if isinstance(node, (ast.For, ast.AsyncFor)):
            assigned = assigned | self._read(node.iter, assigned)
            self._read(node.target, assigned)
            self.through(node.body, assigned | _names_stored(node.target))
            self.through(node.orelse, set(assigned))
            return assigned
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                assigned = assigned | self._read(item, assigned)
            through = self.through(node.body, set(assigned))
            return assigned if any(_may_swallow(item.context_expr) for item in node.items) else through
        if isinstance(node, (ast.Try, ast.TryStar)):
            ways = [self.through(node.orelse, self.through(node.body, set(assigned)))]
            for handler in node.handlers:
                self._read(handler.type, assigned)
                ways.append(self.through(handler.body, assigned | ({handler.name} if handler.name else set())))
            return self.through(node.finalbody, set(assigned)) | set.intersection(*ways)
        if isinstance(node, ast.Match):
            assigned = assigned | self._read(node.subject, assigned)
            for case in node.cases:
                bound = set(_stored(case.pattern))
                self._read(case.guard, assigned | bound)
                self.through(case.body, assigned | bound)
            return assigned
        stored = self._read(node, assigned) | bound_by(node)
        deleted = {n.id for n in _own_level(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}
        return (assigned | stored) - deleted

    def _read(self, node: ast.AST | None, assigned: set[str]) -> set[str]:
        """Note what an expression or simple statement reads; return what it assigns on its way."""
        local = {n.id for c in _comprehensions(node) for n in ast.walk(c.target) if isinstance(n, ast.Name)}
        inner = {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)} if node is not None else set()
        for found in ast.walk(node) if node is not None else ():
            name = loaded(found)
            if name and name not in assigned and name not in local and name not in inner:
                self.reads.add(name)
        return inner | (_names_stored(node) if isinstance(node, ast.withitem) else set())


def _may_swallow(manager: ast.expr) -> bool:
    """Whether a context manager may end its block early without a word: one of the user's own, or one made for that.

    Those of modules (``np.errstate()``) and files let exceptions through.
    """
    function = manager.func if isinstance(manager, ast.Call) else manager
    if isinstance(function, ast.Attribute):
        return function.attr in _SWALLOWING
    return not (isinstance(function, ast.Name) and function.id in _LETTING_THROUGH)


_SWALLOWING = frozenset({"suppress", "raises", "assertRaises", "ExitStack"})
_LETTING_THROUGH = frozenset({"open", "closing", "redirect_stdout", "redirect_stderr", "Path", "ZipFile", "Pool"})


def _comprehensions(node: ast.AST | None) -> Iterator[ast.comprehension]:
    return (n for n in ast.walk(node) if isinstance(n, ast.comprehension)) if node is not None else iter(())


def _names_stored(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _without_awaits(tree: ast.Module) -> ast.Module:
    """Put the body where it may await, for asking which names are whose."""
    if not _awaits(tree):
        return tree
    names = sorted({name for node in tree.body for name in _stored(node)})
    body: list[ast.stmt] = [ast.Global(names)] if names else []
    function = ast.AsyncFunctionDef("cell", _NO_ARGUMENTS, [*body, *tree.body], [])
    function.type_params = []  # type: ignore[attr-defined,unused-ignore]
    return ast.fix_missing_locations(ast.Module([function], []))


_NO_ARGUMENTS = ast.arguments([], [], None, [], [], None, [])


def _outer_reads(table: symtable.SymbolTable) -> set[str]:
    """Names that the cell, or any function in it, looks up in the notebook."""
    if table.get_type() == "module":
        found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    else:
        found = {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()}
    for child in table.get_children():
        found |= _outer_reads(child)
    return found | {
        s.get_name() for s in table.get_symbols() if s.is_global() and s.is_assigned() and s.is_referenced()
    }


def _names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


# What the text tells of what cannot be brought back ------------------------------------------------------------------


def _awaits(tree: ast.Module) -> bool:
    waiting = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    return any(isinstance(n, waiting) or (isinstance(n, ast.comprehension) and n.is_async) for n in _at_top(tree))


def _at_top(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _at_top(child)


def _obstacle(tree: ast.Module) -> str:
    if _awaits(tree):
        return "it awaits"
    names = _names_in(tree)
    if "get_ipython" in names:
        return "it uses a magic or a shell command"
    if "input" in names:
        return "it asks for input"
    return ""


def attributes_set(nodes: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Find the names whose attributes or items the work sets or deletes itself, and how that is written."""
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, (ast.Attribute, ast.Subscript)) and isinstance(inner.ctx, (ast.Store, ast.Del)):
                root: ast.AST = inner
                while isinstance(root, (ast.Attribute, ast.Subscript)):
                    root = root.value
                if isinstance(root, ast.Name):
                    yield root.id, ast.unparse(inner)
            elif isinstance(inner, ast.Call) and getattr(inner.func, "id", "") in ("setattr", "delattr"):
                yield from ((root.id, ast.unparse(inner)) for root in inner.args[:1] if isinstance(root, ast.Name))
