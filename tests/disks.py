"""Small disks of one's own, to fill and to break."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def disk(folder: Path, kind: str, size: str = "3m", options: str = "") -> Iterator[Path]:
    """Mount a disk for the time of a block; where that is refused, the test is skipped."""
    place = folder / f"disk-{kind}"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}{options}", "tmpfs", str(place)]
    if kind == "ext4":
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(_bytes(size))
        _run(["mkfs.ext4", "-q", "-F", str(image)])
        command = ["mount", "-o", "loop", str(image), str(place)]
    _run(command)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _bytes(size: str) -> int:
    return int(size[:-1]) * {"k": 1 << 10, "m": 1 << 20}[size[-1]]


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        pytest.skip(f"there is no {error.filename} here")
    if done.returncode:
        pytest.skip(f"disks cannot be mounted here: {done.stderr.strip()}")


def remount(place: Path, how: str) -> None:
    """Make a disk read-only, or writable again."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


@contextlib.contextmanager
def full(place: Path, left: int = 0) -> Iterator[None]:
    """Fill a disk but for some bytes."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
        file.truncate(max(0, file.tell() - left))
        os.fsync(file.fileno())
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def without_inodes(place: Path) -> Iterator[None]:
    """Use up the files that a disk can hold."""
    folder = place / "many"
    folder.mkdir()
    with contextlib.suppress(OSError):
        for number in range(1_000_000):
            (folder / str(number)).touch()
    try:
        yield
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
