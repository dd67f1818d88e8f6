/* scan.h - public interface of the wheelkit scanner
 *
 * The scanner reads one ELF, Mach-O or PE file from memory, in one bounded pass, and passes facts about it to
 * a visitor.
 *
 * Memory: The scanner allocates nothing. The caller owns the input and must keep it readable during the scan.
 * Every pointer that a visitor receives points into the input, into static storage, or into storage that is
 * valid until the callback returns.
 *
 * Threads: The scanner has no global state. Any number of scans may run at the same time, also over the same
 * input. If another thread changes the input during a scan, the facts may be wrong, but every access stays in
 * bounds.
 *
 * Safety: The input may be any bytes. Every access is checked, and the work is bounded in proportion to the
 * size of the input.
 */
#ifndef WHEELKIT_SCAN_H
#define WHEELKIT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value of an index that refers to no entry. */
#define WK_NONE UINT32_MAX

/* A string in the input. It is not NUL-terminated and has no known encoding.
 *
 * `data` is valid as long as the input is. It is NULL if there is no string, which differs from an empty
 * string. */
typedef struct wk_text {
    const char *data;
    size_t size; /* in bytes; 0 if `data` is NULL */
} wk_text;

/* The outcome of a scan. The comments describe wk_error.value where it has a meaning. */
typedef enum wk_result {
    WK_RESULT_OK = 0,
    WK_RESULT_NOT_A_BINARY, /* the input is some other kind of file, such as text or an archive */
    WK_RESULT_STOPPED,      /* a callback returned nonzero */
    WK_RESULT_TRUNCATED,    /* a structure of `value` bytes extends beyond the end of the file */
    WK_RESULT_BAD_COUNT,    /* a table of `value` entries does not fit in the file */
    WK_RESULT_BAD_OFFSET,   /* a structure starts at `value`, which is outside the file */
    WK_RESULT_BAD_ADDRESS,  /* the memory address `value` is in no part of the file that gets loaded */
    WK_RESULT_BAD_VALUE,    /* a field contains `value`, which is invalid there */
    WK_RESULT_UNSUPPORTED,  /* a field contains `value`, which selects an undefined variant of the format */
    WK_RESULT_BAD_STRING,   /* a string is not terminated within its table */
    WK_RESULT_OVERLAP,      /* two parts of the file share bytes; `value` is the offset of the other part */
    WK_RESULT_LOOP,         /* a structure refers back to itself */
    WK_RESULT_TOO_COMPLEX   /* needs more work or deeper nesting than a valid file of this size */
} wk_result;

/* The details of a failed scan. If the result is WK_RESULT_OK, all fields are zero. */
typedef struct wk_error {
    wk_result result;
    const char *what; /* the structure at fault, such as "ELF section header table"; a static string */
    uint64_t offset;  /* of the fault, in bytes from the start of the input */
    uint64_t value;   /* what the file claims; see wk_result */
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

/* WK_TRISTATE_UNKNOWN means that the format, or the file, does not specify the property. */
typedef enum wk_tristate { WK_TRISTATE_NO, WK_TRISTATE_YES, WK_TRISTATE_UNKNOWN } wk_tristate;

/* How a binary depends on a library. */
typedef enum wk_link {
    WK_LINK_REQUIRED, /* ELF DT_NEEDED, Mach-O LC_LOAD_DYLIB, PE import directory */
    WK_LINK_WEAK,     /* Mach-O: may be missing at run time */
    WK_LINK_REEXPORT, /* Mach-O: its symbols are exported again */
    WK_LINK_UPWARD,   /* Mach-O: part of a dependency cycle */
    WK_LINK_LAZY,     /* Mach-O: loaded at first use */
    WK_LINK_DELAY     /* PE: loaded at first use */
} wk_link;

/* Bits of wk_slice.flags. */
enum {
    WK_FLAG_PIE = 1 << 0,             /* a position-independent executable */
    WK_FLAG_STATIC = 1 << 1,          /* an executable that needs no loader */
    WK_FLAG_TEXTREL = 1 << 2,         /* ELF: relocations apply to read-only segments */
    WK_FLAG_HARD_FLOAT = 1 << 3,      /* ELF for 32-bit Arm: passes arguments in floating-point registers */
    WK_FLAG_ZIPPERED = 1 << 4,        /* Mach-O: built for both macOS and Mac Catalyst */
    WK_FLAG_ASLR = 1 << 5,            /* PE DYNAMIC_BASE */
    WK_FLAG_HIGH_ENTROPY = 1 << 6,    /* PE HIGH_ENTROPY_VA */
    WK_FLAG_NX = 1 << 7,              /* PE NX_COMPAT */
    WK_FLAG_CFG = 1 << 8,             /* PE GUARD_CF */
    WK_FLAG_DOTNET = 1 << 9,          /* PE with a CLR header */
    WK_FLAG_CHAINED_FIXUPS = 1 << 10, /* Mach-O: fixed up by LC_DYLD_CHAINED_FIXUPS */
    WK_FLAG_FIXED_BASE = 1 << 11,     /* PE without relocations, which only loads at its preferred address */
    WK_FLAG_STATIC_TLS = 1 << 12,     /* ELF: its thread-local storage must be in the static block */
    WK_FLAG_NODEFLIB = 1 << 13        /* ELF: the loader ignores the default directories for its libraries */
};

/* Bits of wk_slice.faults: what a loader refuses or reads differently than other tools do, in a file whose
 * structures are all readable. */
enum {
    WK_FAULT_IDENT = 1 << 0,       /* ELF: an OS ABI, ABI version, padding or version that glibc refuses */
    WK_FAULT_NO_SEGMENTS = 1 << 1, /* ELF: nothing to load */
    WK_FAULT_NO_DYNAMIC = 1 << 2,  /* ELF: no dynamic section, or an empty one */
    WK_FAULT_ORDER = 1 << 3,       /* ELF: load segments reach beyond the first and the last one */
    WK_FAULT_PROGRAM = 1 << 4,     /* ELF: marked as an executable, which cannot be loaded as a library */
    WK_FAULT_NOOPEN = 1 << 5,      /* ELF: marked as not to be loaded by dlopen() */
    WK_FAULT_VERSIONS = 1 << 6,    /* ELF: version records of an unknown layout, without numbers of the
                                      symbols, or with a wrong hash */
    WK_FAULT_TABLES = 1 << 7,      /* ELF: no strings or symbols, or relocations of an unknown layout or
                                      outside of all segments */
    WK_FAULT_HASH = 1 << 8,        /* ELF: no hash table that the loader can use to find symbols */
    WK_FAULT_SECTIONS = 1 << 9,    /* ELF: section headers are damaged; loaders do not read them */
    WK_FAULT_COUNTS = 1 << 10,     /* ELF: counts and sizes, which glibc ignores, disagree with the chains */
    WK_FAULT_OFFSET = 1 << 11,     /* ELF: the offset of the dynamic section disagrees with its address */
    WK_FAULT_OVERLAP = 1 << 12,    /* ELF: load segments share an address, or are longer than in memory */
    WK_FAULT_ALIGNMENT = 1 << 13,  /* ELF: a load segment does not have the alignment that it declares */
    WK_FAULT_NUMBERS = 1 << 14,    /* ELF: symbols have version numbers that are higher than all records */
    WK_FAULT_RELR = 1 << 15        /* ELF: packed relocations without the version that asks for them */
};

/* A library that a slice depends on. */
typedef struct wk_library {
    wk_text name;
    wk_link link;
} wk_library;

/* One directory of a search path. An ELF entry that contains colons yields several of these. */
typedef struct wk_rpath {
    wk_text path;
    bool runpath; /* ELF DT_RUNPATH, which the loader searches after LD_LIBRARY_PATH */
} wk_rpath;

/* ELF: a symbol version that a library must provide. */
typedef struct wk_version {
    wk_text library;
    wk_text version;
    bool weak; /* the loader only warns if the library does not provide it */
} wk_version;

/* An undefined dynamic symbol. */
typedef struct wk_import {
    wk_text name;     /* `data` is NULL for a PE import by ordinal */
    uint32_t ordinal; /* PE: set if the import is by ordinal */
    uint32_t library; /* index into the libraries of the slice, or WK_NONE; always WK_NONE in ELF */
    uint32_t version; /* ELF: index into the versions of the slice, or WK_NONE */
    bool weak;
} wk_import;

/* Bytes of a slice whose digests are in its Mach-O code signature: `size` bytes from `offset` on, in chunks
 * of `chunk` bytes, of which the last may be shorter. Their digests, `digest_size` bytes each, follow one
 * another from `digests` on. All of this is inside the slice; offsets count from its start. */
typedef struct wk_digest {
    const char *algorithm; /* a static string: "sha1", "sha256" or "sha384" */
    uint32_t digest_size;  /* less than the algorithm yields if the digests are cut off */
    uint32_t chunk;        /* in bytes; not 0 */
    uint64_t offset, size;
    uint64_t digests;
} wk_digest;

/* All facts about one slice that are not lists. A slice is a thin file or one part of a fat file. */
typedef struct wk_slice {
    wk_format format;
    wk_kind kind;
    uint64_t offset, size; /* of the slice in the input, in bytes */
    const char *arch;      /* a static string in lower case, or NULL if `arch_number` is unknown */
    uint32_t arch_number;  /* as stored in the file */
    const char *os;        /* a static string, or NULL: the ELF OS ABI, Mach-O platform or PE subsystem */
    uint32_t os_number;    /* as stored in the file; 0 in Mach-O files without a platform */
    uint32_t flags;        /* a combination of WK_FLAG_* */
    uint32_t faults;       /* a combination of WK_FAULT_* */
    bool fat;              /* part of a fat file */
    bool wide;             /* 64-bit */
    bool big;              /* big-endian */
    wk_relro relro;        /* ELF */
    wk_tristate executable_stack;
    wk_tristate is_signed;
    wk_text name;                 /* ELF DT_SONAME, Mach-O LC_ID_DYLIB, name in the PE export directory */
    wk_text interpreter;          /* ELF PT_INTERP */
    uint32_t min_os;              /* Mach-O: major << 16 | minor << 8 | patch, or 0 if unspecified */
    uint32_t sdk;                 /* Mach-O: encoded like min_os */
    uint32_t writable_executable; /* number of segments or sections mapped both writable and executable */
    uint64_t debug_bytes;         /* of debug information */
    uint64_t symbol_bytes;        /* of the symbol table that `strip` would remove, including its strings */
    uint64_t code_bytes;          /* of executable content */
    uint64_t data_bytes;          /* of other content that gets mapped */
    const char *refusal;          /* why the loader refuses the file although it is readable; a static string,
                                     or NULL */
    uint64_t page_size;           /* ELF: the largest pages that the load segments can be mapped with, as
                                     their offsets and addresses tell; 0 if there are none */
    uint64_t alignment;           /* ELF: the smallest alignment that a load segment declares, at least 1 */
    uint64_t tls_bytes;           /* ELF: of thread-local storage */
    uint32_t isa;                 /* ELF for x86: the level that the processor must have, 1 (x86-64) to 4
                                     (x86-64-v4), by the GNU property note; 0 if unspecified */
} wk_slice;

/* The callbacks that receive the facts. Any of them may be NULL.
 *
 * Each callback returns 0 to continue. Any other value ends the scan with WK_RESULT_STOPPED. The structures
 * passed to a callback are valid until it returns; the callback must copy what it keeps. Strings in them are
 * valid as long as the input is.
 *
 * Callbacks run on the thread that called wk_scan(). A library or a version is passed before any import that
 * refers to it. `slice` is the last callback for a slice; all facts since the previous call of `slice` belong
 * to it. If the file is damaged, some facts have been passed before wk_scan() returns the error. */
typedef struct wk_visitor {
    int (*library)(void *context, const wk_library *library);
    int (*rpath)(void *context, const wk_rpath *rpath);
    int (*version)(void *context, const wk_version *version);
    int (*definition)(void *context, const wk_text *version); /* ELF: a symbol version that it provides */
    int (*import)(void *context, const wk_import *import);
    /* The name is the concatenation of `count` parts, because Mach-O stores exported names as a trie. */
    int (*export_name)(void *context, const wk_text *parts, size_t count);
    int (*slice)(void *context, const wk_slice *slice);
    int (*digest)(void *context, const wk_digest *digest);
} wk_visitor;

/* Scan a file in memory.
 *
 * `data` points to `size` bytes; it may be NULL if `size` is 0. `visitor` receives the facts; it must not be
 * NULL. Each callback gets `context` as its first argument. `error` receives the details of a failure; it may
 * be NULL. The caller keeps ownership of all arguments, and the scanner retains none of them.
 *
 * Returns:
 *   WK_RESULT_OK             the whole file was scanned; the visitor got at least one slice
 *   WK_RESULT_NOT_A_BINARY   the input is not an ELF, Mach-O or PE file; this is not an error in the input
 *   WK_RESULT_STOPPED        a callback returned nonzero
 *   any other value          the file is damaged in the way that wk_result describes
 */
wk_result wk_scan(const uint8_t *data, size_t size, const wk_visitor *visitor, void *context,
                  wk_error *error);

#ifdef __cplusplus
}
#endif

#endif
