"""What people write as classes of data: dataclasses, attrs, pydantic."""

import dataclasses
import functools
import typing

import attrs
import pydantic


@dataclasses.dataclass
class Sample:
    name: str
    depth: float = 1.0


@dataclasses.dataclass(frozen=True)
class Fixed:
    name: str


@dataclasses.dataclass(slots=True)
class Slotted:
    name: str
    depth: float = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Both:
    name: str


@dataclasses.dataclass(eq=False)
class Late:
    name: str
    length: int = dataclasses.field(init=False)
    notes: list = dataclasses.field(default_factory=list, repr=False, compare=False)


@dataclasses.dataclass
class Measured(Sample):
    unit: typing.ClassVar[str] = "m"
    factor: dataclasses.InitVar[float] = 2.0

    def __post_init__(self, factor):
        self.scaled = self.depth * factor

    @functools.cached_property
    def total(self):
        return hash(self.name)


@attrs.define
class Read:
    start: int
    stop: int


@attrs.frozen
class Frozen:
    names: frozenset = frozenset()


@attrs.frozen(cache_hash=True)
class CachedHash:
    name: str


@attrs.define
class Summed:
    parts: list

    @functools.cached_property
    def total(self):
        return sum(self.parts)


@attrs.define(slots=False)
class Loose:
    name: str

    @functools.cached_property
    def salted(self):
        return hash(self.name)


@attrs.define
class Unset:
    name: str
    length: int = attrs.field(init=False)


class Config(pydantic.BaseModel):
    name: str = "a"
    limits: set[str] = {"x", "y", "z"}
    inner: dict[str, float] = {}


class Private(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str
    _seen: int = pydantic.PrivateAttr(0)

    @pydantic.computed_field
    @property
    def length(self) -> int:
        return len(self.name)

    @functools.cached_property
    def salted(self) -> int:
        return hash(self.name)


class Locked(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    name: str


def late(length=None):
    made = Late("a")
    if length is not None:
        made.length = length
    return made


def hashed(value):
    hash(value)
    return value


VALUES = """
Sample("a")
Sample("a", 2.0)
Sample(["a"])
Fixed("a")
Slotted("a")
Both("a")
late()
late(3)
Late("b")
Measured("a")
Measured("a", factor=3.0)
Read(1, 2)
Read(2, 1)
Frozen()
Frozen(frozenset({"a", "b", "c"}))
hashed(CachedHash("a"))
CachedHash("b")
Summed([1, 2])
Loose("a")
Config()
Config(name="b")
Config(name="a")
Config(limits={"p", "q", "r"})
Private(name="a")
Private(name="a", other=1)
Locked(name="a")
Sample
Read
Config
pydantic.SecretStr("a")
attrs.asdict(Read(1, 2))
"""

NOT_KEPT = """
Unset("a")
"""
