"""What wakes a function: a FIFO queue or the stream of a table.

Plain CloudFormation resources, because the higher constructs add grants of their own; those are the stack's business.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

Source = lambda_.CfnEventSourceMapping


class QueueSource(Construct):
    """One message at a time: a slow or failing one holds up only its own message group."""

    def __init__(self, scope: Construct, construct_id: str, *, function: lambda_.IFunction, queue: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        Source(
            self,
            "Mapping",
            function_name=function.function_name,
            event_source_arn=queue.queue_arn,
            batch_size=1,
            function_response_types=["ReportBatchItemFailures"],
        )


class StreamSource(Construct):
    """The records that match one of `filters`; a record that keeps failing goes to `failed_events`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.IFunction,
        table: dynamodb.ITable,
        filters: Sequence[Mapping[str, Any]],
        failed_events: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        Source(
            self,
            "Mapping",
            function_name=function.function_name,
            event_source_arn=table.table_stream_arn,
            # From the oldest record: LATEST would skip what is written while the mapping comes up.
            starting_position="TRIM_HORIZON",
            batch_size=10,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_retry_attempts=5,
            # The sweeper has woken the lane long before.
            maximum_record_age_in_seconds=300,
            filter_criteria=Source.FilterCriteriaProperty(
                filters=[Source.FilterProperty(pattern=json.dumps(pattern)) for pattern in filters]
            ),
            destination_config=Source.DestinationConfigProperty(
                on_failure=Source.OnFailureProperty(destination=failed_events.queue_arn)
            ),
        )
