"""What was printed, in a form in which it can be compared."""


def folded(text: str) -> str:
    """Return all words with one blank between them, however columns set them apart."""
    return " ".join(text.split())
