"""Where things are: the checkout, and the folder of one local stack."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ROOT / ".local"


@dataclass(frozen=True)
class Local:
    """The files of one local stack. Several can live side by side, each with its own folder and port."""

    folder: Path

    @property
    def stack(self) -> Path:
        """The description for programs: addresses, keys, names."""
        return self.folder / "stack.json"

    @property
    def outputs(self) -> Path:
        """What the CDK stacks gave out at the last deployment."""
        return self.folder / "outputs.json"

    @property
    def deployed(self) -> Path:
        """The fingerprint of what was deployed last."""
        return self.folder / "deployed"

    @property
    def deploy_log(self) -> Path:
        """All that the CDK said at the last deployment."""
        return self.folder / "deploy.log"

    @property
    def deployer(self) -> Path:
        """Which process deploys now; of a killed `up` it says what to stop."""
        return self.folder / "deployer.json"

    @property
    def lock(self) -> Path:
        """Held by the `up` that is at work."""
        return self.folder / "up.lock"

    @property
    def assembly(self) -> Path:
        """The synthesized templates."""
        return self.folder / "cdk.out"

    @property
    def emulator(self) -> Path:
        """The emulator's own folder; without it the stack starts empty."""
        return self.folder / "emulator"
