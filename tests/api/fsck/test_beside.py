"""What filters are answered from, in an older release's database: filled in as the stores would have written it."""

from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, select

from api.fsck.check import check
from api.migrations.run import downgrade, upgrade
from inventory.beside import Beside
from orders.product.tables import product_orders
from tests.api.fsck.produced import Produced

pytestmark = [pytest.mark.lab]

BEFORE: Final = "0017"


def test_an_upgrade_fills_in_what_the_documents_mention(produced: Produced, tmp_path: Path) -> None:
    kept = Beside.of(product_orders)
    assert kept is not None
    copy = produced.copy(tmp_path / "copy")
    with copy.vault().write() as connection:
        downgrade(connection, to=BEFORE)
        upgrade(connection)
    with copy.vault().read() as connection:
        assert check(connection) == []
        assert connection.execute(select(func.count()).select_from(kept.mentions)).scalar_one() > 0
