/* ELF dynamic symbols, and the versions that the undefined ones need. The layouts of .gnu.version and
 * .gnu.version_r follow the Linux Standard Base core specification, chapter 10.7. */
#include "elf.h"
#include "sink.h"

enum { STB_GLOBAL = 1, STB_WEAK = 2, STB_GNU_UNIQUE = 10, STV_DEFAULT = 0, STV_PROTECTED = 3 };
enum { VER_NDX_GLOBAL = 1, VERSYM_VERSION = 0x7fff, VERSION_CACHE = 256 };

/* Maps version numbers of .gnu.version to indexes of emitted versions. Numbers that are equal modulo the
 * size share an entry, which is rare. An entry with number 0 is empty. */
typedef struct version_cache {
    uint16_t number[VERSION_CACHE];
    uint32_t index[VERSION_CACHE];
} version_cache;

/* An iterator over .gnu.version_r, which is a list of libraries, each with a list of needed versions. */
typedef struct version_walk {
    wk_cursor table;
    uint64_t library_at; /* offset of the entry of the current library */
    uint64_t libraries;  /* remaining, including the current one */
    uint64_t at;         /* offset of the entry of the next version */
    uint32_t versions;   /* remaining in the current library */
    uint32_t library_name;
    uint32_t next_library;
    uint32_t index; /* of the next version, counted over all libraries */
} version_walk;

typedef struct needed_version {
    uint32_t library, name; /* offsets in the dynamic strings */
    uint16_t number;        /* the number that .gnu.version uses */
    uint32_t index;
} needed_version;

/* Read the entry of the current library. */
static void read_library(version_walk *walk)
{
    wk_cursor *table = &walk->table;
    wk_seek(table, walk->library_at);
    (void)wk_u16(table); /* revision of the layout */
    walk->versions = wk_u16(table);
    walk->library_name = wk_u32(table);
    walk->at = walk->library_at + wk_u32(table);
    walk->next_library = wk_u32(table);
}

static version_walk begin_walk(const wk_cursor *table, uint64_t libraries)
{
    version_walk walk = {0};
    walk.table = *table;
    walk.libraries = libraries;
    if (libraries > 0) {
        read_library(&walk);
    }
    return walk;
}

/* Read the next needed version. Return false at the end of the list and after a failure. */
static bool next_version(version_walk *walk, needed_version *needed)
{
    wk_cursor *table = &walk->table;
    while (walk->versions == 0) {
        if (walk->libraries <= 1 || walk->next_library == 0 || !wk_ok(table->state) ||
            !wk_use_budget(table, 16)) {
            return false;
        }
        walk->libraries--;
        walk->library_at += walk->next_library;
        read_library(walk);
    }
    wk_seek(table, walk->at);
    wk_skip(table, 6); /* hash and flags */
    needed->number = wk_u16(table) & VERSYM_VERSION;
    needed->name = wk_u32(table);
    const uint32_t next = wk_u32(table);
    needed->library = walk->library_name;
    needed->index = walk->index++;
    walk->versions = next == 0 ? 0 : walk->versions - 1;
    walk->at += next;
    return wk_use_budget(table, 16) && wk_ok(table->state);
}

static void emit_versions(const wk_cursor *table, uint64_t libraries, const wk_cursor *strings,
                          version_cache *cache)
{
    version_walk walk = begin_walk(table, libraries);
    needed_version needed;
    while (wk_ok(table->state) && next_version(&walk, &needed)) {
        wk_emit_version(&walk.table, wk_string(strings, needed.library), wk_string(strings, needed.name));
        const size_t slot = needed.number % VERSION_CACHE;
        if (cache->number[slot] == 0) {
            cache->number[slot] = needed.number;
            cache->index[slot] = needed.index;
        }
    }
}

/* Return the index of the version with a number of .gnu.version. Return WK_NONE for unversioned symbols
 * and for versions that the file itself defines. */
static uint32_t find_version(const wk_cursor *table, uint64_t libraries, version_cache *cache,
                             uint16_t number)
{
    const size_t slot = number % VERSION_CACHE;
    if (number <= VER_NDX_GLOBAL || cache->number[slot] == 0) {
        return WK_NONE;
    }
    if (cache->number[slot] == number) {
        return cache->index[slot];
    }
    version_walk walk = begin_walk(table, libraries);
    needed_version needed;
    while (next_version(&walk, &needed)) {
        if (needed.number == number) {
            cache->number[slot] = number;
            cache->index[slot] = needed.index;
            return needed.index;
        }
    }
    return WK_NONE;
}

typedef struct symbol {
    uint32_t name;
    uint8_t info, visibility;
    uint16_t section;
} symbol;

static symbol read_symbol(wk_cursor *symbols)
{
    symbol s;
    s.name = wk_u32(symbols);
    if (!symbols->wide) {
        wk_skip(symbols, 8); /* value and size */
    }
    s.info = wk_u8(symbols);
    s.visibility = wk_u8(symbols) & 3;
    s.section = wk_u16(symbols);
    if (symbols->wide) {
        wk_skip(symbols, 16);
    }
    return s;
}

typedef struct symbol_tables {
    wk_cursor symbols, versions, verneed, strings;
    uint64_t libraries; /* libraries in verneed */
    version_cache *cache;
} symbol_tables;

/* Emit a symbol as an import if it is undefined, or as an export if other files can use it. */
static void emit_symbol(symbol_tables *t, const symbol *s, uint16_t version)
{
    const uint8_t binding = s->info >> 4;
    const bool visible = s->visibility == STV_DEFAULT || s->visibility == STV_PROTECTED;
    if (s->name == 0 || (binding != STB_GLOBAL && binding != STB_WEAK && binding != STB_GNU_UNIQUE)) {
        return;
    }
    if (s->section == 0) {
        const uint16_t number = version & VERSYM_VERSION;
        const wk_import import = {wk_string(&t->strings, s->name), 0, WK_NONE,
                                  find_version(&t->verneed, t->libraries, t->cache, number),
                                  binding == STB_WEAK};
        wk_emit_import(&t->symbols, &import);
    } else if (visible && version != 0) { /* version 0 makes a symbol local to the file */
        const wk_text name = wk_string(&t->strings, s->name);
        wk_emit_export(&t->symbols, &name, 1);
    }
}

static void emit_symbols(const wk_elf *elf, const wk_elf_dynamic *d, symbol_tables *t, uint64_t count)
{
    const uint32_t entry = elf->file.wide ? 24 : 16;
    if (d->symbol_size != 0 && d->symbol_size != entry) {
        wk_fail(elf->file.state, WK_RESULT_BAD_VALUE, "ELF dynamic symbol size",
                wk_offset_at(&elf->dynamic, 0), d->symbol_size);
    }
    const wk_cursor at = wk_elf_at(elf, d->symbols, "ELF dynamic symbols");
    t->symbols = wk_table(&at, 0, count, entry, at.what);
    if (d->versym != 0) {
        const wk_cursor numbers = wk_elf_at(elf, d->versym, "ELF symbol versions");
        t->versions = wk_table(&numbers, 0, count, 2, numbers.what);
    }
    (void)wk_use_budget(&t->symbols, t->symbols.size);
    while (t->symbols.at < t->symbols.size && wk_ok(t->symbols.state)) {
        const symbol s = read_symbol(&t->symbols);
        emit_symbol(t, &s, d->versym != 0 ? wk_u16(&t->versions) : VER_NDX_GLOBAL);
    }
}

void wk_parse_elf_symbols(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                          uint64_t count)
{
    version_cache cache = {{0}, {0}};
    symbol_tables tables = {0};
    tables.cache = &cache;
    tables.strings = *strings;
    tables.verneed = wk_window(&elf->file, 0, 0, "ELF needed versions");
    if (d->verneed != 0) {
        tables.verneed = wk_elf_at(elf, d->verneed, "ELF needed versions");
        tables.libraries = d->verneed_count;
        emit_versions(&tables.verneed, tables.libraries, strings, &cache);
    }
    if (count > 0 && wk_ok(elf->file.state)) {
        emit_symbols(elf, d, &tables, count);
    }
}
