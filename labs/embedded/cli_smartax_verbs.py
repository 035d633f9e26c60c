"""Commands of a SmartAX OLT that change its configuration without standing in it: ``ont delete``, ``ont modify`` ..."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from labs.embedded.cli_config import Place
from labs.embedded.cli_smartax_language import SMARTAX
from labs.embedded.cli_tree import Tree, drop, edited, find, inside

Verb = Callable[[Tree, Place, tuple[str, ...]], Tree]


def _delete_ont(tree: Tree, place: Place, words: tuple[str, ...]) -> Tree:
    """Remove an ONT with all that is said of it."""
    ont = words[2:4]
    return edited(tree, place.path, lambda lines: tuple(line for line in lines if not _is_of(line.key, ont)))


def _is_of(key: tuple[str, ...], ont: tuple[str, ...]) -> bool:
    return key in {("ont", "add", *ont), ("ont", "deactivate", *ont)} or key[:5] == ("ont", "port", "native-vlan", *ont)


def _activate_ont(tree: Tree, place: Place, words: tuple[str, ...]) -> Tree:
    return edited(tree, place.path, partial(drop, key=("ont", "deactivate", *words[2:4])))


def _modify_ont(tree: Tree, place: Place, words: tuple[str, ...]) -> Tree:
    """Say one thing of an ONT anew."""
    stored = find(inside(tree, place.path) or (), ("ont", "add", *words[2:4]))
    if stored is None:
        return tree
    what, value = ("sn-auth" if words[4] == "sn" else words[4]), words[5]
    if what == "desc":
        line = f"{stored.text.partition(' desc ')[0]} desc {value}"
    else:
        line = re.sub(rf"{what} \S+", f"{what} {value}", stored.text)
    changed, _ = SMARTAX.apply(tree, place, line)
    return changed


def _delete_dba(tree: Tree, place: Place, words: tuple[str, ...]) -> Tree:
    del place
    return drop(tree, ("dba-profile", "add", "profile-id", words[3]))


def _modify_dba(tree: Tree, place: Place, words: tuple[str, ...]) -> Tree:
    """Give a bandwidth profile another bandwidth; its name stays."""
    stored = find(tree, ("dba-profile", "add", "profile-id", words[3]))
    if stored is None:
        return tree
    changed, _ = SMARTAX.apply(tree, place, f"{stored.text.partition(' type')[0]} {words[4]}")
    return changed


VERBS: Final[Mapping[str, Mapping[str, Verb]]] = {
    "gpon": {
        "ont delete {port} {ont}": _delete_ont,
        "ont activate {port} {ont}": _activate_ont,
        "ont modify {port} {ont} sn {sn}": _modify_ont,
        "ont modify {port} {ont} ont-lineprofile-id {profile}": _modify_ont,
        "ont modify {port} {ont} ont-srvprofile-id {profile}": _modify_ont,
        "ont modify {port} {ont} desc {text}": _modify_ont,
    },
    "global": {
        "dba-profile delete profile-id {profile}": _delete_dba,
        "dba-profile modify profile-id {profile} {text}": _modify_dba,
    },
}
"""By mode."""
