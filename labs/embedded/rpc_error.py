"""NETCONF errors as RFC 6241 appendix A lists them."""

from typing import Final

NETCONF_NS: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"

Info = tuple[tuple[str, str], ...]


class RpcError(Exception):
    """One ``<rpc-error>``.

    Attributes:
        tag: error-tag, e.g. ``"unknown-element"``.
        path: where in the data, as an XPath over module prefixes; empty when the whole RPC is meant.
        layer: error-type: transport, rpc, protocol or application.
        app_tag: error-app-tag, e.g. ``"must-violation"``.
        info: elements below error-info, in order.
    """

    def __init__(
        self,
        tag: str,
        message: str,
        *,
        path: str = "",
        layer: str = "application",
        app_tag: str = "",
        info: Info = (),
    ) -> None:
        super().__init__(message)
        self.tag = tag
        self.message = message
        self.path = path
        self.layer = layer
        self.app_tag = app_tag
        self.info = info


class RpcErrors(Exception):
    """Several ``<rpc-error>`` of one reply."""

    def __init__(self, errors: list[RpcError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def bad_element(tag: str, message: str, *, path: str, element: str) -> RpcError:
    """Return an error that names the offending element in error-info, as RFC 6241 asks for."""
    return RpcError(tag, message, path=path, info=(("bad-element", element),))


def protocol_error(tag: str, message: str, *, info: Info = ()) -> RpcError:
    """Return an error of the protocol layer."""
    return RpcError(tag, message, layer="protocol", info=info)
