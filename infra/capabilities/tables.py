"""A DynamoDB table: string keys `pk` and `sk`, on demand, encrypted with the environment's key, point-in-time recovery."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import Settings


class Table(Construct):
    """One table of docs/tables.md; protected against deletion where the environment is."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey, ttl: bool = False, stream: bool = False
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            table_name=f"{settings.prefix}-{construct_id.lower()}",
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
            time_to_live_attribute="expires_at" if ttl else None,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if stream else None,
            deletion_protection=settings.protected,
            removal_policy=settings.removal_policy,
        )

    def add_index(self, name: str, partition_key: str, sort_key: str) -> None:
        """A global secondary index with all attributes."""
        self.table.add_global_secondary_index(index_name=name, partition_key=_string(partition_key), sort_key=_string(sort_key))


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
