"""Libraries of compilers, desktops and package managers: on many systems, and in no distribution."""

from __future__ import annotations

# The run-time libraries of GCC, LLVM and Microsoft, by the beginning of their names.
_TOOLCHAIN = (
    "libatomic.", "libc++.", "libc++abi.", "libflang", "libgcc_s", "libgfortran.", "libgomp.", "libomp.",
    "libquadmath.", "libstdc++.", "libunwind.", "libwinpthread-", "concrt1", "mfc1", "mfcm1", "msvcp",
    "msvcr1", "vccorlib1", "vcomp1", "vcruntime1",
)  # fmt: skip
# Graphics, windows, sound, fonts and their toolkits, as distributions of Linux install them with a desktop.
_DESKTOP = (
    "libEGL.", "libGL.", "libGLESv2.", "libGLU.", "libGLX.", "libGLdispatch.", "libICE.", "libOSMesa.",
    "libOpenGL.", "libSM.", "libX", "libasound.", "libatk", "libatspi.", "libcairo", "libcups.", "libdbus-1.",
    "libdrm.", "libfontconfig.", "libfreetype.", "libgbm.", "libgdk", "libgio-2.0.", "libglib-2.0.",
    "libgmodule-2.0.", "libgobject-2.0.", "libgthread-2.0.", "libgtk-", "libinput.", "libjack.", "libmtdev.",
    "libnspr4.", "libnss3.", "libnssutil3.", "libpango", "libpipewire-", "libplc4.", "libplds4.", "libpulse",
    "libsmime3.", "libspeechd.", "libudev.", "libva.", "libvdpau.", "libvulkan.", "libwayland-", "libxcb",
    "libxkbcommon",
)  # fmt: skip

# Where Homebrew, on Apple silicon and on Intel, and MacPorts put libraries.
_PACKAGE_MANAGERS = ("/opt/homebrew/", "/usr/local/opt/", "/opt/local/lib")


def of_toolchain(name: str) -> bool:
    """Return whether this is a run-time library of a compiler."""
    return name.rpartition("/")[2].lower().startswith(_TOOLCHAIN)


def of_desktop(name: str) -> bool:
    """Return whether this is a library of a Linux desktop, which servers and containers lack."""
    return name.startswith(_DESKTOP) and ".so" in name


def of_package_manager(path: str) -> bool:
    """Return whether a path on macOS is where Homebrew or MacPorts put libraries."""
    return path.startswith(_PACKAGE_MANAGERS)
