"""How is a value described, so that two of different processes can be compared?  Runs in the kernel, beside the notebook."""

import hashlib
import io
import re
import types
import weakref
from concurrent.futures import Executor
from pathlib import Path

SHARED = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented))
DEEPEST, MOST = 14, 30_000
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


def unwrapped(value):
    """Return the function of a pipe: that a function is a pipe is what was asked for."""
    if type(value).__module__.startswith("rms_jupyter"):
        function = getattr(value, "func", None)
        if isinstance(function, types.FunctionType):
            return function
    return value


def type_name(value):
    """Name a type; a whole number that carries where it is from counts as a whole number."""
    cls = type(value)
    if cls.__module__.startswith("rms_jupyter") and issubclass(cls, int):
        cls = int
    return f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")


def is_immutable(value):
    """Whether nobody can tell one from another that is equal, but by `is`."""
    return isinstance(value, tuple | frozenset | Path) or (
        is_of_pandas(value) and type(value).__name__.endswith("Index")
    )


def is_of_pandas(value):
    """Whether a value is of one of pandas's types."""
    return type(value).__module__.partition(".")[0] == "pandas"


def without_caches(value):
    """Attributes, but for what pandas remembers of an object."""
    return {name: held for name, held in vars(value).items() if not (name == "_cache" and is_of_pandas(value))}


class Description:
    """Describes one value as lists of text, without addresses, that sharing within it shows in."""

    def __init__(self, namespace):
        self.namespace, self.met, self.count = namespace, {}, 0

    def of(self, value, depth=0):
        """Describe a value and what it holds."""
        value = unwrapped(value)
        self.count += 1
        if isinstance(value, SHARED) and type(value).__module__ in ("builtins", "rms_jupyter"):
            return [type_name(value), ADDRESS.sub("0x…", repr(value))]
        if depth > DEEPEST or self.count > MOST:
            return [type_name(value), "…"]
        if not is_immutable(value) and type(value).__hash__ in (None, object.__hash__):
            if id(value) in self.met:
                return ["the same as", self.met[id(value)][0]]
            self.met[id(value)] = (len(self.met), value)
        try:
            return [type_name(value), *self.parts(value, depth + 1)]
        except Exception as error:
            return [type_name(value), f"not described: {type(error).__name__}"]

    def parts(self, value, depth):
        """Describe by the kind of value."""
        for test, describe in KINDS:
            if test(value):
                return describe(self, value, depth)
        return self.by_attributes(value, depth)

    def each(self, values, depth):
        """Describe several values."""
        return [self.of(value, depth) for value in values]

    def by_attributes(self, value, depth):
        """Describe an object by its attributes, or by how it would be copied, or by how it looks."""
        mine = self.namespace.get(type(value).__name__)
        class_is = ["of the notebook's class", mine is type(value)] if type(value).__module__ == "__main__" else []
        if isinstance(value, Executor):
            return ["of threads"]  # How many have begun is its own affair.
        if isinstance(getattr(value, "__dict__", None), dict) and (held := without_caches(value)):
            names = held if class_is else sorted(held, key=str)
            return [*class_is, *self.pairs({name: held[name] for name in names}, depth)]
        try:
            how = value.__reduce_ex__(4)
        except Exception:
            return [*class_is, ADDRESS.sub("0x…", repr(value))[:2000]]
        if isinstance(how, str):
            return [*class_is, how]
        rest = [list(part) if part is not None and i > 2 else part for i, part in enumerate(how)]
        apart = Description(self.namespace)  # What is made for a copy is another object each time.
        return [*class_is, *apart.each(rest[1:3], depth), *apart.each(rest[3:5], depth)]

    def pairs(self, mapping, depth):
        """Describe the items of a dict."""
        return [[self.of(key, depth), self.of(item, depth)] for key, item in mapping.items()]

    def function(self, value, depth):
        """Describe a function: its code, its defaults, and whose globals it reads."""
        if value.__module__ not in ("__main__", None):
            return [f"{value.__module__}.{value.__qualname__}"]
        cells = [cell.cell_contents for cell in value.__closure__ or () if has_contents(cell)]
        return [
            [value.__name__, value.__qualname__, str(value.__module__), str(value.__doc__)],
            code(value.__code__),
            ["reads the notebook", value.__globals__ is self.namespace],
            self.of(value.__defaults__, depth),
            self.of(value.__kwdefaults__, depth),
            self.each(cells, depth),
            self.pairs(vars(value), depth),
        ]

    def cls(self, value, depth):
        """Describe a class: of the notebook by its members, else by name."""
        name = f"{value.__module__}.{value.__qualname__}"
        if value.__module__ != "__main__":
            return [name]
        left_out = (
            "__dict__",
            "__weakref__",
            "__firstlineno__",
            "__static_attributes__",
            "__abstractmethods__",
            "__slotnames__",
        )
        members = {k: v for k, v in vars(value).items() if k not in left_out and not k.startswith("_abc")}
        return [name, [base.__name__ for base in value.__mro__], self.pairs(members, depth)]

    def array(self, value, depth):
        """Describe an array."""
        content = self.each(value.ravel().tolist(), depth) if value.dtype.hasobject else digest(value.tobytes())
        flags = ["writeable" if value.flags.writeable else "read-only", "F" if value.flags.fnc else "C"]
        return [str(value.dtype), list(value.shape), flags, content]

    def frame(self, value, depth):
        """Describe a frame: its index, and each column."""
        columns = [self.of(value.iloc[:, i], depth) for i in range(value.shape[1])]
        return [self.of(value.index, depth), self.of(value.columns, depth), columns, self.pairs(value.attrs, depth)]

    def column(self, value, depth):
        """Describe a column or an index."""
        import numpy as np

        plain = np.asarray(value.array)
        named = list(value.names) if hasattr(value, "names") else [value.name]
        index = [self.of(value.index, depth)] if hasattr(value, "index") else []
        return [str(value.dtype), self.each(named, depth), *self.array(plain, depth)[1::2], *index]

    def artist(self, value, depth):
        """Describe what is drawn by the picture that it is in."""
        import numpy as np

        figure = value.get_figure(root=True) if hasattr(value, "get_figure") else value
        figure = figure or value
        if not hasattr(figure, "canvas"):
            return ["in no figure"]
        figure.canvas.draw()
        return ["picture", digest(np.asarray(figure.canvas.buffer_rgba()).tobytes()), len(figure.axes)]

    def handle(self, value, depth):
        """Describe an open file."""
        place = value.tell() if not value.closed and value.seekable() else None
        content = value.getvalue() if hasattr(value, "getvalue") and not value.closed else None
        return [str(getattr(value, "name", "")), str(getattr(value, "mode", "")), value.closed, place, str(content)]


def of_module(*names):
    """Make a test for classes of packages, which need not be installed."""

    def test(value):
        return any(f"{c.__module__.partition('.')[0]}.{c.__name__}" in names for c in type(value).__mro__)

    return test


def of_type(*types):
    """Make a test for types."""
    return lambda value: isinstance(value, types)


def opaque(description, value, depth):
    """Describe what is known by its type alone."""
    return []


RUNNING = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType, types.TracebackType)
KINDS = [
    (of_type(types.ModuleType), lambda d, v, depth: [v.__name__]),
    (of_type(types.FunctionType), Description.function),
    (of_type(types.MethodType), lambda d, v, depth: [v.__func__.__qualname__, d.of(v.__self__, depth)]),
    (of_type(type), Description.cls),
    (of_type(*RUNNING), opaque),
    (of_type(io.IOBase), Description.handle),
    (of_module("numpy.ndarray"), Description.array),
    (of_module("pandas.DataFrame"), Description.frame),
    (of_module("pandas.Series", "pandas.Index"), Description.column),
    (of_module("matplotlib.Artist"), Description.artist),
    (of_type(weakref.WeakKeyDictionary), opaque),  # What `functools.singledispatch` remembers.
    (of_module("sqlite3.Connection", "sqlite3.Cursor", "_thread.lock", "threading.Thread", "logging.Logger"), opaque),
    (of_type(set, frozenset), lambda d, v, depth: [sorted(d.each(v, depth), key=str)]),
    (of_type(dict), lambda d, v, depth: [d.pairs(v, depth), d.of(getattr(v, "default_factory", None), depth)]),
    (of_type(list, tuple), lambda d, v, depth: d.each(v, depth)),
    (of_type(staticmethod, classmethod), lambda d, v, depth: [d.of(v.__func__, depth)]),
    (of_type(property), lambda d, v, depth: d.each((v.fget, v.fset, v.fdel), depth)),
    (of_type(BaseException), lambda d, v, depth: [str(v), d.of(v.args, depth)]),
]


def has_contents(cell):
    """Whether a closure's cell is filled."""
    try:
        cell.cell_contents
    except ValueError:
        return False
    return True


def code(value):
    """Describe code by what it does, not by where it stands."""
    constants = [code(c) if isinstance(c, types.CodeType) else repr(c) for c in value.co_consts]
    return [digest(value.co_code), constants, list(value.co_names), list(value.co_varnames)]


def digest(content):
    """Digest bytes."""
    return hashlib.sha256(content).hexdigest()[:16]
