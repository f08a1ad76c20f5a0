"""The errors that end a command: each says what is wrong and what to do next."""


class AmiguardError(Exception):
    """Something that stops the command, told to the user in one message.

    Args:
        message: what is wrong, in one sentence.
        hint: what the reader can do about it.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(AmiguardError):
    """The settings or the trust policy cannot be used: nothing was done."""


class CredentialsError(AmiguardError):
    """AWS does not know who is asking: no credentials, or AWS refused them."""


class TargetsError(AmiguardError):
    """There is nothing to work on, or a named region, account or image does not exist."""


class OutputError(AmiguardError):
    """A file that was asked for cannot be written."""


class InputError(AmiguardError):
    """A file that was given (a report, a plan, a journal) cannot be used: nothing was done."""
