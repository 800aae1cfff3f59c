"""Amounts of money, as custom fields hold them: whole cents of a currency."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final, Self

import attrs

from ..errors import UsageError
from ..model import brief_repr

_CODE: Final = re.compile("[A-Z]{3}")
_CENT_BITS: Final = 63
_USUAL_DIGITS: Final = 2
_WHOLE: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())  # noqa: SIM905
_THOUSANDTHS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_DIGITS: Final = {**dict.fromkeys(_WHOLE, 0), **dict.fromkeys(_THOUSANDTHS, 3)}
"""The decimal places of currencies that have other than two (ISO 4217)."""


@attrs.frozen(order=False)
class Money:
    """An amount of money: ``Money(125_000, "EUR")`` is ``Money.of("1250.00", "EUR")``.

    Attributes:
        cents: in the smallest unit of the currency, as all of the API's amounts are: 5000 of JPY, which has no smaller
            unit, are 5,000 yen.
        currency: its ISO 4217 code.

    Raises:
        UsageError: `cents` is not a whole number, or `currency` not a code of three capital letters.
    """

    cents: int
    currency: str

    def __attrs_post_init__(self) -> None:
        cents: object = self.cents
        currency: object = self.currency
        if not isinstance(cents, int) or isinstance(cents, bool) or cents.bit_length() > _CENT_BITS:
            raise UsageError(f"cents of money are a whole number, not {brief_repr(cents)}; Money.of takes an amount")
        if not isinstance(currency, str) or not _CODE.fullmatch(currency):
            raise UsageError(f"the currency of money is a code such as 'EUR', not {brief_repr(currency)}")

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> Self:
        """The money of an amount in whole and fractions, such as ``Money.of("1250.50", "EUR")``.

        Raises:
            UsageError: the amount is not a number, or has fractions of a cent; or the currency is not a code.
        """
        try:
            cents = Decimal(amount).scaleb(decimal_places(currency)) if not isinstance(amount, float) else None
        except (InvalidOperation, TypeError, ValueError):
            cents = None
        if cents is None or not cents.is_finite() or cents != cents.to_integral_value():
            raise UsageError(
                f"an amount of {currency} is a Decimal, an int or their text, in whole cents; not {brief_repr(amount)}"
            )
        return cls(int(cents), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in whole and fractions: ``Decimal("1250.00")``."""
        return Decimal(self.cents).scaleb(-decimal_places(self.currency))

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency}"


def decimal_places(currency: str) -> int:
    """How many decimal places amounts of a currency have."""
    return _DIGITS.get(currency, _USUAL_DIGITS)
