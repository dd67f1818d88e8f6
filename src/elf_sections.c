/* ELF sections. Loaders do not read them, and they may be stripped or out of date; they are used only for
 * sizes and for the number of symbols. */
#include "elf.h"

enum { SHT_SYMTAB = 2, SHT_NOBITS = 8, SHT_DYNSYM = 11, SHF_ALLOC = 2, SHF_EXECINSTR = 4 };
enum { SHN_XINDEX = 0xffff };

typedef struct section {
    uint32_t name, type, link, info;
    uint64_t flags, addr, offset, size;
} section;

static uint32_t header_size(const wk_elf *elf)
{
    return elf->file.wide ? 64 : 40;
}

static section read_section(wk_cursor *sections)
{
    section s;
    s.name = wk_u32(sections);
    s.type = wk_u32(sections);
    s.flags = wk_word(sections);
    s.addr = wk_word(sections);
    s.offset = wk_word(sections);
    s.size = wk_word(sections);
    s.link = wk_u32(sections);
    s.info = wk_u32(sections);
    (void)wk_word(sections); /* alignment */
    (void)wk_word(sections); /* size of an entry */
    return s;
}

/* Return the section header table with a number of entries. */
static wk_cursor section_table(const wk_elf *elf, uint64_t count)
{
    static const char what[] = "ELF section header table";
    if (elf->section_size != header_size(elf)) {
        wk_fail(elf->file.state, WK_RESULT_BAD_VALUE, what, wk_offset_at(&elf->file, elf->file.at),
                elf->section_size);
    }
    return wk_table(&elf->file, elf->sections_offset, count, header_size(elf), what);
}

static section first_section(const wk_elf *elf)
{
    wk_cursor table = section_table(elf, 1);
    return read_section(&table);
}

uint32_t wk_elf_first_section_info(const wk_elf *elf)
{
    return first_section(elf).info;
}

/* Return the section header at an index. If there is none, fail the scan and return a zero header. */
static section section_at(const wk_elf *elf, wk_cursor sections, uint64_t index, const char *what)
{
    sections.what = what;
    if (index >= sections.size / header_size(elf)) {
        wk_fail_here(&sections, WK_RESULT_BAD_VALUE, index);
        return (section){0};
    }
    sections.at = (size_t)index * header_size(elf);
    return read_section(&sections);
}

/* Return the string table with the names of sections, or an empty window if there is none. */
static wk_cursor section_names(const wk_elf *elf, const wk_cursor *sections)
{
    if (elf->names_index == 0) {
        return wk_window(&elf->file, 0, 0, "ELF section names");
    }
    const section s = section_at(elf, *sections, elf->names_index, "ELF section names");
    return wk_window(&elf->file, s.offset, s.type == SHT_NOBITS ? 0 : s.size, "ELF section names");
}

static bool is_debug(wk_text name)
{
    return wk_starts_with(name, ".debug_") || wk_starts_with(name, ".zdebug_") ||
           wk_starts_with(name, ".gdb_index");
}

/* Return the size of a symbol table that the loader does not use, including its strings. */
static uint64_t symbol_table_bytes(const wk_elf *elf, const wk_cursor *sections, const section *symbols)
{
    const section strings = section_at(elf, *sections, symbols->link, "ELF symbol table");
    return symbols->size + ((strings.flags & SHF_ALLOC) == 0 ? strings.size : 0);
}

/* Add a section to the sizes in the facts, and remember the section with dynamic symbols. */
static void count_section(wk_elf *elf, const wk_cursor *sections, const section *s, wk_text name)
{
    if (s->type == SHT_DYNSYM) {
        elf->dynsym_addr = s->addr;
        elf->dynsym_count = s->size / (elf->file.wide ? 24 : 16);
    }
    if ((s->flags & SHF_ALLOC) == 0) {
        elf->facts->debug_bytes += is_debug(name) ? s->size : 0;
        elf->facts->symbol_bytes += s->type == SHT_SYMTAB ? symbol_table_bytes(elf, sections, s) : 0;
    } else if ((s->flags & SHF_EXECINSTR) != 0) {
        elf->facts->code_bytes += s->size;
    } else {
        elf->facts->data_bytes += s->size;
    }
}

/* Read all sections. Section 0 stores the counts that do not fit in 16 bits. */
static void read_sections(wk_elf *elf)
{
    uint64_t count = elf->sections_count;
    if (elf->sections_offset != 0 && (count == 0 || elf->names_index == SHN_XINDEX)) {
        const section zero = first_section(elf);
        count = count == 0 ? zero.size : count;
        elf->names_index = elf->names_index == SHN_XINDEX ? zero.link : elf->names_index;
    }
    if (elf->sections_offset == 0 || count == 0) {
        return;
    }
    wk_cursor sections = section_table(elf, count);
    const wk_cursor names = section_names(elf, &sections);
    (void)read_section(&sections);
    while (sections.at < sections.size && wk_ok(sections.state)) {
        const section s = read_section(&sections);
        const wk_text name = names.size > 0 ? wk_string(&names, s.name) : (wk_text){NULL, 0};
        if (s.type != SHT_NOBITS && s.type != 0) {
            (void)wk_window(&elf->file, s.offset, s.size, "ELF section");
            count_section(elf, &sections, &s, name);
        }
    }
    elf->has_sections = sections.size > 0;
}

void wk_parse_elf_sections(wk_elf *elf)
{
    wk_state trial = *elf->file.state;
    wk_slice facts = *elf->facts;
    wk_elf copy = *elf;
    copy.file.state = &trial;
    copy.facts = &facts;
    read_sections(&copy);
    elf->file.state->budget = trial.budget;
    if (wk_ok(&trial)) {
        *elf->facts = facts;
        elf->has_sections = copy.has_sections;
        elf->dynsym_addr = copy.dynsym_addr;
        elf->dynsym_count = copy.dynsym_count;
    } else if (elf->segments.size > 0) {
        elf->facts->faults |= WK_FAULT_SECTIONS;
    } else if (wk_ok(elf->file.state)) {
        elf->file.state->error = trial.error;
    }
}
