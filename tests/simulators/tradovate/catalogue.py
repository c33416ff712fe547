"""Products, maturities and contracts of the catalogue's futures, with ids that stay the same as long as the year does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fillpath.market.instruments import Instrument, instruments, resolve

Document = dict[str, Any]
_MONTHS = "FGHJKMNQUVXZ"
_FIRST_PRODUCT, _FIRST_CONTRACT = 100, 500_000
_YEARS = range(-1, 4)


def catalogue(now: datetime) -> dict[str, list[Document]]:
    """Entities by kind."""
    kinds: dict[str, list[Document]] = {"product": [], "contractMaturity": [], "contract": [], "contractMargin": []}
    number = _FIRST_CONTRACT
    futures = [each for each in instruments().values() if each.kind == "future"]
    for product_id, instrument in enumerate(futures, _FIRST_PRODUCT):
        kinds["product"].append(_product(product_id, instrument))
        front = resolve(instrument.root, now.date()).contract
        for year, month in _deliveries(instrument, now.year):
            number += 1
            name = f"{instrument.root}{_MONTHS[month - 1]}{year % 10}"
            kinds["contract"].append({"id": number, "name": name, "contractMaturityId": number + 200_000})
            kinds["contractMaturity"].append(
                {
                    "id": number + 200_000,
                    "productId": product_id,
                    "expirationMonth": year * 100 + month,
                    "expirationDate": datetime(year, month, 20, 13, 30, tzinfo=UTC).isoformat().replace("+00:00", "Z"),
                    "isFront": name == front,
                }
            )
            kinds["contractMargin"].append(
                {
                    "id": number,
                    "initialMargin": float(instrument.margin),
                    "maintenanceMargin": float(instrument.margin),
                    "timestamp": "2026-01-02T00:00:00.000Z",
                }
            )
    return kinds


def _deliveries(instrument: Instrument, this_year: int) -> Iterator[tuple[int, int]]:
    for year in _YEARS:
        for month, code in enumerate(_MONTHS, 1):
            if code in instrument.months:
                yield this_year + year, month


def _product(product_id: int, instrument: Instrument) -> Document:
    return {
        "id": product_id,
        "name": instrument.root,
        "currencyId": 1,
        "productType": "Futures",
        "description": instrument.name,
        "exchangeId": 1,
        "contractGroupId": 1,
        "status": "Verified",
        "months": instrument.months,
        "valuePerPoint": float(instrument.multiplier),
        "priceFormatType": "Decimal",
        "priceFormat": -5,
        "tickSize": float(instrument.tick_size),
    }
