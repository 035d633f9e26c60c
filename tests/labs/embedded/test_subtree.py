"""Subtree filters on the shipped start configuration."""

import pytest
from lxml import etree

from labs.embedded.netconf_messages import parse
from labs.embedded.subtree import select
from labs.embedded.tree_xml import inner_xml
from tests.labs.embedded.olt_configs import NAMESPACES, SCHEMA, startup

IF = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"'
BY_NAME = "<interface><name>{}</name></interface>"
XPON_TYPES = "urn:bbf:yang:bbf-xpon-if-type"
ON_CPART2 = (
    '<channel-pair xmlns="urn:bbf:yang:bbf-xpon"><channel-partition-ref>cpart2</channel-partition-ref></channel-pair>'
)
SELECTED = {
    "everything": (f"<interfaces {IF}/>", ["cg1", "cpart1", "cpart2", "cpair1", "cpair2", "ct1", "ct2", "uplink1"], 8),
    "any-namespace": ("<interfaces><interface><name>ct1</name></interface></interfaces>", ["ct1"], 1),
    "by-key": (f"<interfaces {IF}><interface><name>cpair2</name></interface></interfaces>", ["cpair2"], 1),
    "by-two-keys": (
        f"<interfaces {IF}>{BY_NAME.format('uplink1')}{BY_NAME.format('cg1')}</interfaces>",
        ["cg1", "uplink1"],
        2,
    ),
    "by-content": (
        f'<interfaces {IF} xmlns:p="{XPON_TYPES}"><interface><type>p:channel-pair</type></interface></interfaces>',
        ["cpair1", "cpair2"],
        2,
    ),
    "leaf-only": (
        f"<interfaces {IF}><interface><name/></interface></interfaces>",
        ["cg1", "cpart1", "cpart2", "cpair1", "cpair2", "ct1", "ct2", "uplink1"],
        0,
    ),
    "containment": (
        f'<interfaces {IF}><interface><channel-partition xmlns="urn:bbf:yang:bbf-xpon"/></interface></interfaces>',
        ["cpart1", "cpart2"],
        0,
    ),
    "content-below": (
        f"<interfaces {IF}><interface>{ON_CPART2}</interface></interfaces>",
        ["cpair2"],
        0,
    ),
    "no-such-key": (f"<interfaces {IF}><interface><name>zz</name></interface></interfaces>", [], 0),
    "no-such-element": (f"<interfaces {IF}><toaster/></interfaces>", [], 0),
    "other-namespace": ('<interfaces xmlns="urn:x"/>', [], 0),
    "contradiction": (
        f"<interfaces {IF}><interface><name>ct1</name><enabled>true</enabled></interface></interfaces>",
        [],
        0,
    ),
}


@pytest.mark.parametrize("case", SELECTED)
def test_subtree_filter(case: str) -> None:
    inner, names, types = SELECTED[case]
    selected = select(startup(), [parse(f"<filter>{inner}</filter>".encode())])
    data = etree.fromstring(f"<data>{inner_xml(selected, SCHEMA)}</data>")
    assert [leaf.text for leaf in data.iter(f"{{{NAMESPACES['if']}}}name")] == names
    assert len(list(data.iter(f"{{{NAMESPACES['if']}}}type"))) == types
