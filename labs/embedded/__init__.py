"""Emulated devices: real SSH and NETCONF sockets, real candidate and running stores, one process."""
