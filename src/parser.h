/* What the parsers share: one function for each format, and how facts reach the visitor. */
#ifndef WK_PARSER_H
#define WK_PARSER_H

#include "reader.h"

/* Each parses one slice. `file` is a window on exactly that slice, at its start; `facts` has offset, size and fat set.
 * Failures are left in the scan's state. */
void wk_parse_elf(wk_cursor file, wk_slice *facts);
void wk_parse_macho(wk_cursor file, wk_slice *facts);
void wk_parse_pe(wk_cursor file, wk_slice *facts);
void wk_parse_fat_macho(wk_cursor file);

/* Each hands one fact on, and pays for what a caller must do to keep it. */
void wk_tell_library(const wk_cursor *source, wk_text name, wk_link link);
void wk_tell_rpath(const wk_cursor *source, wk_text path, bool runpath);
void wk_tell_version(const wk_cursor *source, wk_text library, wk_text version);
void wk_tell_import(const wk_cursor *source, const wk_import *import);
void wk_tell_export(const wk_cursor *source, const wk_text *parts, size_t count);
void wk_tell_slice(const wk_cursor *source, const wk_slice *slice);

#endif
