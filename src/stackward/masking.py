"""Mask secrets in words that come from elsewhere, before anybody reads or keeps them.

Services quote what they were sent: a token, a URL with its password. Every error, every verdict and
every row of the journal goes through `masked`. It knows secrets by their form and by the name
before them. It knows those of this process's own login by their value, once it has learned them. It
is a net, not a licence: a step, a plan or a message must have no secret at all.
"""

import re
from collections.abc import Iterable, Mapping

MASK = "***"
_SHORTEST = 8
_WORD = re.compile(r"[a-z]+|[0-9]+")  # means other things too: `openstack`, which every hint holds

_NAMES = r"pass(?:word|wd|phrase|code)|secret|token|api[_-]?key|private[_-]?key|access[_-]?key"
# After `token: ` there may be a sentence. These words begin one, or are all of it; none of them is
# a secret. A status of HTTP is none either.
_PROSE = (
    r"(?:the|an?|it|its|is|was|were|are|has|have|had|been|be|there|this|that|these|those|all|any|"
    r"no|not|none|null|nil|yes|true|false|and|or|but|of|for|from|to|in|on|at|by|with|without|"
    r"while|when|where|what|which|who|why|how|because|since|until|after|before|as|if|so|"
    r"could|cannot|can|can't|must|may|should|would|will|does|do|did|"
    r"required|expired|invalid|missing|disabled|enabled|denied|refused|rejected|revoked|"
    r"unauthorized|forbidden|failed|failure|error|unknown|found|wrong|bad|empty|given|needed|"
    r"permission|access|authentication|authorization|validation|connection|request|timeout|"
    r"timed|unable|incorrect|signature|http|[1-5][0-9]{2}|[a-z]{1,40}(?:error|exception))"
)
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"',;&<>()\[\]{}]+)"""

_UUID = (
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # of a secret in libvirt or Barbican: no secret
)
_KEY = "key"
# Each name above has one of these. Not `key` alone: much of a cloud's log has `keystone`.
_NAMED = (
    *("pass", "secret", "token"),
    *(f"{which}{dash}{_KEY}" for which in ("api", "private", "access") for dash in ("_", "-", "")),
)

# Each is replaced by its first group and the mask. A part that repeats has a bound if it might
# begin at many places: a line of ten thousand dashes must not take seconds. A form is tried only
# where the text, in small letters, has one of its words: most lines of a log have none.
_FORMS = tuple(
    (words, re.compile(form, flags))
    for words, form, flags in (
        # a key in PEM
        (
            ("private key",),
            r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        # scheme://user:password@host; the password may have an `@` of its own
        (("://",), r"([a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/]+(?=@)", re.IGNORECASE),
        # the same of message buses and databases, whose passwords may have a `/`, and which name
        # several hosts
        (
            ("://",),
            (
                r"((?:rabbit|amqps?|kombu|mysql|mariadb|postgres(?:ql)?|redis|mongodb)(?:\+\w{1,20})?"
                r"://[^\s/:@]*:)\S+(?=@)"
            ),
            re.IGNORECASE,
        ),
        # Authorization: Basic ...
        (
            ("bearer", "basic"),
            (
                r"(\b(?:bearer|basic)\s+)(?!(?:authentication|authorization|credentials?)\b)"
                r"[A-Za-z0-9._~+/-]{8,}=*"
            ),
            re.IGNORECASE,
        ),
        # password=..., "adminPass": "...", X-Auth-Token: ...; not the tag of a sudoers file
        (
            _NAMED,
            (
                r"((?!(?<=\bNO)PASSWD:\s{0,9}/)"
                rf"(?:{_NAMES}|adminpass)[\w.-]{{0,80}}[\"']?\s{{0,200}}[:=]\s*)"
                rf"(?!{re.escape(MASK)})(?!{_UUID}\s+not found\b)"
                rf"(?!{_PROSE}(?=[.,;:()\]`'\"]{{0,6}}(?:\s|$)|\()){_VALUE}"
            ),
            re.IGNORECASE,
        ),
        # --os-password ...
        (
            _NAMED,
            rf"((?<!-)--(?!-)[\w-]{{0,80}}(?:{_NAMES})[\w-]{{0,80}}\s+)(?!-){_VALUE}",
            re.IGNORECASE,
        ),
        # CREATE USER ... IDENTIFIED BY '...'
        (
            ("identified",),
            (
                rf"(\bIDENTIFIED\s+(?:(?:WITH|VIA)\s+\w+\s+)?(?:BY|AS|USING)\s+(?:PASSWORD\s*\(?\s*)?)"
                rf"(?!{re.escape(MASK)}){_VALUE}"
            ),
            re.IGNORECASE,
        ),
        # Keystone's tokens, and those of OpenID
        (("gaaaa",), r"()\bgAAAA[A-Za-z0-9_-]{16,}={0,2}", 0),
        (("eyj",), r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*", 0),
    )
)
# One look for all names that end with `key`.
_WORDS_OF_ALL = tuple(
    dict.fromkeys(_KEY if word.endswith(_KEY) else word for words, _ in _FORMS for word in words)
)
_NAME = re.compile(rf"{_NAMES}|adminpass|user_?data", re.IGNORECASE)

_known: set[str] = set()  # of this process; only ever added to


def learn(secrets: Iterable[str | None]) -> None:
    """Remember secrets by their value, so that they are masked in every place."""
    _known.update(
        each for each in secrets if each and len(each) >= _SHORTEST and not _WORD.fullmatch(each)
    )


def learn_from(named: Mapping[str, object]) -> None:
    """Remember those values whose names say that they are secret."""
    learn(one for name, one in named.items() if isinstance(one, str) and _NAME.search(name))


def masked(text: str) -> str:
    """Return the text without its secrets."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret in text:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
    small = _in_small_letters(text)
    if small is None:
        return text
    for words, form in _FORMS:
        if any(word in small for word in words):
            text = form.sub(rf"\g<1>{MASK}", text)
    return text


def may_hide(text: str) -> bool:
    """Say whether a text has a word without which no form of a secret is in it.

    Such a word is never on two lines: so a text can be asked line by line.
    """
    small = _in_small_letters(text)
    return small is not None and any(word in small for words, _ in _FORMS for word in words)


def has_known(text: str) -> bool:
    """Say whether a text has a secret of this process's own."""
    return any(secret in text for secret in tuple(_known))


def _in_small_letters(text: str) -> str | None:
    """Return a text in small letters; None where it certainly has no secret."""
    small = text.casefold()
    for word in _WORDS_OF_ALL:  # a plain loop: most texts have none of them, and there are many
        if word in small:
            return small
    return None


def masked_in(value: object) -> object:
    """Return a JSON value with each text in it masked; one named as a secret is masked whole."""
    match value:
        case str():
            return masked(value)
        case Mapping():
            return {
                name: MASK if isinstance(one, str) and _NAME.search(str(name)) else masked_in(one)
                for name, one in value.items()
            }
        case list() | tuple():
            return [masked_in(one) for one in value]
        case _:
            return value
