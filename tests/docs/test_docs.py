"""What the documentation says is what the product does: links, paths, bodies, help texts, examples."""

import json
import re
import runpy
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import labs
import templates
from activation.desired import Renderings, parts
from activation.drivers.fake import FakeNetwork
from activation.drivers.ssh_profile import PROFILES
from activation.intent import build_intent, load_intents
from activation.model import ServiceId
from activation.platforms import load_platforms
from activation.render import Renderer
from api.http.app import create_app
from api.runtime.database import open_database
from api.settings import Settings
from api.storage import DATABASE_FILE
from api.wiring import CATALOG, running_system
from inventory.device_access import DeviceAccess
from inventory.devices import DeviceDirectory
from inventory.documents import characteristics
from inventory.model import Device
from inventory.network_file import load_network_file
from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog, Ref
from orders.errors import InvalidOrder
from orders.product.bundle import with_parts
from orders.product.intake import check_order as check_product_order
from orders.product.intake import named_products, read_order
from orders.product.model import ItemTask
from orders.resource.intake import check_order as check_resource_order
from orders.service.intake import check_order as check_service_order
from orders.service.intake import read_order as read_service_order
from tests.docs.generate import DOCS, PAGES

ROOT: Final = DOCS.parent
FILES: Final = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
TEMPLATES: Final = Path(templates.__file__).parent

BLOCK: Final = re.compile(
    r"(?:<!-- (?P<mark>[^>]+?) -->\n)?(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)\n *```", re.DOTALL
)
LINK: Final = re.compile(r"\[[^\]]*\]\((?!https?:)([^)\s]+)\)")
PATH: Final = re.compile(r"(?:/tmf-api|/lastmile/v1|/health|/openapi\.json)[\w./{}$-]*")
SHELL_BODY: Final = re.compile(r"(?:<<'?EOF'?\n|-d ')(\{.*?)(?:\nEOF|')", re.DOTALL)
PRODUCTS: Final = ("2e0615e4-0bf4-4672-ab6b-5acf91331125", "$PRODUCT")


class Block:
    """One fenced block: where it stands, what precedes it in a comment, its language and text."""

    def __init__(self, file: Path, found: re.Match[str]) -> None:
        self.place = f"{file.relative_to(ROOT)}:{file.read_text(encoding='utf-8').count(chr(10), 0, found.start()) + 1}"
        self.mark, self.language = found["mark"] or "", found["language"]
        self.text = "\n".join(line.removeprefix(found["indent"]) for line in found["text"].splitlines()) + "\n"

    def __repr__(self) -> str:
        return self.place


def _blocks() -> Iterator[Block]:
    for file in FILES:
        yield from (Block(file, found) for found in BLOCK.finditer(file.read_text(encoding="utf-8")))


BLOCKS: Final = tuple(_blocks())


def _bodies() -> Iterator[tuple[Block, Any]]:
    for block in BLOCKS:
        if block.language == "json":
            yield block, json.loads(block.text)
        elif block.language in {"sh", "console"}:
            yield from ((block, json.loads(found[1])) for found in SHELL_BODY.finditer(block.text))


def _is_order(body: Any, key: str) -> bool:
    """Say whether ``body`` is what a client sends: an answer carries a state and an order date."""
    return isinstance(body, dict) and key in body and "orderDate" not in body


def _extended(folder: Path) -> Path:
    """Return a copy of catalog and templates in ``folder``, with the files that the how-to adds."""
    for name, source in (("orders/catalog/data", CATALOG), ("templates", TEMPLATES)):
        shutil.copytree(source, folder / name)
    for block in BLOCKS:
        kind, _, name = block.mark.partition(": ")
        if kind == "file":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(block.text, encoding="utf-8")
        elif kind == "append":
            file = folder / name
            file.write_text(f"{file.read_text(encoding='utf-8')}\n{block.text}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _extended(tmp_path_factory.mktemp("extended"))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(CATALOG)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, frozenset[str]]:
    """Return the methods of each path of the real application."""
    settings = Settings.read({}, data=tmp_path_factory.mktemp("data"), lab="none")
    with running_system(settings) as system:
        paths = create_app(system).openapi()["paths"]
    return {path: frozenset(method.upper() for method in methods) for path, methods in paths.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for link in LINK.findall(file.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), f"{file.name} links to {link}"
        if anchor:
            assert anchor in _anchors(target), f"{file.name} links to {link}; there: {sorted(_anchors(target))}"


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.db
@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_path_is_served(file: Path, served: Mapping[str, frozenset[str]]) -> None:
    known = [*served, "/openapi.json"]
    patterns = [re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))) for path in known]
    for path in PATH.findall(file.read_text(encoding="utf-8")):
        wanted = path.rstrip("/.")
        assert any(each.fullmatch(wanted) for each in patterns), f"{file.name} names {path}"


@pytest.mark.db
def test_the_reference_lists_exactly_what_is_served(served: Mapping[str, frozenset[str]]) -> None:
    text = (DOCS / "reference/http-api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(/[^`]+)` \| ([A-Z, ]+) \|", text, re.MULTILINE)
    listed = {path: frozenset(methods.split(", ")) for path, methods in rows}
    for hub in re.findall(r"^\| `(/[^`]+/hub)` \|", text, re.MULTILINE):
        listed |= {hub: frozenset({"GET", "POST"}), f"{hub}/{{key}}": frozenset({"DELETE", "GET"})}
    assert listed == dict(served)


def test_decisions_are_numbered_one_by_one() -> None:
    files = sorted((DOCS / "decisions").iterdir())
    assert [file.name[:4] for file in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    for file in files:
        assert file.read_text(encoding="utf-8").startswith(f"# {file.name[:4]}: "), file.name


@pytest.mark.parametrize("page", PAGES)
def test_made_pages_are_current(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page](), "run: python -m tests.docs.generate"


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language in {"json", "yaml", "python"}], ids=repr)
def test_every_block_parses(block: Block) -> None:
    if block.language == "json":
        json.loads(block.text)
    elif block.language == "yaml":
        assert yaml.safe_load(block.text)
    else:
        compile(block.text, block.place, "exec")


def test_product_orders_are_accepted_or_refused_as_the_page_says(catalog: Catalog, extended: Path) -> None:
    bigger = load_catalog(extended / "orders/catalog/data")
    known = {key: _product(key) for key in PRODUCTS}
    ftth = load_catalog(CATALOG, Path(labs.__file__).parent / "ftth/catalog")
    orders = [(block, body) for block, body in _bodies() if _is_order(body, "productOrderItem")]
    for block, body in orders:
        order, document = read_order(body)
        if block.mark == "catalog: ftth":
            order, document = read_order(with_parts(document, ftth, _household()))
            assert check_product_order(order, document, ftth, _household()).items, block.place
            continue
        products = {key: known[key] for key in named_products(order)}
        if block.mark == "refused":
            with pytest.raises(InvalidOrder) as refused:
                check_product_order(order, document, catalog, products)
            assert json.dumps(str(refused.value), ensure_ascii=False) in _page_of(block), block.place
        else:
            check_product_order(order, document, bigger if block.mark == "catalog: extended" else catalog, products)
    assert {Path(block.place).parent.name for block, _ in orders} == {"", "docs", "reference", "how-to"}


def _household() -> dict[str, ItemTask]:
    """Return a bundle without television, and its only part."""
    internet = replace(_product("$INTERNET"), bundle="$BUNDLE")
    bundle = replace(internet, product_id="$BUNDLE", offering_id="fibre-tv", is_bundle=True, bundle="", values={})
    home = Ref(id="home", version="1.0")
    return {
        "$INTERNET": internet,
        "$BUNDLE": replace(bundle, specification=home, service_id=None, parts=("$INTERNET",)),
    }


def _product(key: str) -> ItemTask:
    return ItemTask(
        item_id="",
        action="noChange",
        product_id=key,
        offering_id="fibre-100",
        values={"ontSerialNumber": "LMLE0000A015", "downstreamMbps": 100, "upstreamMbps": 50},
        place={"id": "ADDR-1015", "role": "installationAddress"},
        service_id="s-1",
    )


def _page_of(block: Block) -> str:
    return (ROOT / block.place.rpartition(":")[0]).read_text(encoding="utf-8")


def test_service_and_resource_orders_are_accepted(catalog: Catalog) -> None:
    checked = []
    for _, body in _bodies():
        if _is_order(body, "serviceOrderItem"):
            order, document = read_service_order(body)
            checked.append(str(check_service_order(order, document, catalog, {}).items))
        elif _is_order(body, "orderItem"):
            checked.append(str(check_resource_order(body, catalog).document))
    assert len(checked) == len(("a service order", "a resource order that reserves", "one that releases"))


def test_activation_bodies_fit_their_intents() -> None:
    intents = load_intents(TEMPLATES / "intents.yaml")
    bodies = [body for _, body in _bodies() if isinstance(body, dict) and "serviceSpecification" in body]
    assert bodies
    for part in (part for body in bodies for part in parts(body)):
        spec = intents[part["serviceSpecification"]["id"]]
        build_intent(spec, ServiceId(part["id"]), characteristics(part, "serviceCharacteristic"))


def test_the_added_template_renders_what_the_page_says(extended: Path) -> None:
    folder = extended / "templates"
    platforms = load_platforms(folder)
    case = yaml.safe_load((extended / "tests/templates/frr/customer-prefix/intent.yaml").read_text(encoding="utf-8"))
    renderings = Renderings(
        intents=load_intents(folder / "intents.yaml"),
        renderer=Renderer(folder, platforms),
        platform_of=lambda _: "frr",
    )
    listed = [{"name": name, "value": value} for name, value in case["characteristics"].items()]
    part = {"id": "svc", "serviceSpecification": {"id": case["specification"]}, "serviceCharacteristic": listed}
    (fragment,) = renderings.fragments(part)
    assert f"`{fragment.text.strip()}`" in (DOCS / "how-to/extend.md").read_text(encoding="utf-8")


def test_the_driver_example_drives(extended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = FakeNetwork({"r1": "hostname r1\n"})
    monkeypatch.setattr("activation.drivers.cli_netmiko.open_cli", network.open)
    opened = runpy.run_path(str(extended / "lastmile_audit/__init__.py"))["open_audited"]
    driver = opened(_device("r1"), load_platforms(TEMPLATES)["frr"])
    assert driver.read(()) == "hostname r1\n"
    driver.discard()
    assert driver.alive()
    driver.close()


@pytest.mark.db
def test_the_script_for_own_devices_loads_them(extended: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network_file = tmp_path / "network.yml"
    network_file.write_text(_block_of("network-file.md", "yaml").text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["load_network.py", str(tmp_path / "data"), str(network_file)])
    runpy.run_path(str(extended / "load_network.py"))
    database = open_database(tmp_path / "data" / DATABASE_FILE, routes={})
    platforms = {device.name: device.platform for device in DeviceDirectory(transactions=database).devices()}
    database.close()
    assert platforms == {"olt1": "bbf_olt", "r1": "frr", "sw1": "arista_eos"}


NODES: Final = ("olt1", "sw1")


def test_the_network_file_example_is_legal(tmp_path: Path) -> None:
    file = tmp_path / "network.yml"
    file.write_text(_block_of("network-file.md", "yaml").text, encoding="utf-8")
    assert [place.place_id for place in load_network_file(file).premises] == ["ADDR-1015"]


def test_the_access_example_is_legal_and_its_table_lists_every_key(tmp_path: Path) -> None:
    page = "how-to/device-access.md"
    file = tmp_path / "network.yml"
    file.write_text(_block_of(page, "yaml").text, encoding="utf-8")
    nodes = (Device(name=name, platform="", role="", address="", port=1, username="", password="") for name in NODES)
    olt, switch = load_network_file(file, tuple(nodes)).devices
    assert (olt.password_from, olt.max_sessions, switch.ssh_profile) == ("env:OLT1_PASSWORD", 2, "legacy")
    assert switch.ssh_profile in PROFILES
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == {field.alias for field in DeviceAccess.model_fields.values()}


@pytest.mark.db
def test_the_nornir_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with running_system(Settings.read({}, data=tmp_path / "lastmile-data", lab="none")) as system:
        del system
    exec(compile(_block_of("how-to/device-access.md", "python").text, "device-access.md", "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out.strip() == "[]"


def _block_of(page: str, language: str) -> Block:
    return next(each for each in BLOCKS if page in each.place and each.language == language)


def _device(name: str) -> Device:
    return Device(name=name, platform="frr", role="router", address="127.0.0.1", port=22, username="u", password="p")
