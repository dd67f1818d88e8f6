/* Types and functions shared by the files of the ELF parser. Layouts and constants follow chapters 4 and 5
 * of the System V gABI and the processor supplements. Where glibc's loader reads a file in another way than
 * the gABI says (elf/dl-load.c, elf/dl-version.c, elf/get-dynamic-info.h), the parser reads it as glibc does.
 */
#ifndef WK_ELF_H
#define WK_ELF_H

#include "reader.h"

enum { WK_ET_REL = 1, WK_ET_EXEC = 2, WK_ET_DYN = 3 };          /* e_type */
enum { WK_EM_MIPS = 8, WK_EM_S390 = 22, WK_EM_ALPHA = 0x9026 }; /* e_machine */
enum { WK_PT_LOAD = 1 };                                        /* p_type */

/* An ELF file and its tables. A table is empty if the file has none. */
typedef struct wk_elf {
    wk_cursor file;     /* has the byte order and the word size of the file */
    wk_cursor segments; /* the program header table */
    uint16_t type;
    uint16_t machine;
    uint8_t os_version;                                    /* of the OS ABI */
    uint64_t sections_offset, sections_count, names_index; /* of the section header table, as in the header */
    uint16_t section_size;
    bool has_sections;     /* they are readable, and the sizes of the facts come from them */
    wk_cursor dynamic;     /* from the dynamic section to the end of its segment */
    bool needs_libc;       /* it needs glibc's libc.so, of any version */
    uint64_t dynsym_addr;  /* of the section with dynamic symbols */
    uint64_t dynsym_count; /* entries of that section; 0 if there is none */
    wk_slice *facts;
} wk_elf;

/* A program header. */
typedef struct wk_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz, align;
} wk_segment;

/* A table of relocations, as the dynamic entries describe it. */
typedef struct wk_elf_relocations {
    bool present, sized; /* whether there are entries for its address and for its size */
    uint64_t address, size, entry;
} wk_elf_relocations;

/* Values of the dynamic entries that the parser uses; 0 if an entry is absent. Of entries with the same tag,
 * the last one counts, as in glibc. */
typedef struct wk_elf_dynamic {
    bool has_strings, has_soname, has_symbols, has_versym, has_verneed, has_verdef, has_rpath, has_runpath;
    uint64_t strings, strings_size;
    uint64_t symbols, symbol_size;
    uint64_t hash, gnu_hash;
    uint64_t versym, verneed, verneed_count, verdef, verdef_count;
    wk_elf_relocations rela, rel, relr, plt;
    bool has_plt_kind;
    uint64_t plt_kind;
    uint64_t init, fini, init_array, init_array_size;
    uint64_t soname, rpath, runpath;
    uint64_t mips_symbols;
} wk_elf_dynamic;

/* The number of dynamic symbols. The loader can reach the first `reached`: the hash table or a relocation
 * refers to them. Other tables tell of up to `told`, which are read as far as they are valid. */
typedef struct wk_symbol_count {
    uint64_t reached, told;
} wk_symbol_count;

/* Maps version numbers of .gnu.version to indexes of emitted versions. Numbers that are equal modulo the
 * size share an entry, which is rare. An entry with number 0 is empty. `highest` is the highest number of any
 * record, needed or defined. */
enum { WK_VERSION_CACHE = 256, WK_VERSYM_VERSION = 0x7fff };
typedef struct wk_version_cache {
    uint16_t number[WK_VERSION_CACHE];
    uint32_t index[WK_VERSION_CACHE];
    uint16_t highest;
} wk_version_cache;

/* Read the next program header. */
wk_segment wk_elf_segment(wk_cursor *segments);

/* Return the bytes from a memory address to the end of the segment that contains it. Of several segments,
 * the last one counts, which the loader maps over the others. If no loaded segment contains the address,
 * fail the scan and return an empty window. */
wk_cursor wk_elf_at(const wk_elf *elf, uint64_t address, const char *what);

/* Return whether a memory address is in a page of a load segment, zeros included. */
bool wk_elf_is_mapped(const wk_elf *elf, uint64_t address);

/* Read the program headers: facts about the segments, and where the dynamic section is. `stack` is what the
 * processor's ABI says about files without PT_GNU_STACK. */
void wk_parse_elf_segments(wk_elf *elf, wk_tristate stack);

/* Read the section headers: sizes, and the number of dynamic symbols. If they are damaged, nothing is read
 * of them; the scan fails only for a file that cannot be loaded without them. */
void wk_parse_elf_sections(wk_elf *elf);

/* Return the first section header, which stores the counts that do not fit in 16 bits: `info` is the number
 * of program headers. */
uint32_t wk_elf_first_section_info(const wk_elf *elf);

/* Parse the dynamic section: the name of the library, its dependencies and search paths. Then parse the
 * versions and symbols. */
void wk_parse_elf_dynamic(wk_elf *elf);

/* Return whether the tables of relocations are described as glibc asserts. It skips DT_JMPREL without
 * DT_PLTREL. */
bool wk_elf_can_relocate(const wk_elf *elf, const wk_elf_dynamic *d);

/* Return the number of symbols up to the last one that a relocation refers to. Relocations of what is not
 * loaded are a fault, as are addresses that the loader calls first and that are not relocated; what packed
 * relocations do is not read. */
uint64_t wk_elf_count_by_relocations(const wk_elf *elf, const wk_elf_dynamic *d);

/* Emit the versions that the file needs and those that it defines, and fill the cache. `strings` contains
 * their names. */
void wk_parse_elf_versions(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                           wk_version_cache *cache);

/* Return the index of the needed version with a number of .gnu.version. Return WK_NONE for unversioned
 * symbols and for versions that the file itself defines. */
uint32_t wk_elf_find_version(const wk_elf *elf, const wk_elf_dynamic *d, wk_version_cache *cache,
                             uint16_t number);

/* Emit the dynamic symbols. `strings` contains their names. */
void wk_parse_elf_symbols(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                          wk_version_cache *cache, wk_symbol_count count);

#endif
