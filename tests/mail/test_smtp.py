"""The conversation with a mail server: what each of its words means for this mail and the next."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from webinar.mail import smtp
from webinar.mail.message import ReadyMail
from webinar.mail.smtp import SmtpConnection, SmtpServer
from webinar.mail.verdicts import CutOff, HungUp, NotSent, Refused, ServerAway

MAIL = ReadyMail(
    name="a-1",
    message_id="a@rounds.example",
    sender="webinars@rounds.example",
    recipient="anna@example.net",
    content=b"Subject: a\r\n\r\n.begins with a dot\r\n..two\r\nend\r\n",
)
Answers = dict[str, str]
RIGHT: Answers = {
    "EHLO": "250-here\r\n250 SIZE 1000",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 Go on",
    ".": "250 2.0.0 Kept",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
}


class Script:
    """A mail server that answers as it is told; "" hangs up, "..." says nothing more."""

    def __init__(self, answers: Answers) -> None:
        self.answers = RIGHT | answers
        self.heard: list[str] = []
        self.content = b""

    def talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            in_content = False
            while line := lines.readline():
                if in_content:
                    in_content = line != b".\r\n"
                    if in_content:
                        self.content += line
                        continue
                    word = "."
                else:
                    word = line[:4].decode().strip().upper()
                self.heard.append(word)
                answer = self.answers[word]
                if answer == "...":
                    continue
                if not answer:
                    return
                in_content = word == "DATA" and answer.startswith("354")
                connection.sendall(answer.encode() + b"\r\n")
                if answer.startswith("421"):
                    return


@contextmanager
def talking(**answers: str) -> Iterator[tuple[Script, Callable[[], SmtpConnection]]]:
    """A server of the given answers, and how to connect to it."""
    script = Script({word.replace("DOT", "."): answer for word, answer in answers.items()})
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                script.talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        yield script, lambda: SmtpConnection(SmtpServer.at(f"smtp://127.0.0.1:{port}"))
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def test_lines_that_begin_with_a_dot_arrive_as_they_are() -> None:
    with talking() as (script, connect):
        connection = connect()
        connection.hand_over(MAIL)
        connection.close()

    assert script.content.replace(b"\r\n..", b"\r\n.") == MAIL.content
    assert script.heard == ["EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"]


def test_a_server_that_can_is_told_three_things_at_once() -> None:
    with talking(EHLO="250-here\r\n250 PIPELINING") as (script, connect):
        connection = connect()
        connection.hand_over(MAIL)
        connection.hand_over(MAIL)
        connection.close()

    assert connection.handed_over == 2
    assert script.heard[1:] == [*("MAIL", "RCPT", "DATA", ".") * 2, "QUIT"]


@pytest.mark.parametrize("extension", ["SIZE 1000", "PIPELINING"])
@pytest.mark.parametrize(
    ("word", "answer", "becomes"),
    [
        ("RCPT", "550 5.1.1 No such user", Refused),
        ("RCPT", "450 4.2.0 Greylisted", NotSent),
        ("DATA", "554 5.5.1 No", Refused),
        ("DATA", "451 4.3.0 Later", NotSent),
        ("DOT", "554 5.7.1 Spam", Refused),
        ("DOT", "451 4.3.0 Later", NotSent),
    ],
)
def test_what_is_said_of_one_mail_does_not_keep_the_next(
    extension: str, word: str, answer: str, becomes: type[Exception]
) -> None:
    with talking(EHLO=f"250-here\r\n250 {extension}", **{word: answer}) as (script, connect):
        connection = connect()
        with pytest.raises(becomes) as error:
            connection.hand_over(MAIL)
        script.answers = RIGHT | {"EHLO": ""}
        connection.hand_over(MAIL)
        connection.close()

    assert type(error.value) is becomes
    assert str(error.value) == answer
    assert connection.handed_over == 1


@pytest.mark.parametrize("extension", ["SIZE 1000", "PIPELINING"])
@pytest.mark.parametrize(
    ("word", "becomes"),
    [("MAIL", ServerAway), ("RCPT", CutOff), ("DATA", CutOff), ("DOT", CutOff)],
)
def test_a_server_that_closes_shop_may_do_so_because_of_a_mail_it_knows_of(
    extension: str, word: str, becomes: type[Exception]
) -> None:
    answers = {"EHLO": f"250-here\r\n250 {extension}", word: "421 4.3.2 Shutting down"}
    with talking(**answers) as (_, connect):
        connection = connect()
        with pytest.raises(NotSent, match="421") as error:
            connection.hand_over(MAIL)

    assert type(error.value) is becomes
    assert not connection.is_open


@pytest.mark.parametrize(
    ("extension", "word", "becomes"),
    [
        ("SIZE 1000", "MAIL", ServerAway),
        ("SIZE 1000", "RCPT", CutOff),
        ("SIZE 1000", "DATA", CutOff),
        # It had heard for whom the mail is.
        ("PIPELINING", "MAIL", CutOff),
        ("PIPELINING", "RCPT", CutOff),
    ],
)
def test_a_server_that_hangs_up_may_do_so_because_of_a_mail_it_knows_of(
    extension: str, word: str, becomes: type[Exception]
) -> None:
    with talking(EHLO=f"250-here\r\n250 {extension}", **{word: ""}) as (_, connect):
        connection = connect()
        with pytest.raises(NotSent, match="hung up") as error:
            connection.hand_over(MAIL)

    assert type(error.value) is becomes
    assert not connection.is_open


@pytest.mark.parametrize("answer", ["421 4.7.0 Enough on this one", ""])
def test_a_connection_that_others_went_over_is_not_ended_because_of_a_mail(answer: str) -> None:
    with talking(RCPT="550 5.1.1 No such user") as (script, connect):
        connection = connect()
        with pytest.raises(Refused):
            connection.hand_over(MAIL)
        script.answers = RIGHT | {"RCPT": answer}
        with pytest.raises(HungUp):
            connection.hand_over(MAIL)

    assert not connection.is_open


@pytest.mark.parametrize(
    ("extension", "next_word"), [("SIZE 1000", "RSET"), ("PIPELINING", "DATA")]
)
def test_what_was_said_of_a_mail_counts_though_the_server_hangs_up_behind_it(
    extension: str, next_word: str
) -> None:
    answers = {"RCPT": "550 5.1.1 No such user", next_word: ""}
    with talking(EHLO=f"250-here\r\n250 {extension}", **answers) as (_, connect):
        connection = connect()
        with pytest.raises(Refused, match="No such user"):
            connection.hand_over(MAIL)

    assert not connection.is_open


@pytest.mark.parametrize(
    ("answer", "is_about_mail"),
    [
        ("450 Mailbox busy", True),
        ("450 4.7.1 Greylisted", True),
        ("451 4.7.1 Try again later", True),
        ("451 4.1.8 Sender unknown for now", True),
        ("452 4.2.2 Mailbox full", True),
        ("451 4.3.0 Queue trouble", False),
        ("451 4.7.500 Server busy", False),
        ("452 4.3.1 No space", False),
        ("451 Local error", False),
    ],
)
def test_a_server_says_whom_it_means(answer: str, is_about_mail: bool) -> None:
    with talking(RCPT=answer) as (_, connect):
        connection = connect()
        with pytest.raises(NotSent) as error:
            connection.hand_over(MAIL)
        connection.close()

    assert error.value.is_about_mail == is_about_mail


@pytest.mark.parametrize("answer", ["550 5.7.1 Sender not allowed", "451 4.7.1 Too fast"])
def test_who_takes_nothing_from_us_is_away_for_all(answer: str) -> None:
    with talking(MAIL=answer) as (_, connect), pytest.raises(ServerAway, match="our mail"):
        connect().hand_over(MAIL)


def test_a_server_that_has_enough_of_a_connection_wants_another() -> None:
    with talking() as (script, connect):
        connection = connect()
        connection.hand_over(MAIL)
        script.answers = RIGHT | {"MAIL": "421 4.7.0 Enough on this one"}
        with pytest.raises(HungUp):
            connection.hand_over(MAIL)

    assert not connection.is_open


def test_a_server_that_dies_over_the_content_may_have_it() -> None:
    with talking(DOT="") as (_, connect):
        connection = connect()
        with pytest.raises(NotSent, match="no last word") as error:
            connection.hand_over(MAIL)

    assert type(error.value) is NotSent
    assert not connection.is_open


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DOT"])
def test_no_mail_takes_longer_than_it_may(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr(smtp, "MAIL_SECONDS", 0.3)
    with talking(**{word: "..."}) as (_, connect):
        connection = connect()
        began = time.monotonic()
        with pytest.raises(NotSent):
            connection.hand_over(MAIL)
        waited = time.monotonic() - began

    assert waited >= 0.3
    assert not connection.is_open


def test_an_answer_without_sense_ends_the_connection() -> None:
    with talking(MAIL="what?") as (_, connect), pytest.raises(ServerAway, match="without a code"):
        connect().hand_over(MAIL)
