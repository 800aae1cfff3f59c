"""Invoices, their items and payments, and billing milestones."""

from __future__ import annotations

from ..answer import Answer, json_answer
from ..associations import inverse
from ..company import Company, ParsedRequest
from ..files import StoredFile
from ..inflection import singular
from ..pdf import page_of
from ..predicates import absent, among, between, flag, where
from ..refusals import invalid, missing
from ..routes import route
from ..rules import CarryOut, CollectionRules, Guard, Values, declare, nested_field
from ..standard_handlers import existing
from ..store import Record, Store
from .currencies import subunits

declare(
    "invoices",
    CollectionRules(
        filters={
            "paid": flag(where("status", "accepted payment")),
            "pending": flag(where("status", "new")),
            "within_dates": between("invoice_date"),
            "without_drafts": flag(absent("draft")),
            "workspace_id": among("workspace_ids"),
        },
        associations={
            "additional_item_ids": inverse("additional_items", "invoice_id"),
            "expense_ids": inverse("expenses", "invoice_id"),
            "fixed_fee_item_ids": inverse("fixed_fee_items", "invoice_id"),
        },
        has_owner=True,
        meaning=lambda _, values: {"workspace_ids": [values["workspace_id"]]} if values.get("workspace_id") else {},
        guard=Guard(lambda _, record: not record["draft"], "Only a draft can be deleted; cancel the invoice instead"),
    ),
)
declare("external_payments", CollectionRules(has_owner=True))
declare(
    "client_invoice_defaults",
    CollectionRules(
        without_effect={
            "client_user_id": "the defaults belong to an account, and no operation says whose account a user has",
            "workspace_id": "the defaults belong to an account, and no operation says which account a project bills",
        },
    ),
)


def _billed(_: Store, record: Record) -> list[str]:
    return [record["invoice_id"]] if record.get("invoice_id") else []


declare(
    "billing_milestones",
    CollectionRules(
        filters={"date_between": between("date_to_invoice")},
        associations={"invoice_ids": _billed},
        guard=Guard(lambda _, record: record["invoice_id"], "The milestone has been invoiced"),
    ),
)


def _items(collection: str) -> CarryOut:
    def add(store: Store, _: str, identity: str, value: list[Values]) -> None:
        for item in value:
            store.add(collection, {**item, "amount_in_cents": item.get("amount"), "invoice_id": identity})

    return add


nested_field("additional_items")(_items("additional_items"))
nested_field("fixed_fee_items")(_items("fixed_fee_items"))


@route("PUT", "/invoices/{id}/cancel")
def cancel_invoice(company: Company, call: ParsedRequest) -> Answer:
    """Cancel an invoice; the time it billed is no longer invoiced."""
    store, invoice = company.store, existing(company, "invoices", call.id)
    if invoice["status"] == "cancelled":
        raise invalid("The invoice is cancelled already")
    store.update("invoices", call.id, {"status": "cancelled", "draft": False})
    for entry in store.referring("time_entries", "invoice_id", call.id):
        store.update("time_entries", entry, {"is_invoiced": False, "invoice_id": None})
    return company.changed(call, call.id)


@route("GET", "/invoices/next_invoice_number")
def next_invoice_number(company: Company, _: ParsedRequest) -> Answer:
    """The number that the next invoice takes."""
    return json_answer({"next_invoice_number": str(company.store.count("invoices") + 1)})


def as_pdf(store: Store, identity: str) -> StoredFile:
    """An invoice as people receive it.

    Raises:
        Refusal: 404 where there is none.
    """
    invoice = store.records("invoices").get(identity)
    if invoice is None:
        raise missing("invoice")
    currency = str(invoice["currency"])
    lines = [f"Invoice {invoice.get('title') or identity}", f"Dated {invoice.get('invoice_date') or ''}"]
    for collection in ("time_entries", "expenses", "fixed_fee_items", "additional_items"):
        for found in store.referring(collection, "invoice_id", identity):
            item = store.records(collection)[found]
            amount = (item.get("amount_in_cents") or 0) / subunits(currency)
            lines.append(f"{singular(collection)} {found}: {amount:,.2f} {currency}")
    return StoredFile(f"invoice-{identity}.pdf", page_of(lines), "application/pdf")
