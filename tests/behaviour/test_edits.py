"""Edits: which of them make a call run again, and what the reason names. No wrong hit, no needless miss.

Each row is run twice: the cell is run again in the same kernel, and the whole notebook in a new one. What is not seen,
and cannot be: environment variables that are not asked for by name, the clock, names put together at run time. Local variables count by name, because
functions that are called may look them up (`frame.query("x > @limit")`). A helper counts by the name it is called by.
"""

import asyncio
import importlib
import linecache
import sys
import textwrap
from typing import NamedTuple

import pytest

from rms_jupyter.run.call.cell_runtime import Cell

SAME = "same"


class Edit(NamedTuple):
    """One edit: the cell before and after, what `f(3)` says afterwards, and the text of `lab.py` before and after."""

    name: str
    before: str
    after: str
    reason: str
    lab: tuple[str, str] = ("", "")


def edit(name, before, after, reason, lab=("", "")):
    return Edit(name, *map(textwrap.dedent, (before, after)), reason, tuple(map(textwrap.dedent, lab)))


def body(name, before, after, reason):
    """An edit within `def f(x)`."""
    return Edit(
        name, *(f"def f(x):\n{textwrap.indent(textwrap.dedent(t).strip(), '    ')}\n" for t in (before, after)), reason
    )


def above(name, before, after, reason, line="return helper(x)"):
    """An edit of what stands above a function that does not change."""
    return Edit(name, *(f"{textwrap.dedent(t).strip()}\ndef f(x):\n    {line}\n" for t in (before, after)), reason)


F = "code_changed f"
HELPER = "code_changed helper"

WRITTEN_OTHERWISE = [
    body("comment", "return x + 1", "# more\nreturn x + 1  # by one", SAME),
    body("docstring", "return x + 1", '"""Add one."""\nreturn x + 1', SAME),
    body("docstring edited", '"""Add."""\nreturn x + 1', '"""Add one."""\nreturn x + 1', SAME),
    body("blank lines and spaces", "y = x+1\nreturn y", "y  =  x + 1\n\n\nreturn y", SAME),
    body("broken over lines", "return max(x, 1)", "return max(\n    x,\n    1,\n)", SAME),
    body("parentheses", "return x + 1 * 2", "return (x + (1 * 2))", SAME),
    body("quotes", "return 'a' * x", 'return "a" * x', SAME),
    body("strings side by side", "return 'ab' * x", "return 'a' 'b' * x", SAME),
    body("raw string", r"return '\\d' * x", r"return r'\d' * x", SAME),
    body("1000 as 1_000", "return x + 1000", "return x + 1_000", SAME),
    body("16 as 0x10", "return x + 16", "return x + 0x10", SAME),
    body("1000.0 as 1e3", "return x + 1000.0", "return x + 1e3", SAME),
    body("pass", "return x + 1", "pass\nreturn x + 1", SAME),
    body("semicolon", "y = 1\nreturn x + y", "y = 1; return x + y", SAME),
    body("annotation of a local", "y = x + 1\nreturn y", "y: int = x + 1\nreturn y", SAME),
    body(
        "docstring of a nested function",
        "def g():\n    return x\nreturn g()",
        "def g():\n    'Give x.'\n    return x\nreturn g()",
        SAME,
    ),
    edit("moved down", "def f(x):\n    return x + 1", "a = 1\nb = 2\n\n\ndef f(x):\n    return x + 1", SAME),
    edit(
        "moved to a module",
        "def helper(x):\n    return x + 1\ndef f(x):\n    return helper(x)",
        "from lab import helper\ndef f(x):\n    return helper(x)",
        SAME,
        ("", "def helper(x):\n    return x + 1\n"),
    ),
    edit("indented in an if", "def f(x):\n    return x + 1", "if True:\n    def f(x):\n        return x + 1", SAME),
    edit("renamed", "def f(x):\n    return x + 1", "def g(x):\n    return x + 1\nf = g", SAME),
    edit(
        "renamed, with a default", "def f(x, y=2):\n    return x + y", "def g(x, y=2):\n    return x + y\nf = g", SAME
    ),
    edit(
        "renamed, recursive",
        "def f(x):\n    return 1 if x < 2 else x * f(x - 1)",
        "def g(x):\n    return 1 if x < 2 else x * g(x - 1)\nf = g",
        SAME,
    ),
    edit(
        "order of definitions",
        "def a(x):\n    return x\ndef b(x):\n    return -x\ndef f(x):\n    return a(x) + b(x)",
        "def f(x):\n    return a(x) + b(x)\ndef b(x):\n    return -x\ndef a(x):\n    return x",
        SAME,
    ),
    edit(
        "order of keyword-only parameters",
        "def f(x, *, a=1, b=2):\n    return x + a - b",
        "def f(x, *, b=2, a=1):\n    return x + a - b",
        SAME,
    ),
    edit("annotations", "def f(x):\n    return x + 1", "def f(x: int) -> int:\n    return x + 1", SAME),
    edit("type alias", "N = int\ndef f(x: N) -> N:\n    return x", "N = float\ndef f(x: N) -> N:\n    return x", SAME),
    edit(
        "a default written otherwise",
        "def f(x, y=1000):\n    return x + y",
        "N = 1000\ndef f(x, y=N):\n    return x + y",
        SAME,
    ),
    edit(
        "if TYPE_CHECKING",
        "def f(x):\n    return x + 1",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lab\ndef f(x: 'lab.X'):\n    return x + 1",
        SAME,
    ),
    edit(
        "unused helper",
        "def other():\n    return 1\ndef f(x):\n    return x",
        "def other():\n    return 2\ndef f(x):\n    return x",
        SAME,
    ),
    edit("unused global", "N = 1\ndef f(x):\n    return x", "N = 2\ndef f(x):\n    return x", SAME),
    edit(
        "a pipe's options",
        "import rms_jupyter as rms\n@rms.pipe\ndef f(x):\n    return x",
        "import rms_jupyter as rms\n@rms.pipe(returns='resource')\ndef f(x):\n    return x",
        SAME,
    ),
    edit(
        "a pipe's decorator removed",
        "import rms_jupyter as rms\n@rms.pipe\ndef f(x):\n    return x",
        "def f(x):\n    return x",
        SAME,
    ),
]

BODIES = [
    body("constant", "return x + 1", "return x + 2", F),
    body("1 as 1.0", "return x * 1", "return x * 1.0", F),
    body("a local renamed", "y = x + 1\nreturn y", "z = x + 1\nreturn z", F),
    body("operator", "return x + 2", "return x * 2", F),
    body("f-string text", "return f'{x} m'", "return f'{x} km'", F),
    body("f-string format", "return f'{x:.1f}'", "return f'{x:.2f}'", F),
    body("f-string conversion", "return f'{x}'", "return f'{x!r:>3}'", F),
    body("string concatenation", "return 'a' + 'b'", "return 'b' + 'a'", F),
    body("assert", "return x", "assert x > 0\nreturn x", F),
    body("walrus", "if (n := x) > 1: return n", "if (n := x + 1) > 1: return n", F),
    body("lambda", "return (lambda y: y + 1)(x)", "return (lambda y: y + 2)(x)", F),
    body("default of a lambda inside", "return (lambda y=1: y)()", "return (lambda y=2: y)()", F),
    body("nested function", "def g():\n    return x + 1\nreturn g()", "def g():\n    return x + 2\nreturn g()", F),
    body("nested class", "class A:\n    n = 1\nreturn A.n", "class A:\n    n = 2\nreturn A.n", F),
    body(
        "annotations of a nested dataclass",
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    n: int = 1\nreturn len(dataclasses.fields(A))",
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    n = 1\nreturn len(dataclasses.fields(A))",
        F,
    ),
    body("comprehension", "return [y for y in range(x)]", "return [y for y in range(x) if y]", F),
    body("order of statements", "y = x\ny += 1\ny *= 2\nreturn y", "y = x\ny *= 2\ny += 1\nreturn y", F),
    body(
        "exception handled",
        "try:\n    return 1 / (x - 3)\nexcept ZeroDivisionError:\n    return 0",
        "try:\n    return 1 / (x - 3)\nexcept Exception:\n    return 1",
        F,
    ),
    body("global written", "global N\nN = 1\nreturn x", "global N\nN = 2\nreturn x", F),
    body("match", "match x:\n    case 3: return 1", "match x:\n    case 3: return 2", F),
    body("generator", "return sum(y for y in range(x))", "return sum(y for y in range(x + 1))", F),
    edit("async function", "async def f(x):\n    return x", "async def f(x):\n    return x + 1", F),
    edit("from a function to an async function", "def f(x):\n    return x", "async def f(x):\n    return x", F),
    edit("a whole lambda", "f = lambda x: x + 1", "f = lambda x: x + 2", "code_changed <lambda>"),
    edit(
        "the other of two lambdas in a line",
        "f, g = lambda x: x + 1, lambda x: x + 2",
        "g, f = lambda x: x + 1, lambda x: x + 2",
        "code_changed <lambda>",
    ),
    edit(
        "positional parameters swapped",
        "def f(x, y=3):\n    return x - 2 * y",
        "def f(y, x=3):\n    return x - 2 * y",
        "code_changed f, f default x added, f default y removed",
    ),
    edit(
        "a parameter added",
        "def f(x):\n    return x",
        "def f(x, y=1):\n    return x",
        "code_changed f, f default y added",
    ),
    edit("default", "def f(x, y=1):\n    return x + y", "def f(x, y=2):\n    return x + y", "code_changed f default y"),
    edit(
        "keyword-only default",
        "def f(x, *, y=1):\n    return x + y",
        "def f(x, *, y=2):\n    return x + y",
        "code_changed f default y",
    ),
    edit(
        "mutable default",
        "def f(x, ys=[1]):\n    return x + sum(ys)",
        "def f(x, ys=[2]):\n    return x + sum(ys)",
        "code_changed f default ys",
    ),
    edit(
        "a function as default",
        "def g(x):\n    return x\ndef f(x, by=g):\n    return by(x)",
        "def g(x):\n    return -x\ndef f(x, by=g):\n    return by(x)",
        "code_changed f default by",
    ),
]

HELPERS = [
    above("helper", "def helper(x):\n    return x + 1", "def helper(x):\n    return x + 2", HELPER),
    above("helper's comment", "def helper(x):\n    return x + 1", "def helper(x):\n    # one\n    return x + 1", SAME),
    above(
        "helper's default",
        "def helper(x, y=1):\n    return x + y",
        "def helper(x, y=2):\n    return x + y",
        "code_changed helper default y",
    ),
    above("helper's parameter renamed", "def helper(x):\n    return x + 1", "def helper(y):\n    return y + 1", HELPER),
    edit(
        "helper renamed",
        "def helper(x):\n    return x\ndef f(x):\n    return helper(x)",
        "def aide(x):\n    return x\ndef f(x):\n    return aide(x)",
        "code_changed f, aide added, helper removed",
    ),
    above(
        "two levels down",
        "def deep(x):\n    return x + 1\ndef helper(x):\n    return deep(x)",
        "def deep(x):\n    return x + 2\ndef helper(x):\n    return deep(x)",
        "code_changed deep",
    ),
    above(
        "called from a lambda",
        "def deep(x):\n    return x + 1\nhelper = lambda x: deep(x)",
        "def deep(x):\n    return x + 2\nhelper = lambda x: deep(x)",
        "code_changed deep",
    ),
    above(
        "mutual recursion",
        "def odd(n):\n    return n and helper(n - 1)\ndef helper(n):\n    return not n or odd(n - 1)",
        "def odd(n):\n    return n and not helper(n - 1)\ndef helper(n):\n    return not n or odd(n - 1)",
        "code_changed odd",
    ),
    above(
        "helper becomes data",
        "def helper(x):\n    return x",
        "helper = [1, 2]",
        "code_changed helper removed",
        line="return str(helper)[:3]",
    ),
    above(
        "helper found by getattr",
        "import lab",
        "import lab",
        "code_changed lab.helper",
        line="return getattr(lab, 'helper')(x)",
    )._replace(lab=("def helper(x):\n    return x\n", "def helper(x):\n    return -x\n")),
    above(
        "helper in globals()",
        "def helper(x):\n    return x",
        "def helper(x):\n    return -x",
        HELPER,
        line="return globals()['helper'](x)",
    ),
    above(
        "partial's function",
        "from functools import partial\ndef g(y, x):\n    return x + y\nhelper = partial(g, 1)",
        "from functools import partial\ndef g(y, x):\n    return x - y\nhelper = partial(g, 1)",
        HELPER,
    ),
    above(
        "partial's argument",
        "from functools import partial\ndef g(y, x):\n    return x + y\nhelper = partial(g, 1)",
        "from functools import partial\ndef g(y, x):\n    return x + y\nhelper = partial(g, 2)",
        "code_changed helper partial",
    ),
    above(
        "another function of a package",
        "from statistics import mean as helper",
        "from statistics import median as helper",
        "code_changed helper statistics.mean → statistics.median",
        line="return helper([1, 1, x])",
    ),
    above(
        "another function of numpy",
        "from numpy import mean as helper",
        "from numpy import median as helper",
        "code_changed helper numpy.mean → numpy.median",
        line="return float(helper([1, 1, x]))",
    ),
    above(
        "another ufunc",
        "from numpy import add as helper",
        "from numpy import multiply as helper",
        "code_changed helper numpy.add → numpy.multiply",
        line="return int(helper(x, x))",
    ),
    above(
        "another built-in",
        "helper = min",
        "helper = max",
        "code_changed helper builtins.min → builtins.max",
        line="return helper(x, 9)",
    ),
    above(
        "another class of a package",
        "from decimal import Decimal as helper",
        "from fractions import Fraction as helper",
        "code_changed helper decimal.Decimal → fractions.Fraction",
        line="return str(helper(x) / 7)",
    ),
    above(
        "np.vectorize",
        "import numpy as np\nhelper = np.vectorize(lambda x: x + 1)",
        "import numpy as np\nhelper = np.vectorize(lambda x: x + 2)",
        "code_changed helper state",
        line="return int(helper(x))",
    ),
    above(
        "a callable object's method",
        "class Scale:\n    def __call__(self, x):\n        return x\nhelper = Scale()",
        "class Scale:\n    def __call__(self, x):\n        return -x\nhelper = Scale()",
        "input_changed helper",
    ),
    above(
        "a method taken from an object",
        "class A:\n    n = 1\n    def add(self, x):\n        return x + self.n\nhelper = A().add",
        "class A:\n    n = 2\n    def add(self, x):\n        return x + self.n\nhelper = A().add",
        "code_changed helper.__self__",
    ),
    above("a built-in shadowed", "", "def len(x):\n    return 7", "code_changed len added", line="return len([x])"),
]

DECORATED = [
    edit(
        "decorator added: another function, called inner",
        "def f(x):\n    return x",
        "def twice(g):\n    def inner(x):\n        return 2 * g(x)\n    return inner\n@twice\ndef f(x):\n    return x",
        "never_run",
    ),
    *(
        edit(
            name,
            *(
                f"import functools\ndef times(g, n=2):\n    {wraps}\n    def inner(x):\n        return {text}\n    return inner\n{use}\ndef f(x):\n    return {of}\n"
                for text, use, of in (before, after)
            ),
            reason,
        )
        for name, wraps, before, after, reason in [
            ("decorator edited", "", ("2 * g(x)", "@times", "x"), ("3 * g(x)", "@times", "x"), "code_changed inner"),
            (
                "wraps: decorator edited",
                "@functools.wraps(g)",
                ("2 * g(x)", "@times", "x"),
                ("3 * g(x)", "@times", "x"),
                "code_changed times",
            ),
            (
                "wraps: function edited",
                "@functools.wraps(g)",
                ("2 * g(x)", "@times", "x"),
                ("2 * g(x)", "@times", "-x"),
                "code_changed f",
            ),
            (
                "wraps: decorator's argument",
                "@functools.wraps(g)",
                ("n * g(x)", "@(lambda g: times(g, 2))", "x"),
                ("n * g(x)", "@(lambda g: times(g, 3))", "x"),
                "code_changed f, times closure n",
            ),
        ]
    ),
    edit(
        "lru_cache added",
        "def f(x):\n    return x",
        "import functools\n@functools.lru_cache\ndef f(x):\n    return x",
        F,
    ),
    edit(
        "lru_cache'd function edited",
        "import functools\n@functools.lru_cache\ndef f(x):\n    return x",
        "import functools\n@functools.lru_cache\ndef f(x):\n    return -x",
        F,
    ),
    above(
        "lru_cache'd helper edited",
        "import functools\n@functools.lru_cache\ndef helper(x):\n    return x",
        "import functools\n@functools.lru_cache\ndef helper(x):\n    return -x",
        HELPER,
    ),
    above(
        "lru_cache'd helper in a list",
        "import functools\n@functools.lru_cache\ndef helper(x):\n    return x\nsteps = [helper]",
        "import functools\n@functools.lru_cache\ndef helper(x):\n    return -x\nsteps = [helper]",
        "input_changed steps",
        line="return steps[0](x)",
    ),
    above(
        "singledispatch implementation",
        "import functools\n@functools.singledispatch\ndef helper(x):\n    return 0\n@helper.register\ndef _(x: int):\n    return x",
        "import functools\n@functools.singledispatch\ndef helper(x):\n    return 0\n@helper.register\ndef _(x: int):\n    return -x",
        "code_changed helper[int]",
    ),
    above(
        "contextmanager",
        "import contextlib\n@contextlib.contextmanager\ndef helper(x):\n    yield x",
        "import contextlib\n@contextlib.contextmanager\ndef helper(x):\n    yield -x",
        HELPER,
        line="\n    with helper(x) as y:\n        return y",
    ),
    above(
        "class as decorator: its state",
        "class Times:\n    def __init__(self, g, n):\n        self.g, self.n, self.__wrapped__ = g, n, g\n    def __call__(self, x):\n        return self.n * self.g(x)\nhelper = Times(lambda x: x, 2)",
        "class Times:\n    def __init__(self, g, n):\n        self.g, self.n, self.__wrapped__ = g, n, g\n    def __call__(self, x):\n        return self.n * self.g(x)\nhelper = Times(lambda x: x, 3)",
        "code_changed helper.n",
    ),
    above(
        "class as decorator: its __call__",
        "class Times:\n    def __init__(self, g):\n        self.g, self.__wrapped__ = g, g\n    def __call__(self, x):\n        return 2 * self.g(x)\nhelper = Times(lambda x: x)",
        "class Times:\n    def __init__(self, g):\n        self.g, self.__wrapped__ = g, g\n    def __call__(self, x):\n        return 3 * self.g(x)\nhelper = Times(lambda x: x)",
        "code_changed Times.__call__",
    ),
]


def made_by(name, inner, before, after, reason):
    """`f` comes out of a function `make(k)`."""
    text = "def make(k):\n    def f(x):\n        return {}\n    return f\nf = make({})\n"
    return Edit(name, text.format(inner, before), text.format(inner, after), reason)


CLOSURES = [
    made_by("closure value", "x * k", "2", "3", "code_changed f closure k"),
    made_by("closure list", "x * k[0]", "[2]", "[3]", "code_changed f closure k"),
    made_by("closure function", "k(x)", "lambda x: x + 1", "lambda x: x + 2", "code_changed f.k"),
    made_by("closure unchanged", "x * k", "2", "1 + 1", SAME),
]


def cls(name, before, after, reason, line="return Model().fit(x)", first=""):
    """An edit of a class that `f` uses."""
    texts = (f"{first}class Model:\n{textwrap.indent(textwrap.dedent(t).strip(), '    ')}" for t in (before, after))
    return above(name, *texts, reason, line)


def derived(name, before, after, reason):
    texts = (
        f"class Base:\n{textwrap.indent(textwrap.dedent(t).strip(), '    ')}\nclass Model(Base):\n    pass"
        for t in (before, after)
    )
    return above(name, *texts, reason, "return Model().fit(x)")


DATA = "import dataclasses\n@dataclasses.dataclass\n"
CLASSES = [
    cls("method", "def fit(self, x):\n    return x", "def fit(self, x):\n    return -x", "code_changed Model.fit"),
    cls("method's comment", "def fit(self, x):\n    return x", "def fit(self, x):\n    'Fit.'\n    return x", SAME),
    cls(
        "order of methods",
        "def fit(self, x):\n    return x\ndef a(self):\n    pass",
        "def a(self):\n    pass\ndef fit(self, x):\n    return x",
        SAME,
    ),
    cls(
        "method called by a method",
        "def a(self):\n    return 1\ndef fit(self, x):\n    return x + self.a()",
        "def a(self):\n    return 2\ndef fit(self, x):\n    return x + self.a()",
        "code_changed Model.a",
    ),
    cls(
        "method added",
        "def __getattr__(self, name):\n    return abs\ndef a(self):\n    pass",
        "def __getattr__(self, name):\n    return abs\ndef a(self):\n    pass\ndef fit(self, x):\n    return -x",
        "code_changed Model.fit added",
    ),
    derived(
        "method of a base class",
        "def fit(self, x):\n    return x",
        "def fit(self, x):\n    return -x",
        "code_changed Base.fit",
    ),
    above(
        "another base class",
        "class A:\n    n = 1\nclass Model(A):\n    pass",
        "class B:\n    n = 2\nclass Model(B):\n    pass",
        "code_changed class B added, B.n added, class Model, class A removed, A.n removed",
        line="return x + Model.n",
    ),
    cls(
        "class attribute",
        "n = 1\ndef fit(self, x):\n    return x + self.n",
        "n = 2\ndef fit(self, x):\n    return x + self.n",
        "code_changed Model.n",
    ),
    cls(
        "private class attribute",
        "_n = 1\ndef fit(self, x):\n    return x + self._n",
        "_n = 2\ndef fit(self, x):\n    return x + self._n",
        "code_changed Model._n",
    ),
    cls(
        "property",
        "@property\ndef n(self):\n    return 1\ndef fit(self, x):\n    return x + self.n",
        "@property\ndef n(self):\n    return 2\ndef fit(self, x):\n    return x + self.n",
        "code_changed Model.n",
    ),
    cls(
        "property's setter",
        "@property\ndef n(self):\n    return 1\n@n.setter\ndef n(self, v):\n    self.m = v\ndef fit(self, x):\n    self.n = x; return self.m",
        "@property\ndef n(self):\n    return 1\n@n.setter\ndef n(self, v):\n    self.m = -v\ndef fit(self, x):\n    self.n = x; return self.m",
        "code_changed Model.n setter",
    ),
    cls(
        "cached property",
        "@functools.cached_property\ndef n(self):\n    return 1\ndef fit(self, x):\n    return x + self.n",
        "@functools.cached_property\ndef n(self):\n    return 2\ndef fit(self, x):\n    return x + self.n",
        "code_changed Model.n",
        first="import functools\n",
    ),
    cls(
        "static method",
        "@staticmethod\ndef fit(x):\n    return x",
        "@staticmethod\ndef fit(x):\n    return -x",
        "code_changed Model.fit",
    ),
    cls(
        "class method",
        "@classmethod\ndef fit(cls, x):\n    return x",
        "@classmethod\ndef fit(cls, x):\n    return -x",
        "code_changed Model.fit",
    ),
    cls(
        "class method taken",
        "@classmethod\ndef fit(cls, x):\n    return x",
        "@classmethod\ndef fit(cls, x):\n    return -x",
        "code_changed Model.fit",
        line="return Model.fit(x)",
    ),
    cls(
        "cached method",
        "@functools.lru_cache\ndef fit(self, x):\n    return x",
        "@functools.lru_cache\ndef fit(self, x):\n    return -x",
        "code_changed Model.fit",
        first="import functools\n",
    ),
    cls(
        "partial method",
        "def a(self, y, x):\n    return x + y\nfit = functools.partialmethod(a, 1)",
        "def a(self, y, x):\n    return x + y\nfit = functools.partialmethod(a, 2)",
        "code_changed Model.fit partial",
        first="import functools\n",
    ),
    cls(
        "method dispatched by type",
        "@functools.singledispatchmethod\ndef fit(self, x):\n    return 0\n@fit.register\ndef _(self, x: int):\n    return x",
        "@functools.singledispatchmethod\ndef fit(self, x):\n    return 0\n@fit.register\ndef _(self, x: int):\n    return -x",
        "code_changed Model._",
        first="import functools\n",
    ),
    cls(
        "operator borrowed",
        "__call__ = abs\ndef fit(self, x):\n    return self(x)",
        "__call__ = str\ndef fit(self, x):\n    return self(x)",
        "code_changed Model.__call__ builtins.abs → builtins.str",
    ),
    cls(
        "slots",
        "__slots__ = ('a',)\ndef fit(self, x):\n    return len(self.__slots__)",
        "__slots__ = ('a', 'b')\ndef fit(self, x):\n    return len(self.__slots__)",
        "code_changed Model.__slots__",
    ),
    cls(
        "class decorator's field default",
        "n: int = 1\ndef fit(self, x):\n    return x + self.n",
        "n: int = 2\ndef fit(self, x):\n    return x + self.n",
        "code_changed Model.n",
        first=DATA,
    ),
    cls(
        "dataclass field annotated",
        "n: int = 1\ndef fit(self, x):\n    return len(dataclasses.fields(self))",
        "n = 1\ndef fit(self, x):\n    return len(dataclasses.fields(self))",
        "code_changed class Model",
        first=DATA,
    ),
    cls(
        "dataclass fields reordered",
        "a: int = 1\nb: int = 1\ndef fit(self, x):\n    return repr(self)",
        "b: int = 1\na: int = 1\ndef fit(self, x):\n    return repr(self)",
        "code_changed class Model",
        first=DATA,
    ),
    cls(
        "dataclass option",
        "n: int = 1\ndef fit(self, x):\n    return str(self)[:3]",
        "n: int = 1\ndef fit(self, x):\n    return str(self)[:3]",
        "code_changed class Model",
        first=DATA,
    )._replace(
        after="import dataclasses\n@dataclasses.dataclass(order=True)\nclass Model:\n    n: int = 1\n    def fit(self, x):\n        return str(self)[:3]\ndef f(x):\n    return Model().fit(x)\n"
    ),
    cls(
        "dataclass default factory",
        "n: list = dataclasses.field(default_factory=list)\ndef fit(self, x):\n    return str(self.n)",
        "n: list = dataclasses.field(default_factory=dict)\ndef fit(self, x):\n    return str(self.n)",
        "code_changed Model.n builtins.list → builtins.dict",
        first=DATA,
    ),
    *(
        cls(
            f"dataclass field's {option}",
            f"n: int = dataclasses.field(default=1, {before})\ndef fit(self, x):\n    return {asks}",
            f"n: int = dataclasses.field(default=1, {after})\ndef fit(self, x):\n    return {asks}",
            "code_changed class Model",
            first=DATA,
        )
        for option, before, after, asks in [
            (
                "metadata",
                "metadata={'unit': 'm'}",
                "metadata={'unit': 'km'}",
                "dict(dataclasses.fields(self)[0].metadata)",
            ),
            ("share in repr", "repr=True", "repr=False", "repr(self)"),
            ("share in comparisons", "compare=True", "compare=False", "self == Model(x)"),
        ]
    ),
    *(
        above(
            f"pydantic's {what}",
            f"import pydantic\nfrom typing import Annotated\nclass Model(pydantic.BaseModel):\n    {before}",
            f"import pydantic\nfrom typing import Annotated\nclass Model(pydantic.BaseModel):\n    {after}",
            reason,
            "\n    try:\n        return Model(a=x).model_dump_json()\n    except ValueError:\n        return 'bad'",
        )
        for what, before, after, reason in [
            ("bounds", "a: int = pydantic.Field(gt=0)", "a: int = pydantic.Field(gt=9)", "code_changed class Model"),
            ("default", "a: int\n    b: int = 1", "a: int\n    b: int = 2", "code_changed class Model"),
            (
                "factory",
                "a: int\n    b: int = pydantic.Field(default_factory=lambda: 1)",
                "a: int\n    b: int = pydantic.Field(default_factory=lambda: 2)",
                "code_changed Model.b",
            ),
            (
                "check",
                "a: Annotated[int, pydantic.AfterValidator(lambda v: v + 1)]",
                "a: Annotated[int, pydantic.AfterValidator(lambda v: v + 2)]",
                "code_changed Model.a",
            ),
        ]
    ),
    cls(
        "metaclass", "def fit(self, x):\n    return x", "def fit(self, x):\n    return x", "code_changed Meta.__call__"
    )._replace(
        before="class Meta(type):\n    def __call__(cls):\n        return abs\nclass Model(metaclass=Meta):\n    pass\ndef f(x):\n    return Model()(x)\n",
        after="class Meta(type):\n    def __call__(cls):\n        return str\nclass Model(metaclass=Meta):\n    pass\ndef f(x):\n    return Model()(x)\n",
    ),
    above(
        "enum member",
        "import enum\nclass Kind(enum.Enum):\n    A = 1\n    B = 2",
        "import enum\nclass Kind(enum.Enum):\n    A = 1\n    B = 3",
        "code_changed Kind members",
        line="return x + Kind.B.value",
    ),
    above(
        "order of enum members",
        "import enum\nclass Kind(enum.Enum):\n    A = 1\n    B = 2",
        "import enum\nclass Kind(enum.Enum):\n    B = 2\n    A = 1",
        "code_changed Kind members",
        line="return [k.name for k in Kind]",
    ),
    above(
        "enum's private method",
        "import enum\nclass Kind(enum.Enum):\n    A = 1\n    def _n(self):\n        return 1",
        "import enum\nclass Kind(enum.Enum):\n    A = 1\n    def _n(self):\n        return 2",
        "code_changed Kind._n",
        line="return Kind.A._n()",
    ),
    above(
        "named tuple",
        "from typing import NamedTuple\nclass P(NamedTuple):\n    a: int = 1",
        "from typing import NamedTuple\nclass P(NamedTuple):\n    a: int = 2",
        "code_changed P.__new__ default a, P._field_defaults",
        line="return P().a + x",
    ),
    above(
        "named tuple the same",
        "from collections import namedtuple\nP = namedtuple('P', 'a b')",
        "from collections import namedtuple\n\nP = namedtuple('P', ['a', 'b'])",
        SAME,
        line="return P(1, x).b",
    ),
]

GLOBALS = [
    above("scalar", "CUTOFF = 30", "CUTOFF = 40", "input_changed CUTOFF 30 → 40", line="return x + CUTOFF"),
    above("scalar, the same", "CUTOFF = 30", "CUTOFF = 10 * 3", SAME, line="return x + CUTOFF"),
    above(
        "scalar of another type",
        "CUTOFF = 30",
        "CUTOFF = 30.0",
        "input_changed CUTOFF 30 → 30.0",
        line="return x + CUTOFF",
    ),
    above(
        "read two levels down",
        "CUTOFF = 30\ndef helper(x):\n    return x + CUTOFF",
        "CUTOFF = 40\ndef helper(x):\n    return x + CUTOFF",
        "input_changed CUTOFF 30 → 40",
    ),
    above(
        "list mutated",
        "KEEP = [1]",
        "KEEP = [1]\nKEEP.append(3)",
        "input_changed KEEP [1] → [1, 3]",
        line="return x in KEEP",
    ),
    above(
        "dict mutated",
        "PARAMS = {'a': 1}",
        "PARAMS = {'a': 1}\nPARAMS['a'] = 2",
        "input_changed PARAMS.a 1 → 2",
        line="return x + PARAMS['a']",
    ),
    above(
        "dict in another order",
        "PARAMS = {'a': 1, 'b': 2}",
        "PARAMS = {'b': 2, 'a': 1}",
        "input_changed PARAMS has its items in another order",
        line="return x + PARAMS['a']",
    ),
    above(
        "array",
        "import numpy as np\nW = np.array([1, 2])",
        "import numpy as np\nW = np.array([1, 3])",
        "input_changed W",
        line="return int(W.sum())",
    ),
    above(
        "array, the same",
        "import numpy as np\nW = np.array([1, 2])",
        "import numpy as np\nW = np.arange(1, 3)",
        SAME,
        line="return int(W.sum())",
    ),
    above(
        "logger",
        "import logging\nlog = logging.getLogger('a')\nlog.setLevel(10)",
        "import logging\nlog = logging.getLogger('b')",
        SAME,
        line="log.debug(x); return x",
    ),
    above(
        "module under another name", "import math as m", "import math as m\nimport os", SAME, line="return m.sqrt(x)"
    ),
    above(
        "another module under the name",
        "import math as m",
        "import cmath as m",
        "code_changed m math → cmath",
        line="return str(m.sqrt(x))",
    ),
    above(
        "object's state",
        "class Model:\n    pass\nm = Model()\nm.n = 1",
        "class Model:\n    pass\nm = Model()\nm.n = 2",
        "input_changed m",
        line="return m.n",
    ),
    above(
        "named in a query's text",
        "import pandas as pd\nCUTOFF = 1\ntable = pd.DataFrame({'a': [1, 2, 3]})",
        "import pandas as pd\nCUTOFF = 2\ntable = pd.DataFrame({'a': [1, 2, 3]})",
        "input_changed CUTOFF 1 → 2",
        line="return len(table.query('a > @CUTOFF'))",
    ),
    above(
        "named in a formula's text",
        "import pandas as pd, statsmodels.formula.api as smf\ntable = pd.DataFrame({'x': [1, 2, 3], 'y': [1, 2, 4]})\ndef scaled(v):\n    return v * 2",
        "import pandas as pd, statsmodels.formula.api as smf\ntable = pd.DataFrame({'x': [1, 2, 3], 'y': [1, 2, 4]})\ndef scaled(v):\n    return v * 4",
        "code_changed scaled",
        line="return smf.ols('y ~ scaled(x)', table).fit().params.round(9).to_dict()",
    ),
    above("named in evaluated text", "N = 1", "N = 2", "input_changed N 1 → 2", line="return eval('x + N')"),
    above(
        "environment variable",
        "import os\nos.environ['RMS_N'] = '1'",
        "import os\nos.environ['RMS_N'] = '1'\ndel os.environ['RMS_N']",
        "input_changed env:RMS_N '1' → (absent)",
        line="os.environ.get('RMS_N'); return x",
    ),
]


def lab(name, cell, before, after, reason, cell_after=""):
    """An edit of the module `lab`."""
    return edit(name, cell, cell_after or cell, reason, (before, after))


ONE, TWO = "def helper(x):\n    return x + 1\n", "def helper(x):\n    return x + 2\n"
MODULES = [
    lab("module.function", "import lab\ndef f(x):\n    return lab.helper(x)", ONE, TWO, "code_changed lab.helper"),
    lab("function imported from", "from lab import helper\ndef f(x):\n    return helper(x)", ONE, TWO, HELPER),
    lab("star import", "from lab import *\ndef f(x):\n    return helper(x)", ONE, TWO, HELPER),
    lab(
        "imported under another name",
        "from lab import helper as h\ndef f(x):\n    return h(x)",
        ONE,
        TWO,
        "code_changed h",
    ),
    lab("imported inside", "def f(x):\n    import lab\n    return lab.helper(x)", ONE, TWO, "code_changed lab.helper"),
    lab(
        "imported from, inside",
        "def f(x):\n    from lab import helper\n    return helper(x)",
        ONE,
        TWO,
        "code_changed lab.helper",
    ),
    lab(
        "imported from, inside: another function",
        "def f(x):\n    from lab import helper\n    return helper(x)",
        ONE + "def other():\n    return 1\n",
        ONE + "def other():\n    return 2\n",
        SAME,
    ),
    lab("comment in the module", "import lab\ndef f(x):\n    return lab.helper(x)", ONE, "# one\n" + ONE, SAME),
    lab(
        "another function of the module",
        "import lab\ndef f(x):\n    return lab.helper(x)",
        ONE,
        ONE + "def other():\n    return 2\n",
        SAME,
    ),
    lab(
        "constant of the module",
        "import lab\ndef f(x):\n    return lab.N + x",
        "N = 1\n",
        "N = 2\n",
        "input_changed lab.N 1 → 2",
    ),
    lab(
        "constant read by the module's function",
        "import lab\ndef f(x):\n    return lab.helper(x)",
        "N = 1\ndef helper(x):\n    return x + N\n",
        "N = 2\ndef helper(x):\n    return x + N\n",
        "input_changed N 1 → 2",
    ),
    lab(
        "function two levels down in the module",
        "import lab\ndef f(x):\n    return lab.helper(x)",
        "def deep(x):\n    return x\ndef helper(x):\n    return deep(x)\n",
        "def deep(x):\n    return -x\ndef helper(x):\n    return deep(x)\n",
        "code_changed deep",
    ),
    lab(
        "class of the module",
        "import lab\ndef f(x):\n    return lab.Model().fit(x)",
        "class Model:\n    def fit(self, x):\n        return x\n",
        "class Model:\n    def fit(self, x):\n        return -x\n",
        "code_changed lab.Model.fit",
    ),
    lab(
        "from-import to attribute",
        "from lab import helper\ndef f(x):\n    return helper(x)",
        ONE,
        ONE,
        "code_changed f, lab.helper added, helper removed",
        "import lab\ndef f(x):\n    return lab.helper(x)",
    ),
    lab("the pipe itself in the module", "from lab import helper as f", ONE, TWO, HELPER),
    lab(
        "two functions of one name",
        "import lab\ndef helper(x):\n    return lab.g(x)\ndef f(x):\n    return helper(x)",
        ONE + "def g(x):\n    return helper(x)\n",
        TWO + "def g(x):\n    return helper(x)\n",
        "code_changed helper (2)",
    ),
    lab(
        "two base classes of one name",
        "import lab\nclass Model(lab.Model):\n    pass\ndef f(x):\n    return Model().n + x",
        "class Model:\n    n = 1\n",
        "class Model:\n    n = 2\n",
        "code_changed Model.n",
    ),
]

PUT_ON_CLASSES = [
    above(
        f"{what} on a class of a package",
        f"import warnings, pandas as pd, xarray as xr, polars as pl\nwarnings.simplefilter('ignore')\n{text.format('1')}",
        f"import warnings, pandas as pd, xarray as xr, polars as pl\nwarnings.simplefilter('ignore')\n{text.format('2')}",
        reason,
        line,
    )
    for what, text, reason, line in [
        (
            "method",
            "def total(self):\n    return int(self.sum()) * {}\npd.Series.rms_total = total",
            "code_changed Series.rms_total",
            "return pd.Series([x]).rms_total()",
        ),
        (
            "property",
            "pd.DataFrame.rms_size = property(lambda self: len(self) * {})",
            "code_changed DataFrame.rms_size",
            "return pd.DataFrame([x]).rms_size",
        ),
        (
            "accessor of pandas",
            "@pd.api.extensions.register_dataframe_accessor('rms_lab')\nclass Lab:\n    def __init__(self, frame):\n        self.n = len(frame)\n    def total(self):\n        return self.n * {}",
            "code_changed DataFrame.rms_lab.total",
            "return pd.DataFrame([x]).rms_lab.total()",
        ),
        (
            "accessor of xarray",
            "@xr.register_dataarray_accessor('rms_lab')\nclass Lab:\n    def __init__(self, array):\n        self.n = array.size\n    def total(self):\n        return self.n * {}",
            "code_changed DataArray.rms_lab.total",
            "return xr.DataArray([x]).rms_lab.total()",
        ),
        (
            "namespace of polars",
            "@pl.api.register_dataframe_namespace('rms_poll')\nclass Lab:\n    def __init__(self, frame):\n        self.n = len(frame)\n    def total(self):\n        return self.n * {}",
            "code_changed DataFrame.rms_poll.total",
            "return pl.DataFrame([x]).rms_poll.total()",
        ),
        (
            "method, of a class that the code names,",
            "from fractions import Fraction\nFraction.rms_twice = lambda self: int(self) * {}",
            "code_changed Fraction.rms_twice",
            "return Fraction(x).rms_twice()",
        ),
    ]
]

ASKED_AS_WRITTEN = [
    above(
        f"{what} asked for",
        f"import inspect\n{before}",
        f"import inspect\n{after}",
        "code_changed docstrings and comments",
        line=line,
    )
    for what, before, after, line in [
        (
            "docstring",
            "def helper(x):\n    'One.'\n    return x",
            "def helper(x):\n    'Two.'\n    return x",
            "return helper.__doc__",
        ),
        ("docstring of a class", "class A:\n    'One.'", "class A:\n    'Two.'", "return inspect.getdoc(A)"),
        (
            "annotation",
            "def helper(x: int):\n    return x",
            "def helper(x: str):\n    return x",
            "return str(helper.__annotations__)",
        ),
        (
            "comment",
            "def helper(x):\n    return x  # 1",
            "def helper(x):\n    return x  # 2",
            "return inspect.getsource(helper)",
        ),
    ]
]

EDITS = [
    *ASKED_AS_WRITTEN,
    *PUT_ON_CLASSES,
    *WRITTEN_OTHERWISE,
    *BODIES,
    *HELPERS,
    *DECORATED,
    *CLOSURES,
    *CLASSES,
    *GLOBALS,
    *MODULES,
]


class Notebook:
    """A notebook's variables, and cells that are found by `inspect` as IPython's are."""

    def __init__(self):
        self.names = {"__name__": "__main__"}

    def run(self, text):
        filename = f"<cell {hash(text)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        exec(compile(text, filename, "exec"), self.names)


def call(s, names):
    s.place.enter(Cell())
    function = names["f"]
    pipe = s.register_pipe(function, name="f" if function.__name__ == "g" else "")
    return pipe, pipe(3)


@pytest.mark.parametrize("where", ["same kernel", "new kernel"])
@pytest.mark.parametrize("row", EDITS, ids=[row.name for row in EDITS])
def test_an_edit(s, row, where, write_lab):
    notebook = Notebook()
    write_lab(row.lab[0])
    notebook.run(row.before)
    first = call(s, notebook.names)[1]
    assert not first.task.hit
    again = call(s, notebook.names)[1]
    assert again.task.hit, again.task.reason
    write_lab(row.lab[1])
    if where == "new kernel":
        notebook = Notebook()
        sys.modules.pop("lab", None)
    elif "lab" in sys.modules:
        importlib.reload(sys.modules["lab"])
    notebook.run(row.after)
    pipe, again = call(s, notebook.names)
    expected = pipe.func(3)
    assert again.content == (asyncio.run(expected) if asyncio.iscoroutine(expected) else expected), "a wrong hit"
    assert (SAME if again.task.hit else again.task.reason) == row.reason
    assert call(s, notebook.names)[1].task.hit


def test_there_is_a_row_for_each_name():
    assert len({row.name for row in EDITS}) == len(EDITS)
