/* The ELF dynamic segment, which is what the loader reads. All tables are found through memory addresses.
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
    DT_STRSZ = 10,
    DT_SYMENT = 11,
    DT_SONAME = 14,
    DT_RPATH = 15,
    DT_REL = 17,
    DT_RELSZ = 18,
    DT_PLTREL = 20,
    DT_TEXTREL = 22,
    DT_JMPREL = 23,
    DT_BIND_NOW = 24,
    DT_RUNPATH = 29,
    DT_FLAGS = 30,
    DT_GNU_HASH = 0x6ffffef5,
    DT_VERSYM = 0x6ffffff0,
    DT_FLAGS_1 = 0x6ffffffb,
    DT_VERNEED = 0x6ffffffe,
    DT_VERNEEDNUM = 0x6fffffff,
    DT_MIPS_SYMTABNO = 0x70000011
};
enum { DF_TEXTREL = 4, DF_BIND_NOW = 8, DF_1_NOW = 1, DF_1_PIE = 0x08000000 };

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
    if (tag == DT_FLAGS_1 && (value & DF_1_PIE) != 0) {
        elf->facts->flags |= WK_FLAG_PIE;
    }
}

/* Store the value of a dynamic entry. */
static void set_field(wk_elf_dynamic *d, uint64_t tag, uint64_t value)
{
    switch (tag) {
    case DT_STRTAB:
        d->strings = value;
        d->has_strings = true;
        break;
    case DT_STRSZ: d->strings_size = value; break;
    case DT_SYMTAB: d->symbols = value; break;
    case DT_SYMENT: d->symbol_size = value; break;
    case DT_HASH: d->hash = value; break;
    case DT_GNU_HASH: d->gnu_hash = value; break;
    case DT_VERSYM: d->versym = value; break;
    case DT_VERNEED: d->verneed = value; break;
    case DT_VERNEEDNUM: d->verneed_count = value; break;
    case DT_RELA: d->rela = value; break;
    case DT_RELASZ: d->rela_size = value; break;
    case DT_REL: d->rel = value; break;
    case DT_RELSZ: d->rel_size = value; break;
    case DT_JMPREL: d->plt = value; break;
    case DT_PLTRELSZ: d->plt_size = value; break;
    case DT_PLTREL: d->plt_kind = value; break;
    case DT_SONAME:
        d->soname = value;
        d->has_soname = true;
        break;
    case DT_MIPS_SYMTABNO: d->mips_symbols = value; break;
    default: break;
    }
}

/* Read the next entry of the dynamic segment. Return false at its end. */
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
        set_flags(elf, tag, value);
    }
    return d;
}

static wk_cursor dynamic_strings(const wk_elf *elf, const wk_elf_dynamic *d)
{
    if (!d->has_strings) {
        return wk_window(&elf->file, 0, 0, "ELF dynamic strings");
    }
    const wk_cursor rest = wk_elf_at(elf, d->strings, "ELF dynamic strings");
    return d->strings_size == 0 ? rest : wk_window(&rest, 0, d->strings_size, rest.what);
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

static void emit_libraries(const wk_elf *elf, const wk_cursor *strings)
{
    wk_cursor entries = elf->dynamic;
    uint64_t tag = 0;
    uint64_t value = 0;
    while (next_entry(&entries, &tag, &value)) {
        if (tag == DT_NEEDED) {
            wk_emit_library(&entries, wk_string(strings, value), WK_LINK_REQUIRED);
        } else if (tag == DT_RPATH || tag == DT_RUNPATH) {
            emit_rpaths(&entries, wk_string(strings, value), tag == DT_RUNPATH);
        }
    }
}

/* Return the number of symbols according to DT_HASH, which covers all of them. The words of the table have
 * 8 bytes on 64-bit s390 and on Alpha, as the processor supplements specify. */
static uint64_t count_by_hash(const wk_elf *elf, const wk_elf_dynamic *d)
{
    wk_cursor table = wk_elf_at(elf, d->hash, "ELF hash table");
    const bool long_words = elf->file.wide && (elf->machine == WK_EM_S390 || elf->machine == WK_EM_ALPHA);
    table.wide = long_words;
    (void)wk_word(&table);
    return wk_word(&table);
}

/* Return the number of symbols up to the last one that DT_GNU_HASH covers. It covers the exported ones. */
static uint64_t count_by_gnu_hash(const wk_elf *elf, const wk_elf_dynamic *d)
{
    wk_cursor table = wk_elf_at(elf, d->gnu_hash, "ELF GNU hash table");
    const uint32_t buckets = wk_u32(&table);
    const uint32_t first = wk_u32(&table);
    const uint32_t filter_words = wk_u32(&table);
    (void)wk_u32(&table);
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

/* Return the number of symbols up to the last one that a relocation table refers to. */
static uint64_t count_by_relocations(const wk_elf *elf, uint64_t address, uint64_t size, bool addends)
{
    if (size == 0 || elf->machine == WK_EM_MIPS) {
        return 0;
    }
    const wk_cursor rest = wk_elf_at(elf, address, "ELF relocations");
    wk_cursor table = wk_window(&rest, 0, size, rest.what);
    uint64_t count = 0;
    (void)wk_use_budget(&table, table.size);
    while (table.at < table.size && wk_ok(table.state)) {
        (void)wk_word(&table);
        const uint64_t info = wk_word(&table);
        const uint64_t symbol = table.wide ? info >> 32 : info >> 8;
        count = symbol >= count ? symbol + 1 : count;
        if (addends) {
            (void)wk_word(&table);
        }
    }
    return count;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Return the number of dynamic symbols. DT_HASH and DT_MIPS_SYMTABNO specify it. Otherwise use the
 * section, if it is present, or the highest symbol that the GNU hash table or a relocation refers to. */
static uint64_t count_symbols(const wk_elf *elf, const wk_elf_dynamic *d)
{
    if (d->hash != 0) {
        return count_by_hash(elf, d);
    }
    if (d->mips_symbols != 0) {
        return d->mips_symbols;
    }
    if (elf->dynsym_count != 0 && elf->dynsym_addr == d->symbols) {
        return elf->dynsym_count;
    }
    uint64_t count = d->gnu_hash != 0 ? count_by_gnu_hash(elf, d) : 0;
    count = max_u64(count, count_by_relocations(elf, d->rela, d->rela_size, true));
    count = max_u64(count, count_by_relocations(elf, d->rel, d->rel_size, false));
    return max_u64(count, count_by_relocations(elf, d->plt, d->plt_size, d->plt_kind == DT_RELA));
}

void wk_parse_elf_dynamic(wk_elf *elf)
{
    const wk_elf_dynamic d = read_dynamic(elf);
    const wk_cursor strings = dynamic_strings(elf, &d);
    emit_libraries(elf, &strings);
    if (d.has_soname) {
        elf->facts->name = wk_string(&strings, d.soname);
    }
    wk_parse_elf_symbols(elf, &d, &strings, d.symbols != 0 ? count_symbols(elf, &d) : 0);
}
