"""Every test that talks to the program makes one of its own, and most of that is compiling the
builders of some 250 addresses, the same each time: here each is compiled once a process.
"""

from collections.abc import Callable

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]

_compile = Rule._compile_builder
_builders: dict[tuple[object, ...], Builder] = {}


def _compile_once(rule: Rule, append_unknown: bool = True) -> Builder:
    """A builder is made of these alone; the rule itself is handed to it when it is called."""
    key = (rule.rule, repr(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _compile(rule, append_unknown)
    return _builders[key]


def remember_routes() -> None:
    """From now on."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign]
