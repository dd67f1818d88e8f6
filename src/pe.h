/* What the halves of the PE parser share. Layouts and values are those of Microsoft's "PE Format"
 * specification. */
#ifndef WK_PE_H
#define WK_PE_H

#include "parser.h"

enum {
    WK_PE_DIRECTORY_EXPORTS = 0,
    WK_PE_DIRECTORY_IMPORTS = 1,
    WK_PE_DIRECTORY_SECURITY = 4,
    WK_PE_DIRECTORY_DELAY_IMPORTS = 13,
    WK_PE_DIRECTORY_CLR = 14
};
enum { WK_PE_DIRECTORY_COUNT = 16, WK_PE_SECTION_SIZE = 40 };

typedef struct wk_pe_directory {
    uint32_t address, size;
} wk_pe_directory;

/* A part of the file and where it stands in memory, relative to the base. */
typedef struct wk_pe_range {
    uint32_t address, offset, size;
} wk_pe_range;

typedef struct wk_pe {
    wk_cursor file;     /* little-endian; knows the word size */
    wk_cursor sections; /* the section table */
    uint64_t base;      /* preferred address in memory */
    uint32_t headers_size;
    uint32_t symbols_offset, symbol_count;
    wk_pe_directory directories[WK_PE_DIRECTORY_COUNT]; /* zero where absent */
    wk_pe_range last_range;                             /* the section that the last address was in */
    uint32_t library_count;                             /* told so far */
    wk_slice *facts;
} wk_pe;

typedef struct wk_pe_section {
    const uint8_t *name; /* eight bytes, or NULL after an error */
    uint32_t virtual_size, address, size, offset, flags;
} wk_pe_section;

/* The next entry of the section table. */
wk_pe_section wk_pe_read_section(wk_cursor *sections);

/* The bytes from an address, relative to the base, to the end of the section's bytes in the file. */
wk_cursor wk_pe_at(wk_pe *pe, uint64_t address, const char *what);

/* Libraries, imports and exports. */
void wk_parse_pe_symbols(wk_pe *pe);

#endif
