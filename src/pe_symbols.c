/* PE import, delay import and export directories. */
#include "pe.h"
#include "sink.h"

enum { DELAY_HAS_RELATIVE_ADDRESSES = 1 };

/* Emit one import of the current library. If the highest bit of the entry is set, the entry is an ordinal.
 * Otherwise it is the address of a 2-byte hint and the name. */
static void emit_import(wk_pe *pe, uint64_t entry)
{
    const uint64_t ordinal_mark = (uint64_t)1 << (pe->file.wide ? 63 : 31);
    wk_import import = {{NULL, 0}, 0, pe->library_count, WK_NONE, false};
    if ((entry & ordinal_mark) != 0) {
        import.ordinal = (uint32_t)(entry & 0xffff);
    } else {
        const wk_cursor name = wk_pe_at(pe, (entry & INT32_MAX) + 2, "PE import name");
        import.name = wk_string(&name, 0);
    }
    wk_emit_import(&pe->file, &import);
}

/* Emit a library and its imports. The import list consists of addresses and ordinals and ends with 0. */
static void emit_library(wk_pe *pe, uint64_t name, uint64_t list, wk_link link)
{
    const wk_cursor text = wk_pe_at(pe, name, "PE library name");
    wk_emit_library(&pe->file, wk_string(&text, 0), link);
    wk_cursor entries = wk_pe_at(pe, list, "PE import list");
    while (wk_ok(entries.state)) {
        const uint64_t entry = wk_word(&entries);
        if (entry == 0) {
            break;
        }
        emit_import(pe, entry);
    }
    pe->library_count++;
}

/* Read the import directory. Like the delay import directory, it ends with an empty entry, whatever its
 * size field says. */
static void read_imports(wk_pe *pe)
{
    wk_cursor entries = wk_pe_at(pe, pe->directories[WK_PE_DIRECTORY_IMPORTS].address, "PE import directory");
    while (wk_ok(entries.state)) {
        const uint32_t names = wk_u32(&entries);
        wk_skip(&entries, 8); /* time, forwarders */
        const uint32_t library = wk_u32(&entries);
        const uint32_t addresses = wk_u32(&entries);
        if (library == 0 || addresses == 0) {
            break;
        }
        /* Old linkers omit the list of names. The addresses have the same content until the file is
         * loaded. */
        emit_library(pe, library, names != 0 ? names : addresses, WK_LINK_REQUIRED);
    }
}

static void read_delay_imports(wk_pe *pe)
{
    wk_cursor entries =
        wk_pe_at(pe, pe->directories[WK_PE_DIRECTORY_DELAY_IMPORTS].address, "PE delay import directory");
    while (wk_ok(entries.state)) {
        const uint32_t attributes = wk_u32(&entries);
        const uint32_t library = wk_u32(&entries);
        wk_skip(&entries, 8); /* module handle, addresses */
        const uint32_t names = wk_u32(&entries);
        wk_skip(&entries, 12); /* bound addresses, unload addresses, time */
        if (library == 0 || names == 0) {
            break;
        }
        /* Old compilers store absolute addresses. */
        const uint64_t base = (attributes & DELAY_HAS_RELATIVE_ADDRESSES) != 0 ? 0 : pe->base;
        emit_library(pe, library - base, names - base, WK_LINK_DELAY);
    }
}

static void read_exports(wk_pe *pe)
{
    wk_cursor directory =
        wk_pe_at(pe, pe->directories[WK_PE_DIRECTORY_EXPORTS].address, "PE export directory");
    wk_skip(&directory, 12); /* flags, time, version */
    const uint32_t name = wk_u32(&directory);
    wk_skip(&directory, 8); /* first ordinal, addresses */
    const uint32_t count = wk_u32(&directory);
    (void)wk_u32(&directory);
    const uint32_t list = wk_u32(&directory);
    if (name != 0) {
        const wk_cursor text = wk_pe_at(pe, name, "PE export directory name");
        pe->facts->name = wk_string(&text, 0);
    }
    if (count == 0 || !wk_ok(directory.state)) {
        return;
    }
    const wk_cursor at = wk_pe_at(pe, list, "PE export names");
    wk_cursor names = wk_table(&at, 0, count, 4, at.what);
    while (names.at < names.size && wk_ok(names.state)) {
        const wk_cursor start = wk_pe_at(pe, wk_u32(&names), "PE export name");
        const wk_text text = wk_string(&start, 0);
        wk_emit_export(&names, &text, 1);
    }
}

void wk_parse_pe_symbols(wk_pe *pe)
{
    if (pe->directories[WK_PE_DIRECTORY_IMPORTS].address != 0) {
        read_imports(pe);
    }
    if (pe->directories[WK_PE_DIRECTORY_DELAY_IMPORTS].address != 0 && wk_ok(pe->file.state)) {
        read_delay_imports(pe);
    }
    if (pe->directories[WK_PE_DIRECTORY_EXPORTS].address != 0 && wk_ok(pe->file.state)) {
        read_exports(pe);
    }
}
