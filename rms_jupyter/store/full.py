"""Is a file damaged, or can it only not be read or written now: is the disk full, the quota used up, the disk gone?"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from rms_jupyter.errors import StoreError, words_of

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EFBIG: "the file is too large"}
_UNAVAILABLE = (*_FULL, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ESTALE)
_SAID = {os.strerror(number).lower(): number for number in _UNAVAILABLE}
_CUT_SHORT = re.compile(r"could not write|wanted=\d+ wrote=\d+|\d+ requested and \d+ written", re.IGNORECASE)


def reason(error: BaseException) -> str:
    """Say why something cannot be read or written.

    Examples
    --------
    >>> reason(OSError(errno.ENOSPC, "No space left on device"))
    'the disk is full'
    >>> reason(OSError("4096 requested and 512 written"))
    'the disk is full'
    """
    number = getattr(error, "errno", None) or number_in(words_of(error))
    if number is None:
        return words_of(error)
    return _FULL.get(number) or os.strerror(number)


@contextmanager
def writing_to(root: os.PathLike[str]) -> Iterator[None]:
    """Have it said in a sentence if a store cannot be written.

    Raises
    ------
    StoreError
    """
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the store {root} cannot be written: {reason(error)}", hint="free some disk space or check the permissions"
        ) from None


def number_in(message: str) -> int | None:
    """Find which error of the system a library has put into words; None if it is none that leaves files as they are.

    Examples
    --------
    >>> number_in('IO Error: Cannot open file "x": Read-only file system') == errno.EROFS
    True
    >>> number_in("IO Error: Corrupt database file: computed checksum does not match") is None
    True
    """
    said = message.lower()
    for words, number in _SAID.items():
        if words in said:
            return number
    return errno.ENOSPC if _CUT_SHORT.search(message) else None
