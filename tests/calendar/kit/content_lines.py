"""iCalendar bytes into a tree of components, by RFC 5545 section 3.1, complaining on the way.

Written for the tests alone: it shares no code with the library that writes the feeds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST_OCTETS = 75
_FOLD = re.compile(rb"\r\n[ \t]")
_PARAMETER = rb';([A-Za-z0-9-]+)=("[^"\x00-\x08\x0a-\x1f\x7f]*"|[^";:,\x00-\x08\x0a-\x1f\x7f]*)'
_LINE = re.compile(
    rb"([A-Za-z0-9-]+)((?:" + _PARAMETER.replace(b"(", b"(?:") + rb'(?:,(?:"[^"]*"|[^";:,]*))*)*)'
    rb":(.*)",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True)
class Property:
    """One content line: DTSTART;TZID=Europe/Zurich:20260326T181500."""

    name: str
    parameters: dict[str, str]
    value: str


@dataclass
class Component:
    """What stands between BEGIN and END."""

    name: str
    properties: list[Property] = field(default_factory=list)
    children: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        """Every property of this name, in order."""
        return [each for each in self.properties if each.name == name]

    def value(self, name: str) -> str:
        """The first value of this property, or ""."""
        return next((each.value for each in self.all(name)), "")

    def named(self, name: str) -> list["Component"]:
        """The children of this name."""
        return [child for child in self.children if child.name == name]

    def walk(self) -> Iterator["Component"]:
        """This component and all within."""
        yield self
        for child in self.children:
            yield from child.walk()


def judge_octets(content: bytes) -> list[str]:
    """Complaints about the bytes as such: encoding, line ends, folding."""
    if not content:
        return ["the body is empty"]
    complaints = []
    if content.startswith(b"\xef\xbb\xbf"):
        complaints.append("a byte order mark stands at the start")
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
        complaints.append("a line does not end in CRLF")
    if not content.endswith(b"\r\n"):
        complaints.append("the last line does not end in CRLF")
    lines = content.removesuffix(b"\r\n").split(b"\r\n")
    if b"" in lines:
        complaints.append("a line is empty")
    longest = max(map(len, lines))
    if longest > _MOST_OCTETS:
        complaints.append(f"a line has {longest} octets, more than {_MOST_OCTETS}")
    if not _is_utf8(_FOLD.sub(b"", content)):
        complaints.append("it is not UTF-8")
    elif not all(map(_is_utf8, lines)):
        complaints.append("a fold splits a character")
    return complaints


def read(content: bytes) -> tuple[list[Component], list[str]]:
    """The outermost components, and complaints about lines that cannot be read."""
    top = Component("")
    stack, complaints = [top], []
    for line in _FOLD.sub(b"", content).split(b"\r\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if not match:
            complaints.append(f"cannot read the line {_shown(line)}")
            continue
        item = _property(match)
        if _CONTROL.search(item.value):
            complaints.append(f"{item.name} holds a control character")
        if item.name == "BEGIN":
            opened = Component(item.value.upper())
            stack[-1].children.append(opened)
            stack.append(opened)
        elif item.name == "END":
            if stack[-1].name != item.value.upper() or len(stack) == 1:
                complaints.append(f"END:{item.value} closes nothing")
                continue
            stack.pop()
        elif len(stack) == 1:
            complaints.append(f"{item.name} stands outside of any component")
        else:
            stack[-1].properties.append(item)
    complaints.extend(f"{component.name} is not closed" for component in stack[1:])
    return top.children, complaints


def _property(match: "re.Match[bytes]") -> Property:
    name, parameters, value = match.groups()
    pairs = re.findall(_PARAMETER, parameters)
    return Property(
        name.decode().upper(),
        {key.decode().upper(): _shown(content).strip('"') for key, content in pairs},
        _shown(value),
    )


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _shown(content: bytes) -> str:
    return content.decode("utf-8", "replace")
