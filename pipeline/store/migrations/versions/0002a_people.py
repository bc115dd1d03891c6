"""Appointments, what files say of customers, and who received which policy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002a"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and columns; nothing that is there changes."""
    op.create_table(
        "appointment",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=256), server_default="", nullable=False),
        sa.Column("language", sa.String(length=8), server_default="", nullable=False),
        sa.Column("start", sa.String(32), nullable=False),
        sa.Column("start_by", sa.String(32), nullable=True),
        sa.Column("end", sa.String(32), nullable=True),
        sa.Column("service", sa.String(length=128), server_default="", nullable=False),
        sa.Column("state", sa.String(length=16), server_default="booked", nullable=False),
        sa.Column("cause", sa.String(length=64), server_default="", nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("price", sa.String(length=32), nullable=True),
        sa.Column("paid", sa.String(length=32), nullable=True),
        sa.Column("spent", sa.String(length=32), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("package", sa.String(length=64), nullable=True),
        sa.Column("sessions_left", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("seen", sa.String(32), nullable=False),
        sa.Column("handled", sa.String(32), nullable=True),
        sa.CheckConstraint("state IN ('booked', 'cancelled', 'no_show')", name="appointment_state"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("appointment_by_address", "appointment", ["address", "start"])
    op.create_index("appointment_by_start", "appointment", ["start"])
    op.create_index("appointment_by_state", "appointment", ["state", "handled"])
    op.create_table(
        "policy_version",
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("version", "language"),
    )
    op.create_table(
        "policy_receipt",
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("address", "version", "kind"),
    )
    op.add_column("contact", sa.Column("package", sa.String(length=64), nullable=True))
    op.add_column("contact", sa.Column("sessions_left", sa.Integer(), nullable=True))
    op.create_index("contact_by_state", "contact", ["state"])
    op.add_column("case", sa.Column("appointment", sa.String(length=64), nullable=True))
    op.add_column("case", sa.Column("late", sa.Boolean(), nullable=True))
    op.add_column("draft", sa.Column("until", sa.String(32), nullable=True))


def downgrade() -> None:
    """There is no way back: restore a copy from before the upgrade."""
    raise NotImplementedError("restore a copy of the store from before the upgrade")
