"""What the emulated OLT tells of itself, as stock ncclient sees it: schemas, sessions, locks, defaults, datastores."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from ncclient.operations import RPCError
from pyang.context import Context
from pyang.repository import FileRepository

from labs.embedded.lab import EmbeddedLab
from labs.errors import LabStartError
from labs.topology import Topology
from tests.labs.embedded.netconf_client import logged_in
from tests.labs.embedded.olt_configs import config, profile

pytestmark = pytest.mark.lab
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
STATE = ("subtree", f'<netconf-state xmlns="{MONITORING}"/>')
PROFILES = '<t:xpongemtcont xmlns:t="urn:bbf:yang:bbf-xpongemtcont"/>'
EVERYTHING = "candidate,confirmed-commit,startup,validate,writable-running"


def lab_of(olt_only: Topology, **labels: str) -> EmbeddedLab:
    olt = olt_only.nodes["olt1"]
    nodes = {"olt1": replace(olt, labels={**olt.labels, **labels})}
    return EmbeddedLab(replace(olt_only, nodes=nodes), ssh_port=0, netconf_port=0)


@contextmanager
def session(lab: EmbeddedLab) -> Iterator[Any]:
    (node,) = lab.nodes()
    with logged_in(node) as opened:
        yield opened


@pytest.fixture
def olt(olt_lab: EmbeddedLab) -> Iterator[Any]:
    with session(olt_lab) as opened:
        yield opened


@pytest.fixture
def full(olt_only: Topology) -> Iterator[EmbeddedLab]:
    with lab_of(olt_only, **{"lastmile.netconf": EVERYTHING}) as lab:
        yield lab


def edit(inner: str) -> str:
    return etree.tostring(config(inner), encoding="unicode")


def whole(inner: str) -> etree._Element:
    source = etree.Element("{urn:ietf:params:xml:ns:netconf:base:1.0}source")
    source.append(config(inner))
    return source


def texts(reply: Any, path: str) -> list[str]:
    namespaces = {"m": MONITORING}
    return [str(leaf.text) for leaf in etree.fromstring(reply.data_xml.encode()).iterfind(path, namespaces)]


def test_the_modules_handed_out_compile_and_are_those_announced(olt: Any, tmp_path: Path) -> None:
    named = texts(olt.get(STATE), ".//m:schema/m:identifier")
    for name in named:
        (tmp_path / f"{name}.yang").write_text(olt.get_schema(name).data, encoding="utf-8")
    context = Context(FileRepository(str(tmp_path), use_env=False, no_path_recurse=True))
    modules = [context.search_module(None, name) for name in named]
    context.validate()
    assert [(str(where), tag, arguments) for where, tag, arguments in context.errors] == []
    announced = {str(uri).partition("?module=")[2].partition("&")[0] for uri in olt.server_capabilities}
    assert {module.arg for module in modules} <= announced
    (interfaces,) = (module for module in modules if module.arg == "ietf-interfaces")
    (listed,) = interfaces.i_children[0].i_children
    assert [key.arg for key in listed.i_key] == ["name"]
    assert "v-ani" in {child.arg for child in listed.i_children}


def test_a_folder_of_modules_is_handed_out_instead(olt_only: Topology, tmp_path: Path) -> None:
    module = 'module bbf-xpon {\n  namespace "urn:bbf:yang:bbf-xpon";\n  prefix x;\n  revision 2030-01-01;\n}\n'
    (tmp_path / "bbf-xpon@2030-01-01.yang").write_text(module)
    with lab_of(olt_only, **{"lastmile.yang": str(tmp_path)}) as lab, session(lab) as olt:
        assert olt.get_schema("bbf-xpon").data == module
        assert "container v-ani" in olt.get_schema("bbf-xponvani").data
        assert "2030-01-01" in texts(olt.get(STATE), ".//m:schema/m:version")


def test_a_folder_without_modules_is_refused(olt_only: Topology, tmp_path: Path) -> None:
    lab = lab_of(olt_only, **{"lastmile.yang": str(tmp_path)})
    with pytest.raises(LabStartError, match=r"no \*\.yang"):
        lab.start()


@pytest.mark.parametrize(
    ("asked", "element"),
    [
        ({"identifier": "carpets"}, "identifier"),
        ({"identifier": "bbf-xpon", "version": "1999-01-01"}, "version"),
        ({"identifier": "bbf-xpon", "format": "yin"}, "format"),
    ],
)
def test_an_unknown_schema_is_an_invalid_value(olt: Any, asked: dict[str, str], element: str) -> None:
    with pytest.raises(RPCError) as refused:
        olt.get_schema(**asked)
    assert (refused.value.type, refused.value.tag) == ("protocol", "invalid-value")
    assert f"<bad-element>{element}</bad-element>" in refused.value.info
    assert "known: " in refused.value.message


def test_sessions_and_locks_are_told(olt_lab: EmbeddedLab) -> None:
    with session(olt_lab) as first, session(olt_lab) as second:
        first.lock("candidate")
        state = second.get(STATE)
        assert texts(state, ".//m:session/m:session-id") == [first.session_id, second.session_id]
        assert set(texts(state, ".//m:session/m:username")) == {"admin"}
        assert texts(state, ".//m:datastore/m:name") == ["running", "candidate"]
        assert texts(state, ".//m:locked-by-session") == [first.session_id]
        first.unlock("candidate")
        assert texts(second.get(STATE), ".//m:locked-by-session") == []
        assert int(texts(second.get(STATE), ".//m:statistics/m:in-rpcs")[0]) >= 4


def test_the_state_comes_with_all_of_get_and_never_with_configuration(olt: Any) -> None:
    assert "netconf-state" in olt.get().data_xml
    assert "netconf-state" not in olt.get(("subtree", PROFILES)).data_xml
    assert "netconf-state" not in olt.get_config("running").data_xml
    schema = "<schemas><schema><identifier>bbf-xpon</identifier></schema></schemas>"
    one = f'<netconf-state xmlns="{MONITORING}">{schema}</netconf-state>'
    assert texts(olt.get(("subtree", one)), ".//m:identifier") == ["bbf-xpon"]
    assert texts(olt.get(("subtree", one)), ".//m:session-id") == []


@pytest.mark.parametrize(
    ("mode", "fixed", "assured"),
    [(None, True, False), ("explicit", True, False), ("trim", False, False), ("report-all", True, True)],
)
def test_with_defaults(olt: Any, mode: str | None, fixed: bool, assured: bool) -> None:  # noqa: FBT001 - a table
    leaves = "<t:fixed-bandwidth>0</t:fixed-bandwidth><t:maximum-bandwidth>9</t:maximum-bandwidth>"
    olt.edit_config(target="candidate", config=edit(profile("p", "", leaves)))
    found = olt.get_config("candidate", ("subtree", PROFILES), with_defaults=mode).data_xml
    entry = found[found.index("<name>p</name>") :].partition("</traffic-descriptor-profile>")[0]
    assert ("<fixed-bandwidth>0<" in entry, "<assured-bandwidth>0<" in entry) == (fixed, assured)
    assert "<maximum-bandwidth>9<" in entry


def test_an_unknown_mode_of_defaults_is_refused(olt: Any) -> None:
    rpc = etree.fromstring(
        '<get-config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><source><running/></source><with-defaults '
        'xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults">report-all-tagged</with-defaults></get-config>'
    )
    with pytest.raises(RPCError, match="known: explicit, report-all, trim") as refused:
        olt.dispatch(rpc)
    assert refused.value.tag == "invalid-value"


def test_configurations_are_copied_between_the_datastores(full: EmbeddedLab) -> None:
    before = full.running_config("olt1")
    with session(full) as olt:
        olt.edit_config(target="candidate", config=edit(profile("p")))
        olt.copy_config(source="candidate", target="startup")
        olt.discard_changes()
        assert "<name>p</name>" in olt.get_config("startup").data_xml
        assert full.running_config("olt1") == before
        olt.copy_config(source="startup", target="running")
        assert "<name>p</name>" in full.running_config("olt1")
        olt.delete_config("startup")
        assert "<interfaces" not in olt.get_config("startup").data_xml
        olt.commit()
        assert "<interfaces" not in olt.get_config("startup").data_xml
        olt.copy_config(source="running", target="startup")
        assert olt.get_config("startup").data_xml == olt.get_config("running").data_xml


@pytest.mark.parametrize(
    ("attempt", "tag"),
    [
        (lambda olt: olt.delete_config("running"), "operation-not-supported"),
        (lambda olt: olt.copy_config(source="startup", target="startup"), "invalid-value"),
        (lambda olt: olt.edit_config(target="startup", config=edit(profile("p"))), "operation-not-supported"),
        (lambda olt: olt.copy_config(source=whole(profile("p", "", "")), target="running"), "missing-element"),
        (lambda olt: olt.get_config("carpets"), "operation-not-supported"),
        (lambda olt: olt.kill_session("4711"), "invalid-value"),
        (lambda olt: olt.kill_session(olt.session_id), "invalid-value"),
        (lambda olt: olt.get(("xpath", "/x")), "bad-attribute"),
    ],
)
def test_what_is_refused_and_how(full: EmbeddedLab, attempt: Any, tag: str) -> None:
    before = full.running_config("olt1")
    with session(full) as olt:
        with pytest.raises(RPCError) as refused:
            attempt(olt)
        assert refused.value.tag == tag
    assert full.running_config("olt1") == before


def test_a_device_without_startup_refuses_it(olt: Any) -> None:
    with pytest.raises(RPCError) as refused:
        olt.delete_config("startup")
    assert refused.value.tag == "operation-not-supported"


def test_a_killed_session_loses_its_lock(olt_lab: EmbeddedLab) -> None:
    with session(olt_lab) as first, session(olt_lab) as second:
        first.lock("running")
        second.kill_session(first.session_id)
        second.lock("running")
        assert texts(second.get(STATE), ".//m:session/m:session-id") == [second.session_id]


def test_what_was_committed_survives_a_power_cut_and_costs_only_itself(olt_only: Topology, tmp_path: Path) -> None:
    def connected() -> AbstractContextManager[EmbeddedLab]:
        return EmbeddedLab(olt_only, ssh_port=0, netconf_port=0, memory=tmp_path)

    with connected() as lab, session(lab) as olt:
        for name in ("p", "q"):
            olt.edit_config(target="candidate", config=edit(profile(name)))
            olt.commit()
        left = lab.running_config("olt1")
    (changes,) = tmp_path.rglob("*.changes")
    assert changes.stat().st_size < 600
    with connected() as lab:
        assert lab.running_config("olt1") == left
