"""What the mail's sections ask of one another."""

from collections.abc import Iterator

from infra.mail.sections import Mail
from infra.problems import Problem, problem, repeated


def mail_entries_are_distinct(mail: Mail) -> Iterator[Problem]:
    """One record for each exchanger and each selector."""
    listed = {"mail.mx": [mx.host for mx in mail.mx], "mail.dkim": [dkim.selector for dkim in mail.dkim]}
    for key, names in listed.items():
        for name in repeated(names):
            yield problem(key, name, "each is declared once", "Remove the repeated entry.")


CHECKS = (mail_entries_are_distinct,)
