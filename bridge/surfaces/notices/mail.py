"""A notice as a letter, by SMTP: encrypted from the start, or by STARTTLS before anything is said.

smtplib blocks, so it works in a thread of its own, which nobody has to wait for. Must not log.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from bridge.config.surface_settings import EmailSettings
from bridge.surfaces.notices.ways import PATIENCE, Notice, NotTold

_STEP = 8.0
"""Seconds for each answer of the server."""


class Mail:
    """A mail server, and the owner's address."""

    name = "email"

    def __init__(self, settings: EmailSettings, tls: ssl.SSLContext) -> None:
        self._settings = settings
        self._tls = tls

    async def tell(self, notice: Notice) -> None:
        """Hand a letter to the server. Raises `NotTold`."""
        letter, given = self._letter(notice), self._settings
        await self._kept(lambda server: server.send_message(letter, given.sender, list(given.to)))

    async def try_out(self) -> None:
        """Sign in at the server as for a letter, and go again. Raises `NotTold`."""
        await self._kept(lambda server: server.noop())

    async def _kept(self, work: Callable[[smtplib.SMTP], object]) -> None:
        """Have `work` done with a server that has let us in. Raises `NotTold`."""
        try:
            async with asyncio.timeout(PATIENCE):
                await _apart(lambda: self._signed_in(work))
        except TimeoutError:
            raise NotTold(f"no answer within {PATIENCE:.0f} seconds") from None
        except smtplib.SMTPResponseException as error:
            raise NotTold(f"the server says {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused:
            raise NotTold("the server refuses every recipient") from None
        except ssl.SSLCertVerificationError as error:
            raise NotTold(f"its certificate is not trusted ({error.verify_message})") from None
        except smtplib.SMTPNotSupportedError:
            raise NotTold("the server does not offer what was to be used") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotTold(getattr(error, "strerror", None) or type(error).__name__) from None

    def _letter(self, notice: Notice) -> EmailMessage:
        letter = EmailMessage(policy=SMTP)
        letter["From"] = self._settings.sender
        letter["To"] = ", ".join(self._settings.to)
        letter["Subject"] = " ".join(notice.title.split())
        letter["Date"] = format_datetime(notice.at)
        letter["Message-ID"] = make_msgid(domain=self._settings.sender.rpartition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(notice.text + "\n")
        return letter

    def _signed_in(self, work: Callable[[smtplib.SMTP], object]) -> None:
        given = self._settings
        with self._server() as server:
            if given.security == "starttls":
                # Raises where the server does not offer it: nothing is said in the clear.
                server.starttls(context=self._tls)
            if given.username and given.password:
                server.login(given.username, given.password.reveal())
            work(server)

    def _server(self) -> smtplib.SMTP:
        given = self._settings
        if given.security == "tls":
            return smtplib.SMTP_SSL(given.host, given.port, timeout=_STEP, context=self._tls)
        return smtplib.SMTP(given.host, given.port, timeout=_STEP)


async def _apart(work: Callable[[], None]) -> None:
    """Run `work` in a thread that ends with the process, should nobody wait for it any more."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if not done.done():
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001 - handed to whoever waits
            error = raised
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:
            return  # the loop has ended meanwhile

    threading.Thread(target=run, name="mail", daemon=True).start()
    await done
