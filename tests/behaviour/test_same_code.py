"""The same function, class and value is the same in the kernel, in a worker, in the next kernel, and after pickling."""

import ast
import textwrap

import pytest

from tests.kernel import Kernel

IMPORTS = """
import abc, collections, dataclasses, enum, functools, operator, pickle, typing
import cloudpickle
import rms_jupyter as rms
from rms_jupyter.fingerprint.values import digest
s = rms.open("test.rms")
RATE = 3
"""

FUNCTIONS = {
    "plain": "def plain(x):\n    # A comment.\n    return x + 1",
    "with a docstring": 'def told(x: int) -> int:\n    """Say what."""\n    return x',
    "of a global": "def of_global(x):\n    return x * RATE",
    "of another": "def helper(x):\n    return x\ndef of_another(x):\n    return helper(x)",
    "recursive": "def recursive(n):\n    return n and recursive(n - 1)",
    "each of the other": "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n and even(n - 1)",
    "with defaults": "def with_defaults(x, y=(1, 2), *, z='a'):\n    return x, y, z",
    "with an inner one": "def outer(x):\n    def inner(y):\n        # A comment.\n        return [i for i in range(x + y)]\n    return inner",
    "inner": "inner = outer(2)",
    "lambda": "square = lambda x: x ** 2",
    "lambdas in a line": "first, second = (lambda x: x + 1), (lambda x: x + 2)",
    "closure": "def adder(k):\n    def add(x):\n        return x + k\n    return add\nadd = adder(3)",
    "closure of functions": "composed = (lambda f, g: lambda x: f(g(x)))(plain, square)",
    "generator": "def counted(n):\n    yield from range(n)",
    "coroutine": "async def waited(x):\n    return x",
    "of imported modules": "def joined(*parts):\n    import os.path\n    return os.path.join(*parts), operator.add(1, 2)",
    "decorated": "def twice(f):\n    @functools.wraps(f)\n    def wrapper(*a):\n        return f(*a), f(*a)\n    return wrapper\n@twice\ndef decorated(x):\n    return x",
    "decorated without wraps": "def plainly(f):\n    return lambda *a: f(*a)\n@plainly\ndef hidden(x):\n    return x",
    "with attributes": "def tagged(x):\n    return x, 'm'\ntagged.unit = 'm'",
    "of a local module": "from lab import measure",
    "closure of a local module": "from lab import scaler\nscaled = scaler(2)",
    "a method": "class Holder:\n    def held(self, x):\n        # A comment.\n        return x\nheld = Holder.held",
}  # fmt: skip

# What is called, and not found by being the same object: by equality.
CALLABLES = {
    "partial": "part = functools.partial(plain, 2)",
    "partial of a lambda": "of_lambda = functools.partial(lambda a, b: a - b, b=1)",
    "cached": "@functools.lru_cache\ndef cached(x):\n    return x",
    "bound method": "bound = Holder().held",
    "callable object": "class Called:\n    def __init__(self, k):\n        self.k = k\n    def __call__(self, x):\n        return x + self.k\ncalled = Called(2)",
}  # fmt: skip

CLASSES = {
    "class": "class Point:\n    scale = [1, 2]\n    def __init__(self, x=1):\n        self.x = x\n    def far(self):\n        return self.x * RATE",
    "subclass": "class Far(Point):\n    def far(self):\n        return super().far() + 1",
    "dataclass": "@dataclasses.dataclass\nclass Read:\n    name: str = 'a'\n    tags: list = dataclasses.field(default_factory=list)\n    def upper(self):\n        return self.name.upper()",
    "frozen dataclass": "@dataclasses.dataclass(frozen=True, order=True)\nclass Key:\n    k: int = 1",
    "dataclass with slots": "@dataclasses.dataclass(slots=True)\nclass Slim:\n    k: int = 1\n    def more(self):\n        return self.k + 1",
    "slots": "class Slotted:\n    __slots__ = ('x', 'y')\n    def __init__(self):\n        self.x = 1",
    "slots and a dict": "class Both:\n    __slots__ = ('x', '__dict__')\n    def __init__(self):\n        self.x, self.z = 1, 2",
    "one slot": "class One:\n    __slots__ = 'only'\n    def __init__(self):\n        self.only = 1",
    "metaclass": "class Meta(type):\n    def __call__(cls, *a):\n        made = super().__call__(*a)\n        made.by = cls.__name__\n        return made\nclass Made(metaclass=Meta):\n    pass",
    "abstract": "class Base(abc.ABC):\n    @abc.abstractmethod\n    def run(self): ...\nclass Concrete(Base):\n    def run(self):\n        return 1",
    "generic": "T = typing.TypeVar('T')\nclass Box(typing.Generic[T]):\n    def __init__(self, item: T = None):\n        self.item = item",
    "of a generic": "class Numbers(Box[int]):\n    pass",
    "properties": "class Proper:\n    def __init__(self):\n        self._x = 1\n    @property\n    def x(self):\n        return self._x\n    @x.setter\n    def x(self, v):\n        self._x = v\n    @staticmethod\n    def s(a):\n        return a\n    @classmethod\n    def c(cls):\n        return cls()\n    @functools.cached_property\n    def slow(self):\n        return 7",
    "nested": "class Outer:\n    class Inner:\n        def f(self):\n            return Outer\n    def __init__(self):\n        self.inner = Outer.Inner()",
    "namedtuple": "Pair = collections.namedtuple('Pair', 'a b', defaults=(1, 2))",
    "typed namedtuple": "class Named(typing.NamedTuple):\n    a: int = 1\n    def twice(self):\n        return self.a * 2",
    "of a dict": "class Settings(dict):\n    def __missing__(self, key):\n        return key",
    "exception": "class Wrong(ValueError):\n    def __init__(self, code=3):\n        super().__init__(code)\n        self.code = code",
    "each of the other": "class Node:\n    def leaf(self):\n        return Leaf()\nclass Leaf(Node):\n    def node(self):\n        return Node()",
    "registering": "REGISTRY = []\nclass Plugin:\n    def __init_subclass__(cls):\n        REGISTRY.append(cls.__name__)\nclass Mine(Plugin):\n    pass",
    "made in a function": "def make_class(n):\n    class Local:\n        size = n\n        def get(self):\n            return self.size\n    return Local\nLocal = make_class(3)",
}  # fmt: skip

ENUMS = {
    "enum": "class Color(enum.Enum):\n    RED = 1\n    GREEN = 'g'\n    def lower(self):\n        return self.name.lower()",
    "int enum": "class Level(enum.IntEnum):\n    LOW = 1\n    HIGH = 2",
    "flag": "class Access(enum.Flag):\n    R = enum.auto()\n    W = enum.auto()",
    "str enum": "class Kind(str, enum.Enum):\n    A = 'a'",
}

LAB = """
    def measure(x):
        return x / 2

    def scaler(k):
        def scale(x):
            return x * k
        return scale
    """

ASK = """
def echo(value):
    return value
def wrap(value):
    return {"in": [value, (value,)]}
def raising(value):
    raise value
def knows(value, kind):
    return isinstance(value, kind), type(value) is kind
echo, wrap, raising, knows = map(s.register_pipe, (echo, wrap, raising, knows))
def run(*calls, **options):
    with s.plan() as plan:
        results = [call() for call in calls]
    plan.run(**options)
    return [result.replacement for result in results]
def differing(pairs):
    return sorted(name for name, same in pairs.items() if not same)
"""


def bound(code):
    """The name that a cell binds last."""
    for node in reversed(ast.parse(code).body):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Tuple):
            return target.elts[0].id
        if not isinstance(target, ast.Attribute):
            return target.id if target else getattr(node, "names", [node])[0].name
    raise AssertionError(code)


def names(*tables):
    """A dict of what cells define, as text."""
    items = ", ".join(f"{case!r}: {bound(code)}" for table in tables for case, code in table.items())
    return f"{{{items}}}"


def begin(kernel, folder):
    (folder / "lab.py").write_text(textwrap.dedent(LAB))
    kernel.run("%load_ext rms_jupyter")
    for code in [IMPORTS, *FUNCTIONS.values(), *CALLABLES.values(), *CLASSES.values(), *ENUMS.values(), ASK]:
        ran = kernel.run(code)
        assert ran.ok, ran.error
    assert kernel.run(f"""
CALLABLES = {list(CALLABLES)}
functions, classes, enums = {names(FUNCTIONS)}, {names(CLASSES)}, {names(ENUMS)}
everything = {{**functions, **{names(CALLABLES)}, **{{"class " + k: v for k, v in (classes | enums).items()}}}}
before = {{name: digest(thing).hex() for name, thing in everything.items()}}
""").ok


@pytest.fixture
def notebook(tmp_path, kernel, where):
    begin(kernel, tmp_path)
    kernel.run(f"how = {'dict(n_jobs=1)' if where == 'serial' else f'dict(executor={where!r}, n_jobs=2)'}")
    return kernel


def test_code_is_the_same_where_tasks_run(notebook):
    assert notebook.run("""
results = dict(zip(everything, run(*[lambda v=v: echo(v) for v in everything.values()], **how)))
""").ok
    assert notebook.value("differing({k: results[k].digest == before[k] for k in everything})") == "[]"
    assert notebook.value("differing({k: digest(v).hex() == before[k] for k, v in everything.items()})") == "[]"
    assert notebook.value("differing({k: digest(results[k].content).hex() == before[k] for k in everything})") == "[]"
    assert (
        notebook.value("differing({k: results[k].content is everything[k] for k in everything if k not in CALLABLES})")
        == "[]"
    )
    assert notebook.value("REGISTRY") == "['Mine']"


def test_values_come_back_as_those_of_the_notebooks_classes(notebook):
    assert notebook.run("""
made = {name: cls() for name, cls in classes.items()} | {name: list(cls)[0] for name, cls in enums.items()}
kinds = classes | enums
wrapped = dict(zip(made, run(*[lambda v=v: wrap(v) for v in made.values()], **how)))
known = dict(zip(made, run(*[lambda k=k: knows(made[k], kinds[k]) for k in made], **how)))
again = dict(zip(made, run(*[lambda k=k: knows(echo(made[k]), kinds[k]) for k in made], **how)))
""").ok
    assert notebook.value("differing({k: known[k].content == (True, True) for k in made})") == "[]"
    assert notebook.value("differing({k: again[k].content == (True, True) for k in made})") == "[]"
    assert notebook.value("differing({k: type(wrapped[k].content['in'][1][0]) is kinds[k] for k in made})") == "[]"
    assert (
        notebook.value("differing({k: wrapped[k].digest == digest({'in': [v, (v,)]}).hex() for k, v in made.items()})")
        == "[]"
    )
    assert (
        notebook.value("differing({k: wrapped[k].content['in'][0] is v for k, v in made.items() if k in enums})")
        == "[]"
    )
    pickled = "[k for k in made if k != 'made in a function']"
    assert (
        notebook.value(
            f"differing({{k: type(pickle.loads(pickle.dumps(wrapped[k].content))['in'][0]) is kinds[k] for k in {pickled}}})"
        )
        == "[]"
    )
    assert notebook.value("REGISTRY") == "['Mine']"


def test_an_exception_of_the_notebook_is_caught_as_such(notebook):
    assert notebook.run("""
try:
    run(lambda: raising(Wrong(5)), **how)
except rms.PlanFailed as failure:
    cause = failure.__cause__
""").ok
    assert notebook.value("type(cause) is Wrong, cause.code") == "(True, 5)"


def test_pickling_keeps_code_what_it_is(kernel, tmp_path):
    begin(kernel, tmp_path)
    kernel.run("import rms_jupyter.store.content, rms_jupyter.fingerprint.pickling")
    kernel.run("del everything['class registering']")  # Cloudpickle puts a copy of its list into the class itself.
    for module in ("cloudpickle", "rms_jupyter.store.content", "rms_jupyter.fingerprint.pickling"):
        ran = kernel.run(f"""
copies = {{}}
for name, thing in everything.items():
    try:
        copies[name] = pickle.loads({module}.dumps(thing))
    except Exception as error:
        if {module} is not cloudpickle:
            raise
""")
        assert ran.ok, ran.error
        assert kernel.value("differing({k: digest(v).hex() == before[k] for k, v in copies.items()})") == "[]", module
        assert kernel.value("differing({k: digest(v).hex() == before[k] for k, v in everything.items()})") == "[]"


def test_the_next_kernel_finds_its_own(tmp_path, monkeypatch):
    for seed in ("1", "77"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        with Kernel(tmp_path) as kernel:
            begin(kernel, tmp_path)
            assert kernel.run("""
made = {name: cls() for name, cls in classes.items()} | {name: list(cls)[0] for name, cls in enums.items()}
results = {k: echo(v) for k, v in everything.items()}
values = {k: wrap(v) for k, v in made.items()}
""").ok
            if seed == "77":
                assert kernel.value("differing({k: r.task.hit for k, r in (results | values).items()})") == "[]"
            assert kernel.value("differing({k: r.digest == before[k] for k, r in results.items()})") == "[]"
            assert (
                kernel.value("differing({k: digest(r.content).hex() == before[k] for k, r in results.items()})") == "[]"
            )
            kinds = "(classes | enums)"
            own = "if k != 'made in a function'"
            assert (
                kernel.value(
                    f"differing({{k: type(r.content['in'][0]) is {kinds}[k] for k, r in values.items() {own}}})"
                )
                == "[]"
            )
            closures = "('inner', 'closure', 'closure of functions', 'lambda', 'lambdas in a line', 'closure of a local module', 'decorated without wraps')"
            assert (
                kernel.value(
                    f"differing({{k: results[k].content is v for k, v in functions.items() if k not in {closures}}})"
                )
                == "[]"
            )


HELD_AS = """
import collections, dataclasses, enum
Result = collections.namedtuple("Res", "a b")
Pair = dataclasses.make_dataclass("P", ["x"])
Colour = enum.Enum("Colours", "RED BLUE")
Kind = type("Made", (), {})
double = lambda x: 2 * x
def kinds(n):
    return Result(n, n), Pair(n), Colour.RED, Kind(), double
"""


def test_what_a_variable_of_another_name_holds_is_that_in_the_next_kernel(tmp_path):
    for feedback in ("kinds ran", "kinds hit"):
        with Kernel(tmp_path) as kernel:
            kernel.run("%load_ext rms_jupyter")
            assert feedback in kernel.run(f"%%rms{HELD_AS}found = kinds(1)").shown
            expected = "[Result, Pair, Colour, Kind, type(double)], True, True"
            assert (
                kernel.value(f"([type(v) for v in found], found[2] is Colour.RED, found[4] is double) == ({expected})")
                == "True"
            )


def test_a_class_that_is_defined_again(notebook):
    old = "class Old:\n    def __init__(self, x):\n        self.x = x"
    assert notebook.run(f"{old}\ndef make_old(x):\n    return Old(x)\nmake_old = s.register_pipe(make_old)").ok
    assert notebook.run("[planned] = run(lambda: make_old(1), **how)\nBefore = Old").ok
    assert notebook.run(f"{old} + 1").ok
    assert notebook.value("type(planned.content) is Before, planned.content.x") == "(True, 1)"
    assert notebook.value("type(make_old(1).content) is Old, make_old(1).content.x") == "(True, 2)"
    assert notebook.run(f"{old} + 1").ok
    assert notebook.value("make_old(1).task.hit, type(make_old(1).content) is Old") == "(True, True)"


def test_a_worker_knows_the_classes_of_what_it_is_given(notebook):
    assert notebook.run("""
def loaded(x):
    return {"point": Point(x), "color": Color.RED}
def used(given):
    return given["point"].far(), given["color"].lower(), given
loaded, used = map(s.register_pipe, (loaded, used))
given = [loaded(i) for i in range(12)]
results = [r.content for r in run(*[lambda g=g: used(g) for g in given], **how)]
""").ok
    assert notebook.value("[r[0] for r in results] == [3 * i for i in range(12)]") == "True"
    assert notebook.value("{(type(r[2]['point']), r[2]['color']) for r in results} == {(Point, Color.RED)}") == "True"


def test_a_traceback_from_a_worker_shows_the_line(notebook):
    notebook.run("""
def lost(x):
    def inner():
        return x / 0  # Here.
    return inner()
lost = s.register_pipe(lost)
""")
    assert "ZeroDivisionError" in notebook.run("run(lambda: lost(1), **how)").error
    assert "return x / 0  # Here." in notebook.run("%rms logs lost").shown


def test_a_closure_from_the_store_reads_the_notebooks_globals(tmp_path):
    for _ in range(2):
        with Kernel(tmp_path) as kernel:
            begin(kernel, tmp_path)
            assert kernel.run("""
def make(k):
    return lambda x: (x + k * RATE, Point(x))
made = s.register_pipe(make)(2).content
""").ok
            assert kernel.value("made(1)[0], type(made(1)[1]) is Point, made.__globals__ is globals()") == (
                "(7, True, True)"
            )
            kernel.run("RATE = 10")
            assert kernel.value("made(1)[0]") == "21"


def test_a_class_that_was_changed_and_changed_back(notebook):
    """What a worker remembers of an earlier run is as it was then."""
    assert notebook.run("""
class Rated:
    rate = 3
    def __init__(self, x):
        self.x = x
    def far(self):
        return self.x * self.rate * RATE
def by_function(x):
    return Rated(x).far()
def by_argument(rated):
    return rated.far(), isinstance(rated, Rated)
def by_both(rated):
    return Rated(rated.x).far(), rated.far()
by_function, by_argument, by_both = map(s.register_pipe, (by_function, by_argument, by_both))
def at(x):
    return [r.content for r in run(lambda: by_function(x), lambda: by_argument(Rated(x)), lambda: by_both(Rated(x)), **how)]
""").ok
    for x, (rate, other) in enumerate([(3, 1), (5, 1), (3, 1), (3, 2), (5, 1), (3, 2)], start=1):
        notebook.run(f"Rated.rate, RATE = {rate}, {other}")
        far = x * rate * other
        assert notebook.value(f"at({x})") == f"[{far}, ({far}, True), ({far}, {far})]"
