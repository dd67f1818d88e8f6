/* PE headers and sections. */
#include "pe.h"
#include "parser.h"
#include "sink.h"

enum { PE_MAGIC = 0x00004550, PE32 = 0x10b, PE32_PLUS = 0x20b };
enum { MACHINE_AMD64 = 0x8664, MACHINE_ARM64 = 0xaa64 };
enum { IMAGE_FILE_RELOCS_STRIPPED = 0x1, IMAGE_FILE_EXECUTABLE_IMAGE = 0x2, IMAGE_FILE_DLL = 0x2000 };
enum { DLL_HIGH_ENTROPY_VA = 0x20, DLL_DYNAMIC_BASE = 0x40, DLL_NX_COMPAT = 0x100, DLL_GUARD_CF = 0x4000 };
enum { SCN_CODE = 0x20, SCN_UNINITIALIZED = 0x80 };
static const uint32_t SCN_EXECUTE = 0x20000000;
static const uint32_t SCN_WRITE = 0x80000000;
enum { COFF_SYMBOL_SIZE = 18 };
enum { MAX_HEADER_OFFSET = 1 << 28, PAGE = 0x1000 };
/* Where the load configuration of a 64-bit file has the address of what ARM64EC code needs. */
enum { CHPE_METADATA = 200 };

static const char *arch_name(uint16_t machine)
{
    switch (machine) {
    case 0x014c: return "i686";
    case MACHINE_AMD64: return "x86_64";
    case MACHINE_ARM64: return "arm64";
    case 0x01c4: return "armv7l";
    case 0x5064: return "riscv64";
    case 0x6264: return "loongarch64";
    default: return NULL;
    }
}

static const char *subsystem_name(uint16_t subsystem)
{
    switch (subsystem) {
    case 1: return "native";
    case 2: return "gui";
    case 3: return "console";
    default: return "unknown";
    }
}

/* Read the optional header after its magic number. Despite its name, every image has it. */
static void read_optional_header(wk_pe *pe, wk_cursor header)
{
    wk_slice *facts = pe->facts;
    header.wide = facts->wide;
    wk_skip(&header, header.wide ? 22 : 26);
    pe->base = wk_word(&header);
    pe->alignment = wk_u32(&header);
    wk_skip(&header, 20); /* alignment in the file, versions */
    pe->image_size = wk_u32(&header);
    pe->headers_size = wk_u32(&header);
    (void)wk_u32(&header); /* checksum */
    facts->os_number = wk_u16(&header);
    facts->os = subsystem_name((uint16_t)facts->os_number);
    const uint16_t dll = wk_u16(&header);
    wk_skip(&header, header.wide ? 36 : 20); /* stack, heap, loader flags */
    const uint32_t directories = wk_u32(&header);
    for (uint32_t i = 0; i < directories && i < WK_PE_DIRECTORY_COUNT && wk_ok(header.state); i++) {
        pe->directories[i].address = wk_u32(&header);
        pe->directories[i].size = wk_u32(&header);
    }
    facts->flags |= (dll & DLL_DYNAMIC_BASE) != 0 ? WK_FLAG_ASLR : 0u;
    facts->flags |= (dll & DLL_HIGH_ENTROPY_VA) != 0 ? WK_FLAG_HIGH_ENTROPY : 0u;
    facts->flags |= (dll & DLL_NX_COMPAT) != 0 ? WK_FLAG_NX : 0u;
    facts->flags |= (dll & DLL_GUARD_CF) != 0 ? WK_FLAG_CFG : 0u;
    facts->flags |= pe->directories[WK_PE_DIRECTORY_CLR].address != 0 ? WK_FLAG_DOTNET : 0u;
}

static void read_headers(wk_pe *pe)
{
    wk_cursor *file = &pe->file;
    wk_slice *facts = pe->facts;
    file->what = "PE header";
    (void)wk_u32(file); /* "PE\0\0" */
    const uint16_t machine = wk_u16(file);
    const uint16_t sections = wk_u16(file);
    (void)wk_u32(file); /* time */
    pe->symbols_offset = wk_u32(file);
    pe->symbol_count = wk_u32(file);
    const uint16_t size = wk_u16(file);
    const uint16_t flags = wk_u16(file);
    wk_cursor header = wk_window(file, file->at, size, "PE optional header");
    const size_t sections_offset = file->at + header.size;
    const uint16_t magic = wk_u16(&header);
    if (wk_ok(file->state) && magic != PE32 && magic != PE32_PLUS) {
        wk_fail(file->state, WK_RESULT_UNSUPPORTED, "PE optional header", wk_offset_at(&header, 0), magic);
    }
    if (!wk_ok(file->state)) {
        return;
    }
    facts->arch = arch_name(machine);
    facts->arch_number = machine;
    facts->wide = magic == PE32_PLUS;
    file->wide = facts->wide;
    facts->kind = (flags & IMAGE_FILE_EXECUTABLE_IMAGE) != 0 ? WK_KIND_EXECUTABLE : WK_KIND_OTHER;
    facts->kind = (flags & IMAGE_FILE_DLL) != 0 ? WK_KIND_SHARED : facts->kind;
    facts->flags |= (flags & IMAGE_FILE_RELOCS_STRIPPED) != 0 ? WK_FLAG_FIXED_BASE : 0u;
    read_optional_header(pe, header);
    pe->sections = wk_table(file, sections_offset, sections, WK_PE_SECTION_SIZE, "PE section table");
}

/* Return the COFF string table, or an empty window if there is none. It follows the symbol table and
 * starts with its own size in 4 bytes. MinGW stores section names of more than 8 characters there. */
static wk_cursor symbol_strings(const wk_pe *pe)
{
    if (pe->symbols_offset == 0 || pe->symbol_count == 0) {
        return wk_window(&pe->file, 0, 0, "PE string table");
    }
    const wk_cursor symbols =
        wk_table(&pe->file, pe->symbols_offset, pe->symbol_count, COFF_SYMBOL_SIZE, "PE symbol table");
    const uint64_t at = (uint64_t)pe->symbols_offset + symbols.size;
    wk_cursor strings = wk_rest(&pe->file, at, "PE string table");
    const uint32_t size = strings.size >= 4 ? wk_u32(&strings) : 0;
    return wk_window(&pe->file, at, size, "PE string table");
}

/* Return the name of a section: up to 8 bytes, or a slash and the decimal offset of a longer name in the
 * string table. */
static wk_text section_name(const wk_pe_section *s, const wk_cursor *strings)
{
    wk_text name = {(const char *)s->name, 0};
    while (s->name && name.size < 8 && s->name[name.size] != 0) {
        name.size++;
    }
    uint32_t at = 0;
    for (size_t i = 1; i < name.size; i++) {
        if (name.data[0] != '/' || name.data[i] < '0' || name.data[i] > '9') {
            return name;
        }
        at = at * 10 + (uint32_t)(name.data[i] - '0');
    }
    return name.size > 1 && strings->size > 0 ? wk_string(strings, at) : name;
}

static void count_section(wk_slice *facts, const wk_pe_section *s, wk_text name)
{
    if ((s->flags & SCN_EXECUTE) != 0 && (s->flags & SCN_WRITE) != 0) {
        facts->writable_executable++;
    }
    if (s->offset == 0) {
        return; /* no content in the file */
    }
    if (wk_starts_with(name, ".debug_") || wk_starts_with(name, ".zdebug_")) {
        facts->debug_bytes += s->size;
    } else if ((s->flags & (SCN_CODE | SCN_EXECUTE)) != 0) {
        facts->code_bytes += s->size;
    } else if ((s->flags & SCN_UNINITIALIZED) == 0) {
        facts->data_bytes += s->size;
    }
}

static void read_sections(wk_pe *pe)
{
    const wk_cursor strings = symbol_strings(pe);
    wk_cursor *sections = &pe->sections;
    pe->facts->symbol_bytes =
        strings.size > 0 ? (uint64_t)pe->symbol_count * COFF_SYMBOL_SIZE + strings.size : 0;
    while (sections->at < sections->size && wk_ok(sections->state)) {
        const wk_pe_section s = wk_pe_read_section(sections);
        (void)wk_window(&pe->file, s.offset, s.offset != 0 ? s.size : 0, "PE section");
        count_section(pe->facts, &s, section_name(&s, &strings));
    }
}

static uint64_t aligned(uint64_t size, uint32_t alignment)
{
    return (size + alignment - 1) / alignment * alignment;
}

/* Return why Windows refuses to map the sections, or NULL: they have to follow one another without a gap,
 * behind the headers and within the size that the header states (MiCreateImageFileMap of the Windows Research
 * Kernel). Drivers with small alignments, which are mapped as a whole, have no such rule. */
static const char *section_problem(const wk_pe *pe)
{
    wk_cursor sections = pe->sections;
    sections.at = 0;
    if (pe->alignment < PAGE) {
        return NULL;
    }
    uint64_t next = aligned(pe->headers_size, pe->alignment);
    while (sections.at < sections.size && wk_ok(sections.state)) {
        const wk_pe_section s = wk_pe_read_section(&sections);
        const uint32_t size = s.virtual_size != 0 ? s.virtual_size : s.size;
        if (s.address != next || size == 0) {
            return "its sections do not follow one another in memory";
        }
        next += aligned(size, pe->alignment);
    }
    return next > aligned(pe->image_size, pe->alignment)
               ? "its sections end behind the stated size of the image"
               : NULL;
}

/* Return whether a file for x86-64 has ARM64EC code, which only Windows on Arm runs. */
static bool is_arm64ec(wk_pe *pe)
{
    const wk_pe_directory d = pe->directories[WK_PE_DIRECTORY_LOAD_CONFIG];
    if (pe->facts->arch_number != MACHINE_AMD64 || !pe->facts->wide || d.address == 0 ||
        !wk_pe_contains(pe, d.address)) {
        return false;
    }
    wk_cursor config = wk_pe_at(pe, d.address, "PE load configuration");
    wk_cursor size = config;
    if (config.size < CHPE_METADATA + 8 || wk_u32(&size) < CHPE_METADATA + 8) {
        return false;
    }
    wk_seek(&config, CHPE_METADATA);
    return wk_u64(&config) != 0;
}

/* Find out why Windows refuses the file, and for which processor it is. */
static void check_rules(wk_pe *pe)
{
    wk_slice *facts = pe->facts;
    facts->refusal = section_problem(pe);
    if (facts->arch_number == MACHINE_ARM64 && (facts->flags & WK_FLAG_ASLR) == 0) {
        facts->refusal = "it has no DYNAMIC_BASE, which Windows on Arm requires";
    }
    if (is_arm64ec(pe)) {
        facts->arch = "arm64ec";
    }
}

/* Read the certificate table. Its directory is the only one that contains a file offset instead of an
 * address. */
static void read_signature(wk_pe *pe)
{
    const wk_pe_directory d = pe->directories[WK_PE_DIRECTORY_SECURITY];
    pe->facts->is_signed = d.size > 0 ? WK_TRISTATE_YES : WK_TRISTATE_NO;
    if (d.size > 0) {
        (void)wk_window(&pe->file, d.address, d.size, "PE certificate table");
    }
}

/* Return the offset of the PE header, which the DOS header contains. DOS programs have no PE header. Text
 * that starts with the same two letters usually yields an implausible offset. */
static uint32_t find_header(const wk_cursor *file)
{
    wk_cursor dos = wk_window(file, 0, 0x40, "PE header for DOS");
    wk_skip(&dos, 0x3c);
    const uint32_t start = wk_u32(&dos);
    const bool implausible = start > MAX_HEADER_OFFSET;
    wk_cursor header = wk_rest(file, implausible ? 0 : start, "PE header");
    if (wk_ok(file->state) && wk_u32(&header) != PE_MAGIC) {
        wk_fail_here(&dos, WK_RESULT_NOT_A_BINARY, start);
    }
    return start;
}

void wk_parse_pe(wk_cursor file, wk_slice *facts)
{
    wk_pe pe = {0};
    pe.file = file;
    pe.facts = facts;
    facts->format = WK_FORMAT_PE;
    facts->executable_stack = WK_TRISTATE_UNKNOWN;
    wk_seek(&pe.file, find_header(&file));
    if (wk_ok(file.state)) {
        read_headers(&pe);
    }
    if (wk_ok(file.state)) {
        read_sections(&pe);
        read_signature(&pe);
        check_rules(&pe);
        wk_parse_pe_symbols(&pe);
    }
    if (wk_ok(file.state)) {
        wk_emit_slice(&pe.file, facts);
    }
}
