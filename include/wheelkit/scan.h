/* Facts about one ELF, Mach-O or PE file, read in one bounded pass.
 *
 * The scanner never allocates, keeps no global state and trusts no number that it reads: every access is
 * checked, and the work is limited in proportion to the size of the file. It may run in any number of threads
 * at once. Bytes that another thread changes during a scan can make the facts wrong, but never the accesses.
 */
#ifndef WHEELKIT_SCAN_H
#define WHEELKIT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "No such entry" wherever an index is given. */
#define WK_NONE UINT32_MAX

/* A string inside the scanned bytes. Not NUL-terminated, in no known encoding, valid as long as the input is.
 * data is NULL when there is no string at all, which is not the same as an empty one. */
typedef struct wk_text {
    const char *data;
    size_t size;
} wk_text;

typedef enum wk_result {
    WK_RESULT_OK = 0,
    WK_RESULT_NOT_A_BINARY, /* another kind of file (text, archive, Java class, ...), which is no damage */
    WK_RESULT_STOPPED,      /* a visitor function returned nonzero */
    WK_RESULT_TRUNCATED,    /* a structure of wk_error.value bytes reaches beyond the end of the file */
    WK_RESULT_BAD_COUNT,    /* a table of wk_error.value entries cannot fit in the file */
    WK_RESULT_BAD_OFFSET,   /* a structure starts at wk_error.value, outside of the file */
    WK_RESULT_BAD_ADDRESS,  /* the memory address wk_error.value is in no loaded part of the file */
    WK_RESULT_BAD_VALUE,    /* a field holds wk_error.value, which is impossible there */
    WK_RESULT_UNSUPPORTED, /* a field holds wk_error.value, a variant of the format that nobody has defined */
    WK_RESULT_BAD_STRING,  /* a string does not end within its table */
    WK_RESULT_OVERLAP,     /* two parts claim the same bytes, the second at wk_error.value */
    WK_RESULT_LOOP,        /* a structure leads back to itself */
    WK_RESULT_TOO_COMPLEX  /* more work, or deeper nesting, than a sound file of this size can need */
} wk_result;

/* Why a scan failed. All fields are set for every result but WK_RESULT_OK. */
typedef struct wk_error {
    wk_result result;
    const char *what; /* static: the structure at fault, such as "ELF section header table" */
    uint64_t offset;  /* in bytes from the start of the input */
    uint64_t value;   /* what the file claims; its meaning is that of the result */
} wk_error;

typedef enum wk_format { WK_FORMAT_ELF, WK_FORMAT_MACHO, WK_FORMAT_PE } wk_format;

typedef enum wk_kind {
    WK_KIND_EXECUTABLE,
    WK_KIND_SHARED,
    WK_KIND_BUNDLE,
    WK_KIND_OBJECT,
    WK_KIND_OTHER
} wk_kind;

typedef enum wk_relro { WK_RELRO_NONE, WK_RELRO_PARTIAL, WK_RELRO_FULL } wk_relro;

typedef enum wk_tristate { WK_TRISTATE_NO, WK_TRISTATE_YES, WK_TRISTATE_UNKNOWN } wk_tristate;

/* How a library is asked for. */
typedef enum wk_link {
    WK_LINK_REQUIRED, /* ELF DT_NEEDED, Mach-O LC_LOAD_DYLIB, PE import directory */
    WK_LINK_WEAK,     /* Mach-O: may be missing at run time */
    WK_LINK_REEXPORT, /* Mach-O: its symbols are offered on */
    WK_LINK_UPWARD,   /* Mach-O: part of a cycle */
    WK_LINK_LAZY,     /* Mach-O: loaded at first use */
    WK_LINK_DELAY     /* PE: loaded at first use */
} wk_link;

/* Bits of wk_slice.flags. */
enum {
    WK_FLAG_PIE = 1 << 0,          /* an executable that runs at any address */
    WK_FLAG_STATIC = 1 << 1,       /* an executable that no loader completes */
    WK_FLAG_TEXTREL = 1 << 2,      /* ELF: relocations in read-only segments */
    WK_FLAG_HARD_FLOAT = 1 << 3,   /* ELF for 32-bit Arm: arguments in floating-point registers */
    WK_FLAG_ZIPPERED = 1 << 4,     /* Mach-O: built for macOS and for Mac Catalyst */
    WK_FLAG_ASLR = 1 << 5,         /* PE DYNAMIC_BASE */
    WK_FLAG_HIGH_ENTROPY = 1 << 6, /* PE HIGH_ENTROPY_VA */
    WK_FLAG_NX = 1 << 7,           /* PE NX_COMPAT */
    WK_FLAG_CFG = 1 << 8,          /* PE GUARD_CF */
    WK_FLAG_DOTNET = 1 << 9        /* PE with a CLR header */
};

typedef struct wk_library {
    wk_text name;
    wk_link link;
} wk_library;

/* A search path. One ELF entry with colons is several of these. */
typedef struct wk_rpath {
    wk_text path;
    bool runpath; /* ELF DT_RUNPATH, which is searched after LD_LIBRARY_PATH */
} wk_rpath;

/* ELF: a symbol version that a library must offer. */
typedef struct wk_version {
    wk_text library;
    wk_text version;
} wk_version;

/* An undefined dynamic symbol. */
typedef struct wk_import {
    wk_text name;     /* empty for a PE import by ordinal */
    uint32_t ordinal; /* of a PE import by ordinal */
    uint32_t library; /* index among the slice's libraries; always WK_NONE in ELF */
    uint32_t version; /* index among the slice's versions, which also tell the library; ELF only */
    bool weak;
} wk_import;

/* Everything of one slice that is not a list. A thin file is one slice. */
typedef struct wk_slice {
    wk_format format;
    wk_kind kind;
    uint64_t offset, size; /* of the slice in the input */
    const char *arch;      /* static, lower case; NULL when the number is not known */
    uint32_t arch_number;  /* as the format writes it */
    const char *os; /* static: ELF OS ABI, Mach-O platform, PE subsystem; NULL when not known or not told */
    uint32_t os_number;
    uint32_t flags; /* WK_FLAG_... */
    bool fat;       /* part of a fat file */
    bool wide;      /* 64-bit */
    bool big;       /* big-endian */
    wk_relro relro; /* ELF */
    wk_tristate executable_stack;
    wk_tristate is_signed;
    wk_text name;                 /* ELF DT_SONAME, Mach-O LC_ID_DYLIB, PE export directory */
    wk_text interpreter;          /* ELF PT_INTERP */
    uint32_t min_os;              /* Mach-O: major << 16 | minor << 8 | patch, 0 when not told */
    uint32_t sdk;                 /* likewise */
    uint32_t writable_executable; /* segments or sections mapped both writable and executable */
    uint64_t debug_bytes;
    uint64_t symbol_bytes; /* a symbol table that `strip` would take away, with its strings */
    uint64_t code_bytes;
    uint64_t data_bytes; /* content of the file that is mapped and is not code */
} wk_slice;

/* What wants the facts. Any function may be NULL. Each returns zero to go on; anything else ends the scan
 * with WK_RESULT_STOPPED. A library or a version is told before the imports that refer to it, and `slice`
 * comes last and closes the slice. Facts of a file that turns out damaged have been told by the time the
 * error is returned. */
typedef struct wk_visitor {
    int (*library)(void *context, const wk_library *library);
    int (*rpath)(void *context, const wk_rpath *rpath);
    int (*version)(void *context, const wk_version *version);
    int (*import)(void *context, const wk_import *import);
    /* The name is the concatenation of `count` parts, because Mach-O stores exported names as a tree. */
    int (*export_name)(void *context, const wk_text *parts, size_t count);
    int (*slice)(void *context, const wk_slice *slice);
} wk_visitor;

/* Scan `size` bytes at `data` and tell the facts to `visitor`, with `context` as the first argument of each
 * call. `error` receives the details of a failure and may be NULL. `data` may be NULL when `size` is zero. */
wk_result wk_scan(const uint8_t *data, size_t size, const wk_visitor *visitor, void *context,
                  wk_error *error);

#ifdef __cplusplus
}
#endif

#endif
