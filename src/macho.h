/* Types and functions shared by the files of the Mach-O parser. Layouts and constants follow Apple's
 * <mach-o/loader.h>, <nlist.h> and <fat.h>. */
#ifndef WK_MACHO_H
#define WK_MACHO_H

#include "reader.h"

/* Magic numbers of thin files, read in big-endian order. */
static const uint32_t WK_MACHO_BIG_32 = 0xfeedface;
static const uint32_t WK_MACHO_BIG_64 = 0xfeedfacf;
static const uint32_t WK_MACHO_LITTLE_32 = 0xcefaedfe;
static const uint32_t WK_MACHO_LITTLE_64 = 0xcffaedfe;

/* Magic numbers of fat files, whose headers are always big-endian. */
static const uint32_t WK_MACHO_FAT_32 = 0xcafebabe;
static const uint32_t WK_MACHO_FAT_64 = 0xcafebabf;

/* Return whether a magic number belongs to a big-endian thin file. */
static inline bool wk_macho_is_big(uint32_t magic)
{
    return magic == WK_MACHO_BIG_32 || magic == WK_MACHO_BIG_64;
}

/* Return whether a magic number belongs to a thin file of either byte order. */
static inline bool wk_macho_is_thin(uint32_t magic)
{
    return wk_macho_is_big(magic) || magic == WK_MACHO_LITTLE_32 || magic == WK_MACHO_LITTLE_64;
}

enum { WK_MACHO_CPU_ARM64 = 0x0100000c, WK_MACHO_PLATFORM_MACOS = 1 };

/* A thin file, and what its load commands specify about symbols. */
typedef struct wk_macho {
    wk_cursor file;         /* has the byte order and the word size of the file */
    bool two_level;         /* undefined symbols specify their library */
    uint32_t library_count; /* emitted so far */
    uint32_t symbols_offset, symbol_count;
    uint32_t strings_offset, strings_size;
    bool has_local_count; /* `local_count` is set */
    uint32_t local_count; /* symbols that `strip` would remove */
    bool has_trie;
    uint32_t trie_offset, trie_size;
    uint32_t signature_offset, signature_size;
    uint32_t name_count, uuid_count; /* of LC_ID_DYLIB and LC_UUID */
    wk_slice *facts;
} wk_macho;

/* Keep the first reason why the loader refuses the file; NULL is none. */
static inline void wk_macho_refuse(const wk_macho *macho, const char *reason)
{
    if (macho->facts->refusal == NULL) {
        macho->facts->refusal = reason;
    }
}

/* Check the code signature, and emit the digests in it. */
void wk_parse_macho_signature(wk_macho *macho);

/* Check the number and the size of a load command by the rules of dyld. */
void wk_macho_check_command(wk_macho *macho, uint32_t number, uint32_t size);

/* Check the load commands, which have been read and end at `commands_end`, by the other rules. */
void wk_macho_check_rules(wk_macho *macho, wk_cursor commands, uint64_t commands_end);

/* Parse the symbol table. Emit the imports, and also the exports if the file has no export trie. */
void wk_parse_macho_symbols(wk_macho *macho);

/* Parse the export trie and emit the exported names. */
void wk_parse_macho_trie(const wk_macho *macho);

#endif
