"""The script one would write first: one mail at a time, library defaults everywhere. A peer to beat, not a design."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path

import mailparser
from imapclient import IMAPClient
from jinja2 import Template
from peak import peak_megabytes
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

port, user, password, corpus, out = sys.argv[1:6]


def trained():
    mails = [json.loads(line) for path in sorted(Path(corpus).glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=200))
    return model.fit([f"{mail['subject']}\n{mail['text']}" for mail in mails], [mail["intent"] for mail in mails])


model = trained()
folder = Path(out)
(folder / "drafts").mkdir(parents=True)
database = sqlite3.connect(folder / "naive.db")
database.execute("CREATE TABLE message (uid INTEGER UNIQUE, msgid TEXT, sender TEXT, subject TEXT, intent TEXT, body TEXT)")
template = Template("Hello {{ name }},\n\nWe received your request to cancel.\n\n{{ body[:600] }}\n")

began = time.perf_counter()
client = IMAPClient("127.0.0.1", port=int(port), ssl=False)
client.login(user, password)
client.select_folder("INBOX")
count = drafts = 0
for uid in client.search("ALL"):
    raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
    mail = mailparser.parse_from_bytes(raw)
    text = "\n".join(mail.text_plain or mail.text_html)
    intent = model.predict([f"{mail.subject}\n{text[:4000]}"])[0]
    sender = mail.from_[0][1] if mail.from_ else ""
    row = (uid, mail.message_id, sender, mail.subject, intent, text)
    database.execute("INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?)", row)
    database.commit()
    if intent == "cancel":
        body = template.render(name=sender, body=text)
        (folder / "drafts" / f"{uid}.eml").write_text(f"To: {sender}\nSubject: Re: {mail.subject}\n\n{body}", errors="replace")
        drafts += 1
    count += 1
print(json.dumps({"mails": count, "drafts": drafts, "seconds": time.perf_counter() - began, "megabytes": peak_megabytes()}))
