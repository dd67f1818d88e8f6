/* Types and functions shared by the files of the ELF parser. Layouts and constants follow chapters 4 and 5
 * of the System V gABI and the processor supplements. */
#ifndef WK_ELF_H
#define WK_ELF_H

#include "reader.h"

enum { WK_ET_REL = 1, WK_ET_EXEC = 2, WK_ET_DYN = 3 };          /* e_type */
enum { WK_EM_MIPS = 8, WK_EM_S390 = 22, WK_EM_ALPHA = 0x9026 }; /* e_machine */
enum { WK_PT_LOAD = 1, WK_PT_DYNAMIC = 2 };                     /* p_type */
enum { WK_SHT_DYNSYM = 11 };                                    /* sh_type */

/* An ELF file and its tables. A table is empty if the file has none. */
typedef struct wk_elf {
    wk_cursor file;     /* has the byte order and the word size of the file */
    wk_cursor segments; /* the program header table */
    wk_cursor sections; /* the section header table */
    uint16_t type;
    uint16_t machine;
    uint64_t names_index;  /* index of the section that contains the names of sections */
    wk_cursor dynamic;     /* the dynamic segment */
    uint64_t dynsym_addr;  /* of the section with dynamic symbols */
    uint64_t dynsym_count; /* entries of that section; 0 if there is none */
    wk_slice *facts;
} wk_elf;

/* A program header. */
typedef struct wk_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz;
} wk_segment;

/* Values of the dynamic entries that the parser uses; 0 if an entry is absent. */
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

/* Read the next program header. */
wk_segment wk_elf_segment(wk_cursor *segments);

/* Return the bytes from a memory address to the end of the segment that contains it. If no loaded segment
 * contains it, fail the scan and return an empty window. */
wk_cursor wk_elf_at(const wk_elf *elf, uint64_t address, const char *what);

/* Parse the dynamic segment: the name of the library, its dependencies and search paths. Then parse the
 * symbols. */
void wk_parse_elf_dynamic(wk_elf *elf);

/* Emit the needed versions and the first `count` dynamic symbols. `strings` contains their names. */
void wk_parse_elf_symbols(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                          uint64_t count);

#endif
