"""Apprise sends to chat services, mail and web hooks. Its URLs hold secrets, and what it says holds its URLs.

So its loggers, and those of the libraries below it, are heard by nobody but this module, which takes out of them what a
failure was. `NotifyBase.notify` is called directly: `Apprise.notify` would work in threads that hold the program at its
end.
"""

import logging
import re
import threading
import warnings
from typing import Any

from amiguard.core.errors import SettingsError
from amiguard.notify.message import Verdict

_LOGGERS = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib", "charset_normalizer", "markdown")
_HTTP_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
_NO_CONNECTION = re.compile("connection error", re.IGNORECASE)
_NOT_DELIVERED = "Apprise could not deliver it"
_TYPES = {Verdict.FAIL: "failure", Verdict.INCOMPLETE: "warning", Verdict.CLEAN: "success"}


class NotAppriseUrlError(Exception):
    """Apprise does not take the URL. There is no more to tell: what it would say has the URL in it."""


class TemplateUrlError(Exception):
    """The URL names a template for its messages: any file of this machine, sent to someone else."""


class AppriseSender:
    """Sends to one Apprise URL.

    Args:
        url: it is kept in Apprise's plugin only.

    Raises:
        NotAppriseUrlError: Apprise does not take it.
        TemplateUrlError: it names a template.
        SettingsError: Apprise is not installed.
    """

    def __init__(self, url: str) -> None:
        _silence()
        apprise = _apprise()
        # Without pictures: their URLs would have readers of the message fetch them from elsewhere.
        asset = apprise.AppriseAsset(
            app_id="amiguard",
            app_desc="amiguard",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            async_mode=False,
            interpret_escapes=False,
            interpret_emojis=False,
        )
        try:
            self._plugin = apprise.Apprise.instantiate(url, asset=asset)
        except Exception:  # noqa: BLE001 - plugins parse by themselves, and what they raise may hold the URL
            self._plugin = None
        if self._plugin is None:
            raise NotAppriseUrlError
        # Templates are attachments to Apprise; with some mail services the word stands for an id at the service.
        if isinstance(template := getattr(self._plugin, "template", None), apprise.AppriseAttachment) and template:
            raise TemplateUrlError

    def send(self, title: str, body: str, verdict: str) -> str | None:
        """Send plain text; it blocks.

        Returns:
            Why it was not delivered, without the URL; None if it was.
        """
        _HEARD.begin()
        try:
            sent = self._plugin.notify(title=title, body=body, notify_type=_TYPES[Verdict(verdict)], body_format="text")
        except Exception as error:  # noqa: BLE001 - as above: its kind is all that can be told
            return f"{_NOT_DELIVERED} ({type(error).__name__})"
        finally:
            heard = _HEARD.end()
        return None if sent else heard or _NOT_DELIVERED


def _apprise() -> Any:
    try:
        import apprise  # noqa: PLC0415 - an optional extra, which takes 0.3 s to import
    except ImportError as error:
        raise SettingsError(
            "Apprise, which sends notifications, is not installed", hint="pip install 'amiguard[notify]'"
        ) from error
    return apprise


class _Heard(logging.Handler):
    """Takes out of what is logged while one thread sends what the failure was, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self._of_thread = threading.local()

    def begin(self) -> None:
        """Listen to this thread."""
        self._of_thread.reason = ""
        self._of_thread.sending = True

    def end(self) -> str:
        """Listen no more; what was heard, if anything."""
        self._of_thread.sending = False
        return str(self._of_thread.reason)

    @property
    def sending(self) -> bool:
        """Whether this thread is sending."""
        return bool(getattr(self._of_thread, "sending", False))

    def emit(self, record: logging.LogRecord) -> None:
        """Take the kind of failure out of a record."""
        if not self.sending:
            return
        said = record.getMessage()
        if (status := _HTTP_STATUS.search(said)) and not status[1].startswith("2"):
            self._of_thread.reason = f"the service answered HTTP {status[1]}"
        elif _NO_CONNECTION.search(said):
            self._of_thread.reason = "the service did not answer, or could not be reached"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: the traceback would show the record."""


class _NotSending(logging.Filter):
    """For the handler of last resort, which writes to stderr what has no handler: nothing from threads that send."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - logging's signature
        """Whether the record is shown."""
        return not _HEARD.sending


_HEARD = _Heard()
_NOT_SENDING = _NotSending()


def _silence() -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.addHandler(_HEARD)  # a handler that is there already is not added twice
    if logging.lastResort is not None:
        logging.lastResort.addFilter(_NOT_SENDING)
    # urllib3 and the like warn with hosts and URLs in it, `?verify=no` above all.
    warnings.filterwarnings("ignore", module=r"(urllib3|requests|apprise)(\.|$)")
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
