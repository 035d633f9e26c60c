"""The OLT's templates and schema profile against the YANG modules of TR-385 themselves."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pyang.context import Context
from pyang.repository import FileRepository

from activation.platforms import SchemaPath
from tests.activation.services import OLT, fragment

pytestmark = pytest.mark.shared

RULES = OLT.netconf_rules
MODULES = (
    "ietf-interfaces",
    "bbf-xpon",
    "bbf-xponvani",
    "bbf-sub-interfaces",
    "bbf-sub-interface-tagging",
    "bbf-interface-usage",
    "bbf-xpongemtcont",
    "bbf-l2-forwarding",
)


def _schema(folder: Path) -> Mapping[SchemaPath, Any]:
    """Return every data node of the modules by its path."""
    context = Context(FileRepository(str(folder), use_env=False, no_path_recurse=True))
    modules = [context.search_module(None, name) for name in MODULES]
    context.validate()
    return {path: node for module in modules for path, node in _nodes(module, ())}


def _nodes(statement: Any, above: SchemaPath) -> Iterator[tuple[SchemaPath, Any]]:
    for child in getattr(statement, "i_children", ()):
        if child.keyword in ("choice", "case"):
            yield from _nodes(child, above)
        elif child.keyword in ("container", "list", "leaf", "leaf-list"):
            # A node may come from a submodule, which has the namespace of the module it belongs to.
            module = child.i_module.i_ctx.get_module(child.i_module.i_modulename)
            namespace = module.search_one("namespace").arg
            path = (*above, f"{{{namespace}}}{child.arg}")
            yield path, child
            yield from _nodes(child, path)


@pytest.fixture(scope="module")
def schema(shared: Path) -> Mapping[SchemaPath, Any]:
    return _schema(shared / "yang" / "tr385")


def _rendered() -> Iterator[tuple[SchemaPath, etree._Element]]:
    root = etree.fromstring(f"<config>{fragment('bbf_olt').text}</config>")
    yield from _below(root, ())


def _below(element: etree._Element, above: SchemaPath) -> Iterator[tuple[SchemaPath, etree._Element]]:
    for child in element:
        path = (*above, str(child.tag))
        yield path, child
        yield from _below(child, path)


def _takes_identities(type_: Any) -> bool:
    return type_.arg == "identityref" or any(
        _takes_identities(inner) for inner in (*type_.search("type"), *(t for t in [_typedef(type_)] if t is not None))
    )


def _typedef(type_: Any) -> Any:
    definition = getattr(type_, "i_typedef", None)
    return definition.search_one("type") if definition else None


def test_every_rendered_element_is_in_the_modules(schema: Mapping[SchemaPath, Any]) -> None:
    assert [path for path, _ in _rendered() if path not in schema] == []


def test_every_list_that_is_rendered_is_in_the_profile(schema: Mapping[SchemaPath, Any]) -> None:
    lists = {path for path, _ in _rendered() if schema[path].keyword == "list"}
    assert lists <= set(RULES.keys)
    assert lists


def test_the_profile_has_the_keys_of_the_modules(schema: Mapping[SchemaPath, Any]) -> None:
    assert {path: tuple(schema[path].search_one("key").arg.split()) for path in RULES.keys} == RULES.keys


def test_the_profile_has_the_identities_of_the_modules(schema: Mapping[SchemaPath, Any]) -> None:
    leaves = {path for path, element in _rendered() if schema[path].keyword == "leaf" and len(element) == 0}
    identities = {path for path in leaves if _takes_identities(schema[path].search_one("type"))}
    assert identities <= RULES.qualified_values
    assert all(_takes_identities(schema[path].search_one("type")) for path in RULES.qualified_values)


def test_no_rendered_leaf_is_state(schema: Mapping[SchemaPath, Any]) -> None:
    assert [path for path, _ in _rendered() if not schema[path].i_config] == []


def test_the_writing_order_names_nodes_that_exist(schema: Mapping[SchemaPath, Any]) -> None:
    assert set(RULES.rank) <= {path[-1] for path in schema}
