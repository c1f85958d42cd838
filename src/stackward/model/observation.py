"""An observation: what was last seen of a node, who saw it and when; it holds no secret."""

from dataclasses import dataclass
from datetime import datetime

from stackward.model.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing that one source said of a node while it could be asked."""

    cloud: str  # by the id of its `CloudIdentity`
    node: str
    subject: str  # what was seen, "names"; the words are stored
    value: Json
    source: str  # who said it, "node" or "nova"; the words are stored
    at: datetime
