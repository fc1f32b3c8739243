"""What Python and its standard library have."""

import array
import calendar
import collections
import contextlib
import contextvars
import csv
import ctypes
import datetime
import decimal
import email.message
import enum
import fractions
import functools
import graphlib
import hashlib
import io
import ipaddress
import itertools
import logging
import math
import operator
import os
import pathlib
import queue
import random
import re
import socket
import sqlite3
import statistics
import string
import struct
import subprocess
import sys
import tempfile
import threading
import time
import types
import typing
import urllib.parse
import uuid
import weakref
import xml.etree.ElementTree as ET
import zoneinfo


class Colour(enum.Enum):
    RED = 1
    BLUE = "b"


class Way(enum.Flag):
    UP = 1
    DOWN = 2


class Level(enum.IntEnum):
    LOW = 1


class Node:
    def __init__(self, name, *children):
        self.name, self.children, self.parent = name, list(children), None
        for child in children:
            child.parent = self


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, a):
        self.a = a


class Both(Slots):
    def __init__(self, a, **extra):
        super().__init__(a)
        vars(self).update(extra)


class Tree(collections.UserDict):
    pass


class Words(collections.UserList):
    pass


class Names(set):
    pass


class Counted(dict):
    def __init__(self, *args, unit=None):
        super().__init__(*args)
        self.unit = unit


class Text(str):
    pass


class Number(int):
    pass


class Column(list):
    def __init__(self, items, name):
        super().__init__(items)
        self.name = name


class Hashed:
    """Remembers its hash, which is another in every process."""

    def __init__(self, name):
        self.name = name

    @functools.cached_property
    def salted(self):
        return hash(self.name)

    def __eq__(self, other):
        return type(other) is Hashed and other.name == self.name

    def __hash__(self):
        return self.salted


class Singleton:
    def __reduce__(self):
        return "THE_ONE"


THE_ONE = Singleton()
Pair = collections.namedtuple("Pair", "a b")
Typed = typing.NamedTuple("Typed", [("a", int)])


def spread(x):
    return max(x) - min(x)


def width(x):
    return max(x) - min(x)


def ring():
    ring = [1]
    ring.append(ring)
    return ring


def with_items(kind, *items):
    for item in items:
        kind.append(item)
    return kind


def drawn(generator, times):
    for _ in range(times):
        generator.random()
    return generator


def buffer(kind, content, at):
    made = kind(content)
    made.seek(at)
    return made


def element(text):
    return ET.fromstring(text)


def message(body):
    made = email.message.EmailMessage()
    made.set_content(body)
    return made


VALUES = """
None
True
False
0
1
-1
2**63
2**64
-(2**70)
7**900
0.0
-0.0
1.0
0.1
math.inf
-math.inf
math.nan
1j
complex(-0.0, 1)
""
"a"
"1"
"ü"
"\\ud800"
"a" * 9000
b""
b"a"
bytearray(b"a")
array.array("i", [1, 2])
array.array("d", [1, 2])
()
(1,)
(1, (2, "a"))
[]
[1]
[1.0]
[True]
[[1], [2]]
["a", "b"]
list(range(100))
{}
{"a": 1}
{"a": 1, "b": 2}
{"b": 2, "a": 1}
{"a": 1.0}
{1: "a"}
{1: "a", "b": [1]}
{"b": [1], 1: "a"}
{(1, "a"): {"x", "y", "z"}}
{i: str(i) for i in range(100)}
set()
{1}
{"a", "b", "c"}
{("a", 1), ("b", 2)}
frozenset()
frozenset({"a", "b", "c"})
{frozenset({"a", "b"}), frozenset({"c"})}
ring()
range(0)
range(3)
range(0, 9, 2)
slice(1)
slice(1, None, 2)
...
NotImplemented
collections.OrderedDict(a=1, b=2)
collections.OrderedDict(b=2, a=1)
collections.defaultdict(list, a=[1])
collections.defaultdict(set, a={"x", "y"})
collections.Counter("hello")
collections.Counter("help")
collections.deque([1, 2])
collections.deque([1, 2], maxlen=5)
collections.ChainMap({"a": 1}, {"b": 2})
collections.UserDict(a=1)
collections.UserList([1])
collections.UserString("a")
types.MappingProxyType({"a": 1})
types.SimpleNamespace(a=1)
{"a": 1, "b": 2}.keys()
{"a": 1, "b": 2}.values()
{"a": 1, "b": 2}.items()
Pair(1, 2)
Pair(2, 1)
Typed(1)
Colour.RED
Colour.BLUE
Way.UP
Way.UP | Way.DOWN
Level.LOW
Node("a")
Node("a", Node("b"), Node("c"))
Slots(1)
Both(1)
Both(1, c={"x", "y"})
Tree(a=1)
Words([1])
Names("abcdef")
Counted({"a": 1})
Counted({"a": 1}, unit="m")
Text("a")
Number(1)
Column([1], "a")
Column([1], "b")
Hashed("a")
THE_ONE
datetime.date(2020, 1, 1)
datetime.time(1, 2)
datetime.time(1, 2, fold=1)
datetime.datetime(2020, 1, 1)
datetime.datetime(2020, 1, 1, fold=1)
datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))
datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
datetime.timedelta(days=1)
datetime.timezone(datetime.timedelta(hours=1), "A")
zoneinfo.ZoneInfo("Europe/Berlin")
time.struct_time(range(9))
decimal.Decimal("1.0")
decimal.Decimal("1.00")
decimal.Decimal("NaN")
decimal.Context(prec=7)
fractions.Fraction(1, 3)
statistics.NormalDist(0, 1)
uuid.UUID(int=5)
ipaddress.ip_address("10.0.0.1")
ipaddress.ip_network("10.0.0.0/8")
pathlib.PurePosixPath("a/b")
pathlib.PureWindowsPath("a/b")
pathlib.Path("a/b")
re.compile("a+")
re.compile("a+", re.I)
re.compile(b"a+")
string.Template("$a")
urllib.parse.urlparse("http://a/b?c=d")
random.Random(1)
drawn(random.Random(1), 3)
io.BytesIO(b"a")
io.StringIO("a")
buffer(io.BytesIO, b"ab", 1)
buffer(io.StringIO, "ab", 1)
element("<a b='1'><c/>d</a>")
element("<a b='2'><c/>d</a>")
ET.ElementTree(element("<a/>"))
message("hello")
ValueError("a")
ValueError("b")
KeyError("a")
OSError(2, "gone", "a.txt")
ExceptionGroup("g", [ValueError(1)])
ctypes.c_int(3)
ctypes.c_double(3)
(ctypes.c_int * 3)(1, 2, 3)
int
list[int]
dict[str, int]
int | str
typing.Optional[int]
typing.Literal["a"]
Colour
Node
Pair
Slots
len
math.sqrt
"a".upper
[1].append
str.upper
operator.itemgetter(1)
operator.itemgetter("a", "b")
operator.attrgetter("a")
operator.methodcaller("f", 1)
functools.partial(max, 1)
functools.partial(max, key=len)
functools.partial(spread)
spread
width
lambda x: x
lambda x: x + 1
math
logging.getLogger("a")
csv.excel
os.environ.__class__
random.Random
contextlib.nullcontext(1)
graphlib.TopologicalSorter({"a": ["b"]})
"""

NOT_COPIED = """
memoryview(b"a")
memoryview(bytearray(b"a"))
memoryview(b"abcd").cast("B", (2, 2))
memoryview(struct.pack("2i", 1, 2)).cast("i")
{"a": [memoryview(b"abc")[1:]]}
struct.Struct("<i")
"""

NOT_KEPT = """
sys.version_info
"""

NO_DIGEST = """
(i for i in ())
iter([1])
map(str, [1])
zip([1])
enumerate([1])
itertools.count()
open(__file__)
sys.stdout
tempfile.TemporaryFile()
os.scandir()
threading.Lock()
threading.RLock()
threading.Event()
threading.current_thread()
threading.local()
queue.Queue()
weakref.ref(Node("a"))
contextvars.ContextVar("a")
socket.socket()
sqlite3.connect(":memory:")
subprocess.Popen(["true"])
hashlib.sha256()
typing.TypeVar("T")
functools.cmp_to_key(spread)
sys._getframe()
spread.__code__
ctypes.pointer(ctypes.c_int(1))
"""
