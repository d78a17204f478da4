"""Opening an account, signing in and out, and who the cookie says you are."""

from dataclasses import dataclass

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie  # noqa: TID251 - signing in empties the cookie
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.exceptions import RequestEntityTooLarge

from webinar.domain.countries import COUNTRIES
from webinar.domain.person import PROFESSIONS, FormRefused, PersonDetails
from webinar.models import User
from webinar.services import accounts, links
from webinar.services.links import LinkSpent
from webinar.web import onward
from webinar.web.access import by_token, public
from webinar.web.guards import limiter
from webinar.web.zone import reader_zone

bp = Blueprint("auth", __name__)
login_manager = LoginManager()

# A hospital is one address for many people at 18:14; one person is one e-mail.
FROM_ONE_ADDRESS = "60 per minute; 600 per hour"
FOR_ONE_EMAIL = "10 per minute; 50 per hour"
MAILS_TO_ONE_EMAIL = "3 per minute; 10 per hour"
BUSY_RETRY_SECONDS = 5


def _email_typed() -> str:
    try:
        return f"email {request.form.get('email', '').strip().casefold()}"
    except RequestEntityTooLarge:
        # The view refuses it in words. The limiter would take it for a Redis that went.
        return "email "


def _address() -> str:
    return request.remote_addr or ""


@dataclass(frozen=True)
class RegisterForm:
    """What a visitor typed, kept for showing it again."""

    email: str = ""
    name: str = ""
    country: str = ""
    profession: str = ""
    password: str = ""

    @classmethod
    def sent(cls) -> "RegisterForm":
        """From the request; what is missing is empty."""
        return cls(
            email=request.form.get("email", ""),
            name=request.form.get("name", ""),
            country=request.form.get("country", ""),
            profession=request.form.get("profession", ""),
            password=request.form.get("password", ""),
        )


@bp.get("/register")
@public
def register() -> ResponseReturnValue:
    """The form for an account; people who are signed in go on."""
    wanted = onward.place_at(onward.safe_path(request.args.get("next", "")))
    if current_user.is_authenticated:
        return redirect(url_for("my.index"))
    return _register_page(RegisterForm(), wanted, {})


@bp.post("/register")
@public
@limiter.limit(FROM_ONE_ADDRESS, key_func=_address)
@limiter.limit(MAILS_TO_ONE_EMAIL, key_func=_email_typed)
def open_account() -> ResponseReturnValue:
    """Open the account; the answer is the same if there is one already."""
    form = RegisterForm.sent()
    wanted = onward.safe_path(request.form.get("next", ""))
    details = PersonDetails(
        name=form.name, country=form.country, profession=form.profession, zone=reader_zone()
    )
    try:
        accounts.register_person(
            g.db, form.email, details, password=form.password, next_path=wanted, now=g.now
        )
    except FormRefused as refusal:
        return _register_page(form, wanted, refusal.problems), 422
    g.db.commit()
    return redirect(url_for("auth.check_mail", after="register"), code=303)


@bp.get("/check-mail")
@public
def check_mail() -> ResponseReturnValue:
    """What to do now; says nothing about who has an account."""
    return render_template(
        "auth/check_mail.html",
        registered=request.args.get("after") == "register",
        kept_in_folder=not current_app.config["SMTP_URL"],
    )


@bp.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """The form: password, or a link by mail."""
    wanted = onward.safe_path(request.args.get("next", ""))
    if current_user.is_authenticated:
        return redirect(wanted or url_for("my.index"))
    return _sign_in_page("", wanted, {})


@bp.post("/sign-in")
@public
@limiter.limit(FROM_ONE_ADDRESS, key_func=_address)
@limiter.limit(FOR_ONE_EMAIL, key_func=_email_typed)
def sign_in_by_password() -> ResponseReturnValue:
    """Sign in, or say that the two do not belong together, whichever of them is wrong."""
    email, wanted = request.form.get("email", ""), onward.safe_path(request.form.get("next", ""))
    # Looking a password up takes a while; nobody who writes waits for it (see webinar.db).
    g.db.connection(execution_options={"read_only": True})
    user = accounts.person_with_password(g.db, email, request.form.get("password", ""))
    g.db.commit()
    if user is None:
        problem = (
            "This e-mail and this password do not belong together. "
            "Try again, or ask for a sign-in link."
        )
        return _sign_in_page(email, wanted, {"password": problem}), 422
    if not user.is_active:
        accounts.send_link(g.db, email, next_path=wanted, knows_password=True, now=g.now)
        g.db.commit()
        return redirect(url_for("auth.check_mail", after="register"), code=303)
    let_in(user)
    return onward.go_on(wanted, user.id)


@bp.post("/sign-in/link")
@public
@limiter.limit(FROM_ONE_ADDRESS, key_func=_address)
@limiter.limit(MAILS_TO_ONE_EMAIL, key_func=_email_typed)
def send_link() -> ResponseReturnValue:
    """Mail a one-time link; the answer is the same whether anybody has that e-mail."""
    email, wanted = request.form.get("email", ""), onward.safe_path(request.form.get("next", ""))
    try:
        accounts.send_link(g.db, email, next_path=wanted, now=g.now)
    except FormRefused as refusal:
        return _sign_in_page(email, wanted, refusal.problems), 422
    g.db.commit()
    return redirect(url_for("auth.check_mail"), code=303)


@bp.get("/sign-in/<token>")
@by_token
def open_link(token: str) -> ResponseReturnValue:
    """A page with one button. Mail scanners open links too, so opening it uses nothing up."""
    link = links.look_up(g.db, token, now=g.now)
    return _secret_page(render_template("auth/link.html", link=link))


@bp.post("/sign-in/<token>")
@by_token
@limiter.limit(FROM_ONE_ADDRESS, key_func=_address)
def sign_in_by_link(token: str) -> ResponseReturnValue:
    """The button: use the link up and sign in."""
    return _use(token)


@bp.get("/verify-email/<token>")
@by_token
def open_verification(token: str) -> ResponseReturnValue:
    """The same for the first link of a new account."""
    return open_link(token)


@bp.post("/verify-email/<token>")
@by_token
@limiter.limit(FROM_ONE_ADDRESS, key_func=_address)
def verify_email(token: str) -> ResponseReturnValue:
    """The button: the e-mail is proved, the person is in."""
    return _use(token)


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """Forget who this browser is."""
    logout_user()
    cookie.clear()
    flash("You are signed out.", "success")
    return redirect("/", code=303)


@bp.errorhandler(LinkSpent)
def link_spent(refusal: LinkSpent) -> ResponseReturnValue:
    """What happened, and the way to a new link."""
    page = render_template("auth/link_spent.html", message=str(refusal))
    return _secret_page(page, status=refusal.status)


def let_in(user: User) -> None:
    """Make the cookie name this person, for four weeks; nothing of a stranger's cookie stays."""
    zone = cookie.get("zone")
    cookie.clear()
    if zone:
        cookie["zone"] = zone
    cookie.permanent = True
    login_user(user)


@login_manager.user_loader
def _load(cookie_id: str) -> User | None:
    """The person the cookie names, unless every sign-in of theirs was ended since."""
    user_id, _, generation = cookie_id.partition(".")
    if not (user_id.isdigit() and generation.isdigit()):
        return None
    user: User | None = g.db.get(User, int(user_id))
    if user is None or user.sign_in_generation != int(generation) or not user.is_active:
        return None
    return user


@login_manager.unauthorized_handler
def _ask_to_sign_in() -> ResponseReturnValue:
    if request.is_json or request.accept_mimetypes.best == "application/json":
        return {"error": "Sign in first.", "status": 401}, 401
    return redirect(url_for("auth.sign_in", next=request.path))


def init_app(app: Flask) -> None:
    """Hand Flask-Login the loader above."""
    login_manager.init_app(app)
    # First in the list is last to run: after the limiter, which has a later hour of its own.
    app.after_request_funcs.setdefault(None, []).insert(0, _say_when_to_come_back)


def _say_when_to_come_back(response: Response) -> Response:
    # Calendar programs are told another hour (webinar.web.feeds).
    if response.status_code == 503 and request.blueprint != "feeds":
        response.headers["Retry-After"] = str(BUSY_RETRY_SECONDS)
    return response


def _use(token: str) -> ResponseReturnValue:
    link = accounts.use_link(g.db, token, now=g.now)
    g.db.commit()
    let_in(link.user)
    onwards = onward.go_on(link.next_path, link.user.id)
    if not (link.user.country and link.user.profession):
        # Somebody else named them; certificates and reports need what only they can tell.
        flash("Welcome. Tell us your country and your profession, and you are ready.", "notice")
        return redirect(url_for("my.account"), code=303)
    return onwards


def _secret_page(page: str, *, status: int = 200) -> Response:
    """The address holds a secret: no cache keeps the page, no other site is told of it.

    This site itself is: over TLS its guard against forged forms asks where a form came from.
    """
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _register_page(form: RegisterForm, wanted: str, problems: dict[str, str]) -> str:
    return render_template(
        "auth/register.html",
        form=form,
        next_path=wanted,
        problems=problems,
        countries=[("", "Choose"), *COUNTRIES.items()],
        professions=[("", "Choose"), *PROFESSIONS.items()],
        wants_place=onward.wants_place(wanted),
    )


def _sign_in_page(email: str, wanted: str, problems: dict[str, str]) -> str:
    return render_template("auth/sign_in.html", email=email, next_path=wanted, problems=problems)
