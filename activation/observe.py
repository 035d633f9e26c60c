"""Looking at a device without changing it."""

from lxml import etree

from activation.contracts import Devices
from activation.fanout import fan_out
from activation.sessions import Leases, SessionPool


def running_configuration(name: str, devices: Devices, sessions: SessionPool) -> str:
    """Return the whole running configuration of the device called ``name``, as a person reads it: XML is indented.

    Raises:
        UnknownResource: nobody is called so; the message lists the known devices.
        DeviceError: the device cannot be reached or does not answer in time.
    """
    device = devices.device(name)
    leases = Leases(sessions)
    try:
        read = fan_out("read", [device], lambda each: leases.driver(each).read(()), deadline_s=device.timeout_s)
        answer = read[name]
        leases.heard(name, answer.error)
        if answer.error is not None:
            raise answer.error
        text = answer.value or ""
        return _indented(text) if sessions.platforms[device.platform].dialect == "netconf" else text
    finally:
        leases.release()


def _indented(text: str) -> str:
    root = etree.fromstring(text.encode())
    etree.indent(root)
    return etree.tostring(root, encoding="unicode") + "\n"
