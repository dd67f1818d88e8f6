/* A thin Mach-O file: its header and load commands. */
#include "macho.h"
#include "parser.h"
#include "sink.h"

enum { CPU_WIDE = 0x01000000, CPU_ILP32 = 0x02000000, CPU_X86 = 7, CPU_ARM = 12, CPU_POWERPC = 18 };
enum { SUBTYPE = 0x00ffffff, SUBTYPE_ARM64E = 2, SUBTYPE_X86_64H = 8 };
enum { MH_OBJECT = 1, MH_EXECUTE = 2, MH_DYLIB = 6, MH_BUNDLE = 8, MH_DYLIB_STUB = 9, MH_DSYM = 10 };
enum { MH_TWOLEVEL = 0x80, MH_ALLOW_STACK_EXECUTION = 0x20000, MH_PIE = 0x200000, MH_DYLDLINK = 0x4 };
enum {
    LC_SEGMENT = 0x1,
    LC_SYMTAB = 0x2,
    LC_DYSYMTAB = 0xb,
    LC_LOAD_DYLIB = 0xc,
    LC_ID_DYLIB = 0xd,
    LC_SEGMENT_64 = 0x19,
    LC_UUID = 0x1b,
    LC_CODE_SIGNATURE = 0x1d,
    LC_LAZY_LOAD_DYLIB = 0x20,
    LC_DYLD_INFO = 0x22,
    LC_VERSION_MIN_MACOSX = 0x24,
    LC_VERSION_MIN_IPHONEOS = 0x25,
    LC_VERSION_MIN_TVOS = 0x2f,
    LC_VERSION_MIN_WATCHOS = 0x30,
    LC_BUILD_VERSION = 0x32,
};
/* The loader must not ignore commands whose numbers have this bit. The numbers below omit it. */
static const uint32_t LC_REQ_DYLD = 0x80000000;
enum {
    LC_LOAD_WEAK_DYLIB = 0x18,
    LC_RPATH = 0x1c,
    LC_REEXPORT_DYLIB = 0x1f,
    LC_LOAD_UPWARD_DYLIB = 0x23,
    LC_DYLD_EXPORTS_TRIE = 0x33,
    LC_DYLD_CHAINED_FIXUPS = 0x34
};
enum { VM_PROT_WRITE = 2, VM_PROT_EXECUTE = 4 };
enum { S_ZEROFILL = 1, S_GB_ZEROFILL = 0xc, S_THREAD_LOCAL_ZEROFILL = 0x12 };
static const uint32_t S_ATTR_INSTRUCTIONS =
    0x80000400; /* S_ATTR_PURE_INSTRUCTIONS and S_ATTR_SOME_INSTRUCTIONS */
enum {
    PLATFORM_MACOS = WK_MACHO_PLATFORM_MACOS,
    PLATFORM_IOS = 2,
    PLATFORM_TVOS = 3,
    PLATFORM_WATCHOS = 4,
    PLATFORM_MACCATALYST = 6,
};

/* Return the name that platform tags use for a processor, or NULL. */
static const char *arch_name(uint32_t cpu, uint32_t subtype)
{
    switch (cpu) {
    case CPU_X86: return "i686";
    case CPU_X86 | CPU_WIDE: return (subtype & SUBTYPE) == SUBTYPE_X86_64H ? "x86_64h" : "x86_64";
    case CPU_ARM: return "armv7l";
    case CPU_ARM | CPU_WIDE: return (subtype & SUBTYPE) == SUBTYPE_ARM64E ? "arm64e" : "arm64";
    case CPU_ARM | CPU_ILP32: return "arm64_32";
    case CPU_POWERPC: return "ppc";
    case CPU_POWERPC | CPU_WIDE: return "ppc64";
    default: return NULL;
    }
}

static const char *platform_name(uint32_t platform)
{
    static const char *const NAMES[] = {NULL,
                                        "macos",
                                        "ios",
                                        "tvos",
                                        "watchos",
                                        "bridgeos",
                                        "maccatalyst",
                                        "iossimulator",
                                        "tvossimulator",
                                        "watchossimulator",
                                        "driverkit",
                                        "visionos",
                                        "visionossimulator"};
    return platform < sizeof NAMES / sizeof NAMES[0] ? NAMES[platform] : NULL;
}

static wk_kind kind_of(uint32_t type)
{
    switch (type) {
    case MH_OBJECT: return WK_KIND_OBJECT;
    case MH_EXECUTE: return WK_KIND_EXECUTABLE;
    case MH_DYLIB:
    case MH_DYLIB_STUB: return WK_KIND_SHARED;
    case MH_BUNDLE: return WK_KIND_BUNDLE;
    default: return WK_KIND_OTHER;
    }
}

/* Return whether the file contains the content that its segments describe. */
static bool has_content(uint32_t type)
{
    return type != MH_DYLIB_STUB && type != MH_DSYM;
}

/* Read a name of up to 16 bytes, padded with NULs. */
static wk_text fixed_name(wk_cursor *cursor)
{
    const uint8_t *bytes = wk_take(cursor, 16);
    wk_text name = {(const char *)bytes, 0};
    while (bytes && name.size < 16 && bytes[name.size] != 0) {
        name.size++;
    }
    return name;
}

static void count_section(wk_slice *facts, wk_text segment, uint32_t flags, uint64_t size)
{
    const uint32_t type = flags & 0xff;
    if (type == S_ZEROFILL || type == S_GB_ZEROFILL || type == S_THREAD_LOCAL_ZEROFILL) {
        return;
    }
    if (wk_starts_with(segment, "__DWARF")) {
        facts->debug_bytes += size;
    } else if ((flags & S_ATTR_INSTRUCTIONS) != 0) {
        facts->code_bytes += size;
    } else {
        facts->data_bytes += size;
    }
}

/* Read the section headers of a segment, and count the sections if the segment has content. */
static void read_sections(wk_macho *macho, const wk_cursor *command, uint32_t count, bool has_bytes)
{
    const uint32_t entry = command->wide ? 80 : 68;
    wk_cursor sections = wk_table(command, command->at, count, entry, "Mach-O section table");
    while (sections.at < sections.size && wk_ok(sections.state)) {
        (void)fixed_name(&sections); /* name of the section */
        const wk_text segment = fixed_name(&sections);
        (void)wk_word(&sections); /* address */
        const uint64_t size = wk_word(&sections);
        wk_skip(&sections, 16); /* offset, alignment, relocations */
        const uint32_t flags = wk_u32(&sections);
        wk_skip(&sections, command->wide ? 12 : 8); /* reserved */
        if (has_bytes) {
            count_section(macho->facts, segment, flags, size);
        }
    }
}

static void read_segment(wk_macho *macho, wk_cursor command, uint32_t type)
{
    command.what = "Mach-O segment";
    (void)fixed_name(&command); /* name of the segment */
    (void)wk_word(&command);    /* address */
    (void)wk_word(&command);    /* size in memory */
    const uint64_t offset = wk_word(&command);
    const uint64_t size = wk_word(&command);
    (void)wk_u32(&command); /* maximum protection */
    const uint32_t protection = wk_u32(&command);
    const uint32_t count = wk_u32(&command);
    (void)wk_u32(&command); /* flags */
    if (size > 0 && has_content(type)) {
        (void)wk_window(&macho->file, offset, size, command.what);
    }
    if (type != MH_OBJECT && (protection & VM_PROT_WRITE) != 0 && (protection & VM_PROT_EXECUTE) != 0) {
        macho->facts->writable_executable++;
    }
    read_sections(macho, &command, count, size > 0);
}

/* Read a string that a command refers to. Its offset counts from the start of the command, which is 8
 * bytes before the window of the cursor. */
static wk_text command_string(wk_cursor *command)
{
    const uint32_t at = wk_u32(command);
    if (at < 8) {
        wk_fail_here(command, WK_RESULT_BAD_OFFSET, at);
        return (wk_text){NULL, 0};
    }
    return wk_string(command, at - 8);
}

static void read_library(wk_macho *macho, wk_cursor command, wk_link link)
{
    command.what = "Mach-O library";
    wk_emit_library(&macho->file, command_string(&command), link);
    macho->library_count++;
}

/* Read the minimum OS version and the SDK version of a platform. If a file supports several platforms, the
 * facts contain the versions of macOS. */
static void read_os_version(wk_macho *macho, wk_cursor command, uint32_t platform)
{
    command.what = "Mach-O minimum version";
    wk_slice *facts = macho->facts;
    const uint32_t minimum = wk_u32(&command);
    const uint32_t sdk = wk_u32(&command);
    if (facts->os_number == PLATFORM_MACOS || facts->os_number == PLATFORM_MACCATALYST) {
        facts->flags |= platform != facts->os_number ? WK_FLAG_ZIPPERED : 0u;
    }
    if (facts->os_number == 0 || platform == PLATFORM_MACOS) {
        facts->os = platform_name(platform);
        facts->os_number = platform;
        facts->min_os = minimum;
        facts->sdk = sdk;
    }
}

static void read_signature(wk_macho *macho, wk_cursor command)
{
    command.what = "Mach-O code signature";
    macho->signature_offset = wk_u32(&command);
    macho->signature_size = wk_u32(&command);
}

static void read_symbol_table(wk_macho *macho, wk_cursor command)
{
    command.what = "Mach-O symbol table command";
    macho->symbols_offset = wk_u32(&command);
    macho->symbol_count = wk_u32(&command);
    macho->strings_offset = wk_u32(&command);
    macho->strings_size = wk_u32(&command);
}

static void read_dynamic_symbol_table(wk_macho *macho, wk_cursor command)
{
    command.what = "Mach-O dynamic symbol table command";
    (void)wk_u32(&command); /* index of the first local symbol */
    macho->local_count = wk_u32(&command);
    macho->has_local_count = true;
}

/* Read the location of the export trie. LC_DYLD_INFO specifies it after four other tables,
 * LC_DYLD_EXPORTS_TRIE on its own. */
static void read_trie(wk_macho *macho, wk_cursor command, bool in_dyld_info)
{
    command.what = "Mach-O export trie command";
    wk_skip(&command, in_dyld_info ? 32 : 0);
    macho->trie_offset = wk_u32(&command);
    macho->trie_size = wk_u32(&command);
    macho->has_trie = true;
}

/* Read a load command. `command` is a window on its content, without its number and size. */
static void read_command(wk_macho *macho, wk_cursor command, uint32_t number, uint32_t type)
{
    switch (number & ~LC_REQ_DYLD) {
    case LC_SEGMENT:
    case LC_SEGMENT_64: read_segment(macho, command, type); break;
    case LC_SYMTAB: read_symbol_table(macho, command); break;
    case LC_DYSYMTAB: read_dynamic_symbol_table(macho, command); break;
    case LC_LOAD_DYLIB: read_library(macho, command, WK_LINK_REQUIRED); break;
    case LC_LOAD_WEAK_DYLIB: read_library(macho, command, WK_LINK_WEAK); break;
    case LC_REEXPORT_DYLIB: read_library(macho, command, WK_LINK_REEXPORT); break;
    case LC_LOAD_UPWARD_DYLIB: read_library(macho, command, WK_LINK_UPWARD); break;
    case LC_LAZY_LOAD_DYLIB: read_library(macho, command, WK_LINK_LAZY); break;
    case LC_ID_DYLIB:
        command.what = "Mach-O install name";
        macho->facts->name = command_string(&command);
        macho->name_count++;
        break;
    case LC_UUID: macho->uuid_count++; break;
    case LC_RPATH:
        command.what = "Mach-O rpath";
        wk_emit_rpath(&macho->file, command_string(&command), false);
        break;
    case LC_CODE_SIGNATURE: read_signature(macho, command); break;
    case LC_DYLD_INFO: read_trie(macho, command, true); break;
    case LC_DYLD_EXPORTS_TRIE: read_trie(macho, command, false); break;
    case LC_DYLD_CHAINED_FIXUPS: macho->facts->flags |= WK_FLAG_CHAINED_FIXUPS; break;
    case LC_VERSION_MIN_MACOSX: read_os_version(macho, command, PLATFORM_MACOS); break;
    case LC_VERSION_MIN_IPHONEOS: read_os_version(macho, command, PLATFORM_IOS); break;
    case LC_VERSION_MIN_TVOS: read_os_version(macho, command, PLATFORM_TVOS); break;
    case LC_VERSION_MIN_WATCHOS: read_os_version(macho, command, PLATFORM_WATCHOS); break;
    case LC_BUILD_VERSION: {
        const uint32_t platform = wk_u32(&command);
        read_os_version(macho, command, platform);
        break;
    }
    default: break;
    }
}

static void read_commands(wk_macho *macho, uint32_t count, uint32_t size, uint32_t type)
{
    wk_cursor commands = wk_window(&macho->file, macho->file.at, size, "Mach-O load commands");
    for (uint32_t i = 0; i < count && wk_ok(commands.state); i++) {
        const uint64_t start = commands.at;
        const uint32_t number = wk_u32(&commands);
        const uint32_t length = wk_u32(&commands);
        if (length < 8 || length % 4 != 0) {
            wk_fail(commands.state, WK_RESULT_BAD_VALUE, "Mach-O load command size",
                    wk_offset_at(&commands, start), length);
        }
        const wk_cursor command = wk_window(&commands, commands.at, length - 8u, "Mach-O load command");
        if (wk_ok(commands.state)) {
            wk_macho_check_command(macho, number, length);
            read_command(macho, command, number, type);
            wk_skip(&commands, length - 8u);
        }
    }
    commands.size = commands.at;
    commands.at = 0;
    if (wk_ok(commands.state)) {
        wk_macho_check_rules(macho, commands, (uint64_t)macho->file.at + size);
    }
}

/* Read the header fields after the magic number, and then the load commands. */
static void read_header(wk_macho *macho)
{
    wk_cursor *file = &macho->file;
    wk_slice *facts = macho->facts;
    const uint32_t cpu = wk_u32(file);
    const uint32_t subtype = wk_u32(file);
    const uint32_t type = wk_u32(file);
    const uint32_t count = wk_u32(file);
    const uint32_t size = wk_u32(file);
    const uint32_t flags = wk_u32(file);
    wk_skip(file, file->wide ? 4 : 0);
    if (type == 0) {
        wk_fail(file->state, WK_RESULT_BAD_VALUE, "Mach-O file type", wk_offset_at(file, 12), type);
    }
    if (!wk_ok(file->state)) {
        return;
    }
    facts->arch = arch_name(cpu, subtype);
    facts->arch_number = cpu;
    facts->kind = kind_of(type);
    facts->executable_stack = (flags & MH_ALLOW_STACK_EXECUTION) != 0 ? WK_TRISTATE_YES : WK_TRISTATE_NO;
    if (facts->kind == WK_KIND_EXECUTABLE) {
        facts->flags |= (flags & MH_PIE) != 0 ? WK_FLAG_PIE : 0u;
        facts->flags |= (flags & MH_DYLDLINK) == 0 ? WK_FLAG_STATIC : 0u;
    }
    macho->two_level = (flags & MH_TWOLEVEL) != 0;
    read_commands(macho, count, size, type);
}

void wk_parse_macho(wk_cursor file, wk_slice *facts)
{
    wk_macho macho = {0};
    file.what = "Mach-O header";
    file.big = true;
    const uint32_t magic = wk_u32(&file);
    file.big = wk_macho_is_big(magic);
    file.wide = magic == WK_MACHO_BIG_64 || magic == WK_MACHO_LITTLE_64;
    macho.file = file;
    macho.facts = facts;
    facts->format = WK_FORMAT_MACHO;
    facts->wide = file.wide;
    facts->big = file.big;
    facts->is_signed = WK_TRISTATE_NO;
    read_header(&macho);
    if (wk_ok(file.state) && facts->kind != WK_KIND_OBJECT) {
        wk_parse_macho_symbols(&macho);
        wk_parse_macho_trie(&macho);
        wk_parse_macho_signature(&macho);
    }
    if (wk_ok(file.state)) {
        wk_emit_slice(&macho.file, facts);
    }
}
