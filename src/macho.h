/* What the parts of the Mach-O parser share. Layouts and values are those of Apple's <mach-o/loader.h>,
 * <nlist.h> and <fat.h>. */
#ifndef WK_MACHO_H
#define WK_MACHO_H

#include "parser.h"

/* The magic numbers of thin files, read in big-endian order. The byte order of the file is that of the name.
 */
static const uint32_t WK_MACHO_BIG_32 = 0xfeedface;
static const uint32_t WK_MACHO_BIG_64 = 0xfeedfacf;
static const uint32_t WK_MACHO_LITTLE_32 = 0xcefaedfe;
static const uint32_t WK_MACHO_LITTLE_64 = 0xcffaedfe;

/* The magic numbers of fat files, whose headers are always big-endian. */
static const uint32_t WK_MACHO_FAT_32 = 0xcafebabe;
static const uint32_t WK_MACHO_FAT_64 = 0xcafebabf;

/* Whether a magic number marks a thin file of big-endian byte order. */
static inline bool wk_macho_is_big(uint32_t magic)
{
    return magic == WK_MACHO_BIG_32 || magic == WK_MACHO_BIG_64;
}

/* Whether a magic number marks a thin file of either byte order. */
static inline bool wk_macho_is_thin(uint32_t magic)
{
    return wk_macho_is_big(magic) || magic == WK_MACHO_LITTLE_32 || magic == WK_MACHO_LITTLE_64;
}

/* What the load commands say about symbols. */
typedef struct wk_macho {
    wk_cursor file;         /* knows byte order and word size */
    bool two_level;         /* undefined symbols name their library */
    uint32_t library_count; /* told so far */
    uint32_t symbols_offset, symbol_count;
    uint32_t strings_offset, strings_size;
    bool has_local_count; /* `locals` is known */
    uint32_t local_count; /* symbols that `strip` would take away */
    bool has_trie;
    uint32_t trie_offset, trie_size;
    wk_slice *facts;
} wk_macho;

/* The symbol table: imports, and the exports too when there is no tree of them. */
void wk_parse_macho_symbols(wk_macho *macho);

/* The tree of exported names. */
void wk_parse_macho_trie(const wk_macho *macho);

#endif
