"""The master key in Secrets Manager."""

from fillpath.errors import StorageUnavailable
from fillpath_aws.clients import SecretsManager

SHORTEST = 32


class SecretsManagerMasterKey:
    """MasterKey whose value is the secret's text; read once per process."""

    def __init__(self, secrets_manager: SecretsManager, secret_id: str) -> None:
        self._secrets_manager = secrets_manager
        self._secret_id = secret_id
        self._key: bytes | None = None

    def read(self) -> bytes:
        """The key; StorageUnavailable too if what is stored is shorter than a key may be."""
        if self._key is None:
            text: str = self._secrets_manager.get_secret_value(SecretId=self._secret_id).get("SecretString", "")
            if len(text.encode()) < SHORTEST:
                raise StorageUnavailable(f"the master key is shorter than {SHORTEST} bytes")
            self._key = text.encode()
        return self._key
