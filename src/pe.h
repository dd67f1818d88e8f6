/* Types and functions shared by the files of the PE parser. Layouts and constants follow Microsoft's PE
 * Format specification. */
#ifndef WK_PE_H
#define WK_PE_H

#include "reader.h"

/* Indexes of data directories. */
enum {
    WK_PE_DIRECTORY_EXPORTS = 0,
    WK_PE_DIRECTORY_IMPORTS = 1,
    WK_PE_DIRECTORY_SECURITY = 4,
    WK_PE_DIRECTORY_LOAD_CONFIG = 10,
    WK_PE_DIRECTORY_DELAY_IMPORTS = 13,
    WK_PE_DIRECTORY_CLR = 14
};
enum { WK_PE_DIRECTORY_COUNT = 16, WK_PE_SECTION_SIZE = 40 };

typedef struct wk_pe_directory {
    uint32_t address, size;
} wk_pe_directory;

/* A part of the file and its address in memory, relative to the base. */
typedef struct wk_pe_range {
    uint32_t address, offset, size;
} wk_pe_range;

typedef struct wk_pe {
    wk_cursor file;                               /* little-endian, with the word size of the file */
    wk_cursor sections;                           /* the section table */
    uint64_t base;                                /* preferred address in memory */
    uint32_t headers_size, image_size, alignment; /* alignment of sections in memory */
    uint32_t symbols_offset, symbol_count;
    wk_pe_directory directories[WK_PE_DIRECTORY_COUNT]; /* zero if absent */
    wk_pe_range last_range; /* the part that contains the last address looked up */
    uint32_t library_count; /* emitted so far */
    wk_slice *facts;
} wk_pe;

typedef struct wk_pe_section {
    const uint8_t *name; /* eight bytes, or NULL after an error */
    uint32_t virtual_size, address, size, offset, flags;
} wk_pe_section;

/* Read the next section header. */
wk_pe_section wk_pe_read_section(wk_cursor *sections);

/* Return whether the file has the content of an address, relative to the base. */
bool wk_pe_contains(const wk_pe *pe, uint64_t address);

/* Return the bytes from an address, relative to the base, to the end of the file content of its section or
 * of the headers. If neither contains the address, fail the scan and return an empty window. */
wk_cursor wk_pe_at(wk_pe *pe, uint64_t address, const char *what);

/* Parse the import, delay import and export directories. */
void wk_parse_pe_symbols(wk_pe *pe);

#endif
