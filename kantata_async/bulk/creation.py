"""Creating the rows of a batch, each once: sent, matched with the answer, looked for before anything is sent again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeVar

import attrs

from ..calls import Connection, Operation, check_call
from ..errors import ErrorDetail, KantataError
from ..model import Entity
from .changing import Update
from .claims import Claims, KeyTurns
from .fate import MOST_SENDINGS, SETTLING, Fate, errors_of, wait_asked_for, wait_before_looking
from .finding import Finding, Presence, with_presence
from .ledger import Ledger, errors_by_row
from .looking import Look
from .matching import match_rows
from .recognizing import Recognition
from .rows import Row

E = TypeVar("E", bound=Entity)

IfExists = Literal["skip", "update", "reject"]

_NOT_IN_THE_ANSWER: Final = "no object in the answer is certain to be this row's"

Errors = Mapping[Row, tuple[ErrorDetail, ...]]
"""What the API says of single rows."""

Disputed = dict[Row, E]
"""Rows that the API named, though their objects were made by then."""

Suspects = dict[Row, tuple[ErrorDetail, ...]]
"""Rows that the API named, surely not carried out; emptied when it is known whether they were at fault."""


@attrs.define
class Manners:
    """What this call has learnt about how the API answers.

    Attributes:
        all_or_nothing: the statuses of refusals that proved to leave nothing of a batch carried out.
        names_rows: whether the positions that it gives may be those of the rows at fault.
    """

    all_or_nothing: set[int] = attrs.field(factory=set)
    names_rows: bool = True


@attrs.frozen
class Creation(Generic[E]):
    """How the rows of one bulk create are brought to their outcomes.

    Attributes:
        connection: the way to the server.
        create: the operation.
        update: how rows that are there are changed, with ``if_exists="update"``.
        asked: what the answers are to carry.
        look: how to find the objects of rows; None where there is no way.
        if_exists: what becomes of rows whose object was there before. With None they are reported as existing, and no
            look is made before the first sending.
    """

    connection: Connection
    create: Operation[E]
    update: Update[E] | None
    asked: Mapping[str, Any]
    look: Look[E] | None
    if_exists: IfExists | None
    _without_body: Operation[E] = attrs.field(
        init=False, default=attrs.Factory(lambda it: attrs.evolve(it.create, body=None), takes_self=True)
    )
    """The operation for rows that were checked when they were taken in."""
    _claims: Claims = attrs.field(factory=Claims, init=False)
    _recognition: Recognition[E] = attrs.field(
        init=False, default=attrs.Factory(lambda it: Recognition(it.connection, it.look, it._claims), takes_self=True)
    )
    _turns: KeyTurns = attrs.field(factory=KeyTurns, init=False)
    _manners: Manners = attrs.field(factory=Manners, init=False)

    async def settle(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Bring every row to its outcome.

        Raises:
            AuthenticationError: the API refuses the token, and would refuse every other row.
            UsageError: no row can be sent at all.
        """
        sought = _sought(rows)
        async with self._turns.of(row.key for row in sought):
            if self.if_exists is None:
                await self._create(rows, ledger)
                return
            unsought = [row for row in rows if row.key is None]
            ledger.note(unsought, "unknown", reason="not sent: nothing in the row identifies an object to look for")
            for ones in _each_key_once(sought):
                await self._create_what_is_not_there(ones, ledger)

    async def _create_what_is_not_there(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        found = await self._recognition.findings(rows, ledger, _any_will_do)
        for row, finding in found.items():
            match finding:
                case Finding(Presence.OURS | Presence.BEFORE, entity=entity) if entity is not None:
                    await self._exists(row, entity, ledger)
                case Finding(Presence.TAKEN):
                    self._exists_for_another_row(row, ledger)
                case Finding(Presence.UNSURE, reason=reason):
                    ledger.note([row], "unknown", reason=f"not sent, as it may be there: {reason}")
        await self._create(with_presence(Presence.ABSENT, found), ledger)

    # --- sending ---

    async def _create(
        self, rows: Sequence[Row], ledger: Ledger[E], *, sendings: int = 0, suspects: Suspects | None = None
    ) -> None:
        """Send rows, until each has its outcome.

        Args:
            rows: to send, surely not there.
            ledger: of their batch.
            sendings: how often they were sent in vain.
            suspects: those that the API named when it refused them together with these rows; when these go through
                without them, it was right.
        """
        suspects = {} if suspects is None else suspects
        if not rows:
            await self._reject(suspects, ledger)
            return
        if sendings == MOST_SENDINGS:
            ledger.note(rows, "not_sent", reason=f"it was sent {sendings} times in vain, and is not there")
            return
        ledger.sending(rows)
        began = asyncio.get_running_loop().time()
        try:
            entities = await self._send(rows)
        except KantataError as error:
            became = ledger.ended(rows, error)
            if became is Fate.ROWS_REFUSED:
                await self._check(suspects, ledger)
                await self._after_refusal(rows, ledger, error, began)
            else:
                await self._after_error(became, rows, ledger, error, sendings, suspects)
        except BaseException as error:
            ledger.interrupted(rows, error)
            raise
        else:
            await self._after_answer(rows, ledger, entities, began)
            await self._reject(suspects, ledger)

    async def _after_error(
        self,
        became: Fate,
        rows: Sequence[Row],
        ledger: Ledger[E],
        error: KantataError,
        sendings: int,
        suspects: Suspects,
    ) -> None:
        match became:
            case Fate.LOST:
                await self._after_lost_answer(rows, ledger, sendings, suspects)
            case Fate.UNSEEN:
                await self._after_answer_without(rows, ledger, str(error), is_complete=False)
                await self._reject(suspects, ledger)
            case Fate.UNAVAILABLE:
                await self._after_unavailable(rows, ledger, error, sendings, suspects)
            case Fate.TOO_LARGE:
                await self._in_halves(rows, ledger, error)

    async def _send(self, rows: Sequence[Row]) -> Sequence[E]:
        call = check_call(self._without_body, (), self.asked)
        wired = [row.wired for row in rows]
        if self.create.bulk_max is None:
            call = attrs.evolve(call, body={self.create.body_key: wired[0]})
        else:
            call = attrs.evolve(call, body={self.create.collection: wired})
        looked_after = len(_sought(rows)) == len(rows)
        answer = await self.connection.ask(call, looked_after=looked_after)
        items: Sequence[E] = self.connection.read(answer, call).items
        return items

    # --- after an answer ---

    async def _after_answer(self, rows: Sequence[Row], ledger: Ledger[E], entities: Sequence[E], began: float) -> None:
        is_older = self._recognition.is_older_than(began)
        free = [one for one in entities if one.collection == self.create.collection and one not in self._claims]
        mine = list({one.id: one for one in free}.values())
        # Where all of them are old, it is the server's dates that cannot be believed.
        mine = [one for one in mine if not is_older(one)] or mine
        natural = self.create.natural_key
        matched = match_rows([row.wired for row in rows], mine, natural.fields if natural is not None else ())
        created = [(row, entity) for row, entity in zip(rows, matched, strict=True) if entity is not None]
        self._claims.take_all([entity for _, entity in created])
        for row, entity in created:
            ledger.note([row], "created", entity=entity)
        missing = [row for row, entity in zip(rows, matched, strict=True) if entity is None]
        if missing:
            is_complete = len(mine) == len(rows) - len(missing)
            await self._after_answer_without(missing, ledger, _NOT_IN_THE_ANSWER, is_complete=is_complete)

    async def _after_answer_without(
        self, rows: Sequence[Row], ledger: Ledger[E], why: str, *, is_complete: bool
    ) -> None:
        """Look for rows that were carried out, but whose objects the answer does not identify.

        Args:
            rows: that are never sent again.
            ledger: of their batch.
            why: it does not.
            is_complete: whether every object of the answer was given to a row.
        """
        ledger.note(rows, "unknown", reason=why)
        sought = _sought(rows)
        if not sought:
            return
        await self.connection.sleep(SETTLING)
        found = await self._recognition.findings(sought, ledger, self._recognition.is_what_was_sent(ledger))
        await self._note_found(found, ledger)
        absent = with_presence(Presence.ABSENT, found)
        if is_complete:
            ledger.note(
                absent, "not_sent", reason="the answer reported success without its object, and it is not there"
            )
        else:
            ledger.cannot_tell(absent, "a look did not find it either")

    def _created(self, row: Row, entity: E, ledger: Ledger[E]) -> None:
        self._claims.take(entity)
        ledger.note([row], "created", entity=entity)

    # --- after a lost answer ---

    async def _after_lost_answer(
        self, rows: Sequence[Row], ledger: Ledger[E], sendings: int, suspects: Suspects
    ) -> None:
        sought = _sought(rows)
        if not sought:
            return
        await self.connection.sleep(SETTLING)
        await self._send_what_is_not_there(sought, ledger, sendings, suspects)

    async def _after_unavailable(
        self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError, sendings: int, suspects: Suspects
    ) -> None:
        """Look whether the API did nothing, as it says, before anything is sent again."""
        sought = _sought(rows)
        if len(sought) < len(rows):
            return  # the transport has sent it again as often as it does
        asked = wait_asked_for(error)
        if asked > self.connection.options.retry.deadline:
            return
        await self.connection.sleep(max(wait_before_looking(sendings + 1), asked))
        await self._send_what_is_not_there(sought, ledger, sendings, suspects)

    async def _send_what_is_not_there(
        self, rows: Sequence[Row], ledger: Ledger[E], sendings: int, suspects: Suspects
    ) -> None:
        found = await self._recognition.findings(rows, ledger, self._recognition.is_what_was_sent(ledger))
        await self._note_found(found, ledger)
        if with_presence(Presence.UNSURE, found):
            await self._check(suspects, ledger)
        left = with_presence(Presence.ABSENT, found) + with_presence(Presence.TAKEN, found)
        await self._create(left, ledger, sendings=sendings + 1, suspects=suspects)

    # --- after a refusal ---

    async def _after_refusal(self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError, began: float) -> None:
        """Tell the rows that were refused from those that were sent with them; `began` is when they were sent."""
        if len(rows) == 1:
            await self._settle_refused({rows[0]: errors_of(error)}, ledger)
            return
        named = errors_by_row(rows, error) if self._manners.names_rows else {}
        if named is None:
            self._manners.names_rows = False
            named = {}
        left, disputed = await self._left_of_refused(rows, named, ledger, error, began)
        suspects = {row: errors for row, errors in named.items() if row in left}
        rest = [row for row in left if row not in named]
        for row, errors in suspects.items():
            ledger.note(
                [row], "not_sent", errors=errors, reason="apparently refused because of other rows sent with it"
            )
        if suspects:
            await self._create_without(suspects, rest, rows, ledger, error)
        elif len(rest) < len(rows):
            await self._create(rest, ledger)
        else:
            await self._split(rest, ledger, error)
        await self._settle_disputed(disputed, [row for row in rows if row not in named], ledger)

    async def _settle_refused(self, refused: Errors, ledger: Ledger[E]) -> None:
        """Settle rows that were refused for themselves: they may be there already, which may be why."""
        is_what_was_sent = self._recognition.is_what_was_sent(ledger)

        def suffices(row: Row, entity: E) -> bool:
            return not ledger.was_lost(row) or is_what_was_sent(row, entity)

        unseen = [row for row in _sought(refused) if not ledger.is_known_absent(row)]
        found = await self._recognition.findings(unseen, ledger, suffices)
        for row, errors in refused.items():
            was_lost = ledger.was_lost(row)
            match found.get(row):
                case Finding(Presence.OURS, entity=entity) if entity is not None and was_lost:
                    self._created(row, entity, ledger)
                case Finding(entity=entity) if entity is not None:
                    await self._exists(row, entity, ledger)
                case Finding(Presence.UNSURE, reason=reason) if was_lost:
                    ledger.cannot_tell([row], reason or "")
                case _:
                    ledger.note([row], "rejected", errors=errors)

    async def _left_of_refused(
        self, rows: Sequence[Row], named: Errors, ledger: Ledger[E], error: KantataError, began: float
    ) -> tuple[list[Row], Disputed[E]]:
        """The rows of a refused batch that were surely not carried out, and those about which it contradicts itself.

        The others are noted as what they are.
        """
        if getattr(error, "status", None) in self._manners.all_or_nothing:
            ledger.note(rows, "not_sent", reason=str(error))
            return list(rows), {}
        ledger.note(rows, "unknown", reason=str(error))
        for row, errors in named.items():
            ledger.note([row], "unknown", errors=errors, reason="apparently refused because of other rows sent with it")
        sought = _sought(rows)
        unsought = [row for row in rows if row not in sought]
        ledger.cannot_tell(unsought, "there is no way to look whether parts of the batch were carried out")
        found = await self._recognition.findings(sought, ledger, self._recognition.is_what_was_refused(began))
        unnamed = {finding.presence for row, finding in found.items() if row not in named}
        disputed = {
            row: one.entity
            for row, one in found.items()
            if row in named and one.presence is Presence.OURS and one.entity is not None
        }
        if disputed and {Presence.OURS, Presence.ABSENT} <= unnamed:
            # It carried out the batch in part, and did not name what it left out.
            self._manners.names_rows = False
            disputed = {}
        for entity in disputed.values():
            self._claims.take(entity)
        ledger.cannot_tell(disputed, "an object like it was made at that time all the same")
        await self._note_found({row: one for row, one in found.items() if row not in disputed}, ledger)
        return with_presence(Presence.ABSENT, found) + with_presence(Presence.TAKEN, found), disputed

    async def _settle_disputed(self, disputed: Disputed[E], unnamed: Sequence[Row], ledger: Ledger[E]) -> None:
        """Settle rows that the API named, and whose objects were made at that time.

        Where it named all that was refused, it was right, and somebody else made them; else its positions are wrong.
        """
        came_to = {ledger.status_of(row) for row in unnamed}
        for row, entity in disputed.items():
            if came_to & {"rejected", "existing"}:
                self._manners.names_rows = False
                self._created(row, entity, ledger)
            elif came_to <= {"created"}:
                await self._exists(row, entity, ledger)

    async def _create_without(
        self,
        suspects: Suspects,
        rest: Sequence[Row],
        batch: Sequence[Row],
        ledger: Ledger[E],
        error: KantataError,
    ) -> None:
        """Send what the API did not name: when that goes through, what it named was at fault."""
        named = list(suspects)
        done = [row for row in batch if ledger.status_of(row) == "created"]
        is_all_else = len(rest) + len(done) + len(named) == len(batch)
        if is_all_else and not rest:
            await self._reject(suspects, ledger)  # there is nothing else that it could have been
        else:
            await self._create(rest, ledger, suspects=suspects if is_all_else else None)
        await self._check(suspects, ledger)
        if batch[0] in rest and ledger.are_rejected(named):
            self._learn_all_or_nothing(batch[0], ledger, error)

    async def _reject(self, suspects: Suspects, ledger: Ledger[E]) -> None:
        """Settle rows that the API named, and was right to."""
        refused = dict(suspects)
        suspects.clear()
        await self._settle_refused(refused, ledger)

    async def _check(self, suspects: Suspects, ledger: Ledger[E]) -> None:
        """Send rows that the API named, one by one: what it refuses alone is at fault, else its positions are wrong."""
        rows = list(suspects)
        suspects.clear()
        for row in rows:
            await self._create([row], ledger)
            if ledger.status_of(row) == "created":
                self._manners.names_rows = False

    async def _split(self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError) -> None:
        """Send the halves of a batch that was refused without saying for which row.

        When nothing in the first half is refused, the reason is in the second: that is not sent whole again.
        """
        middle = len(rows) // 2
        first, second = rows[:middle], rows[middle:]
        await self._create(first, ledger)
        if not ledger.are_rejected(first):
            self._learn_all_or_nothing(first[0], ledger, error)
        if len(second) > 1 and not ledger.are_rejected(first):
            await self._split(second, ledger, error)
        else:
            await self._create(second, ledger)

    def _learn_all_or_nothing(self, first: Row, ledger: Ledger[E], error: KantataError) -> None:
        """A good row that stood before the one at fault was not carried out with it: nothing of a batch is."""
        status = getattr(error, "status", None)
        if status is not None and ledger.is_known_absent(first) and ledger.status_of(first) == "created":
            self._manners.all_or_nothing.add(status)

    async def _in_halves(self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError) -> None:
        """Send a batch that is too large in two halves."""
        if len(rows) == 1:
            ledger.note(rows, "rejected", errors=errors_of(error))
            return
        middle = len(rows) // 2
        await self._create(rows[:middle], ledger)
        await self._create(rows[middle:], ledger)

    # --- rows that were there before ---

    async def _note_found(self, found: Mapping[Row, Finding[E]], ledger: Ledger[E]) -> None:
        for row, finding in found.items():
            match finding:
                case Finding(Presence.OURS, entity=entity) if entity is not None:
                    self._created(row, entity, ledger)
                case Finding(Presence.BEFORE, entity=entity) if entity is not None:
                    await self._exists(row, entity, ledger)
                case Finding(Presence.UNSURE, reason=reason):
                    ledger.cannot_tell([row], reason or "")

    async def _exists(self, row: Row, entity: E, ledger: Ledger[E]) -> None:
        self._claims.take(entity)
        match self.if_exists:
            case "reject":
                ledger.note([row], "rejected", entity=entity, errors=[ErrorDetail(f"there already: {entity!r}")])
            case "update" if self.update is not None:
                await self.update.change(row, entity.id, row.wired, ledger, done="existing", entity=entity)
            case _:
                ledger.note([row], "existing", entity=entity)

    def _exists_for_another_row(self, row: Row, ledger: Ledger[E]) -> None:
        """Note that the object of this row belongs to another row of the call."""
        if self.if_exists == "reject":
            ledger.note([row], "rejected", errors=[ErrorDetail("there already, for another row of this call")])
        else:
            ledger.note([row], "existing", reason="its object belongs to another row of this call")


def _any_will_do(row: Row, entity: Entity) -> bool:
    return True


def _sought(rows: Iterable[Row]) -> list[Row]:
    """The rows that can be looked for."""
    return [row for row in rows if row.key is not None]


def _each_key_once(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows in rounds, each key once in a round: a row is looked for when those before it are settled."""
    rounds: list[list[Row]] = []
    times: Counter[Hashable] = Counter()
    for row in rows:
        number = times[row.key]
        times[row.key] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(row)
    return rounds
