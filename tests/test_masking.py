"""What is secret in the words of others, and what is not."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackward import masking
from stackward.errors import Refused
from stackward.health import symptoms
from stackward.masking import MASK, has_known, learn, learn_from, masked, masked_in, may_hide
from stackward.operations import every_rule
from stackward.policy.maintenance import NODE_SILENT
from stackward.policy.rule import Rule

FERNET = "gAAAAABnQxY2kq0Rr1vTqZ-9_bq3mUo8eXWJ"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dGhpcyBpcyBpdA"


@pytest.fixture(autouse=True)
def nothing_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", set())


@pytest.mark.parametrize(
    ("said", "read"),
    [
        pytest.param(
            "rabbit amqp://nova:hush@ctl:5672/ is gone",
            "rabbit amqp://nova:***@ctl:5672/ is gone",
            id="a URL's password",
        ),
        pytest.param(
            "mysql+pymysql://cinder:a%40b@db/cinder",
            "mysql+pymysql://cinder:***@db/cinder",
            id="a database's",
        ),
        pytest.param(
            "amqp://nova:p@hush@ctl:5672/", "amqp://nova:***@ctl:5672/", id="an @ in a password"
        ),
        pytest.param("https://me:hush@ctl/v3", "https://me:***@ctl/v3", id="a login in a URL"),
        pytest.param(
            "rabbit://u:pa/ss@host:5672,u:pa/ss@other:5672//",
            "rabbit://u:***@other:5672//",
            id="a / in the password of a message bus",
        ),
        pytest.param(
            "GRANT ALL ON nova.* TO 'n'@'%' IDENTIFIED BY 'hush hush'",
            "GRANT ALL ON nova.* TO 'n'@'%' IDENTIFIED BY ***",
            id="of a user of the database",
        ),
        pytest.param("redis://:hush@ctl", "redis://:***@ctl", id="a URL without a user"),
        pytest.param(f"could not validate {FERNET}", "could not validate ***", id="a token"),
        pytest.param(f"expired: {JWT}.", "expired: ***.", id="a token of OpenID"),
        pytest.param("X-Auth-Token: 4f5e", "X-Auth-Token: ***", id="a header"),
        pytest.param(
            "Authorization: Basic dXNlcjpodXNo", "Authorization: Basic ***", id="HTTP's own login"
        ),
        pytest.param("password=hush, host=db", "password=***, host=db", id="by its name"),
        pytest.param('{"adminPass": "hush hush"}', '{"adminPass": ***}', id="in JSON"),
        pytest.param("{'secret_key': 'hush'}", "{'secret_key': ***}", id="in Python's own form"),
        pytest.param("ran x --os-password hush y", "ran x --os-password *** y", id="on a command"),
        pytest.param(
            "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----***",
            id="a key",
        ),
    ],
)
def test_a_secret_is_masked_by_its_form_or_its_name(said: str, read: str) -> None:
    assert masked(said) == read


@pytest.mark.parametrize(
    "said",
    [
        "No valid host was found. There are not enough hosts available.",
        "check auth_url, username, password, project_name and the domains",
        "ops ALL=(root) NOPASSWD: /usr/bin/systemctl daemon-reload",
        "`openstack server resize confirm 4711` (or `revert`), then plan again",
        "https://nova:8774/v2.1/servers?host=compute-07@rack",
        "stackward 01M8 by ann on bastion since 2026-01-01T12:00:00Z: bad DIMM",
        "the basic idea is a bearer of news",
        "req-0f6c1a3e-5a0e-4a55-9a0f-1d2c3b4a5f6e",
    ],
)
def test_what_is_no_secret_is_left(said: str) -> None:
    assert masked(said) == said


@pytest.mark.parametrize("text", ["password=hush", f"{FERNET} x", "a://b:c@d", "--password hush"])
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)


def test_the_secrets_of_this_login_are_masked_wherever_they_stand() -> None:
    learn_from({"OS_PASSWORD": "Tr0ub4dor&3", "OS_USERNAME": "operator-1"})

    assert masked("for operator-1: Tr0ub4dor&3 is wrong") == "for operator-1: *** is wrong"


@pytest.mark.parametrize("weak", ["demo", "openstack", "12345678"])
def test_a_plain_word_is_not_masked_by_its_value(weak: str) -> None:
    """Every hint says `openstack`."""
    learn([weak])

    assert masked(f"`{weak} server list`") == f"`{weak} server list`"


def test_what_is_named_as_a_secret_is_masked_whole() -> None:
    stored = {"db_password": "x", "user_data": "IyE=", "rows": [{"token": "y"}], "status": "ACTIVE"}

    assert masked_in(stored) == {
        "db_password": "***",
        "user_data": "***",
        "rows": [{"token": "***"}],
        "status": "ACTIVE",
    }


def test_an_error_never_holds_a_secret() -> None:
    error = Refused("token=abc", details=["password=abc"], says="https://a:abc@b")

    assert "abc" not in f"{error} {error.message} {error.details} {error.says}"


def test_a_verdict_never_holds_a_secret() -> None:
    blocked = NODE_SILENT.blocks("compute-07", why="password=abc", way="log in")

    assert "abc" not in blocked.reason


@pytest.mark.parametrize("rule", [*every_rule(), *symptoms.ALL], ids=lambda rule: rule.name)
def test_our_own_words_are_left_as_they_are(rule: Rule | symptoms.Symptom) -> None:
    """Seen: "Keystone issues no token: ***", where the reason was to stand."""
    text = f"{rule.reason} {rule.remedy}"
    said = re.sub(r"\{[^}]*\}", "refused", text)

    assert masked(said) == said


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("token: the database does not answer", True, id="a sentence"),
        pytest.param("password: required", True, id="a state"),
        pytest.param("Invalid token: 401", True, id="a status"),
        pytest.param("token: expired.", True, id="the end of a sentence"),
        pytest.param("invalid token: Signature mismatch", True, id="what does not fit"),
        pytest.param("token: Unable to establish connection", True, id="what cannot be done"),
        pytest.param("no token: ConnectionResetError(104)", True, id="a class of errors"),
        pytest.param("no token: HTTP 500", True, id="a status with its protocol"),
        pytest.param("password: incorrect for nova", True, id="what was wrong"),
        pytest.param("password: hunter(2)", False, id="a value with brackets"),
        pytest.param("token: `the` end", False, id="in quotes of another kind, as a value"),
        pytest.param("password: nova", False, id="a service's own name is a usual password"),
        pytest.param("password: the.quick-fox", False, id="it only begins like a word"),
        pytest.param("password: 4011", False, id="a number that is no status"),
        pytest.param("password=its2hunter", False, id="a word with more to it"),
    ],
)
def test_a_sentence_after_a_colon_is_no_secret(text: str, *, kept: bool) -> None:
    """Seen: "Keystone issues no token: ***"."""
    assert (masked(text) == text) is kept


@pytest.mark.parametrize(
    "reason",
    [
        "internal error: secret: 5c2e981d-e692-4940-afde-862c46fd42ce not found",
        "Basic authentication failed",
        "bearer authorization refused",
        "http://10.77.1.10:8774/v2.1/servers?name=a@b",
    ],
)
def test_the_reason_of_a_failure_stays_readable(reason: str) -> None:
    assert masked(reason) == reason


WORDS = st.sampled_from(
    [
        *("password", "=", ": ", "hush", "SECRET", "token", "Bearer ", "basic ", "rabbit://u:p@h"),
        *(
            "IDENTIFIED BY ",
            "'x'",
            FERNET,
            JWT,
            "--os-token ",
            "pa\u017f\u017fword=x",
            "to\u212aen=x",
            "\n",
            " ",
        ),
        "-----BEGIN PRIVATE KEY-----",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it forgets nothing here
@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=12))
def test_a_form_that_is_not_tried_would_have_found_nothing(words: list[str]) -> None:
    said = expected = "".join(words)
    for _, form in masking._FORMS:  # noqa: SLF001  # each is tried
        expected = form.sub(rf"\g<1>{MASK}", expected)

    assert masked(said) == expected


@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_that_may_hide_nothing_is_left_and_each_of_its_lines_too(words: list[str]) -> None:
    said = "".join(words)

    assert may_hide(said) or masked(said) == said
    assert may_hide(said) == any(map(may_hide, said.split("\n")))


LEARNED = ("hush-hush-1", "hush-hush-12", "1\nhush-hush-9")  # none as long as another


@given(st.lists(st.sampled_from((*LEARNED, "2", "-9", "\n", " ", "***")), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_of_this_login_that_is_not_looked_for_is_not_there(words: list[str]) -> None:
    learn(LEARNED)
    said = expected = "".join(words)
    for secret in sorted(LEARNED, key=len, reverse=True):
        expected = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, expected)

    assert masked(said) == expected
    assert has_known(said) or said == expected
    assert has_known(said) == any(secret in said for secret in LEARNED)
