"""A merchant's own sign-in: the OpenID provider that vouches for its people."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, JsonList, Moment, OfMerchant


class SsoProvider(OfMerchant, Base):
    """The one provider of a merchant."""

    __tablename__ = "sso_provider"
    __table_args__ = (
        CheckConstraint(
            "second_factor IN ('provider', 'told', 'ours')", name="second_factor_known"
        ),
    )

    merchant_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("merchant.id", ondelete="RESTRICT"), primary_key=True
    )
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted with the service's secret key; empty: a public client."""
    email_domains: Mapped[JsonList]
    """Addresses of these only are linked."""
    default_role: Mapped[str | None]
    """What somebody becomes who was not invited; empty: they are not let in."""
    second_factor: Mapped[str]
    """Who asks for it: the ``provider``, whatever it says of it; the provider where it has
    ``told`` so (``amr``), else we; or always ``ours``."""
    sign_out_url: Mapped[str | None]
    """Where one signs out at the provider as well, as it last said."""
    created_at: Mapped[Moment]
