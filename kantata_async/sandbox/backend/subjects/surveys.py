"""Surveys: templates, questions, responses and answers."""

from __future__ import annotations

from typing import Any

from ..predicates import Predicate, about
from ..rules import CollectionRules, declare
from ..store import Store


def _included_on_template(store: Store, value: Any) -> Predicate:
    template = store.records("survey_templates").get(str(value)) or {}
    return lambda record: record["id"] in template.get("survey_question_ids", ())


declare("survey_questions", CollectionRules(filters={"included_on_template": _included_on_template}))
declare("survey_responses", CollectionRules(filters={"subject_id": about("id"), "subject_type": about("key")}))
declare("survey_templates", CollectionRules(filters={"subject_id": about("id"), "subject_type": about("key")}))
