"""Currencies, and the tables of their exchange rates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..refusals import Refusal, invalid_field
from ..routes import route
from ..standard_handlers import existing
from ..store import Record
from .csv_files import csv_rows

CURRENCIES: Final[tuple[dict[str, Any], ...]] = tuple(
    {"iso_code": code, "name": name, "symbol": symbol, "subunit_to_unit": subunits}
    for code, name, symbol, subunits in (
        ("AUD", "Australian Dollar", "$", 100),
        ("BRL", "Brazilian Real", "R$", 100),
        ("CAD", "Canadian Dollar", "$", 100),
        ("CHF", "Swiss Franc", "CHF", 100),
        ("EUR", "Euro", "€", 100),
        ("GBP", "British Pound", "£", 100),
        ("INR", "Indian Rupee", "₹", 100),
        ("JPY", "Japanese Yen", "¥", 1),
        ("KWD", "Kuwaiti Dinar", "KD", 1000),
        ("USD", "United States Dollar", "$", 100),
    )
)

SYMBOLS: Final = {currency["iso_code"]: currency["symbol"] for currency in CURRENCIES}

_SUBUNITS: Final = {currency["iso_code"]: currency["subunit_to_unit"] for currency in CURRENCIES}


def subunits(iso_code: str) -> int:
    """How many of its smallest unit a currency has: a dollar has 100 cents."""
    return int(_SUBUNITS[iso_code])


_RATE_COLUMNS: Final = {
    "Source Currency": "source_currency",
    "Target Currency": "target_currency",
    "Exchange Rate": "exchange_rate",
    "Effective Date": "effective_date",
}


@route("GET", "/currencies")
def currencies(company: Company, call: ParsedRequest) -> Answer:
    """Every currency, or those in which a rate card set version has no card yet."""
    version = call.asked.filters.get("addable_to_rate_card_set_version")
    store = company.store
    used = {
        store.records("rate_cards")[store.records("rate_card_versions")[found]["rate_card_id"]]["currency"]
        for found in store.referring("rate_card_versions", "rate_card_set_version_id", str(version))
    }
    return json_answer([currency for currency in CURRENCIES if currency["iso_code"] not in used])


@route("GET", "/foreign_exchange/exchange_tables")
def exchange_tables(company: Company, _: ParsedRequest) -> Answer:
    """Every exchange table."""
    return json_answer({"exchange_tables": _tables(company.store.all("exchange_tables"))})


@route("GET", "/foreign_exchange/exchange_tables/{id}")
def exchange_table(company: Company, call: ParsedRequest) -> Answer:
    """One exchange table, under its id."""
    return json_answer(_tables([existing(company, "exchange_tables", call.id)]))


@route("POST", "/foreign_exchange/exchange_tables")
def create_exchange_table(company: Company, call: ParsedRequest) -> Answer:
    """Create an exchange table from the query; there is no body."""
    blank = {"account_default": False, "insights_account_default": False}
    made = company.store.add("exchange_tables", {**blank, **call.asked.filters})
    return json_answer({"exchange_tables": _tables([company.store.records("exchange_tables")[made]])})


@route("PUT", "/foreign_exchange/exchange_tables/{id}")
def update_exchange_table(company: Company, call: ParsedRequest) -> Answer:
    """Change an exchange table by the query; there is no body."""
    existing(company, "exchange_tables", call.id)
    changed = company.store.update("exchange_tables", call.id, call.asked.filters)
    return json_answer({"exchange_tables": _tables([changed])})


def _tables(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    shown = ("id", "name", "account_default", "insights_account_default")
    return {record["id"]: {name: record[name] for name in shown} for record in records}


@route("GET", "/foreign_exchange/exchange_tables/{id}/rates")
def exchange_rates(company: Company, call: ParsedRequest) -> Answer:
    """One page of a table's rates."""
    existing(company, "exchange_tables", call.id)
    wanted = {"exchange_table_id": call.id}
    for name, attribute in (("source_currency",) * 2, ("target_currency",) * 2, ("date", "effective_date")):
        if name in call.asked.filters:
            wanted[attribute] = str(call.asked.filters[name])
    rates = company.store.all("exchange_rates")
    found = [rate for rate in rates if all(rate[name] == value for name, value in wanted.items())]
    start = (call.asked.number - 1) * call.asked.size
    return json_answer(_rates(found[start : start + call.asked.size]))


@route("POST", "/foreign_exchange/exchange_tables/{id}/rates")
def import_exchange_rates(company: Company, call: ParsedRequest) -> Answer:
    """Add rates to a table from a CSV file, or from the body where there is no file."""
    store = company.store
    existing(company, "exchange_tables", call.id)
    values = company.checked(call, "exchange_tables")
    upload = values.get("csv_file")
    rows = csv_rows(upload, _RATE_COLUMNS) if upload is not None else values.get("exchange_rates") or []
    unknown = [
        i
        for i, row in enumerate(rows)
        if not {row.get("source_currency"), row.get("target_currency")} <= SYMBOLS.keys()
    ]
    if unknown:
        raise Refusal(
            422, [company.located(invalid_field("currency is not known", "source_currency"), i) for i in unknown]
        )
    made = [
        store.add(
            "exchange_rates",
            {
                "exchange_table_id": call.id,
                **{name: row.get(name) for name in ("source_currency", "target_currency", "effective_date")},
                "rate": row.get("exchange_rate"),
            },
        )
        for row in rows
    ]
    return json_answer(_rates(store.records("exchange_rates")[identity] for identity in made))


def _rates(records: Iterable[Record]) -> dict[str, Any]:
    return {
        "exchange_rates": {
            record["id"]: {
                "id": int(record["id"]),
                "exchange_table_id": int(record["exchange_table_id"]),
                **{name: record[name] for name in ("source_currency", "target_currency", "effective_date", "rate")},
                "source_currency_symbol": SYMBOLS.get(record["source_currency"], record["source_currency"]),
            }
            for record in records
        }
    }
