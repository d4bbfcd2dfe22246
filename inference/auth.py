"""Who may ask: bearer tokens (JWT, RFC 7519) that are issued for this tenant, checked against a set of public keys.

A token says its tenant in `aud`, must expire, and is signed with a key of the set. Keys are read again every minute,
and soon after a token names one that is not known, so that they can be rotated; if that fails the old ones stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import urllib.request
from pathlib import Path

import jwt

from inference.errors import RequestError

__all__ = ["Authority", "KeysError"]

# Signatures only: with HMAC, whoever can check a token can make one.
_ALGORITHMS = {"EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
_SKEW_SECONDS = 30
_REFRESH_SECONDS = 60
_SOON_SECONDS = 5
_FETCH_SECONDS = 10
_REMEMBERED = 1_024
_LONGEST = 8_192
_log = logging.getLogger("inference")


class KeysError(RuntimeError):
    """The key set cannot be read, or holds no key that is accepted."""


class Authority:
    """Checks tokens; call it from the event loop alone."""

    def __init__(self, source: str, tenant: str) -> None:
        """Read the keys, from a file or an http(s) URL.

        Raises:
            KeysError: that failed: without keys nothing is served.
        """
        self._source = source
        self._tenant = tenant
        self._keys = _read(source)
        self._stale = asyncio.Event()
        self._valid: dict[str, float] = {}
        """Tokens that were checked, and until when that holds: checking a signature takes as long as three answers."""

    def check(self, authorization: str | None) -> None:
        """Let a request pass by its header ``Authorization``.

        Raises:
            RequestError: 401 without a valid token, 403 with another tenant's.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST:
            raise _refused("a bearer token is required")
        now = time.time()
        if self._valid.get(token, 0) > now:
            return
        expires = self._verified(token)
        if len(self._valid) >= _REMEMBERED:
            self._valid.clear()
        self._valid[token] = min(expires, now + _REFRESH_SECONDS)

    def _verified(self, token: str) -> float:
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._tenant,
                leeway=_SKEW_SECONDS,
                options={"require": ["exp", "aud"]},
            )
        except jwt.InvalidAudienceError as error:
            raise RequestError(403, "Authorization: the token is not for this tenant") from error
        except jwt.ExpiredSignatureError as error:
            raise _refused("the token has expired") from error
        except jwt.PyJWTError as error:
            raise _refused("the token is not valid") from error
        return float(claims["exp"]) + _SKEW_SECONDS

    def _key(self, name: str | None) -> jwt.PyJWK:
        if name is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if name not in self._keys:
            self._stale.set()
            raise _refused("the token's key is not known")
        return self._keys[name]

    async def refresh(self) -> None:
        """Read the keys again and again, until cancelled."""
        while True:
            await asyncio.sleep(_SOON_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stale.wait(), _REFRESH_SECONDS - _SOON_SECONDS)
            self._stale.clear()
            try:
                self._keys = await asyncio.to_thread(_read, self._source)
            except KeysError as error:
                _log.warning("%s; the keys that were read before stay", error)
            else:
                # A token may not outlive its key.
                self._valid.clear()


def _refused(why: str) -> RequestError:
    return RequestError(401, f"Authorization: {why}")


def _read(source: str) -> dict[str | None, jwt.PyJWK]:
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=_FETCH_SECONDS) as answer:  # noqa: S310 # the two above only
                document = json.load(answer)
        else:
            document = json.loads(Path(source).read_text())
        found = jwt.PyJWKSet.from_dict(document).keys
    except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
        raise KeysError(f"the keys at {source} cannot be read ({type(error).__name__})") from error
    keys = {key.key_id: key for key in found if key.algorithm_name in _ALGORITHMS}
    if not keys:
        raise KeysError(f"the keys at {source} hold none of the algorithms {', '.join(sorted(_ALGORITHMS))}")
    return keys
