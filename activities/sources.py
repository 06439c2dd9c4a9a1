"""What an order names, asked of its source: people, choices, files and secrets.

One `Sources` is for one order and asks for each thing once. What answers mean is `catalog.form`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from activities.errors import NotFound
from activities.ports import Directory
from catalog import form
from catalog.choices import Choices, ChoicesQuery
from catalog.fields import Field
from catalog.form import Checked, FieldError, Lookup
from catalog.item import CrossCheck
from catalog.model import Model
from catalog.people import Person, PersonRef, Profile
from catalog.reading import Code
from records.register import Register

Choose = Callable[[ChoicesQuery], Choices]
"""Asks the providers."""


class _Missing(Exception):
    """What an answer names cannot be taken."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Answered(Model):
    """What came of checking answers, with everything they name looked up.

    Attributes:
        answers: as stored, without those that are wrong.
        errors: every error.
        uploads, secrets: what the answers name of them: reference -> where.
    """

    answers: dict[str, Any]
    errors: tuple[FieldError, ...]
    uploads: dict[str, str]
    secrets: dict[str, str]


class Sources:
    """See the module."""

    def __init__(self, directory: Directory, choose: Choose, register: Register) -> None:
        self._directory, self._choose, self._register = directory, choose, register
        self._people: dict[str, Person] = {}
        self._profiles: dict[tuple[str, frozenset[str]], Profile] = {}
        self._chosen: dict[ChoicesQuery, Choices] = {}

    def person(self, login: str) -> Person:
        """Return a person.

        Raises:
            NotFound: nobody has this login.
            ConnectorError: the directory cannot say.
        """
        key = login.casefold()
        if key not in self._people:
            self._people[key] = self._directory.person_by_login(login)
        return self._people[key]

    def profile(self, person: PersonRef, facts: Collection[str]) -> Profile:
        """Return these facts about a person; nothing of somebody who has left. Nobody is asked if there are none."""
        if not facts:
            return Profile()
        key = (person.id, frozenset(facts))
        if key not in self._profiles:
            self._profiles[key] = self._profile(person, facts)
        return self._profiles[key]

    def _profile(self, person: PersonRef, facts: Collection[str]) -> Profile:
        try:
            found = person if isinstance(person, Person) else self._directory.person(person.id)
            groups = self._directory.groups_of(person.id) if "groups" in facts else None
        except NotFound:
            return Profile()
        return found.profile(groups)

    def check(
        self,
        fields: tuple[Field, ...],
        answers: Mapping[str, Any],
        names: Mapping[str, Any],
        checks: tuple[CrossCheck, ...],
        *,
        requester_id: str,
        beneficiary_id: str,
    ) -> Answered:
        """Check answers and everything they name; all errors are found at once.

        Raises:
            ConnectorError: a source cannot say.
        """
        resolved: dict[Lookup, Any] = {}
        failed: dict[Lookup, FieldError] = {}
        while True:
            checked = form.check(fields, answers, names, checks, resolved)
            ahead = [lookup for lookup in checked.lookups if lookup not in failed]
            if not ahead:
                return _answered(fields, checked, resolved, failed)
            for lookup in ahead:
                try:
                    resolved[lookup] = self._resolve(lookup, requester_id, beneficiary_id)
                except _Missing as missing:
                    failed[lookup] = FieldError(field=lookup.path, code=missing.code, message=missing.message)

    def _resolve(self, lookup: Lookup, requester_id: str, beneficiary_id: str) -> Any:
        match lookup.kind:
            case "person":
                return self._named(lookup.value).model_dump(mode="json")
            case "choice":
                query = ChoicesQuery(
                    provider=lookup.provider,
                    requester_id=requester_id,
                    beneficiary_id=beneficiary_id,
                    value=lookup.value,
                )
                return self._choice(query)
            case "file":
                return self._file(lookup.value, requester_id)
            case "secret":
                if self._register.secret(lookup.value) is None:
                    raise _Missing("not-found", "This secret is not known, or was forgotten; enter it again.")
                return True

    def _named(self, login: str) -> PersonRef:
        try:
            person = self.person(login)
        except NotFound:
            raise _Missing("not-found", "The directory knows nobody of this login.") from None
        if not person.active:
            raise _Missing("value", f"The account of {person.name} is not active.")
        return person.ref()

    def _choice(self, query: ChoicesQuery) -> dict[str, Any]:
        if query not in self._chosen:
            self._chosen[query] = self._choose(query)
        found = next((one for one in self._chosen[query].choices if one.value == query.value), None)
        if found is None:
            raise _Missing("stale", "This can not, or no longer, be chosen; choose again.")
        return {"value": found.value, "label": found.label}

    def _file(self, upload_id: str, requester_id: str) -> dict[str, Any]:
        upload = self._register.upload(upload_id)
        if upload is None or upload.owner_id != requester_id:
            raise _Missing("not-found", "There is no such uploaded file of yours; upload it again.")
        return upload.model_dump(mode="json", include={"id", "name", "media_type", "size", "digest"})


def _answered(
    fields: tuple[Field, ...], checked: Checked, resolved: Mapping[Lookup, Any], failed: Mapping[Lookup, FieldError]
) -> Answered:
    places = {field.id: at for at, field in enumerate(fields)}
    errors = [*checked.errors, *failed.values()]
    errors.sort(key=lambda error: places.get(error.field.partition("[")[0].partition(".")[0], len(places)))
    wrong = {error.field.partition("[")[0].partition(".")[0] for error in errors}
    return Answered(
        answers={name: value for name, value in checked.answers.items() if name not in wrong},
        errors=tuple(errors),
        uploads={lookup.value: lookup.path for lookup in resolved if lookup.kind == "file"},
        secrets={lookup.value: lookup.path for lookup in resolved if lookup.kind == "secret"},
    )
