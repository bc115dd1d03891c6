"""The basis on which a customer may be followed up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nobody has a basis yet."""
    op.create_table(
        "basis",
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.String(length=512), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.CheckConstraint("basis IN ('contract', 'consent', 'none')", name="basis_kind"),
        sa.PrimaryKeyConstraint("address"),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("basis")
