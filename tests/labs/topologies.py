"""Topologies as people write them, one per way of writing."""

from typing import Final

TOPOLOGIES: Final = {
    "two-routers": """\
name: srl02
topology:
  kinds:
    nokia_srlinux: {type: ixr-d2l, image: "ghcr.io/nokia/srlinux:24.10"}
  nodes:
    srl1: {kind: nokia_srlinux}
    srl2: {kind: nokia_srlinux}
  links:
    - endpoints: ["srl1:e1-1", "srl2:e1-1"]
""",
    "clos": """\
name: clos
prefix: ""
mgmt: {network: fabric, ipv4-subnet: 172.100.100.0/24, ipv6-subnet: "3fff:172:100:100::/80"}
topology:
  defaults: {kind: ceos, image: "ceos:4.32.0F"}
  groups:
    spine: {labels: {graph-level: "1"}}
    leaf: {labels: {graph-level: "2"}, startup-config: "{{dir}}/leaf.cfg"}
  nodes:
    spine1: {group: spine, mgmt-ipv4: 172.100.100.11}
    spine2: {group: spine, mgmt-ipv4: 172.100.100.12}
    leaf1: {group: leaf}
    leaf2: {group: leaf}
    client1: {kind: linux, image: "ghcr.io/srl-labs/network-multitool", exec: ["ip link set eth1 up"]}
  links:
    - endpoints: ["leaf1:eth1", "spine1:eth1"]
    - endpoints: ["leaf1:eth2", "spine2:eth1"]
    - endpoints: ["leaf2:eth1", "spine1:eth2"]
    - endpoints: ["leaf2:eth2", "spine2:eth2"]
    - endpoints: ["client1:eth1", "leaf1:eth10"]
""",
    "frr-with-binds": """\
name: frr01
topology:
  nodes:
    router1:
      kind: linux
      image: frrouting/frr:v8.4.1
      binds: ["router1/daemons:/etc/frr/daemons", "router1/frr.conf:/etc/frr/frr.conf"]
    PC1:
      kind: linux
      image: praqma/network-multitool:latest
      exec:
        - ip addr add 192.168.11.2/24 dev eth1
        - ip route add 192.168.0.0/16 via 192.168.11.1
  links:
    - endpoints: ["router1:eth1", "PC1:eth1"]
""",
    "variables": """\
name: ${LAB:=vars}
topology:
  nodes:
    xr: {kind: cisco_xrd, image: "${XRD:=ios-xr/xrd-control-plane:7.8.1}", license: "${LIC:-none.lic}"}
    ros: {kind: vr-ros, image: "vrnetlab/mikrotik:${ROS_TAG:=7.6}"}
  links:
    - endpoints: ["xr:Gi0-0-0-0", "ros:eth1"]
""",
    "anchors": """\
name: anchors
x: &unused {}
topology:
  kinds: {linux: &host {image: alpine}}
  nodes:
    a: &node {kind: linux}
    b: *node
    c: {<<: *node, env: {A: 1}}
""",
    "extended-links": """\
name: ext
topology:
  nodes:
    s1: {kind: nokia_srlinux, image: srl}
    s2: {kind: nokia_srlinux, image: srl}
  links:
    - type: veth
      mtu: 1500
      endpoints:
        - {node: s1, interface: e1-1, mac: "02:00:00:00:00:01"}
        - {node: s2, interface: e1-1}
    - {type: mgmt-net, endpoint: {node: s1, interface: e1-2}, host-interface: srl1-e1-2}
    - {type: macvlan, endpoint: {node: s1, interface: e1-3}, host-interface: eno0, mode: bridge}
    - {type: host, endpoint: {node: s1, interface: e1-4}, host-interface: veth-s1}
    - {type: dummy, endpoint: {node: s1, interface: e1-5}}
    - {type: vxlan, endpoint: {node: s2, interface: e1-6}, remote: 10.0.0.1, vni: 100, dst-port: 4789}
    - {type: vxlan-stitch, endpoint: {node: s2, interface: e1-7}, remote: 10.0.0.2, vni: 200, dst-port: 4789}
""",
    "bridges": """\
name: br
topology:
  nodes:
    br-access: {kind: bridge}
    ovs1: {kind: ovs-bridge}
    vm: {kind: generic_vm, image: "vrnetlab/ubuntu:22.04", ports: ["8080:80", "127.0.0.1:2022:22/tcp"]}
  links:
    - endpoints: ["vm:eth1", "br-access:port1"]
    - endpoints: ["vm:eth2", "ovs1:port1"]
    - endpoints: ["vm:eth3", "host:vm-eth3"]
    - endpoints: ["vm:eth4", "mgmt-net:vm-eth4"]
    - endpoints: ["vm:eth5", "macvlan:eth0"]
""",
    "stages": """\
name: staged
topology:
  nodes:
    a: {kind: linux, image: alpine, stages: {create: {wait-for: [{node: b, stage: healthy}]}}, startup-delay: 3}
    b: {kind: linux, image: alpine, healthcheck: {test: [CMD, "true"]}, dns: {servers: [1.1.1.1]}}
""",
    "many-vendors": """\
name: vendors
topology:
  nodes:
    eos: {kind: vr-veos, image: x}
    jun: {kind: juniper_vmx, image: x}
    crpd: {kind: crpd, image: x}
    sros: {kind: nokia_sros, image: x, license: a.lic, type: sr-1}
    csr: {kind: cisco_csr1000v, image: x}
    n9k: {kind: cisco_n9kv, image: x}
    huawei: {kind: huawei_vrp, image: x}
    sonic: {kind: sonic-vs, image: x}
    vyos: {kind: vyosnetworks_vyos, image: x}
  links:
    - endpoints: ["eos:eth1", "jun:ge-0/0/0"]
    - endpoints: ["sros:1/1/1", "csr:Gi2"]
    - endpoints: ["n9k:Ethernet1/1", "huawei:eth1"]
""",
    "of-a-newer-containerlab": """\
name: future
topology:
  nodes:
    a: {kind: brandnew_os, image: x, teleport: true}
""",
}

LOOSE: Final = frozenset({"anchors", "clos", "many-vendors", "of-a-newer-containerlab", "variables"})
"""They load, but the official schema has something to say, e.g. about kinds by their other names."""
