"""The bases of the generated resources that have files, or make some: attachments, photos, invoices, exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from .calls import INSTANT, Id, check_call, check_id
from .errors import (
    AmbiguousWriteError,
    ExportFailedError,
    ExportNotReadyError,
    InvalidResponseError,
    KantataError,
    NotFoundError,
    UsageError,
    ValidationError,
    note_interruption,
)
from .model import Entity, brief_repr, value_of
from .resource import Resource
from .transport import MAX_UPLOAD, FileContent

if TYPE_CHECKING:
    from .files import DownloadedFile, DownloadTo, OnProgress, OnState, Standing, UploadFrom, WantedFile

E = TypeVar("E", bound=Entity)
DefinitionT = TypeVar("DefinitionT")

_LONGEST_WAIT = 3600.0
"""Seconds to wait where nothing else is asked for; the reference says that an export takes up to twenty minutes."""

_REASONS = ("error_message", "error", "failure_reason", "reason", "message")
"""Where an export may say why it failed; the reference lists no such attribute."""


class _DownloadsFiles(Resource):
    """A resource with files to download."""

    async def _downloaded(self, wanted: WantedFile, to: DownloadTo, options: Mapping[str, Any]) -> DownloadedFile:
        from .files import download

        exchange = self._connection.exchange_of_file()
        chosen = {name: options[name] for name in ("max_bytes", "overwrite", "on_progress")}
        return await download(exchange, wanted, to, **chosen)


class HasAttachments(_DownloadsFiles, Generic[E]):
    """Attachments: files attached to posts, tasks and expenses."""

    async def download(
        self,
        attachment: E,
        to: DownloadTo,
        *,
        max_bytes: int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> DownloadedFile:
        """The file of an attachment, downloaded: a receipt too, as ``expense.receipt``.

        The API gives attachments only with what they are attached to (``include=["attachments"]``, ``["receipt"]``),
        and their links expire after a while. A download that breaks off goes on where it was.

        Example:
            await kantata.attachments.download(post.attachments[0], "inbox/")

        Args:
            attachment: the entity.
            to: a path; a directory, where the file keeps its name, made safe, with a number where that is taken; or
                anything with a `write`, which may be async.
            max_bytes: how many bytes the file may have, decompressed; None for any number.
            overwrite: whether a file that is there already is replaced.
            on_progress: called with how many bytes are done, and how many there are in all, or None; it may be async.

        Raises:
            UsageError: there is a file already, no such directory, or no link to fetch it from.
            InvalidResponseError: the file is larger than `max_bytes`, or not of the size that the API says.
            TransportError: it broke off for good.
            APIError: it was refused; links expire after a while.
            OSError: the file cannot be written.
        """
        from .files import WantedFile

        url = _of(attachment, "url", "as `post.attachments` and `expense.receipt` give it")
        if not isinstance(url, str):
            raise UsageError(f"{attachment!r} has no file: its url is {url!r}")

        async def link() -> str:
            return url

        named = value_of(attachment, "filename")
        size = value_of(attachment, "filesize")
        wanted = WantedFile(
            link,
            filename=named if isinstance(named, str) else None,
            size=size if isinstance(size, int) and not isinstance(size, bool) else None,
            advice="links end after a while: get what the attachment hangs on once more, for a new one",
        )
        return await self._downloaded(wanted, to, locals())

    async def upload(
        self,
        source: UploadFrom,
        *,
        type: Literal["post_attachment", "receipt"] = "post_attachment",
        filename: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> E:
        """The attachment that holds an uploaded file; posts, tasks and expenses take it by its id.

        Up to 10 MB go with one request. A larger file goes to the API's storage directly, in three: it is named plainly
        there, and renamed afterwards. Nothing is sent twice: after a lost answer the error says that the file may be
        there.

        Example:
            await kantata.attachments.upload("taxi.pdf", type="receipt")

        Args:
            source: a path, bytes, ``(name, bytes)``, or anything with a `read`, which may be async.
            type: what kind of attachment it is to be.
            filename: its name; without it, that of the path or the reader.
            on_progress: called with how many bytes are sent, and how many there are; it may be async. An error that it
                raises ends the upload.

        Raises:
            UsageError: the file cannot be read, or has no name.
            AmbiguousWriteError: the answer was lost, and the file may have been uploaded.
            InvalidResponseError: the API has a different number of bytes from what was sent.
            APIError: it was refused.
        """
        from .files import ToldProgress, content_of

        told = None if on_progress is None else ToldProgress(on_progress)
        async with content_of(source, filename, told) as content:
            try:
                if content.size <= MAX_UPLOAD:
                    attachment: E = await self._one(self.operations["create"], {"type": type, "data": content})
                else:
                    attachment = await self._uploaded_directly(content, type)
            except KantataError as error:
                if told is None or told.error is None:
                    raise
                note_interruption(told.error, "POST /attachments", may_be_carried_out=True)
                raise told.error from error
        size = value_of(attachment, "filesize")
        if isinstance(size, int) and size != content.size:
            raise InvalidResponseError(f"{attachment!r} has {size:,} bytes, not the {content.size:,} that were sent")
        return attachment

    async def _uploaded_directly(self, content: FileContent, type: str) -> E:
        from .files import ask_for_place, plain_name, put_there

        name = plain_name(content.filename)
        call = check_call(self.operations["create"], [], {"type": type, "direct": True, "filename": name})
        place = await ask_for_place(self._connection, call)
        exchange = self._connection.exchange_of_file()
        lost = await put_there(exchange, place, content)
        try:
            # This call shows whether the file is there, whatever became of the storage's answer.
            attachment: E = await self._single(self.operations["sync"], [place.attachment], {})
            if name != content.filename:
                renaming = self.operations["update"]
                attachment = await self._single(renaming, [place.attachment], {"filename": content.filename})
        except ValidationError as error:
            error.add_note(f"kantata_async: attachment {place.attachment} was created, and has no file")
            raise error from lost
        except Exception as error:
            if lost is None:
                error.add_note(f"kantata_async: attachment {place.attachment} was created, and its file was sent")
                raise
            raise AmbiguousWriteError(
                f"attachment {place.attachment} was created; whether its file was uploaded is not known: {lost}",
                method="POST",
                path="/attachments",
            ) from error
        return attachment


class HasPhotos(_DownloadsFiles, Generic[E]):
    """Users, who have photos."""

    async def download_photo(
        self,
        user: E | Id,
        to: DownloadTo,
        *,
        max_bytes: int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> DownloadedFile:
        """The photo of a user, downloaded from `photo_path`; arguments and errors as for `attachments.download`.

        Example:
            await kantata.users.download_photo(9, "photos/")

        Args:
            user: the entity, or the id.
            to: a path, a directory or a writer.
            max_bytes: how many bytes it may have; None for any number.
            overwrite: whether a file that is there already is replaced.
            on_progress: called with how many bytes are done, and how many there are in all.

        Raises:
            UsageError: the user has no photo, or there is a file already.
        """
        from .files import WantedFile

        found = user if isinstance(user, Entity) else await self._single(self.operations["get"], [user], {})
        url = _of(found, "photo_path")
        if not isinstance(url, str) or not url:
            raise UsageError(f"{found!r} has no photo")

        async def link() -> str:
            return url

        return await self._downloaded(WantedFile(link), to, locals())


class HasPdfs(_DownloadsFiles):
    """Invoices, which can be had as PDF."""

    async def download(
        self,
        id: Id,
        to: DownloadTo,
        *,
        max_bytes: int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> DownloadedFile:
        """An invoice as PDF, downloaded; arguments and errors as for `attachments.download`.

        Example:
            await kantata.invoices.download(7, "invoices/")

        ``GET /invoices/{id}.pdf``, which the API's reference does not list.

        Args:
            id: of the invoice.
            to: a path, a directory or a writer.
            max_bytes: how many bytes it may have; None for any number.
            overwrite: whether a file that is there already is replaced.
            on_progress: called with how many bytes are done, and how many there are in all.
        """
        from .files import WantedFile

        path = f"{self.operations['list'].path}/{check_id(id)}.pdf"

        async def link() -> str:
            return path

        return await self._downloaded(WantedFile(link), to, locals())


class RunsExports(_DownloadsFiles, Generic[E, DefinitionT]):
    """Data exports: asked for, waited for, downloaded."""

    @overload
    async def run(
        self,
        to: None = None,
        *,
        export_definition: Mapping[str, DefinitionT],
        deadline: float = ...,
        on_state: OnState | None = ...,
        max_bytes: int | None = ...,
        overwrite: bool = ...,
        on_progress: OnProgress | None = ...,
    ) -> E: ...

    @overload
    async def run(
        self,
        to: DownloadTo,
        *,
        export_definition: Mapping[str, DefinitionT],
        deadline: float = ...,
        on_state: OnState | None = ...,
        max_bytes: int | None = ...,
        overwrite: bool = ...,
        on_progress: OnProgress | None = ...,
    ) -> DownloadedFile: ...

    async def run(
        self,
        to: DownloadTo | None = None,
        *,
        export_definition: Mapping[str, DefinitionT],
        deadline: float = _LONGEST_WAIT,
        on_state: OnState | None = None,
        max_bytes: int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> E | DownloadedFile:
        """A data export, created, waited for, and downloaded; without `to`, the export, for `download` to take.

        Example:
            await kantata.exports.run("users.csv", export_definition={"users": {"columns": ["id", "full_name"]}})

        Args:
            to: a path, a directory or a writer, as for `attachments.download`; None to download it later.
            export_definition: the columns of each data set, as `create` takes them.
            deadline: seconds to wait until it is ready.
            on_state: called after each look with the state in the API's words, and the seconds waited.
            max_bytes: how many bytes the file may have; None for any number.
            overwrite: whether a file that is there already is replaced.
            on_progress: called with how many bytes are done, and how many there are in all.

        Raises:
            UsageError: an argument cannot be used, or there is a file already; nothing was created.
            ExportFailedError: the API could not make it, or it was cancelled.
            ExportNotReadyError: it is not ready within the deadline; the message says how to go on waiting.
        """
        from .files import check_wait, checked_destination

        check_wait(deadline, on_state)
        if to is not None:
            checked_destination(to, max_bytes=max_bytes, overwrite=overwrite, on_progress=on_progress)
        export: E = await self._one(self.operations["create"], {"export_definition": export_definition})
        try:
            export = await self.wait(export, deadline=deadline, on_state=on_state)
            if to is None:
                return export
            return await self.download(export, to, max_bytes=max_bytes, overwrite=overwrite, on_progress=on_progress)
        except (ExportFailedError, ExportNotReadyError):
            raise
        except BaseException as error:
            error.add_note(
                f"kantata_async: export {export.id} was created: go on with kantata.exports.wait({export.id!r})"
            )
            raise

    async def wait(self, export: E | Id, *, deadline: float = _LONGEST_WAIT, on_state: OnState | None = None) -> E:
        """The export, when it is ready to be downloaded. It is looked at after pauses that grow to half a minute.

        Example:
            await kantata.exports.wait(7, deadline=600)

        Args:
            export: the entity, or its id.
            deadline: seconds to wait.
            on_state: called after each look with the state in the API's words, and the seconds waited.

        Raises:
            ExportFailedError: the API could not make it, or it was cancelled.
            ExportNotReadyError: it is not ready within the deadline; the message says how to go on waiting.
        """
        from .files import standing_of, wait

        id = _id_of(export)

        async def look() -> Standing[E]:
            found: E = await self._single(self.operations["get"], [id], {})
            said = (found.extra.get(name) for name in _REASONS)
            return standing_of(value_of(found, "status"), found, next((str(one) for one in said if one), None))

        again = f"await kantata.exports.wait({id!r})"
        return await wait(
            look, what=f"export {id}", again=again, sleep=self._connection.sleep, deadline=deadline, on_state=on_state
        )

    async def download(
        self,
        export: E | Id,
        to: DownloadTo,
        *,
        max_bytes: int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> DownloadedFile:
        """The CSV of an export that is ready, downloaded; arguments and errors as for `attachments.download`.

        Its links are valid for a minute: each attempt asks for a new one.

        Example:
            await kantata.exports.download(7, "exports/")

        Args:
            export: the entity, or its id.
            to: a path, a directory or a writer.
            max_bytes: how many bytes it may have; None for any number.
            overwrite: whether a file that is there already is replaced.
            on_progress: called with how many bytes are done, and how many there are in all.

        Raises:
            ValidationError: it is not ready.
        """
        from .files import WantedFile

        id = _id_of(export)

        async def link() -> str:
            answer = await self._data(self.operations["download_url"], {"id": id})
            return _link_in(answer, "download_url", f"export {id}")

        return await self._downloaded(WantedFile(link), to, locals())


class RunsReports(_DownloadsFiles):
    """Scheduled exports of Insights reports: waited for, downloaded."""

    async def wait(
        self,
        id: Id,
        *,
        after: datetime | None = None,
        deadline: float = _LONGEST_WAIT,
        on_state: OnState | None = None,
    ) -> datetime:
        """When the newest file of a scheduled export was made, as soon as there is one.

        The first takes up to 20 minutes. It is looked for after pauses that grow to half a minute.

        Example:
            await kantata.insights_report_exports.wait(3, after=last_night)

        Args:
            id: of the scheduled export.
            after: waits for a file that was made after this moment.
            deadline: seconds to wait.
            on_state: called after each look with the state, "pending" or "ready", and the seconds waited.

        Raises:
            ExportNotReadyError: there is none within the deadline; the message says how to go on waiting.
            NotFoundError: there is no such scheduled export.
        """
        from .files import Standing, wait

        moment = None if after is None else datetime.fromisoformat(INSTANT.wire(after, "after"))

        async def look() -> Standing[datetime]:
            made = await self._newest(id)
            if made is None or (moment is not None and made[1] <= moment):
                return Standing("pending", datetime.max)
            return Standing("ready", made[1], is_done=True)

        again = f"await kantata.insights_report_exports.wait({check_id(id)!r})"
        what = f"scheduled export {check_id(id)}"
        return await wait(
            look, what=what, again=again, sleep=self._connection.sleep, deadline=deadline, on_state=on_state
        )

    async def download(
        self,
        id: Id,
        to: DownloadTo,
        *,
        max_bytes: int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> DownloadedFile:
        """The newest file of a scheduled export, a gzip of CSV of up to 10 GB, downloaded as it is.

        Arguments and errors as for `attachments.download`. Its links are valid for a minute: each attempt asks for a
        new one.

        Example:
            await kantata.insights_report_exports.download(3, "reports/")

        Args:
            id: of the scheduled export.
            to: a path, a directory or a writer.
            max_bytes: how many bytes it may have, as it is compressed; None for any number.
            overwrite: whether a file that is there already is replaced.
            on_progress: called with how many bytes are done, and how many there are in all.

        Raises:
            ExportNotReadyError: there is none yet.
        """
        from .files import WantedFile

        async def link() -> str:
            made = await self._newest(id)
            if made is None:
                raise ExportNotReadyError(
                    f"scheduled export {id} has no file yet: wait for it with "
                    f"`await kantata.insights_report_exports.wait({id!r})`",
                    state="pending",
                )
            return made[0]

        return await self._downloaded(WantedFile(link), to, locals())

    async def _newest(self, id: Id) -> tuple[str, datetime] | None:
        """The link to the newest file, and when it was made; None while there is none."""
        try:
            answer = await self._data(self.operations["latest_result"], {"insights_report_export_id": id})
        except NotFoundError:
            # It is not documented whether this stands for a file that is not there yet.
            await self._data(self.operations["get"], {"id": id})
            return None
        newest = answer.get("latest_success") if isinstance(answer, dict) else None
        if not newest:
            return None
        what = f"scheduled export {id}"
        link = _link_in(newest, "url", what)
        try:
            return link, datetime.fromisoformat(newest["created_at"])
        except (KeyError, TypeError, ValueError):
            raise InvalidResponseError(f"{what}: the answer does not say when its file was made") from None


def _of(entity: object, name: str, where: str = "") -> Any:
    """An attribute of an entity; `where` says where such entities come from.

    Raises:
        NotLoadedError: it was not sent.
        UsageError: it is not an entity that has one.
    """
    if not isinstance(entity, Entity) or name not in type(entity).attributes:
        raise UsageError(f"an entity with a {name} is needed{f', {where}' if where else ''}: not {brief_repr(entity)}")
    return getattr(entity, name)


def _id_of(export: Entity | Id) -> str:
    return export.id if isinstance(export, Entity) else check_id(export)


def _link_in(answer: Any, name: str, what: str) -> str:
    link = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(link, str):
        raise InvalidResponseError(f"{what}: the answer has no {name}")
    return link
