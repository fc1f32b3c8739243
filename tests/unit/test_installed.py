"""Which distribution has put a package where it is."""

from __future__ import annotations

import importlib.metadata
import os
import sysconfig

from rms_jupyter.fingerprint.installed import distribution_at


def test_each_installed_package_is_of_the_distribution_that_lists_it(tmp_path):
    site = sysconfig.get_path("purelib")
    owners: dict[str, set[tuple[str, str]]] = {}
    for distribution in importlib.metadata.distributions(path=[site]):
        for first in {file.parts[0] for file in distribution.files or ()}:
            owners.setdefault(first, set()).add((distribution.name, distribution.version))
    for name in os.listdir(site):
        found = distribution_at(os.path.join(site, name))
        assert found in owners.get(name, {None})
    assert distribution_at(os.path.join(site, "msgspec")).name == "msgspec"


def test_names_that_records_must_quote_and_damaged_metadata(tmp_path):
    for name, version in (("odd", "Name: odd\nVersion: 1.0\n"), ("torn", None), ("alien", "Name: alien\nVersion: 2\n")):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "RECORD").write_text(
            f'"{name}/a,b.py",sha256=x,1\r\n{name}/__init__.py,,\n../../bin/{name},,\nö_{name}.py,,\n'
        )
        if version:
            (info / "METADATA").write_text(version)
    assert distribution_at(str(tmp_path / "odd")) == ("odd", "1.0")
    assert distribution_at(str(tmp_path / "ö_alien.py")) == ("alien", "2")
    assert distribution_at(str(tmp_path / "elsewhere")) is None and distribution_at("") is None
    torn = distribution_at(str(tmp_path / "torn"))
    assert torn is None or torn.version is None
