"""What lets accounts in, in Secrets Manager: one secret per account, named after it, encrypted with the environment's key.

Secrets Manager encrypts each secret in the context of its own ARN, which has the account's id in it: a key policy can name it.
It keeps about a hundred versions of a secret and drops older ones within a day, so a token should live for some minutes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fillpath.accounts.access import Access, Token
from fillpath.errors import NotFound, StorageUnavailable
from fillpath_aws.clients import SecretsManager
from fillpath_aws.json_rpc import AwsError
from fillpath_aws.wire import instant

_MISSING, _THERE = "ResourceNotFoundException", "ResourceExistsException"


class SecretsManagerAccessVault:
    """AccessVault whose secrets are `<prefix>/<account_id>`. `key_id`: encrypts new ones; not needed where there are none."""

    def __init__(self, secrets_manager: SecretsManager, prefix: str, key_id: str | None = None) -> None:
        self._secrets_manager = secrets_manager
        self._prefix = prefix
        self._key_id = key_id

    def read(self, account_id: str) -> Access:
        """What is stored; StorageUnavailable too if it cannot be read as what `write` stores."""
        try:
            text = self._secrets_manager.get_secret_value(SecretId=self._name(account_id))["SecretString"]
        except AwsError as error:
            if error.code == _MISSING:
                raise NotFound(f"the secret of account {account_id}") from error
            raise
        try:
            return _access(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            # Without its cause, which quotes the secret.
            raise StorageUnavailable(f"the secret of account {account_id} cannot be understood; sign in again") from None

    def write(self, account_id: str, access: Access) -> None:
        """Store a new version; the first one makes the secret."""
        name, text = self._name(account_id), json.dumps(_document(access))
        try:
            self._secrets_manager.put_secret_value(SecretId=name, SecretString=text)
        except AwsError as error:
            if error.code != _MISSING:
                raise
            self._create(account_id, text)

    def delete(self, account_id: str) -> None:
        """Forget it at once, without the days in which it could be got back."""
        try:
            self._secrets_manager.delete_secret(SecretId=self._name(account_id), ForceDeleteWithoutRecovery=True)
        except AwsError as error:
            if error.code != _MISSING:
                raise

    def _create(self, account_id: str, text: str) -> None:
        name, key = self._name(account_id), {"KmsKeyId": self._key_id} if self._key_id else {}
        about = f"Lets account {account_id} in at its venue"
        try:
            self._secrets_manager.create_secret(Name=name, SecretString=text, Description=about, **key)
        except AwsError as error:
            if error.code != _THERE:
                raise
            # Made by an attempt whose answer was lost, or by somebody else just now.
            self._secrets_manager.put_secret_value(SecretId=name, SecretString=text)

    def _name(self, account_id: str) -> str:
        return f"{self._prefix}/{account_id}"


def _document(access: Access) -> dict[str, Any]:
    document: dict[str, Any] = {"version": access.version, "credentials": dict(access.credentials)}
    token = access.token
    if token is not None:
        document["token"] = {
            "access_token": token.access_token,
            "expires_at": instant(token.expires_at),
            "refresh_token": token.refresh_token,
            "refresh_expires_at": instant(token.refresh_expires_at) if token.refresh_expires_at else None,
            "extra": dict(token.extra),
        }
    return document


def _access(document: Mapping[str, Any]) -> Access:
    token = document.get("token")
    return Access(dict(document["credentials"]), _token(token) if token else None, int(document["version"]))


def _token(content: Mapping[str, Any]) -> Token:
    ends = content["refresh_expires_at"]
    return Token(
        content["access_token"],
        datetime.fromisoformat(content["expires_at"]),
        content["refresh_token"],
        datetime.fromisoformat(ends) if ends else None,
        dict(content["extra"]),
    )
