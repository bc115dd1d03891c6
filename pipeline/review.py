"""What reps do from the terminal: the same as moving files, on the same rows."""

from __future__ import annotations

from pipeline import jobs
from pipeline.errors import WinbackError
from pipeline.jobs import Site
from pipeline.store import StoredDraft


class NotFound(WinbackError):
    """What was named is not there, or is not one thing."""


def find(site: Site, beginning: str) -> StoredDraft:
    """The draft whose key begins like this. Raises NotFound when there is none, or more than one that waits."""
    found = site.store.drafts.find(beginning)
    waiting = [stored for stored in found if stored.state == "waiting"]
    if len(waiting) == 1:
        return waiting[0]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"no draft begins with {beginning}: `winback review list` shows those that wait")
    raise NotFound(f"{len(found)} drafts begin with {beginning}: type more of it")


def approve(site: Site, beginning: str) -> str:
    """Release a waiting draft as it is; say in a sentence what happens."""
    stored = _waiting(find(site, beginning))
    jobs.approve(site, stored, None, None, by="terminal")
    _take_file_away(site, stored)
    return f"{stored.draft.key[:8]} to {stored.draft.recipient.address} is approved and goes out with the next round"


def reject(site: Site, beginning: str) -> str:
    """Say no to a waiting draft."""
    stored = _waiting(find(site, beginning))
    jobs.reject(site, stored, by="terminal")
    return f"{stored.draft.key[:8]} to {stored.draft.recipient.address} is rejected; nothing is sent"


def correct(site: Site, beginning: str, to: str) -> str:
    """Say what a mail really is; a new draft with the right text takes the place of the old one."""
    stored = find(site, beginning)
    if not jobs.correct(site, stored.draft.case, to, by="terminal"):
        raise NotFound(f"{stored.draft.key[:8]}: the mail is not stored any more, so its reason can't be changed")
    jobs.publish(site)
    return f"{stored.draft.key[:8]} is corrected to {to}"


def _waiting(stored: StoredDraft) -> StoredDraft:
    if stored.state != "waiting":
        raise NotFound(f"{stored.draft.key[:8]} was {stored.state} before ({stored.by}); it can't be changed any more")
    return stored


def _take_file_away(site: Site, stored: StoredDraft) -> None:
    if stored.file:
        site.outbox.discard(stored.draft.key)
