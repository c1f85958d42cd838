"""Masking takes secrets out of a finding, and never eats what a person needs to read."""

import re
import string

import pytest

from stackward.health.symptoms import ALL, Symptom
from stackward.masking import MASK

# What services, sudo, systemd and libraries really say; none of it is secret.
REALISTIC = (
    "Keystone issues no token: the database does not answer",
    "no fernet key: token could not be made",
    "sudo: a password is required",
    "ops is not allowed to run sudo: NOPASSWD: /usr/bin/ss",
    "Access denied for user 'root'@'localhost' (using password: NO)",
    "Access denied for user 'nova'@'10.77.1.11' (using password: YES)",
    "Invalid user token: 401",
    "token: expired",
    "The request you have made requires authentication.",
    "Permission denied (publickey,password).",
    "secret: not found in Barbican",
    "access key: disabled for this project",
    "password authentication failed for user nova",
    "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN",
    "The Keystone service is temporarily unavailable.",
    "certificate verify failed: certificate has expired (_ssl.c:1000)",
    "Identity server rejected authorization; token validation failed: Unauthorized",
    "private key: permission denied: /etc/ssl/private/cloud.key",
    "passphrase: required, none given",
)
SECRET = {
    "amqp://nova:s3cr3tpassw0rd@10.77.1.10:5672/": "s3cr3tpassw0rd",
    "[keystone_authtoken] password = s3cr3tpassw0rd": "s3cr3tpassw0rd",
    "X-Auth-Token: gAAAAABmZmZmZmZmZmZmZmZmZmZmZmZm": "gAAAAABmZmZmZmZmZmZmZmZmZmZmZmZm",
    '{"adminPass": "s3cr3tpassw0rd"}': "s3cr3tpassw0rd",
}


def filled(text: str, says: str) -> dict[str, object]:
    """Return a value for each field of a text, the words of others among them.

    What begins with "and" goes on with the sentence before it, after a sign of its own.
    """
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return {name: f"; {says}" if name.startswith("and_") else says for name in names}


def ordinary(text: str) -> set[str]:
    """Return the words of a text that anybody may read."""
    return set(re.findall(r"[A-Za-z]{3,}", text))


@pytest.mark.parametrize("symptom", ALL, ids=[one.name for one in ALL])
def test_no_rule_loses_a_word_of_its_own_or_of_what_it_quotes(symptom: Symptom) -> None:
    """Seen: "Keystone issues no token: ***"."""
    for says in REALISTIC:
        words = filled(symptom.reason + symptom.remedy, says)
        found = symptom.found("keystone", "ctl", [says], **words)

        wanted = symptom.reason.format(**{"component": "keystone", "node": "ctl", **words})
        assert MASK not in found.reason, found.reason
        assert MASK not in found.remedy, found.remedy
        assert MASK not in found.evidence[0], found.evidence
        assert ordinary(wanted) <= ordinary(found.reason)


@pytest.mark.parametrize("symptom", ALL, ids=[one.name for one in ALL])
def test_no_rule_shows_a_secret_that_it_quotes(symptom: Symptom) -> None:
    for says, secret in SECRET.items():
        words = filled(symptom.reason + symptom.remedy, says)
        found = symptom.found("keystone", "ctl", [says], **words)

        assert secret not in f"{found.reason} {found.remedy} {found.evidence}"
