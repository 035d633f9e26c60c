"""Importing: what changes, what is kept, and that the second time nothing does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.imports import plan_import
from inventory.model import Device, Link, Network


def device(name: str, **given: object) -> Device:
    known = {"platform": "frr", "role": "router", "address": "127.0.0.9", "port": 22, "username": "u", "password": "p"}
    return Device(name=name, **{**known, **given})  # type: ignore[arg-type]  # the table says what differs


def link(a: str, b: str) -> Link:
    (a_device, a_interface), (b_device, b_interface) = a.split(":"), b.split(":")
    return Link(a_device=a_device, a_interface=a_interface, b_device=b_device, b_interface=b_interface)


BEFORE = Network(devices=(device("r1", timeout_s=60.0), device("r2")), links=(link("r1:e1", "r2:e1"),))
CASES = {
    "nothing": (Network(), False, ()),
    "the-same": (BEFORE, False, ()),
    "new": (Network(devices=(device("r3"),)), False, ("+ device r3: frr router at 127.0.0.9:22",)),
    "moved": (Network(devices=(device("r1", port=2222),)), False, ("~ device r1: port 22 → 2222",)),
    "secret": (Network(devices=(device("r2", password="new"),)), False, ("~ device r2: password changes",)),
    "pruned": (
        Network(devices=(device("r1"),)),
        True,
        ("- device r2", "- link r1:e1 - r2:e1"),
    ),
    "cabled-otherwise": (
        Network(devices=(device("r3"),), links=(link("r1:e1", "r3:e1"),)),
        False,
        ("+ device r3: frr router at 127.0.0.9:22", "- link r1:e1 - r2:e1", "+ link r1:e1 - r3:e1"),
    ),
    "same-cable-told-from-the-other-end": (Network(links=(link("r2:e1", "r1:e1"),)), False, ()),
}


@pytest.mark.parametrize("case", CASES)
def test_changes(case: str) -> None:
    source, prune, expected = CASES[case]
    planned = plan_import(BEFORE, source, prune=prune)
    assert tuple(map(str, planned.changes)) == expected
    again = plan_import(planned.network, source, prune=prune)
    assert (again.changes, again.network) == ((), planned.network)


def test_what_a_source_does_not_know_is_kept() -> None:
    planned = plan_import(BEFORE, Network(devices=(device("r1", address="127.0.0.7"),)))
    assert planned.network.devices[0] == replace(BEFORE.devices[0], address="127.0.0.7")
    assert planned.network.devices[0].timeout_s == 60.0


@given(
    names=st.lists(st.sampled_from("abcdef"), unique=True),
    more=st.lists(st.sampled_from("abcdef"), unique=True),
    prune=st.booleans(),
)
def test_importing_is_idempotent(names: list[str], more: list[str], *, prune: bool) -> None:
    before = Network(devices=tuple(device(name) for name in names))
    source = Network(devices=tuple(device(name, port=2200) for name in more))
    planned = plan_import(before, source, prune=prune)
    assert plan_import(planned.network, source, prune=prune).changes == ()
    assert {each.name for each in planned.network.devices} == (set(more) if prune else {*names, *more})
