"""The project's own CI: which runs of cibuildwheel its workflows make for a release."""

from wheelkit.project.ci.github import Repository, read_github
from wheelkit.project.ci.gitlab import read_gitlab
from wheelkit.project.ci.model import Hosted, OwnCi, Run
from wheelkit.project.ci.publishing import Publisher, publishers

__all__ = ["Hosted", "OwnCi", "Publisher", "Repository", "Run", "publishers", "read_github", "read_gitlab"]
