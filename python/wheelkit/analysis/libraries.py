"""The libraries that binaries need, and those that macOS, Windows and the interpreters bring."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import runs, system_of
from wheelkit.wheel.model import python_dll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.matrix import System
    from wheelkit.wheel import Wheel


# Code that uses such a library handles its absence.
_OPTIONAL = frozenset({"weak", "delay"})
# PyPy for Windows has its symbols in a DLL, as CPython has.
_PYPY_DLL = r"(?i)libpypy(?P<major>3)\.(?P<minor>\d+)-c\.dll"
_GRAALPY_DLL = "python-native.dll"
# Where the libraries and frameworks of macOS are (dyld's shared cache).
_MACOS_FOLDERS = ("/usr/lib/", "/System/Library/")
# API sets, which the loader itself resolves: api-ms-win-*.dll and ext-ms-*.dll.
_API_SETS = ("api-ms-win-", "ext-ms-")
# DLLs of Windows 10 and later as Microsoft documents them, and the C runtime that the installers of CPython
# bring: vcruntime140 and vcruntime140_1. msvcp140.dll is missing on purpose: it comes with the Visual C++
# redistributable, which not every machine has.
_WINDOWS_DLLS = frozenset({
    "aclui.dll", "activeds.dll", "adsldpc.dll", "advapi32.dll", "advpack.dll", "amsi.dll", "apphelp.dll",
    "appxpackaging.dll", "asycfilt.dll", "atl.dll", "audioses.dll", "authz.dll", "avicap32.dll",
    "avifil32.dll", "avrt.dll", "bcrypt.dll", "bcryptprimitives.dll", "bluetoothapis.dll", "browcli.dll",
    "bthprops.cpl", "cabinet.dll", "certca.dll", "certcli.dll", "certenroll.dll", "cfgmgr32.dll",
    "clbcatq.dll", "cldapi.dll", "clfsw32.dll", "clusapi.dll", "combase.dll", "comctl32.dll", "comdlg32.dll",
    "computecore.dll", "computenetwork.dll", "computestorage.dll", "comsvcs.dll", "coremessaging.dll",
    "credssp.dll", "credui.dll", "crypt32.dll", "cryptdll.dll", "cryptnet.dll", "cryptui.dll", "cryptxml.dll",
    "cscapi.dll", "d2d1.dll", "d3d10.dll", "d3d10_1.dll", "d3d10core.dll", "d3d10warp.dll", "d3d11.dll",
    "d3d11on12.dll", "d3d12.dll", "d3d8.dll", "d3d9.dll", "d3d9on12.dll", "d3dcompiler_47.dll", "davclnt.dll",
    "dbgcore.dll", "dbgeng.dll", "dbghelp.dll", "dbgmodel.dll", "dciman32.dll", "dcomp.dll", "ddraw.dll",
    "devmgr.dll", "devobj.dll", "dhcpcsvc.dll", "dhcpcsvc6.dll", "dhcpsapi.dll", "dinput.dll", "dinput8.dll",
    "directmanipulation.dll", "directml.dll", "dismapi.dll", "dmprocessxmlfiltered.dll", "dnsapi.dll",
    "dpapi.dll", "dplayx.dll", "dpnet.dll", "drt.dll", "drvstore.dll", "dsauth.dll", "dsound.dll",
    "dsparse.dll", "dsprop.dll", "dsreg.dll", "dsrole.dll", "dsuiext.dll", "dui70.dll", "duser.dll",
    "dwmapi.dll", "dwrite.dll", "dxgi.dll", "dxtrans.dll", "dxva2.dll", "eappcfg.dll", "eappprxy.dll",
    "elscore.dll", "es.dll", "esent.dll", "evr.dll", "explorerframe.dll", "faultrep.dll", "firewallapi.dll",
    "fltlib.dll", "fontsub.dll", "fwbase.dll", "fwpuclnt.dll", "gdi32.dll", "gdi32full.dll", "gdiplus.dll",
    "glu32.dll", "gpedit.dll", "hid.dll", "hlink.dll", "httpapi.dll", "hvsocket.dll", "icm32.dll", "icmp.dll",
    "icuin.dll", "icuuc.dll", "ieframe.dll", "iertutil.dll", "imagehlp.dll", "imgutil.dll", "imm32.dll",
    "inetcomm.dll", "inked.dll", "inkobjcore.dll", "iphlpapi.dll", "iscsidsc.dll", "kernel32.dll",
    "kernelbase.dll", "ksuser.dll", "ktmw32.dll", "loadperf.dll", "logoncli.dll", "lz32.dll",
    "magnification.dll", "mapi32.dll", "mf.dll", "mfcore.dll", "mfh264enc.dll", "mfplat.dll", "mfplay.dll",
    "mfps.dll", "mfreadwrite.dll", "mfsensorgroup.dll", "mfsrcsnk.dll", "mgmtapi.dll", "mi.dll",
    "mmdevapi.dll", "mpr.dll", "mprapi.dll", "msacm32.dll", "mscat32.dll", "mscms.dll", "mscoree.dll",
    "msctf.dll", "msdelta.dll", "msdmo.dll", "msdrm.dll", "msdtcprx.dll", "msftedit.dll", "mshtml.dll",
    "msi.dll", "msimg32.dll", "msmpeg2vdec.dll", "mssign32.dll", "mstask.dll", "msvcp60.dll", "msvcp_win.dll",
    "msvcrt.dll", "msvfw32.dll", "mswsock.dll", "msxml3.dll", "msxml6.dll", "mtxdm.dll", "ncrypt.dll",
    "ndfapi.dll", "netapi32.dll", "netprovfw.dll", "netutils.dll", "newdev.dll", "nlaapi.dll", "normaliz.dll",
    "ntdll.dll", "ntdsapi.dll", "ntlanman.dll", "odbc32.dll", "odbccp32.dll", "ole32.dll", "oleacc.dll",
    "oleaut32.dll", "oledlg.dll", "olepro32.dll", "opengl32.dll", "p2p.dll", "p2pgraph.dll", "pdh.dll",
    "peerdist.dll", "powrprof.dll", "prntvpt.dll", "profapi.dll", "propsys.dll", "psapi.dll", "quartz.dll",
    "query.dll", "qwave.dll", "rasapi32.dll", "rasdlg.dll", "rasman.dll", "resutils.dll", "rometadata.dll",
    "rpcns4.dll", "rpcrt4.dll", "rstrtmgr.dll", "rtm.dll", "rtutils.dll", "samcli.dll", "samlib.dll",
    "sas.dll", "scecli.dll", "schannel.dll", "schedsvc.dll", "secur32.dll", "sensapi.dll", "setupapi.dll",
    "sfc.dll", "sfc_os.dll", "shcore.dll", "shell32.dll", "shlwapi.dll", "slc.dll", "slcext.dll",
    "snmpapi.dll", "srclient.dll", "srvcli.dll", "sspicli.dll", "sti.dll", "structuredquery.dll",
    "t2embed.dll", "tapi32.dll", "tbs.dll", "tdh.dll", "traffic.dll", "twinapi.appcore.dll", "txfw32.dll",
    "ucrtbase.dll", "uianimation.dll", "uiautomationcore.dll", "urlmon.dll", "user32.dll", "userenv.dll",
    "usp10.dll", "uxtheme.dll", "vcruntime140.dll", "vcruntime140_1.dll", "vdmdbg.dll", "version.dll",
    "virtdisk.dll", "vmdevicehost.dll", "vssapi.dll", "wcmapi.dll", "wdigest.dll", "webauthn.dll",
    "webservices.dll", "websocket.dll", "wecapi.dll", "wer.dll", "wevtapi.dll", "wevtfwd.dll", "wiaaut.dll",
    "wiatrace.dll", "wimgapi.dll", "win32u.dll", "winbio.dll", "windows.storage.dll", "windows.ui.dll",
    "windowscodecs.dll", "windowscodecsext.dll", "winfax.dll", "winhttp.dll", "wininet.dll", "winml.dll",
    "winmm.dll", "winscard.dll", "winspool.drv", "winsta.dll", "wintrust.dll", "wintypes.dll", "winusb.dll",
    "wkscli.dll", "wlanapi.dll", "wlanui.dll", "wldap32.dll", "wldp.dll", "wmi.dll", "wmvcore.dll",
    "wofutil.dll", "wow64.dll", "ws2_32.dll", "wscapi.dll", "wsclient.dll", "wsdapi.dll", "wsmsvc.dll",
    "wsnmp32.dll", "wsock32.dll", "wtsapi32.dll", "wuapi.dll", "xaudio2_8.dll", "xaudio2_9.dll",
    "xinput1_4.dll", "xinput9_1_0.dll", "xinputuap.dll", "xmllite.dll", "xolehlp.dll", "xpsprint.dll",
    "xpsservices.dll",
})  # fmt: skip


def needed_libraries(wheel: Wheel) -> Mapping[System, dict[str, list[str]]]:
    """Return the libraries that are needed on each system, with the binaries that need them."""
    needs: dict[System, dict[str, dict[str, None]]] = {}
    for binary, slice_ in wheel.slices():
        system = system_of(binary)
        if system is not None and runs(slice_):
            for library in slice_.needed:
                if library.how not in _OPTIONAL:
                    needs.setdefault(system, {}).setdefault(library.name, {})[binary.member] = None
    return {
        system: {name: list(members) for name, members in libraries.items()}
        for system, libraries in needs.items()
    }


def of_macos(path: str) -> bool:
    """Return whether an install name is that of a macOS library."""
    return path.startswith(_MACOS_FOLDERS)


def of_windows(name: str) -> bool:
    """Return whether a DLL belongs to Windows or to every installation of CPython."""
    lowered = name.lower()
    return lowered in _WINDOWS_DLLS or (lowered.startswith(_API_SETS) and lowered.endswith(".dll"))


def python_needed(wheel: Wheel) -> frozenset[str]:
    """Return the interpreters' DLLs that the wheel loads: ``python3.dll``, ``libpypy3.11-c.dll``."""
    return frozenset(
        library.lower()
        for library in wheel.needed
        if python_dll(library) or pypy_dll(library) or graalpy_dll(library)
    )


def pypy_dll(library: str) -> str | None:
    """Return the Python tag of the PyPy that a DLL belongs to, such as ``pp311``; None for other DLLs."""
    match = re.fullmatch(_PYPY_DLL, library)
    return f"pp{match['major']}{match['minor']}" if match else None


def graalpy_dll(library: str) -> bool:
    """Return whether this is GraalPy's DLL, which has one name for all versions."""
    return library.lower() == _GRAALPY_DLL
