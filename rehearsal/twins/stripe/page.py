"""The hosted payment page of a Checkout Session: GET shows it, POST pays.

Form fields of the POST: `outcome` (paid, the default; declined; processing, where a bank account is debited), `email`,
`name` and `card` (a test card by its id). Success redirects to the session's success_url, with {CHECKOUT_SESSION_ID}
filled in; a refused card is 402, and the session stays open.
"""

from html import escape
from urllib.parse import quote

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import checkout
from rehearsal.twins.stripe.cards import CARDS
from rehearsal.twins.stripe.errors import ApiError, invalid, no_such
from rehearsal.twins.stripe.form import decode
from rehearsal.twins.stripe.params import Spec, choice, text
from rehearsal.twins.stripe.service import HttpRequest, HttpResponse
from rehearsal.twins.stripe.store import Object

PREFIX = "/c/pay/"

_FORM = Spec(
    {
        "outcome": choice("paid", "declined", "processing"),
        "email": text(limit=512),
        "name": text(),
        "card": choice(*CARDS),
    }
)
_HTML = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<h1>{title}</h1><p>{message}</p>{form}</html>
"""
_INPUTS = """<form method="post"><p><label>E-mail <input name="email" type="email"></label></p>
<p><button name="outcome" value="paid">Pay {amount}</button>
<button name="outcome" value="declined">Pay with a card that declines</button>{debit}</p></form>"""
_DEBIT = """
<button name="outcome" value="processing">Pay by SEPA debit</button>"""


def serve(account: Account, request: HttpRequest) -> HttpResponse:
    """The page at `/c/pay/<session id>`, in the account's lock."""
    with account.store.lock:
        session = None
        try:
            session = _session(account, request.path.removeprefix(PREFIX))
            return _submit(account, session, request) if request.method == "POST" else _shown(session)
        except ApiError as error:
            return _shown(session, message=str(error), status=error.status)


def _session(account: Account, session_id: str) -> Object:
    try:
        return account.store.get("checkout.session", session_id)
    except ApiError:
        raise no_such("checkout session", session_id) from None


def _submit(account: Account, session: Object, request: HttpRequest) -> HttpResponse:
    raw = {name: value for name, value in decode(request.body.decode(errors="replace")).items() if value != ""}
    form = _FORM.parse(raw)
    if request.query:
        raise invalid("Send outcome, email, name and card as a form, not in the URL.")
    typed = {name: form[name] for name in ("email", "name", "card") if name in form}
    checkout.submit(account, session, form.get("outcome", "paid"), checkout.Payer(**typed))
    if not session["success_url"]:
        return _shown(session)
    location = session["success_url"].replace("{CHECKOUT_SESSION_ID}", quote(session["id"]))
    return HttpResponse(303, {"location": location}, b"")


def _shown(session: Object | None, message: str = "", status: int = 200) -> HttpResponse:
    form = ""
    if session is not None:
        amount = f"{session['amount_total'] / 100:.2f} {session['currency'].upper()}"
        message = message or f"This session is {session['status']}."
        debit = _DEBIT if "sepa_debit" in session["payment_method_types"] else ""
        form = _INPUTS.format(amount=escape(amount), debit=debit) if session["status"] == "open" else ""
    html = _HTML.format(title="Checkout", message=escape(message), form=form)
    return HttpResponse(status, {"content-type": "text/html; charset=utf-8"}, html.encode())
