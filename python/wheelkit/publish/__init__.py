"""Publishing a family on one index: in order, the same bytes, resumable, or not at all."""

from wheelkit.publish.gather import gather
from wheelkit.publish.index import Index, resolve
from wheelkit.publish.model import Batch, Release, ShippedFile
from wheelkit.publish.plan import PublishPlan, State, to_json
from wheelkit.publish.preconditions import Terms, require
from wheelkit.publish.stage import Office, office, publish
from wheelkit.publish.transaction import Published, survey

__all__ = [
    "Batch",
    "Index",
    "Office",
    "PublishPlan",
    "Published",
    "Release",
    "ShippedFile",
    "State",
    "Terms",
    "gather",
    "office",
    "publish",
    "require",
    "resolve",
    "survey",
    "to_json",
]
