"""NETCONF messages as XML: hello, rpc, rpc-reply, rpc-error."""

from collections.abc import Iterable, Mapping
from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from labs.embedded.datatree import nsmap
from labs.embedded.rpc_error import NETCONF_NS, RpcError, protocol_error

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
BASE_1_0: Final = "urn:ietf:params:netconf:base:1.0"
BASE_1_1: Final = "urn:ietf:params:netconf:base:1.1"
BASES: Final = (BASE_1_0, BASE_1_1)


_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
)


def tag(name: str) -> str:
    """Return ``name`` qualified with the NETCONF base namespace."""
    return f"{{{NETCONF_NS}}}{name}"


def parse(message: bytes) -> etree._Element:
    """Return the message's root element, without comments and processing instructions.

    Raises:
        RpcError: ``malformed-message``.
    """
    try:
        root = etree.fromstring(message.strip(), _PARSER)
    except etree.XMLSyntaxError as broken:
        raise RpcError("malformed-message", f"not well-formed XML: {broken.msg}", layer="rpc") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise RpcError("malformed-message", "document type declarations are not allowed", layer="rpc")
    return root


def hello(session: int, offered: Iterable[str]) -> bytes:
    """Return the server's hello with the capabilities it has beside the base ones."""
    root = etree.Element(tag("hello"), nsmap=nsmap(NETCONF_NS))
    capabilities = etree.SubElement(root, tag("capabilities"))
    for uri in (*BASES, *offered):
        etree.SubElement(capabilities, tag("capability")).text = uri
    etree.SubElement(root, tag("session-id")).text = str(session)
    return _to_bytes(root)


def peer_capabilities(root: etree._Element) -> frozenset[str]:
    """Return the base capabilities of the client's hello.

    Raises:
        RpcError: it is no hello, or it shares no base version with this server.
    """
    uris = {(leaf.text or "").strip() for leaf in root.iterfind(f"{tag('capabilities')}/{tag('capability')}")}
    if root.tag != tag("hello") or not uris & {BASE_1_0, BASE_1_1}:
        raise protocol_error("operation-failed", f"a hello with {BASE_1_0} or {BASE_1_1} is due")
    return frozenset(uris)


def reply(attributes: Mapping[str, str], namespaces: Mapping[str | None, str], inner: str) -> bytes:
    """Return an rpc-reply that holds ``inner`` and the attributes of the rpc, as RFC 6241, 4.2 asks for."""
    if attributes.keys() == {"message-id"}:
        start = f'<rpc-reply xmlns="{NETCONF_NS}" message-id={quoteattr(attributes["message-id"])}>'
    else:
        start = _start_tag(attributes, namespaces)
    return f"{DECLARATION}{start}{inner}</rpc-reply>".encode()


def _start_tag(attributes: Mapping[str, str], namespaces: Mapping[str | None, str]) -> str:
    prefixed = {prefix: uri for prefix, uri in namespaces.items() if prefix is not None and uri != NETCONF_NS}
    root = etree.Element(tag("rpc-reply"), nsmap=nsmap(NETCONF_NS, prefixed))
    for name, value in attributes.items():
        root.set(name, value)
    return etree.tostring(root, encoding="unicode").removesuffix("/>") + ">"


def error_xml(error: RpcError, prefixes: Mapping[str, str]) -> str:
    """Return ``<rpc-error>``; the path's prefixes are declared on it."""
    used = {prefix: uri for uri, prefix in prefixes.items() if f"{prefix}:" in error.path}
    element = etree.Element(tag("rpc-error"), nsmap=nsmap(NETCONF_NS))
    _leaf(element, "error-type", error.layer)
    _leaf(element, "error-tag", error.tag)
    _leaf(element, "error-severity", "error")
    if error.app_tag:
        _leaf(element, "error-app-tag", error.app_tag)
    if error.path:
        etree.SubElement(element, tag("error-path"), nsmap=nsmap(NETCONF_NS, used)).text = error.path
    message = etree.SubElement(element, tag("error-message"))
    message.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    message.text = error.message
    if error.info:
        info = etree.SubElement(element, tag("error-info"))
        for name, value in error.info:
            _leaf(info, name, value)
    return etree.tostring(element, encoding="unicode")


def _to_bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _leaf(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, tag(name)).text = text
