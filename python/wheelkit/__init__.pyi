from wheelkit._core import ScanError as ScanError
from wheelkit._core import scan as scan
from wheelkit._version import __version__ as __version__
from wheelkit.checks.contract import Contract as Contract
from wheelkit.report.model import Finding as Finding
from wheelkit.report.model import Report as Report
from wheelkit.report.model import Severity as Severity
from wheelkit.verification import verify as verify
from wheelkit.wheel import Wheel as Wheel
from wheelkit.wheel import read as read

__all__ = ["Contract", "Finding", "Report", "ScanError", "Severity", "Wheel", "__version__", "read", "scan", "verify"]
