"""What a shell offers after options whose values are words of a short list."""

from collections.abc import Callable, Iterable


def offer(words: Iterable[str]) -> Callable[[str], list[str]]:
    """What `typer.Option(autocompletion=...)` takes: offers those of the words that begin with what was typed."""
    known = tuple(words)

    def begin(incomplete: str) -> list[str]:
        return [word for word in known if word.startswith(incomplete)]

    return begin
