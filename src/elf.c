/* ELF headers, segments and sections. What the loader uses is read from the segments. Sections may be
 * stripped; they are used only for sizes. */
#include "elf.h"
#include "parser.h"
#include "sink.h"

enum { CLASS_32 = 1, CLASS_64 = 2, LITTLE = 1, BIG = 2 };
enum { PT_INTERP = 3, PT_GNU_STACK = 0x6474e551, PT_GNU_RELRO = 0x6474e552 };
enum { PF_X = 1, PF_W = 2 };
enum { SHT_SYMTAB = 2, SHT_NOBITS = 8, SHF_ALLOC = 2, SHF_EXECINSTR = 4 };
enum { EM_ARM = 40, EF_ARM_ABI_FLOAT_HARD = 0x400 };
enum { PN_XNUM = 0xffff, SHN_XINDEX = 0xffff };

typedef struct arch {
    uint16_t machine;
    bool wide, big;
    bool stack_is_executable; /* in files without PT_GNU_STACK: DEFAULT_STACK_PERMS of glibc for this
                                 processor */
    const char *name;
} arch;

/* Map e_machine, class and byte order to the names that platform tags use. */
static const arch ARCHES[] = {
    {3, false, false, true, "i686"},
    {62, true, false, true, "x86_64"},
    {62, false, false, true, "x32"},
    {183, true, false, false, "aarch64"},
    {183, true, true, false, "aarch64_be"},
    {EM_ARM, false, false, true, "armv7l"},
    {EM_ARM, false, true, true, "armv7b"},
    {21, true, false, false, "ppc64le"},
    {21, true, true, false, "ppc64"},
    {20, false, true, true, "ppc"},
    {WK_EM_S390, true, true, true, "s390x"},
    {WK_EM_S390, false, true, true, "s390"},
    {243, true, false, true, "riscv64"},
    {243, false, false, true, "riscv32"},
    {258, true, false, false, "loongarch64"},
    {258, false, false, false, "loongarch32"},
    {WK_EM_MIPS, true, false, true, "mips64el"},
    {WK_EM_MIPS, true, true, true, "mips64"},
    {WK_EM_MIPS, false, false, true, "mipsel"},
    {WK_EM_MIPS, false, true, true, "mips"},
};

static const arch *find_arch(uint16_t machine, bool wide, bool big)
{
    for (size_t i = 0; i < sizeof ARCHES / sizeof ARCHES[0]; i++) {
        if (ARCHES[i].machine == machine && ARCHES[i].wide == wide && ARCHES[i].big == big) {
            return &ARCHES[i];
        }
    }
    return NULL;
}

/* Return the name of a value of EI_OSABI, or NULL. */
static const char *os_name(uint8_t number)
{
    switch (number) {
    case 0: return "none";
    case 1: return "hpux";
    case 2: return "netbsd";
    case 3: return "gnu";
    case 6: return "solaris";
    case 7: return "aix";
    case 9: return "freebsd";
    case 12: return "openbsd";
    case 97: return "arm";
    default: return NULL;
    }
}

/* Read the 16 bytes of e_ident, which determine how the other fields are read. */
static void read_ident(wk_elf *elf)
{
    wk_cursor *file = &elf->file;
    file->what = "ELF header";
    wk_skip(file, 4);
    const uint8_t class = wk_u8(file);
    const uint8_t order = wk_u8(file);
    const uint8_t version = wk_u8(file);
    const uint8_t os = wk_u8(file);
    wk_skip(file, 8);
    if (!wk_ok(file->state)) {
        return;
    }
    if (class != CLASS_32 && class != CLASS_64) {
        wk_fail(file->state, WK_RESULT_UNSUPPORTED, "ELF class", wk_offset_at(file, 4), class);
    } else if (order != LITTLE && order != BIG) {
        wk_fail(file->state, WK_RESULT_UNSUPPORTED, "ELF byte order", wk_offset_at(file, 5), order);
    } else if (version != 1) {
        wk_fail(file->state, WK_RESULT_UNSUPPORTED, "ELF version", wk_offset_at(file, 6), version);
    }
    file->wide = class == CLASS_64;
    file->big = order == BIG;
    elf->facts->wide = file->wide;
    elf->facts->big = file->big;
    elf->facts->os = os_name(os);
    elf->facts->os_number = os;
}

/* Return a table of headers. A file without the table stores 0 as its offset. Loaders reject an unexpected
 * entry size. */
static wk_cursor header_table(const wk_elf *elf, uint64_t offset, uint64_t count, uint32_t entry,
                              uint32_t expected, const char *what)
{
    if (offset == 0 || count == 0) {
        return wk_window(&elf->file, 0, 0, what);
    }
    if (entry != expected) {
        wk_fail(elf->file.state, WK_RESULT_BAD_VALUE, what, wk_offset_at(&elf->file, elf->file.at), entry);
    }
    return wk_table(&elf->file, offset, count, expected, what);
}

typedef struct section {
    uint32_t name, type, link, info;
    uint64_t flags, addr, offset, size, entsize;
} section;

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
    s.entsize = wk_word(sections);
    return s;
}

/* Read the rest of the header and locate both tables. Section 0 stores the counts that do not fit in 16
 * bits. */
static void read_header(wk_elf *elf)
{
    wk_cursor *file = &elf->file;
    elf->type = wk_u16(file);
    elf->machine = wk_u16(file);
    wk_skip(file, 4);
    (void)wk_word(file); /* entry point */
    const uint64_t phoff = wk_word(file);
    const uint64_t shoff = wk_word(file);
    const uint32_t flags = wk_u32(file);
    wk_skip(file, 2);
    const uint16_t phentsize = wk_u16(file);
    uint64_t phnum = wk_u16(file);
    const uint16_t shentsize = wk_u16(file);
    uint64_t shnum = wk_u16(file);
    elf->names_index = wk_u16(file);
    const uint32_t section_size = file->wide ? 64 : 40;
    if (shoff != 0 && (shnum == 0 || phnum == PN_XNUM || elf->names_index == SHN_XINDEX)) {
        wk_cursor first = header_table(elf, shoff, 1, shentsize, section_size, "ELF section header table");
        const section zero = read_section(&first);
        shnum = shnum == 0 ? zero.size : shnum;
        phnum = phnum == PN_XNUM ? zero.info : phnum;
        elf->names_index = elf->names_index == SHN_XINDEX ? zero.link : elf->names_index;
    }
    elf->segments =
        header_table(elf, phoff, phnum, phentsize, file->wide ? 56 : 32, "ELF program header table");
    elf->sections = header_table(elf, shoff, shnum, shentsize, section_size, "ELF section header table");
    if (elf->machine == EM_ARM && (flags & EF_ARM_ABI_FLOAT_HARD) != 0) {
        elf->facts->flags |= WK_FLAG_HARD_FLOAT;
    }
}

/* Check that the content of a loaded segment is in the file, and count it. */
static void count_load_segment(wk_elf *elf, const wk_segment *s, bool count_bytes)
{
    (void)wk_window(&elf->file, s->offset, s->filesz, "ELF load segment");
    if ((s->flags & PF_W) != 0 && (s->flags & PF_X) != 0) {
        elf->facts->writable_executable++;
    }
    if (count_bytes && (s->flags & PF_X) != 0) {
        elf->facts->code_bytes += s->filesz;
    } else if (count_bytes) {
        elf->facts->data_bytes += s->filesz;
    }
}

static void read_interpreter(wk_elf *elf, const wk_segment *s)
{
    const wk_cursor bytes = wk_window(&elf->file, s->offset, s->filesz, "ELF interpreter");
    elf->facts->interpreter = wk_string(&bytes, 0);
}

static void read_segments(wk_elf *elf, const arch *known)
{
    wk_cursor *segments = &elf->segments;
    const bool loadable = elf->type == WK_ET_EXEC || elf->type == WK_ET_DYN;
    elf->facts->executable_stack = WK_TRISTATE_UNKNOWN;
    if (loadable && known) {
        elf->facts->executable_stack = known->stack_is_executable ? WK_TRISTATE_YES : WK_TRISTATE_NO;
    }
    while (segments->at < segments->size && wk_ok(segments->state)) {
        const wk_segment s = wk_elf_segment(segments);
        switch (s.type) {
        case WK_PT_LOAD: count_load_segment(elf, &s, elf->sections.size == 0); break;
        case WK_PT_DYNAMIC:
            elf->dynamic = wk_window(&elf->file, s.offset, s.filesz, "ELF dynamic segment");
            break;
        case PT_INTERP: read_interpreter(elf, &s); break;
        case PT_GNU_STACK:
            elf->facts->executable_stack = (s.flags & PF_X) != 0 ? WK_TRISTATE_YES : WK_TRISTATE_NO;
            break;
        case PT_GNU_RELRO: elf->facts->relro = WK_RELRO_PARTIAL; break;
        default: break;
        }
    }
}

/* Return the section header at an index. If there is none, fail the scan and return a zero header. */
static section section_at(const wk_elf *elf, uint64_t index, const char *what)
{
    wk_cursor sections = elf->sections;
    const uint32_t size = sections.wide ? 64 : 40;
    sections.what = what;
    if (index >= sections.size / size) {
        wk_fail_here(&sections, WK_RESULT_BAD_VALUE, index);
        return (section){0};
    }
    sections.at = (size_t)index * size;
    return read_section(&sections);
}

/* Return the string table with the names of sections, or an empty window if there is none. */
static wk_cursor section_names(const wk_elf *elf)
{
    if (elf->names_index == 0) {
        return wk_window(&elf->file, 0, 0, "ELF section names");
    }
    const section s = section_at(elf, elf->names_index, "ELF section names");
    return wk_window(&elf->file, s.offset, s.type == SHT_NOBITS ? 0 : s.size, "ELF section names");
}

static bool is_debug(wk_text name)
{
    return wk_starts_with(name, ".debug_") || wk_starts_with(name, ".zdebug_") ||
           wk_starts_with(name, ".gdb_index");
}

/* Return the size of a symbol table that the loader does not use, including its strings. */
static uint64_t symbol_table_bytes(const wk_elf *elf, const section *symbols)
{
    const section strings = section_at(elf, symbols->link, "ELF symbol table");
    return symbols->size + ((strings.flags & SHF_ALLOC) == 0 ? strings.size : 0);
}

/* Add a section to the sizes in the facts, and remember the section with dynamic symbols. */
static void count_section(wk_elf *elf, const section *s, wk_text name)
{
    if (s->type == WK_SHT_DYNSYM) {
        elf->dynsym_addr = s->addr;
        elf->dynsym_count = s->size / (elf->file.wide ? 24 : 16);
    }
    if ((s->flags & SHF_ALLOC) == 0) {
        elf->facts->debug_bytes += is_debug(name) ? s->size : 0;
        elf->facts->symbol_bytes += s->type == SHT_SYMTAB ? symbol_table_bytes(elf, s) : 0;
    } else if ((s->flags & SHF_EXECINSTR) != 0) {
        elf->facts->code_bytes += s->size;
    } else {
        elf->facts->data_bytes += s->size;
    }
}

static void read_sections(wk_elf *elf)
{
    wk_cursor *sections = &elf->sections;
    if (sections->size == 0) {
        return;
    }
    const wk_cursor names = section_names(elf);
    (void)read_section(sections); /* section 0 is unused */
    while (sections->at < sections->size && wk_ok(sections->state)) {
        const section s = read_section(sections);
        const wk_text name = names.size > 0 ? wk_string(&names, s.name) : (wk_text){NULL, 0};
        if (s.type != SHT_NOBITS && s.type != 0) {
            (void)wk_window(&elf->file, s.offset, s.size, "ELF section");
            count_section(elf, &s, name);
        }
    }
}

/* Distinguish position-independent executables from shared libraries, which have the same file type. An
 * executable has the PIE flag, or it has an interpreter and no name. */
static wk_kind kind_of(const wk_elf *elf)
{
    switch (elf->type) {
    case WK_ET_REL: return WK_KIND_OBJECT;
    case WK_ET_EXEC: return WK_KIND_EXECUTABLE;
    case WK_ET_DYN: break;
    default: return WK_KIND_OTHER;
    }
    const bool looks_executable = elf->facts->interpreter.data != NULL && elf->facts->name.data == NULL;
    return looks_executable || (elf->facts->flags & WK_FLAG_PIE) != 0 ? WK_KIND_EXECUTABLE : WK_KIND_SHARED;
}

void wk_parse_elf(wk_cursor file, wk_slice *facts)
{
    wk_elf elf = {0};
    elf.file = file;
    elf.facts = facts;
    facts->format = WK_FORMAT_ELF;
    facts->is_signed = WK_TRISTATE_UNKNOWN;
    read_ident(&elf);
    if (!wk_ok(file.state)) {
        return;
    }
    read_header(&elf);
    const arch *known = find_arch(elf.machine, facts->wide, facts->big);
    facts->arch = known ? known->name : NULL;
    facts->arch_number = elf.machine;
    elf.dynamic = wk_window(&elf.file, 0, 0, "ELF dynamic segment");
    read_segments(&elf, known);
    read_sections(&elf);
    if (elf.dynamic.size > 0 && wk_ok(file.state)) {
        wk_parse_elf_dynamic(&elf);
    }
    facts->kind = kind_of(&elf);
    if (facts->kind == WK_KIND_EXECUTABLE) {
        facts->flags |= elf.type == WK_ET_DYN ? WK_FLAG_PIE : 0u;
        facts->flags |= facts->interpreter.data == NULL ? WK_FLAG_STATIC : 0u;
    }
    if (wk_ok(file.state)) {
        wk_emit_slice(&elf.file, facts);
    }
}
