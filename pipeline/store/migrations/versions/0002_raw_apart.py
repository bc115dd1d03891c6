"""Keep the raw mails in a table of their own.

A change of a row copies all of it: with the mail inside, each change of a mail's state wrote the whole mail once more.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move every mail out of its row."""
    op.create_table(
        "raw",
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message"], ["message.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message"),
    )
    op.execute("INSERT INTO raw (message, data) SELECT key, raw FROM message WHERE raw IS NOT NULL")
    op.drop_column("message", "raw")


def downgrade() -> None:
    """Put every mail back into its row."""
    op.add_column("message", sa.Column("raw", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE message SET raw = (SELECT data FROM raw WHERE raw.message = message.key)")
    op.drop_table("raw")
