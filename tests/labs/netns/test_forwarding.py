from hypothesis import given
from hypothesis import strategies as st

from labs.netns.forwarding import RSTP_TIMERS, Applied, Flow, Forwarding, Meter, PortVlans, SpanningTree, step

NAMES = st.sampled_from(["a", "b", "c", "d"])
METERS = st.dictionaries(
    NAMES,
    st.builds(Meter, rate_kbps=st.integers(1, 3), burst_kbits=st.integers(1, 2)),
)


@st.composite
def forwardings(draw: st.DrawFn) -> Forwarding:
    meters = draw(METERS)
    keys = st.sampled_from(["", *meters])
    flows = st.frozensets(st.builds(Flow, match=NAMES, actions=st.just("NORMAL"), meter=keys), max_size=4)
    vlans = st.builds(PortVlans, untagged=st.none() | st.integers(1, 3), tagged=st.frozensets(st.integers(4, 6)))
    return Forwarding(ports=draw(st.dictionaries(NAMES, vlans)), flows=draw(flows), meters=meters)


@given(st.lists(forwardings(), min_size=1, max_size=5))
def test_any_way_ends_where_it_should_and_nothing_is_left_to_do(way: list[Forwarding]) -> None:
    now = Applied()
    for wanted in way:
        now = step(now, wanted).reached
    assert now.forwarding == way[-1]
    again = step(now, way[-1])
    assert (again.ports, again.meters, again.flows, again.gone) == ((), (), None, ())


@given(forwardings(), forwardings())
def test_every_meter_has_a_number_of_its_own_and_keeps_it(first: Forwarding, second: Forwarding) -> None:
    one = step(Applied(), first).reached
    two = step(one, second)
    ids = two.reached.meter_ids
    assert set(ids) == set(second.meters)
    assert len(set(ids.values())) == len(ids)
    assert all(ids[key] == number for key, number in one.meter_ids.items() if key in ids)
    # A number is free for another meter only once the flows that used it are gone.
    assert not set(two.gone) & set(ids.values())


def test_a_new_speed_touches_the_meter_alone() -> None:
    flow = Flow(match="in_port=a", actions="NORMAL", meter="a")
    slow = Forwarding(flows=frozenset({flow}), meters={"a": Meter(rate_kbps=10_000, burst_kbits=96)})
    fast = Forwarding(flows=frozenset({flow}), meters={"a": Meter(rate_kbps=50_000, burst_kbits=496)})
    first = step(Applied(), slow)
    assert first.flows == ("priority=100,in_port=a,actions=meter:1,NORMAL",)
    then = step(first.reached, fast)
    assert then.meters == (("mod-meter", "meter=1 kbps burst stats bands=type=drop rate=50000 burst_size=496"),)
    assert (then.ports, then.flows, then.gone) == ((), None, ())


def test_a_spanning_tree_is_switched_on_changed_and_off() -> None:
    first, second = (
        Forwarding(spanning_tree=SpanningTree(priority=priority, edges=frozenset(edges)))
        for priority, edges in ((4096, {"a"}), (8192, {"b"}))
    )
    on = step(Applied(), first)
    assert on.bridge == ("rstp_enable=true", *RSTP_TIMERS, "other_config:rstp-priority=4096")
    assert on.ports == ("--", "set", "port", "a", "other_config:rstp-port-admin-edge=true")
    other = step(on.reached, second)
    assert other.bridge[-1] == "other_config:rstp-priority=8192"
    assert {"other_config:rstp-port-admin-edge=false", "other_config:rstp-port-admin-edge=true"} <= {*other.ports}
    assert step(other.reached, second).bridge == step(other.reached, second).ports == ()
    assert step(other.reached, Forwarding()).bridge == ("rstp_enable=false",)
