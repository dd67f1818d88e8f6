/* The pyconfig.h of cross builds: what Python.h needs to know about any target, for limited-API extensions.
 *
 * The pyconfig.h of an installed Python describes only that Python's machine; this one gets the facts from
 * the compiler. It supports CPython 3.11 and later, but not the full API, whose structures depend on how an
 * interpreter was configured.
 */
#ifndef WHEELKIT_PYCONFIG_H
#define WHEELKIT_PYCONFIG_H

#define ALIGNOF_MAX_ALIGN_T __BIGGEST_ALIGNMENT__
#define SIZEOF_SHORT __SIZEOF_SHORT__
#define SIZEOF_INT __SIZEOF_INT__
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_LONG_LONG __SIZEOF_LONG_LONG__
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define SIZEOF_VOID_P __SIZEOF_POINTER__
#define SIZEOF_UINTPTR_T __SIZEOF_POINTER__
#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__
#define SIZEOF_WINT_T __SIZEOF_WINT_T__
#define SIZEOF_FLOAT __SIZEOF_FLOAT__
#define SIZEOF_DOUBLE __SIZEOF_DOUBLE__
#define SIZEOF_LONG_DOUBLE __SIZEOF_LONG_DOUBLE__
#define SIZEOF__BOOL 1
#define SIZEOF_OFF_T 8
#define SIZEOF_TIME_T 8
#define SIZEOF_PTHREAD_T __SIZEOF_POINTER__
#define SIZEOF_PID_T 4

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORDS_BIGENDIAN 1
#endif

#define HAVE_LONG_LONG 1
#define HAVE_STDARG_PROTOTYPES 1
#define HAVE_STDDEF_H 1
#define HAVE_WCHAR_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_FCNTL_H 1
#define STDC_HEADERS 1
#define HAVE_THREAD_LOCAL 1
#define WITH_THREAD 1
#define WITH_DOC_STRINGS 1

#ifdef _WIN32
#define MS_WIN32
#define MS_WINDOWS
#ifdef _WIN64
#define MS_WIN64
#endif
#define NT_THREADS
#define Py_ENABLE_SHARED 1
#define HAVE_DECLSPEC_DLL
#define PLATLIBDIR "DLLs"
#else
#define HAVE_DLFCN_H 1
#define HAVE_UNISTD_H 1
#define HAVE_PTHREAD_H 1
#define HAVE_SSIZE_T 1
#define HAVE_SYS_TIME_H 1
#define HAVE_FORK 1
#define PLATLIBDIR "lib"
#endif

#ifdef __linux__
#define PY_HAVE_THREAD_NATIVE_ID 1
#endif

#endif
