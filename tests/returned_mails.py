"""What other servers send back, as bytes: reports of mails not delivered, and complaints."""


def bounce(
    mark: str = "",
    *,
    seen: str = "",
    to: str = "",
    words: str = "",
    path: str = "",
    status: str = "5.1.1",
    action: str = "failed",
    code: str = "smtp; 550 5.1.1 <anna@example.net>: no such user",
) -> bytes:
    """As Postfix writes it (RFC 3464), with the head of the mail at its end."""
    address = to or (f"bounces+{mark}@rounds.example" if mark else "bounces@rounds.example")
    return f"""From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: {address}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="edge"

--edge
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.
{words}
--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Thu, 26 Nov 2026 16:15:00 +0000 (UTC)

Final-Recipient: rfc822; anna@example.net
Original-Recipient: rfc822;anna@example.net
Action: {action}
Status: {status}
Diagnostic-Code: {code}

--edge
Content-Type: text/rfc822-headers

Return-Path: <{path}>
From: Grand Rounds Online <webinars@rounds.example>
To: "Dr Anna Keller" <anna@example.net>
Subject: Reminder
Message-ID: <session_reminder.{seen or "a" * 40}@rounds.example>

--edge--
""".replace("\n", "\r\n").encode()


def complaint(mark: str = "", *, seen: str = "", kind: str = "abuse") -> bytes:
    """As a provider's loop of complaints writes it (RFC 5965), with the whole mail."""
    left_from = f"Original-Mail-From: <bounces+{mark}@rounds.example>\n" if mark else ""
    return f"""From: <abusedesk@provider.example>
To: <fbl@rounds.example>
Subject: FW: Reminder
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="edge"

--edge
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--edge
Content-Type: message/feedback-report

Feedback-Type: {kind}
{left_from}User-Agent: SomeGenerator/1.0
Version: 1

--edge
Content-Type: message/rfc822
Content-Disposition: inline

From: Grand Rounds Online <webinars@rounds.example>
To: redacted@provider.example
Subject: Reminder
Message-ID: <session_reminder.{seen or "a" * 40}@rounds.example>

Dear Dr Anna Keller,
--edge--
""".encode()
