"""Operation: the alarm topic and every alarm, one line each."""

from typing import NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.capabilities.alarms import MINUTE, Alarms, AlarmTopic, reported
from infra.settings import Settings
from infra.stacks.edge import EdgeStack
from infra.stacks.environment import EnvironmentStack
from infra.stacks.orders import OrdersStack
from infra.stacks.state import StateStack


class Event(NamedTuple):
    """Something that a person must see, and the functions in which it can happen."""

    metric: str
    services: tuple[str, ...]
    meaning: str


# By runbook. VerificationGivenUp is not among them: it comes with a message in the dead-letter queue.
EVENTS = {
    "broker-silent": Event("BrokerSilent", ("execute_order", "reversal"), "A broker takes nothing for minutes"),
    "late-fill": Event(
        "LateFill", ("execute_order", "reversal", "verify_fill", "sweep"), "A fill came after its order had ended"
    ),
    "order-vanished": Event(
        "OrderVanished", ("execute_order", "reversal", "verify_fill", "sweep"), "A broker does not know an order it had accepted"
    ),
    "overfilled": Event(
        "Overfilled", ("execute_order", "reversal", "verify_fill", "sweep"), "More was filled at the broker than was ordered here"
    ),
    "protection-lost": Event(
        "ProtectionLost", ("execute_order", "verify_fill", "sweep"), "What protected a position could not be placed again"
    ),
    "reversal-aborted": Event("ReversalAborted", ("reversal", "sweep"), "A reversal was aborted; the order says what is held"),
    "unknown-ahead-expired": Event(
        "UnknownAheadExpired", ("execute_order", "sweep"), "A reduction expired behind an order of unknown outcome"
    ),
}


class OpsStack(EnvironmentStack):
    """What a person is told, and by what."""

    def __init__(self, scope: Construct, *, settings: Settings, state: StateStack, orders: OrdersStack, edge: EdgeStack) -> None:
        super().__init__(scope, "Ops", settings=settings)
        topic = AlarmTopic(self, "AlarmTopic", settings=settings, key=state.key).topic
        self._grant_publishing(topic)
        self._alarms = Alarms(self, "Alarms", settings=settings, topic=topic)
        self._watch_queues(state)
        self._watch_orders()
        self._watch_functions(orders)
        self._watch_reversals(orders)
        self._watch_webhook(edge)
        self.publish({"AlarmTopicArn": topic.topic_arn})

    def _grant_publishing(self, topic: sns.Topic) -> None:
        """A topic that refuses plain HTTP has a policy, and with a policy alarms must be let in by name."""
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )

    def _watch_queues(self, state: StateStack) -> None:
        add = self._alarms.add
        dead = "A message ended in the dead-letter queue"
        add("orders-dlq", _waiting(state.orders_queue.dead_letters), f"{dead} of orders", runbook="dead-letters")
        add(
            "verification-dlq", _waiting(state.verification_queue.dead_letters), f"{dead} of verification", runbook="dead-letters"
        )
        add("wake-dlq", _waiting(state.wake_failures), "A stream record could not wake its lane", runbook="dead-letters")
        late = "Messages wait longer than they should in the queue"
        add("orders-age", _age(state.orders_queue.queue), f"{late} of orders", runbook="queue-age", above=60, minutes=2)
        # A leg is checked for about a minute before it is given up.
        add("verification-age", _age(state.verification_queue.queue), f"{late} of verification", runbook="queue-age", above=600)

    def _watch_orders(self) -> None:
        """What the functions report, one alarm per function that may report it; a metric is one of one function."""
        for name, event in EVENTS.items():
            for service in event.services:
                metric = reported(event.metric, service, self.settings)
                self._alarms.add(f"{name}-{_kebab(service)}", metric, event.meaning, runbook=name)
        oldest = reported("OldestUnknownSeconds", "sweep", self.settings, statistic="Maximum")
        self._alarms.add("oldest-unknown", oldest, "An order's outcome has been unknown for five minutes", above=300)
        self._watch_access()
        errors = reported("SweepErrors", "sweep", self.settings)
        self._alarms.add("unsettled-orders", errors, "The sweeper could not settle an order", minutes=3)

    def _watch_access(self) -> None:
        """What the renewal of tokens reports: counts in each minute of accounts as they are then."""
        failed = reported("TokenRenewalFailed", "refresh_tokens", self.settings)
        self._alarms.add("token-renewal", failed, "An account's token could not be renewed three minutes in a row", minutes=3)
        reauth = reported("NeedsReauth", "refresh_tokens", self.settings, statistic="Maximum")
        self._alarms.add("needs-reauth", reauth, "An account lets nobody in until a person signs in")
        soon = reported("SignInDueSoon", "refresh_tokens", self.settings, statistic="Maximum")
        self._alarms.add("sign-in-due", soon, "The login of an account ends within two days", minutes=3)

    def _watch_functions(self, orders: OrdersStack) -> None:
        for function in orders.functions:
            name = _kebab(function.service)
            errors = function.function.metric_errors(period=MINUTE, statistic="Sum")
            throttles = function.function.metric_throttles(period=MINUTE, statistic="Sum")
            self._alarms.add(f"{name}-errors", errors, f"Function {function.service} failed", runbook="function-errors")
            self._alarms.add(
                f"{name}-throttles", throttles, f"Function {function.service} was held back", runbook="function-throttles"
            )
        age = orders.wake.function.metric("IteratorAge", period=MINUTE, statistic="Maximum")
        self._alarms.add("stream-behind", age, "The orders table's stream is read a minute late", above=60_000, minutes=2)

    def _watch_reversals(self, orders: OrdersStack) -> None:
        workflow = orders.workflow.machine
        ends = {
            "failed": workflow.metric_failed(period=MINUTE, statistic="Sum"),
            "timed-out": workflow.metric_timed_out(period=MINUTE, statistic="Sum"),
            "stopped": workflow.metric_aborted(period=MINUTE, statistic="Sum"),
        }
        for end, metric in ends.items():
            meaning = "A reversal's workflow ended before its order did"
            self._alarms.add(f"reversal-workflow-{end}", metric, meaning, runbook="reversal-workflow")

    def _watch_webhook(self, edge: EdgeStack) -> None:
        errors = edge.api.metric_server_error(period=MINUTE, statistic="Sum")
        self._alarms.add("webhook-5xx", errors, "The webhook answered with a 5xx")


def _waiting(queue: sqs.IQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum")


def _age(queue: sqs.IQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum")


def _kebab(service: str) -> str:
    return service.replace("_", "-")
