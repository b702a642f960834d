"""Every error the bridge can raise, as one tree.

    TwinpostError
    ├── ConfigError                  the configuration cannot be used          (exit 2)
    ├── LedgerError                  the ledger cannot be trusted or had       (exit 4)
    │   ├── LedgerInUse              another live process holds its lease
    │   ├── LedgerMissing            one is expected here, and it is not there
    │   ├── LedgerFull               it cannot be written for want of room; it goes on by itself
    │   ├── LedgerDamaged            it fails its own checks, or is newer than we are
    │   └── LeaseLost                our lease was taken over: stop writing at once
    ├── NetworkError                 a network answered, or failed to; five kinds, and no others:
    │   ├── Transient                surely not done; may be tried again later
    │   │   └── NoUploads            no file is taken as things stand, whatever is in it
    │   ├── Throttled                surely not done; may be tried again at a given time
    │   ├── Refused                  surely not done, and will not be for this request
    │   ├── Unauthorised             surely not done until the owner signs in or pays
    │   │   ├── Unpaid               signing in does not help: money, a cap, or the plan
    │   │   ├── Barred               signing in does not help: the account itself is shut out
    │   │   └── WrongAccount         the credentials are another account's than the ledger knows
    │   └── InDoubt                  may have been done: prove it before anything is repeated
    ├── NothingFits                  what a command names is not there          (exit 2)
    ├── MediaError                   a medium cannot be had, or must not be passed on
    │   └── DiskFull                 this disk has no room for it
    └── UnfitError                   a post cannot be fitted to the other network

The engine branches on the five kinds under `NetworkError` and on nothing finer; that money is
wanted, or that an account is shut out, has a kind of its own for messages. What is finer (HTTP
status, problem type) travels in `detail`, for people. No message or attribute of an error ever
carries a token or an `Authorization` header.

This module must not import anything of the bridge.
"""

from __future__ import annotations

from datetime import datetime


class TwinpostError(Exception):
    """Root of the tree. `str(error)` is a sentence for a person: what happened, and what to do."""


class ConfigError(TwinpostError):
    """The configuration cannot be used; the message names file, line and key."""


class LedgerError(TwinpostError):
    """The ledger cannot be trusted or had."""


class LedgerInUse(LedgerError):
    """Another live process holds the ledger's lease."""


class LedgerMissing(LedgerError):
    """A ledger is expected at a place where there is none."""


class LedgerFull(LedgerError):
    """The disk is full: nothing was written, and nothing is sent that could not be recorded."""


class LedgerDamaged(LedgerError):
    """The ledger fails its own checks, or was written by a newer version."""


class LeaseLost(LedgerError):
    """Another process has taken the lease over. The holder must stop writing and sending."""


class NetworkError(TwinpostError):
    """A network answered with a failure, or did not answer.

    `detail` is a short, single-line, secret-free account for people and logs, such as
    ``"HTTP 422: Validation failed"``; `status` is the HTTP status where there was one.
    """

    def __init__(self, detail: str, *, status: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class Transient(NetworkError):
    """Surely not done (never sent, or answered by a failure that excludes success).

    A refusal that does not judge what was sent is such a failure, too: it has a `status`.

    `unreachable` is true where the server as a whole could not be reached or is out of order, so
    that the failure says nothing about this request: no other need be tried meanwhile.
    """

    def __init__(
        self, detail: str, *, status: int | None = None, unreachable: bool = False
    ) -> None:
        super().__init__(detail, status=status)
        self.unreachable = unreachable


class NoUploads(Transient):
    """Surely not done: no file is taken as things stand, and that is not about one file.

    A proxy that refuses, an endpoint that is missing, a run of files refused alike, or a disk of
    ours without room. Posts without media are not concerned.
    """


class Throttled(NetworkError):
    """Surely not done: a limit is used up. `until` is when to try again (aware, UTC), if told."""

    def __init__(
        self, detail: str, *, until: datetime | None = None, status: int | None = None
    ) -> None:
        super().__init__(detail, status=status)
        self.until = until


class Refused(NetworkError):
    """Surely not done, and the same request will never be: the network judged what was sent.

    `missing` is true where the refusal says that a post we referred to (the parent of a reply)
    does not exist. `too_long` is true where the refusal is about length. `duplicate` is true where
    the network says that it already has this text: evidence, not proof, of an earlier success.
    `media` is true where the refusal is about the files that were named, not about the post.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        missing: bool = False,
        too_long: bool = False,
        duplicate: bool = False,
        media: bool = False,
    ) -> None:
        super().__init__(detail, status=status)
        self.missing = missing
        self.too_long = too_long
        self.duplicate = duplicate
        self.media = media


class Unauthorised(NetworkError):
    """Surely not done: credentials, permission or money are missing; only the owner can mend it.

    `until` is set where the network itself says when it opens again (a spend cap's reset date).
    """

    def __init__(
        self, detail: str, *, status: int | None = None, until: datetime | None = None
    ) -> None:
        super().__init__(detail, status=status)
        self.until = until


class Unpaid(Unauthorised):
    """The network knows the owner and wants money: credits, a higher cap, or another plan.

    `until` is when the cap's next cycle begins, where the network says so.
    """


class Barred(Unauthorised):
    """The network knows the owner, but this account may not post: moved, suspended, disabled.

    It concerns every post of the account; `detail` says what its owner can do.
    """


class WrongAccount(Unauthorised):
    """The credentials belong to another account than the one that the ledger knows for a bridge.

    Nothing was asked of the network but whose they are. `network` is its name.
    """

    def __init__(self, detail: str, *, network: str) -> None:
        super().__init__(detail)
        self.network = network


class InDoubt(NetworkError):
    """May have been done: time-out after sending, reset, 5xx on a create, an unreadable success."""


class NothingFits(TwinpostError):
    """No route or post is meant by what a command named."""


class MediaError(TwinpostError):
    """A medium cannot be had, or must not be passed on; the message is a sentence for people.

    `lasting` is true where the file itself is at fault (empty, a bomb, of no known type), so that
    asking for it again is in vain.
    """

    def __init__(self, detail: str, *, lasting: bool = False) -> None:
        super().__init__(detail)
        self.lasting = lasting


class DiskFull(MediaError):
    """This disk has no room for the file: a reason to wait, and no fault of the medium."""


class UnfitError(TwinpostError):
    """A post cannot be fitted to the other network (a limit smaller than one grapheme, say)."""
