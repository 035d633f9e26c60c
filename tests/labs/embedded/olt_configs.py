"""Configurations of the emulated OLT, as edits and as trees."""

from lxml import etree

from labs.embedded.datatree import Branch
from labs.embedded.edit import apply_edit
from labs.embedded.netconf_messages import parse
from labs.embedded.rpc_error import NETCONF_NS
from labs.embedded.schema import shipped_schema
from labs.embedded.tree_xml import to_text
from tests.labs.conftest import FTTH

SCHEMA = shipped_schema("bbf_olt")
NAMESPACES = {
    "nc": NETCONF_NS,
    "if": "urn:ietf:params:xml:ns:yang:ietf-interfaces",
    "xift": "urn:bbf:yang:bbf-xpon-if-type",
    "bbfift": "urn:bbf:yang:bbf-if-type",
    "ianaift": "urn:ietf:params:xml:ns:yang:iana-if-type",
    "v": "urn:bbf:yang:bbf-xponvani",
    "t": "urn:bbf:yang:bbf-xpongemtcont",
    "use": "urn:bbf:yang:bbf-interface-usage",
    "sub": "urn:bbf:yang:bbf-sub-interfaces",
}
UPLINK = "<if:interface><if:name>{}</if:name><if:type>ianaift:ethernetCsmacd</if:type></if:interface>"


def config(inner: str) -> etree._Element:
    declarations = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return parse(f"<nc:config {declarations}>{inner}</nc:config>".encode())


def interfaces(inner: str) -> etree._Element:
    return config(f"<if:interfaces>{inner}</if:interfaces>")


def profile(name: str, operation: str = "", maximum: str = "<t:maximum-bandwidth>9</t:maximum-bandwidth>") -> str:
    marked = f' nc:operation="{operation}"' if operation else ""
    return (
        "<t:xpongemtcont><t:traffic-descriptor-profiles>"
        f"<t:traffic-descriptor-profile{marked}><t:name>{name}</t:name>{maximum}</t:traffic-descriptor-profile>"
        "</t:traffic-descriptor-profiles></t:xpongemtcont>"
    )


def empty() -> Branch:
    return Branch(SCHEMA.root)


def startup() -> Branch:
    return apply_edit(empty(), parse(FTTH.with_name("olt1.xml").read_bytes()), SCHEMA)


def profiles(tree: Branch) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    root = etree.fromstring(to_text(tree, SCHEMA))
    for entry in root.iter(f"{{{NAMESPACES['t']}}}traffic-descriptor-profile"):
        leaves = {etree.QName(leaf).localname: str(leaf.text) for leaf in entry}
        found[leaves.pop("name")] = leaves
    return found


def vani(inner: str) -> str:
    name_and_type = "<if:name>v1</if:name><if:type>xift:v-ani</if:type>"
    return f"<if:interfaces><if:interface>{name_and_type}<v:v-ani>{inner}</v:v-ani></if:interface></if:interfaces>"
