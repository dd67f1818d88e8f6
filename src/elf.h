/* What the two halves of the ELF parser share. Field layouts and values are those of the System V gABI,
 * chapters 4 and 5, and of the processor supplements. */
#ifndef WK_ELF_H
#define WK_ELF_H

#include "parser.h"

enum { WK_ET_EXEC = 2, WK_ET_DYN = 3 };                         /* e_type */
enum { WK_EM_MIPS = 8, WK_EM_S390 = 22, WK_EM_ALPHA = 0x9026 }; /* e_machine */
enum { WK_PT_LOAD = 1, WK_PT_DYNAMIC = 2 };                     /* p_type */
enum { WK_SHT_DYNSYM = 11 };                                    /* sh_type */

typedef struct wk_elf {
    wk_cursor file;     /* knows byte order and word size */
    wk_cursor segments; /* the program header table, empty if there is none */
    wk_cursor sections; /* the section header table, likewise */
    uint16_t type;
    uint16_t machine;
    uint64_t names_index; /* of the section that holds the sections' names */
    wk_cursor dynamic;    /* the dynamic segment, empty if there is none */
    uint64_t dynsym_addr; /* address and entries of the section with dynamic symbols; no entries if there is
                             none */
    uint64_t dynsym_count;
    wk_slice *facts;
} wk_elf;

typedef struct wk_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz;
} wk_segment;

/* The entries of the dynamic segment that are looked at, zero where absent. */
typedef struct wk_elf_dynamic {
    bool has_strings, has_soname;
    uint64_t strings, strings_size;
    uint64_t symbols, symbol_size;
    uint64_t hash, gnu_hash;
    uint64_t versym, verneed, verneed_count;
    uint64_t rela, rela_size, rel, rel_size, plt, plt_size, plt_kind;
    uint64_t soname;
    uint64_t mips_symbols;
} wk_elf_dynamic;

/* The next program header. */
wk_segment wk_elf_segment(wk_cursor *segments);

/* The bytes from a memory address to the end of the segment that loads it. */
wk_cursor wk_elf_at(const wk_elf *elf, uint64_t address, const char *what);

/* Facts of the dynamic segment: names, libraries and, by the next function, versions and symbols. */
void wk_parse_elf_dynamic(wk_elf *elf);

/* Needed versions, and the first `count` dynamic symbols, with their names in `strings`. */
void wk_parse_elf_symbols(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                          uint64_t count);

#endif
