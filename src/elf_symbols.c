/* ELF dynamic symbols. The layout of .gnu.version follows the Linux Standard Base core specification, chapter
 * 10.7. */
#include "elf.h"
#include "sink.h"

enum { STB_GLOBAL = 1, STB_WEAK = 2, STB_GNU_UNIQUE = 10, STV_DEFAULT = 0, STV_PROTECTED = 3 };
enum { VER_NDX_GLOBAL = 1 };

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
    const wk_elf *elf;
    const wk_elf_dynamic *dynamic;
    wk_cursor symbols, versions, strings;
    wk_version_cache *cache;
} symbol_tables;

/* Emit a symbol as an import if it is undefined, or as an export if other files can use it. */
static void emit_symbol(symbol_tables *t, const symbol *s, uint16_t version)
{
    const uint8_t binding = s->info >> 4;
    const bool visible = s->visibility == STV_DEFAULT || s->visibility == STV_PROTECTED;
    if (s->name == 0 || (binding != STB_GLOBAL && binding != STB_WEAK && binding != STB_GNU_UNIQUE)) {
        return;
    }
    const uint16_t number = version & WK_VERSYM_VERSION;
    if (number > VER_NDX_GLOBAL && number > t->cache->highest) {
        t->elf->facts->faults |= WK_FAULT_NUMBERS;
    }
    if (s->section == 0) {
        const wk_import import = {wk_string(&t->strings, s->name), 0, WK_NONE,
                                  wk_elf_find_version(t->elf, t->dynamic, t->cache, number),
                                  binding == STB_WEAK};
        wk_emit_import(&t->symbols, &import);
    } else if (visible && version != 0) { /* version 0 makes a symbol local to the file */
        const wk_text name = wk_string(&t->strings, s->name);
        wk_emit_export(&t->symbols, &name, 1);
    }
}

/* Return how many entries of `entry` bytes are at an address, at most `count`. */
static uint64_t entries_at(const wk_elf *elf, uint64_t address, uint64_t count, uint32_t entry)
{
    const uint64_t room = wk_elf_at(elf, address, "ELF dynamic symbols").size / entry;
    return room < count ? room : count;
}

void wk_parse_elf_symbols(const wk_elf *elf, const wk_elf_dynamic *d, const wk_cursor *strings,
                          wk_version_cache *cache, wk_symbol_count count)
{
    const uint32_t entry = elf->file.wide ? 24 : 16;
    symbol_tables t = {.elf = elf, .dynamic = d, .strings = *strings, .cache = cache};
    uint64_t told = entries_at(elf, d->symbols, count.told, entry);
    told = d->has_versym ? entries_at(elf, d->versym, told, 2) : told;
    const uint64_t all = told > count.reached ? told : count.reached;
    const wk_cursor at = wk_elf_at(elf, d->symbols, "ELF dynamic symbols");
    t.symbols = wk_table(&at, 0, all, entry, at.what);
    if (d->has_versym) {
        const wk_cursor numbers = wk_elf_at(elf, d->versym, "ELF symbol versions");
        t.versions = wk_table(&numbers, 0, all, 2, numbers.what);
    }
    (void)wk_use_budget(&t.symbols, t.symbols.size);
    for (uint64_t i = 0; t.symbols.at < t.symbols.size && wk_ok(t.symbols.state); i++) {
        const symbol s = read_symbol(&t.symbols);
        if (i == 0 && (s.name != 0 || s.info != 0 || s.section != 0)) {
            elf->facts->faults |= WK_FAULT_TABLES; /* the first symbol is unused; this is no symbol table */
        }
        if (i >= count.reached && s.name >= strings->size) {
            break;
        }
        emit_symbol(&t, &s, d->has_versym ? wk_u16(&t.versions) : VER_NDX_GLOBAL);
    }
}
