"""Two versions of one session put together, field by field."""

from dataclasses import replace

from webinar.web.manage.session_form import Typed, TypedMember
from webinar.web.manage.session_merge import Side, differences, has_clash, merged

MARCHETTI = TypedMember(id="5", name="Prof Elena Marchetti", email="elena@example.net")
NOVAK = TypedMember(name="Dr Jan Novak", part="moderator")
BASE = Typed(
    title="Nodes",
    abstract="What to do.",
    day="2126-11-28",
    starts="18:15",
    ends="19:00",
    zone="Europe/Zurich",
    topics=("Breast cancer",),
    faculty=(MARCHETTI,),
)


def test_what_only_one_changed_is_chosen_already() -> None:
    theirs, mine = replace(BASE, title="Nodes, revisited"), replace(BASE, abstract="Much.")

    found = differences(BASE, theirs, mine, {})

    assert [(item.key, item.picked, item.is_clash) for item in found] == [
        ("title", Side.THEIRS, False),
        ("abstract", Side.MINE, False),
    ]
    assert merged(BASE, theirs, mine, {}) == replace(theirs, abstract="Much.")
    assert not has_clash(BASE, theirs, mine)


def test_what_both_changed_is_nobodys_until_somebody_chooses() -> None:
    theirs, mine = replace(BASE, title="Theirs"), replace(BASE, title="Mine")

    (open_question,) = differences(BASE, theirs, mine, {})
    (answered,) = differences(BASE, theirs, mine, {"title": "theirs"})

    assert (open_question.theirs, open_question.mine) == ("Theirs", "Mine")
    assert (open_question.picked, open_question.is_clash) == (None, True)
    assert answered.picked is Side.THEIRS
    assert has_clash(BASE, theirs, mine)
    assert merged(BASE, theirs, mine, {"title": "theirs"}).title == "Theirs"
    assert merged(BASE, theirs, mine, {"title": "mine"}).title == "Mine"


def test_both_writing_the_same_is_no_difference() -> None:
    both = replace(BASE, title="Same", topics=("Surgery", "Breast cancer"))

    assert differences(BASE, both, replace(both, topics=both.topics[::-1]), {}) == []


def test_the_time_is_one_field() -> None:
    theirs, mine = replace(BASE, day="2126-12-05"), replace(BASE, starts="18:30", ends="19:15")

    (found,) = differences(BASE, theirs, mine, {})

    assert found.label == "When"
    assert found.theirs == "Thu 5 Dec 2126, 18:15–19:00, Zurich time"
    assert found.mine == "Thu 28 Nov 2126, 18:30–19:15, Zurich time"
    assert merged(BASE, theirs, mine, {"when": "mine"}).day == "2126-11-28"


def test_fields_of_one_person_are_put_together() -> None:
    theirs = replace(BASE, faculty=(replace(MARCHETTI, disclosure="None."),))
    mine = replace(BASE, faculty=(replace(MARCHETTI, affiliation="Bellinzona"),))

    assert not has_clash(BASE, theirs, mine)
    assert merged(BASE, theirs, mine, {}).faculty == (
        replace(MARCHETTI, disclosure="None.", affiliation="Bellinzona"),
    )


def test_people_whom_each_added_both_stand_there() -> None:
    theirs = replace(BASE, faculty=(MARCHETTI, replace(NOVAK, id="6")))
    mine = replace(BASE, faculty=(MARCHETTI, TypedMember(name="Dr Ada Roth")))

    names = [member.name for member in merged(BASE, theirs, mine, {}).faculty]

    assert names == ["Prof Elena Marchetti", "Dr Jan Novak", "Dr Ada Roth"]


def test_a_person_both_added_stands_there_once() -> None:
    theirs = replace(BASE, faculty=(MARCHETTI, replace(NOVAK, id="6")))
    mine = replace(BASE, faculty=(MARCHETTI, NOVAK))

    assert merged(BASE, theirs, mine, {}).faculty == theirs.faculty


def test_a_person_taken_out_here_and_changed_there_is_asked_about() -> None:
    theirs = replace(BASE, faculty=(replace(MARCHETTI, disclosure="None."),))
    mine = replace(BASE, faculty=())

    (found,) = differences(BASE, theirs, mine, {})

    assert (found.label, found.mine) == ("Faculty: Prof Elena Marchetti", "")
    assert found.is_clash
    assert merged(BASE, theirs, mine, {found.key: "mine"}).faculty == ()
    assert merged(BASE, theirs, mine, {found.key: "theirs"}).faculty == theirs.faculty


def test_a_form_travels_as_text_and_nonsense_is_not_believed() -> None:
    assert Typed.from_json(BASE.as_json()) == BASE
    assert [Typed.from_json(text) for text in ("", "[]", '{"faculty": 3}', "{}")] == [None] * 4
