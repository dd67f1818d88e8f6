/* ELF symbol versions: those that a file needs, and those that it defines. The layouts of .gnu.version_r and
 * .gnu.version_d follow the Linux Standard Base core specification, chapter 10.7. The records are walked by
 * their links, as glibc does (elf/dl-version.c); the counts are only compared. */
#include "elf.h"
#include "sink.h"

enum { VER_NDX_GLOBAL = 1, VER_FLG_BASE = 1, VER_FLG_WEAK = 2, CURRENT = 1 };

/* An iterator over .gnu.version_r, which is a list of libraries, each with a list of needed versions. */
typedef struct version_walk {
    wk_cursor table;
    bool ended;
    bool disagrees;      /* a count that the file declares is not that of its records */
    uint16_t layout;     /* of the first library */
    uint64_t library_at; /* offset of the record of the current library */
    uint64_t at;         /* offset of the record of the next version */
    uint64_t libraries;  /* read so far */
    uint32_t versions;   /* read so far in the current library */
    uint16_t declared;   /* number of versions in the current library, as declared */
    uint32_t library_name;
    uint32_t next_library;
    uint32_t index; /* of the next version, counted over all libraries */
} version_walk;

typedef struct needed_version {
    uint32_t library, name; /* offsets in the dynamic strings */
    uint32_t hash;
    uint16_t flags;
    uint16_t number; /* the number that .gnu.version uses */
    uint32_t index;
} needed_version;

/* Read the record of the current library. */
static void read_library(version_walk *walk)
{
    wk_cursor *table = &walk->table;
    wk_seek(table, walk->library_at);
    const uint16_t layout = wk_u16(table);
    walk->layout = walk->libraries == 0 ? layout : walk->layout;
    walk->declared = wk_u16(table);
    walk->library_name = wk_u32(table);
    walk->at = walk->library_at + wk_u32(table);
    walk->next_library = wk_u32(table);
    walk->versions = 0;
    walk->libraries++;
}

static version_walk begin_walk(const wk_elf *elf, const wk_elf_dynamic *d)
{
    version_walk walk = {.ended = !d->has_verneed};
    if (d->has_verneed) {
        walk.table = wk_elf_at(elf, d->verneed, "ELF needed versions");
        read_library(&walk);
    }
    return walk;
}

/* Move on after the last version of a library. */
static void end_library(version_walk *walk)
{
    walk->disagrees = walk->disagrees || walk->versions != walk->declared;
    walk->ended = walk->next_library == 0;
    if (!walk->ended) {
        walk->library_at += walk->next_library;
        read_library(walk);
    }
}

/* Read the next needed version. Return false at the end of the list and after a failure. */
static bool next_version(version_walk *walk, needed_version *needed)
{
    wk_cursor *table = &walk->table;
    if (walk->ended || !wk_ok(table->state) || !wk_use_budget(table, 16)) {
        return false;
    }
    wk_seek(table, walk->at);
    needed->hash = wk_u32(table);
    needed->flags = wk_u16(table);
    needed->number = wk_u16(table) & WK_VERSYM_VERSION;
    needed->name = wk_u32(table);
    const uint32_t next = wk_u32(table);
    needed->library = walk->library_name;
    needed->index = walk->index++;
    walk->versions++;
    walk->at += next;
    if (next == 0) {
        end_library(walk);
    }
    return wk_ok(table->state);
}

/* Return the hash of a name by which glibc compares versions (gABI, chapter 5, "Hash Table"). */
static uint32_t hash_of(wk_text name)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < name.size; i++) {
        hash = (hash << 4) + (uint8_t)name.data[i];
        const uint32_t high = hash & 0xf0000000;
        hash = (hash ^ high >> 24) & ~high;
    }
    return hash;
}

/* Return whether a version is the one that files with DT_RELR have to need (glibc 2.36). */
static bool is_packing(wk_text version)
{
    static const char name[] = "GLIBC_ABI_DT_RELR";
    return version.size == sizeof name - 1 && memcmp(version.data, name, version.size) == 0;
}

static void emit_needed(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                        wk_version_cache *cache)
{
    version_walk walk = begin_walk(elf, d);
    needed_version needed;
    bool packed = false;
    while (next_version(&walk, &needed)) {
        const wk_version version = {wk_string(strings, needed.library), wk_string(strings, needed.name),
                                    (needed.flags & VER_FLG_WEAK) != 0};
        wk_emit_version(&walk.table, &version);
        const size_t slot = needed.number % WK_VERSION_CACHE;
        if (cache->number[slot] == 0) {
            cache->number[slot] = needed.number;
            cache->index[slot] = needed.index;
        }
        cache->highest = needed.number > cache->highest ? needed.number : cache->highest;
        packed = packed || is_packing(version.version);
        if (needed.hash != hash_of(version.version)) {
            elf->facts->faults |= WK_FAULT_VERSIONS;
        }
    }
    if (d->relr.present && elf->needs_libc && d->has_verneed && !packed) {
        elf->facts->faults |= WK_FAULT_RELR;
    }
    if (d->has_verneed && (walk.layout != CURRENT || !d->has_versym)) {
        elf->facts->faults |= WK_FAULT_VERSIONS;
    }
    if (walk.disagrees || walk.libraries != d->verneed_count) {
        elf->facts->faults |= WK_FAULT_COUNTS;
    }
}

/* Emit the versions of .gnu.version_d. The first name of each record is the version; the others are those
 * that it replaces. */
static void emit_defined(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                         wk_version_cache *cache)
{
    wk_cursor table = wk_elf_at(elf, d->verdef, "ELF defined versions");
    uint64_t count = 0;
    uint64_t at = 0;
    for (bool ended = false; !ended && wk_ok(table.state) && wk_use_budget(&table, 32); count++) {
        wk_seek(&table, at);
        const uint16_t layout = wk_u16(&table);
        const uint16_t flags = wk_u16(&table);
        const uint16_t number = wk_u16(&table) & WK_VERSYM_VERSION;
        wk_skip(&table, 6); /* number of names, hash */
        const uint32_t names = wk_u32(&table);
        const uint32_t next = wk_u32(&table);
        wk_seek(&table, at + names);
        const wk_text name = wk_string(strings, wk_u32(&table));
        if ((flags & VER_FLG_BASE) == 0) {
            wk_emit_definition(&table, name);
        }
        if (layout != CURRENT || !d->has_versym) {
            elf->facts->faults |= WK_FAULT_VERSIONS;
        }
        cache->highest = number > cache->highest ? number : cache->highest;
        at += next;
        ended = next == 0;
    }
    if (count != d->verdef_count) {
        elf->facts->faults |= WK_FAULT_COUNTS;
    }
}

void wk_parse_elf_versions(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                           wk_version_cache *cache)
{
    emit_needed(elf, d, strings, cache);
    if (d->has_verdef && wk_ok(elf->file.state)) {
        emit_defined(elf, d, strings, cache);
    }
    if (d->has_versym && cache->highest == 0) {
        elf->facts->faults |= WK_FAULT_VERSIONS; /* glibc looks up numbers in a table that it does not make */
    }
}

uint32_t wk_elf_find_version(const wk_elf *elf, const wk_elf_dynamic *d, wk_version_cache *cache,
                             uint16_t number)
{
    const size_t slot = number % WK_VERSION_CACHE;
    if (number <= VER_NDX_GLOBAL || cache->number[slot] == 0) {
        return WK_NONE;
    }
    if (cache->number[slot] == number) {
        return cache->index[slot];
    }
    version_walk walk = begin_walk(elf, d);
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
