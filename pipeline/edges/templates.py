"""Render the texts of the templates folder. What a template may do is a short list; values never become templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.core.records import Text
from pipeline.errors import ConfigError, TextRefused

# Where the texts of a language lie, by the form in which they address people.
FOLDERS = {"usted": {"en": "en", "es": "es"}, "tu": {"en": "en", "es": "es-tu"}}
LARGEST = 20_000  # bytes, of a template and of what it renders

_FILE_NAME = re.compile(r"([a-z0-9_]+)(?:\.([2-9]|[1-9][0-9]))?\.txt", re.ASCII)
_FILTERS = frozenset({"capitalize", "d", "default", "lower", "title", "trim", "upper"})
_TESTS = frozenset({"defined", "undefined"})
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Concat),  # text and values
    *(nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),  # choices
    *(nodes.For, nodes.List, nodes.Filter, nodes.Test),  # with limits of their own
)
# Stands for each brace of a value while a template is rendered, so that braces left over are known to be the template's own.
_BRACE = "\x00"


class _Absent(StrictUndefined):
    """A value that is not there on purpose: `if` may ask for it, printing it is refused as for any other."""

    def __bool__(self) -> bool:  # type: ignore[override]  # StrictUndefined says that it never returns
        return False


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    path: Path
    subject: Template
    body: Template


class Templates:
    """All texts of a folder: `en/NAME.txt` and `es/NAME.txt`, with variants `NAME.2.txt`, `NAME.3.txt`.

    `form` is `usted` or `tu`; the Spanish texts that say tú lie in `es-tu` instead of `es`.

    A text is a line `Subject: ...`, an empty line and the body. It may print values, choose (`if`), go over a list that it
    writes out itself (`for day in ["Monday", "Tuesday"]`) and use a few filters; it can't call, count, multiply, include or
    assign. All are read once, here. Raises ConfigError with a sentence for each mistake: file, line, what to do.
    """

    def __init__(self, folder: Path, form: str = "usted") -> None:
        self._folders = {language: folder / name for language, name in FOLDERS[form].items()}
        # Plain text for mail, not a page: there is nothing to escape.
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.globals.clear()
        self._texts: dict[tuple[str, str], _Compiled] = {}
        problems = [problem for language, path in self._folders.items() for problem in self._load(path, language)]
        if not self._texts and not problems:
            problems = [f"{folder}: holds no texts: expected files such as {folder / 'en' / 'price_1.txt'}"]
        if problems:
            raise ConfigError(*problems)

    def folder(self, language: str) -> Path:
        """Where the texts of this language lie."""
        return self._folders[language]

    def names(self, language: str) -> frozenset[str]:
        """The texts that there are in this language, without their variants."""
        return frozenset(name for tongue, name in self._texts if tongue == language and "." not in name)

    def variants(self, name: str, language: str) -> tuple[str, ...]:
        """The text and its variants, in the order of their numbers (`price_1`, `price_1.2`); empty if there is no such text."""
        found = [text for tongue, text in self._texts if tongue == language and text.partition(".")[0] == name]
        return tuple(sorted(found, key=lambda text: int(text.partition(".")[2] or 1)))

    def render(self, name: str, language: str, values: Mapping[str, str | None]) -> Text:
        """The text with its values put in, as they are: nothing in a value is ever read as a template.

        A value of None is absent: `{% if phone %}` skips it. Raises TextRefused, naming the file, if there is no such text, a
        value is missing, or the result breaks a rule; TypeError if a value is anything but plain str or None.
        """
        text = self._texts.get((language, name))
        if text is None:
            raise TextRefused(f"{self._folders.get(language, Path(language)) / name}.txt: there is no such text")
        given = {key: _shielded(key, value) for key, value in values.items()}
        subject = _one_line(_rendered(text, text.subject, given))
        body = _paragraphs(_rendered(text, text.body, given))
        if not subject or not body:
            raise TextRefused(f"{text.path}: the {'body' if subject else 'subject'} came out empty")
        return Text(subject=subject, body=body, name=name)

    def _load(self, folder: Path, language: str) -> Iterator[str]:
        """Take over the texts of one folder; yields what is wrong with them."""
        for path in sorted(folder.glob("[!.]*.txt")):
            match = _FILE_NAME.fullmatch(path.name)
            if match is None:
                yield f"{path}: expected a name such as price_1.txt, or price_1.2.txt for a variant"
            elif match[2] and not path.with_name(f"{match[1]}.txt").is_file():
                yield f"{path}: is a variant of {match[1]}.txt, and there is no such file"
            else:
                yield from self._compile(path, language)

    def _compile(self, path: Path, language: str) -> Iterator[str]:
        try:
            source = _read(path)
            subject, body = _parts(source)
            problems = [*self._forbidden(subject), *self._forbidden(body)]
            if not problems:
                self._texts[language, path.stem] = _Compiled(
                    path=path, subject=self._environment.from_string(subject), body=self._environment.from_string(body)
                )
        except _Wrong as error:
            problems = [error.args]
        except TemplateSyntaxError as error:
            problems = [(error.lineno, error.message or "is not a template")]
        except OSError as error:
            problems = [(1, f"can't be read: {error.strerror}")]
        yield from (f"{path}:{line}: {problem}" for line, problem in problems)

    def _forbidden(self, source: str) -> Iterator[tuple[int, str]]:
        """What a template does that none may, with its line."""
        tree = self._environment.parse(source)
        for node in tree.find_all(nodes.Node):
            if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
                yield node.lineno, f"the filter `{node.name}` is not allowed: use one of {', '.join(sorted(_FILTERS))}"
            elif isinstance(node, nodes.Test) and node.name not in _TESTS:
                yield node.lineno, f"the test `is {node.name}` is not allowed: write {{% if value %}}"
            elif isinstance(node, nodes.For) and not isinstance(node.iter, nodes.List):
                yield node.lineno, "a loop goes over a list that stands in the text, such as {% for day in ['Monday'] %}"
            elif isinstance(node, nodes.For) and node.find(nodes.For):
                yield node.lineno, "a loop inside a loop is not allowed: write the lines out"
            elif not isinstance(node, _ALLOWED):
                yield node.lineno, f"`{_said(node)}` is not allowed: a text prints values and chooses between lines, no more"


class _Wrong(Exception):
    """A file is no template: the line, and what is wrong there."""


def _said(node: nodes.Node) -> str:
    """What the writer of a template would call this piece of it."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}()"
    return str(getattr(node, "operator", None) or type(node).__name__.lower())


def _read(path: Path) -> str:
    data = path.read_bytes()
    if len(data) > LARGEST:
        raise _Wrong(1, f"is {len(data)} bytes long: a text has at most {LARGEST}")
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Wrong(data.count(b"\n", 0, error.start) + 1, "is not UTF-8 text: save the file as UTF-8") from error
    if _BRACE in source:
        raise _Wrong(source.count("\n", 0, source.index(_BRACE)) + 1, "holds a NUL character: delete it")
    return source.replace("\r\n", "\n")


def _parts(source: str) -> tuple[str, str]:
    """The templates of subject and body; the body keeps its distance from the top, so that its line numbers are true."""
    subject, _, rest = source.partition("\n")
    gap, _, body = rest.partition("\n")
    if not re.match(r"Subject: *\S", subject):
        raise _Wrong(1, "the first line must be the subject, such as Subject: Thank you, {{ first_name }}")
    if gap.strip() or not body.strip():
        raise _Wrong(2, "after the subject comes an empty line, then the body")
    return subject.removeprefix("Subject:"), f"\n\n{body}"


def _shielded(key: str, value: object) -> str | _Absent:
    if value is None:
        return _Absent(name=key)
    # A subclass of str could bring methods of its own into the template.
    if type(value) is not str:
        raise TypeError(f"the value of {key} must be plain text or None, not {type(value).__name__}")
    if _BRACE in value:
        raise TextRefused(f"the value of {key} holds a NUL character")
    return value.replace("{", _BRACE)


def _rendered(text: _Compiled, template: Template, given: Mapping[str, str | _Absent]) -> str:
    pieces, size = [], 0
    try:
        # Piece by piece: a text that grows and grows is stopped before it fills the memory.
        for piece in template.generate(given):
            pieces.append(piece)
            size += len(piece.encode())
            if size > LARGEST:
                raise TextRefused(f"{text.path}: came out longer than {LARGEST} bytes: shorten the text or its values")
    except UndefinedError as error:
        raise TextRefused(f"{text.path}: {error.message}: give the value, or put {{% if %}} round it") from error
    except (TemplateError, TypeError, ValueError) as error:
        raise TextRefused(f"{text.path}: failed to render: {error}") from error
    result = "".join(pieces)
    if "{{" in result or "{%" in result:
        raise TextRefused(f"{text.path}: template marks are left over in what it rendered: look for {{{{ and {{% in it")
    return result.replace(_BRACE, "{")


def _one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _paragraphs(text: str) -> str:
    """The text with `\\n` line ends, nothing at the ends of lines, and at most one empty line in a row."""
    lines = "\n".join(line.rstrip() for line in re.split(r"\r\n|[\r\n]", text))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
