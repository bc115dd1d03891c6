"""The tables: what is durable, and which states a row may be in. Times are UTC, stored as ISO 8601 text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

REVISION = "0003"  # of the newest file in migrations/versions, which makes these tables

STATES = {
    "message": {
        "received": "stored, not yet read",
        "decided": "understood: a draft or an answer was made of it",
        "held": "waits for a person; `reason` says why (unreadable, poison, calendar, too_big ...)",
        "ignored": "nothing is to be done; `reason` says why (bounce, list, not_a_cancellation, passed ...)",
    },
    "draft": {
        "waiting": "lies in outbox/review for a rep",
        "approved": "a rep (or the program, when it was sure) released it; a send row exists",
        "rejected": "a rep said no; nothing is sent",
        "superseded": "a newer draft took its place, or the customer moved on before it was approved",
    },
    "send": {
        "queued": "waits for its turn, not before `not_before`",
        "sending": "claimed by `owner` until `lease_until`; phase `pre`: safe to requeue, phase `dot`: may have been accepted",
        "sent": "the other side took it over, or evidence proves that it did",
        "held": "refused for good, expired, or uncertain without evidence; a person decides",
        "uncertain": "the final dot was written and no answer came; never sent again without evidence or a person",
        "cancelled": "the address was suppressed before the final dot",
    },
    "step": {
        "planned": "waits for its due time",
        "moved": "waits for a later due time than first planned",
        "drafted": "its draft waits for a rep, or its mail for its turn",
        "done": "its mail was sent",
        "dropped": "will never be sent; `cause` says why",
    },
    "appointment": {
        "booked": "it is to take place, or took place; one that was moved is booked at its new time",
        "cancelled": "called off; `cause` says why or by what",
        "no_show": "nobody came",
    },
    "contact": {
        "active": "wrote to us; nothing is followed up",
        "in_follow_up": "cancelled; touches are planned",
        "rescheduled": "wants or has another date",
        "won_back": "came back after a cancellation",
        "hibernating": "the touches are done; left in peace until something stirs",
        "closed": "no follow-up makes sense (moved away, need ended, sensitive)",
        "suppressed": "must not be written to again",
    },
}


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time as ISO 8601 text, so that rows sort by time and people can read them."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        """Refuse naive times: they mean something else on every machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone can't be stored: {value}")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Give back the aware time."""
        return None if value is None else datetime.fromisoformat(value)


metadata = sa.MetaData()

# The folders of mails that never were: each stands in the place of the mail that a letter, or a note, would answer.
LETTER = "letter"
NO_SHOW = "no_show"


def _key(name: str, comment: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), comment=comment, **options)


def _state(table: str, default: str) -> sa.Column[str]:
    return sa.Column("state", sa.String(16), nullable=False, server_default=default, comment=", ".join(STATES[table]))


def _allowed(table: str) -> sa.CheckConstraint:
    names = ", ".join(f"'{name}'" for name in STATES[table])
    return sa.CheckConstraint(f"state IN ({names})", name=f"{table}_state")


cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("folder", sa.String(512), primary_key=True, comment="the mailbox and folder, without password"),
    sa.Column("epoch", sa.String(64), nullable=False, comment="UIDVALIDITY, or `maildir`"),
    sa.Column("last", sa.BigInteger, nullable=False, comment="all UIDs up to this one are stored or passed"),
    sa.Column("old_before", UtcTime, nullable=False, comment="mail that arrived earlier is old: never answered by itself"),
    sa.Column("polled", UtcTime, nullable=False, comment="the last good look at the folder"),
    comment="How far each folder was read; written in the same commit as the mails it covers.",
)

message = sa.Table(
    "message",
    metadata,
    _key("key", "digest of folder, epoch and UID", primary_key=True),
    sa.Column("folder", sa.String(512), nullable=False),
    sa.Column("epoch", sa.String(64), nullable=False),
    sa.Column("uid", sa.String(255), nullable=False),
    sa.Column("arrived", UtcTime, nullable=False, comment="the server's time of arrival"),
    sa.Column("taken", UtcTime, nullable=False, comment="when it was stored here"),
    sa.Column("content", sa.String(64), comment="digest of the mail without its trace headers, to know it again elsewhere"),
    sa.Column("old", sa.Boolean, nullable=False, comment="came before the first start: drafts only"),
    sa.Column("whole", sa.Boolean, nullable=False, comment="false: too big, only its headers are here"),
    _state("message", "received"),
    sa.Column("reason", sa.String(64), comment="why it is held or ignored"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="failed tries to read it; three hold it"),
    sa.Column("message_id", sa.String(512), comment="a hint, never an identity"),
    sa.Column("sender", sa.String(320), comment="lower-case address"),
    sa.Column("name", sa.String(256), comment="the sender's name as shown"),
    sa.Column("subject", sa.String(1024)),
    sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.false(), comment="held: its file lies in outbox/held"),
    sa.UniqueConstraint("folder", "epoch", "uid"),
    sa.Index("message_by_state", "state", "arrived", "key"),
    sa.Index("message_by_sender", "sender"),
    sa.Index("message_by_content", "content"),
    _allowed("message"),
    comment="Every mail that was taken over from a mailbox.",
)

raw = sa.Table(
    "raw",
    metadata,
    sa.Column("message", sa.String(64), sa.ForeignKey("message.key", ondelete="CASCADE"), primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False, comment="the mail as it came"),
    comment="The mails themselves, apart from what becomes of them, which changes; gone after privacy.keep_raw.",
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("message", sa.String(64), sa.ForeignKey("message.key", ondelete="CASCADE"), primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False, comment="answer, hold or ignore"),
    sa.Column("check", sa.String(32), comment="the row of the screening table that stopped it"),
    sa.Column("intent", sa.String(16), comment="cancel, reschedule or none"),
    sa.Column("reason", sa.String(16)),
    sa.Column("subreason", sa.String(32)),
    sa.Column("confidence", sa.Float),
    sa.Column("language", sa.String(8)),
    sa.Column("sensitive", sa.String(16)),
    sa.Column("opt_out", sa.Boolean),
    sa.Column("template", sa.String(64)),
    sa.Column("review", sa.Boolean, nullable=False),
    sa.Column("why", sa.JSON, nullable=False, comment="sentences"),
    sa.Column("verdict", sa.JSON, comment="the whole verdict, for corrections and reports"),
    sa.Index("decision_by_intent", "intent", "at"),
    comment="What was decided about a mail and why; one row a mail.",
)

contact = sa.Table(
    "contact",
    metadata,
    sa.Column("address", sa.String(320), primary_key=True, comment="lower-case address"),
    sa.Column("name", sa.String(256), nullable=False, server_default=""),
    sa.Column("language", sa.String(8)),
    _state("contact", "active"),
    sa.Column("cause", sa.String(64), nullable=False, comment="why it is in this state"),
    sa.Column("since", UtcTime, nullable=False, comment="since when"),
    sa.Column("first_seen", UtcTime, nullable=False),
    sa.Column(
        "package", sa.String(64), comment="the package of sessions they hold, as a file says; empty: none; null: not known"
    ),
    sa.Column("sessions_left", sa.Integer, comment="how many of its sessions are left"),
    sa.Index("contact_by_state", "state"),
    _allowed("contact"),
    comment="Customers: those who cancelled or asked for another date, and those who came from a file.",
)

case = sa.Table(
    "case",
    metadata,
    sa.Column("message", sa.String(64), sa.ForeignKey("message.key"), primary_key=True, comment="the mail that began it"),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("name", sa.String(256), nullable=False, server_default=""),
    sa.Column("message_id", sa.String(512)),
    sa.Column("thread", sa.JSON, nullable=False, comment="Message-IDs of the thread, oldest first"),
    sa.Column("subject", sa.String(1024), nullable=False),
    sa.Column("text", sa.Text, nullable=False, comment="the customer's words, quoted below every mail of the case"),
    sa.Column("sent", UtcTime, nullable=False, comment="when the customer wrote"),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("intent", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(16)),
    sa.Column("subreason", sa.String(32)),
    sa.Column("wished", sa.Date, comment="the customer's own date, if a touch is planned for it"),
    sa.Column("opened", UtcTime, nullable=False),
    sa.Column("acknowledged", UtcTime, comment="when our acknowledgment was sent"),
    sa.Column("touches", sa.Integer, nullable=False, server_default="0", comment="follow-ups sent"),
    sa.Column("last_touch", UtcTime, comment="when the last of them was sent"),
    sa.Column("closed", sa.String(64), comment="why it ended, or null while it is open"),
    sa.Column("appointment", sa.String(64), comment="the appointment that it is about, if that is known"),
    sa.Column("late", sa.Boolean, comment="it came late and without an excuse (grace counts these); null: not known"),
    sa.Index("case_by_address", "address", "opened"),
    comment="One cancellation, one wish for another date, or one no-show, with what its mails need to know.",
)

appointment = sa.Table(
    "appointment",
    metadata,
    _key("key", "digest of what its calendar or file calls it, else of address and start", primary_key=True),
    sa.Column("address", sa.String(320), nullable=False, comment="lower-case address of the customer"),
    sa.Column("name", sa.String(256), nullable=False, server_default=""),
    sa.Column("language", sa.String(8), nullable=False, server_default=""),
    sa.Column("start", UtcTime, nullable=False, comment="when it begins; the first moment of the day if only that is known"),
    sa.Column("start_by", UtcTime, comment="the last moment of the day if the hour is not known"),
    sa.Column("end", UtcTime),
    sa.Column("service", sa.String(128), nullable=False, server_default=""),
    _state("appointment", "booked"),
    sa.Column("cause", sa.String(64), nullable=False, server_default="", comment="why it is in this state"),
    sa.Column("since", UtcTime, nullable=False, comment="since when it has this state and time"),
    sa.Column("price", sa.String(32), comment="the total, a decimal; null: not known, as for all amounts"),
    sa.Column("paid", sa.String(32), comment="paid in advance"),
    sa.Column("spent", sa.String(32), comment="already spent for this customer"),
    sa.Column("currency", sa.String(3), comment="of the amounts; null: that of the policy"),
    sa.Column("package", sa.String(64), comment="the package that it belongs to; empty: none; null: not known"),
    sa.Column("sessions_left", sa.Integer, comment="sessions of the package that are left, this one included"),
    sa.Column("source", sa.String(16), nullable=False, comment="file, calendar, mail, notice, words or terminal"),
    sa.Column("seen", UtcTime, nullable=False, comment="when it was first heard of"),
    sa.Column("handled", UtcTime, comment="when its freed slot was offered, or its no-show noted; null: not looked at"),
    sa.Index("appointment_by_address", "address", "start"),
    sa.Index("appointment_by_start", "start"),
    sa.Index("appointment_by_state", "state", "handled"),
    _allowed("appointment"),
    comment="What customers have, or had, booked, as far as anybody told us.",
)

policy_version = sa.Table(
    "policy_version",
    metadata,
    sa.Column("version", sa.String(16), primary_key=True, comment="the digits at the end of the policy document"),
    sa.Column("language", sa.String(8), primary_key=True),
    sa.Column("text", sa.Text, nullable=False, comment="the document as Markdown"),
    sa.Column("since", UtcTime, nullable=False, comment="when it was first recorded"),
    comment="The policy documents that customers received, word for word.",
)

policy_receipt = sa.Table(
    "policy_receipt",
    metadata,
    sa.Column("address", sa.String(320), primary_key=True, comment="lower-case address"),
    sa.Column("version", sa.String(16), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True, comment="received or accepted"),
    sa.Column("day", sa.Date, nullable=False, comment="when, as a person says"),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("at", UtcTime, nullable=False, comment="when it was written down"),
    comment="Who received and who accepted which version of the policy.",
)

draft = sa.Table(
    "draft",
    metadata,
    _key("key", "digest of kind, case, number and revision; stands in the file as X-Winback-Draft", primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False, comment="acknowledgment, follow_up, note or letter"),
    sa.Column("case", sa.String(64), sa.ForeignKey("case.message"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, comment="0 for the acknowledgment, else the touch"),
    sa.Column("address", sa.String(320), nullable=False, comment="the recipient; a file never changes it"),
    sa.Column("name", sa.String(256), nullable=False, server_default=""),
    sa.Column("subject", sa.String(1024), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("quote", sa.Text, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("template", sa.String(64), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),
    _state("draft", "waiting"),
    sa.Column("made", UtcTime, nullable=False),
    sa.Column("file", sa.String(255), comment="its name in the outbox folder once it was published"),
    sa.Column("settled", UtcTime, comment="when it was approved, rejected or superseded"),
    sa.Column("by", sa.String(64), comment="who settled it: winback, outbox, terminal"),
    sa.Column("edited", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false(), comment="its review file was taken away"),
    sa.Column("until", UtcTime, comment="its words are true until then; later it is superseded"),
    sa.Index("draft_by_state", "state", "made"),
    sa.Index("draft_by_case", "case", "number"),
    _allowed("draft"),
    comment="Outgoing mails before they are bytes. The row is the truth, the file in the outbox a projection.",
)

send = sa.Table(
    "send",
    metadata,
    _key("key", "idempotency key: one mail for one draft, for ever", primary_key=True),
    sa.Column("draft", sa.String(64), sa.ForeignKey("draft.key"), nullable=False),
    sa.Column("message_id", sa.String(255), nullable=False, unique=True, comment="made from the key with the install key"),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("domain", sa.String(255), nullable=False),
    sa.Column("automatic", sa.Boolean, nullable=False, comment="leaves without a person, and is marked so"),
    sa.Column("data", sa.LargeBinary, nullable=False, comment="the mail as it will be sent, frozen"),
    _state("send", "queued"),
    sa.Column("phase", sa.String(8), nullable=False, server_default="pre", comment="pre or dot"),
    sa.Column("owner", sa.String(64)),
    sa.Column(
        "fence",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="one more with every claim; a stale one may not send",
    ),
    sa.Column("lease_until", UtcTime),
    sa.Column("not_before", UtcTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("queued", UtcTime, nullable=False),
    sa.Column("finished", UtcTime),
    sa.Column("cause", sa.String(512), comment="the last reply, or why it is held, uncertain or cancelled"),
    sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.false(), comment="its file lies in outbox/sent or held"),
    sa.Index("send_due", "state", "not_before"),
    _allowed("send"),
    sa.CheckConstraint("phase IN ('pre', 'dot')", name="send_phase"),
    comment="Mails on their way, one recipient each.",
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("send", sa.String(64), sa.ForeignKey("send.key"), nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column(
        "phase",
        sa.String(16),
        nullable=False,
        comment="claim, dot, sent, later, refused, uncertain, cancelled",
    ),
    sa.Column("reply", sa.String(512)),
    sa.Index("attempt_by_send", "send", "id"),
    comment="Append-only: every try to send, phase by phase.",
)

cap_event = sa.Table(
    "cap_event",
    metadata,
    sa.Column("send", sa.String(64), sa.ForeignKey("send.key"), primary_key=True),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("domain", sa.String(255), nullable=False),
    sa.Column("automatic", sa.Boolean, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index("cap_event_by_address", "address", "at"),
    sa.Index("cap_event_by_time", "at"),
    comment="What counts against the caps: written by the claim, taken back when the mail surely did not go out.",
)

step = sa.Table(
    "step",
    metadata,
    _key("key", "digest of case, track and number", primary_key=True),
    sa.Column("case", sa.String(64), sa.ForeignKey("case.message"), nullable=False),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("track", sa.String(32), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("template", sa.String(64), nullable=False),
    sa.Column("due", UtcTime, nullable=False),
    _state("step", "planned"),
    sa.Column("cause", sa.String(64), comment="why it was dropped or moved"),
    sa.Column("draft", sa.String(64), sa.ForeignKey("draft.key")),
    sa.Index("step_due", "state", "due"),
    sa.Index("step_by_address", "address", "state"),
    _allowed("step"),
    comment="Planned touches of a case.",
)

suppression = sa.Table(
    "suppression",
    metadata,
    _key("mark", "HMAC of the address with the install key: the list names nobody", primary_key=True),
    sa.Column("cause", sa.String(64), nullable=False),
    sa.Column("since", UtcTime, nullable=False),
    comment="Who must not be written to again. Outlives the erasure of a person.",
)

basis = sa.Table(
    "basis",
    metadata,
    sa.Column("address", sa.String(320), primary_key=True, comment="lower-case address"),
    sa.Column("basis", sa.String(16), nullable=False, comment="contract, consent or none"),
    sa.Column("evidence", sa.String(512), nullable=False, comment="the words or papers that show it"),
    sa.Column("since", UtcTime, nullable=False, comment="when the contract was last seen, or consent was given"),
    sa.Column("by_person", sa.Boolean, nullable=False, comment="a person recorded it: only a person changes it"),
    sa.Column("at", UtcTime, nullable=False, comment="when it was recorded"),
    sa.CheckConstraint("basis IN ('contract', 'consent', 'none')", name="basis_kind"),
    comment="What allows a customer to be followed up, with its evidence; docs/law.md tells what counts.",
)

label = sa.Table(
    "label",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("message", sa.String(64), sa.ForeignKey("message.key", ondelete="CASCADE"), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("by", sa.String(64), nullable=False, comment="outbox or terminal"),
    sa.Column("was_intent", sa.String(16)),
    sa.Column("was_reason", sa.String(16)),
    sa.Column("intent", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(16)),
    sa.Column("confidence", sa.Float, comment="how sure the model was of what it said"),
    sa.UniqueConstraint("message", "intent", "reason"),
    comment="Corrections by reps: what a mail really was, kept for training.",
)

control = sa.Table(
    "control",
    metadata,
    sa.Column(
        "name",
        sa.String(64),
        primary_key=True,
        comment="install_key, stop, breaker, breaker_closed, heartbeat, once, dots, files_sent, alarm:<name>, sent:<key>, "
        "empty:<key>",
    ),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    comment="Switches and marks of the whole installation.",
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("message", sa.String(64), comment="the mail or case it is about"),
    sa.Column("who", sa.String(64), comment="mark of the address (see suppression), never the address"),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("text", sa.String(512), nullable=False, server_default=""),
    sa.Index("event_by_message", "message", "id"),
    sa.Index("event_by_who", "who", "id"),
    comment="Append-only: what happened to this mail, in order; gone after privacy.keep_history.",
)
