/* What the parts of the Mach-O parser share. Layouts and values are those of Apple's <mach-o/loader.h>, <nlist.h> and
 * <fat.h>. */
#ifndef WK_MACHO_H
#define WK_MACHO_H

#include "parser.h"

/* What the load commands say about symbols. */
typedef struct wk_macho {
    wk_cursor file;      /* knows byte order and word size */
    bool two_level;      /* undefined symbols name their library */
    uint32_t library_count;  /* told so far */
    uint32_t symbols_offset, symbol_count;
    uint32_t strings_offset, strings_size;
    bool has_local_count;     /* `locals` is known */
    uint32_t local_count;     /* symbols that `strip` would take away */
    bool has_trie;
    uint32_t trie_offset, trie_size;
    wk_slice *facts;
} wk_macho;

/* The name that platform tags use for a processor, or NULL. */
const char *wk_macho_arch(uint32_t cpu, uint32_t subtype);

/* The symbol table: imports, and the exports too when there is no tree of them. */
void wk_parse_macho_symbols(wk_macho *macho);

/* The tree of exported names. */
void wk_parse_macho_trie(const wk_macho *macho);

#endif
