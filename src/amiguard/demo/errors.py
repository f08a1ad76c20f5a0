"""What can keep the demo from starting."""


class DemoUnavailableError(RuntimeError):
    """The embedded AWS cannot run here; the message says what would mend it."""
