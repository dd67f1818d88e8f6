"""Publishing a family on one index: in order, with the same bytes, resumable, or not at all."""

from wheelkit.publish.index import Index, resolve
from wheelkit.publish.model import DistributionFiles, Release, ShippedFile
from wheelkit.publish.origins import PublishTerms
from wheelkit.publish.plan import PublishPlan, State, to_json
from wheelkit.publish.preconditions import require_publishable
from wheelkit.publish.release import collect_release
from wheelkit.publish.session import PublishSession, open_session
from wheelkit.publish.transaction import PublishResult, plan_publication, publish, result_to_json

__all__ = [
    "DistributionFiles",
    "Index",
    "PublishPlan",
    "PublishResult",
    "PublishSession",
    "PublishTerms",
    "Release",
    "ShippedFile",
    "State",
    "collect_release",
    "open_session",
    "plan_publication",
    "publish",
    "require_publishable",
    "resolve",
    "result_to_json",
    "to_json",
]
