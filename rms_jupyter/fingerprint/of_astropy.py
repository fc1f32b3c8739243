"""When are two objects of astropy the same?

Tables and columns by their values, units and descriptions, models by their parameters, cosmologies by theirs, headers
by their cards. Whose column a column is does not count, nor do indices and what else was worked out on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rms_jupyter.fingerprint.remembered import said_of_column
from rms_jupyter.fingerprint.values import Walk, register_by_name, tagged

_SAID = ("name", "unit", "format", "description", "meta")


def _info(info: Any, walk: Walk) -> bytes:
    return tagged("info", [walk(said_of_column(info))])


def _column(column: Any, walk: Walk) -> bytes:
    plain = column.view(np.ma.MaskedArray if isinstance(column, np.ma.MaskedArray) else np.ndarray)
    walk.doubts = True
    said = [getattr(column, name, None) for name in _SAID]
    return tagged("column", map(walk, [type(column), plain, *said]))


def _table(table: Any, walk: Walk) -> bytes:
    walk.doubts = True
    columns = [part for name in table.colnames for part in (name, table[name])]
    indices = [[column.info.name for column in index.columns] for index in table.indices]
    groups = None if table.groups.keys is None else (table.groups.keys, table.groups.indices)
    about = [type(table), table.meta, table.masked, table.primary_key, indices, groups]
    return tagged("table", map(walk, [*about, *columns]))


def _row(row: Any, walk: Walk) -> bytes:
    return tagged("row", map(walk, [row.table, row.index]))


def _header(header: Any, walk: Walk) -> bytes:
    cards = [(card.keyword, card.value, card.comment) for card in header.cards]
    return tagged("header", map(walk, [type(header), cards]))


def _cosmology(cosmology: Any, walk: Walk) -> bytes:
    about = [cosmology.name, dict(cosmology.meta or {}), dict(cosmology.parameters)]
    return tagged("cosmology", map(walk, [type(cosmology), *about]))


register_by_name("astropy.utils.data_info.DataInfo", _info)
register_by_name("astropy.table.column.BaseColumn", _column)
register_by_name("astropy.table.table.Table", _table)
register_by_name("astropy.table.row.Row", _row)
register_by_name("astropy.io.fits.header.Header", _header)
register_by_name("astropy.cosmology.core.Cosmology", _cosmology)
register_by_name("astropy.cosmology._src.core.Cosmology", _cosmology)
