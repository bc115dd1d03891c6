"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("event", "attempt")


def upgrade() -> None:
    """Make every table; events and attempts can't be changed once they are written."""
    op.create_table(
        "contact",
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=256), server_default="", nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("state", sa.String(length=16), server_default="active", nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("first_seen", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "state IN ('active', 'in_follow_up', 'rescheduled', 'won_back', 'hibernating', 'closed', 'suppressed')",
            name="contact_state",
        ),
        sa.PrimaryKeyConstraint("address"),
    )
    op.create_table(
        "control",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "cursor",
        sa.Column("folder", sa.String(length=512), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("old_before", sa.String(32), nullable=False),
        sa.Column("polled", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("folder"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=True),
        sa.Column("who", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(length=512), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("event_by_message", "event", ["message", "id"], unique=False)
    op.create_index("event_by_who", "event", ["who", "id"], unique=False)
    op.create_table(
        "message",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("folder", sa.String(length=512), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("arrived", sa.String(32), nullable=False),
        sa.Column("taken", sa.String(32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.String(length=64), nullable=True),
        sa.Column("old", sa.Boolean(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="received", nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("message_id", sa.String(length=512), nullable=True),
        sa.Column("sender", sa.String(length=320), nullable=True),
        sa.Column("name", sa.String(length=256), nullable=True),
        sa.Column("subject", sa.String(length=1024), nullable=True),
        sa.Column("shown", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("state IN ('received', 'decided', 'held', 'ignored')", name="message_state"),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("folder", "epoch", "uid"),
    )
    op.create_index("message_by_content", "message", ["content"], unique=False)
    op.create_index("message_by_sender", "message", ["sender"], unique=False)
    op.create_index("message_by_state", "message", ["state", "arrived", "key"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_table(
        "case",
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=256), server_default="", nullable=False),
        sa.Column("message_id", sa.String(length=512), nullable=True),
        sa.Column("thread", sa.JSON(), nullable=False),
        sa.Column("subject", sa.String(length=1024), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent", sa.String(32), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("intent", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("subreason", sa.String(length=32), nullable=True),
        sa.Column("wished", sa.Date(), nullable=True),
        sa.Column("opened", sa.String(32), nullable=False),
        sa.Column("acknowledged", sa.String(32), nullable=True),
        sa.Column("touches", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_touch", sa.String(32), nullable=True),
        sa.Column("closed", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["message"],
            ["message.key"],
        ),
        sa.PrimaryKeyConstraint("message"),
    )
    op.create_index("case_by_address", "case", ["address", "opened"], unique=False)
    op.create_table(
        "decision",
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("check", sa.String(length=32), nullable=True),
        sa.Column("intent", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("subreason", sa.String(length=32), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("sensitive", sa.String(length=16), nullable=True),
        sa.Column("opt_out", sa.Boolean(), nullable=True),
        sa.Column("template", sa.String(length=64), nullable=True),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["message"], ["message.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message"),
    )
    op.create_index("decision_by_intent", "decision", ["intent", "at"], unique=False)
    op.create_table(
        "label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("was_intent", sa.String(length=16), nullable=True),
        sa.Column("was_reason", sa.String(length=16), nullable=True),
        sa.Column("intent", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["message"], ["message.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message", "intent", "reason"),
    )
    op.create_table(
        "draft",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("case", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=256), server_default="", nullable=False),
        sa.Column("subject", sa.String(length=1024), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("made", sa.String(32), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=True),
        sa.Column("settled", sa.String(32), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("edited", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'rejected', 'superseded')", name="draft_state"),
        sa.ForeignKeyConstraint(
            ["case"],
            ["case.message"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("draft_by_case", "draft", ["case", "number"], unique=False)
    op.create_index("draft_by_state", "draft", ["state", "made"], unique=False)
    op.create_table(
        "send",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("draft", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="queued", nullable=False),
        sa.Column("phase", sa.String(length=8), server_default="pre", nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.String(32), nullable=True),
        sa.Column("not_before", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("queued", sa.String(32), nullable=False),
        sa.Column("finished", sa.String(32), nullable=True),
        sa.Column("cause", sa.String(length=512), nullable=True),
        sa.Column("shown", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("phase IN ('pre', 'dot')", name="send_phase"),
        sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'held', 'uncertain', 'cancelled')", name="send_state"),
        sa.ForeignKeyConstraint(
            ["draft"],
            ["draft.key"],
        ),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("send_due", "send", ["state", "not_before"], unique=False)
    op.create_table(
        "step",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("case", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("track", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("due", sa.String(32), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="planned", nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("draft", sa.String(length=64), nullable=True),
        sa.CheckConstraint("state IN ('planned', 'moved', 'drafted', 'done', 'dropped')", name="step_state"),
        sa.ForeignKeyConstraint(
            ["case"],
            ["case.message"],
        ),
        sa.ForeignKeyConstraint(
            ["draft"],
            ["draft.key"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("step_by_address", "step", ["address", "state"], unique=False)
    op.create_index("step_due", "step", ["state", "due"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("send", sa.String(length=64), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("reply", sa.String(length=512), nullable=True),
        sa.ForeignKeyConstraint(
            ["send"],
            ["send.key"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempt_by_send", "attempt", ["send", "id"], unique=False)
    op.create_table(
        "cap_event",
        sa.Column("send", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["send"],
            ["send.key"],
        ),
        sa.PrimaryKeyConstraint("send"),
    )
    op.create_index("cap_event_by_address", "cap_event", ["address", "at"], unique=False)
    op.create_index("cap_event_by_time", "cap_event", ["at"], unique=False)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    """Take every table away."""
    for table in (
        "cap_event",
        "attempt",
        "step",
        "send",
        "draft",
        "label",
        "decision",
        "case",
        "suppression",
        "message",
        "event",
        "cursor",
        "control",
        "contact",
    ):
        op.drop_table(table)
