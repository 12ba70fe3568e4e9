"""A merchant's further bank accounts are checked and kept in one spelling."""

import pytest
from pydantic import ValidationError

from api.merchants import MerchantData

SHOP = {"key": "shop", "name": "Shop", "phone": "+493023125000", "email": "a@shop.example"}


def test_further_accounts_are_kept_compact_and_once() -> None:
    accounts = ["DE44 5001 0517 5407 3249 31", "DE44500105175407324931"]
    made = MerchantData.model_validate({**SHOP, "bank_accounts": accounts})
    assert made.bank_accounts == ["DE44500105175407324931"]


def test_an_account_with_a_wrong_checksum_is_refused() -> None:
    with pytest.raises(ValidationError, match="checksum"):
        MerchantData.model_validate({**SHOP, "bank_accounts": ["DE45500105175407324931"]})
