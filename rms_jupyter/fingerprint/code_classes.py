"""What does a class count by, and what has the user put on others'?"""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import types
from collections.abc import Collection
from typing import Any

from rms_jupyter.fingerprint import put_into_packages, registered
from rms_jupyter.fingerprint.anatomy import adopted_by, functions_of_fields, is_code, is_incidental, members_of, outline
from rms_jupyter.fingerprint.classes_of_data import is_dataclass
from rms_jupyter.fingerprint.code_parts import CodeParts, CodeWalk
from rms_jupyter.fingerprint.origin import kind_of_class
from rms_jupyter.fingerprint.put_on_classes import put_on_classes
from rms_jupyter.fingerprint.values import digest
from rms_jupyter.fingerprint.version import MISSING

_ASK_KIND = frozenset({"isinstance", "issubclass", "singledispatch", "singledispatchmethod"})


class CodeClasses:
    """Describes the classes that code refers to.

    Parameters
    ----------
    parts : CodeParts
        Where it is noted.
    walk : CodeWalk
        Goes on with the code that is found.
    """

    def __init__(self, parts: CodeParts, walk: CodeWalk) -> None:
        self._parts, self._walk = parts, walk
        self._classes: list[tuple[type, str]] = []
        self._foreign: list[type] = []
        self._put: set[str] = set()

    @property
    def docs(self) -> list[str | None]:
        """The docstrings of the user's classes that were met."""
        return [cls.__doc__ for cls, _ in self._classes]

    def visit(self, cls: type, label: str) -> None:
        """Describe a class by its text, its members and what it is made from."""
        if kind_of_class(cls) != "user":
            self._foreign.append(cls)
            self._parts.add_name(label, cls.__module__, cls.__qualname__)
            return
        self._classes.append((cls, label))
        for base in (*cls.__bases__, type(cls)):
            if kind_of_class(base) == "user":
                self._walk.visit(base, base.__qualname__)
            else:
                self._parts.add_package(base.__module__)
        if isinstance(cls, abc.ABCMeta) and (adopted := adopted_by(cls)):
            self._parts.version.parts[f"{label} adopted"] = ", ".join(adopted)
        if isinstance(cls, abc.ABCMeta):
            self._parts.hold(label, abc.get_cache_token, abc.get_cache_token())
        size = members_of(cls)
        self._parts.hold(label, lambda: members_of(cls), size)
        self._add(f"class {label}", digest(outline(cls)).hex())
        if issubclass(cls, enum.Enum):
            members = [(name, member.value) for name, member in cls.__members__.items()]
            self._walk.data(f"{label} members", lambda: members)
        for name, member in sorted(vars(cls).items()):
            if not is_incidental(cls, name, member):
                self._parts.watch(vars(cls), name)
                self._member(f"{label}.{name}", member)
        for item in dataclasses.fields(cls) if is_dataclass(cls) else ():
            if not isinstance(item.default_factory, type(dataclasses.MISSING)):  # Cloudpickle makes others.
                self._walk.visit(item.default_factory, f"{label}.{item.name}")
        for name, function in functions_of_fields(cls):
            self._walk.visit(function, f"{label}.{name}")

    def finish(self) -> None:
        """Describe what belongs to all classes together, when everything else was met."""
        if "__subclasses__" in self._parts.named:
            self._subclasses()
        self._adopted()
        self._put_on_classes()

    def _subclasses(self) -> None:
        """The classes made from those that were met."""
        for cls, label in self._classes:  # It grows.
            found: list[type] = type.__subclasses__(cls)
            self._parts.hold(label, lambda cls=cls: type.__subclasses__(cls), found)  # type: ignore[misc]
            self._add(f"subclasses of {label}", ", ".join(inner.__qualname__ for inner in found))
            for inner in found:
                self._walk.visit(inner, inner.__qualname__)

    def _adopted(self) -> None:
        """The classes that the user has registered with abstract ones of packages, which all code may ask for."""
        if not self._parts.named.isdisjoint(_ASK_KIND):
            self._parts.hold_size(registered.adopted, "classes registered with abstract ones")
        for cls, adopted in registered.adopted_by_packages().items():
            self._parts.version.parts[f"{cls} adopted"] = ", ".join(adopted)

    def _put_on_classes(self) -> None:
        """What the user has put into packages, and on classes of theirs, where the code names it: ``frame.lab``."""
        done: set[str] = set()
        self._put_into_packages(())
        while names := self._parts.named - done:  # What was put there names more.
            done |= names
            self._put_into_packages(names)
            for cls, name, code in put_on_classes(names, self._foreign):
                self._parts.watch(vars(cls), name)
                self._walk.visit(code, f"{cls.__qualname__}.{name}")

    def _put_into_packages(self, names: Collection[str]) -> None:
        for put in put_into_packages.counting(names):
            if put.label in self._put:
                continue
            self._put.add(put.label)
            self._parts.watch(vars(put.owner), put.name)
            if (now := put.now()) is MISSING and put.was_there:
                self._parts.version.parts[put.label] = "deleted"
            elif now is not put.came:
                self._member(put.label, now)

    def _add(self, label: str, part: str) -> None:
        self._parts.version.parts[self._parts.unused(label)] = part

    def _member(self, label: str, member: Any) -> None:
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        if isinstance(member, (functools.cached_property, functools.singledispatchmethod)):
            member = getattr(member, "dispatcher", member.func)
        if isinstance(member, property):
            accessors = {"": member.fget, " setter": member.fset, " deleter": member.fdel}
            for suffix, accessor in accessors.items():
                if accessor is not None:
                    self._walk.visit(accessor, label + suffix)
        elif is_code(member) or isinstance(member, functools.partialmethod):
            self._walk.visit(member, label)
        elif not isinstance(member, (types.MemberDescriptorType, types.GetSetDescriptorType)):
            self._walk.data(label, lambda: member)
