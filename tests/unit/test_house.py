"""Is a thing called by one name, and a name given to one thing only?"""

import ast
from collections import Counter
from pathlib import Path

import rms_jupyter


def test_no_two_public_classes_have_one_name():
    modules = Path(rms_jupyter.__file__).parent.rglob("*.py")
    trees = (ast.parse(module.read_text(encoding="utf-8")) for module in modules)
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert not [name for name, count in names.items() if count > 1 and not name.startswith("_")]
