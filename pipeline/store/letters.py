"""The weekly letters to the owner: written once each, on rows of their own that no customer's matter touches."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.records import Draft, Kind, Send
from pipeline.store.database import Database
from pipeline.store.keys import Keys
from pipeline.store.plans import write_drafts
from pipeline.store.schema import LETTER, case, control, draft, message


class Letters:
    """Takes letters in."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def began(self) -> datetime:
        """When this store was made: of the time before, there is nothing to tell."""
        with self._database.reading() as connection:
            made: datetime = connection.execute(sa.select(control.c.at).where(control.c.name == "install_key")).scalar_one()
        return made

    def written(self, key: str) -> bool:
        """Whether the letter of this key is written, whatever became of it."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(message.c.key).where(message.c.key == key)).first() is not None

    def write(self, letter: Draft, outgoing: Send | None, now: datetime) -> bool:
        """Write a letter down, and its mail if no rep is needed; one that still waits gives way. False when it was before."""
        with self._database.writing() as connection:
            if not self._begin(connection, letter, now):
                return False
            older = sa.and_(draft.c.kind == Kind.LETTER, draft.c.state == "waiting")
            connection.execute(draft.update().where(older).values(state="superseded", settled=now, by="newer letter"))
            write_drafts(connection, self._keys, [(letter, outgoing)], now)
        return True

    def _begin(self, connection: sa.Connection, letter: Draft, now: datetime) -> bool:
        """A draft hangs on a case and that on a mail; a letter answers none, so closed rows stand in their place."""
        place = {"folder": LETTER, "epoch": LETTER, "uid": letter.case, "state": "decided", "old": False, "whole": True}
        mail = insert(message).values(key=letter.case, arrived=now, taken=now, shown=True, **place)
        if not connection.execute(mail.on_conflict_do_nothing()).rowcount:
            return False
        connection.execute(
            case.insert().values(
                message=letter.case,
                address=letter.recipient.key,
                name=letter.recipient.name[:256],
                thread=[],
                subject="",
                text="",
                sent=now,
                language=letter.language,
                intent=LETTER,
                opened=now,
                closed=LETTER,
            )
        )
        return True
