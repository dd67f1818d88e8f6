from wheelkit._core import ScanError as ScanError
from wheelkit._core import scan as scan
from wheelkit._version import __version__ as __version__
from wheelkit.verification.contract import Contract as Contract
from wheelkit.verification.model import Finding as Finding
from wheelkit.verification.model import Report as Report
from wheelkit.verification.model import Severity as Severity
from wheelkit.verification.run import verify as verify
from wheelkit.wheel import Wheel as Wheel
from wheelkit.wheel import read as read

__all__ = [
    "Contract",
    "Finding",
    "Report",
    "ScanError",
    "Severity",
    "Wheel",
    "__version__",
    "read",
    "scan",
    "verify",
]
