"""Scenarios: from a seed to a venue, held positions, signals of several sources, halts, prices and faults."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Gate
from fillpath.orders.model import OrderType, Source
from tests.simulation.faults import FaultPlan, Kind, MessageFault, Phase, Point, Strike

QUIET_S = 600.0
MAIN, OTHER = "A1", "A2"
CONTRACTS = {"ES": "ESH6", "NQ": "NQH6"}
OLDER_CONTRACT = {"ES": "ESZ5", "NQ": "NQZ5"}
MIDDLE = 100

_TYPES = frozenset({"market", "limit", "stop", "oco"})
_TIME_IN_FORCE = frozenset({"day", "gtc"})


def _venue(deduplicates_s: int, quarantine_s: int | None, reduce_only: bool, oco: bool = True) -> Capabilities:
    return Capabilities(
        order_types=_TYPES,
        time_in_force=_TIME_IN_FORCE,
        bracket=True,
        oco=oco,
        deduplicates_s=deduplicates_s,
        quarantine_s=quarantine_s,
        reduce_only=reduce_only,
        credentials_required=False,
    )


VENUES = {
    "deduplicates": _venue(86_400, 10, True),
    "deduplicates, no reduce-only": _venue(86_400, 10, False),
    "deduplicates for two minutes": _venue(120, 20, False),
    "proves absence": _venue(0, 10, True),
    "proves absence, no reduce-only": _venue(0, 10, False, oco=False),
    "proves nothing": _venue(0, None, True),
    "proves absence after a while": _venue(0, 45, True),
    "proves nothing, no reduce-only": _venue(0, None, False),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """One intent to trade, at a second of the scenario. Webhook signals are posted as alerts, `posts` times in all."""

    at: float
    source: Source
    action: str
    order_type: str = "entry"
    root: str = "ES"
    accounts: tuple[str, ...] = (MAIN,)
    quantity: int = 1
    type: OrderType = OrderType.MARKET
    price: int | None = None
    take_profit: int | None = None
    stop_loss: int | None = None
    target: int | None = None
    prev: int | None = None
    only_from: tuple[str, ...] = ()
    contracts: bool = False
    posts: tuple[float, ...] = (0.0,)
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HaltOrder:
    """A halt of a scope at a second, lifted at another one or never."""

    at: float
    scope: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a run depends on."""

    seed: int
    venue: str
    gate: Gate
    held: dict[tuple[str, str], int]
    stops: tuple[tuple[str, str], ...]
    signals: tuple[Signal, ...]
    halts: tuple[HaltOrder, ...]
    prices: tuple[tuple[float, str, int], ...]
    by_hand: tuple[tuple[float, tuple[str, str]], ...] = ()
    faults: FaultPlan = field(default_factory=FaultPlan)

    @property
    def capabilities(self) -> Capabilities:
        """What its venue can do."""
        return VENUES[self.venue]

    @property
    def holdings(self) -> dict[tuple[str, str], Decimal]:
        """What is held when it begins."""
        return {key: Decimal(quantity) for key, quantity in self.held.items()}

    @property
    def quiet_from(self) -> float:
        """From here on nothing goes wrong."""
        return self.faults.until

    @property
    def ends_at(self) -> float:
        """When it is judged."""
        return self.quiet_from + QUIET_S


def draw(seed: int) -> Scenario:
    """The scenario of a seed."""
    random = Random(f"scenario {seed}")
    signals = _signals(random)
    last = max(signal.at for signal in signals)
    until = last + random.uniform(60, 150)
    held = _held(random)
    return Scenario(
        seed=seed,
        venue=random.choice(list(VENUES)),
        gate=random.choices(list(Gate), (7, 1, 1))[0],
        held=held,
        stops=tuple(key for key in held if random.random() < 0.35 and key[1] in CONTRACTS.values()),
        signals=signals,
        halts=_halts(random, signals),
        prices=_prices(random, until),
        by_hand=_by_hand(random, until),
        faults=_faults(random, until),
    )


def _held(random: Random) -> dict[tuple[str, str], int]:
    held = {(MAIN, "ESH6"): random.choice((-3, -2, -1, 1, 2, 3))}
    if random.random() < 0.12:
        held[MAIN, "ESZ5"] = random.choice((1, 2)) * (1 if held[MAIN, "ESH6"] > 0 else -1)
        if random.random() < 0.5:
            del held[MAIN, "ESH6"]
    if random.random() < 0.4:
        held[MAIN, "NQH6"] = random.choice((-2, -1, 1, 2))
    if random.random() < 0.4:
        held[OTHER, "ESH6"] = random.choice((-2, -1, 1, 2))
    return held


def _signals(random: Random) -> tuple[Signal, ...]:
    count = random.choice((3, 3, 4, 4, 5, 6))
    sources = [Source.WEBHOOK, random.choice((Source.DASHBOARD, Source.RISK, Source.STRATEGY))]
    sources += [random.choice((Source.WEBHOOK, Source.WEBHOOK, Source.DASHBOARD, Source.RISK)) for _ in range(count - 2)]
    random.shuffle(sources)
    at, signals = 1.0, []
    for source in sources:
        at += random.choice((0.03, 0.3, 0.3, 2, 5, 12, 25)) * random.uniform(0.5, 1.5)
        signals.append(_signal(random, round(at, 3), source))
    return tuple(signals)


_WANTS = (
    ("buy", "entry", 5),
    ("sell", "entry", 5),
    ("sell", "exit", 2),
    ("buy", "exit", 2),
    ("close", "entry", 3),
    ("close_long", "entry", 1),
    ("close_short", "entry", 1),
    ("target", "entry", 3),
    ("cancel", "entry", 1),
)


def _signal(random: Random, at: float, source: Source) -> Signal:
    action, order_type, _ = random.choices(_WANTS, [weight for *_, weight in _WANTS])[0]
    if source is Source.RISK and action in {"buy", "sell", "target"} and order_type == "entry":
        action, order_type = "close", "entry"
    kind, price = _kind(random, action, order_type)
    target = random.choice((-2, -1, 0, 0, 1, 2)) if action == "target" else None
    prev = random.choice((None, -1, 1, 2)) if action == "target" else None
    webhook = source is Source.WEBHOOK
    opens = (action in {"buy", "sell"} and order_type == "entry") or bool(target)
    up = target > 0 if target else action == "buy"
    take_profit, stop_loss = _exits(random, up, MIDDLE if price is None else price) if opens else (None, None)
    return Signal(
        at,
        source,
        action,
        order_type,
        root="NQ" if random.random() < 0.12 else "ES",
        accounts=(MAIN, OTHER) if webhook and random.random() < 0.3 else (MAIN if random.random() < 0.92 else OTHER,),
        quantity=random.choice((1, 1, 2, 3)),
        type=kind,
        price=price,
        take_profit=take_profit,
        stop_loss=stop_loss,
        target=target,
        prev=prev,
        only_from=_only_from(random) if opens and not target else (),
        contracts=opens and not target and random.random() < 0.1,
        posts=(0.0, *(random.uniform(0.01, 20) for _ in range(random.choice((0, 0, 1, 2))))) if webhook else (0.0,),
        late_s=random.choice((0, 0, 0, 0, random.uniform(2, 25))) if webhook else 0.0,
    )


def _exits(random: Random, up: bool, price: int) -> tuple[int | None, int | None]:
    """A take profit, a stop loss, mostly both, or none."""
    if random.random() < 0.5:
        return None, None
    sign = 1 if up else -1
    profit, loss = price + sign * random.randint(2, 7), price - sign * random.randint(2, 7)
    return random.choices(((profit, loss), (profit, None), (None, loss)), (6, 1, 2))[0]


def _only_from(random: Random) -> tuple[str, ...]:
    return random.choice((("flat",), ("flat", "long"), ("short", "flat"))) if random.random() < 0.08 else ()


def _by_hand(random: Random, until: float) -> tuple[tuple[float, tuple[str, str]], ...]:
    """What a person closes at the broker once everything is quiet, so that what rests is all that is left."""
    if random.random() > 0.25:
        return ()
    return ((until + random.uniform(150, 240), (MAIN, CONTRACTS[random.choice(("ES", "ES", "NQ"))])),)


def _kind(random: Random, action: str, order_type: str) -> tuple[OrderType, int | None]:
    if action not in {"buy", "sell"} or random.random() < 0.68:
        return OrderType.MARKET, None
    up = random.randint(1, 6)
    if random.random() < 0.5:
        return OrderType.LIMIT, MIDDLE + (-up if action == "buy" else up)
    return OrderType.STOP, MIDDLE + (up if action == "buy" else -up)


def _halts(random: Random, signals: tuple[Signal, ...]) -> tuple[HaltOrder, ...]:
    if random.random() > 0.3:
        return ()
    near = random.choice(signals)
    at = max(0.1, near.at + random.choice((random.uniform(0.0, 0.6), random.uniform(-3, 10))))
    scope = random.choice(("environment", "user:U1", f"account:{MAIN}"))
    return (HaltOrder(at, scope, at + random.uniform(1, 60) if random.random() < 0.5 else None),)


def _prices(random: Random, until: float) -> tuple[tuple[float, str, int], ...]:
    moves, at, price = [], 0.0, {"ES": MIDDLE, "NQ": MIDDLE}
    while at < until + 120:
        at += random.uniform(3, 40)
        root = random.choice(("ES", "ES", "NQ"))
        price[root] = min(108, max(92, price[root] + random.randint(-5, 5)))
        moves.append((at, root, price[root]))
    return tuple(moves)


_HOT = (
    *(
        Point("execute", method, phase)
        for method in ("desk.submit", "orders.save", "orders.take", "checks.check")
        for phase in Phase
    ),
    *(Point("execute", method, phase) for method in ("desk.submit", "desk.look_up", "desk.positions") for phase in Phase),
    *(Point(step, "desk.submit", phase) for step in ("close", "open") for phase in Phase),
    *(Point(step, "orders.save", phase) for step in ("prepare", "close", "poll_fill", "open", "abort") for phase in Phase),
    *(Point("verify", "orders.save", phase) for phase in Phase),
)


def _faults(random: Random, until: float) -> FaultPlan:
    steps = {step: random.randrange(60) for step in random.sample(range(5, 71), 2)}
    strikes: list[Strike] = []
    messages: dict[tuple[str, int], MessageFault] = {}
    outages: list[tuple[float, float]] = []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        match random.choices(("step", "hot", "message", "outage"), (30, 40, 25, 8))[0]:
            case "step":
                steps[random.randint(1, 260)] = random.randrange(60)
            case "hot":
                strikes.append(_strike(random, random.choice(_HOT)))
            case "message":
                queue = random.choice(("orders", "orders", "verification", "stream"))
                messages[queue, random.randint(1, 8)] = random.choice(list(MessageFault))
            case _:
                start = random.uniform(0, until - 40)
                outages.append((start, start + random.choice((2, 10, 30, 60, 150)) * random.uniform(0.5, 1)))
    return FaultPlan(tuple(strikes), steps, messages, tuple(outages), until)


def _strike(random: Random, point: Point) -> Strike:
    possible = [Kind.CRASH, Kind.UNANSWERED, Kind.SLOW]
    if point.phase is Phase.BEFORE:
        possible = [Kind.CRASH, Kind.REFUSED, Kind.LATE, Kind.SLOW]
    return Strike(point, random.choice((1, 1, 1, 2, 3)), random.choice(possible))
