from webinar.domain.differences import Difference, differences


def test_only_what_changed_is_named() -> None:
    before = {"title": "Nodes", "zone": "Europe/Zurich"}

    found = differences(before, {**before, "title": "Sentinel nodes"})

    assert found == [Difference("title", "Nodes", "Sentinel nodes")]


def test_what_is_new_was_nothing_and_what_is_gone_is_nothing() -> None:
    assert differences(None, {"reference": "123"}) == [Difference("reference", "", "123")]
    assert differences({"reference": "123"}, None) == [Difference("reference", "123", "")]


def test_lists_numbers_and_states_are_said_in_words() -> None:
    after = {"roles": ["organiser", "moderator"], "starts_at": None, "told": 12, "kept": True}

    found = differences({"starts_at": "2026"}, {**after, "by": {"day": "2026-11-03"}})

    assert found == [
        Difference("starts at", "2026", ""),
        Difference("roles", "", "organiser, moderator"),
        Difference("told", "", "12"),
        Difference("kept", "", "yes"),
        Difference("by", "", "day: 2026-11-03"),
    ]


def test_nothing_is_not_different_from_nothing() -> None:
    assert differences(None, None) == []
    assert differences(None, {"reference": "", "above": None}) == []
