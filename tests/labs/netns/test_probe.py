from collections.abc import Callable

from labs.netns.probe import TOOLS, Machine, gaps


def _machine(
    *,
    is_root: bool = True,
    has: Callable[[str], bool] = lambda _: True,
    has_tun: bool = True,
    refusal: str = "",
) -> Machine:
    return Machine(is_root=is_root, has=has, has_tun=has_tun, cable_refusal=lambda: refusal)


def test_a_machine_with_everything_lacks_nothing() -> None:
    assert list(gaps(_machine())) == []


def test_each_missing_program_names_its_package() -> None:
    lacks = [str(lack) for lack in gaps(_machine(has=lambda _: False))]
    assert len(lacks) == len(TOOLS)
    for tool in TOOLS:
        assert any(f"apt-get install {tool.package}" in lack for lack in lacks)


def test_without_root_nothing_is_tried() -> None:
    (lack,) = gaps(_machine(is_root=False, refusal="not permitted"))
    assert lack.fatal
    assert "root" in lack.why


def test_missing_kernel_options_are_named() -> None:
    lacks = " ".join(map(str, gaps(_machine(has_tun=False, refusal="Operation not supported"))))
    for word in ("CONFIG_TUN", "CONFIG_NET_NS", "CONFIG_VETH", "Operation not supported"):
        assert word in lacks


def test_what_only_checks_need_is_not_fatal() -> None:
    (lack,) = gaps(_machine(has=lambda program: program != "iperf3"))
    assert not lack.fatal
