"""Every test that talks to the program makes one of its own, and most of that is compiling some
350 addresses, the same each time: here each is compiled once a process.
"""

from dataclasses import dataclass

from werkzeug.routing import Rule

ATTRIBUTES = ("_parts", "_trace", "_converters", "arguments")

_compile = Rule.compile
_known: dict[tuple[object, ...], "_Compiled"] = {}


@dataclass(frozen=True)
class _Compiled:
    attributes: dict[str, object]
    build: object
    build_unknown: object


def _compile_once(rule: Rule) -> None:
    """What an address compiles to depends on these alone; its builders are handed the rule."""
    key = (rule.rule, rule.subdomain, rule.host, repr(rule.defaults), rule.merge_slashes)
    known = _known.get(key)
    if known is None:
        _compile(rule)
        _known[key] = _Compiled(
            {name: getattr(rule, name) for name in ATTRIBUTES},
            rule._build.__func__,  # type: ignore[attr-defined]
            rule._build_unknown.__func__,  # type: ignore[attr-defined]
        )
        return
    for name, value in known.attributes.items():
        setattr(rule, name, value)
    rule._build = known.build.__get__(rule, None)  # type: ignore[attr-defined]
    rule._build_unknown = known.build_unknown.__get__(rule, None)  # type: ignore[attr-defined]


def remember_routes() -> None:
    """From now on."""
    Rule.compile = _compile_once  # type: ignore[method-assign]
