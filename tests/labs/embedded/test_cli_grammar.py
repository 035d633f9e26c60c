"""Words against patterns: abbreviations, values, refusals, help."""

import pytest

from labs.embedded.cli_grammar import (
    Refusal,
    choose,
    ipv4_interface,
    ipv4_prefix,
    natural_key,
    next_words,
    number,
    word,
)

VALUES = {"{vlan}": number(1, 4094), "{word}": word}
PATTERNS = [
    (pattern.split(), pattern)
    for pattern in (
        "show version",
        "show vlan",
        "show running-config",
        "show running-config section {text}",
        "vlan {vlan}",
        "spanning-tree mode {word}",
        "spanning-tree {text}",
        "exit",
        "end",
    )
]


@pytest.mark.parametrize(
    ("line", "pattern", "words"),
    [
        ("show version", "show version", ("show", "version")),
        ("sh ver", "show version", ("show", "version")),
        ("show run", "show running-config", ("show", "running-config")),
        ("vlan 0010", "vlan {vlan}", ("vlan", "10")),
        (
            "sh run section vlan 10",
            "show running-config section {text}",
            ("show", "running-config", "section", "vlan 10"),
        ),
        ("spanning-tree mode mstp", "spanning-tree mode {word}", ("spanning-tree", "mode", "mstp")),
        ("spanning-tree vlan-id 5 priority 0", "spanning-tree {text}", ("spanning-tree", "vlan-id 5 priority 0")),
        ("ex", "exit", ("exit",)),
    ],
)
def test_a_line_finds_its_pattern(line: str, pattern: str, words: tuple[str, ...]) -> None:
    assert choose(PATTERNS, line, VALUES) == (pattern, words)


@pytest.mark.parametrize(
    ("line", "kind", "refused_word"),
    [
        ("vlan 0", "invalid", "0"),
        ("vlan 4095", "invalid", "4095"),
        ("vlan abc", "invalid", "abc"),
        ("vlan ١٢", "invalid", "١٢"),
        ("vlan", "incomplete", ""),
        ("vlan 10 20", "invalid", "20"),
        ("show flying-carpets", "invalid", "flying-carpets"),
        ("dance", "invalid", "dance"),
        ("e", "ambiguous", "e"),
        ("sh v", "ambiguous", "v"),
    ],
)
def test_a_refusal_names_the_word(line: str, kind: str, refused_word: str) -> None:
    with pytest.raises(Refusal) as refused:
        choose(PATTERNS, line, VALUES)
    assert (refused.value.kind, refused.value.word) == (kind, refused_word)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sh", ["show"]),
        ("show ", ["running-config", "version", "vlan"]),
        ("show v", ["version", "vlan"]),
        ("vlan ", ["<vlan>"]),
        ("vlan 10 ", ["<cr>"]),
        ("vlan 5000 ", []),
    ],
)
def test_help_offers_the_next_words(typed: str, offered: list[str]) -> None:
    assert next_words([pattern for pattern, _ in PATTERNS], typed, VALUES) == offered


def test_names_sort_by_their_numbers() -> None:
    names = ["Ethernet10", "Ethernet2", "Ethernet1", "Ethernet1/2", "Loopback0"]
    assert sorted(names, key=natural_key) == ["Ethernet1", "Ethernet1/2", "Ethernet2", "Ethernet10", "Loopback0"]


def test_prefixes_lose_their_host_bits_and_interface_addresses_keep_them() -> None:
    assert ipv4_prefix("10.42.1.15/24") == "10.42.1.0/24"
    assert ipv4_interface("10.42.1.15/24") == "10.42.1.15/24"


@pytest.mark.parametrize(
    "text", ["10.42.1.15", "10.42.1.300/24", "10.42.1.1/33", "10.42.1/24", "x/24", "10.0.0.1/255.0.0.0"]
)
def test_a_bad_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ipv4_interface(text)
