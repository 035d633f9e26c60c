"""A person at the devices: changes that no order makes."""

from netmiko import ConnectHandler

from labs.embedded.lab import RunningNode

NETMIKO = {"arista_eos": "arista_eos", "frr": "cisco_ios"}


def type_in(node: RunningNode, *lines: str) -> None:
    """Log in on the command line of ``node`` and configure ``lines``."""
    with ConnectHandler(
        device_type=NETMIKO[node.platform],
        host=node.address,
        port=node.port,
        username=node.username,
        password=node.password,
        fast_cli=True,
    ) as shell:
        shell.enable()
        shell.send_config_set(list(lines), read_timeout=10, cmd_verify=False)
