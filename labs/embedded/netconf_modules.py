"""The YANG modules that an emulated device hands out (get-schema, RFC 6022)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from labs.embedded.profile import ModuleSpec, ProfileSpec
from labs.embedded.rpc_error import protocol_error
from labs.embedded.yang_text import module_text
from labs.errors import LabStartError

LABEL: Final = "lastmile.yang"
"""Node label: a folder, from the topology file on, with the modules that the device hands out instead of its own."""

_NAMESPACE: Final = re.compile(r'^\s*namespace\s+"?([^";\s]+)', re.MULTILINE)
_REVISION: Final = re.compile(r"^\s*revision\s+\"?(\d{4}-\d{2}-\d{2})", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module or submodule.

    Attributes:
        namespace: empty for a submodule.
        text: makes or reads the YANG.
    """

    name: str
    revision: str
    namespace: str
    text: Callable[[], str]


Library = Mapping[str, Module]
"""Modules by name."""


def own_modules(profile: ProfileSpec) -> Library:
    """Return the modules that the profile itself amounts to."""
    return {module.name: _own(profile, module) for module in profile.modules}


def _own(profile: ProfileSpec, module: ModuleSpec) -> Module:
    return Module(
        name=module.name,
        revision=module.revision.isoformat(),
        namespace=module.namespace,
        text=lambda: module_text(profile, module.name),
    )


@cache
def folder_modules(folder: Path) -> Library:
    """Return the modules in a folder, whose files are called ``name.yang`` or ``name@revision.yang``.

    Raises:
        LabStartError: there is no such folder, or no module in it.
    """
    # In the order of names the newest revision of a module comes last, and counts.
    found = {file.name.partition("@")[0].removesuffix(".yang"): file for file in sorted(folder.glob("*.yang"))}
    if not found:
        raise LabStartError(f"{LABEL}: no *.yang in {folder}")
    return {name: _read(name, file) for name, file in found.items()}


def _read(name: str, file: Path) -> Module:
    text = file.read_text(encoding="utf-8")
    namespace, revision = _NAMESPACE.search(text), _REVISION.search(text)
    return Module(
        name=name,
        revision=revision[1] if revision is not None else "",
        namespace=namespace[1] if namespace is not None else "",
        text=lambda: file.read_text(encoding="utf-8"),
    )


def found_in(library: Library, name: str, *, revision: str | None, form: str) -> Module:
    """Return the module that a get-schema asks for.

    Raises:
        RpcError: ``invalid-value``, with what is legal.
    """
    module = library.get(name)
    if module is None:
        raise _unknown("identifier", name, ", ".join(sorted(library)))
    if revision not in {None, "", module.revision}:
        raise _unknown("version", revision or "", module.revision)
    if form.rpartition(":")[2] != "yang":
        raise _unknown("format", form, "yang")
    return module


def _unknown(element: str, value: str, known: str) -> Exception:
    return protocol_error(
        "invalid-value", f"no schema with the {element} {value!r}; known: {known}", info=(("bad-element", element),)
    )
