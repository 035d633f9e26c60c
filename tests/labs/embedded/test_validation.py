"""What the emulated OLT checks of a configuration as a whole, and that its profile is true to the published models."""

import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree
from pyang.context import Context
from pyang.repository import FileRepository

from labs.embedded.edit import apply_edit
from labs.embedded.netconf_messages import parse
from labs.embedded.tree_xml import to_text
from labs.embedded.validation import violations
from tests.labs.embedded.olt_configs import SCHEMA, config, empty, profile, startup, vani

SHARED_YANG = Path(__file__).parents[4] / "shared" / "yang"
SHARED_EXAMPLE = SHARED_YANG / "examples" / "ont-activation.xml"

DROP_CPAIR2 = """<if:interfaces>
  <if:interface nc:operation="delete"><if:name>ct1</if:name></if:interface>
  <if:interface nc:operation="delete"><if:name>cpair2</if:name></if:interface>
</if:interfaces>"""
INVALID = {
    "mandatory-leaf": (
        "<if:interfaces><if:interface><if:name>x</if:name></if:interface></if:interfaces>",
        "missing-element",
        "lacks if:type",
    ),
    "mandatory-in-absent-container": (
        "<if:interfaces><if:interface><if:name>x</if:name><if:type>xift:olt-v-enet</if:type></if:interface></if:interfaces>",
        "missing-element",
        "lacks bbf-xponvani:lower-layer-interface",
    ),
    "mandatory-bandwidth": (profile("a", "", ""), "missing-element", "lacks bbf-xpongemtcont:maximum-bandwidth"),
    "dangling-reference": (
        vani("<v:channel-partition>cpart9</v:channel-partition>"),
        "data-missing",
        "'cpart9', which does not exist",
    ),
    "reference-to-wrong-type": (
        vani("<v:channel-partition>cpair1</v:channel-partition>"),
        "operation-failed",
        "not of type bbf-xponift:channel-partition",
    ),
    "container-of-another-type": (
        "<if:interfaces><if:interface><if:name>uplink1</if:name><v:v-ani><v:onu-id>1</v:onu-id></v:v-ani></if:interface></if:interfaces>",
        "unknown-element",
        "not allowed on an interface of type ethernetCsmacd",
    ),
    "bandwidth-sum": (
        profile(
            "a",
            "",
            "<t:assured-bandwidth>6</t:assured-bandwidth><t:fixed-bandwidth>4</t:fixed-bandwidth><t:maximum-bandwidth>9</t:maximum-bandwidth>",
        ),
        "operation-failed",
        "below the sum 10",
    ),
    "reference-still-used": (DROP_CPAIR2, "data-missing", "refers to 'cpair2'"),
}


def test_shipped_startup_is_valid() -> None:
    assert violations(startup()) == []


@pytest.mark.parametrize("case", INVALID)
def test_violations_are_found(case: str) -> None:
    inner, tag, message = INVALID[case]
    tree = apply_edit(startup(), config(inner), SCHEMA)
    (error,) = violations(tree)
    assert error.tag == tag
    assert message in error.message
    assert error.path


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_EXAMPLE.is_file(), reason="the reference activation is not here")
def test_a_reference_activation_is_accepted_entirely() -> None:
    example = parse(SHARED_EXAMPLE.read_bytes())
    tree = apply_edit(empty(), example, SCHEMA)
    assert violations(tree) == []
    stored = etree.fromstring(to_text(tree, SCHEMA))
    assert sum(1 for _ in stored.iter()) == sum(1 for _ in example.iter())


# The profile against the published YANG

PROFILE: dict[str, Any] = yaml.safe_load(files("labs.embedded").joinpath("profiles/bbf_olt.yaml").read_text())


@pytest.fixture(scope="module")
def yang() -> Context:
    """The published modules, compiled."""
    bundled = Path(sys.prefix) / "share" / "yang" / "modules"
    path = ":".join(map(str, (SHARED_YANG / "tr385", bundled / "ietf", bundled / "iana")))
    context = Context(FileRepository(path, use_env=False))
    for module in PROFILE["modules"]:
        assert context.search_module(None, module["name"]) is not None, module["name"]
    context.validate()
    return context


def profile_nodes(specs: dict[str, Any], module: str, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for label, spec in specs.items():
        prefix, _, name = label.rpartition(":")
        here = (*above, f"{prefix or module}:{name}")
        yield here, spec
        yield from profile_nodes(spec.get("children", {}), prefix or module, here)


def data_children(statement: Any) -> Iterator[Any]:
    """Children in the data tree: choices and cases have no nodes of their own."""
    for child in statement.i_children:
        if child.keyword in {"choice", "case"}:
            yield from data_children(child)
        else:
            yield child


def published(context: Context, path: tuple[str, ...]) -> Any:
    prefixes = {module["prefix"]: module["name"] for module in PROFILE["modules"]}
    statement = context.get_module(prefixes[path[0].partition(":")[0]])
    for label in path:
        prefix, _, name = label.partition(":")
        found = [
            child
            for child in data_children(statement)
            if child.arg == name and child.i_module.i_modulename == prefixes[prefix]
        ]
        assert len(found) == 1, f"{'/'.join(path)}: {label} is not in the published model"
        statement = found[0]
    return statement


def is_mandatory(statement: Any) -> bool:
    mandatory = statement.search_one("mandatory")
    return mandatory is not None and mandatory.arg == "true"


def check_type(spec: dict[str, Any], statement: Any, where: str) -> None:
    """The profile's type has the base, range, pattern, words and target of the published one."""
    ours, theirs = PROFILE["types"][spec["type"]], statement.search_one("type").i_type_spec
    base = re.sub(r"^u?int\d+$", "integer", theirs.name)
    assert ours["base"] == base, where
    if base == "integer":
        assert ours["range"] == [theirs.min, theirs.max], where
    if base == "enumeration":
        assert ours["values"] == [name for name, _ in theirs.enums], where
    if base == "union":
        assert len(ours["members"]) == len(theirs.types), where
    if base == "leafref":
        target = [step.partition(":")[2] or step for step in theirs.path_.arg.split("/") if step]
        assert [step.partition(":")[2] or step for step in ours["target"].strip("/").split("/")] == target[:-1], where
    if hasattr(theirs, "lengths"):
        assert [tuple(ours["length"])] == theirs.lengths, where
    if hasattr(theirs, "res"):
        assert ours["pattern"] == theirs.res[-1].spec, where


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_YANG.is_dir(), reason="the published YANG modules are not here")
def test_the_profile_is_a_true_part_of_the_published_models(yang: Context) -> None:
    for path, spec in profile_nodes(PROFILE["data"], "", ()):
        statement, where = published(yang, path), "/".join(path)
        kind = "leaf" if "type" in spec else "list" if "keys" in spec else "container"
        assert statement.keyword == kind, where
        if kind == "list":
            assert statement.search_one("key").arg.split() == spec["keys"], where
        if kind == "container":
            assert statement.search_one("presence") is None, where
        if kind == "leaf":
            assert is_mandatory(statement) == spec.get("mandatory", False), where
            check_type(spec, statement, where)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_YANG.is_dir(), reason="the published YANG modules are not here")
def test_every_identity_is_derived_as_published(yang: Context) -> None:
    prefixes = {module["prefix"]: module["name"] for module in PROFILE["modules"]}
    for label, bases in PROFILE["identities"].items():
        prefix, _, name = label.partition(":")
        identity = yang.get_module(prefixes[prefix]).i_identities[name]
        derived = [base.i_identity for base in identity.search("base")]
        names = {(base.i_module.i_modulename, base.arg) for base in derived}
        assert names == {(prefixes[base.partition(":")[0]], base.partition(":")[2]) for base in bases}, label
