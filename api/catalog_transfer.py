"""``lastmile catalog export`` and ``import``: the catalog of a running platform as YAML files, out and in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml
from rich.console import Console

from api.errors import CatalogRefused
from api.http.catalog_files import CATALOG
from api.remote import DEFAULT_URL, Token, Url, platform
from orders.catalog.files import CatalogFile
from orders.catalog.load import Examined
from orders.catalog.stored import entries_of, examined

console = Console()
_MARKS: Final = {"created": ("+", "green"), "changed": ("~", "yellow"), "unchanged": ("=", "dim")}


def export_command(
    file: Annotated[Path | None, typer.Argument(help="File to write (standard output).")] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Write the catalog of a running platform as one YAML file: every version of every entry.

    The file is one that import takes back, here or at another platform.
    """
    with platform(url, token) as client:
        text = yaml.safe_dump(client.get(CATALOG), sort_keys=False, allow_unicode=True, width=120)
    if file is None:
        typer.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    console.print(f"wrote {file}", highlight=False)


def import_command(
    sources: Annotated[list[Path], typer.Argument(help="YAML files, or folders of them.")],
    url: Url = DEFAULT_URL,
    token: Token = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,  # noqa: FBT002 - a flag
    show_unchanged: Annotated[bool, typer.Option("--all", help="Show what is there already, too.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Take YAML files into the catalog of a running platform: all of it or, where anything is wrong, nothing.

    + is new, ~ is changed in place. What was offered or is in use is never changed in place: give it another version.
    """
    body = {"files": {path.name: _content(path) for path in _files(sources)}}
    with platform(url, token) as client:
        told = client.post(CATALOG + ("?dry_run=true" if dry_run else ""), body)
    for what, (mark, style) in _MARKS.items():
        for name in told[what] if what != "unchanged" or show_unchanged else ():
            console.print(f"{mark} {name}", style=style, highlight=False, soft_wrap=True)
    counts = ", ".join(f"{len(told[what])} {what}" for what in _MARKS)
    console.print(counts + (" (--dry-run: nothing was stored)" if dry_run else ""), highlight=False)


def stored_catalog(url: str, token: str | None) -> Examined:
    """Return the catalog of a running platform.

    Raises:
        ApiRefused: nobody answers there, or the platform refuses.
    """
    with platform(url, token) as client:
        return examined(entries_of(CatalogFile.model_validate(client.get(CATALOG))))


def _files(sources: list[Path]) -> list[Path]:
    found = [file for each in sources for file in (sorted(each.glob("*.yaml")) if each.is_dir() else [each])]
    if not found:
        raise CatalogRefused(f"{', '.join(map(str, sources))}: holds no catalog; legal: *.yaml files")
    return found


def _content(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise CatalogRefused(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogRefused(f"{path}: is no YAML: {error}") from error
    if not isinstance(found, Mapping):
        raise CatalogRefused(f"{path}: is no catalog file; legal: a mapping of sections")
    plain: Mapping[str, Any] = _plain(found)
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401 - YAML
    """Return the value as JSON has it: YAML reads dates, and keys of any type."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
