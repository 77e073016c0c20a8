"""What Novu's activity feed shows of a chunk: asked before any repetition of a send whose outcome is not known.

Looks only. Called by `deliver.send`, and when a notification ends FAILED with something unclear.
"""

from dataclasses import dataclass

from xnovu.core.partial import transactions
from xnovu.core.recipients import Chunk
from xnovu.core.records import Notification
from xnovu_activities.ports import Novu


@dataclass(frozen=True, slots=True)
class Seen:
    """`people`, `topics`: got it. `own`: something of this very generation was accepted.

    `free_round`: number for a send to the missing alone: the last one if it showed nothing, else a new one. Novu drops
    the second use of a transaction id, so one that reached anybody is used up.
    """

    people: frozenset[str]
    topics: frozenset[str]
    own: bool
    free_round: int

    def covers(self, chunk: Chunk) -> bool:
        return self.people >= frozenset(chunk.recipients) and self.topics >= frozenset(chunk.topics)

    def missing(self, chunk: Chunk) -> Chunk:
        """The rest of the chunk."""
        return Chunk(
            chunk.index,
            tuple(r for r in chunk.recipients if r not in self.people),
            tuple(t for t in chunk.topics if t not in self.topics),
        )


async def look(novu: Novu, notification: Notification, chunk: Chunk) -> Seen:
    """Ask about every transaction under which the chunk may have been sent. Raises what `ports.Novu` names."""
    people: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    first, *rounds = transactions(notification, notification.generation, chunk.index)
    plain = await novu.accepted(first)
    free = 1
    for number, transaction in enumerate(rounds, 1):
        found = await novu.accepted(transaction)
        people |= found
        free = number + 1 if found else number
    # Who a topic stands for is Novu's to know: that anybody was reached says that the call was accepted.
    if chunk.topics and plain:
        people, topics = people | frozenset(chunk.recipients), topics | frozenset(chunk.topics)
    own = bool(plain or people)
    for earlier in notification.unclear:
        for transaction in earlier.transactions:
            found = await novu.accepted(transaction)
            people |= found
            topics |= frozenset(earlier.topics) if found else frozenset()
    return Seen(people | plain, topics, own, free)
