/* The ELF dynamic section, which is what the loader reads. All tables are found through memory addresses.
 * Section headers may be absent or out of date; they are used only for the number of symbols. */
#include "elf.h"
#include "sink.h"

enum {
    DT_NULL = 0,
    DT_NEEDED = 1,
    DT_PLTRELSZ = 2,
    DT_HASH = 4,
    DT_STRTAB = 5,
    DT_SYMTAB = 6,
    DT_RELA = 7,
    DT_RELASZ = 8,
    DT_RELAENT = 9,
    DT_STRSZ = 10,
    DT_SYMENT = 11,
    DT_INIT = 12,
    DT_FINI = 13,
    DT_SONAME = 14,
    DT_RPATH = 15,
    DT_REL = 17,
    DT_RELSZ = 18,
    DT_RELENT = 19,
    DT_PLTREL = 20,
    DT_TEXTREL = 22,
    DT_JMPREL = 23,
    DT_BIND_NOW = 24,
    DT_INIT_ARRAY = 25,
    DT_INIT_ARRAYSZ = 27,
    DT_RUNPATH = 29,
    DT_FLAGS = 30,
    DT_RELRSZ = 35,
    DT_RELR = 36,
    DT_RELRENT = 37,
    DT_GNU_HASH = 0x6ffffef5,
    DT_VERSYM = 0x6ffffff0,
    DT_FLAGS_1 = 0x6ffffffb,
    DT_VERDEF = 0x6ffffffc,
    DT_VERDEFNUM = 0x6ffffffd,
    DT_VERNEED = 0x6ffffffe,
    DT_VERNEEDNUM = 0x6fffffff,
    DT_MIPS_SYMTABNO = 0x70000011,
    DT_AUXILIARY = 0x7ffffffd,
    DT_FILTER = 0x7fffffff
};
enum { DF_TEXTREL = 4, DF_BIND_NOW = 8, DF_STATIC_TLS = 0x10 };
enum { DF_1_NOW = 1, DF_1_NOOPEN = 0x40, DF_1_NODEFLIB = 0x800, DF_1_PIE = 0x08000000 };

/* Update the facts for the entries that are flags. */
static void set_flags(wk_elf *elf, uint64_t tag, uint64_t value)
{
    const bool bind_now = tag == DT_BIND_NOW || (tag == DT_FLAGS && (value & DF_BIND_NOW) != 0) ||
                          (tag == DT_FLAGS_1 && (value & DF_1_NOW) != 0);
    if (bind_now && elf->facts->relro == WK_RELRO_PARTIAL) {
        elf->facts->relro = WK_RELRO_FULL;
    }
    if (tag == DT_TEXTREL || (tag == DT_FLAGS && (value & DF_TEXTREL) != 0)) {
        elf->facts->flags |= WK_FLAG_TEXTREL;
    }
    if (tag == DT_FLAGS && (value & DF_STATIC_TLS) != 0) {
        elf->facts->flags |= WK_FLAG_STATIC_TLS;
    }
    if (tag == DT_FLAGS_1) {
        elf->facts->flags |= (value & DF_1_PIE) != 0 ? WK_FLAG_PIE : 0u;
        elf->facts->flags |= (value & DF_1_NODEFLIB) != 0 ? WK_FLAG_NODEFLIB : 0u;
        elf->facts->faults |= (value & DF_1_PIE) != 0 ? WK_FAULT_PROGRAM : 0u;
        elf->facts->faults |= (value & DF_1_NOOPEN) != 0 ? WK_FAULT_NOOPEN : 0u;
    }
}

static void set_table(wk_elf_relocations *table, uint64_t address)
{
    table->present = true;
    table->address = address;
}

static void set_table_size(wk_elf_relocations *table, uint64_t size)
{
    table->sized = true;
    table->size = size;
}

/* Store the value of an entry about relocations, or about code that the loader calls. */
static void set_relocation_field(wk_elf_dynamic *d, uint64_t tag, uint64_t value)
{
    switch (tag) {
    case DT_RELA: set_table(&d->rela, value); break;
    case DT_RELASZ: set_table_size(&d->rela, value); break;
    case DT_RELAENT: d->rela.entry = value; break;
    case DT_REL: set_table(&d->rel, value); break;
    case DT_RELSZ: set_table_size(&d->rel, value); break;
    case DT_RELENT: d->rel.entry = value; break;
    case DT_RELR: set_table(&d->relr, value); break;
    case DT_RELRSZ: set_table_size(&d->relr, value); break;
    case DT_RELRENT: d->relr.entry = value; break;
    case DT_JMPREL: set_table(&d->plt, value); break;
    case DT_PLTRELSZ: set_table_size(&d->plt, value); break;
    case DT_PLTREL:
        d->has_plt_kind = true;
        d->plt_kind = value;
        break;
    case DT_INIT: d->init = value; break;
    case DT_FINI: d->fini = value; break;
    case DT_INIT_ARRAY: d->init_array = value; break;
    case DT_INIT_ARRAYSZ: d->init_array_size = value; break;
    default: break;
    }
}

/* Store the value of an entry about versions. */
static void set_version_field(wk_elf_dynamic *d, uint64_t tag, uint64_t value)
{
    switch (tag) {
    case DT_VERSYM:
        d->versym = value;
        d->has_versym = true;
        break;
    case DT_VERNEED:
        d->verneed = value;
        d->has_verneed = true;
        break;
    case DT_VERNEEDNUM: d->verneed_count = value; break;
    case DT_VERDEF:
        d->verdef = value;
        d->has_verdef = true;
        break;
    case DT_VERDEFNUM: d->verdef_count = value; break;
    default: break;
    }
}

/* Store the value of another entry. */
static void set_field(wk_elf_dynamic *d, uint64_t tag, uint64_t value)
{
    switch (tag) {
    case DT_STRTAB:
        d->strings = value;
        d->has_strings = true;
        break;
    case DT_STRSZ: d->strings_size = value; break;
    case DT_SYMTAB:
        d->symbols = value;
        d->has_symbols = true;
        break;
    case DT_SYMENT: d->symbol_size = value; break;
    case DT_HASH: d->hash = value; break;
    case DT_GNU_HASH: d->gnu_hash = value; break;
    case DT_SONAME:
        d->soname = value;
        d->has_soname = true;
        break;
    case DT_RPATH:
        d->rpath = value;
        d->has_rpath = true;
        break;
    case DT_RUNPATH:
        d->runpath = value;
        d->has_runpath = true;
        break;
    case DT_MIPS_SYMTABNO: d->mips_symbols = value; break;
    default: break;
    }
}

/* Read the next entry of the dynamic section. Return false at its end. */
static bool next_entry(wk_cursor *entries, uint64_t *tag, uint64_t *value)
{
    if (entries->size - entries->at < (entries->wide ? 16u : 8u) || !wk_ok(entries->state)) {
        return false;
    }
    *tag = wk_word(entries);
    *value = wk_word(entries);
    return *tag != DT_NULL;
}

static wk_elf_dynamic read_dynamic(wk_elf *elf)
{
    wk_elf_dynamic d = {0};
    wk_cursor entries = elf->dynamic;
    uint64_t tag = 0;
    uint64_t value = 0;
    while (next_entry(&entries, &tag, &value)) {
        set_field(&d, tag, value);
        set_relocation_field(&d, tag, value);
        set_version_field(&d, tag, value);
        set_flags(elf, tag, value);
    }
    return d;
}

/* Return the dynamic strings, to the end of their segment: the loader does not look at their size. */
static wk_cursor dynamic_strings(const wk_elf *elf, const wk_elf_dynamic *d)
{
    if (!d->has_strings) {
        return wk_window(&elf->file, 0, 0, "ELF dynamic strings");
    }
    return wk_elf_at(elf, d->strings, "ELF dynamic strings");
}

/* Emit each directory of a list separated by colons. */
static void emit_rpaths(const wk_cursor *source, wk_text paths, bool runpath)
{
    while (wk_ok(source->state)) {
        const char *colon = paths.size > 0 ? memchr(paths.data, ':', paths.size) : NULL;
        const wk_text path = {paths.data, colon ? (size_t)(colon - paths.data) : paths.size};
        wk_emit_rpath(source, path, runpath);
        if (!colon) {
            break;
        }
        paths.data += path.size + 1;
        paths.size -= path.size + 1;
    }
}

static void emit_libraries(wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings)
{
    wk_cursor entries = elf->dynamic;
    uint64_t tag = 0;
    uint64_t value = 0;
    while (next_entry(&entries, &tag, &value)) {
        if (tag == DT_NEEDED || tag == DT_FILTER || tag == DT_AUXILIARY) {
            const wk_text name = wk_string(strings, value);
            if (name.size > 0) { /* an empty name is that of the program, which is loaded */
                wk_emit_library(&entries, name, tag == DT_AUXILIARY ? WK_LINK_WEAK : WK_LINK_REQUIRED);
            }
            elf->needs_libc = elf->needs_libc || wk_starts_with(name, "libc.so.");
            elf->facts->faults |= value >= d->strings_size ? WK_FAULT_COUNTS : 0u;
        }
    }
    if (d->has_rpath) {
        emit_rpaths(&entries, wk_string(strings, d->rpath), false);
    }
    if (d->has_runpath) {
        emit_rpaths(&entries, wk_string(strings, d->runpath), true);
    }
}

/* Check the tables that glibc uses without looking whether they are there, and the addresses that it calls.
 * Compare the sizes that it does not look at. */
static void check_tables(wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings)
{
    const bool calls_code =
        (d->init == 0 || wk_elf_is_mapped(elf, d->init)) && (d->fini == 0 || wk_elf_is_mapped(elf, d->fini));
    if (!d->has_strings || !d->has_symbols || !wk_elf_can_relocate(elf, d) || !calls_code) {
        elf->facts->faults |= WK_FAULT_TABLES;
    }
    if (d->strings_size > strings->size || (d->has_soname && d->soname >= d->strings_size) ||
        (d->has_symbols && d->symbol_size != (elf->file.wide ? 24 : 16))) {
        elf->facts->faults |= WK_FAULT_COUNTS;
    }
}

/* Return the number of symbols by a DT_HASH table with words of 4 or 8 bytes; 0 if it does not fit. Fail the
 * scan if the buckets do not fit: of the two counts, glibc only reads theirs. */
static uint64_t count_by_hash(wk_cursor table, bool long_words)
{
    table.wide = long_words;
    const uint64_t buckets = wk_word(&table);
    const uint64_t count = wk_word(&table);
    const uint64_t room = (table.size - table.at) / (long_words ? 8 : 4);
    if (buckets == 0 || buckets > room) {
        wk_fail_here(&table, WK_RESULT_BAD_COUNT, buckets);
        return 0;
    }
    return count <= room - buckets ? count : 0;
}

/* Return the number of symbols by DT_HASH, which covers all of them. The words of the table have 8 bytes on
 * 64-bit s390 and on Alpha, as the processor supplements specify. Some linkers write 4 bytes nevertheless;
 * loaders do not notice if there is DT_GNU_HASH, which they prefer. */
static uint64_t count_by_sysv_hash(const wk_elf *elf, const wk_elf_dynamic *d)
{
    const bool long_words = elf->file.wide && (elf->machine == WK_EM_S390 || elf->machine == WK_EM_ALPHA);
    wk_cursor table = wk_elf_at(elf, d->hash, "ELF hash table");
    if (d->gnu_hash == 0) {
        return count_by_hash(table, long_words);
    }
    wk_state trial = *elf->file.state;
    table.state = &trial;
    const uint64_t count = count_by_hash(table, long_words);
    if (wk_ok(&trial) || !long_words) {
        return count;
    }
    trial = *elf->file.state;
    return count_by_hash(table, false);
}

/* Return the number of symbols up to the last one that DT_GNU_HASH covers. It covers the exported ones. */
static uint64_t count_by_gnu_hash(const wk_elf *elf, const wk_elf_dynamic *d)
{
    wk_cursor table = wk_elf_at(elf, d->gnu_hash, "ELF GNU hash table");
    const uint32_t buckets = wk_u32(&table);
    const uint32_t first = wk_u32(&table);
    const uint32_t filter_words = wk_u32(&table);
    (void)wk_u32(&table);
    if (buckets == 0 || filter_words == 0 || (filter_words & (filter_words - 1)) != 0) {
        wk_fail_here(&table, WK_RESULT_BAD_VALUE, filter_words); /* glibc asserts a power of two */
    }
    const wk_cursor filter = wk_table(&table, table.at, filter_words, table.wide ? 8 : 4, table.what);
    wk_cursor starts = wk_table(&table, table.at + (uint64_t)filter.size, buckets, 4, table.what);
    const uint64_t chains_offset = table.at + (uint64_t)filter.size + starts.size;
    uint32_t last = 0;
    (void)wk_use_budget(&starts, starts.size);
    while (starts.at < starts.size && wk_ok(starts.state)) {
        const uint32_t start = wk_u32(&starts);
        last = start > last ? start : last;
    }
    if (last < first || !wk_ok(table.state)) {
        return first;
    }
    wk_cursor chain = wk_rest(&table, chains_offset, table.what);
    wk_seek(&chain, (uint64_t)(last - first) * 4);
    uint64_t count = last;
    for (bool ended = false; !ended && wk_use_budget(&chain, 4) && wk_ok(chain.state); count++) {
        ended = (wk_u32(&chain) & 1) != 0;
    }
    return count;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Return the number of symbols by the hash table that the loader uses, which is DT_GNU_HASH if there is one.
 * A table that it cannot use is a fault. */
static wk_symbol_count count_by_hash_tables(const wk_elf *elf, const wk_elf_dynamic *d)
{
    wk_state trial = *elf->file.state;
    wk_elf copy = *elf;
    wk_symbol_count count = {0, 0};
    copy.file.state = copy.segments.state = copy.dynamic.state = &trial;
    count.told = d->hash != 0 ? count_by_sysv_hash(&copy, d) : 0;
    if (d->gnu_hash != 0) {
        count.reached = count_by_gnu_hash(&copy, d);
    } else {
        count.reached = count.told;
    }
    elf->file.state->budget = trial.budget;
    if (!wk_ok(&trial) || (d->hash == 0 && d->gnu_hash == 0)) {
        elf->facts->faults |= WK_FAULT_HASH;
        count.reached = 0;
    }
    if (d->hash != 0 && d->gnu_hash == 0 && count.told == 0) {
        elf->facts->faults |= WK_FAULT_COUNTS;
    }
    return count;
}

/* Return the number of dynamic symbols. The section, if it is present, and DT_HASH beside DT_GNU_HASH may
 * tell of more than those that the loader can reach. */
static wk_symbol_count count_symbols(const wk_elf *elf, const wk_elf_dynamic *d)
{
    wk_symbol_count count = count_by_hash_tables(elf, d);
    count.reached = max_u64(count.reached, d->mips_symbols);
    count.reached = max_u64(count.reached, wk_elf_count_by_relocations(elf, d));
    if (elf->dynsym_addr == d->symbols) {
        count.told = max_u64(count.told, elf->dynsym_count);
    }
    return count;
}

void wk_parse_elf_dynamic(wk_elf *elf)
{
    wk_version_cache cache = {.highest = 0};
    const wk_elf_dynamic d = read_dynamic(elf);
    const wk_cursor strings = dynamic_strings(elf, &d);
    emit_libraries(elf, &d, &strings);
    check_tables(elf, &d, &strings);
    if (d.has_soname) {
        elf->facts->name = wk_string(&strings, d.soname);
    }
    if (wk_ok(elf->file.state)) {
        wk_parse_elf_versions(elf, &d, &strings, &cache);
    }
    if (d.has_symbols && wk_ok(elf->file.state)) {
        wk_parse_elf_symbols(elf, &d, &strings, &cache, count_symbols(elf, &d));
    }
}
